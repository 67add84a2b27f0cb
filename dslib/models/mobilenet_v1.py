"""MobileNetV1: separable convolutions all the way (Howard et al. 2017, arXiv 1704.04861), and its dense twin.

``MOBILENET_V1`` is Table 1 of the paper between the first convolution and the pooling, a row for each pair of a
depthwise and a pointwise convolution. Module names and shapes are those of timm's ``mobilenetv1_100``, so that its
weights load.

Deviations from the paper:

- The last depthwise convolution has stride 1, not 2: Table 1 misprints it, 7x7 goes in and comes out.
- The activation is ReLU6 by default, not ReLU: all published weights were trained with it (the authors' own in
  TensorFlow, Keras, timm). ``activation="relu"`` is the paper's.
- Widths that do not come out whole are rounded down, to 8 at least, as in the authors' code; the paper is silent.
- A stride of 2 pads both sides by one pixel, as timm does. The authors' code pads right and below alone, so its own
  weights would see images shifted by a pixel.
"""

from typing import NamedTuple

from torch import nn

from ..geometry import positive_int, scaled_channels
from ..layers import activation_module
from .inputs import check_images


class Row(NamedTuple):
    """One separable pair: the stride of its depthwise half, the channels that its pointwise half makes."""

    stride: int
    out_channels: int


STEM_CHANNELS = 32
MOBILENET_V1 = (
    Row(stride=1, out_channels=64),
    Row(stride=2, out_channels=128),
    Row(stride=1, out_channels=128),
    Row(stride=2, out_channels=256),
    Row(stride=1, out_channels=256),
    Row(stride=2, out_channels=512),
    Row(stride=1, out_channels=512),
    Row(stride=1, out_channels=512),
    Row(stride=1, out_channels=512),
    Row(stride=1, out_channels=512),
    Row(stride=1, out_channels=512),
    Row(stride=2, out_channels=1024),
    Row(stride=1, out_channels=1024),
)


def mobilenet_v1(width_multiplier=1.0, num_classes=1000, in_channels=3, activation="relu6"):
    """MobileNetV1, randomly initialised: 568,740,352 MACs at 224 pixels, 4,231,976 params at width 1.

    ``width_multiplier`` (the paper's alpha) scales all channels, ``max(floor(width_multiplier * channels), 8)``.
    ``activation``: a name of ``layers.ACTIVATIONS``, a module (one for all places), or None.

    Shapes: ``(N, in_channels, H, W)``, H and W at least 32, to logits ``(N, num_classes)``. Raises ValueError for
    arguments that do not fit, and when called for an input that does not. Source: Table 1 of the paper; weights fit
    from timm's ``mobilenetv1_100`` (``mobilenetv1_125`` at 1.25). Chapter: mobilenet_v1.
    """
    return MobileNetV1(MOBILENET_V1, SeparableBlock, width_multiplier, num_classes, in_channels, activation)


def mobilenet_v1_dense(width_multiplier=1.0, num_classes=1000, in_channels=3, activation="relu6"):
    """MobileNetV1's dense twin, each pair one full 3x3 convolution: 4,867,293,184 MACs, 29,294,088 params.

    Arguments, shapes and errors as :func:`mobilenet_v1`. Source: "Conv MobileNet" in Table 4 of the paper, which
    prints 4866 M because it leaves the fully connected layer out. No weights are published. Chapter: mobilenet_v1.
    """
    return MobileNetV1(MOBILENET_V1, DenseBlock, width_multiplier, num_classes, in_channels, activation)


class MobileNetV1(nn.Module):
    """The network of any rows ``(stride, out_channels)``, with :class:`SeparableBlock` or :class:`DenseBlock` for each.

    The paper's shallow network (Table 5) is ``MobileNetV1(MOBILENET_V1[:6] + MOBILENET_V1[11:])``. Other arguments,
    shapes and errors as :func:`mobilenet_v1`. Chapter: mobilenet_v1.
    """

    def __init__(
        self,
        rows=MOBILENET_V1,
        block=None,
        width_multiplier=1.0,
        num_classes=1000,
        in_channels=3,
        activation="relu6",
    ):
        super().__init__()
        block = block or SeparableBlock
        channels = scaled_channels(STEM_CHANNELS, width_multiplier)
        self.conv_stem = _conv3x3(positive_int("in_channels", in_channels), channels, stride=2)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = activation_module(activation, inplace=True)
        stages = []
        for stride, out_channels in rows:
            if positive_int("stride", stride) > 1 or not stages:
                stages.append(nn.Sequential())  # a stage begins at each stride 2
            out_channels = scaled_channels(out_channels, width_multiplier)
            stages[-1].append(block(channels, out_channels, stride, activation))
            channels = out_channels
        self.blocks = nn.Sequential(*stages)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels, positive_int("num_classes", num_classes))

    def forward(self, x):
        """Logits of ``x``; shapes and errors as above."""
        check_images(x, self.conv_stem.in_channels)
        x = self.conv_stem(x)
        x = self.act1(self.bn1(x))
        x = self.global_pool(self.blocks(x)).flatten(1)  # (N, channels)
        return self.classifier(x)


class SeparableBlock(nn.Module):
    """A depthwise 3x3 and a pointwise convolution, batch norm and activation after each: figure 3 of the paper.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. Chapter: mobilenet_v1.
    """

    def __init__(self, in_channels, out_channels, stride, activation):
        super().__init__()
        self.conv_dw = _conv3x3(in_channels, in_channels, stride, groups=in_channels)
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.act1 = activation_module(activation, inplace=True)
        self.conv_pw = nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.act2 = activation_module(activation, inplace=True)

    def forward(self, x):
        """Apply the block to ``x``."""
        x = self.conv_dw(x)  # (N, in_channels, H_out, W_out)
        x = self.act1(self.bn1(x))
        x = self.conv_pw(x)  # (N, out_channels, H_out, W_out)
        return self.act2(self.bn2(x))


class DenseBlock(nn.Module):
    """One full 3x3 convolution, batch norm and activation, in the place of a :class:`SeparableBlock`.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. Chapter: mobilenet_v1.
    """

    def __init__(self, in_channels, out_channels, stride, activation):
        super().__init__()
        self.conv = _conv3x3(in_channels, out_channels, stride)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.act1 = activation_module(activation, inplace=True)

    def forward(self, x):
        """Apply the block to ``x``."""
        x = self.conv(x)  # (N, out_channels, H_out, W_out)
        return self.act1(self.bn1(x))


def _conv3x3(in_channels, out_channels, stride, groups=1):
    stride = positive_int("stride", stride)
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, groups=groups, bias=False)
