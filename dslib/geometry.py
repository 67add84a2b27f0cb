"""Sizes, padding, groups and channel counts: the plain numbers that every telling of a convolution shares.

Nothing here knows tensors, modules or symbols. Lengths are in pixels. Every function raises ValueError for numbers
that do not fit, with the numbers in it.
"""

from math import floor, gcd, inf
from numbers import Real
from operator import index


def positive_int(name: str, value, minimum: int = 1) -> int:
    """The value as an int, if it is a whole number of at least ``minimum``; any integer type will do (not bool)."""
    try:
        number = index(value)
    except TypeError:
        number = None
    # True is no size: not as a plain bool, and not as an array's or a tensor's (numpy and torch have a dtype for it)
    if number is None or isinstance(value, bool) or "bool" in str(getattr(value, "dtype", "")):
        raise ValueError(f"{name} must be a whole number, got {value!r}")
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value!r}")
    return number


def positive_number(name: str, value):
    """The value itself, if it is a positive, finite number of any real type (not bool)."""
    try:
        fits = isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < inf
    except OverflowError:  # an int with hundreds of digits
        fits = False
    if not fits:
        shown = repr(value)[:60]
        raise ValueError(f"{name} must be a positive, finite real number (int, float or fraction), got {shown}")
    return value


def share(name: str, value):
    """The value itself, if it is a real number from 0 to 1."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}")
    return value


def width(value):
    """A network's width multiplier: a positive number below 32, the side of the smallest image that networks take."""
    value = positive_number("width_multiplier", value)
    if value >= 32:
        hint = f": did you mean input_size={value!r}? (Models take any, without it.)" if value in range(10**5) else ""
        raise ValueError(f"width_multiplier must be below 32, got {value!r}{hint}")
    return value


def pair(name: str, value, minimum: int = 1) -> tuple[int, int]:
    """``(height, width)`` from one int for both or from a pair of ints, each at least ``minimum``."""
    if not isinstance(value, (tuple, list)):
        value = value, value
    if len(value) != 2:
        raise ValueError(f"{name} must be one whole number or a pair (height, width), got {value!r}")
    return positive_int(name, value[0], minimum), positive_int(name, value[1], minimum)


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Side of a convolution's output: ``floor((size + 2*padding - dilation*(kernel_size-1) - 1) / stride) + 1``.

    ``padding`` is added on both sides. Raises ValueError if the kernel, spread by ``dilation``, is larger than the
    padded input. Source: the Shape section of ``torch.nn.Conv2d``.
    """
    padding = positive_int("padding", padding, minimum=0)
    return output_size_padded(size, kernel_size, stride, (padding, padding), dilation)


def output_size_padded(size: int, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """:func:`output_size` where the padding before and after may differ, as ``'same'`` needs for even kernels."""
    if not isinstance(padding, (tuple, list)) or len(padding) != 2:
        raise ValueError(f"padding must be two whole numbers (before, after), got {padding!r}")
    padding = [positive_int("padding", zeros, minimum=0) for zeros in padding]
    size = positive_int("input size", size)
    kernel_size = positive_int("kernel_size", kernel_size)
    stride = positive_int("stride", stride)
    dilation = positive_int("dilation", dilation)
    padded = size + sum(padding)
    extent = dilation * (kernel_size - 1) + 1  # pixels from the kernel's first tap to its last
    if extent > padded:
        raise ValueError(
            f"kernel larger than the padded input: kernel_size {kernel_size} with dilation {dilation} spans "
            f"{extent} pixels, the input has {size} and {padded} with padding {tuple(padding)}"
        )
    return (padded - extent) // stride + 1


def same_padding(kernel_size: int, dilation: int = 1) -> int:
    """Padding on each side that keeps the size at stride 1: ``dilation*(kernel_size-1)/2``.

    Raises ValueError if that is not a whole number: an even kernel with odd dilation has no symmetric padding.
    """
    before, after = split_same_padding(kernel_size, dilation)
    if before != after:
        raise ValueError(
            f"no symmetric padding keeps the size: kernel_size {kernel_size} with dilation {dilation} "
            f"needs {before + after} pixels in all; pass padding yourself, or use an odd kernel_size"
        )
    return before


def split_same_padding(kernel_size: int, dilation: int = 1) -> tuple[int, int]:
    """``(before, after)`` padding that keeps the size at stride 1; the odd pixel goes after, as in torch's 'same'."""
    total = positive_int("dilation", dilation) * (positive_int("kernel_size", kernel_size) - 1)
    return total // 2, total - total // 2


def resolve_padding(padding, kernel_size: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """``(before, after)`` along one axis, from a whole number, ``'same'`` or ``'valid'`` (torch's words).

    Raises ValueError for ``'same'`` with stride > 1 too: no padding keeps the size then.
    """
    if padding == "valid":
        return 0, 0
    if padding == "same":
        if stride != 1:
            raise ValueError(f"padding='same' needs stride 1, got stride {stride}")
        return split_same_padding(kernel_size, dilation)
    if isinstance(padding, str):
        raise ValueError(f"padding must be a whole number, a pair, 'same' or 'valid', got {padding!r}")
    padding = positive_int("padding", padding, minimum=0)
    return padding, padding


def tensorflow_padding(size: int, kernel_size: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """``(before, after)`` padding of TensorFlow's ``SAME``, which depends on the size: ``ceil(size/stride)`` outputs.

    It is what the last window lacks, ``max((ceil(size/stride) - 1)*stride + dilation*(kernel_size-1) + 1 - size, 0)``,
    halved; the odd pixel goes after. At stride 1 it is torch's ``'same'``; 3x3 at stride 2 gets ``(0, 1)`` on even
    sizes and ``(1, 1)`` on odd ones. Source: the notes on padding in TensorFlow's ``tf.nn``.
    """
    size, stride = positive_int("size", size), positive_int("stride", stride)
    extent = sum(split_same_padding(kernel_size, dilation)) + 1
    total = max((size - 1) // stride * stride + extent - size, 0)
    return total // 2, total - total // 2


def slide(size, kernel_size, stride=1, padding=0, dilation=1):
    """How a kernel slides over an image: ``(output_size, stride, padding, dilation)``, checked, one number per axis.

    ``size`` and ``kernel_size`` are pairs (height, width); the others are one whole number or a pair, ``padding`` may
    be ``'same'`` or ``'valid'``. The padding returned is ``((top, bottom), (left, right))``.
    """
    size, kernel_size = pair("input size", size, minimum=0), pair("kernel_size", kernel_size)
    stride, dilation = pair("stride", stride), pair("dilation", dilation)
    paddings = (padding, padding) if isinstance(padding, str) else pair("padding", padding, minimum=0)
    padding = tuple(map(resolve_padding, paddings, kernel_size, stride, dilation))
    return tuple(map(output_size_padded, size, kernel_size, stride, padding, dilation)), stride, padding, dilation


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Accept ``groups`` only if it divides both channel counts, as each group needs whole channels on both sides."""
    in_channels = positive_int("in_channels", in_channels)
    out_channels = positive_int("out_channels", out_channels)
    groups = positive_int("groups", groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"groups must divide in_channels and out_channels: got groups={groups}, "
            f"in_channels={in_channels}, out_channels={out_channels}"
        )


def legal_groups(in_channels: int, out_channels: int) -> list[int]:
    """Every value of ``groups`` that is allowed: the common divisors of the two channel counts, rising."""
    common = gcd(positive_int("in_channels", in_channels), positive_int("out_channels", out_channels))
    return [groups for groups in range(1, common + 1) if common % groups == 0]


def scaled_channels(channels: int, width_multiplier: float, minimum: int = 8) -> int:
    """Channels of a MobileNet layer at another width: ``max(floor(width_multiplier * channels), minimum)``.

    Source: the authors' TensorFlow code for MobileNet; the paper (arXiv 1704.04861, section 3.3) does not say how it
    rounds.
    """
    return max(floor(width(width_multiplier) * positive_int("channels", channels)), positive_int("minimum", minimum))


def make_divisible(value: float, divisor: int) -> int:
    """The multiple of ``divisor`` nearest to ``value``, a half rounded up, never below ``divisor`` or 0.9 * ``value``.

    Source: the authors' PyTorch code for GhostNet, which has it from MobileNetV2's.
    """
    divisor = positive_int("divisor", divisor)
    value = positive_number("value", value)
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded
