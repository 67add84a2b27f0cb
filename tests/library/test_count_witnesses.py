"""Four tellings of one number: algebra, multiplications counted in the loops, torch's own counter, and count()."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, layers, models
from dslib.counting import Tally, count, counting_numbers
from dslib.functional import conv2d_loops
from tests.support import published
from tests.support.published import rounds

# ---- random layers


@st.composite
def convolutions(draw):
    """The arguments of a Conv2d small enough to loop over, and an input that it fits, of 1 or 2 images."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    kernel_size = draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    padding = draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(st.integers(0, 2), st.integers(0, 2))))
    stride = (1, 1) if padding == "same" else draw(st.tuples(st.integers(1, 3), st.integers(1, 2)))
    sides = [step * (side - 1) + 1 + draw(st.integers(0, 3)) for side, step in zip(kernel_size, dilation, strict=True)]
    arguments = dict(
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 3)),
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
    )
    return arguments, (draw(st.integers(1, 2)), arguments["in_channels"], *sides)


def seen_by_torch(model, x):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    return counter.get_total_flops() / 2


def in_the_loops(layer, size):
    tally = Tally()
    weight = counting_numbers(np.ones(layer.weight.shape, dtype=int), tally)
    move = dict(stride=layer.stride, padding=layer.padding, dilation=layer.dilation, groups=layer.groups)
    conv2d_loops(np.ones(size, dtype=int).tolist(), weight, **move)
    return tally.multiplications


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolutions())
def test_four_witnesses_of_a_convolution(case):
    arguments, size = case
    layer, x = nn.Conv2d(**arguments), torch.zeros(size)
    report = count(layer, x)
    channels = arguments["in_channels"], arguments["out_channels"]
    output_size = report.rows[0].output[2:]
    algebra = cost.conv2d(*channels, layer.kernel_size, output_size, layer.groups, layer.bias is not None)
    assert report.macs == size[0] * algebra.macs == in_the_loops(layer, size) == seen_by_torch(layer, x)
    assert report.params == algebra.params
    assert report == count(layer, input_size=size)
    assert count(layer, input_size=size, backward=True).macs == 3 * report.macs
    assert count(layer, x, per_image=True).macs == algebra.macs


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    dims=st.integers(1, 3),
    groups=st.integers(1, 3),
    group_channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    transposed=st.booleans(),
    batch=st.integers(1, 3),
)
def test_a_convolution_of_any_dimension_against_torch(
    dims, groups, group_channels, kernel_size, stride, dilation, transposed, batch
):
    per_group_in, per_group_out = group_channels
    kind = getattr(nn, f"Conv{'Transpose' * transposed}{dims}d")
    layer = kind(groups * per_group_in, groups * per_group_out, kernel_size, stride, dilation=dilation, groups=groups)
    x = torch.zeros(batch, groups * per_group_in, *(8 + axis for axis in range(dims)))
    report, output = count(layer, x), layer(x)
    positions = (x if transposed else output)[0, 0].numel()
    assert report.macs == batch * positions * groups * per_group_in * per_group_out * kernel_size**dims
    assert report.macs == seen_by_torch(layer, x)
    assert (report.rows[0].output, report.rows[0].groups) == (output.shape, groups)
    assert count(layer, input_size=tuple(x.shape), backward=True).macs == 3 * report.macs


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, 5), max_size=2),
    st.lists(st.integers(1, 5), max_size=2),
    st.tuples(*[st.integers(1, 6)] * 3),
)
def test_a_matrix_product_of_any_rank_against_torch(left, right, sides):
    rows, inner, columns = sides
    if left and right:
        right = left[-len(right) :]  # axes that broadcast
    a, b = torch.zeros(*left, rows, inner), torch.zeros(*right, inner, columns)
    report = count(torch.matmul, a, b)
    assert report.macs == (a @ b).numel() * inner == seen_by_torch(lambda pair: pair[0] @ pair[1], (a, b))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    in_channels=st.integers(1, 8),
    out_channels=st.integers(1, 8),
    kernel_size=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 3),
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
)
def test_a_separable_pair_against_the_algebra(in_channels, out_channels, kernel_size, stride, size):
    pair = layers.DepthwiseSeparableConv2d(in_channels, out_channels, kernel_size, stride=stride).eval()
    report = count(pair, input_size=(1, in_channels, *size))
    assert [row.groups for row in report.rows] == [in_channels, 1]
    algebra = cost.depthwise_separable_conv2d(in_channels, out_channels, kernel_size, report.rows[0].output[2:])
    assert report.macs == algebra.macs
    assert sum(row.params for row in report.rows) == algebra.params


# ---- real networks

NETWORKS = {
    "mobilenet_v1": (models.mobilenet_v1, cost.mobilenet_v1, {}),
    "mobilenet_v1, 0.5": (models.mobilenet_v1, cost.mobilenet_v1, {"width_multiplier": 0.5}),
    "mobilenet_v1_standard": (models.mobilenet_v1_standard, cost.mobilenet_v1_standard, {}),
    "ghostnet": (models.ghostnet, cost.ghostnet, {}),
    "ghostnet, 1.3": (models.ghostnet, cost.ghostnet, {"width_multiplier": 1.3}),
    "vgg_16_cifar": (models.vgg_16_cifar, cost.vgg_16_cifar, {}),
    "ghost_vgg_16_cifar": (models.ghost_vgg_16_cifar, cost.ghost_vgg_16_cifar, {"ratio": 3}),
}


@pytest.mark.parametrize("size", [32, 96, 224])
@pytest.mark.parametrize("build, algebra, options", NETWORKS.values(), ids=NETWORKS)
def test_networks_of_the_book_against_the_algebra_layer_by_layer(build, algebra, options, size):
    model, net = build(**options).eval(), algebra(input_size=size, **options)
    report = count(model, input_size=(1, 3, size, size))
    assert (report.macs, report.params, report.uncounted) == (net.total.macs, net.total.params, ())
    priced = [(row.name, row.cost.macs) for row in net.rows if row.cost.macs]
    assert [(row.where, row.macs) for row in report.rows] == priced


@pytest.mark.parametrize("name", ["mobilenet_v1", "ghostnet", "ghost_vgg_16_cifar"])
def test_networks_of_the_book_on_batches_forward_and_backward(name):
    """The image gets a gradient as well; the ghosts that are dropped too."""
    build, algebra, options = NETWORKS[name]
    once = algebra(input_size=64, **options).total.macs
    model = build(**options).eval()
    assert count(model, input_size=(5, 3, 64, 64)).macs == 5 * once
    assert count(model, input_size=(5, 3, 64, 64), per_image=True).macs == once
    assert count(model, input_size=(5, 3, 64, 64), backward=True).macs == 3 * 5 * once
    first = count(model, torch.zeros(1, 3, 64, 64), backward=True)  # a real image needs no gradient
    assert 3 * once - first.macs == first.rows[0].macs


PUBLISHED = {
    "mobilenet_v1": (models.mobilenet_v1, published.MOBILENET_TABLE_4["separable"]),
    "ghostnet": (models.ghostnet, published.GHOSTNET_TABLE_7[1]),
}


@pytest.mark.parametrize("build, printed", PUBLISHED.values(), ids=PUBLISHED)
def test_numbers_of_the_papers_networks(build, printed):
    model, x = build().eval(), torch.zeros(1, 3, 224, 224)
    report = count(model, input_size=x.shape)
    assert all(map(rounds, printed, (report.macs, report.params)))
    assert report.macs == seen_by_torch(model, x) == count(model, x).macs
