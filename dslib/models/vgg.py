"""VGG-16 for CIFAR, and Ghost-VGG-16 (Simonyan and Zisserman 2015, arXiv 1409.1556; Han et al. 2020, arXiv 1911.11907).

``VGG_16`` is configuration D of the VGG paper, a row for each convolution.

Deviations from the VGG paper; with them the GhostNet paper's 313 M MACs and 15 M params (Tables 3 and 4) come out:

- The head is 512-512-10 instead of 4096-4096-1000, and every convolution has a batch norm and no bias.
- Maps larger than one pixel, from inputs larger than 32x32, are averaged before the head.
- In Ghost-VGG-16 the first convolution is a Ghost module too. An author has written that it was left a full one, but
  then ratios 4 and 5 would cost 81 and 66 M MACs where Table 4 prints 80 and 65.
"""

from typing import NamedTuple

from torch import nn

from ..geometry import positive_int
from ..layers import ConvBNAct, GhostModule
from .inputs import check_images


class Row(NamedTuple):
    """One 3x3 convolution: its output channels, and whether a 2x2 maximum pooling follows."""

    out_channels: int
    pool: bool


HEAD_CHANNELS = 512
VGG_16 = (
    Row(out_channels=64, pool=False),
    Row(out_channels=64, pool=True),
    Row(out_channels=128, pool=False),
    Row(out_channels=128, pool=True),
    Row(out_channels=256, pool=False),
    Row(out_channels=256, pool=False),
    Row(out_channels=256, pool=True),
    Row(out_channels=512, pool=False),
    Row(out_channels=512, pool=False),
    Row(out_channels=512, pool=True),
    Row(out_channels=512, pool=False),
    Row(out_channels=512, pool=False),
    Row(out_channels=512, pool=True),
)


def vgg_16(num_classes=10, in_channels=3):
    """VGG-16 for CIFAR, randomly initialised: 313,463,808 MACs at 32 pixels, 14,986,698 params.

    Shapes: ``(N, in_channels, H, W)``, H and W at least 32, to logits ``(N, num_classes)``. Raises ValueError for
    arguments that do not fit, and when called for an input that does not. Source: GhostNet paper, base of Tables 3
    and 4. Chapter: ghostnet.
    """
    return VGG(VGG_16, ConvBNAct, num_classes, in_channels)


def ghost_vgg_16(ratio=2, dw_kernel_size=3, num_classes=10, in_channels=3):
    """:func:`vgg_16` with a Ghost module for each convolution: 7,650,474 params with ratio 2.

    ``ratio`` (the paper's s): one intrinsic map for so many maps, at least 2. ``dw_kernel_size`` (the paper's d): side
    of the cheap kernels, odd. Shapes and errors as :func:`vgg_16`. Source: GhostNet paper, Tables 3 (d) and 4 (s).
    Chapter: ghostnet.
    """

    def ghost(in_channels, out_channels):
        return GhostModule(in_channels, out_channels, kernel_size=3, ratio=ratio, dw_kernel_size=dw_kernel_size)

    return VGG(VGG_16, ghost, num_classes, in_channels)


class VGG(nn.Module):
    """The network of any rows ``(out_channels, pool)``, with ``layer(in_channels, out_channels)`` for each.

    What ``layer`` returns keeps the size. Shapes and errors as :func:`vgg_16`.
    Chapter: ghostnet.
    """

    def __init__(self, rows=VGG_16, layer=ConvBNAct, num_classes=10, in_channels=3):
        super().__init__()
        self.in_channels = channels = positive_int("in_channels", in_channels)
        self.blocks = nn.Sequential()
        for out_channels, pool in rows:
            block = nn.Sequential(layer(channels, out_channels))
            if pool:
                block.append(nn.MaxPool2d(2))
            self.blocks.append(block)
            channels = out_channels
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.hidden = nn.Linear(channels, HEAD_CHANNELS)
        self.act = nn.ReLU(inplace=True)
        self.classifier = nn.Linear(HEAD_CHANNELS, positive_int("num_classes", num_classes))

    def forward(self, x):
        """Logits of ``x``; shapes and errors as above."""
        check_images(x, self.in_channels)
        x = self.global_pool(self.blocks(x)).flatten(1)  # (N, channels)
        return self.classifier(self.act(self.hidden(x)))
