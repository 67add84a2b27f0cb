"""GhostNet: bottlenecks of Ghost modules (Han et al. 2020, arXiv 1911.11907).

Module names and shapes are those of the authors' PyTorch code (``ghostnet.py`` of huawei-noah/Efficient-AI-Backbones;
timm's ``ghostnet_100`` has the same), so that their weights load. What the paper leaves open and their code settles:

- Channels of other widths, and those inside a squeeze-and-excite, are rounded to multiples of 4.
- The paper ends its stages at a stride of 2. In the code, and here, consecutive rows of one stride are a stage; it
  shows in the names of the modules alone.
- ``conv_head`` has a bias and no batch norm: it works on a single pixel. A dropout of 0.2 follows it.
"""

from itertools import groupby

from torch import nn

from ..geometry import make_divisible, positive_int, same_padding, share, width
from ..layers import GhostModule
from ..tables import GHOSTNET, GHOSTNET_DIVISOR, GHOSTNET_HEAD, GHOSTNET_SQUEEZE, GHOSTNET_STEM, Bottleneck, read


def ghostnet(width_multiplier=1.0, num_classes=1000, in_channels=3, dropout=0.2, rows=GHOSTNET):
    """GhostNet: 141,150,512 MACs at 224 pixels and 5,182,508 params at width 1.

    ``width_multiplier`` scales all channels but the last 1280. ``rows``: ``(kernel_size, hidden_channels, out_channels,
    squeeze, stride)`` each, at least one. Source: Table 1 of the paper and the authors' code, whose weights fit.
    """
    return GhostNet(width_multiplier, num_classes, in_channels, dropout, read(rows, Bottleneck))


class GhostNet(nn.Sequential):
    """A 3x3 convolution, the bottlenecks of the rows, and a head."""

    def __init__(self, width_multiplier, num_classes, in_channels, dropout, rows):
        super().__init__()
        width(width_multiplier)

        def scaled(channels):
            return make_divisible(channels * width_multiplier, GHOSTNET_DIVISOR)

        channels = scaled(GHOSTNET_STEM)
        self.conv_stem = nn.Conv2d(positive_int("in_channels", in_channels), channels, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential()
        for _, stage in groupby(rows, key=lambda row: row[-1]):  # rows of one stride
            self.blocks.append(nn.Sequential())
            for kernel_size, hidden, out_channels, squeeze, stride in stage:
                hidden, out_channels = scaled(hidden), scaled(out_channels)
                self.blocks[-1].append(GhostBottleneck(channels, hidden, out_channels, kernel_size, squeeze, stride))
                channels = out_channels
        last = nn.Sequential()
        last.conv = nn.Conv2d(channels, hidden, kernel_size=1, bias=False)  # as wide as the last bottleneck inside
        last.bn1 = nn.BatchNorm2d(hidden)
        last.act1 = nn.ReLU(inplace=True)
        self.blocks.append(nn.Sequential(last))
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.conv_head = nn.Conv2d(hidden, GHOSTNET_HEAD, kernel_size=1)
        self.act2 = nn.ReLU(inplace=True)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(share("dropout", dropout))
        self.classifier = nn.Linear(GHOSTNET_HEAD, positive_int("num_classes", num_classes))


class GhostBottleneck(nn.Module):
    """A Ghost module that widens, one that narrows without an activation, and a shortcut around both.

    Between them a depthwise convolution for a stride of 2 and, with ``squeeze``, a gate on each channel. The shortcut
    is the identity if sizes and channels allow it, else a depthwise and a pointwise convolution: figure 3 of the paper.
    """

    def __init__(self, in_channels, hidden_channels, out_channels, kernel_size, squeeze, stride):
        super().__init__()
        self.ghost1 = GhostModule(in_channels, hidden_channels)
        moves = stride > 1
        self.conv_dw = _depthwise(hidden_channels, kernel_size, stride) if moves else nn.Identity()
        self.bn_dw = nn.BatchNorm2d(hidden_channels) if moves else nn.Identity()
        self.se = SqueezeExcite(hidden_channels) if squeeze else nn.Identity()
        self.ghost2 = GhostModule(hidden_channels, out_channels, activation=None)
        self.shortcut = nn.Sequential()
        if moves or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                _depthwise(in_channels, kernel_size, stride),
                nn.BatchNorm2d(in_channels),
                nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        y = self.ghost1(x)  # (N, hidden_channels, H, W)
        y = self.conv_dw(y)  # (N, hidden_channels, H_out, W_out)
        y = self.se(self.bn_dw(y))
        y = self.ghost2(y)  # (N, out_channels, H_out, W_out)
        y += self.shortcut(x)
        return y


class SqueezeExcite(nn.Module):
    """Each channel times a factor from 0 to 1, which two small layers make of the means of all channels.

    Source: Hu et al. 2018 (arXiv 1709.01507), with the hard sigmoid of MobileNetV3.
    """

    def __init__(self, channels):
        super().__init__()
        reduced = make_divisible(channels / GHOSTNET_SQUEEZE, GHOSTNET_DIVISOR)
        self.conv_reduce = nn.Conv2d(channels, reduced, kernel_size=1)
        self.act1 = nn.ReLU(inplace=True)
        self.conv_expand = nn.Conv2d(reduced, channels, kernel_size=1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x):
        means = x.mean(dim=(2, 3), keepdim=True)  # (N, channels, 1, 1)
        factors = self.act1(self.conv_reduce(means))  # (N, reduced, 1, 1)
        return x * self.gate(self.conv_expand(factors))


def _depthwise(channels, kernel_size, stride):
    return nn.Conv2d(channels, channels, kernel_size, stride, same_padding(kernel_size), groups=channels, bias=False)
