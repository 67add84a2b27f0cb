"""How the windows of convolutions and pools slide: read from their settings, and the sizes that they make."""

import re

from ..geometry import output_size_padded
from .fields import flag, one, whole, wholes

_KNOWN = r"(pad|kernel|stride|dilation|hole)(_h|_w)?|kernel_size|pad_[tblr]"


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
    up = one(setting, "round_mode", "CEIL") not in ("FLOOR", 1) and flag(setting, "ceil_mode", True)
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
