"""Whether a function leaves what it was given as it was: tensors, lists, and models with all that is on them."""

from collections.abc import Sequence

import torch
from torch import nn

from .plain import safely

INSIDE = {"", "_parameters", "_buffers", "_modules"}  # where the parts of a module are; nobody writes these names
CHANGED = (
    "The answers are right, but afterwards {} is not what it was. Leave what your function gets alone, or copy it."
)


def state(value):
    """All that can be compared later, in nested dictionaries."""
    if isinstance(value, torch.Tensor):
        numbers = value.detach().numpy(force=True)
        return {"": (value.shape, value.dtype, numbers.tobytes()), "requires_grad": value.requires_grad}
    if isinstance(value, nn.Module):
        return {"": (type(value), type(value).forward), **state(vars(value))}
    if isinstance(value, (list, tuple)):
        value = dict(enumerate(value))
    return {key: state(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def first_change(before, after, place: str) -> str:
    """Where the first change is, such as ``model.0.training``, or ""."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return "" if before is after or before == after else place
    for key in before | after:
        inside = f"{place}.{key}".lstrip(".") if isinstance(key, str) and key not in INSIDE else place
        if key not in before or key not in after:
            return inside
        if found := first_change(before[key], after[key], inside):
            return found
    return ""


def told_of_change(before, given: Sequence, names: Sequence[str]) -> str:
    """What to say of arguments that are not what they were, or "". ``before``: their state, by their names."""
    now = dict(zip(names, given, strict=False))
    place = safely(lambda now: first_change(before, state(now), ""), now, lambda now: "one of the arguments")
    return CHANGED.format(place) if place else ""
