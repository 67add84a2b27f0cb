"""ResNet-56 for CIFAR, and Ghost-ResNet-56 (He et al. 2016, arXiv 1512.03385; Han et al. 2020, arXiv 1911.11907).

``RESNET_56`` is the table in section 4.2 of the ResNet paper with n = 9: 6n + 2 = 56 layers with weights. Shortcuts
are its option A, without parameters: where the size halves, every second pixel, and zeros for the new channels.

Deviations from the papers: none known for ResNet-56. For Ghost-ResNet-56 the GhostNet paper gives the ratio alone. Here
both 3x3 convolutions of each block are Ghost modules, the first convolution of all stays a full one (the authors left
it so), and the activation of the second module comes after the sum.
"""

from typing import NamedTuple

import torch.nn.functional as F
from torch import nn

from ..geometry import positive_int
from ..layers import GhostModule
from .inputs import check_images


class Row(NamedTuple):
    """One stage: how many blocks, their channels, the stride of the first."""

    blocks: int
    out_channels: int
    stride: int


STEM_CHANNELS = 16
RESNET_56 = (
    Row(blocks=9, out_channels=16, stride=1),
    Row(blocks=9, out_channels=32, stride=2),
    Row(blocks=9, out_channels=64, stride=2),
)


def resnet_56(num_classes=10, in_channels=3):
    """ResNet-56 for CIFAR, randomly initialised: 125,485,696 MACs at 32 pixels, 853,018 params.

    Shapes: ``(N, in_channels, H, W)``, H and W at least 32, to logits ``(N, num_classes)``. Raises ValueError for
    arguments that do not fit, and when called for an input that does not. Source: ResNet paper, section 4.2, whose
    Table 6 prints 0.85 M params. Chapter: ghostnet.
    """
    return ResNet(RESNET_56, BasicBlock, num_classes, in_channels)


def ghost_resnet_56(ratio=2, dw_kernel_size=3, num_classes=10, in_channels=3):
    """:func:`resnet_56` with Ghost modules for the two 3x3 convolutions of each block: 65,286,784 MACs, 438,154 params.

    ``ratio`` (the paper's s): one intrinsic map for so many maps, at least 2. ``dw_kernel_size`` (the paper's d): side
    of the cheap kernels, odd. Shapes and errors as :func:`resnet_56`. Source: GhostNet paper, Table 5, which prints
    63 M MACs and 0.43 M params: that fits ``dw_kernel_size=1`` (63,222,400 and 430,090). Chapter: ghostnet.
    """

    def block(in_channels, out_channels, stride):
        return GhostBlock(in_channels, out_channels, stride, ratio, dw_kernel_size)

    return ResNet(RESNET_56, block, num_classes, in_channels)


class ResNet(nn.Module):
    """The network of any rows ``(blocks, out_channels, stride)``, with ``block(in_channels, out_channels, stride)``.

    Shapes and errors as :func:`resnet_56`. Chapter: ghostnet.
    """

    def __init__(self, rows=RESNET_56, block=None, num_classes=10, in_channels=3):
        super().__init__()
        block = block or BasicBlock
        channels = STEM_CHANNELS
        self.conv_stem = _conv3x3(positive_int("in_channels", in_channels), channels)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU(inplace=True)
        self.blocks = nn.Sequential()
        for blocks, out_channels, stride in rows:
            self.blocks.append(nn.Sequential())
            for number in range(positive_int("blocks", blocks)):
                self.blocks[-1].append(block(channels, out_channels, 1 if number else stride))
                channels = out_channels
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, positive_int("num_classes", num_classes))

    def forward(self, x):
        """Logits of ``x``; shapes and errors as above."""
        check_images(x, self.conv_stem.in_channels)
        x = self.conv_stem(x)
        x = self.act1(self.bn1(x))
        x = self.global_pool(self.blocks(x)).flatten(1)  # (N, channels)
        return self.classifier(x)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut around them.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. Chapter: ghostnet.
    """

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.conv1 = _conv3x3(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.act1 = nn.ReLU(inplace=True)
        self.conv2 = _conv3x3(out_channels, out_channels)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut = Shortcut(out_channels - in_channels, stride)
        self.act2 = nn.ReLU(inplace=True)

    def forward(self, x):
        """Apply the block to ``x``."""
        y = self.conv1(x)  # (N, out_channels, H_out, W_out)
        y = self.act1(self.bn1(y))
        y = self.conv2(y)
        y = self.bn2(y)
        return self.act2(y + self.shortcut(x))


class GhostBlock(nn.Module):
    """Two Ghost modules with 3x3 primary kernels, the second without activation, and a shortcut around them.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. Chapter: ghostnet.
    """

    def __init__(self, in_channels, out_channels, stride, ratio, dw_kernel_size):
        super().__init__()
        self.ghost1 = GhostModule(in_channels, out_channels, 3, ratio, dw_kernel_size, stride)
        self.ghost2 = GhostModule(out_channels, out_channels, 3, ratio, dw_kernel_size, activation=None)
        self.shortcut = Shortcut(out_channels - in_channels, stride)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        """Apply the block to ``x``."""
        return self.act(self.ghost2(self.ghost1(x)) + self.shortcut(x))


class Shortcut(nn.Module):
    """Option A of the ResNet paper: every ``stride``-th pixel, then zeros for the channels that are new.

    Shapes: ``(N, C, H, W)`` to ``(N, C + new_channels, H_out, W_out)``. Chapter: ghostnet.
    """

    def __init__(self, new_channels, stride):
        super().__init__()
        self.new_channels = positive_int("new_channels", new_channels, minimum=0)
        self.stride = stride

    def forward(self, x):
        """Apply the shortcut to ``x``."""
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        if self.new_channels:
            x = F.pad(x, (0, 0, 0, 0, 0, self.new_channels))
        return x


def _conv3x3(in_channels, out_channels, stride=1):
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
