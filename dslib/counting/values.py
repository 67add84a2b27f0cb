"""Values on the meta device: small tensors that no input has gone into keep their numbers beside their shapes.

So a model may read its strides, or a tensor that it makes from Python's numbers, while the maps have shapes only.
"""

from functools import cache

import torch

from .tree import mapped, tensors

SMALL = 4096  # numbers that a tensor has at most


class Values:
    """What is known of tensors on the meta device. ``pairs``: tensors there, each with one that holds its numbers."""

    def __init__(self, pairs=()):
        self.pairs = {id(shape): (shape, numbers) for shape, numbers in pairs}  # kept alive: no id is taken again
        self.lost = set()  # memory that something unknown was written to

    def of(self, tensor):
        """The tensor's numbers, or None where there are shapes only."""
        numbers = self.pairs[id(tensor)][1] if id(tensor) in self.pairs else None if tensor.is_meta else tensor
        if numbers is None or numbers.numel() > SMALL or _memory(numbers) in self.lost:
            return None
        return numbers

    def run(self, func, args, kwargs, among):
        """What an operation returns on the meta device; on numbers as well, where it is handed nothing else."""
        known = all(self.of(tensor) is not None for tensor in among)
        if not known and func._schema.is_mutable:
            self.lost |= {
                _memory(self.of(tensor)) for tensor in _written(func, args, kwargs) if self.of(tensor) is not None
            }
        there = {"device": "meta"} if _takes_device(func) else {}
        try:
            if all(tensor.is_meta for tensor in among):
                out = func(*args, **kwargs, **there) if "device" not in kwargs else func(*args, **(kwargs | there))
            else:
                out = func(*mapped(_without_data, args), **(mapped(_without_data, kwargs) | there))
        except (NotImplementedError, RuntimeError):
            if not known:
                raise
            out = None
        if not known or any(tensor.numel() > SMALL for tensor in tensors([out])):
            return out
        device = kwargs.get("device")
        here = {"device": "cpu"} if there else {}
        numbers = func(*mapped(self.of, args), **(mapped(self.of, kwargs) | here))
        if func is torch.ops.aten._to_copy.default and device is not None and torch.device(device).type == "cpu":
            return numbers  # on its way to numpy or to a list
        if not tensors([out]):
            out = mapped(_without_data, numbers)
        self.pairs |= {id(shape): (shape, held) for shape, held in zip(tensors([out]), tensors([numbers]), strict=True)}
        return out


def _memory(tensor):
    return tensor.untyped_storage().data_ptr()


def _without_data(tensor):
    return tensor if tensor.is_meta else tensor.to("meta")


@cache
def _takes_device(func):
    return any(argument.name == "device" for argument in func._schema.arguments)


def _written(func, args, kwargs):
    """The tensors that an operation writes to."""
    given = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | kwargs
    writes = [one.name for one in func._schema.arguments if one.alias_info is not None and one.alias_info.is_write]
    return tensors([given.get(name) for name in writes])
