"""dslib.cost against counted multiplications, against torch's modules and counter, and against published numbers."""

import dataclasses
import inspect

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, layers
from dslib.cost import Cost
from dslib.counting import Tally, counting_numbers
from dslib.functional import conv2d_loops

FIELDS = [field.name for field in dataclasses.fields(Cost)]


def symbols(names):
    return sympy.symbols(names, positive=True, integer=True)


def equal(left, right):
    return sympy.simplify(left - right) == 0


# ---- counted, multiplication by multiplication


@st.composite
def small_convolutions(draw):
    """Channels, groups, kernel, input size and how the kernel moves: small enough to loop over, never degenerate."""
    groups = draw(st.integers(1, 3))
    kernel_size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    extent = [step * (side - 1) + 1 for side, step in zip(kernel_size, dilation, strict=True)]
    return dict(
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 2)),
        groups=groups,
        kernel_size=kernel_size,
        input_size=tuple(side + draw(st.integers(0, 3)) for side in extent),
        move=dict(
            stride=draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
            padding=draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
            dilation=dilation,
        ),
    )


def counted(weight_shape, input_shape, **move):
    """Multiplications that the seven loops really do for one image, and the output size that they reach."""
    tally = Tally()
    weight = counting_numbers(np.ones(weight_shape, dtype=int), tally)
    y = conv2d_loops(np.ones((1, *input_shape), dtype=int).tolist(), weight, **move)
    return tally.multiplications, (len(y[0][0]), len(y[0][0][0])), y


@settings(max_examples=60, deadline=None, derandomize=True)
@given(small_convolutions())
def test_conv2d_macs_are_the_counted_multiplications(case):
    in_channels, out_channels, groups = case["in_channels"], case["out_channels"], case["groups"]
    weight_shape = (out_channels, in_channels // groups, *case["kernel_size"])
    input_shape = (in_channels, *case["input_size"])
    multiplications, output_size, _ = counted(weight_shape, input_shape, groups=groups, **case["move"])
    assert cost.conv2d(in_channels, out_channels, case["kernel_size"], output_size, groups).macs == multiplications


@settings(max_examples=40, deadline=None, derandomize=True)
@given(small_convolutions(), st.integers(1, 3))
def test_separable_macs_are_the_counted_multiplications_of_both_halves(case, depth_multiplier):
    in_channels, out_channels, kernel_size = case["in_channels"], case["out_channels"], case["kernel_size"]
    middle = in_channels * depth_multiplier
    input_shape = (in_channels, *case["input_size"])
    depthwise, size, y = counted((middle, 1, *kernel_size), input_shape, groups=in_channels, **case["move"])
    pointwise, _, _ = counted((out_channels, middle, 1, 1), (middle, *size))
    assert np.shape(y) == (1, middle, *size)

    pair = cost.depthwise_separable_conv2d(in_channels, out_channels, kernel_size, size, depth_multiplier)
    assert pair.macs == depthwise + pointwise
    assert cost.depthwise_conv2d(in_channels, kernel_size, size, depth_multiplier).macs == depthwise
    assert cost.pointwise_conv2d(middle, out_channels, size).macs == pointwise


@settings(max_examples=40, deadline=None, derandomize=True)
@given(small_convolutions(), st.integers(2, 4), st.sampled_from([1, 3]))
def test_ghost_macs_are_the_counted_multiplications_of_both_parts(case, ratio, dw_kernel_size):
    in_channels, out_channels, kernel_size = case["in_channels"], case["out_channels"], case["kernel_size"]
    intrinsic = len(range(0, out_channels, ratio))  # rounded up, by another way
    primary, size, _ = counted(
        (intrinsic, in_channels, *kernel_size), (in_channels, *case["input_size"]), **case["move"]
    )
    cheap_shape = (intrinsic * (ratio - 1), 1, dw_kernel_size, dw_kernel_size)
    cheap, same_size, _ = counted(cheap_shape, (intrinsic, *size), groups=intrinsic, padding=dw_kernel_size // 2)
    assert same_size == size
    assert (
        cost.ghost_module(in_channels, out_channels, size, kernel_size, ratio, dw_kernel_size).macs == primary + cheap
    )


def test_note_003_counts_832_operations_where_the_note_says_1408():
    """Operations are 2 per MAC: 2 -> 4 channels, 4x4 maps, K = 3, padded."""
    depthwise, pointwise = cost.depthwise_conv2d(2, 3, 4), cost.pointwise_conv2d(2, 4, 4)
    assert (depthwise.flops, pointwise.flops) == (576, 256)
    pair = cost.depthwise_separable_conv2d(2, 4, 3, 4)
    dense = cost.conv2d(2, 4, 3, 4)
    assert (pair.flops, pair.params, dense.flops, dense.params) == (832, 26, 2304, 72)
    assert round(pair.flops / dense.flops, 3) == 0.361
    multiplications, _, y = counted((4, 2, 3, 3), (2, 4, 4), padding=1)
    assert y[0][0][0][0].tally.operations == 2 * multiplications == dense.flops


# ---- against torch: parameters, what its own counter sees, and the sizes of the tensors that pass


def seen_by_torch(module, x):
    """What torch shows of one forward pass: parameters, FlopCounterMode / 2, elements in and out of each layer."""
    traffic = []
    leaves = [leaf for leaf in module.modules() if not list(leaf.children())]
    hooks = [
        leaf.register_forward_hook(lambda _, ins, out: traffic.append((ins[0].numel(), out.numel()))) for leaf in leaves
    ]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    for hook in hooks:
        hook.remove()
    params = sum(parameter.numel() for parameter in module.parameters())
    read, written = (sum(numbers) for numbers in zip(*traffic, strict=True))
    assert len(traffic) == len(leaves)
    return Cost(params, counter.get_total_flops() // 2, read + params, written)


def image(channels, *size):
    return torch.zeros(1, channels, *size)


TORCH_CASES = {
    "dense": (nn.Conv2d(16, 24, 3, padding=1), image(16, 14, 14), cost.conv2d(16, 24, 3, 14, bias=True)),
    "rectangular, strided": (
        nn.Conv2d(6, 10, (3, 5), stride=(2, 3), dilation=(1, 2), bias=False),
        image(6, 31, 40),
        cost.conv2d(6, 10, (3, 5), (15, 11), input_size=(31, 40)),
    ),
    "groups": (
        nn.Conv2d(12, 18, (5, 1), groups=6, stride=2),
        image(12, 17, 9),
        cost.conv2d(12, 18, (5, 1), (7, 5), groups=6, bias=True, input_size=(17, 9)),
    ),
    "1-D": (nn.Conv1d(16, 24, 7, padding=3, bias=False), image(16, 50), cost.conv1d(16, 24, 7, 50)),
    "1-D groups": (
        nn.Conv1d(16, 24, 4, stride=3, groups=8),
        image(16, 50),
        cost.conv1d(16, 24, 4, 16, groups=8, bias=True, input_size=50),
    ),
    "depthwise": (
        nn.Conv2d(20, 20, 3, padding=1, groups=20, bias=False),
        image(20, 9, 7),
        cost.depthwise_conv2d(20, 3, (9, 7)),
    ),
    "depthwise x3": (
        nn.Conv2d(20, 60, (3, 5), stride=2, groups=20),
        image(20, 15, 15),
        cost.depthwise_conv2d(20, (3, 5), (7, 6), depth_multiplier=3, bias=True, input_size=15),
    ),
    "pointwise": (nn.Conv2d(20, 33, 1), image(20, 9, 7), cost.pointwise_conv2d(20, 33, (9, 7), bias=True)),
    "separable": (
        nn.Sequential(nn.Conv2d(20, 40, 3, 2, 1, groups=20), nn.Conv2d(40, 33, 1)),
        image(20, 15, 20),
        cost.depthwise_separable_conv2d(20, 33, 3, (8, 10), depth_multiplier=2, bias=True, input_size=(15, 20)),
    ),
    "linear": (nn.Linear(70, 30), torch.zeros(1, 70), cost.linear(70, 30, bias=True)),
    "linear, no bias": (nn.Linear(70, 30, bias=False), torch.zeros(1, 70), cost.linear(70, 30)),
    "batch norm": (nn.BatchNorm2d(9).eval(), image(9, 5, 6), cost.batch_norm2d(9, (5, 6))),
    "layers: separable": (
        nn.Sequential(layers.DepthwiseConv2d(12, 5, stride=2), layers.PointwiseConv2d(12, 18)),
        image(12, 11, 14),
        cost.depthwise_separable_conv2d(12, 18, 5, (6, 7), input_size=(11, 14)),
    ),
}


@pytest.mark.parametrize("module, x, expected", TORCH_CASES.values(), ids=TORCH_CASES)
def test_cost_is_what_torch_shows(module, x, expected):
    assert expected == seen_by_torch(module, x)


@pytest.mark.parametrize("out_channels, ratio", [(16, 2), (7, 3), (9, 4)])
def test_ghost_module_is_what_torch_shows_of_its_two_convolutions(out_channels, ratio):
    module = layers.GhostModule(5, out_channels, kernel_size=3, ratio=ratio, dw_kernel_size=5, stride=2).eval()
    for part in (module.primary_conv, module.cheap_operation):
        del part[1:]  # keep the convolutions: norm and activation are not in the formula
    x = image(5, 13, 20)
    expected = cost.ghost_module(5, out_channels, (7, 10), 3, ratio, 5, input_size=(13, 20))
    assert expected == seen_by_torch(module, x)


# ---- symbols: the same formula, put in later


@st.composite
def calls(draw):
    """A function of dslib.cost with whole-number arguments that fit."""
    number = st.integers(1, 40)
    side = st.one_of(number, st.tuples(number, number))
    groups = draw(st.integers(1, 6))
    arguments = dict(
        in_channels=groups * draw(number),
        out_channels=groups * draw(number),
        in_features=draw(number),
        out_features=draw(number),
        channels=draw(number),
        kernel_size=draw(side),
        output_size=draw(side),
        input_size=draw(st.one_of(st.none(), side)),
        groups=groups,
        depth_multiplier=draw(st.integers(1, 4)),
        ratio=draw(st.integers(2, 6)),
        dw_kernel_size=draw(side),
        bias=draw(st.booleans()),
    )
    function = draw(st.sampled_from(FUNCTIONS))
    arguments = {name: arguments[name] for name in inspect.signature(function).parameters}
    if function is cost.conv1d:  # one axis, no pairs
        arguments |= {name: draw(number) for name in ("kernel_size", "output_size", "input_size")}
    return function, arguments


FUNCTIONS = [
    cost.conv2d,
    cost.conv1d,
    cost.depthwise_conv2d,
    cost.pointwise_conv2d,
    cost.depthwise_separable_conv2d,
    cost.ghost_module,
    cost.linear,
    cost.batch_norm2d,
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(calls(), st.data())
def test_symbols_become_the_same_ints(call, data):
    """Any part of the arguments may be symbols, plain or known to be positive integers, the rest whole numbers."""
    function, arguments = call
    numbers = function(**arguments)
    assert all(type(getattr(numbers, name)) is int for name in FIELDS)

    known = data.draw(st.sampled_from([{}, dict(positive=True, integer=True)]))
    values = {}

    def veil(name, value):
        if value is None or isinstance(value, bool) or not data.draw(st.booleans()):
            return value
        if isinstance(value, tuple):
            return tuple(veil(f"{name}_{axis}", part) for axis, part in enumerate(value))
        values[sympy.Symbol(name, **known)] = value
        return sympy.Symbol(name, **known)

    expressions = function(**{name: veil(name, value) for name, value in arguments.items()})
    for name in FIELDS:
        result = sympy.sympify(getattr(expressions, name)).subs(values)
        assert result.is_Integer and result == getattr(numbers, name), (name, result)


def test_the_ratio_of_separable_to_dense_is_one_over_n_plus_one_over_k_squared():
    C, N, K, H, W = symbols("C N K H W")
    pair, dense = cost.depthwise_separable_conv2d(C, N, K, (H, W)), cost.conv2d(C, N, K, (H, W))
    assert equal(pair.macs / dense.macs, 1 / N + 1 / K**2)
    assert equal(pair.params / dense.params, 1 / N + 1 / K**2)
    split = cost.pointwise_conv2d(C, N, H).macs / cost.depthwise_conv2d(C, K, H).macs
    assert equal(split, N / K**2)
    in_one = cost.conv1d(C, C, K, W, groups=C) + cost.conv1d(C, N, 1, W)
    assert equal(in_one.macs / cost.conv1d(C, N, K, W).macs, 1 / N + 1 / K)


def test_groups_divide_the_weights_and_depthwise_is_the_last_step():
    C, m, K, H, G = symbols("C m K H G")
    assert equal(cost.conv2d(C, m, K, H, groups=G).macs, cost.conv2d(C, m, K, H).macs / G)
    assert cost.depthwise_conv2d(C, K, H, m).macs == C * m * K**2 * H**2
    assert cost.conv2d(C, C, K, H, groups=C) == cost.depthwise_conv2d(C, K, H)


def test_the_speed_up_of_a_ghost_module():
    c, m, s, k, d, H = symbols("c m s k d H")
    ghost, dense = cost.ghost_module(c, s * m, H, k, s, d), cost.conv2d(c, s * m, k, H)
    assert equal(dense.macs / ghost.macs, s * c * k**2 / (c * k**2 + (s - 1) * d**2))
    assert equal(dense.params / ghost.params, s * c * k**2 / (c * k**2 + (s - 1) * d**2))
    exact, rounded = dense.macs / ghost.macs, s * c / (s + c - 1)  # arXiv 1911.11907, equation 4
    assert equal(exact.subs(d, k), rounded)
    assert [round(float(rounded.subs({s: 2, c: channels})), 2) for channels in (16, 72)] == [1.88, 1.97]
    assert exact.subs({c: 10, k: 3, s: 3, d: 3}) == sympy.Rational(5, 2)  # 1.944 once seven maps are rounded up to nine


def test_bias_and_norm_in_symbols():
    C, N, K, H, W, h, w = symbols("C N K H W h w")
    bare, biased = cost.conv2d(C, N, K, (H, W)), cost.conv2d(C, N, K, (H, W), bias=True)
    assert biased.params - bare.params == N and biased.macs == bare.macs
    assert equal(biased.elements_read - bare.elements_read, N) and biased.elements_written == N * H * W
    assert cost.conv2d(C, N, 1, (H, W), input_size=(h, w)).elements_read == C * h * w + C * N
    norm = cost.batch_norm2d(C, (H, W))
    assert norm == Cost(2 * C, 0, C * H * W + 2 * C, C * H * W)


# ---- published numbers (MACs, which the papers call FLOPs or Mult-Adds)


def test_mobilenet_table_3():
    """arXiv 1704.04861, Table 3: 462/2.36, 52.3/0.27, 29.6/0.15, 15.1/0.15 million."""
    dense = cost.conv2d(512, 512, 3, 14)
    pair = cost.depthwise_separable_conv2d(512, 512, 3, 14)
    narrow, small = (cost.depthwise_separable_conv2d(384, 384, 3, size) for size in (14, 10))
    macs = [round(row.macs / 1e6, 2) for row in (dense, pair, narrow, small)]
    params = [round(row.params / 1e6, 4) for row in (dense, pair, narrow, small)]
    assert macs == [462.42, 52.28, 29.58, 15.09]
    assert params == [2.3593, 0.2668, 0.1509, 0.1509]


MOBILENET_BLOCKS = [  # in, out, output size: arXiv 1704.04861, Table 1, with stride 1 in the last row
    *[(32, 64, 112), (64, 128, 56), (128, 128, 56), (128, 256, 28), (256, 256, 28), (256, 512, 14)],
    *[(512, 512, 14)] * 5,
    *[(512, 1024, 7), (1024, 1024, 7)],
]


def test_mobilenet_in_all():
    stem, head = cost.conv2d(3, 32, 3, 112, input_size=224), cost.linear(1024, 1000, bias=True)
    blocks = [cost.depthwise_separable_conv2d(c, n, 3, size) for c, n, size in MOBILENET_BLOCKS]
    norms = [cost.batch_norm2d(32, 112)]
    norms += [cost.batch_norm2d(c, size) + cost.batch_norm2d(n, size) for c, n, size in MOBILENET_BLOCKS]
    convolutions = sum(blocks, start=stem)
    assert (convolutions.params, convolutions.macs) == (3_185_088, 567_716_352)
    network = sum([convolutions, *norms, head])
    assert (network.params, network.macs) == (4_231_976, 568_740_352)


def test_mobilenet_times_fewer():
    """1 / (1/N + 1/K^2) is below both N and K^2: "8 to 9 times" for 3x3 holds from 72 channels on."""

    def times(channels, kernel_size=3):
        dense = cost.conv2d(channels, channels, kernel_size, 14).macs
        return dense / cost.depthwise_separable_conv2d(channels, channels, kernel_size, 14).macs

    assert [round(times(64), 2), round(times(32), 2), round(times(64, 5), 2)] == [7.89, 7.02, 17.98]
    assert times(71) < 8 == times(72) < times(10**6) < 9


@pytest.mark.parametrize(
    "C, d, params", [(1, 64, 69_632), (2, 40, 69_760), (4, 24, 69_888), (8, 14, 71_456), (32, 4, 70_144)]
)
def test_resnext_block(C, d, params):
    """arXiv 1611.05431, Table 2: about 70 thousand parameters for every cardinality."""
    assert cost.bottleneck(256, C * d, 56, groups=C).params == params


def test_shufflenet_units():
    """arXiv 1707.01083, section 3.2: bottlenecks of ResNet, ResNeXt and ShuffleNet on a c x h x w input."""
    c, m, h, w, g = symbols("c m h w g")
    assert equal(cost.bottleneck(c, m, (h, w)).macs, h * w * (2 * c * m + 9 * m**2))
    assert equal(cost.bottleneck(c, m, (h, w), g).macs, h * w * (2 * c * m + 9 * m**2 / g))
    assert equal(cost.shufflenet_unit(c, m, (h, w), g).macs, h * w * (2 * c * m / g + 9 * m))


@pytest.mark.parametrize("groups", [1, 4])
def test_units_are_what_torch_shows(groups):
    """The same three convolutions by torch, with the shuffle and the middle's groups that the papers draw."""
    narrow, widen = nn.Conv2d(24, 8, 1, groups=groups, bias=False), nn.Conv2d(8, 24, 1, groups=groups, bias=False)
    shuffled = nn.Sequential(narrow, nn.ChannelShuffle(groups), nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), widen)
    grouped = nn.Sequential(
        nn.Conv2d(24, 8, 1, bias=False),
        nn.Conv2d(8, 8, 3, padding=1, groups=groups, bias=False),
        nn.Conv2d(8, 24, 1, bias=False),
    )
    x = image(24, 5, 6)
    expected = [seen_by_torch(grouped, x), seen_by_torch(shuffled, x)]
    units = [cost.bottleneck(24, 8, (5, 6), groups), cost.shufflenet_unit(24, 8, (5, 6), groups)]
    assert [(unit.params, unit.macs) for unit in units] == [(seen.params, seen.macs) for seen in expected]


def test_qanet_convolution():
    """arXiv 1804.09541: one dimension, kernel 7, 128 channels."""
    dense = cost.conv1d(128, 128, 7, 400)
    pair = cost.conv1d(128, 128, 7, 400, groups=128) + cost.conv1d(128, 128, 1, 400)
    assert (dense.params, pair.params) == (114_688, 17_280)


@pytest.mark.parametrize(
    "in_channels, out_channels, kernel_size, ratio, times, digits",
    [(16, 16, 1, 2, 1.28, 2), (72, 72, 1, 2, 1.78, 2), (10, 7, 3, 3, 1.944, 3)],
)
def test_ghost_speed_up_with_the_rounding_of_the_authors_code(
    in_channels, out_channels, kernel_size, ratio, times, digits
):
    dense = cost.conv2d(in_channels, out_channels, kernel_size, 14).macs
    ghost = cost.ghost_module(in_channels, out_channels, 14, kernel_size, ratio).macs
    assert round(dense / ghost, digits) == times


def test_bias_and_norm_change_the_ratio_of_parameters():
    assert cost.conv2d(6, 10, 3, 98, bias=True, input_size=100).params == 550
    assert cost.conv2d(6, 10, 3, 98, groups=2, bias=True, input_size=100).params == 280
    pair, dense = cost.depthwise_separable_conv2d(3, 32, 3, 112), cost.conv2d(3, 32, 3, 112)
    assert round(pair.params / dense.params, 3) == 0.142
    between, after = cost.batch_norm2d(3, 112), cost.batch_norm2d(32, 112)
    assert round((pair + between + after).params / (dense + after).params, 3) == 0.208


# ---- Cost itself


def test_costs_add_up():
    first, second = Cost(1, 20, 300, 4000), Cost(5, 60, 700, 8000)
    assert first + second == Cost(6, 80, 1000, 12000)
    assert sum([first, second, first]) == Cost(7, 100, 1300, 16000)
    assert first.flops == 40


@pytest.mark.parametrize("other", [1, 0.0, None, (1, 20, 300, 4000)])
def test_only_costs_add_up(other):
    with pytest.raises(TypeError):
        Cost(1, 20, 300, 4000) + other
    with pytest.raises(TypeError):
        other + Cost(1, 20, 300, 4000)


def test_a_cost_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Cost(1, 2, 3, 4).params = 5


def test_arithmetic_intensity():
    operation = Cost(params=5, macs=600, elements_read=70, elements_written=30)
    assert operation.arithmetic_intensity() == 3.0
    assert operation.arithmetic_intensity(2) == 6.0
    assert round(cost.depthwise_conv2d(512, 3, 14).arithmetic_intensity(), 2) == 2.2
    C, H = symbols("C H")
    assert sympy.limit(cost.depthwise_conv2d(C, 3, H).arithmetic_intensity(), H, sympy.oo) == sympy.Rational(9, 4)
    b = symbols("b")
    assert equal(cost.conv2d(C, C, 3, H).arithmetic_intensity(b), 18 * C * H**2 / (b * (2 * H**2 + 9 * C)))


def test_arithmetic_intensity_is_refused_without_traffic_or_with_a_bad_width():
    with pytest.raises(ValueError, match="params=0, macs=0, elements_read=0, elements_written=0"):
        Cost(0, 0, 0, 0).arithmetic_intensity()
    for width in (0, -4, 0.5):
        with pytest.raises(ValueError, match=f"bytes_per_element .*{width}"):
            cost.linear(3, 4).arithmetic_intensity(width)


# ---- kinds of numbers


def test_every_integer_type_gives_exact_ints():
    big = 10**6
    expected = cost.conv2d(big, big, 3, big)
    assert expected.macs == 9 * 10**24  # beyond 64 bits: numpy must not have done the arithmetic
    for kind in (np.int64, np.int32, sympy.Integer):
        got = cost.conv2d(kind(big), kind(big), kind(3), (kind(big), big), groups=kind(1))
        assert got == expected and all(type(getattr(got, name)) is int for name in FIELDS)


def test_ceiling_vanishes_where_the_ratio_divides():
    c, m, n, s = symbols("c m n s")
    assert not cost.ghost_module(c, s * m, 7, ratio=s).macs.has(sympy.ceiling)
    assert cost.ghost_module(c, n, 7, ratio=s).macs.has(sympy.ceiling)


# ---- refusals

free = sympy.Symbol("free")
half, minus_one = sympy.Rational(1, 2), sympy.Integer(-1)
BAD_NUMBERS = [0, -3, 2.0, 1.5, True, "3", None, half, minus_one, sympy.Float(2), sympy.pi, sympy.oo, (3, 3, 3)]
BAD_NUMBERS += [sympy.Symbol("half", integer=False), sympy.Symbol("debt", negative=True)]


@pytest.mark.parametrize("bad", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_bad_numbers_are_refused_by_name_and_value(function, bad):
    """Each argument in turn, among numbers and among symbols; None alone is fine where it is the default."""
    parameters = inspect.signature(function).parameters
    for fine in (6, free):
        good = {name: fine for name in parameters if name not in ("bias", "groups")}
        function(**good)
        for name in [name for name in parameters if name != "bias"]:
            if name == "input_size" and bad is None:
                continue
            with pytest.raises(ValueError) as error:
                function(**good | {name: bad})
            assert name in str(error.value) and repr(bad) in str(error.value)


@pytest.mark.parametrize("name", ["kernel_size", "output_size", "input_size"])
def test_both_members_of_a_pair_are_checked(name):
    good = dict(in_channels=4, out_channels=4, kernel_size=3, output_size=5)
    for pair in [(0, 3), (3, 0), (free, -1), (2.5, free), (3,), ()]:
        with pytest.raises(ValueError, match=name):
            cost.conv2d(**good | {name: pair})
    assert cost.conv2d(**good | {name: [3, 3]}) == cost.conv2d(**good | {name: (3, 3)})


@pytest.mark.parametrize("in_channels, out_channels", [(6, 9), (9, 6), (6, free), (free, 6), (2, 2)])
def test_groups_must_divide(in_channels, out_channels):
    groups = 4
    with pytest.raises(ValueError) as error:
        cost.conv2d(in_channels, out_channels, 3, 14, groups)
    told = [f"groups={groups}", f"in_channels={in_channels}", f"out_channels={out_channels}"]
    assert all(part in str(error.value) for part in told)


@pytest.mark.parametrize("bias", [1, 14, None, free])
def test_a_bias_that_is_not_a_bool_is_refused(bias):
    """The slip it catches: pointwise_conv2d(32, 64, 3, 14), as if a kernel size came first."""
    with pytest.raises(ValueError, match=f"bias .*{bias}"):
        cost.pointwise_conv2d(32, 64, 3, bias)
    with pytest.raises(ValueError, match=f"bias .*{bias}"):
        cost.linear(3, 4, bias)


def test_a_ratio_of_one_makes_no_ghosts_and_is_refused():
    with pytest.raises(ValueError, match="ratio must be at least 2, got 1"):
        cost.ghost_module(4, 8, 14, ratio=1)
