"""What torch's most frequent operations return on the meta device, where there are shapes only.

Torch works these shapes out in Python, at up to a millisecond each; said directly they take a few microseconds, and a
count is several times as fast. Whatever is not plain here goes to torch, which also refuses what does not fit.
"""

import torch

from .prices import aten

UNARY = {aten.relu, aten.hardtanh, aten.sigmoid, aten.hardsigmoid, aten.tanh, aten.silu, aten.hardswish, aten.gelu}
UNARY_IN_PLACE = {aten.relu_, aten.hardtanh_, aten.sigmoid_, aten.hardsigmoid_, aten.tanh_, aten.silu_, aten.hardswish_}


def run_without_data(func, args, kwargs):
    """The operation's result, as far as its shapes."""
    x, packet = args[0] if args else None, func.overloadpacket
    shape = None
    if "out" in kwargs:
        return func(*args, **kwargs)
    if packet is aten.cat:
        shape = joined(*args)
        x = x[0]
    elif _plain(x) and x.is_floating_point():
        if packet in UNARY_IN_PLACE:
            return x
        if packet in UNARY:
            shape = x.shape
        elif packet is aten.convolution:
            shape = convolved(*args)
        elif packet is aten.native_batch_norm:
            # statistics are returned in training only
            statistics = [_empty([x.shape[1] if args[5] else 0], x) for _ in range(2)]
            return _empty(x.shape, x), *statistics
    return func(*args, **kwargs) if shape is None else _empty(shape, x)


def joined(parts, axis=0):
    """Shape of tensors put behind one another, or None where they are not alike but for their length along the axis."""
    first = parts[0]
    if not _plain(first) or not 0 <= axis < first.dim():
        return None
    others = [(part.dtype, _plain(part), *part.shape[:axis], *part.shape[axis + 1 :]) for part in parts]
    if any(other != others[0] for other in others):
        return None
    return [*first.shape[:axis], sum(part.shape[axis] for part in parts), *first.shape[axis + 1 :]]


def convolved(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """Shape of a convolution's result, or None where it is transposed or does not fit."""
    if transposed or not _plain(weight) or x.dim() != weight.dim() or x.shape[1] != weight.shape[1] * groups:
        return None
    axes = range(x.dim() - 2)
    stride, padding, dilation = (
        [*value] * len(axes) if len(value) == 1 else value for value in (stride, padding, dilation)
    )
    sides = [
        (x.shape[i + 2] + 2 * padding[i] - dilation[i] * (weight.shape[i + 2] - 1) - 1) // stride[i] + 1 for i in axes
    ]
    fits = weight.shape[0] % groups == 0 and x.dtype == weight.dtype and all(side > 0 for side in sides)
    return [x.shape[0], weight.shape[0], *sides] if fits else None


def _plain(x):
    return isinstance(x, torch.Tensor) and x.is_meta and x.is_contiguous()


def _empty(shape, like):
    return torch.empty(shape, dtype=like.dtype, device="meta")
