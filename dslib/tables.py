"""The networks' tables as plain data: ``models`` walks them with torch, ``cost`` prices them.

A table is a tuple of rows; a row is a named tuple, and any other tuple with the same fields will do in its place. Below
a table stand the few numbers of its network that the rows don't hold.
"""

from typing import NamedTuple

from .geometry import positive_int


def read(rows, kind):
    """The rows as a list of ``kind``, one of the row types below; each may be any tuple or list with its fields.

    Raises ValueError, with the row's number from 0, for what is no such row. Symbols may stand for channels.
    """
    try:
        rows = list(rows)
    except TypeError:
        raise ValueError(f"rows must be a sequence of rows {_fields(kind)}, got {rows!r}") from None
    if not rows:
        raise ValueError(f"rows must hold at least one row {_fields(kind)}, got {rows!r}")
    return [_read_row(number, row, kind) for number, row in enumerate(rows)]


def _read_row(number, row, kind):
    if not isinstance(row, (tuple, list)) or len(row) != len(kind._fields):
        raise ValueError(f"row {number} must be {_fields(kind)}, got {row!r}")
    values = []
    for name, value in zip(kind._fields, row, strict=True):
        symbol = "channels" in name and hasattr(value, "free_symbols")
        if kind.__annotations__[name] is int and not symbol:
            value = positive_int(f"{name} of row {number}", value)
        elif kind.__annotations__[name] is bool and value not in (True, False):
            raise ValueError(f"{name} of row {number} must be True or False, got {value!r}")
        values.append(value)
    return kind(*values)


def _fields(kind):
    return f"({', '.join(kind._fields)})"


class Pair(NamedTuple):
    """A depthwise 3x3 convolution with this stride, then a pointwise one with so many output channels."""

    stride: int
    out_channels: int


# MobileNet (arXiv 1704.04861), Table 1, between the first convolution and the pooling. The last depthwise convolution
# has stride 1: the table misprints it as 2, but 7x7 goes in and 7x7 comes out.
MOBILENET_V1 = (
    Pair(stride=1, out_channels=64),
    Pair(stride=2, out_channels=128),
    Pair(stride=1, out_channels=128),
    Pair(stride=2, out_channels=256),
    Pair(stride=1, out_channels=256),
    Pair(stride=2, out_channels=512),
    *[Pair(stride=1, out_channels=512)] * 5,
    Pair(stride=2, out_channels=1024),
    Pair(stride=1, out_channels=1024),
)
MOBILENET_V1_STEM = 32  # channels after the first convolution


class Bottleneck(NamedTuple):
    """A Ghost bottleneck: its depthwise kernel, the channels inside and after it, a gate or none, its stride."""

    kernel_size: int
    hidden_channels: int
    out_channels: int
    squeeze: bool
    stride: int


# GhostNet (arXiv 1911.11907), Table 1, between the first convolution and the last three. The table has no kernel sizes:
# the authors' code has 3x3 and 5x5, as in MobileNetV3's table.
GHOSTNET = (
    Bottleneck(kernel_size=3, hidden_channels=16, out_channels=16, squeeze=False, stride=1),
    Bottleneck(kernel_size=3, hidden_channels=48, out_channels=24, squeeze=False, stride=2),
    Bottleneck(kernel_size=3, hidden_channels=72, out_channels=24, squeeze=False, stride=1),
    Bottleneck(kernel_size=5, hidden_channels=72, out_channels=40, squeeze=True, stride=2),
    Bottleneck(kernel_size=5, hidden_channels=120, out_channels=40, squeeze=True, stride=1),
    Bottleneck(kernel_size=3, hidden_channels=240, out_channels=80, squeeze=False, stride=2),
    Bottleneck(kernel_size=3, hidden_channels=200, out_channels=80, squeeze=False, stride=1),
    Bottleneck(kernel_size=3, hidden_channels=184, out_channels=80, squeeze=False, stride=1),
    Bottleneck(kernel_size=3, hidden_channels=184, out_channels=80, squeeze=False, stride=1),
    Bottleneck(kernel_size=3, hidden_channels=480, out_channels=112, squeeze=True, stride=1),
    Bottleneck(kernel_size=3, hidden_channels=672, out_channels=112, squeeze=True, stride=1),
    Bottleneck(kernel_size=5, hidden_channels=672, out_channels=160, squeeze=True, stride=2),
    Bottleneck(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=False, stride=1),
    Bottleneck(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=True, stride=1),
    Bottleneck(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=False, stride=1),
    Bottleneck(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=True, stride=1),
)
GHOSTNET_STEM = 16  # channels after the first convolution
GHOSTNET_HEAD = 1280  # channels before the classifier, the same at every width
GHOSTNET_SQUEEZE = 4  # a gate has so many times fewer channels inside
GHOSTNET_DIVISOR = 4  # channels of other widths, and those inside the gates, are multiples of this


class Inverted(NamedTuple):
    """So many inverted residual blocks: how much wider each is inside, its depthwise kernel, what it makes, its stride.

    The stride is that of the first block alone.
    """

    blocks: int
    expansion: int
    kernel_size: int
    out_channels: int
    stride: int


# EfficientNet (arXiv 1905.11946), Table 1, stages 2 to 8, with the strides that its resolutions imply. The Lite0 of the
# authors' repository is this network without gates and with ReLU6 in place of swish.
EFFICIENTNET_LITE0 = (
    Inverted(blocks=1, expansion=1, kernel_size=3, out_channels=16, stride=1),
    Inverted(blocks=2, expansion=6, kernel_size=3, out_channels=24, stride=2),
    Inverted(blocks=2, expansion=6, kernel_size=5, out_channels=40, stride=2),
    Inverted(blocks=3, expansion=6, kernel_size=3, out_channels=80, stride=2),
    Inverted(blocks=3, expansion=6, kernel_size=5, out_channels=112, stride=1),
    Inverted(blocks=4, expansion=6, kernel_size=5, out_channels=192, stride=2),
    Inverted(blocks=1, expansion=6, kernel_size=3, out_channels=320, stride=1),
)
EFFICIENTNET_LITE0_STEM = 32  # channels after the first convolution
EFFICIENTNET_LITE0_HEAD = 1280  # channels before the classifier


class Conv(NamedTuple):
    """A 3x3 convolution with so many output channels, and whether a 2x2 max pool follows."""

    out_channels: int
    pool: bool


# VGG (arXiv 1409.1556), configuration D. CIFAR's images have 32x32 pixels, and its networks a smaller head.
VGG_16_CIFAR = (
    Conv(out_channels=64, pool=False),
    Conv(out_channels=64, pool=True),
    Conv(out_channels=128, pool=False),
    Conv(out_channels=128, pool=True),
    *[Conv(out_channels=256, pool=False)] * 2,
    Conv(out_channels=256, pool=True),
    *[Conv(out_channels=512, pool=False)] * 2,
    Conv(out_channels=512, pool=True),
    *[Conv(out_channels=512, pool=False)] * 2,
    Conv(out_channels=512, pool=True),
)
VGG_16_CIFAR_HIDDEN = 512  # outputs of the fully connected layer before the classifier


class Stage(NamedTuple):
    """So many residual blocks of two 3x3 convolutions, their output channels, and the stride of the first block."""

    blocks: int
    out_channels: int
    stride: int


# ResNet (arXiv 1512.03385), section 4.2 with n = 9: 6n + 2 = 56 layers with weights.
RESNET_56_CIFAR = (
    Stage(blocks=9, out_channels=16, stride=1),
    Stage(blocks=9, out_channels=32, stride=2),
    Stage(blocks=9, out_channels=64, stride=2),
)
RESNET_56_CIFAR_STEM = 16  # channels after the first convolution
