"""Values on the meta device: small tensors that no input has gone into keep their numbers beside their shapes.

So a model may read its strides, or a tensor that it makes from Python's numbers, while the maps have shapes only.
"""

import torch

from .tree import mapped, place, tensors

SMALL = 4096  # numbers that a tensor has at most


class Values:
    """What is known of tensors on the meta device. ``pairs``: tensors there, each with one that holds its numbers.

    ``foreign``: the :class:`Foreign` that runs what is done with numbers.
    """

    def __init__(self, foreign, pairs=()):
        self.foreign = foreign
        self.pairs = {id(shape): (shape, numbers) for shape, numbers in pairs}  # kept alive: no id is taken again
        self.lost = set()  # memory that something unknown was written to
        self.shapes = {}  # {an operation and the shapes it is given: tensors like those it returns}

    def of(self, tensor):
        """The tensor's numbers, or None where there are shapes only."""
        _, numbers = self.pairs.get(id(tensor), (None, None if tensor.is_meta else tensor))
        if numbers is None or numbers.numel() > SMALL or place(tensor) in self.lost:
            return None
        return numbers

    def run(self, func, known, args, kwargs):
        """What an operation returns on the meta device; on numbers as well, where it is handed nothing else.

        ``known``: its :class:`Facts`.
        """
        among = tensors(args) + tensors(kwargs.values())
        constant = all(self.of(tensor) is not None for tensor in among)
        if known.writes and not constant:
            self.lost |= {place(tensor) for tensor in known.written(args, kwargs)} - {None}
        # torch takes a millisecond for the shapes of one batch norm, and a network repeats itself
        key = (func, _key(args), _key(kwargs)) if known.makes_memory and not constant else None
        if key in self.shapes:
            return mapped(_like, self.shapes[key])
        there = {"device": "meta"} if known.makes else {}
        try:
            if any(not tensor.is_meta for tensor in among):
                args_there, kwargs_there = mapped(_without_data, args), mapped(_without_data, kwargs)
            else:
                args_there, kwargs_there = args, kwargs
            out = func(*args_there, **(kwargs_there | there))
        except (NotImplementedError, RuntimeError):
            if not constant:
                raise
            out = None  # its shape depends on values
        if key is not None and all(one.is_meta and type(one) is torch.Tensor for one in tensors([out])):
            self.shapes[key] = mapped(torch.Tensor.detach, out)
        if not constant or any(tensor.numel() - 1 not in range(SMALL) for tensor in tensors([out])):
            return out
        here = {"device": "cpu"} if known.makes else {}
        numbers = self.foreign.run(func, known, mapped(self.of, args), mapped(self.of, kwargs) | here)
        if known.name == "_to_copy" and str(kwargs.get("device")) == "cpu":
            return numbers  # on its way to numpy or to a list
        out = mapped(_without_data, numbers) if out is None else out
        self.pairs |= {id(shape): (shape, held) for shape, held in zip(tensors([out]), tensors([numbers]), strict=True)}
        return out


def _without_data(tensor):
    return tensor if tensor.is_meta else tensor.to("meta")


def _like(tensor):
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")


def _key(value):
    """What the shapes of a result depend on."""
    if isinstance(value, torch.Tensor):
        return type(value), value.shape, value.stride(), value.dtype, value.device
    if isinstance(value, (tuple, list)):
        return tuple(map(_key, value))
    return tuple((name, _key(one)) for name, one in value.items()) if isinstance(value, dict) else (type(value), value)
