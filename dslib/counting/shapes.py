"""What torch's most frequent operations return on the meta device, where there are shapes only.

Torch works these shapes out in Python, at up to a millisecond each; said directly they take a few microseconds, and a
count is several times as fast. Whatever is not plain here goes to torch, which also refuses what does not fit.
"""

import torch

from .prices import aten


def run_without_data(func, args, kwargs):
    """The operation's result, as far as its shapes."""
    rule = RULES.get(func.overloadpacket)
    out = rule(*args, **kwargs) if rule is not None and "out" not in kwargs else None
    return func(*args, **kwargs) if out is None else out


def unary(x, *settings, **options):
    return _empty(x.shape, x) if _plain(x) else None


def unary_in_place(x, *settings, **options):
    return x if _plain(x) else None


def softmax(x, axis, to_other_type=None):
    return unary(x) if not to_other_type and -x.dim() <= axis < x.dim() else None


def binary(a, b, alpha=1):
    """The sum or product of two tensors, the sides of length 1 stretched."""
    if not (_plain(a) and _plain(b) and a.dtype == b.dtype and a.dim() == b.dim()):
        return None
    if any(p != q and p != 1 and q != 1 for p, q in zip(a.shape, b.shape, strict=True)):
        return None
    return _empty([q if p == 1 else p for p, q in zip(a.shape, b.shape, strict=True)], a)


def binary_in_place(a, b, alpha=1):
    return a if _plain(a) and _plain(b) and a.dtype == b.dtype and a.shape == b.shape else None


def mean(x, axes=None, keepdim=False, dtype=None):
    if not _plain(x) or not axes or dtype is not None or any(not -x.dim() <= axis < x.dim() for axis in axes):
        return None
    gone = {axis % x.dim() for axis in axes}
    if len(gone) < len(axes):
        return None
    return _empty([1 if i in gone else side for i, side in enumerate(x.shape) if keepdim or i not in gone], x)


def add_matmul(start, a, b, beta=1, alpha=1):
    shape = [a.shape[0], b.shape[-1]]
    plain = _plain(a) and b.is_meta and _plain(start) and a.shape[1] == b.shape[0] and a.dtype == b.dtype == start.dtype
    return _empty(shape, a) if plain and list(start.shape) in (shape, shape[1:]) else None


def cat(parts, axis=0):
    """Tensors put behind one another, alike but for their length along the axis."""
    first = parts[0]
    if not _plain(first) or not 0 <= axis < first.dim():
        return None
    others = [(part.dtype, _plain(part), *part.shape[:axis], *part.shape[axis + 1 :]) for part in parts]
    if any(other != others[0] for other in others):
        return None
    length = sum(part.shape[axis] for part in parts)
    return _empty([*first.shape[:axis], length, *first.shape[axis + 1 :]], first)


def convolution(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    if transposed or not (_plain(x) and _plain(weight)) or x.dim() != weight.dim():
        return None
    if min(stride) < 1 or min(padding) < 0 or min(dilation) < 1 or bias is not None and len(bias) != len(weight):
        return None
    axes = range(x.dim() - 2)
    stride, padding, dilation = (
        [*value] * len(axes) if len(value) == 1 else value for value in (stride, padding, dilation)
    )
    sides = [
        (x.shape[i + 2] + 2 * padding[i] - dilation[i] * (weight.shape[i + 2] - 1) - 1) // stride[i] + 1 for i in axes
    ]
    fits = x.shape[1] == weight.shape[1] * groups and weight.shape[0] % groups == 0 and x.dtype == weight.dtype
    return _empty([x.shape[0], weight.shape[0], *sides], x) if fits and all(side > 0 for side in sides) else None


def batch_norm(x, weight, bias, running_mean, running_var, training, momentum, eps):
    """The maps and, in training only, their statistics."""
    if not _plain(x):
        return None
    statistics = [_empty([x.shape[1] if training else 0], x) for _ in range(2)]
    return _empty(x.shape, x), *statistics


RULES = {
    aten.convolution: convolution,
    aten.native_batch_norm: batch_norm,
    aten.cat: cat,
    aten.addmm: add_matmul,
    aten.mean: mean,
    **dict.fromkeys([aten._softmax, aten._safe_softmax], softmax),
    **dict.fromkeys([aten.add, aten.mul], binary),
    **dict.fromkeys([aten.add_, aten.mul_], binary_in_place),
    **dict.fromkeys(
        [aten.relu, aten.hardtanh, aten.sigmoid, aten.hardsigmoid, aten.tanh, aten.silu, aten.hardswish, aten.gelu],
        unary,
    ),
    **dict.fromkeys(
        [aten.relu_, aten.hardtanh_, aten.sigmoid_, aten.hardsigmoid_, aten.tanh_, aten.silu_, aten.hardswish_],
        unary_in_place,
    ),
}


def _plain(x):
    return isinstance(x, torch.Tensor) and x.is_meta and x.is_contiguous() and x.is_floating_point()


def _empty(shape, like):
    return torch.empty(shape, dtype=like.dtype, device="meta")
