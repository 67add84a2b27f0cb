"""VGG-16 for CIFAR, and Ghost-VGG-16 (Simonyan and Zisserman 2015, arXiv 1409.1556; Han et al. 2020, arXiv 1911.11907).

Deviations from the VGG paper; with them the GhostNet paper's 313 million MACs and 15 million params come out:

- The head is 512-512-10 instead of 4096-4096-1000, and every convolution has a batch norm and no bias.
- Maps larger than one pixel, from inputs larger than 32x32, are averaged before the head.
- In Ghost-VGG-16 the first convolution is a Ghost module too. An author has written that it was left a standard one,
  but then ratios 4 and 5 would cost 81 and 66 million MACs where Table 4 prints 80 and 65.
"""

from torch import nn

from ..geometry import positive_int
from ..layers import ConvBNAct, GhostModule
from ..tables import VGG_16_CIFAR, VGG_16_CIFAR_HIDDEN, Conv, read


def vgg_16_cifar(num_classes=10, in_channels=3, rows=VGG_16_CIFAR):
    """VGG-16 for CIFAR: 313,463,808 MACs at 32 pixels and 14,986,698 params.

    ``rows``: ``(out_channels, pool)`` each. Source: GhostNet paper, base of Tables 3 and 4.
    """
    return VGG(ConvBNAct, num_classes, in_channels, rows)


def ghost_vgg_16_cifar(ratio=2, dw_kernel_size=3, num_classes=10, in_channels=3, rows=VGG_16_CIFAR):
    """:func:`vgg_16_cifar` with a Ghost module for each convolution: 7,650,474 params with ratio 2.

    ``ratio`` (the paper's s): one intrinsic map for so many maps, at least 2. ``dw_kernel_size`` (the paper's d): side
    of the cheap kernels, odd. Source: GhostNet paper, Tables 3 (d) and 4 (s).
    """

    def ghost(in_channels, out_channels):
        return GhostModule(in_channels, out_channels, kernel_size=3, ratio=ratio, dw_kernel_size=dw_kernel_size)

    return VGG(ghost, num_classes, in_channels, rows)


class VGG(nn.Sequential):
    """The network with ``layer(in_channels, out_channels)``, which keeps the size, for each row."""

    def __init__(self, layer, num_classes, in_channels, rows):
        super().__init__()
        channels = positive_int("in_channels", in_channels)
        self.blocks = nn.Sequential()
        for out_channels, pool in read(rows, Conv):
            self.blocks.append(nn.Sequential(layer(channels, out_channels)))
            if pool:
                self.blocks[-1].append(nn.MaxPool2d(2))
            channels = out_channels
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(channels, VGG_16_CIFAR_HIDDEN)
        self.act = nn.ReLU(inplace=True)
        self.classifier = nn.Linear(VGG_16_CIFAR_HIDDEN, positive_int("num_classes", num_classes))
