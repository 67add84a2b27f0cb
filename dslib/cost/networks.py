"""The networks of this book, priced from their tables: each function walks ``rows`` and returns a :class:`Network`.

The names of the layers are those of the built model's modules. A numeric ``width_multiplier`` is rounded to whole
channels as the authors' code does it. A symbol is not rounded: then the counts are polynomials in it, exact wherever
rounding would change no channel count.
"""

import operator
from itertools import groupby

from .. import tables
from ..geometry import make_divisible, positive_int, scaled_channels
from ..geometry import width as checked_width
from .checks import symbolic, whole
from .network import Network


def mobilenet_v1(width_multiplier=1, input_size=224, in_channels=3, num_classes=1000, rows=tables.MOBILENET_V1):
    """Cost of MobileNetV1: 568,740,352 MACs and 4,231,976 params at width 1 and 224 pixels.

    A 3x3 convolution, a separable pair per row ``(stride, out_channels)``, a fully connected layer.
    ``width_multiplier`` (a number or a symbol) scales all channels but the input's; ``input_size``: pixels, a number, a
    symbol or a pair (height, width). Source: MobileNet (arXiv 1704.04861), Table 1.
    """
    return _mobilenet_v1(True, width_multiplier, input_size, in_channels, num_classes, rows)


def mobilenet_v1_standard(
    width_multiplier=1, input_size=224, in_channels=3, num_classes=1000, rows=tables.MOBILENET_V1
):
    """Cost of :func:`mobilenet_v1` with one standard 3x3 convolution in the place of each pair.

    At width 1 and 224 pixels 4,867,293,184 MACs and 29,294,088 params. Source: MobileNet (arXiv 1704.04861), Table 4.
    """
    return _mobilenet_v1(False, width_multiplier, input_size, in_channels, num_classes, rows)


def _mobilenet_v1(separable, width_multiplier, input_size, in_channels, num_classes, rows):
    def width(channels):
        scaled = scaled_channels if not symbolic(width_multiplier) else operator.mul
        return scaled(channels, width_multiplier)

    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", width(tables.MOBILENET_V1_STEM), 3, stride=2, norm="bn1")
    stage, block = 0, -1
    for number, (stride, channels) in enumerate(tables.read(rows, tables.Pair)):
        # a stage begins at each stride 2
        stage, block = (stage + 1, 0) if stride > 1 and number else (stage, block + 1)
        name = f"blocks.{stage}.{block}"
        if separable:
            net.depthwise_conv2d(f"{name}.conv_dw", 3, stride, norm=f"{name}.bn1")
            net.conv2d(f"{name}.conv_pw", width(channels), 1, norm=f"{name}.bn2")
        else:
            net.conv2d(f"{name}.conv", width(channels), 3, stride, norm=f"{name}.bn1")
    net.global_pool()
    net.linear("classifier", whole("num_classes", num_classes))
    return net


def ghostnet(width_multiplier=1, input_size=224, in_channels=3, num_classes=1000, rows=tables.GHOSTNET):
    """Cost of GhostNet: 141,150,512 MACs and 5,182,508 params at width 1 and 224 pixels.

    A 3x3 convolution, a Ghost bottleneck per row ``(kernel_size, hidden_channels, out_channels, squeeze, stride)``, and
    a head; the other arguments as in :func:`mobilenet_v1`. Source: GhostNet (arXiv 1911.11907), Table 1, and the
    authors' code for the rounding to multiples of 4.
    """

    def width(channels):
        return _rounded(channels * width_multiplier)

    if not symbolic(width_multiplier):
        checked_width(width_multiplier)
    rows = tables.read(rows, tables.Bottleneck)
    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", width(tables.GHOSTNET_STEM), 3, stride=2, norm="bn1")
    stages = [list(stage) for _, stage in groupby(rows, key=lambda row: row[-1])]
    for stage, blocks in enumerate(stages):
        for block, (kernel_size, hidden, out_channels, squeeze, stride) in enumerate(blocks):
            name = f"blocks.{stage}.{block}"
            _ghost_bottleneck(net, name, width(hidden), width(out_channels), kernel_size, squeeze, stride)
    net.conv2d(f"blocks.{len(stages)}.0.conv", width(hidden), 1, norm=f"blocks.{len(stages)}.0.bn1")
    net.global_pool()
    net.conv2d("conv_head", tables.GHOSTNET_HEAD, 1, bias=True)
    net.linear("classifier", whole("num_classes", num_classes))
    return net


def _ghost_bottleneck(net, name, hidden, out_channels, kernel_size, squeeze, stride):
    """Two Ghost modules, between them a depthwise convolution for the stride and a gate, and a shortcut around all."""
    shortcut = net.branch()
    _ghost_module(net, f"{name}.ghost1", hidden)
    if stride > 1:
        net.depthwise_conv2d(f"{name}.conv_dw", kernel_size, stride, norm=f"{name}.bn_dw")
    if squeeze:
        gate = net.branch()
        gate.global_pool()
        gate.conv2d(f"{name}.se.conv_reduce", _rounded(hidden / tables.GHOSTNET_SQUEEZE), 1, bias=True)
        gate.conv2d(f"{name}.se.conv_expand", hidden, 1, bias=True)
        net.scale(gate)
    _ghost_module(net, f"{name}.ghost2", out_channels)
    if stride > 1 or shortcut.channels != out_channels:
        shortcut.depthwise_conv2d(f"{name}.shortcut.0", kernel_size, stride, norm=f"{name}.shortcut.1")
        shortcut.conv2d(f"{name}.shortcut.2", out_channels, 1, norm=f"{name}.shortcut.3")
    net.add(shortcut)


def efficientnet_lite0(input_size=224, in_channels=3, num_classes=1000, rows=tables.EFFICIENTNET_LITE0):
    """Cost of EfficientNet-Lite0: 385,187,552 MACs and 4,652,008 params at 224 pixels.

    ``rows``: ``(blocks, expansion, kernel_size, out_channels, stride)`` each. TensorFlow's padding gives outputs of the
    same sizes as torch's. Source: EfficientNet (arXiv 1905.11946), Table 1, and the authors' repository.
    """
    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", tables.EFFICIENTNET_LITE0_STEM, 3, stride=2, norm="bn1")
    for stage, row in enumerate(tables.read(rows, tables.Inverted)):
        for block in range(row.blocks):
            step = 1 if block else row.stride
            _inverted_residual(net, f"blocks.{stage}.{block}", row.expansion, row.kernel_size, row.out_channels, step)
    net.conv2d("conv_head", tables.EFFICIENTNET_LITE0_HEAD, 1, norm="bn2")
    net.global_pool()
    net.linear("classifier", whole("num_classes", num_classes))
    return net


def _inverted_residual(net, name, expansion, kernel_size, out_channels, stride):
    """Widen, if at all, convolve depthwise, narrow. The shortcut has no weights: it costs nothing."""
    hidden, widens = net.channels * expansion, expansion > 1
    if widens:
        net.conv2d(f"{name}.conv_pw", hidden, 1, norm=f"{name}.bn1")
    net.depthwise_conv2d(f"{name}.conv_dw", kernel_size, stride, norm=f"{name}.bn{1 + widens}")
    net.conv2d(f"{name}.conv_pw{'l' * widens}", out_channels, 1, norm=f"{name}.bn{2 + widens}")


def vgg_16_cifar(input_size=32, in_channels=3, num_classes=10, rows=tables.VGG_16_CIFAR):
    """Cost of the GhostNet paper's VGG-16 for CIFAR: 313,463,808 MACs and 14,986,698 params at 32 pixels.

    ``rows``: ``(out_channels, pool)`` each. Source: GhostNet (arXiv 1911.11907), base of Tables 3 and 4.
    """
    return _vgg(None, None, input_size, in_channels, num_classes, rows)


def ghost_vgg_16_cifar(
    ratio=2, dw_kernel_size=3, input_size=32, in_channels=3, num_classes=10, rows=tables.VGG_16_CIFAR
):
    """Cost of :func:`vgg_16_cifar` with a Ghost module for each convolution: 158,109,696 MACs, 7,650,474 params.

    The primary kernels are 3x3, the cheap ones have the side ``dw_kernel_size``. Source: GhostNet, Tables 3 and 4.
    """
    return _vgg(positive_int("ratio", ratio, minimum=2), dw_kernel_size, input_size, in_channels, num_classes, rows)


def _vgg(ratio, dw_kernel_size, input_size, in_channels, num_classes, rows):
    net = Network(in_channels, input_size)
    for index, (out_channels, pool) in enumerate(tables.read(rows, tables.Conv)):
        if ratio is None:
            net.conv2d(f"blocks.{index}.0.conv", out_channels, 3, norm=f"blocks.{index}.0.norm")
        else:
            _ghost_module(net, f"blocks.{index}.0", out_channels, 3, ratio, dw_kernel_size)
        if pool:
            net.pool(2)
    net.global_pool()
    net.linear("hidden", tables.VGG_16_CIFAR_HIDDEN)
    net.linear("classifier", whole("num_classes", num_classes))
    return net


def resnet_56_cifar(input_size=32, in_channels=3, num_classes=10, rows=tables.RESNET_56_CIFAR):
    """Cost of ResNet-56 for CIFAR: 125,485,696 MACs and 853,018 params at 32 pixels.

    ``rows``: ``(blocks, out_channels, stride)`` each. Shortcuts cost nothing: where the shape changes they skip pixels
    and add channels of zeros (option A). Source: ResNet (arXiv 1512.03385), section 4.2.
    """
    return _resnet(None, None, input_size, in_channels, num_classes, rows)


def ghost_resnet_56_cifar(
    ratio=2, dw_kernel_size=3, input_size=32, in_channels=3, num_classes=10, rows=tables.RESNET_56_CIFAR
):
    """Cost of :func:`resnet_56_cifar` with a Ghost module for each convolution of a block: 65,286,784 MACs.

    The params are 438,154; the first convolution of all stays a standard one, as the authors left it. Source: GhostNet,
    Table 5, which prints 63 million MACs and 0.43 million params: that fits ``dw_kernel_size=1``.
    """
    return _resnet(positive_int("ratio", ratio, minimum=2), dw_kernel_size, input_size, in_channels, num_classes, rows)


def _resnet(ratio, dw_kernel_size, input_size, in_channels, num_classes, rows):
    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", tables.RESNET_56_CIFAR_STEM, 3, norm="bn1")
    for stage, (blocks, channels, stride) in enumerate(tables.read(rows, tables.Stage)):
        for block in range(blocks):
            name = f"blocks.{stage}.{block}"
            for number, step in ((1, 1 if block else stride), (2, 1)):
                if ratio is None:
                    net.conv2d(f"{name}.conv{number}", channels, 3, step, norm=f"{name}.bn{number}")
                else:
                    _ghost_module(net, f"{name}.ghost{number}", channels, 3, ratio, dw_kernel_size, step)
    net.global_pool()
    net.linear("classifier", whole("num_classes", num_classes))
    return net


def _ghost_module(net, name, out_channels, kernel_size=1, ratio=2, dw_kernel_size=3, stride=1):
    """A Ghost module's two convolutions with their norms; what they make beyond ``out_channels`` is cut off."""
    out_channels = whole("out_channels", out_channels)
    if positive_int("dw_kernel_size", dw_kernel_size) % 2 == 0:
        raise ValueError(f"dw_kernel_size must be odd, so that padding keeps the size, got {dw_kernel_size!r}")
    intrinsic = -(-out_channels // ratio) if isinstance(out_channels, int) else out_channels / ratio
    net.conv2d(f"{name}.primary_conv.0", intrinsic, kernel_size, stride, norm=f"{name}.primary_conv.1")
    cheap = net.branch()
    cheap.depthwise_conv2d(
        f"{name}.cheap_operation.0", dw_kernel_size, depth_multiplier=ratio - 1, norm=f"{name}.cheap_operation.1"
    )
    net.concat(cheap)
    net.keep(out_channels)


def _rounded(channels):
    """Channels of GhostNet: multiples of 4, or exactly as many where they are symbols."""
    return channels if symbolic(channels) else make_divisible(channels, tables.GHOSTNET_DIVISOR)
