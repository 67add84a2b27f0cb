"""Layers whose windows slide: convolutions, deconvolutions and pools, and how their windows are read."""

import re
import reprlib
from math import prod

from ..cost.network import kind_of
from ..geometry import check_groups, output_size_padded
from .fields import flag, one, whole, wholes
from .shapes import axis_of, only, with_axes, with_bias

_KNOWN = r"(pad|kernel|stride|dilation|hole)(_h|_w)?|kernel_size|pad_[tblr]"
_ROUNDING = ("CEIL", "FLOOR")


def convolution(shapes, setting, tops, backwards=False):
    batch, channels, *sizes = with_axes(3, *only(1, shapes))
    if axis_of(shapes[0], setting) != 1:
        raise ValueError(f"axis {setting['axis']} is not priced")
    outputs, groups, sides = whole(setting, "num_output"), whole(setting, "group", 1), window(setting, len(sizes))
    check_groups(channels, outputs, groups)
    made, kernel_size = (spread if backwards else slid)(sizes, sides), tuple(side[0] for side in sides)
    weights = channels // groups * outputs * prod(kernel_size)
    kind = "transposed" if backwards else kind_of(channels, kernel_size, groups)
    macs = batch * weights * prod(sizes if backwards else made)
    return (batch, outputs, *made), kind, macs, with_bias(setting, weights, outputs)


def depthwise(shapes, setting, tops):
    channels = with_axes(3, shapes[0])[1]
    if whole(setting, "group", channels) != channels:
        raise ValueError(f"has a group for each of its {channels} channels, not group {setting['group']}")
    return convolution(shapes, {"num_output": channels, **setting, "group": channels}, tops)


def deconvolution(shapes, setting, tops):
    return convolution(shapes, setting, tops, backwards=True)


def pooling(shapes, setting, tops):
    batch, channels, *sizes = with_axes(3, shapes[0])
    if flag(setting, "global_pooling", False):
        return batch, channels, *[1] * len(sizes)
    return batch, channels, *pooled(sizes, window(setting, len(sizes)), setting)


# ---- windows


def window(setting, axes):
    """For each axis after the channels (kernel size, stride, (padding before, after), dilation).

    A setting is one number for all axes, one for each, or ``_h`` and ``_w``; ``pad_t``, ``pad_b``, ``pad_l`` and
    ``pad_r`` pad one side. ``hole`` is an older name of dilation.
    """
    for field in setting:  # one that is not known might change the sizes, and nobody would see it
        if re.match("pad|kernel|stride|dilation|hole", field) and not re.fullmatch(_KNOWN, field):
            raise ValueError(f"{field} is not a setting that can be priced")
    padding = [[zeros, zeros] for zeros in _sides(setting, "pad", axes, 0, minimum=0)]
    for field, axis, end in (("pad_t", -2, 0), ("pad_b", -2, 1), ("pad_l", -1, 0), ("pad_r", -1, 1)):
        if field in setting and -axis <= axes:
            padding[axis][end] = whole(setting, field, minimum=0)
    dilation = "hole" if {"hole", "hole_h", "hole_w"} & set(setting) else "dilation"
    kernel_size, stride = _sides(setting, "kernel_size", axes), _sides(setting, "stride", axes, 1)
    return list(zip(kernel_size, stride, map(tuple, padding), _sides(setting, dilation, axes, 1), strict=True))


def _sides(setting, field, axes, default=None, minimum=1):
    """The setting's number for each axis."""
    values = wholes(setting, field, minimum)
    apart = [f"{field.removesuffix('_size')}_{side}" for side in "hw"]
    if any(name in setting for name in apart):
        if values:
            raise ValueError(f"{field} stands beside {' or '.join(apart)}")
        values = [whole(setting, name, default, minimum) for name in apart]
    if not values and default is None:
        raise ValueError(f"there is no {field}")
    values = values or [default]
    if len(values) not in (1, axes):
        raise ValueError(f"{field} has {len(values)} numbers for maps of {axes} axes")
    return values * axes if len(values) == 1 else values


def slid(sizes, sides):
    """Sizes after a convolution: rounded down."""
    return tuple(output_size_padded(size, *side) for size, side in zip(sizes, sides, strict=True))


def spread(sizes, sides):
    """Sizes after a deconvolution, which is a convolution backwards."""
    return tuple(
        stride * (size - 1) + dilation * (kernel_size - 1) + 1 - sum(padding)
        for size, (kernel_size, stride, padding, dilation) in zip(sizes, sides, strict=True)
    )


def pooled(sizes, sides, setting):
    """Sizes after a pool: rounded up, if its settings do not say otherwise."""
    mode = one(setting, "round_mode", "CEIL")
    if mode not in (*_ROUNDING, *range(len(_ROUNDING))):  # an enum's number may stand for its word
        raise ValueError(f"round_mode must be {' or '.join(_ROUNDING)}, got {reprlib.repr(mode)}")
    up = mode in ("CEIL", 0) and flag(setting, "ceil_mode", True)
    padded = any(sum(padding) for _, _, padding, _ in sides)
    after = []
    for size, (kernel_size, stride, padding, dilation) in zip(sizes, sides, strict=True):
        left = size + sum(padding) - dilation * (kernel_size - 1) - 1
        steps = -(-left // stride) if up else left // stride
        if steps < 0:
            raise ValueError(f"pools windows of {kernel_size} from {size} pixels with padding {padding}")
        behind = padded and steps * stride >= size + padding[0]  # no window begins behind the map, if one can
        after.append(steps if behind else steps + 1)
    return tuple(after)
