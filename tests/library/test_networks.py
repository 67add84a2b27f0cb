"""The networks of dslib.cost against built models, layer by layer, and against what the papers print.

The algebra and the models share the tables and nothing else; the papers' figures hold both to the tables.
"""

import itertools
from fractions import Fraction
from functools import partial

import pytest
import sympy
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, layers, models, tables
from dslib.counting import count
from tests.support import published
from tests.support.published import is_cut, rounds
from tests.support.watched import watched


def built(build, *args, **settings):
    with torch.device("meta"):  # shapes only, no numbers
        return build(*args, **settings)


# ---- against torch, row by row


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, or Ghost modules of a ratio and a cheap kernel, and a shortcut without parameters."""

    def __init__(self, channels, out_channels, stride, ghost):
        super().__init__()
        self.stride, self.new_channels = stride, out_channels - channels
        for number, (read, step) in enumerate([(channels, stride), (out_channels, 1)], start=1):
            if ghost:
                module = layers.GhostModule(read, out_channels, 3, *ghost, stride=step)
                self.add_module(f"ghost{number}", module)
            else:
                conv = nn.Conv2d(read, out_channels, 3, step, padding=1, bias=False)
                self.add_module(f"conv{number}", conv)
                self.add_module(f"bn{number}", nn.BatchNorm2d(out_channels))

    def forward(self, x):
        y = x
        for part in self.children():
            y = part(y)
        return y + F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def resnet_56(*ghost, in_channels=3, num_classes=10):
    """He et al. 2016, section 4.2: 16 channels, three stages of nine blocks, each after the first twice as wide."""
    net = nn.Sequential()
    net.conv_stem = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
    net.bn1, net.blocks = nn.BatchNorm2d(16), nn.Sequential()
    for read, made in [(16, 16), (16, 32), (32, 64)]:
        first = ResidualBlock(read, made, made // read, ghost)
        net.blocks.append(nn.Sequential(first, *(ResidualBlock(made, made, 1, ghost) for _ in range(8))))
    net.pool, net.flatten, net.classifier = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, num_classes)
    return net


ODD = dict(in_channels=4, num_classes=7)
SHALLOW = tables.MOBILENET_V1[:6] + tables.MOBILENET_V1[11:]  # without the five rows of 14x14x512
PAIRS = {  # the priced network of a size, and the built one
    "mobilenet_v1": (cost.mobilenet_v1, models.mobilenet_v1, {}),
    "mobilenet_v1, 0.3": (cost.mobilenet_v1, models.mobilenet_v1, dict(width_multiplier=0.3, **ODD)),
    "mobilenet_v1, shallow": (cost.mobilenet_v1, models.mobilenet_v1, dict(rows=SHALLOW)),
    "mobilenet_v1_standard": (cost.mobilenet_v1_standard, models.mobilenet_v1_standard, {}),
    "mobilenet_v1_standard, 0.2": (
        cost.mobilenet_v1_standard,
        models.mobilenet_v1_standard,
        dict(width_multiplier=0.2, rows=[(2, 64), (1, 96)], **ODD),
    ),
    "mobilenet_v1, tensorflow": (cost.mobilenet_v1, partial(models.mobilenet_v1, padding="tensorflow"), {}),
    "efficientnet_lite0": (cost.efficientnet_lite0, models.efficientnet_lite0, {}),
    "efficientnet_lite0, part": (
        cost.efficientnet_lite0,
        models.efficientnet_lite0,
        dict(rows=tables.EFFICIENTNET_LITE0[1:4], **ODD),
    ),
    "ghostnet": (cost.ghostnet, models.ghostnet, {}),
    "ghostnet, 1.3": (cost.ghostnet, models.ghostnet, dict(width_multiplier=1.3, **ODD)),
    "ghostnet, 0.4": (cost.ghostnet, models.ghostnet, dict(width_multiplier=0.4, rows=tables.GHOSTNET[2:12])),
    "vgg_16_cifar": (cost.vgg_16_cifar, models.vgg_16_cifar, {}),
    "vgg_16_cifar, part": (cost.vgg_16_cifar, models.vgg_16_cifar, dict(rows=tables.VGG_16_CIFAR[3:8], **ODD)),
    "ghost_vgg_16_cifar": (
        cost.ghost_vgg_16_cifar,
        models.ghost_vgg_16_cifar,
        dict(ratio=3, dw_kernel_size=5, rows=tables.VGG_16_CIFAR[:9], **ODD),
    ),
    "resnet_56_cifar": (cost.resnet_56_cifar, resnet_56, {}),
    "resnet_56_cifar, odd": (cost.resnet_56_cifar, resnet_56, ODD),
}


def assert_priced_as_built(net, model, size):
    channels = next(model.parameters()).shape[1]
    seen = watched(model, torch.zeros(1, channels, *size, device="meta"))
    rows = {row.name: (row.cost.params, row.cost.macs, row.channels, row.size) for row in net.rows}
    assert len(rows) == len(net.rows)
    assert rows == {name: seen[name] for name in rows} and rows.keys() == seen.keys()
    assert net.total.params == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("price, build, arguments", PAIRS.values(), ids=PAIRS)
def test_every_row_is_what_torch_shows_of_that_module(price, build, arguments):
    assert_priced_as_built(price(input_size=(75, 101), **arguments), built(build, **arguments), (75, 101))


@pytest.mark.parametrize("ratio, dw_kernel_size", [(2, 3), (3, 5)])
def test_every_row_of_ghost_resnet_56_cifar_is_what_torch_shows(ratio, dw_kernel_size):
    net = cost.ghost_resnet_56_cifar(ratio, dw_kernel_size, (75, 41), **ODD)
    assert_priced_as_built(net, built(resnet_56, ratio, dw_kernel_size, **ODD), (75, 41))


def test_any_rows_will_do():
    """Plain tuples, lists and generators as well; two blocks of another network by hand."""
    net = cost.resnet_56_cifar(rows=[[1, 8, 2], (1, 8, 1)], input_size=6)
    assert [row.channels for row in net.rows if row.kind == "standard"] == [16, 8, 8, 8, 8]
    assert [row.size for row in net.rows if row.kind == "standard"] == [(6, 6), *[(3, 3)] * 4]
    rows = (tuple(row) for row in tables.GHOSTNET)
    assert cost.ghostnet(rows=rows).total == cost.ghostnet().total


# ---- the MobileNet paper (arXiv 1704.04861)


def head(net):
    """Cost of the fully connected layers."""
    return net.by_kind()["linear"]


def fits(printed, net, without_head=False):
    macs, params = printed
    left_out = head(net) if without_head else cost.Cost(0, 0, 0, 0)
    return rounds(macs, net.total.macs - left_out.macs) and rounds(params, net.total.params - left_out.params)


def test_mobilenet_from_the_sizes_that_table_1_prints():
    blocks = [(32, 64, 112), (64, 128, 56), (128, 128, 56), (128, 256, 28), (256, 256, 28), (256, 512, 14)]
    blocks += [(512, 512, 14)] * 5 + [(512, 1024, 7), (1024, 1024, 7)]  # channels in and out, side after the stride
    macs = 27 * 32 * 112**2 + sum((9 * c + c * n) * side**2 for c, n, side in blocks) + 1024 * 1000
    params = 27 * 32 + sum(9 * c + c * n for c, n, _ in blocks) + 1024 * 1000 + 1000
    params += 2 * 32 + sum(2 * c + 2 * n for c, n, _ in blocks)  # scale and shift of each norm
    total = cost.mobilenet_v1().total
    assert (total.macs, total.params) == (macs, params)


@pytest.mark.parametrize("kind", published.MOBILENET_TABLE_2)
def test_mobilenet_table_2(kind):
    """Percentages; the biases of the last layer and the norms are left out."""
    kinds = cost.mobilenet_v1().by_kind()
    macs = {kind: part.macs for kind, part in kinds.items()}
    weights = {kind: part.params - (1000 if kind == "linear" else 0) for kind, part in kinds.items() if kind != "norm"}
    of_macs, of_weights = published.MOBILENET_TABLE_2[kind]
    share = Fraction(100 * macs[kind], sum(macs.values()))
    assert rounds(of_macs, share.numerator, share.denominator) != (kind == "standard")  # a misprint
    share = Fraction(100 * weights[kind], sum(weights.values()))
    assert rounds(of_weights, share.numerator, share.denominator)


def test_mobilenet_table_4():
    """The first row is printed without the fully connected layer, the second one with it."""
    standard, separable = cost.mobilenet_v1_standard(), cost.mobilenet_v1()
    assert fits(published.MOBILENET_TABLE_4["separable"], separable)
    assert not fits(published.MOBILENET_TABLE_4["separable"], separable, without_head=True)
    macs, params = published.MOBILENET_TABLE_4["standard"]
    assert rounds(params, standard.total.params)
    assert rounds(macs, standard.total.macs - head(standard).macs) and not rounds(macs, standard.total.macs)


def test_mobilenet_table_5():
    assert fits(published.MOBILENET_TABLE_5["narrow"], cost.mobilenet_v1(0.75))
    assert fits(published.MOBILENET_TABLE_5["shallow"], cost.mobilenet_v1(rows=SHALLOW))


@pytest.mark.parametrize("width", published.MOBILENET_TABLE_6)
def test_mobilenet_table_6(width):
    assert fits(published.MOBILENET_TABLE_6[width], cost.mobilenet_v1(width))


@pytest.mark.parametrize("size", published.MOBILENET_TABLE_7)
def test_mobilenet_table_7(size):
    """At 160 pixels the printed figure is cut off, not rounded."""
    as_printed = is_cut if size == 160 else rounds
    assert as_printed(published.MOBILENET_TABLE_7[size], cost.mobilenet_v1(input_size=size).total.macs)


def test_mobilenet_table_9():
    """The MACs are cut off, the parameters are those without batch norm."""
    macs, params = published.MOBILENET_TABLE_9["0.5 at 160"]
    net = cost.mobilenet_v1(0.5, 160)
    assert is_cut(macs, net.total.macs)
    assert rounds(params, net.total.params - net.by_kind()["norm"].params) and not rounds(params, net.total.params)


@pytest.mark.parametrize("width, size", published.MOBILENET_TABLE_10)
def test_mobilenet_table_10(width, size):
    """Dogs of 120 kinds: the parameters are for so many classes, the MACs for 1000."""
    macs, params = published.MOBILENET_TABLE_10[width, size]
    assert rounds(params, cost.mobilenet_v1(width, size, num_classes=120).total.params)
    assert rounds(macs, cost.mobilenet_v1(width, size).total.macs)


@pytest.mark.parametrize("width, size", published.MOBILENET_TABLE_12)
def test_mobilenet_table_12(width, size):
    """Without the fully connected layer. 48 is cut off; the MACs of width 0.25 come out in no way."""
    macs, params = published.MOBILENET_TABLE_12[width, size]
    net = cost.mobilenet_v1(width, size)
    body = net.total.macs - head(net).macs
    assert rounds(params, net.total.params - head(net).params)
    if width == 0.25:
        assert 1.03 * net.total.macs < int(macs) * 10**6
    else:
        assert rounds(macs, body) or (width, size) == (0.5, 128) and is_cut(macs, body)


def test_mobilenet_table_14():
    """The first of two rows "0.75 at 128" is the row at 160."""
    nets = {size: cost.mobilenet_v1(0.75, size) for size in (128, 160)}
    fitting = [
        size
        for size, net in nets.items()
        if rounds(published.MOBILENET_TABLE_14_FIRST_OF_075_AT_128, net.total.macs - head(net).macs)
    ]
    assert fitting == [160]


# ---- the GhostNet paper (arXiv 1911.11907)


@pytest.mark.parametrize("width", published.GHOSTNET_TABLE_7)
def test_ghostnet_table_7(width):
    """At width 1.3 the MACs are those without the classifier, and the parameters are cut off."""
    macs, params = published.GHOSTNET_TABLE_7[width]
    net = cost.ghostnet(width)
    if width == 1.3:
        assert rounds(macs, net.total.macs - head(net).macs) and is_cut(params, net.total.params)
    else:
        assert fits((macs, params), net)


@pytest.mark.parametrize("ratio, dw_kernel_size", published.GHOSTNET_TABLES_3_AND_4)
def test_ghostnet_tables_3_and_4(ratio, dw_kernel_size):
    """MACs of the convolutions alone, parameters of all layers."""
    net = cost.ghost_vgg_16_cifar(ratio, dw_kernel_size)
    macs, params = published.GHOSTNET_TABLES_3_AND_4[ratio, dw_kernel_size]
    assert rounds(macs, net.total.macs - head(net).macs) and rounds(params, net.total.params)


def test_vgg_16_of_the_ghostnet_paper():
    assert fits(published.GHOSTNET_VGG_16, cost.vgg_16_cifar())


def test_ghostnet_table_5():
    """The row of Ghost-ResNet-56 fits cheap kernels of one pixel, not the 3x3 of the other tables."""
    macs, params = published.GHOSTNET_TABLE_5["ResNet-56"]
    total = cost.resnet_56_cifar().total
    assert rounds(macs, total.macs) != is_cut(macs, total.macs) and rounds(params, total.params)
    printed = published.GHOSTNET_TABLE_5["Ghost-ResNet-56, s = 2"]
    assert [fits(printed, cost.ghost_resnet_56_cifar(2, d)) for d in (1, 3)] == [True, False]


# ---- EfficientNet-Lite0


@pytest.mark.parametrize("size", [(224, 224), (97, 130)])
@pytest.mark.parametrize(
    "price, build",
    [
        (cost.efficientnet_lite0, models.efficientnet_lite0),
        (cost.mobilenet_v1, partial(models.mobilenet_v1, padding="tensorflow")),
    ],
    ids=["efficientnet_lite0", "mobilenet_v1"],
)
def test_with_tensorflows_padding_algebra_torch_and_the_counter_agree(price, build, size):
    total, model = price(input_size=size).total, built(build).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, *size, device="meta"))
    assert total.macs == counter.get_total_flops() // 2 == count(model, input_size=(1, 3, *size)).macs
    assert total.params == sum(parameter.numel() for parameter in model.parameters())


def test_efficientnet_lite0_is_what_its_weights_are_and_nearly_what_its_authors_print():
    """The parameters fit; the MAdds printed are 5 % more than multiplications of convolutions and of the last layer."""
    macs, params = published.EFFICIENTNET_LITE0
    net = cost.efficientnet_lite0()
    assert net.total.params == 4_652_008 and rounds(params, net.total.params)
    assert 1.05 < int(macs) * 10**6 / net.total.macs < 1.06
    depthwise = [row.cost.params // row.channels for row in net.rows if row.kind == "depthwise"]
    assert sorted(depthwise) == [9] * 7 + [25] * 9  # 3x3 and 5x5


def test_efficientnet_lite0_from_the_sizes_that_its_paper_prints():
    """Table 1 of arXiv 1905.11946: (expansion, kernel, channels, layers, input side) of each stage."""
    table = [(1, 3, 16, 1, 112), (6, 3, 24, 2, 112), (6, 5, 40, 2, 56), (6, 3, 80, 3, 28)]
    table += [(6, 5, 112, 3, 14), (6, 5, 192, 4, 14), (6, 3, 320, 1, 7)]
    macs, channels = 27 * 32 * 112**2, 32
    for (expansion, kernel, out_channels, blocks, side), after in zip(
        table, [side for *_, side in table[1:]] + [7], strict=True
    ):
        for _ in range(blocks):
            wide = expansion * channels
            macs += channels * wide * side**2 if expansion > 1 else 0
            macs += (kernel**2 * wide + wide * out_channels) * after**2
            channels, side = out_channels, after
    assert cost.efficientnet_lite0().total.macs == macs + 320 * 1280 * 7**2 + 1280 * 1000


# ---- the width and the size as symbols

ALPHA, R = sympy.symbols("alpha r", positive=True)


def value(expression, width, size):
    return sympy.sympify(expression).subs({ALPHA: width, R: size})


@pytest.mark.parametrize("price", [cost.mobilenet_v1, cost.mobilenet_v1_standard], ids=lambda price: price.__name__)
def test_symbols_are_exact_where_channels_and_strides_divide(price):
    letters = price(ALPHA, R)
    quarters = [sympy.Rational(number, 4) for number in (1, 2, 3, 4, 5)]
    for width, size in itertools.product(quarters, (32, 160, 224)):
        numbers = price(float(width), size)
        for row, expected in zip(letters.rows, numbers.rows, strict=True):
            assert value(row.cost.macs, width, size) == expected.cost.macs
            assert value(row.cost.params, width, size) == expected.cost.params
        assert value(letters.total.macs, width, size) == numbers.total.macs


def test_mobilenet_is_a_polynomial():
    total = cost.mobilenet_v1(ALPHA, R).total
    powers = {(2, 2), (1, 2), (1, 0)}  # of the width and of the size
    assert set(sympy.Poly(total.macs, ALPHA, R).monoms()) == powers
    assert set(sympy.Poly(total.params, ALPHA).monoms()) == {(2,), (1,), (0,)}


def test_mobilenet_is_not_a_polynomial_where_channels_are_rounded():
    letters = cost.mobilenet_v1(ALPHA, 224).total.macs
    assert letters.subs(ALPHA, sympy.Rational(3, 10)) > cost.mobilenet_v1(0.3).total.macs


def test_ghostnet_as_a_polynomial_lacks_only_the_rounding_of_the_gates():
    letters, numbers = cost.ghostnet(ALPHA, R), cost.ghostnet()
    rows = list(zip(letters.rows, numbers.rows, strict=True))
    lacking = {row.name: exact.cost.macs - value(row.cost.macs, 1, 224) for row, exact in rows}
    # two gates inside which a quarter of 72 and of 120 channels is rounded up from 18 to 20 and from 30 to 32
    assert sorted(number for number in lacking.values() if number) == [2 * 72, 2 * 72, 2 * 120, 2 * 120]
    assert all(".se." in name for name, number in lacking.items() if number)


# ---- refusals


@pytest.mark.parametrize("width", [0, -1, float("nan"), "1", True])
@pytest.mark.parametrize("price", [cost.mobilenet_v1, cost.mobilenet_v1_standard, cost.ghostnet])
def test_a_bad_width_is_refused(price, width):
    with pytest.raises(ValueError, match=f"width_multiplier .*{width}"):
        price(width)


@pytest.mark.parametrize("price", [cost.ghost_vgg_16_cifar, cost.ghost_resnet_56_cifar])
def test_ratios_and_cheap_kernels_that_do_not_fit_are_refused(price):
    for ratio in (1, 2.5, 0, None):
        with pytest.raises(ValueError, match=f"ratio .*{ratio}"):
            price(ratio)
    with pytest.raises(ValueError, match="dw_kernel_size .*4"):
        price(2, dw_kernel_size=4)


@pytest.mark.parametrize(
    "price, told",
    [
        (lambda: cost.ghostnet(rows=[]), r"rows .*\[\]"),
        (lambda: cost.ghostnet(rows=[(3, 16, 16, False, 0)]), "stride .*0"),
        (lambda: cost.mobilenet_v1(rows=[(0, 64)]), "stride .*0"),
        (lambda: cost.resnet_56_cifar(rows=[(1.5, 16, 1)]), "blocks .*1.5"),
        (lambda: cost.ghost_vgg_16_cifar(rows=[(64.5, False)]), "out_channels .*64.5"),
        (lambda: cost.vgg_16_cifar(rows=[(0, False)]), "out_channels .*0"),
    ],
)
def test_rows_that_make_no_network_are_refused(price, told):
    with pytest.raises(ValueError, match=told):
        price()
