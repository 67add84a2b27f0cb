"""Four tellings of one number: algebra, multiplications counted in the loops, torch's own counter, and count()."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, models
from dslib.counting import Tally, count, counting_numbers, plain_numbers
from dslib.functional import conv2d_loops
from tests.support import published
from tests.support.published import rounds


@st.composite
def convolutions(draw):
    """The arguments of a Conv2d small enough to loop over, and an input that it fits, of 1 or 2 images."""
    groups = draw(st.sampled_from([1, 1, 2, 3]))
    kernel_size = draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    padding = draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(st.integers(0, 2), st.integers(0, 2))))
    sides = [step * (side - 1) + 1 + draw(st.integers(0, 3)) for side, step in zip(kernel_size, dilation, strict=True)]
    arguments = dict(
        in_channels=groups * draw(st.integers(1, 2)),
        out_channels=groups * draw(st.integers(1, 3)),
        kernel_size=kernel_size,
        stride=(1, 1) if padding == "same" else draw(st.tuples(st.integers(1, 3), st.integers(1, 2))),
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


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@settings(max_examples=60, deadline=None, derandomize=True)
@given(convolutions())
def test_four_witnesses_of_a_convolution(case):
    arguments, size = case
    layer, x, tally = nn.Conv2d(**arguments).double(), torch.rand(size, dtype=torch.float64), Tally()
    report, output = count(layer, x), layer(x)
    bias = None if layer.bias is None else layer.bias.tolist()
    move = dict(stride=layer.stride, padding=layer.padding, dilation=layer.dilation, groups=layer.groups)
    looped = plain_numbers(conv2d_loops(x.tolist(), counting_numbers(layer.weight, tally), bias, **move))
    np.testing.assert_allclose(looped, output.detach())
    channels = arguments["in_channels"], arguments["out_channels"]
    algebra = cost.conv2d(*channels, layer.kernel_size, output.shape[2:], layer.groups, bias is not None)
    assert report.macs == size[0] * algebra.macs == tally.multiplications == seen_by_torch(layer, x)
    assert tally.additions == report.macs + (0 if bias is None else output.numel())
    assert report.params == algebra.params
    assert report == count(layer, input_size=size)
    assert count(layer, input_size=size, backward=True).macs == 3 * report.macs
    assert count(layer, x, per_image=True).macs == algebra.macs


# {name: (arguments, the paper's MACs and parameters if it prints them)}
NETWORKS = {
    "mobilenet_v1": ({}, published.MOBILENET_TABLE_4["separable"]),
    "mobilenet_v1_standard": ({"width_multiplier": 0.5}, None),
    "ghostnet": ({}, published.GHOSTNET_TABLE_7[1]),
    "vgg_16_cifar": ({}, None),
    "ghost_vgg_16_cifar": ({"ratio": 3}, None),
}


@pytest.mark.parametrize("size", [32, 96, 224])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_the_book_against_the_algebra_layer_by_layer(name, size):
    options, printed = NETWORKS[name]
    model, net = getattr(models, name)(**options).eval(), getattr(cost, name)(input_size=size, **options)
    report = count(model, input_size=(1, 3, size, size))
    assert (report.macs, report.params, report.uncounted) == (net.total.macs, net.total.params, ())
    priced = [(row.name, row.cost.macs) for row in net.rows if row.cost.macs]
    assert [(row.where, row.macs) for row in report.rows] == priced
    if size == 224 and printed:
        assert all(map(rounds, printed, (report.macs, report.params)))
        assert report.macs == seen_by_torch(model, torch.zeros(1, 3, size, size))


@pytest.mark.parametrize("name", ["mobilenet_v1", "ghostnet", "ghost_vgg_16_cifar"])
def test_networks_of_the_book_on_batches_forward_and_backward(name):
    """The image gets a gradient as well; the ghosts that are dropped too."""
    options, size = NETWORKS[name][0], (5, 3, 32, 32)
    once = getattr(cost, name)(input_size=32, **options).total.macs
    model = getattr(models, name)(**options).eval()
    assert count(model, input_size=size).macs == 5 * once
    assert count(model, input_size=size, per_image=True).macs == once
    assert count(model, input_size=size, backward=True).macs == 3 * 5 * once
    assert count(model, torch.zeros(size)) == count(model, torch.zeros(size, device="meta"))
    first = count(model, torch.zeros(1, 3, 32, 32), backward=True)  # a real image needs no gradient
    assert 3 * once - first.macs == first.rows[0].macs
