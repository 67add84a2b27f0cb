"""Values on the meta device: small tensors that no input has gone into keep their numbers beside their shapes.

So a model may read its strides, or a tensor that it makes from Python's numbers, while the maps have shapes only.
"""

from .tree import mapped, memory, tensors

SMALL = 4096  # numbers that a tensor has at most


class Values:
    """What is known of tensors on the meta device. ``pairs``: tensors there, each with one that holds its numbers."""

    def __init__(self, pairs=()):
        self.pairs = {id(shape): (shape, numbers) for shape, numbers in pairs}  # kept alive: no id is taken again
        self.lost = set()  # memory that something unknown was written to

    def of(self, tensor):
        """The tensor's numbers, or None where there are shapes only."""
        _, numbers = self.pairs.get(id(tensor), (None, None if tensor.is_meta else tensor))
        if numbers is None or numbers.numel() > SMALL or memory(numbers) in self.lost:
            return None
        return numbers

    def run(self, func, known, args, kwargs, among):
        """What an operation returns on the meta device; on numbers as well, where it is handed nothing else.

        ``known``: its :class:`Facts`. ``among``: all tensors among the arguments.
        """
        constant = all(self.of(tensor) is not None for tensor in among)
        if known.writes and not constant:
            self._lose(known, args, kwargs)
        there = {"device": "meta"} if known.makes else {}
        try:
            if any(not tensor.is_meta for tensor in among):
                out = func(*mapped(_without_data, args), **(mapped(_without_data, kwargs) | there))
            else:
                out = func(*args, **(kwargs | there))
        except (NotImplementedError, RuntimeError):
            if not constant:
                raise
            out = None  # its shape depends on values
        if not constant or any(tensor.numel() - 1 not in range(SMALL) for tensor in tensors([out])):
            return out
        here = {"device": "cpu"} if known.makes else {}
        numbers = func(*mapped(self.of, args), **(mapped(self.of, kwargs) | here))
        if known.name == "_to_copy" and str(kwargs.get("device")) == "cpu":
            return numbers  # on its way to numpy or to a list
        out = mapped(_without_data, numbers) if out is None else out
        self.pairs |= {id(shape): (shape, held) for shape, held in zip(tensors([out]), tensors([numbers]), strict=True)}
        return out

    def _lose(self, known, args, kwargs):
        written = [args[place] if place < len(args) else kwargs.get(name) for place, name in known.writes]
        numbers = [self.of(tensor) for tensor in tensors(written)]
        self.lost |= {memory(one) for one in numbers if one is not None}


def _without_data(tensor):
    return tensor if tensor.is_meta else tensor.to("meta")
