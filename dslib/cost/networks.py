"""The networks of this book, priced from their tables: each function walks one table and returns a Network.

The tables are those of ``dslib.models`` (``MOBILENET_V1``, ``GHOSTNET``, ``VGG_16``, ``RESNET_56``): plain rows, also
changed ones. The names of the layers are those of the built model's modules.

A numeric ``width_multiplier`` is rounded to whole channels as the authors' code does it. A symbol is not rounded: then
the counts are polynomials in it, exact wherever rounding would change no channel count.
"""

from itertools import groupby

import sympy

from ..geometry import make_divisible, positive_int, positive_number, scaled_channels
from .network import Network
from .operations import whole_size


def mobilenet_v1(rows, width_multiplier=1, input_size=224, in_channels=3, num_classes=1000):
    """Cost of MobileNetV1, a :class:`Network`: a 3x3 convolution, a separable pair per row, a fully connected layer.

    ``rows``: ``(stride, out_channels)`` each, as in ``models.MOBILENET_V1``. ``width_multiplier`` (a number or a
    symbol) scales all channels but the input's; ``input_size``: pixels, a number, a symbol or a pair (height, width).
    At width 1 and 224 pixels: 568,740,352 MACs, 4,231,976 params.

    Raises ValueError for sizes and multipliers that do not fit. Source: MobileNet (arXiv 1704.04861), Table 1.
    Chapter: mobilenet_v1.
    """

    def pair(net, name, channels, stride):
        net.depthwise_conv2d(f"{name}.conv_dw", 3, stride, norm=f"{name}.bn1")
        net.conv2d(f"{name}.conv_pw", channels, 1, norm=f"{name}.bn2")

    return _mobilenet_v1(pair, rows, width_multiplier, input_size, in_channels, num_classes)


def mobilenet_v1_dense(rows, width_multiplier=1, input_size=224, in_channels=3, num_classes=1000):
    """Cost of MobileNetV1's dense twin: one 3x3 convolution in place of each pair; arguments as :func:`mobilenet_v1`.

    At width 1 and 224 pixels: 4,867,293,184 MACs, 29,294,088 params.
    Source: MobileNet (arXiv 1704.04861), Table 4. Chapter: mobilenet_v1.
    """

    def dense(net, name, channels, stride):
        net.conv2d(f"{name}.conv", channels, 3, stride, norm=f"{name}.bn1")

    return _mobilenet_v1(dense, rows, width_multiplier, input_size, in_channels, num_classes)


def _mobilenet_v1(add_block, rows, width_multiplier, input_size, in_channels, num_classes):
    """The walk over the rows that both kinds of blocks share."""

    def width(channels):
        return _scaled(channels, width_multiplier, scaled_channels)

    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", width(32), 3, stride=2, norm="bn1")
    stage, block = 0, -1
    for stride, channels in rows:
        # a stage begins at each stride 2
        stage, block = (stage + 1, 0) if positive_int("stride", stride) > 1 else (stage, block + 1)
        add_block(net, f"blocks.{stage}.{block}", width(channels), stride)
    net.global_pool()
    net.linear("classifier", num_classes)
    return net


def ghostnet(rows, width_multiplier=1, input_size=224, in_channels=3, num_classes=1000):
    """Cost of GhostNet, a :class:`Network`: a 3x3 convolution, a Ghost bottleneck per row, and a head.

    ``rows``: ``(kernel_size, hidden_channels, out_channels, squeeze, stride)`` each, as in ``models.GHOSTNET``; the
    other arguments as in :func:`mobilenet_v1`. At width 1 and 224 pixels: 141,150,512 MACs, 5,182,508 params.

    Raises ValueError for sizes and multipliers that do not fit. Source: GhostNet (arXiv 1911.11907), Table 1, and the
    authors' code for the rounding to multiples of 4. Chapter: ghostnet.
    """

    def width(channels):
        return _scaled(channels, width_multiplier, lambda c, multiplier: make_divisible(c * multiplier, 4))

    rows = tuple(rows)
    if not rows:
        raise ValueError(f"rows must hold at least one bottleneck, got {rows!r}")
    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", width(16), 3, stride=2, norm="bn1")
    stages = [list(stage) for _, stage in groupby(rows, key=lambda row: row[-1])]
    for stage, blocks in enumerate(stages):
        for block, (kernel_size, hidden, out_channels, squeeze, stride) in enumerate(blocks):
            name = f"blocks.{stage}.{block}"
            _ghost_bottleneck(net, name, kernel_size, width(hidden), width(out_channels), squeeze, stride)
    net.conv2d(f"blocks.{len(stages)}.0.conv", width(hidden), 1, norm=f"blocks.{len(stages)}.0.bn1")
    net.global_pool()
    net.conv2d("conv_head", 1280, 1, bias=True)
    net.linear("classifier", num_classes)
    return net


def _ghost_bottleneck(net, name, kernel_size, hidden, out_channels, squeeze, stride):
    """Two Ghost modules, between them a depthwise convolution for the stride and a gate, and a shortcut around all."""
    shortcut = net.branch()
    _ghost_module(net, f"{name}.ghost1", hidden)
    if positive_int("stride", stride) > 1:
        net.depthwise_conv2d(f"{name}.conv_dw", kernel_size, stride, norm=f"{name}.bn_dw")
    if squeeze:
        gate = net.branch()
        gate.global_pool()
        gate.conv2d(f"{name}.se.conv_reduce", _reduced(hidden), 1, bias=True)
        gate.conv2d(f"{name}.se.conv_expand", hidden, 1, bias=True)
    _ghost_module(net, f"{name}.ghost2", out_channels)
    if stride > 1 or shortcut.channels != out_channels:
        shortcut.depthwise_conv2d(f"{name}.shortcut.0", kernel_size, stride, norm=f"{name}.shortcut.1")
        shortcut.conv2d(f"{name}.shortcut.2", out_channels, 1, norm=f"{name}.shortcut.3")


def vgg_16(rows, ratio=None, dw_kernel_size=3, input_size=32, in_channels=3, num_classes=10):
    """Cost of the GhostNet paper's VGG-16 for CIFAR, or with a ``ratio`` of its Ghost-VGG-16, a :class:`Network`.

    ``rows``: ``(out_channels, pool)`` each, as in ``models.VGG_16``. With a ``ratio`` every convolution is a Ghost
    module with a 3x3 primary kernel and cheap ones of ``dw_kernel_size``. At 32 pixels: 313,463,808 MACs, 14,986,698
    params; with ratio 2: 158,109,696 and 7,650,474.

    Raises ValueError for sizes that do not fit. Source: GhostNet (arXiv 1911.11907), Tables 3 and 4. Chapter: ghostnet.
    """
    net = Network(in_channels, input_size)
    for index, (out_channels, pool) in enumerate(rows):
        name = f"blocks.{index}.0"
        if ratio is None:
            net.conv2d(f"{name}.conv", out_channels, 3, norm=f"{name}.norm")
        else:
            _ghost_module(net, name, out_channels, 3, ratio, dw_kernel_size)
        if pool:
            net.pool(2)
    net.global_pool()
    net.linear("hidden", 512)
    net.linear("classifier", num_classes)
    return net


def resnet_56(rows, ratio=None, dw_kernel_size=3, input_size=32, in_channels=3, num_classes=10):
    """Cost of ResNet-56 for CIFAR, or with a ``ratio`` of Ghost-ResNet-56, a :class:`Network`.

    ``rows``: ``(blocks, out_channels, stride)`` each, as in ``models.RESNET_56``. With a ``ratio`` both convolutions of
    each block are Ghost modules with a 3x3 primary kernel; the first convolution of all stays. At 32 pixels:
    125,485,696 MACs, 853,018 params.

    Raises ValueError for sizes that do not fit. Source: ResNet (arXiv 1512.03385), section 4.2; GhostNet (arXiv
    1911.11907), Table 5. Chapter: ghostnet.
    """
    net = Network(in_channels, input_size)
    net.conv2d("conv_stem", 16, 3, norm="bn1")
    for stage, (blocks, channels, stride) in enumerate(rows):
        for block in range(positive_int("blocks", blocks)):
            strides = (1 if block else stride, 1)
            for number in (1, 2):
                name = f"blocks.{stage}.{block}"
                if ratio is None:
                    net.conv2d(f"{name}.conv{number}", channels, 3, strides[number - 1], norm=f"{name}.bn{number}")
                else:
                    _ghost_module(net, f"{name}.ghost{number}", channels, 3, ratio, dw_kernel_size, strides[number - 1])
    net.global_pool()
    net.linear("classifier", num_classes)
    return net


def _ghost_module(net, name, out_channels, kernel_size=1, ratio=2, dw_kernel_size=3, stride=1):
    """The two convolutions of a Ghost module with their norms; what they make beyond ``out_channels`` is cut off."""
    out_channels, ratio = whole_size("out_channels", out_channels), positive_int("ratio", ratio, minimum=2)
    if positive_int("dw_kernel_size", dw_kernel_size) % 2 == 0:
        raise ValueError(f"dw_kernel_size must be odd, so that padding keeps the size, got {dw_kernel_size!r}")
    intrinsic = -(-out_channels // ratio) if isinstance(out_channels, int) else out_channels / ratio
    net.conv2d(f"{name}.primary_conv.0", intrinsic, kernel_size, stride, norm=f"{name}.primary_conv.1")
    cheap = f"{name}.cheap_operation"
    net.depthwise_conv2d(f"{cheap}.0", dw_kernel_size, depth_multiplier=ratio - 1, norm=f"{cheap}.1")
    net.channels = out_channels  # intrinsic and ghost maps together


def _scaled(channels, width_multiplier, rounded):
    """Channels at another width: by the authors' rounding for a number, exactly for a symbol."""
    if isinstance(width_multiplier, sympy.Expr) and not width_multiplier.is_number:
        return width_multiplier * channels
    return rounded(channels, positive_number("width_multiplier", width_multiplier))


def _reduced(channels):
    """Channels inside the gate: a quarter, rounded as the widths are."""
    return make_divisible(channels / 4, 4) if isinstance(channels, int) else channels / 4
