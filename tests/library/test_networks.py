"""The networks of dslib.cost against the built models of dslib.models, layer by layer, and against the papers.

The algebra and the models share the paper's tables and nothing else; so the totals stand here as literals too.
"""

import itertools

import numpy as np
import pytest
import sympy
import torch

from dslib import cost, models
from tests.support.watched import watched


def built(build, *args, **settings):
    with torch.device("meta"):  # shapes only, no numbers
        return build(*args, **settings)


MOBILENET, GHOSTNET, VGG, RESNET = models.MOBILENET_V1, models.GHOSTNET, models.VGG_16, models.RESNET_56
ODD = dict(in_channels=4, num_classes=7)
PAIRS = {  # the priced network of a size, and the built one
    "mobilenet_v1": (lambda size: cost.mobilenet_v1(MOBILENET, 1, size), built(models.mobilenet_v1)),
    "mobilenet_v1 0.3": (lambda s: cost.mobilenet_v1(MOBILENET, 0.3, s, **ODD), built(models.mobilenet_v1, 0.3, **ODD)),
    "mobilenet_v1 dense": (lambda size: cost.mobilenet_v1_dense(MOBILENET, 1, size), built(models.mobilenet_v1_dense)),
    "dense 0.2": (
        lambda size: cost.mobilenet_v1_dense(MOBILENET, 0.2, size, **ODD),
        built(models.mobilenet_v1_dense, 0.2, **ODD),
    ),
    "shallow": (
        lambda size: cost.mobilenet_v1(MOBILENET[:6] + MOBILENET[11:], 1, size),
        built(models.MobileNetV1, MOBILENET[:6] + MOBILENET[11:]),
    ),
    "ghostnet": (lambda size: cost.ghostnet(GHOSTNET, 1, size), built(models.ghostnet)),
    "ghostnet 1.3": (lambda size: cost.ghostnet(GHOSTNET, 1.3, size, **ODD), built(models.ghostnet, 1.3, **ODD)),
    "ghostnet 0.4": (lambda size: cost.ghostnet(GHOSTNET, 0.4, size), built(models.ghostnet, 0.4)),
    "resnet_56": (lambda size: cost.resnet_56(RESNET, input_size=size), built(models.resnet_56)),
    "ghost_resnet_56": (
        lambda size: cost.resnet_56(RESNET, 3, 5, size, **ODD),
        built(models.ghost_resnet_56, 3, 5, **ODD),
    ),
    "vgg_16": (lambda size: cost.vgg_16(VGG, input_size=size), built(models.vgg_16)),
    "ghost_vgg_16": (lambda size: cost.vgg_16(VGG, 3, 5, size, **ODD), built(models.ghost_vgg_16, 3, 5, **ODD)),
}


@pytest.mark.parametrize("size", [(32, 32), (75, 101)], ids=str)
@pytest.mark.parametrize("price, model", PAIRS.values(), ids=PAIRS)
def test_every_row_is_what_torch_shows_of_that_module(price, model, size):
    net = price(size)
    channels = next(model.parameters()).shape[1]
    seen = watched(model, torch.zeros(1, channels, *size, device="meta"))
    rows = {row.name: (row.cost.params, row.cost.macs, row.channels, row.size) for row in net.rows}
    assert len(rows) == len(net.rows)
    assert rows == {name: seen[name] for name in rows} and rows.keys() == seen.keys()
    assert net.total.params == sum(parameter.numel() for parameter in model.parameters())


# ---- MobileNet (arXiv 1704.04861): exact numbers behind its tables


def in_millions(total):
    return round(total.macs / 1e6, 3), round(total.params / 1e6, 4)


def test_mobilenet_and_every_way_to_count_its_parameters():
    net = cost.mobilenet_v1(MOBILENET)
    assert (net.total.macs, net.total.params) == (568_740_352, 4_231_976)
    kinds = net.by_kind()
    norms, classifier = kinds["norm"].params, kinds["linear"]
    weights = net.total.params - norms - 1000
    assert net.total.macs - classifier.macs == 567_716_352
    assert weights - classifier.macs == 3_185_088
    assert (weights, weights + 1000, weights + 1000 + norms) == (4_209_088, 4_210_088, 4_231_976)
    assert weights + 1000 + 2 * norms == 4_253_864  # with the running statistics, as many as gammas and betas
    assert weights + 1000 + norms // 2 == 4_221_032  # folded: a bias for each channel of a norm


def test_table_2():
    """Prints 94.86, 3.06, 1.19, 0.18 % and 74.59, 1.06, 0.02, 24.33 %; 1.19 is a misprint."""
    kinds = cost.mobilenet_v1(MOBILENET).by_kind()
    parts = [kinds[kind] for kind in ("pointwise", "depthwise", "standard", "linear")]
    macs, weights = [part.macs for part in parts], [part.params for part in parts]
    weights[-1] -= 1000  # no biases
    assert [round(100 * number / sum(macs), 3) for number in macs] == [94.857, 3.057, 1.906, 0.180]
    assert round(94.86 + 3.06 + 1.19 + 0.18, 2) == 99.29 and round(94.86 + 3.06 + 1.91 + 0.18) == 100
    assert [round(100 * number / sum(weights), 3) for number in weights] == [74.591, 1.061, 0.021, 24.328]


def test_table_4():
    """Prints 4866/29.3 without the fully connected layer and 569/4.2 with it."""
    dense = cost.mobilenet_v1_dense(MOBILENET)
    assert dense.total.params == 29_294_088
    macs = dense.total.macs
    assert [round(macs / 1e6, 2), round((macs - 1_024_000) / 1e6, 2)] == [4867.29, 4866.27]
    assert round(macs / cost.mobilenet_v1(MOBILENET).total.macs, 2) == 8.56


def test_table_5():
    """Prints 325/2.6 for the narrow network and 307/2.9 for the shallow one."""
    assert in_millions(cost.mobilenet_v1(MOBILENET, 0.75).total) == (325.400, 2.5856)
    assert in_millions(cost.mobilenet_v1(MOBILENET[:6] + MOBILENET[11:]).total) == (307.323, 2.8880)


@pytest.mark.parametrize(
    "width, macs, params",
    [(1, 568.740, 4.2320), (0.75, 325.400, 2.5856), (0.5, 149.497, 1.3316), (0.25, 41.030, 0.4701)],
)
def test_table_6(width, macs, params):
    """Prints 569/4.2, 325/2.6, 149/1.3, 41/0.5."""
    assert in_millions(cost.mobilenet_v1(MOBILENET, width).total) == (macs, params)


@pytest.mark.parametrize("size, macs", [(224, 568.740), (192, 418.122), (160, 290.675), (128, 186.401)])
def test_table_7(size, macs):
    """Prints 569, 418, 290, 186; and 4.2 at every size."""
    assert in_millions(cost.mobilenet_v1(MOBILENET, input_size=size).total) == (macs, 4.2320)


def test_table_9():
    """Prints 76/1.32 for width 0.5 at 160: cut off, and weights and biases without batch norm."""
    net = cost.mobilenet_v1(MOBILENET, 0.5, 160)
    assert round(net.total.macs / 1e6, 3) == 76.525
    assert round((net.total.params - net.by_kind()["norm"].params) / 1e6, 4) == 1.3206
    squeezenet = 832.67e6  # tests/test_network_cost.py
    assert round(squeezenet / net.total.macs) == 11  # section 4.2 says 22 times: FLOPs over MACs


def test_section_4_4():
    """Prints "0.58 Million mult-adds", for a final layer of 10 million parameters: it is a thousand times as much."""
    kinds = cost.mobilenet_v1(MOBILENET).by_kind()
    body = sum(kinds[kind].macs for kind in ("standard", "depthwise", "pointwise"))
    assert round((body + 10 * 10**6) / 1e9, 2) == 0.58


def test_table_10():
    """Prints 569/3.3, 325/1.9, 418/3.3, 239/1.9 for 120 kinds of dogs: such parameters, MACs of 1000 classes."""
    networks = [(1, 224), (0.75, 224), (1, 192), (0.75, 192)]
    dogs = [cost.mobilenet_v1(MOBILENET, *network, num_classes=120).total for network in networks]
    assert [round(total.params / 1e6, 1) for total in dogs] == [3.3, 1.9, 3.3, 1.9]
    assert [round(total.macs / 1e6) for total in dogs] == [568, 325, 417, 239]
    assert [round(cost.mobilenet_v1(MOBILENET, *n).total.macs / 1e6) for n in networks] == [569, 325, 418, 239]


@pytest.mark.parametrize(
    "width, size, macs, params",
    [
        (1, 224, 567.716, 3.2),
        (0.5, 224, 148.985, 0.8),
        (0.25, 224, 40.774, 0.2),  # printed 45
        (1, 128, 185.377, 3.2),
        (0.5, 128, 48.648, 0.8),  # printed 48
        (0.25, 128, 13.314, 0.2),  # printed 15
        (0.75, 160, 165.629, 1.8),  # Table 14 prints 166, and calls it 0.75 at 128
    ],
)
def test_tables_12_and_14(width, size, macs, params):
    """Table 12 prints 568/3.2, 149/0.8, 45/0.2, 185/3.2, 48/0.8, 15/0.2: all without the fully connected layer."""
    net = cost.mobilenet_v1(MOBILENET, width, size)
    head = net.by_kind()["linear"]
    assert round((net.total.macs - head.macs) / 1e6, 3) == macs
    assert round((net.total.params - head.params) / 1e6, 1) == params


# ---- GhostNet (arXiv 1911.11907)


@pytest.mark.parametrize(
    "width, macs, params", [(0.5, 42_328_152, 2_587_292), (1, 141_150_512, 5_182_508), (1.3, 227_003_256, 7_358_820)]
)
def test_ghostnet_table_7(width, macs, params):
    """Prints 42 M/2.6 M, 141 M/5.2 M and 226 M/7.3 M: the last one without the classifier, and cut off."""
    net = cost.ghostnet(GHOSTNET, width)
    assert (net.total.macs, net.total.params) == (macs, params)
    if width == 1.3:
        assert round((macs - net.by_kind()["linear"].macs) / 1e6) == 226


@pytest.mark.parametrize(
    "ratio, dw_kernel_size, macs, params",
    [
        (None, 3, 313.20, 14.987),
        (2, 3, 157.84, 7.650),
        (3, 3, 106.97, 5.218),
        (4, 3, 80.17, 3.982),
        (5, 3, 65.40, 3.270),
        (2, 1, 156.74, 7.634),
        (2, 5, 160.05, 7.684),
        (2, 7, 163.37, 7.735),
    ],
)
def test_ghostnet_tables_3_and_4(ratio, dw_kernel_size, macs, params):
    """Ghost-VGG-16, MACs of the convolutions alone."""
    net = cost.vgg_16(VGG, ratio, dw_kernel_size)
    assert round((net.total.macs - net.by_kind()["linear"].macs) / 1e6, 2) == macs
    assert round(net.total.params / 1e6, 3) == params


@pytest.mark.parametrize(
    "ratio, d, macs, params",
    [(None, 3, 125_485_696, 853_018), (2, 1, 63_222_400, 430_090), (2, 3, 65_286_784, 438_154)],
)
def test_ghostnet_table_5(ratio, d, macs, params):
    """Prints 125 M/0.85 M and, with s = 2, 63 M/0.43 M: that is d = 1, and not the d = 3 of the other tables."""
    total = cost.resnet_56(RESNET, ratio, d).total
    assert (total.macs, total.params) == (macs, params)


# ---- the width and the size as symbols

ALPHA, R = sympy.symbols("alpha r", positive=True)


def value(expression, width, size):
    return sympy.sympify(expression).subs({ALPHA: width, R: size})


@pytest.mark.parametrize("price", [cost.mobilenet_v1, cost.mobilenet_v1_dense], ids=lambda price: price.__name__)
def test_symbols_are_exact_where_channels_and_strides_divide(price):
    letters = price(MOBILENET, ALPHA, R)
    quarters = [sympy.Rational(number, 4) for number in (1, 2, 3, 4, 5)]
    for width, size in itertools.product(quarters, (32, 160, 224)):
        numbers = price(MOBILENET, float(width), size)
        for row, expected in zip(letters.rows, numbers.rows, strict=True):
            assert value(row.cost.macs, width, size) == expected.cost.macs
            assert value(row.cost.params, width, size) == expected.cost.params
        assert value(letters.total.macs, width, size) == numbers.total.macs


def test_mobilenet_is_a_polynomial():
    total = cost.mobilenet_v1(MOBILENET, ALPHA, R).total
    assert (
        sympy.expand(total.macs) == 10752 * ALPHA**2 * R**2 + sympy.Rational(1125, 2) * ALPHA * R**2 + 1024000 * ALPHA
    )
    assert sympy.expand(total.params) == 3139584 * ALPHA**2 + 1091392 * ALPHA + 1000


def test_mobilenet_is_not_a_polynomial_where_channels_are_rounded():
    letters = cost.mobilenet_v1(MOBILENET, ALPHA, 224).total.macs
    assert letters.subs(ALPHA, sympy.Rational(3, 10)) > cost.mobilenet_v1(MOBILENET, 0.3).total.macs


def test_ghostnet_as_a_polynomial_lacks_only_the_rounding_of_the_gates():
    letters, numbers = cost.ghostnet(GHOSTNET, ALPHA, R), cost.ghostnet(GHOSTNET)
    differ = [
        row.name
        for row, exact in zip(letters.rows, numbers.rows, strict=True)
        if value(row.cost.macs, 1, 224) != exact.cost.macs
    ]
    assert differ and all(".se." in name for name in differ)
    assert sympy.Poly(sympy.expand(letters.total.macs), ALPHA, R).total_degree() == 4
    assert numbers.total.macs - value(letters.total.macs, 1, 224) == 768


# ---- refusals


@pytest.mark.parametrize("width", [0, -1, float("nan"), "1", True])
@pytest.mark.parametrize(
    "price",
    [
        lambda width: cost.mobilenet_v1(MOBILENET, width),
        lambda width: cost.mobilenet_v1_dense(MOBILENET, width),
        lambda width: cost.ghostnet(GHOSTNET, width),
    ],
)
def test_a_bad_width_is_refused(price, width):
    with pytest.raises(ValueError, match="width_multiplier"):
        price(width)


@pytest.mark.parametrize("ratio", [1, 2.5, 0])
def test_a_bad_ratio_is_refused(ratio):
    for price, rows in [(cost.vgg_16, VGG), (cost.resnet_56, RESNET)]:
        with pytest.raises(ValueError, match=f"ratio .*{ratio}"):
            price(rows, ratio)


@pytest.mark.parametrize(
    "price, told",
    [
        (lambda: cost.ghostnet([]), "rows .*\\(\\)"),
        (lambda: cost.ghostnet([(3, 16, 16, False, 0)]), "stride .*0"),
        (lambda: cost.mobilenet_v1([(0, 64)]), "stride .*0"),
        (lambda: cost.resnet_56([(1.5, 16, 1)]), "blocks .*1.5"),
        (lambda: cost.vgg_16([(64.5, False)], 2), "out_channels .*64.5"),
        (lambda: cost.vgg_16(VGG, 2, dw_kernel_size=4), "dw_kernel_size .*4"),
    ],
)
def test_rows_and_kernels_that_make_no_network_are_refused(price, told):
    with pytest.raises(ValueError, match=told):
        price()


def test_a_table_may_be_an_array():
    assert cost.resnet_56(np.array(RESNET), 2).total == cost.resnet_56(RESNET, 2).total
