"""count() of every kind of layer: convolutions, transposed convolutions, linear layers, as modules and as functions.

Every number is worked out in the test by hand: an output pixel times the kernel of its group.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib import layers
from dslib.counting import count
from dslib.models.ghostnet import SqueezeExcite

# torch warns of a copy it makes; how many warnings come depends on which test runs first
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
devices = pytest.mark.parametrize("device", ["cpu", "meta"])

# {name: (layer, input, MACs)}
CASES = {
    "1-D": (nn.Conv1d(3, 5, 4, stride=3), (2, 3, 17), 2 * 5 * 5 * 3 * 4),
    "1-D depthwise": (nn.Conv1d(6, 6, 3, padding=1, groups=6), (2, 6, 9), 2 * 6 * 9 * 3),
    "2-D": (nn.Conv2d(3, 5, (3, 2), padding=(1, 0), bias=False), (2, 3, 7, 6), 2 * 5 * (7 * 5) * 3 * (3 * 2)),
    "strided, dilated, grouped": (
        nn.Conv2d(12, 18, (5, 3), stride=(2, 3), padding=(2, 0), dilation=(1, 2), groups=6),
        (2, 12, 17, 21),
        2 * 18 * (9 * 6) * 2 * (5 * 3),
    ),
    "2-D depthwise": (nn.Conv2d(256, 256, 3, stride=2, groups=256), (1, 256, 9, 12), 256 * (4 * 5) * 9),
    "depth multiplier 3": (nn.Conv2d(4, 12, 3, groups=4), (1, 4, 6, 5), 12 * (4 * 3) * 9),
    "2-D pointwise": (nn.Conv2d(7, 9, 1), (3, 7, 4, 5), 3 * 9 * (4 * 5) * 7),
    "3-D": (nn.Conv3d(2, 3, (3, 2, 1), stride=(1, 2, 1)), (2, 2, 5, 6, 4), 2 * 3 * (3 * 3 * 4) * 2 * (3 * 2 * 1)),
    "3-D depthwise": (nn.Conv3d(4, 8, 2, groups=4, bias=False), (1, 4, 3, 4, 5), 8 * (2 * 3 * 4) * 8),
    "same": (nn.Conv2d(3, 5, (3, 5), dilation=(2, 1), padding="same"), (1, 3, 7, 6), 5 * (7 * 6) * 3 * 15),
    "same, even kernel": (nn.Conv2d(4, 6, (2, 4), padding="same", groups=2), (1, 4, 7, 6), 6 * (7 * 6) * 2 * 8),
    "1-D same, even kernel": (nn.Conv1d(3, 5, 4, padding="same"), (2, 3, 9), 2 * 5 * 9 * 3 * 4),
    "valid": (nn.Conv2d(3, 5, 2, padding="valid"), (1, 3, 7, 6), 5 * (6 * 5) * 3 * 4),
    "reflect": (nn.Conv2d(3, 5, 3, padding=1, padding_mode="reflect"), (1, 3, 7, 6), 5 * (7 * 6) * 3 * 9),
    "circular": (nn.Conv1d(4, 4, 4, padding="same", padding_mode="circular", groups=4), (2, 4, 9), 2 * 4 * 9 * 4),
    # transposed: (C_out / groups) * K multiplications at every position of the input
    "transposed 1-D": (nn.ConvTranspose1d(3, 5, 4, stride=3), (2, 3, 7), 2 * 3 * 7 * 5 * 4),
    "transposed 2-D": (nn.ConvTranspose2d(3, 5, (3, 2), 2, 1, 1), (2, 3, 7, 6), 2 * 3 * (7 * 6) * 5 * (3 * 2)),
    "transposed, grouped": (
        nn.ConvTranspose2d(6, 9, 3, stride=2, dilation=2, groups=3, bias=False),
        (1, 6, 5, 4),
        6 * (5 * 4) * 3 * 9,
    ),
    "transposed depthwise": (nn.ConvTranspose2d(4, 4, 4, 2, 1, groups=4), (1, 4, 5, 6), 4 * (5 * 6) * 16),
    "transposed, multiplier 2": (nn.ConvTranspose2d(3, 6, 2, 2, groups=3), (1, 3, 5, 6), 3 * (5 * 6) * 2 * 4),
    "transposed 3-D": (nn.ConvTranspose3d(2, 4, 2, 2, groups=2), (1, 2, 3, 2, 4), 2 * (3 * 2 * 4) * 2 * 8),
}


@devices
@pytest.mark.parametrize("layer, size, macs", CASES.values(), ids=CASES)
def test_a_convolution_batched_unbatched_and_backward(layer, size, macs, device):
    """Backward: the gradient of the input and that of the weight, each as many MACs as forward."""
    x = torch.zeros(size, device=device, requires_grad=True)
    report = count(layer, x)
    params = sum(parameter.numel() for parameter in layer.parameters())
    assert (report.macs, report.flops, report.params, report.uncounted) == (macs, 2 * macs, params, ())
    assert sum(row.params for row in report.rows) == params
    output = tuple(layer(torch.zeros(size)).shape)
    assert {(row.where, row.operation, row.output, row.groups) for row in report.rows} == {
        (type(layer).__name__, "convolution", output, layer.groups)
    }
    alone = count(layer, torch.zeros(size[1:], device=device))
    assert (alone.macs * size[0], alone.params) == (macs, params)
    both = count(layer, x, backward=True)
    assert (both.macs, both.params, both.uncounted) == (3 * macs, params, ())
    assert sum(row.macs for row in both.rows if not row.where.endswith("(backward)")) == macs
    constant = count(layer, torch.zeros(size, device=device), backward=True)
    assert constant.macs == 2 * macs and constant.rows[-1].where == "weight (backward)"


FUNCTIONS = {
    "conv1d": (lambda x: F.conv1d(x, torch.zeros(4, 2, 3), padding="same", groups=2), (2, 4, 9), 2 * 4 * 9 * 2 * 3),
    "conv2d": (lambda x: F.conv2d(x, torch.zeros(6, 1, 3, 2), groups=3), (1, 3, 5, 4), 6 * (3 * 3) * 6),
    "conv3d": (lambda x: F.conv3d(x, torch.zeros(5, 2, 1, 2, 3)), (1, 2, 3, 4, 5), 5 * (3 * 3 * 3) * 2 * 6),
    "torch.conv2d": (lambda x: torch.conv2d(x, torch.zeros(5, 3, 2, 2), stride=2), (1, 3, 7, 6), 5 * (3 * 3) * 3 * 4),
    "torch.convolution": (
        lambda x: torch.convolution(x, torch.zeros(3, 2, 2, 2), None, [2, 2], [0, 0], [1, 1], True, [0, 0], 1),
        (1, 3, 7, 6),
        3 * (7 * 6) * 2 * 4,
    ),
    "conv_transpose2d": (
        lambda x: F.conv_transpose2d(x, torch.zeros(4, 1, 3, 3), stride=2, groups=4),
        (1, 4, 5, 6),
        4 * (5 * 6) * 9,
    ),
    "linear": (lambda x: F.linear(x, torch.zeros(5, 4), torch.zeros(5)), (2, 3, 4), 6 * 5 * 4),
}


@devices
@pytest.mark.parametrize("function, size, macs", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_functional_call(function, size, macs, device):
    report = count(function, torch.zeros(size, device=device))
    assert (report.macs, report.params, len(report.rows)) == (macs, 0, 1)
    assert report.rows[0].where.startswith("test_count_layers.py:")


@devices
@pytest.mark.parametrize("size", [(4,), (3, 4), (2, 3, 4), (2, 3, 5, 4), (1, 1, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_on_any_rank(size, bias, device):
    report = count(nn.Linear(4, 7, bias=bias), torch.zeros(size, device=device))
    rows = torch.Size(size[:-1]).numel()
    assert (report.macs, report.params) == (rows * 4 * 7, 4 * 7 + 7 * bias)
    assert [(row.where, row.params) for row in report.rows] == [("Linear", 4 * 7 + 7 * bias)]


@devices
def test_a_shared_module_counts_each_time_and_its_parameters_once(device):
    conv = nn.Conv2d(4, 4, 3, padding=1)
    report = count(nn.Sequential(conv, nn.ReLU(), conv), torch.zeros(1, 4, 5, 6, device=device))
    once = 4 * (5 * 6) * 4 * 9
    assert [(row.where, row.macs, row.params) for row in report.rows] == [("0", once, 4 * 36 + 4), ("0", once, 0)]
    assert (report.macs, report.params) == (2 * once, 4 * 36 + 4)


@devices
def test_tied_parameters_count_once(device):
    one, other = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
    other.weight = one.weight
    report = count(nn.Sequential(one, other), torch.zeros(3, 4, device=device))
    assert [(row.where, row.macs, row.params) for row in report.rows] == [("0", 48, 16), ("1", 48, 0)]
    assert (report.macs, report.params) == (96, 16)


def test_a_function_s_parameters_are_those_that_it_reads():
    first, second, unread = (nn.Parameter(torch.zeros(2, 3, 2, 2)) for _ in range(3))

    def function(x):
        return F.conv2d(x, torch.cat([first, second])) + unread.shape[0]

    report = count(function, torch.zeros(1, 3, 4, 5))
    assert (report.macs, report.params) == (4 * (3 * 4) * 3 * 4, 2 * (2 * 3 * 4))


def test_a_module_s_parameters_are_all_it_has():
    model = nn.Sequential(nn.Linear(4, 5))
    model.unused = nn.Parameter(torch.zeros(100))
    report = count(model, torch.zeros(1, 4))
    assert (report.macs, report.params, sum(row.params for row in report.rows)) == (20, 4 * 5 + 5 + 100, 25)


@devices
def test_subclasses(device):
    depthwise = layers.DepthwiseConv2d(6, 3, depth_multiplier=2, stride=2)
    pair = layers.DepthwiseSeparableConv2d(6, 10, 5)
    x = torch.zeros(2, 6, 9, 8, device=device)
    report = count(depthwise, x)
    assert (report.macs, report.rows[0].groups) == (2 * 12 * (5 * 4) * 9, 6)
    assert report.rows[0].where == "DepthwiseConv2d"  # torch's forward, so no line of code
    rows = count(pair.eval(), x).rows
    assert [(row.macs, row.groups) for row in rows] == [(2 * 6 * 72 * 25, 6), (2 * 10 * 72 * 6, 1)]


def test_a_module_s_own_call_is_told_with_its_line():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(5, 3, 2, 2))

        def forward(self, x):
            return F.conv2d(x, self.weight)

    (row,) = count(nn.Sequential(nn.Identity(), Own()), torch.zeros(1, 3, 7, 6)).rows
    assert row.where.startswith("1 test_count_layers.py:")
    assert (row.macs, row.params, row.inputs) == (5 * (6 * 5) * 12, 5 * 12, ((1, 3, 7, 6), (5, 3, 2, 2)))


@devices
def test_per_image_divides_by_the_batch(device):
    model = nn.Sequential(nn.Conv2d(3, 5, 2), nn.Flatten(), nn.Linear(150, 4))
    report = count(model, torch.zeros(6, 3, 7, 6, device=device), per_image=True)
    assert [row.macs for row in report.rows] == [5 * (6 * 5) * 12, 150 * 4]
    assert (report.macs, report.images, report.params) == (1800 + 600, 6, 65 + 604)
    assert count(model, torch.zeros(1, 3, 7, 6, device=device), per_image=True).macs == 2400
    both = count(model, input_size=(6, 3, 7, 6), backward=True, per_image=True)
    assert (both.macs, both.images) == (3 * 2400, 6)


REFUSED = {
    "not a multiple": (
        lambda x: F.linear(x[:1], torch.zeros(5, 4)),
        torch.zeros(3, 4),
        "do not divide by a batch of 3",
    ),
    "unbatched": (nn.Conv2d(3, 8, 3), torch.zeros(3, 8, 8), "do not divide by a batch of 3: pass one image"),
    "a vector": (nn.Linear(4, 7), torch.zeros(4), "needs an input with an axis of images"),
    "empty": (nn.Linear(4, 7), torch.zeros(0, 4), r"got a batch of none: \(0, 4\)"),
    "no tensor": (lambda n: torch.zeros(n, n) @ torch.zeros(n), 3, "needs an input with an axis of images"),
}


@pytest.mark.parametrize("model, x, words", REFUSED.values(), ids=REFUSED)
def test_what_is_no_batch_is_not_divided(model, x, words):
    with pytest.raises(ValueError, match=words):
        count(model, x, per_image=1)


# {name: (module, what is found in `other`)}, all without MACs
BESIDE = {
    "batch norm in inference": (nn.BatchNorm2d(4).eval(), {"native_batch_norm"}),
    "gate": (nn.SiLU(), {"silu"}),
    "hard swish": (nn.Hardswish(), {"hardswish"}),
    "GLU": (nn.GLU(1), {"glu"}),
    "pooling": (nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)), {"max_pool2d_with_indices", "mean"}),
    "norms": (nn.Sequential(nn.GroupNorm(2, 4), nn.LayerNorm(6)), {"native_group_norm", "native_layer_norm"}),
    "softmax": (nn.Softmax(1), {"_softmax"}),
    "upsampling": (nn.Upsample(scale_factor=2), {"upsample_nearest2d"}),
}


@devices
@pytest.mark.parametrize("module, found", BESIDE.values(), ids=BESIDE)
def test_what_is_no_mac_stays_apart(module, found, device):
    report = count(module, torch.zeros(2, 4, 8, 6, device=device))
    assert (report.rows, report.macs, report.uncounted) == ((), 0, ())
    assert {entry.operation for entry in report.other} == found
    assert report.params == sum(entry.params for entry in report.other)


@devices
def test_scales_gates_and_residuals_stay_apart(device):
    scale = nn.Parameter(torch.zeros(4, 1, 1, device=device))

    def block(x):
        return x + scale * F.relu(x) * x.mean((2, 3), keepdim=True).sigmoid()

    report = count(block, torch.zeros(2, 4, 8, 6, device=device))
    assert (report.macs, report.rows, report.params) == (0, (), 4)
    found = {entry.operation: (entry.calls, entry.elements, entry.params) for entry in report.other}
    n = 2 * 4 * 8 * 6
    assert found == {"relu": (1, n, 0), "mul": (2, 2 * n, 4), "mean": (1, 8, 0), "sigmoid": (1, 8, 0), "add": (1, n, 0)}


@devices
def test_squeeze_and_excite_is_two_convolutions(device):
    block = SqueezeExcite(8)
    report = count(block, torch.zeros(1, 8, 5, 6, device=device))
    assert [row.macs for row in report.rows] == [conv.weight.numel() for conv in (block.conv_reduce, block.conv_expand)]
