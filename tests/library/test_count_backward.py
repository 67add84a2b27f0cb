"""count(backward=True): forward, the gradient of the input and that of the weight, each as many MACs as forward."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import models
from dslib.counting import count

# {name: (layer, input, MACs of forward)}; each convolution's is in test_count_layers
LAYERS = {
    "linear": (nn.Linear(4, 7), (2, 3, 4), 6 * 28),
    "linear, one vector": (nn.Linear(4, 7, bias=False), (4,), 28),
    "transformer": (
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        (2, 5, 8),
        4 * (10 * 64) + 2 * 25 * 16 + 2 * (10 * 128),
    ),
}


@pytest.mark.parametrize("layer, size, forward", LAYERS.values(), ids=LAYERS)
def test_forward_and_backward_are_three_times_forward(layer, size, forward):
    for x in ({"input_size": size}, {}):
        given = [] if x else [torch.zeros(size, requires_grad=True)]
        report = count(layer, *given, **x, backward=True)
        assert (report.macs, report.uncounted) == (3 * forward, ())
        told = [row for row in report.rows if not row.where.endswith("(backward)")]
        assert sum(row.macs for row in told) == forward


def test_depthwise_backward_is_twice_forward_where_torch_says_257():
    """torch 2.13's counter forgets the groups in backward: 1 + 257 times forward for 256 channels."""
    layer, forward = nn.Conv2d(256, 256, 3, padding=1, groups=256), 256 * 49 * 9
    x = torch.zeros(1, 256, 7, 7, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        layer(x)
    assert counter.get_total_flops() == 2 * forward  # forward is right
    report = count(layer, x, backward=True)
    assert [(row.operation, row.macs, row.groups) for row in report.rows] == [
        ("convolution", forward, 256),
        ("convolution_backward", 2 * forward, 256),
    ]


@pytest.mark.parametrize("frozen, expected", [((), 6 - 1), ((0,), 4 - 1), ((1,), 5 - 1), ((0, 1), None)])
def test_frozen_parameters_cost_no_backward(frozen, expected):
    """Two layers of equal cost, an input without gradient: forward 2, then what has to be found."""
    model = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1))
    for index in frozen:
        model[index].requires_grad_(False)
    x, one = torch.zeros(1, 4, 5, 6), 4 * 30 * 36
    if expected is None:
        with pytest.raises(ValueError, match="requires_grad"):
            count(model, x, backward=True)
        assert count(model, input_size=x.shape, backward=True).macs == 4 * one  # through both, to the input
    else:
        assert count(model, x, backward=True).macs == expected * one


def test_only_the_bias_to_learn():
    layer = nn.Conv2d(3, 5, 2)
    layer.weight.requires_grad_(False)
    report = count(layer, torch.zeros(1, 3, 7, 6), backward=True)
    assert report.macs == 5 * 30 * 12


def test_a_function_s_parameters_and_inputs_both_get_gradients():
    weight = nn.Parameter(torch.zeros(5, 3, 2, 2))
    forward = 5 * (6 * 5) * 12
    x = torch.zeros(1, 3, 7, 6)
    assert count(lambda x: F.conv2d(x, weight), x, backward=True).macs == 2 * forward
    assert count(lambda x: F.conv2d(x, weight), x.requires_grad_(), backward=True).macs == 3 * forward
    constant = weight.detach()
    assert count(lambda x: F.conv2d(x, constant), x, backward=True).macs == 2 * forward
    parts = [nn.Parameter(torch.zeros(2, 3, 2, 2)), nn.Parameter(torch.zeros(3, 3, 2, 2))]
    report = count(lambda x: F.conv2d(x, torch.cat(parts)), x, backward=True)
    assert (report.macs, report.params) == (3 * forward, 60)


# {name: (function, shapes, MACs of forward and backward)}
FUNCTIONS = {
    "matmul 2, 2": (torch.matmul, [(3, 4), (4, 5)], 3 * 60),
    "matmul 3, 2": (torch.matmul, [(2, 3, 4), (4, 5)], 3 * 120),
    "matmul 4, 4": (torch.matmul, [(2, 7, 3, 4), (2, 7, 4, 5)], 3 * 840),
    "bmm": (torch.bmm, [(2, 3, 4), (2, 4, 5)], 3 * 120),
    "addmm": (torch.addmm, [(3, 5), (3, 4), (4, 5)], 3 * 60),
    "baddbmm": (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 3 * 120),
    "einsum": (lambda a, b: torch.einsum("nckl,ock->nol", a, b), [(2, 3, 4, 5), (7, 3, 4)], 3 * 2 * 7 * 5 * 12),
    # the gradient of a vector's partner is an outer product: multiplications, and no sum
    "mv": (torch.mv, [(3, 4), (4,)], 2 * 12),
    "dot": (torch.dot, [(4,), (4,)], 4),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("function, shapes, macs", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_product_s_backward(function, shapes, macs, device):
    tensors = [torch.zeros(shape, device=device, requires_grad=True) for shape in shapes]
    report = count(function, *tensors, backward=True)
    assert (report.macs, report.uncounted) == (macs, ())


def test_attention_s_backward():
    """As products, twice forward; in one operation the weights are computed once more: that is what ran."""
    forward, again = 2 * 3 * 5 * 7 * (8 + 8), 2 * 3 * 5 * 7 * 8
    shapes = [(2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 8)]
    for device, expected in (("meta", 3 * forward), ("cpu", 3 * forward + again)):
        tensors = [torch.zeros(shape, device=device, requires_grad=True) for shape in shapes]
        assert count(F.scaled_dot_product_attention, *tensors, backward=True).macs == expected


def test_outputs_in_lists_and_dicts_are_all_followed():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.ModuleList(nn.Linear(4, 5) for _ in range(3))

        def forward(self, x):
            return {"one": self.heads[0](x), "more": [(self.heads[1](x), None), self.heads[2](x).detach()], "x": 3}

    assert count(Heads(), torch.zeros(2, 4), backward=True).macs == (2 + 2 + 1) * 40


def test_the_first_layer_may_work_in_place():
    model, x = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(3, 5, 2)), torch.full((1, 3, 7, 6), -1.0)
    forward = 5 * 30 * 12
    assert count(model, input_size=x.shape, backward=True).macs == 3 * forward
    assert count(model, x.requires_grad_(), backward=True).macs == 3 * forward
    assert (x == -1).all() and x.grad is None


def test_backward_of_a_pooled_and_normed_network_counts_no_more():
    model = nn.Sequential(nn.Conv2d(3, 5, 2), nn.BatchNorm2d(5), nn.Hardswish(), nn.MaxPool2d(2), nn.Dropout())
    for training in (True, False):
        report = count(model.train(training), input_size=(2, 3, 7, 6), backward=True)
        assert (report.macs, report.uncounted) == (3 * 2 * 5 * 30 * 12, ())


def test_gradients_are_recorded_for_backward_only():
    seen, layer = [], nn.Linear(4, 5)
    layer.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    for around in (torch.no_grad, torch.enable_grad):
        with around():
            assert count(layer, torch.zeros(2, 4)).macs == 40
            assert count(layer, torch.zeros(2, 4), backward=True).macs == 80
    assert seen == [False, True] * 2


def test_what_has_no_gradient_is_refused():
    for function in (lambda x: x.detach(), lambda x: torch.zeros(3), lambda x: 5):
        with pytest.raises(ValueError, match="backward=True needs an output that depends on a tensor"):
            count(function, torch.zeros(3, requires_grad=True), backward=True)


@pytest.mark.parametrize("factory", [models.ghostnet, models.mobilenet_v1, models.vgg_16_cifar])
def test_whole_networks(factory):
    """Every layer's input gets a gradient, the image too: three times forward."""
    model, size = factory().eval(), (2, 3, 64, 64)
    assert count(model, input_size=size, backward=True).macs == 3 * count(model, input_size=size).macs
