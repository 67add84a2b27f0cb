"""Sizes, padding, groups and channel counts: the plain numbers that every telling of a convolution shares.

Nothing here knows tensors, modules or symbols. Every function raises ValueError with the offending values in it.
Derived in the chapters ``standard_convolution`` (sizes, padding), ``group_convolution`` (groups), ``mobilenet_v1`` and
``ghostnet`` (scaled channels).
"""

from math import floor, gcd, inf
from numbers import Real
from operator import index


def positive_int(name: str, value, minimum: int = 1) -> int:
    """The value as an int, if it is a whole number of at least ``minimum``; any integer type will do (not bool).

    Raises ValueError for fractions, other types and smaller numbers, with the name and the value in the message.
    """
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


def pair(name: str, value, minimum: int = 1) -> tuple[int, int]:
    """``(height, width)`` from one int for both or from a pair of ints, each at least ``minimum``.

    Raises ValueError for anything else, with the name and the value in the message.
    """
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{name} must be one whole number or a pair (height, width), got {value!r}")
        return positive_int(name, value[0], minimum), positive_int(name, value[1], minimum)
    number = positive_int(name, value, minimum)
    return number, number


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Side of a convolution's output: ``floor((size + 2*padding - dilation*(kernel_size-1) - 1) / stride) + 1``.

    All lengths are in pixels along one axis; ``padding`` is added on both sides.

    Raises ValueError if a size is not a whole number, if it is too small, or if the kernel (spread by ``dilation``)
    is larger than the padded input. Source: the Shape section of ``torch.nn.Conv2d``. Chapter: standard_convolution.
    """
    padding = positive_int("padding", padding, minimum=0)
    return output_size_padded(size, kernel_size, stride, (padding, padding), dilation)


def output_size_padded(size: int, kernel_size: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """:func:`output_size` where the padding before and after may differ, as ``'same'`` needs for even kernels."""
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
    """Padding on each side that keeps the size at stride 1: ``dilation*(kernel_size-1)/2``, in pixels.

    Raises ValueError if that is not a whole number (an even kernel with odd dilation): no symmetric padding keeps
    the size then. Chapter: standard_convolution.
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
    """``(before, after)`` in pixels along one axis, from a whole number, ``'same'`` or ``'valid'`` (torch's words).

    Raises ValueError for any other word, for a negative or fractional number, and for ``'same'`` with stride > 1
    (no padding keeps the size then; torch refuses it too).
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


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Accept ``groups`` only if it divides both channel counts, as each group needs whole channels on both sides.

    Raises ValueError with all three numbers otherwise. Chapter: group_convolution.
    """
    in_channels = positive_int("in_channels", in_channels)
    out_channels = positive_int("out_channels", out_channels)
    groups = positive_int("groups", groups)
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"groups must divide in_channels and out_channels: got groups={groups}, "
            f"in_channels={in_channels}, out_channels={out_channels}"
        )


def legal_groups(in_channels: int, out_channels: int) -> list[int]:
    """Every value of ``groups`` that is allowed: the common divisors of the two channel counts, rising.

    Raises ValueError for channel counts that are not whole and positive. Chapter: group_convolution.
    """
    common = gcd(positive_int("in_channels", in_channels), positive_int("out_channels", out_channels))
    return [groups for groups in range(1, common + 1) if common % groups == 0]


def scaled_channels(channels: int, width_multiplier: float, minimum: int = 8) -> int:
    """Channels of a MobileNet layer at another width: ``max(floor(width_multiplier * channels), minimum)``.

    Raises ValueError for a channel count that is not whole and positive and for a multiplier that is not a positive,
    finite number. Source: the authors' TensorFlow code for MobileNet; the paper (arXiv 1704.04861, section 3.3) does
    not say how it rounds. Chapter: mobilenet_v1.
    """
    width_multiplier = positive_number("width_multiplier", width_multiplier)
    return max(floor(width_multiplier * positive_int("channels", channels)), minimum)


def make_divisible(value: float, divisor: int) -> int:
    """The multiple of ``divisor`` nearest to ``value``, a half rounded up, never below ``divisor`` or 0.9 * ``value``.

    Raises ValueError for a value that is not a positive, finite number and for a divisor that is not whole and
    positive. Source: the authors' PyTorch code for GhostNet, which has it from MobileNetV2's. Chapter: ghostnet.
    """
    divisor = positive_int("divisor", divisor)
    value = positive_number("value", value)
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def positive_number(name: str, value):
    """The value itself, if it is a positive, finite number of any real type (not bool)."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < value < inf:
        raise ValueError(f"{name} must be a positive, finite real number (int, float or fraction), got {value!r}")
    return value
