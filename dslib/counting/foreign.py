"""Memory that a count has neither copied nor made is not written to: a copy of it is, from then on in its place.

A model may hold tensors where no copy of it reaches: in a closure, a class, a weak reference, a read-only mapping.
"""

import torch

from .tree import mapped, memory, tensors


class Foreign:
    """Keeps writes from memory that is not the count's own. ``own``: tensors that may be written to."""

    def __init__(self, own):
        self.own = {0, *map(memory, own)}
        self.instead = {}  # {address: (the memory, kept alive, and the copy in its place)}

    def spared(self, known, args, kwargs):
        """The arguments of an operation, with copies in the place of what it or an earlier one would write to."""
        for place, name in known.writes:
            for tensor in tensors([args[place] if place < len(args) else kwargs.get(name)]):
                if (address := memory(tensor)) not in self.own and address not in self.instead:
                    self.instead[address] = tensor.untyped_storage(), tensor.untyped_storage().clone()
        return (mapped(self._other, args), mapped(self._other, kwargs)) if self.instead else (args, kwargs)

    def made(self, known, out):
        """What an operation returns is the count's own, if it is not a view."""
        if known.makes_memory:
            self.own |= set(map(memory, tensors([out])))

    def _other(self, tensor):
        if (address := memory(tensor)) not in self.instead:
            return tensor
        layout = tensor.storage_offset(), tensor.shape, tensor.stride()
        return torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(self.instead[address][1], *layout)
