"""MobileNetV1 and its twin of standard convolutions (Howard et al. 2017, arXiv 1704.04861).

Module names and shapes are those of timm's ``mobilenetv1_100``, so that its weights load. Deviations from the paper:

- The activation is ReLU6 by default, not ReLU: all published weights were trained with it (the authors' own in
  TensorFlow, Keras, timm). ``activation="relu"`` is the paper's.
- Widths that do not come out whole are rounded down, to 8 at least, as in the authors' code; the paper is silent.
- A stride of 2 pads all sides by one pixel and the norms' ``eps`` is 1e-5, as in timm. The authors' code and Keras pad
  even sizes right and below alone, with an ``eps`` of 1e-3. Their weights have the same shapes, and without
  ``norm_eps=1e-3, padding="tensorflow"`` give other numbers without a word.
"""

from torch import nn

from ..geometry import positive_int, positive_number, scaled_channels
from ..layers import activation_module, add_conv2d
from ..tables import MOBILENET_V1, MOBILENET_V1_STEM, Pair, read


def mobilenet_v1(
    width_multiplier=1.0,
    num_classes=1000,
    in_channels=3,
    activation="relu6",
    rows=MOBILENET_V1,
    norm_eps=1e-5,
    padding="torch",
):
    """MobileNetV1: 568,740,352 MACs at 224 pixels and 4,231,976 params at width 1.

    ``width_multiplier`` (the paper's alpha) scales all channels, ``max(floor(width_multiplier * channels), 8)``.
    ``activation``: a name of ``layers.ACTIVATIONS``, a module (one for all places), or None. ``rows``:
    ``(stride, out_channels)`` each. Weights from timm's ``mobilenetv1_100`` fit, and ``mobilenetv1_125`` at width 1.25.
    Those from Keras and TF-slim need ``norm_eps=1e-3, padding="tensorflow"`` (with Keras, at sizes that 32 divides).
    Source: Table 1 of the paper.
    """
    return MobileNetV1(SeparableBlock, width_multiplier, num_classes, in_channels, activation, rows, norm_eps, padding)


def mobilenet_v1_standard(
    width_multiplier=1.0,
    num_classes=1000,
    in_channels=3,
    activation="relu6",
    rows=MOBILENET_V1,
    norm_eps=1e-5,
    padding="torch",
):
    """MobileNetV1's twin with a standard 3x3 convolution for each pair: 4,867,293,184 MACs and 29,294,088 params.

    Arguments as in :func:`mobilenet_v1`. Source: "Conv MobileNet" in Table 4 of the paper, which prints 4866 million
    because it leaves the fully connected layer out. No weights are published.
    """
    return MobileNetV1(StandardBlock, width_multiplier, num_classes, in_channels, activation, rows, norm_eps, padding)


class MobileNetV1(nn.Sequential):
    """The network with ``block(in_channels, out_channels, stride, activation, norm_eps, padding)`` for each row."""

    def __init__(self, block, width_multiplier, num_classes, in_channels, activation, rows, norm_eps, padding):
        super().__init__()
        norm_eps = positive_number("norm_eps", norm_eps)
        channels = scaled_channels(MOBILENET_V1_STEM, width_multiplier)
        add_conv2d(self, "conv_stem", positive_int("in_channels", in_channels), channels, 3, stride=2, padding=padding)
        self.bn1 = nn.BatchNorm2d(channels, norm_eps)
        self.act1 = activation_module(activation, inplace=True)
        self.blocks = nn.Sequential()
        for stride, out_channels in read(rows, Pair):
            if stride > 1 or not len(self.blocks):
                self.blocks.append(nn.Sequential())  # a stage begins at each stride 2
            out_channels = scaled_channels(out_channels, width_multiplier)
            self.blocks[-1].append(block(channels, out_channels, stride, activation, norm_eps, padding))
            channels = out_channels
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(channels, positive_int("num_classes", num_classes))


class SeparableBlock(nn.Sequential):
    """A depthwise 3x3 and a pointwise convolution, batch norm and activation after each: figure 3 of the paper."""

    def __init__(self, in_channels, out_channels, stride, activation, norm_eps, padding):
        super().__init__()
        add_conv2d(self, "conv_dw", in_channels, in_channels, 3, stride, in_channels, padding)
        self.bn1 = nn.BatchNorm2d(in_channels, norm_eps)
        self.act1 = activation_module(activation, inplace=True)
        add_conv2d(self, "conv_pw", in_channels, out_channels, 1)
        self.bn2 = nn.BatchNorm2d(out_channels, norm_eps)
        self.act2 = activation_module(activation, inplace=True)


class StandardBlock(nn.Sequential):
    """One standard 3x3 convolution, batch norm and activation, in the place of a :class:`SeparableBlock`."""

    def __init__(self, in_channels, out_channels, stride, activation, norm_eps, padding):
        super().__init__()
        add_conv2d(self, "conv", in_channels, out_channels, 3, stride, padding=padding)
        self.bn1 = nn.BatchNorm2d(out_channels, norm_eps)
        self.act1 = activation_module(activation, inplace=True)
