"""count(elementwise=True): convolutions written by hand from multiplications and sums, and what is none.

A depthwise convolution of 2 images of 3 channels, 8 by 9, kernel 3 by 3: as many multiplications as the layer has MACs.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib import functional, layers
from dslib.counting import count

devices = pytest.mark.parametrize("device", ["cpu", "meta"])
TAPS = [(i, j) for i in range(3) for j in range(3)]
SAME, VALID = 9 * (2 * 3 * 8 * 9), 9 * (2 * 3 * 6 * 7)  # multiplications with padding 1 and 0


def products(x, weight):
    """The 9 shifted maps, each times its weight."""
    padded = F.pad(x, (1, 1, 1, 1))
    return [weight[:, i, j, None, None] * padded[:, :, i : i + x.shape[2], j : j + x.shape[3]] for i, j in TAPS]


def accumulator(x, weight):
    y = torch.zeros_like(x)
    for product in products(x, weight):
        y = y + product
    return y


def in_place(x, weight):
    y = torch.zeros_like(x)
    for product in products(x, weight):
        y += product
    return y


def minus(x, weight):
    y = torch.zeros_like(x)
    for product in products(x, -weight):
        y -= product
    return y


def zeros_of_another_type(x, weight):
    y = torch.zeros(x.shape, dtype=torch.float64, device=x.device).to(x.dtype)
    for product in products(x, weight):
        y = y + product
    return y


def python_sum(x, weight):
    return sum(products(x, weight))


def reduced(x, weight):
    return torch.stack(products(x, weight)).sum(0)


def with_bias(x, weight):
    return in_place(x, weight) + weight[:, 0, 0, None, None]


def addcmul(x, weight):
    padded, y = F.pad(x, (1, 1, 1, 1)), torch.zeros_like(x)
    for i, j in TAPS:
        y = torch.addcmul(y, weight[:, i, j, None, None], padded[:, :, i : i + x.shape[2], j : j + x.shape[3]])
    return y


def addcmul_in_place(x, weight):
    padded, y = F.pad(x, (1, 1, 1, 1)), x.new_full(x.shape, 0)
    for i, j in TAPS:
        y.addcmul_(weight[:, i, j, None, None], padded[:, :, i : i + x.shape[2], j : j + x.shape[3]])
    return y


def turned_in_place(x, weight):
    return sum(product.unsqueeze_(0) for product in products(x, weight))


def on_slices(x, weight):
    """Every output channel is a slice that is added to in place."""
    y = torch.zeros(2, 3, 6, 7, device=x.device)
    for channel in range(3):
        for i, j in TAPS:
            y[:, channel] += weight[channel, i, j] * x[:, channel, i : i + 6, j : j + 7]
    return y


def multiply_then_sum(x, weight):
    return (x.unfold(2, 3, 1).unfold(3, 3, 1) * weight[:, None, None]).sum((-2, -1))


def multiply_then_mean(x, weight):
    return (F.unfold(x, 3).reshape(2, 3, 9, -1) * weight.reshape(3, 9, 1)).mean(2)


# {function: (multiplications, calls of mul or addcmul)}
BY_HAND = {
    accumulator: (SAME, 9),
    in_place: (SAME, 9),
    minus: (SAME, 9),
    zeros_of_another_type: (SAME, 9),
    python_sum: (SAME, 9),
    reduced: (SAME, 9),
    with_bias: (SAME, 9),
    addcmul: (SAME, 9),
    addcmul_in_place: (SAME, 9),
    turned_in_place: (SAME, 9),
    on_slices: (VALID, 27),
    multiply_then_sum: (VALID, 1),
    multiply_then_mean: (VALID, 1),
}


def pair(device):
    return torch.ones(2, 3, 8, 9, device=device), torch.ones(3, 3, 3, device=device)


@devices
@pytest.mark.parametrize("function", BY_HAND, ids=lambda function: function.__name__)
def test_a_depthwise_convolution_by_hand(function, device):
    x, weight = pair(device)
    multiplications, calls = BY_HAND[function]
    report = count(function, x, weight, elementwise=True)
    assert (report.macs, report.by_hand_macs, len(report.rows)) == (0, multiplications, calls)
    assert {(row.macs, row.by_hand_macs) for row in report.rows} == {(0, multiplications // calls)}
    layer = F.conv2d(x, weight[:, None], groups=3, padding=int(multiplications == SAME))
    assert multiplications == 9 * layer.numel()
    assert count(function, x, weight).by_hand_macs == 0


@devices
def test_a_dense_convolution_by_hand(device):
    weight = torch.ones(4, 3, 3, 2, device=device)

    def dense(x):
        y = torch.zeros(1, 4, 5, 6, device=x.device)
        for i in range(3):
            for j in range(2):
                window = x[:, None, :, i : i + 5, j : j + 6]
                y = y + (weight[:, :, i, j, None, None] * window).sum(2)
        return y

    x = torch.ones(1, 3, 7, 7, device=device)
    report = count(dense, x, elementwise=True)
    assert (report.macs, report.by_hand_macs) == (0, 4 * (5 * 6) * 3 * 6)
    assert count(lambda x: F.conv2d(x, weight), x).macs == 4 * (5 * 6) * 3 * 6


def test_by_hand_and_backward():
    """Forward, the gradient of the input and that of the weight: three times the same number."""
    x, weight = pair("cpu")
    report = count(python_sum, x.requires_grad_(), weight.requires_grad_(), elementwise=True, backward=True)
    assert (report.macs, report.by_hand_macs) == (0, 3 * SAME)


def test_macs_and_macs_by_hand_are_kept_apart_and_in_order():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 3, 3))
            self.pointwise = nn.Conv2d(3, 5, 1)

        def forward(self, x):
            return self.pointwise(python_sum(F.conv2d(x, self.weight[None].mT), self.weight))

    report = count(Pair(), torch.ones(2, 3, 10, 11), elementwise=True)
    first, last = 2 * 1 * (8 * 9) * 27, 2 * 5 * (8 * 9) * 3
    by_hand = 2 * 3 * 8 * 9
    found = [(row.operation, row.macs, row.by_hand_macs) for row in report.rows]
    assert found == [("convolution", first, 0), *[("mul", 0, by_hand)] * 9, ("convolution", last, 0)]
    assert (report.macs, report.flops, report.by_hand_macs) == (first + last, 2 * (first + last), 9 * by_hand)
    assert report.params == 27 + 20
    assert sum(row.params for row in report.rows) == 47
    per_image = count(Pair(), torch.ones(2, 3, 10, 11), elementwise=True, per_image=True)
    assert (per_image.macs, per_image.by_hand_macs) == ((first + last) // 2, 9 * by_hand // 2)
    assert "by hand" in report.table()[0] and "by hand" not in count(Pair(), torch.ones(2, 3, 10, 11)).table()[0]


def test_a_function_of_this_library_that_uses_products_needs_no_second_count():
    """functional.conv2d is a matrix product: MACs, and none by hand."""
    x, weight = torch.ones(1, 4, 7, 6), torch.ones(6, 2, 3, 2)
    report = count(lambda x: functional.conv2d(x, weight, groups=2), x, elementwise=True)
    assert (report.macs, report.by_hand_macs) == (6 * (5 * 5) * 2 * 6, 0)


# ---- what must not be found


def layer_scale(x, weight):
    return x * weight[:, 0, 0, None, None]


def norm_by_hand(x, weight):
    centred = x - weight[:, 0, 0, None, None]
    return centred / weight[:, 1, 1, None, None].sqrt() * weight[:, 0, 1, None, None] + weight[:, 0, 2, None, None]


def folded_norm(x, weight):
    return x * weight[:, 0, 0, None, None] + weight[:, 0, 1, None, None]


def residual_stream(x, weight):
    for _ in range(4):
        x = x + F.relu(x) * weight[:, 0, 0, None, None]
    return x


def residual_stream_in_place(x, weight):
    for _ in range(4):
        x += F.relu(x) * weight[:, 0, 0, None, None]
    return x


def gates_side_by_side(x, weight):
    gated = torch.cat([x * weight[:, 0, 0, None, None], x * weight[:, 0, 1, None, None]], 1)
    return gated + torch.cat([x, x], 1)


def written_side_by_side(x, weight):
    y = torch.zeros(2, 6, 8, 9, device=x.device)
    y[:, :3] = x * weight[:, 0, 0, None, None]
    y[:, 3:] = x * weight[:, 0, 1, None, None]
    return y + torch.cat([x, x], 1)


def products_changed_in_place(x, weight):
    one, other = x * weight[:, 0, 0, None, None], x * weight[:, 0, 1, None, None]
    return one.relu_() + other.relu_()


def products_changed(x, weight):
    return (x * weight[:, 0, 0, None, None]).relu() + (x * weight[:, 0, 1, None, None]).relu()


def gate(x, weight):
    return x * x.sigmoid()


def sums_of_other_things(x, weight):
    return sum([x, x, weight[:, 0, 0, None, None]]) + torch.stack([x, x]).sum(0)


def number_times_map(x, weight):
    return 2 * x + 3 * x


def sum_of_one(x, weight):
    return (x[:, None] * weight[:, 0, 0, None, None]).sum(1)


NOT_BY_HAND = [
    sum_of_one,
    layer_scale,
    norm_by_hand,
    folded_norm,
    residual_stream,
    residual_stream_in_place,
    gates_side_by_side,
    written_side_by_side,
    products_changed_in_place,
    products_changed,
    gate,
    sums_of_other_things,
    number_times_map,
]


@devices
@pytest.mark.parametrize("function", NOT_BY_HAND, ids=lambda function: function.__name__)
def test_what_is_no_sum_of_products(function, device):
    report = count(function, *pair(device), elementwise=True)
    assert (report.rows, report.by_hand_macs, report.macs) == ((), 0, 0)


@devices
def test_a_network_of_layers_has_nothing_by_hand(device):
    model = nn.Sequential(
        layers.DepthwiseSeparableConv2d(3, 6, 3), nn.BatchNorm2d(6), nn.SiLU(), layers.GhostModule(6, 8)
    )
    x = torch.zeros(2, 3, 9, 8, device=device)
    for training in (False, True):
        report = count(model.train(training), x, elementwise=True)
        assert (report.by_hand_macs, report.macs) == (0, count(model, x).macs)


# ---- the stated limits


@devices
def test_limit_a_gate_of_two_products_looks_like_a_sum(device):
    def mixed(x, weight):
        share = x.sigmoid()
        return share * x + (1 - share) * x

    assert count(mixed, *pair(device), elementwise=True).by_hand_macs == 2 * (2 * 3 * 8 * 9)


@devices
@pytest.mark.parametrize("start", ["a bias", "a number", "full"])
def test_limit_a_sum_that_starts_from_a_bias_is_missed(start, device):
    def biased(x, weight):
        bias = {"a bias": weight[:, 0, 0, None, None], "a number": 3.0, "full": torch.full_like(x, 3.0)}[start]
        return sum(products(x, weight), bias)

    assert count(biased, *pair(device), elementwise=True).by_hand_macs == 0


@devices
def test_limit_a_scaled_map_that_is_reduced_looks_like_a_convolution(device):
    report = count(lambda x, w: layer_scale(x, w).mean((2, 3)), *pair(device), elementwise=True)
    assert report.by_hand_macs == 2 * 3 * 8 * 9
