"""The tensors among arguments and results, however they are nested."""

from dataclasses import fields, is_dataclass

import torch

PLAIN = {int, float, bool, str, type(None), torch.dtype, torch.device}  # most arguments are such: looked at first


def tensors(values):
    """The tensors in nested tuples, lists, dicts and dataclasses, in order."""
    found = []
    for value in values:
        if type(value) in PLAIN:
            continue
        if isinstance(value, torch.Tensor):
            found.append(value)
        elif isinstance(value, (tuple, list)):
            found += tensors(value)
        elif isinstance(value, dict):
            found += tensors(value.values())
        elif is_dataclass(value) and not isinstance(value, type):
            found += tensors([getattr(value, field.name, None) for field in fields(value)])
    return found


def mapped(function, values):
    """The same nesting of tuples, lists and dicts, with ``function`` of each tensor in its place."""
    if isinstance(values, torch.Tensor):
        return function(values)
    if isinstance(values, dict):
        return {key: mapped(function, value) for key, value in values.items()}
    if isinstance(values, (tuple, list)):
        return (list if isinstance(values, list) else tuple)(mapped(function, value) for value in values)
    return values


def place(tensor):
    """Which memory a tensor shows, data or not; None for kinds that do more than show it by their strides."""
    plain = type(tensor) in (torch.Tensor, torch.nn.Parameter) and tensor.layout is torch.strided
    if not plain or tensor.is_nested or tensor.is_quantized or tensor.is_conj() or tensor.is_neg():
        return None
    return None if tensor._is_zerotensor() else tensor.untyped_storage()._cdata


def memory(tensor):
    """Where a tensor's numbers lie; 0 on the meta device, and for kinds that have no place or more than one."""
    if tensor.is_meta or tensor.layout is not torch.strided or tensor.is_nested:
        return 0
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, ValueError):  # all zeros, or of no shape yet
        return 0
