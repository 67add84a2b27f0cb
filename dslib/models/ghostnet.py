"""GhostNet: bottlenecks of Ghost modules (Han et al. 2020, arXiv 1911.11907).

``GHOSTNET`` is Table 1 of the paper between the first convolution and the last three, a row for each Ghost bottleneck.
Module names and shapes are those of the authors' PyTorch code (``ghostnet.py`` of huawei-noah/Efficient-AI-Backbones;
timm's ``ghostnet_100`` has the same), so that their weights load.

What the paper leaves open and the authors' code settles:

- Table 1 has no kernel sizes: the depthwise convolutions are 3x3 or 5x5, as in MobileNetV3's table.
- Channels of other widths are rounded to multiples of 4, and so are those inside a squeeze-and-excite, a quarter.
- A Ghost module makes ``ceil(out_channels / 2)`` intrinsic maps and cuts off what is too much.
- The paper ends its stages at a stride of 2. In the code, and here, consecutive rows of one stride are a stage; it
  shows in the names of the modules alone.
- ``conv_head`` keeps its 1280 channels at every width. It has a bias and no batch norm: it works on a single pixel.
- The classifier is preceded by a dropout of 0.2.
"""

from itertools import groupby
from numbers import Real
from typing import NamedTuple

from torch import nn

from ..geometry import make_divisible, positive_int, positive_number, same_padding
from ..layers import GhostModule
from .inputs import check_images


class Row(NamedTuple):
    """One Ghost bottleneck: its depthwise kernel, the maps inside and after it, a gate or none, its stride."""

    kernel_size: int
    hidden_channels: int
    out_channels: int
    squeeze: bool
    stride: int


STEM_CHANNELS = 16
HEAD_CHANNELS = 1280
SQUEEZE_RATIO = 0.25
DIVISOR = 4
GHOSTNET = (
    Row(kernel_size=3, hidden_channels=16, out_channels=16, squeeze=False, stride=1),
    Row(kernel_size=3, hidden_channels=48, out_channels=24, squeeze=False, stride=2),
    Row(kernel_size=3, hidden_channels=72, out_channels=24, squeeze=False, stride=1),
    Row(kernel_size=5, hidden_channels=72, out_channels=40, squeeze=True, stride=2),
    Row(kernel_size=5, hidden_channels=120, out_channels=40, squeeze=True, stride=1),
    Row(kernel_size=3, hidden_channels=240, out_channels=80, squeeze=False, stride=2),
    Row(kernel_size=3, hidden_channels=200, out_channels=80, squeeze=False, stride=1),
    Row(kernel_size=3, hidden_channels=184, out_channels=80, squeeze=False, stride=1),
    Row(kernel_size=3, hidden_channels=184, out_channels=80, squeeze=False, stride=1),
    Row(kernel_size=3, hidden_channels=480, out_channels=112, squeeze=True, stride=1),
    Row(kernel_size=3, hidden_channels=672, out_channels=112, squeeze=True, stride=1),
    Row(kernel_size=5, hidden_channels=672, out_channels=160, squeeze=True, stride=2),
    Row(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=False, stride=1),
    Row(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=True, stride=1),
    Row(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=False, stride=1),
    Row(kernel_size=5, hidden_channels=960, out_channels=160, squeeze=True, stride=1),
)


def ghostnet(width_multiplier=1.0, num_classes=1000, in_channels=3, dropout=0.2):
    """GhostNet, randomly initialised: 141,150,512 MACs at 224 pixels, 5,182,508 params at width 1.

    ``width_multiplier`` scales all channels but the last 1280, rounded to multiples of 4. ``dropout``: the share of
    the last features set to zero in training.

    Shapes: ``(N, in_channels, H, W)``, H and W at least 32, to logits ``(N, num_classes)``. Raises ValueError for
    arguments that do not fit, and when called for an input that does not. Source: Table 1 of the paper and the
    authors' PyTorch code, whose weights fit. Chapter: ghostnet.
    """
    return GhostNet(GHOSTNET, width_multiplier, num_classes, in_channels, dropout)


class GhostNet(nn.Module):
    """The network of any rows ``(kernel_size, hidden_channels, out_channels, squeeze, stride)``, at least one.

    Other arguments, shapes and errors as :func:`ghostnet`. Chapter: ghostnet.
    """

    def __init__(self, rows=GHOSTNET, width_multiplier=1.0, num_classes=1000, in_channels=3, dropout=0.2):
        super().__init__()
        rows = tuple(rows)
        if not rows:
            raise ValueError(f"rows must hold at least one bottleneck, got {rows!r}")
        positive_number("width_multiplier", width_multiplier)
        channels = make_divisible(STEM_CHANNELS * width_multiplier, DIVISOR)
        self.conv_stem = nn.Conv2d(positive_int("in_channels", in_channels), channels, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential()
        for _, stage in groupby(rows, key=lambda row: row[-1]):  # rows of one stride
            self.blocks.append(nn.Sequential())
            for kernel_size, hidden, out_channels, squeeze, stride in stage:
                hidden = make_divisible(hidden * width_multiplier, DIVISOR)
                out_channels = make_divisible(out_channels * width_multiplier, DIVISOR)
                bottleneck = GhostBottleneck(channels, hidden, out_channels, kernel_size, squeeze, stride)
                self.blocks[-1].append(bottleneck)
                channels = out_channels
        self.blocks.append(nn.Sequential(ConvBnAct(channels, hidden)))  # as wide as the last bottleneck inside
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.conv_head = nn.Conv2d(hidden, HEAD_CHANNELS, kernel_size=1)
        self.act2 = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(_share("dropout", dropout))
        self.classifier = nn.Linear(HEAD_CHANNELS, positive_int("num_classes", num_classes))

    def forward(self, x):
        """Logits of ``x``; shapes and errors as above."""
        check_images(x, self.conv_stem.in_channels)
        x = self.conv_stem(x)
        x = self.act1(self.bn1(x))
        x = self.global_pool(self.blocks(x))  # (N, channels, 1, 1)
        x = self.act2(self.conv_head(x)).flatten(1)
        return self.classifier(self.dropout(x))


class GhostBottleneck(nn.Module):
    """A Ghost module that widens, one that narrows without an activation, and a shortcut around both.

    Between them a depthwise convolution for a stride of 2 and, with ``squeeze``, a gate on each channel. The shortcut
    is the identity if sizes and channels allow it, else a depthwise and a pointwise convolution.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. Source: figure 3 of the paper.
    Chapter: ghostnet.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, kernel_size, squeeze, stride):
        super().__init__()
        self.ghost1 = GhostModule(in_channels, hidden_channels)
        self.conv_dw = self.bn_dw = self.se = None
        if positive_int("stride", stride) > 1:
            self.conv_dw = _depthwise(hidden_channels, kernel_size, stride)
            self.bn_dw = nn.BatchNorm2d(hidden_channels)
        if squeeze:
            self.se = SqueezeExcite(hidden_channels)
        self.ghost2 = GhostModule(hidden_channels, out_channels, activation=None)
        self.shortcut = nn.Sequential()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                _depthwise(in_channels, kernel_size, stride),
                nn.BatchNorm2d(in_channels),
                nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        """Apply the bottleneck to ``x``."""
        y = self.ghost1(x)  # (N, hidden_channels, H, W)
        if self.conv_dw is not None:
            y = self.conv_dw(y)  # (N, hidden_channels, H_out, W_out)
            y = self.bn_dw(y)
        if self.se is not None:
            y = self.se(y)
        y = self.ghost2(y)  # (N, out_channels, H_out, W_out)
        y += self.shortcut(x)
        return y


class SqueezeExcite(nn.Module):
    """Each channel times a factor from 0 to 1, which two small layers make of the means of all channels.

    Shapes: ``(N, channels, H, W)`` to the same. Source: Hu et al. 2018 (arXiv 1709.01507), with the hard sigmoid of
    MobileNetV3. Chapter: ghostnet.
    """

    def __init__(self, channels):
        super().__init__()
        reduced = make_divisible(channels * SQUEEZE_RATIO, DIVISOR)
        self.conv_reduce = nn.Conv2d(channels, reduced, kernel_size=1)
        self.act1 = nn.ReLU(inplace=True)
        self.conv_expand = nn.Conv2d(reduced, channels, kernel_size=1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x):
        """Apply the gate to ``x``."""
        means = x.mean(dim=(2, 3), keepdim=True)  # (N, channels, 1, 1)
        factors = self.act1(self.conv_reduce(means))  # (N, reduced, 1, 1)
        return x * self.gate(self.conv_expand(factors))


class ConvBnAct(nn.Module):
    """A pointwise convolution, batch norm and ReLU, under the names of the authors' code.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H, W)``. Chapter: ghostnet.
    """

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.act1 = nn.ReLU(inplace=True)

    def forward(self, x):
        """Apply the layer to ``x``."""
        x = self.conv(x)
        return self.act1(self.bn1(x))


def _depthwise(channels, kernel_size, stride):
    return nn.Conv2d(channels, channels, kernel_size, stride, same_padding(kernel_size), groups=channels, bias=False)


def _share(name, value):
    """The value itself, if it is a number from 0 to below 1."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError(f"{name} must be a number from 0 to below 1, got {value!r}")
    return value
