"""The tensors among arguments and results, however they are nested."""

from dataclasses import is_dataclass

import torch

PLAIN = {int, float, bool, str, type(None)}  # most arguments are such: looked at first, for speed


def tensors(values):
    """The tensors in a tensor or in nested tuples, lists, dicts and dataclasses, in order."""
    found = []
    for value in (values,) if isinstance(values, torch.Tensor) else values:
        if type(value) in PLAIN:
            continue
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found += tensors(value)
        elif isinstance(value, dict):
            found += tensors(value.values())
        elif is_dataclass(value) and not isinstance(value, type):
            found += tensors(vars(value).values())
    return found


def mapped(function, values):
    """The same nesting with ``function`` of each tensor in its place; only tuples, lists and dicts are gone into."""
    if isinstance(values, torch.Tensor):
        return function(values)
    if isinstance(values, dict):
        return type(values)((key, mapped(function, value)) for key, value in values.items())
    if isinstance(values, (tuple, list)):
        parts = [mapped(function, value) for value in values]
        return type(values)(*parts) if hasattr(values, "_fields") else type(values)(parts)
    return values
