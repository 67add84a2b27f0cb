"""Prices of single layers and units: against counted multiplications, torch's modules and counter, and papers."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, layers
from dslib.cost import Cost
from dslib.counting import Tally, counting_numbers
from dslib.functional import conv2d_loops
from tests.support import published
from tests.support.published import rounds

FIELDS = [field.name for field in dataclasses.fields(Cost)]


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
        cost.ghost_module(in_channels, out_channels, kernel_size, size, ratio, dw_kernel_size).macs == primary + cheap
    )


def test_a_pair_by_hand():
    """2 to 4 channels, 4x4 maps, K = 3, padded: 16 * 2 * 9 and 16 * 2 * 4 MACs instead of 16 * 2 * 4 * 9."""
    depthwise, pointwise = cost.depthwise_conv2d(2, 3, 4), cost.pointwise_conv2d(2, 4, 4)
    assert (depthwise.flops, pointwise.flops) == (2 * 288, 2 * 128)
    standard = cost.conv2d(2, 4, 3, 4)
    assert (standard.flops, standard.params) == (2 * 1152, 72)
    multiplications, _, y = counted((4, 2, 3, 3), (2, 4, 4), padding=1)
    assert y[0][0][0][0].tally.operations == 2 * multiplications == standard.flops


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
    "standard": (nn.Conv2d(16, 24, 3, padding=1), image(16, 14, 14), cost.conv2d(16, 24, 3, 14, bias=True)),
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
    "linear": (nn.Linear(70, 30), torch.zeros(1, 70), cost.linear(70, 30)),
    "linear, no bias": (nn.Linear(70, 30, bias=False), torch.zeros(1, 70), cost.linear(70, 30, bias=False)),
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
    expected = cost.ghost_module(5, out_channels, 3, (7, 10), ratio, 5, input_size=(13, 20))
    assert expected == seen_by_torch(module, x)


# ---- published figures (MACs, which the papers call FLOPs or Mult-Adds)


def test_mobilenet_table_3():
    pair = cost.depthwise_separable_conv2d
    steps = [cost.conv2d(512, 512, 3, 14), pair(512, 512, 3, 14), pair(384, 384, 3, 14), pair(384, 384, 3, 10)]
    for step, (macs, params) in zip(steps, published.MOBILENET_TABLE_3, strict=True):
        assert rounds(macs, step.macs) and rounds(params, step.params)


def test_mobilenet_times_fewer():
    """1 / (1/N + 1/K^2) is below both N and K^2: what the paper says of 3x3 kernels holds from 72 channels on."""

    def times(channels, kernel_size=3):
        standard = cost.conv2d(channels, channels, kernel_size, 14).macs
        return Fraction(standard, cost.depthwise_separable_conv2d(channels, channels, kernel_size, 14).macs)

    low, high = published.MOBILENET_SECTION_3_1_FEWER
    assert times(64) == 1 / (Fraction(1, 64) + Fraction(1, 9)) and times(64, 5) == 1 / (
        Fraction(1, 64) + Fraction(1, 25)
    )
    assert times(71) < low == times(72) < times(10**6) < high


@pytest.mark.parametrize("C, d", published.RESNEXT_TABLE_2[1].items())
def test_resnext_blocks(C, d):
    """As many parameters for every cardinality C, near enough."""
    narrow, widen = cost.pointwise_conv2d(256, C * d, 56), cost.pointwise_conv2d(C * d, 256, 56)
    block = narrow + cost.conv2d(C * d, C * d, 3, 56, groups=C) + widen
    assert rounds(published.RESNEXT_TABLE_2[0], block.params, 1000)


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
    layer = cost.depthwise_conv2d(512, 3, 14)  # 9 * 196 * 2 FLOPs; 2 * 196 + 9 numbers, for each channel
    assert layer.arithmetic_intensity(1) == 2 * 9 * 196 / (2 * 196 + 9)


def test_arithmetic_intensity_is_refused_without_traffic_or_with_a_bad_width():
    with pytest.raises(ValueError, match="params=0, macs=0, elements_read=0, elements_written=0"):
        Cost(0, 0, 0, 0).arithmetic_intensity()
    for width in (0, -4, 0.5):
        with pytest.raises(ValueError, match=f"bytes_per_element .*{width}"):
            cost.linear(3, 4).arithmetic_intensity(width)
