"""Memory that a count has neither copied nor made is not written to: a copy of it is, from then on in its place.

A model may hold tensors where no copy of it reaches: in a closure, a class, a weak reference, a read-only mapping.
"""

import torch

from .tree import mapped, memory, tensors


class Foreign:
    """Keeps writes from memory that is not the count's own. ``own``: tensors that may be written to; None for all."""

    def __init__(self, own=None):
        self.own = None if own is None else {0, *map(memory, own)}
        self.instead = {}  # {address: (the memory, kept alive, and the copy in its place)}

    def run(self, func, known, args, kwargs):
        """What an operation returns, with copies in the place of what it or an earlier one would write to."""
        if self.own is None:
            return func(*args, **kwargs)
        for tensor in known.written(args, kwargs):
            if (address := memory(tensor)) not in self.own and address not in self.instead:
                theirs = tensor.untyped_storage()
                self.instead[address] = theirs, theirs.clone()
                self.own.add(self.instead[address][1].data_ptr())
        if self.instead:
            args, kwargs = mapped(self._other, args), mapped(self._other, kwargs)
        out = func(*args, **kwargs)
        if known.makes_memory:
            self.own |= set(map(memory, tensors([out])))
        return out

    def _other(self, tensor):
        if (address := memory(tensor)) not in self.instead:
            return tensor
        layout = tensor.storage_offset(), tensor.shape, tensor.stride()
        return torch.empty(0, dtype=tensor.dtype, device=tensor.device).set_(self.instead[address][1], *layout)
