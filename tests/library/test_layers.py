"""The modules of dslib.layers against the same thing composed from torch.nn.functional, and the one by hand."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dslib import functional
from dslib.layers import (
    ACTIVATIONS,
    ConvBNAct,
    DepthwiseConv2d,
    DepthwiseSeparableConv1d,
    DepthwiseSeparableConv2d,
    GhostModule,
    PointwiseConv2d,
    activation_module,
)

FEW = settings(max_examples=40, deadline=None, derandomize=True)

# arguments of the layer, and the padding (left, right, top, bottom) that they must mean
SPATIAL = [
    (dict(kernel_size=3), (1, 1, 1, 1)),
    (dict(kernel_size=1), (0, 0, 0, 0)),
    (dict(kernel_size=(3, 5)), (2, 2, 1, 1)),
    (dict(kernel_size=5, stride=2), (2, 2, 2, 2)),
    (dict(kernel_size=(1, 3), stride=(2, 3), dilation=(1, 2)), (2, 2, 0, 0)),
    (dict(kernel_size=(2, 4), dilation=2), (3, 3, 1, 1)),
    (dict(kernel_size=(5, 3), padding=(0, 2), dilation=(2, 1)), (2, 2, 0, 0)),
    (dict(kernel_size=2, padding=0, stride=2), (0, 0, 0, 0)),
    (dict(kernel_size=(2, 4), padding=1), (1, 1, 1, 1)),
    (dict(kernel_size=3, padding="valid", stride=3), (0, 0, 0, 0)),
    (dict(kernel_size=(5, 3), padding="same"), (1, 1, 2, 2)),
    (dict(kernel_size=(4, 2), padding="same"), (0, 1, 1, 2)),
]


def make(layer):
    """The layer in float64, all parameters random, so that no scale of 1 or shift of 0 hides a fault."""
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return layer


def maps(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def assert_same(layer, reference, x):
    """Equal values, and equal gradients of a random weighting of them, by the input and by every parameter."""
    leaves = [x, *layer.parameters()]
    with warnings.catch_warnings():  # torch says once per process that 'same' with an even kernel costs a copy
        warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
        got = layer(x)
    expected = reference(x)
    assert got.shape == expected.shape
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-9)
    weighting = torch.randn_like(expected)
    got_gradients = torch.autograd.grad((got * weighting).sum(), leaves)
    expected_gradients = torch.autograd.grad((expected * weighting).sum(), leaves)
    torch.testing.assert_close(got_gradients, expected_gradients, rtol=1e-9, atol=1e-9)


def conv(x, weight, arguments, pads, bias=None, groups=1):
    convolve = F.conv2d if x.dim() == 4 else F.conv1d
    padded = F.pad(x, pads)
    return convolve(padded, weight, bias, arguments.get("stride", 1), 0, arguments.get("dilation", 1), groups)


def batch_norm(x, norm):
    """With the statistics of this very batch, as in training."""
    return F.batch_norm(x, None, None, norm.weight, norm.bias, training=True)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


# ---- ConvBNAct


@pytest.mark.parametrize("arguments, pads", SPATIAL)
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_conv_bn_act_is_conv_then_norm_then_relu(arguments, pads, groups):
    layer = make(ConvBNAct(4, 8, groups=groups, **arguments))

    def reference(x):
        return F.relu(batch_norm(conv(x, layer.conv.weight, arguments, pads, groups=groups), layer.norm))

    assert layer.conv.weight.shape[:2] == (8, 4 // groups)
    assert_same(layer, reference, maps(2, 4, 9, 11))


def test_conv_bn_act_without_norm_and_activation_is_the_convolution():
    layer = make(ConvBNAct(3, 5, 3, bias=True, norm=None, activation=None))
    assert set(layer.state_dict()) == {"conv.weight", "conv.bias"}
    assert_same(layer, lambda x: F.conv2d(x, layer.conv.weight, layer.conv.bias, padding=1), maps(2, 3, 5, 7))


def test_defaults_are_3x3_stride_1_no_bias_batch_norm_relu():
    layer = ConvBNAct(3, 5)
    assert layer.conv.kernel_size == (3, 3) and layer.conv.stride == (1, 1) and layer.conv.bias is None
    assert type(layer.norm) is nn.BatchNorm2d and type(layer.act) is nn.ReLU


def test_norm_is_called_with_the_output_channels():
    layer = make(ConvBNAct(3, 6, norm=lambda channels: nn.GroupNorm(2, channels), activation=None))

    def reference(x):
        return F.group_norm(F.conv2d(x, layer.conv.weight, padding=1), 2, layer.norm.weight, layer.norm.bias)

    assert_same(layer, reference, maps(2, 3, 5, 7))


# ---- activations

BY_NAME = {
    "relu": lambda x: x.clamp(min=0),
    "relu6": lambda x: x.clamp(0, 6),
    "silu": lambda x: x / (1 + torch.exp(-x)),
    None: lambda x: x,
}


@pytest.mark.parametrize("name", BY_NAME)
def test_activation_by_name(name):
    layer = make(ConvBNAct(1, 1, 1, norm=None, activation=name))
    with torch.no_grad():
        layer.conv.weight.fill_(1.0)
    x = torch.linspace(-8, 8, 33, dtype=torch.float64).reshape(1, 1, 3, 11)
    torch.testing.assert_close(layer(x), BY_NAME[name](x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_in_place_an_activation_by_name_overwrites_its_input(name):
    x = torch.tensor([-1.0, 7.0])
    for inplace in (False, True):
        given = x.clone()
        activation_module(name, inplace)(given)
        assert torch.equal(given, x) is not inplace


def test_an_activation_module_is_used_as_it_is():
    prelu = nn.PReLU(init=0.3)
    assert ConvBNAct(2, 3, activation=prelu).act is prelu
    pair = DepthwiseSeparableConv2d(2, 3, activation=prelu)
    assert pair.act1 is prelu and pair.act2 is prelu
    ghost = GhostModule(2, 4, activation=prelu)
    assert ghost.primary_conv[2] is prelu and ghost.cheap_operation[2] is prelu


@pytest.mark.parametrize("unknown", ["swish", "ReLU", nn.ReLU, 3, []])
@pytest.mark.parametrize("layer", [ConvBNAct, DepthwiseSeparableConv2d, DepthwiseSeparableConv1d, GhostModule])
def test_an_unknown_activation_is_refused_with_the_known_ones(layer, unknown):
    with pytest.raises(ValueError) as error:
        layer(2, 4, activation=unknown)
    assert repr(unknown) in str(error.value)
    assert all(name in str(error.value) for name in ACTIVATIONS)


# ---- depthwise and pointwise


@pytest.mark.parametrize("arguments, pads", SPATIAL)
@pytest.mark.parametrize("depth_multiplier", [1, 3])
@pytest.mark.parametrize("bias", [False, True])
def test_depthwise_convolves_each_channel_with_its_own_kernels(arguments, pads, depth_multiplier, bias):
    layer = make(DepthwiseConv2d(3, bias=bias, depth_multiplier=depth_multiplier, **arguments))

    def reference(x):  # channel by channel: no groups anywhere
        weights = layer.weight.chunk(3)
        biases = layer.bias.chunk(3) if bias else [None] * 3
        return torch.cat([conv(x[:, c : c + 1], weights[c], arguments, pads, biases[c]) for c in range(3)], dim=1)

    assert isinstance(layer, nn.Conv2d)
    assert_same(layer, reference, maps(2, 3, 9, 11))


@pytest.mark.parametrize("changed", range(4))
def test_changing_one_input_channel_changes_its_own_outputs_and_no_others(changed):
    layer = make(DepthwiseConv2d(4, (3, 5), stride=(1, 2), bias=True, depth_multiplier=2))
    x = maps(1, 4, 6, 7).detach()
    other = x.clone()
    other[:, changed] += 1
    differs = (layer(x) != layer(other)).flatten(2).any(dim=2).squeeze(0)
    assert differs.nonzero().flatten().tolist() == [2 * changed, 2 * changed + 1]


@pytest.mark.parametrize("bias", [False, True])
def test_pointwise_is_linear_over_the_channels(bias):
    layer = make(PointwiseConv2d(3, 5, bias))

    def reference(x):
        return F.linear(x.movedim(1, -1), layer.weight.flatten(1), layer.bias).movedim(-1, 1)

    assert isinstance(layer, nn.Conv2d)
    assert_same(layer, reference, maps(2, 3, 4, 7))


# ---- the separable pair


@pytest.mark.parametrize("arguments, pads", SPATIAL)
@pytest.mark.parametrize("depth_multiplier", [1, 2])
def test_separable_2d_is_depthwise_norm_act_pointwise_norm_act(arguments, pads, depth_multiplier):
    layer = make(DepthwiseSeparableConv2d(3, 5, depth_multiplier=depth_multiplier, activation="silu", **arguments))

    def reference(x):
        middle = conv(x, layer.depthwise.weight, arguments, pads, groups=3)
        middle = F.silu(batch_norm(middle, layer.norm1))
        return F.silu(batch_norm(F.conv2d(middle, layer.pointwise.weight), layer.norm2))

    assert layer.depthwise.weight.shape[0] == 3 * depth_multiplier
    assert_same(layer, reference, maps(2, 3, 9, 11))


@pytest.mark.parametrize(
    "kernel_size, stride, dilation, pads", [(7, 1, 1, (3, 3)), (3, 2, 2, (2, 2)), (4, 3, 2, (3, 3))]
)
@pytest.mark.parametrize("depth_multiplier", [1, 2])
def test_separable_1d(kernel_size, stride, dilation, pads, depth_multiplier):
    spatial = dict(stride=stride, dilation=dilation, depth_multiplier=depth_multiplier)
    layer = make(DepthwiseSeparableConv1d(3, 5, kernel_size, bias=True, activation="silu", **spatial))

    def reference(x):
        middle = conv(x, layer.depthwise.weight, spatial, pads, layer.depthwise.bias, groups=3)
        middle = F.silu(batch_norm(middle, layer.norm1))
        return F.silu(batch_norm(F.conv1d(middle, layer.pointwise.weight, layer.pointwise.bias), layer.norm2))

    assert_same(layer, reference, maps(2, 3, 17))


def test_separable_without_norm_and_activation_is_two_convolutions():
    layer = make(DepthwiseSeparableConv2d(3, 5, 3, stride=2, bias=True, norm=None, activation=None))
    names = {"depthwise.weight", "depthwise.bias", "pointwise.weight", "pointwise.bias"}
    assert set(layer.state_dict()) == names

    def reference(x):
        middle = F.conv2d(x, layer.depthwise.weight, layer.depthwise.bias, stride=2, padding=1, groups=3)
        return F.conv2d(middle, layer.pointwise.weight, layer.pointwise.bias)

    assert_same(layer, reference, maps(2, 3, 9, 11))


def test_separable_defaults_are_relu_and_batch_norm_in_both_halves():
    for kind, norm in [(DepthwiseSeparableConv2d, nn.BatchNorm2d), (DepthwiseSeparableConv1d, nn.BatchNorm1d)]:
        layer = kind(2, 4)
        assert [type(part) for part in (layer.norm1, layer.act1, layer.norm2, layer.act2)] == [norm, nn.ReLU] * 2
        assert layer.norm1.num_features == 2 and layer.norm2.num_features == 4


@FEW
@given(
    kernel_size=st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3, 5])),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    depth_multiplier=st.integers(1, 3),
    out_channels=st.integers(1, 5),
)
def test_separable_shapes_by_default_are_every_stride_th_pixel(
    kernel_size, stride, dilation, size, depth_multiplier, out_channels
):
    """Padding that keeps the size leaves ceil(size / stride) pixels, whatever kernel and dilation are."""
    layer = DepthwiseSeparableConv2d(2, out_channels, kernel_size, stride, None, dilation, depth_multiplier, norm=None)
    expected = tuple(-(-side // step) for side, step in zip(size, stride, strict=True))
    assert layer(torch.zeros(3, 2, *size)).shape == (3, out_channels, *expected)
    assert layer.pointwise.padding == (0, 0)


# ---- GhostModule

REFERENCE_KEYS = {  # of the authors' code
    f"{part}.{key}"
    for part in ("primary_conv", "cheap_operation")
    for key in ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked")
}


@pytest.mark.parametrize(
    "out_channels, ratio, intrinsic",
    [(8, 2, 4), (7, 2, 4), (7, 3, 3), (8, 4, 2), (3, 5, 1)],
)
@pytest.mark.parametrize("kernel_size, dw_kernel_size, stride", [(1, 3, 1), (3, 5, 2), (5, 1, 3)])
def test_ghost_module_joins_intrinsic_and_ghost_maps(
    out_channels, ratio, intrinsic, kernel_size, dw_kernel_size, stride
):
    layer = make(GhostModule(4, out_channels, kernel_size, ratio, dw_kernel_size, stride))
    assert set(layer.state_dict()) == REFERENCE_KEYS
    (conv1, norm1, _), (conv2, norm2, _) = layer.primary_conv, layer.cheap_operation
    assert conv1.weight.shape == (intrinsic, 4, kernel_size, kernel_size)
    assert conv2.weight.shape == (intrinsic * (ratio - 1), 1, dw_kernel_size, dw_kernel_size)

    def reference(x):
        first = F.conv2d(x, conv1.weight, stride=stride, padding=kernel_size // 2)
        first = F.relu(batch_norm(first, norm1))
        second = F.conv2d(first, conv2.weight, padding=dw_kernel_size // 2, groups=intrinsic)
        second = F.relu(batch_norm(second, norm2))
        return torch.cat([first, second], dim=1).split([out_channels, intrinsic * ratio - out_channels], dim=1)[0]

    assert_same(layer, reference, maps(2, 4, 7, 8))


# ---- the other telling agrees


@pytest.mark.parametrize("depth_multiplier", [1, 2])
def test_layers_agree_with_the_convolutions_by_hand(depth_multiplier):
    where = dict(kernel_size=(3, 5), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
    spatial = {name: value for name, value in where.items() if name != "kernel_size"}
    plain = dict(norm=None, activation=None)

    pair = make(DepthwiseSeparableConv2d(4, 5, depth_multiplier=depth_multiplier, **where, **plain))
    halves = pair.depthwise.weight, pair.pointwise.weight
    assert_same(pair, lambda x: functional.depthwise_separable_conv2d(x, *halves, **spatial), maps(2, 4, 9, 11))

    grouped = make(ConvBNAct(4, 6, groups=2, bias=True, **where, **plain))
    weights = grouped.conv.weight, grouped.conv.bias
    assert_same(grouped, lambda x: functional.conv2d(x, *weights, **spatial, groups=2), maps(2, 4, 9, 11))

    in_one = make(DepthwiseSeparableConv1d(4, 5, 7, depth_multiplier=depth_multiplier, **plain))
    halves_1d = in_one.depthwise.weight, in_one.pointwise.weight
    assert_same(in_one, lambda x: functional.depthwise_separable_conv1d(x, *halves_1d, padding=3), maps(2, 4, 9))


def test_ghost_module_agrees_with_the_one_by_hand():
    layer = make(GhostModule(4, 7, kernel_size=3, ratio=3, dw_kernel_size=5, activation=None)).eval()
    for part in (layer.primary_conv, layer.cheap_operation):
        part[1] = nn.Identity()  # the one by hand has no norm
    weights = layer.primary_conv[0].weight, layer.cheap_operation[0].weight
    assert_same(layer, lambda x: functional.ghost_features(x, *weights, out_channels=7, padding=1), maps(2, 4, 6, 5))


# ---- training and evaluation


@pytest.mark.parametrize("kind", [ConvBNAct, DepthwiseSeparableConv2d, GhostModule])
def test_training_uses_the_batch_and_evaluation_the_running_statistics(kind):
    layer = make(kind(3, 4))
    x, companion = maps(1, 3, 6, 6).detach(), 5 * maps(1, 3, 6, 6).detach()
    layer.train()
    assert not torch.allclose(layer(x), layer(torch.cat([x, companion]))[:1])
    layer.eval()
    torch.testing.assert_close(layer(x), layer(torch.cat([x, companion]))[:1], rtol=1e-9, atol=1e-9)


# ---- refusals


@pytest.mark.parametrize(
    "build, said",
    [
        (lambda: ConvBNAct(4, 6, groups=3), ["groups=3", "in_channels=4", "out_channels=6"]),
        (lambda: ConvBNAct(6, 4, groups=3), ["groups=3", "in_channels=6", "out_channels=4"]),
        (lambda: ConvBNAct(0, 4), ["in_channels", "0"]),
        (lambda: ConvBNAct(3, 4.0), ["out_channels", "4.0"]),
        (lambda: ConvBNAct(3, 4, (3, 3, 3)), ["kernel_size", "(3, 3, 3)"]),
        (lambda: ConvBNAct(3, 4, 2.5), ["kernel_size", "2.5"]),
        (lambda: ConvBNAct(3, 4, stride=0), ["stride", "0"]),
        (lambda: ConvBNAct(3, 4, dilation=(1, 0)), ["dilation", "0"]),
        (lambda: ConvBNAct(3, 4, padding=-1), ["padding", "-1"]),
        (lambda: ConvBNAct(3, 4, padding="full"), ["padding", "'full'"]),
        (lambda: ConvBNAct(3, 4, padding="same", stride=(1, 2)), ["'same'", "stride 2"]),
        (lambda: ConvBNAct(3, 4, groups=True), ["groups", "True"]),
        (lambda: ConvBNAct(3, 4, bias=2), ["bias", "2"]),
        (lambda: ConvBNAct(3, 4, norm="batch"), ["norm", "'batch'"]),
        (lambda: ConvBNAct(3, 4, norm=lambda c: c), ["norm must return a module for 4 channels", "got 4"]),
        (lambda: ConvBNAct(3, 4, norm=nn.BatchNorm2d(4)), ["norm", "BatchNorm2d(4"]),
        (lambda: ConvBNAct(3, 4, 4), ["kernel_size 4", "dilation 1"]),
        (lambda: DepthwiseConv2d(3, (3, 2), dilation=3), ["kernel_size 2", "dilation 3"]),
        (lambda: DepthwiseConv2d(3, 3, depth_multiplier=1.5), ["depth_multiplier", "1.5"]),
        (lambda: DepthwiseConv2d(-3, 3), ["in_channels", "-3"]),
        (lambda: PointwiseConv2d(3, 0), ["out_channels", "0"]),
        (lambda: PointwiseConv2d(3, 8, 1), ["bias", "1"]),
        (lambda: DepthwiseSeparableConv2d(3, 4, 2), ["kernel_size 2"]),
        (lambda: DepthwiseSeparableConv2d(3, -1), ["out_channels", "-1"]),
        (lambda: DepthwiseSeparableConv1d(3, 4, (3, 3)), ["kernel_size", "(3, 3)"]),
        (lambda: DepthwiseSeparableConv1d(3, 4, 6), ["kernel_size 6"]),
        (lambda: DepthwiseSeparableConv1d(3, 4, stride=-2), ["stride", "-2"]),
        (lambda: DepthwiseSeparableConv1d(3, 4, depth_multiplier=-1), ["depth_multiplier", "-1"]),
        (lambda: GhostModule(3, 4, ratio=1), ["ratio", "1"]),
        (lambda: GhostModule(3, 4, dw_kernel_size=4), ["dw_kernel_size", "odd", "4"]),
        (lambda: GhostModule(3, 4, kernel_size=(3, 2)), ["kernel_size", "odd", "(3, 2)"]),
        (lambda: GhostModule(3, 4, stride=0), ["stride", "0"]),
        (lambda: GhostModule(3, 0.5), ["out_channels", "0.5"]),
        (lambda: GhostModule(0, 4), ["in_channels", "0"]),
    ],
)
def test_bad_arguments_are_refused_with_their_values(build, said):
    with pytest.raises(ValueError) as error:
        build()
    assert all(part in str(error.value) for part in said), str(error.value)
