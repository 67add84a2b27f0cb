"""Convolutions by hand against torch's own, in values and gradients, over the settings where they go wrong."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib import functional

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
properties = settings(max_examples=50, deadline=None, derandomize=True)


def randn(*shape, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(shape, dtype=dtype, generator=generator)


def assert_same(ours, torchs, *operands, **tolerance):
    """Both functions of the operands agree in shape, dtype, values and the gradient of every operand."""
    operands = [operand.detach().requires_grad_() for operand in operands]
    y, expected = ours(*operands), torchs(*operands)
    assert y.shape == expected.shape
    torch.testing.assert_close(y, expected, **tolerance)  # dtype included
    upstream = randn(*expected.shape, dtype=expected.dtype, seed=1)  # no two outputs weigh the same
    gradients = torch.autograd.grad(y, operands, upstream)
    expected_gradients = torch.autograd.grad(expected, operands, upstream)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected_gradient, **tolerance)


# -- settings ------------------------------------------------------------------------------------------------------


@st.composite
def convolutions(draw, axes=2, depthwise=False):
    """(x, weight, bias or None, settings): a legal convolution that walks the hard cases, in float64."""

    def per_axis(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    groups = draw(st.integers(1, 4))
    group_in = 1 if depthwise else draw(st.integers(1, 3))
    group_out = draw(st.integers(1, 3))
    kernel_size, dilation = per_axis(1, 4), per_axis(1, 3)
    padding = draw(st.sampled_from(["same", "valid", "pixels"]))
    stride = per_axis(1, 1) if padding == "same" else per_axis(1, 3)
    padding = per_axis(0, 2) if padding == "pixels" else padding
    added = (0,) * axes if isinstance(padding, str) else padding
    extents = [d * (k - 1) + 1 for d, k in zip(dilation, kernel_size, strict=True)]
    smallest = [max(1, extent - 2 * p) for extent, p in zip(extents, added, strict=True)]
    size = [least + draw(st.integers(0, 4)) for least in smallest]
    batch = draw(st.sampled_from([(), (1,), (2,)]))
    x = randn(*batch, groups * group_in, *size)
    weight = randn(groups * group_out, group_in, *kernel_size)
    bias = randn(groups * group_out) if draw(st.booleans()) else None
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if axes == 1:
        arguments |= {name: value[0] for name, value in arguments.items() if isinstance(value, tuple)}
    return x, weight, bias, arguments


def operands_of(x, weight, bias):
    return [x, weight] if bias is None else [x, weight, bias]


HARD = {
    "standard": ((2, 3, 7, 5), (4, 3, 3, 2), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}),
    "groups between": ((2, 6, 9, 7), (4, 3, 2, 3), {"groups": 2, "stride": (1, 3), "padding": (2, 0)}),
    "depthwise": ((1, 4, 6, 7), (4, 1, 3, 5), {"groups": 4, "padding": "same", "dilation": (2, 1)}),
    "depth multiplier 3": ((2, 2, 8, 5), (6, 1, 4, 2), {"groups": 2, "stride": (3, 2), "padding": (3, 1)}),
    "even kernels, same": ((2, 4, 5, 8), (6, 2, 2, 4), {"groups": 2, "padding": "same", "dilation": (3, 1)}),
    "one kernel, one pixel": ((1, 2, 3, 4), (3, 2, 3, 4), {}),
    "kernel in padding only": ((1, 1, 1, 1), (1, 1, 1, 1), {"padding": (2, 1)}),
}


@pytest.fixture(params=HARD.values(), ids=HARD.keys())
def hard(request):
    x_shape, weight_shape, arguments = request.param
    return randn(*x_shape), randn(*weight_shape, seed=2), randn(weight_shape[0], seed=3), arguments


# -- windows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [(), (2,)])
def test_windows_hold_the_pixels_that_each_output_sees(batch):
    x = randn(*batch, 3, 8, 9)
    seen = functional.windows(x, (3, 2), stride=(2, 3), padding=(1, 0), dilation=(2, 3))
    assert seen.shape == (*batch, 3, 3, 2, 3, 2)
    for h, w, i, j in itertools.product(range(3), range(2), range(3), range(2)):
        row, column = 2 * h + 2 * i - 1, 3 * w + 3 * j
        pixel = x[..., row, column] if 0 <= row < 8 else torch.zeros(*batch, 3, dtype=x.dtype)
        torch.testing.assert_close(seen[..., h, w, i, j], pixel)


def test_windows_repeat_pixels_without_a_copy():
    seen = functional.windows(torch.ones(1, 2, 10, 10), kernel_size=3)
    assert seen.numel() == 2 * 64 * 9
    assert seen.untyped_storage().nbytes() == 2 * 100 * 4


# -- the convolutions against torch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [functional.conv2d_loops, functional.conv2d])
def test_conv2d_hard_cases(ours, hard):
    x, weight, bias, arguments = hard
    assert_same(lambda *o: ours(*o, **arguments), lambda *o: F.conv2d(*o, **arguments), x, weight, bias)


@pytest.mark.parametrize("axes", [1, 2])
def test_standard_and_grouped_convolutions(axes):
    ours, torchs = {1: (functional.conv1d, F.conv1d), 2: (functional.conv2d, F.conv2d)}[axes]

    @properties
    @given(convolutions(axes))
    def check(convolution):
        *operands, arguments = convolution
        assert_same(lambda *o: ours(*o, **arguments), lambda *o: torchs(*o, **arguments), *operands_of(*operands))

    check()


@settings(properties, max_examples=25)
@given(convolutions())
def test_conv2d_loops_on_tensors_lists_and_arrays(convolution):
    x, weight, bias, arguments = convolution
    x = x[:, :, :6, :6] if x.dim() == 4 else x[None, :, :6, :6]
    if arguments["padding"] != "same":
        arguments |= {"padding": (4, 5)}  # the cut image may be smaller than the kernel
    operands = x, weight, bias
    expected = F.conv2d(*operands, **arguments)
    torch.testing.assert_close(functional.conv2d_loops(*operands, **arguments), expected)
    for kind in (torch.Tensor.tolist, torch.Tensor.numpy):
        y = functional.conv2d_loops(*[None if operand is None else kind(operand) for operand in operands], **arguments)
        assert type(y) is list
        torch.testing.assert_close(torch.tensor(y, dtype=torch.float64), expected)


def test_conv2d_loops_on_whole_numbers_stay_whole():
    x, weight = [[[[1, 2, 0], [0, 1, 3], [2, 0, 1]]]], [[[[1, 0], [0, -1]]]]
    assert functional.conv2d_loops(x, weight) == [[[[0, -1], [0, 0]]]]


@properties
@given(convolutions(depthwise=True))
def test_depthwise_conv2d(convolution):
    *operands, arguments = convolution
    groups = arguments.pop("groups")
    assert_same(
        lambda *o: functional.depthwise_conv2d(*o, **arguments),
        lambda *o: F.conv2d(*o, **arguments, groups=groups),
        *operands_of(*operands),
    )


@pytest.mark.parametrize("batch", [(), (1,), (3,)])
@pytest.mark.parametrize("channels", [(5, 2), (2, 5), (1, 1)])
def test_pointwise_conv2d(batch, channels):
    in_channels, out_channels = channels
    operands = randn(*batch, in_channels, 5, 3), randn(out_channels, in_channels, 1, 1), randn(out_channels)
    assert_same(functional.pointwise_conv2d, F.conv2d, *operands)
    assert_same(functional.pointwise_conv2d, F.conv2d, *operands[:2])


@pytest.mark.parametrize("axes", [1, 2])
def test_depthwise_separable_convolutions(axes):
    ours = {1: functional.depthwise_separable_conv1d, 2: functional.depthwise_separable_conv2d}[axes]
    conv = {1: F.conv1d, 2: F.conv2d}[axes]

    @properties
    @given(convolutions(axes, depthwise=True), st.integers(1, 4))
    def check(convolution, out_channels):
        x, depthwise, _, arguments = convolution
        groups = arguments.pop("groups")
        assert_same(
            lambda *o: ours(*o, **arguments),
            lambda x, dw, pw: conv(conv(x, dw, **arguments, groups=groups), pw),
            *(x, depthwise, randn(out_channels, depthwise.shape[0], *[1] * axes)),
        )

    check()


@pytest.mark.parametrize("ratio", [2, 3])
@pytest.mark.parametrize("kernel_size", [(3, 3), (2, 5)])
@pytest.mark.parametrize("x_shape", [(2, 4, 9, 6), (4, 9, 6)])
def test_ghost_features(x_shape, kernel_size, ratio):
    intrinsic_channels = 3

    def ghost_of_torch(x, primary, cheap):
        intrinsic = F.conv2d(x, primary, stride=(2, 1), padding=1)
        ghosts = F.conv2d(intrinsic, cheap, groups=intrinsic_channels, padding="same")
        return torch.cat([intrinsic, ghosts], dim=-3)

    operands = randn(*x_shape), randn(3, 4, 3, 2), randn(3 * (ratio - 1), 1, *kernel_size)
    assert_same(lambda *o: functional.ghost_features(*o, stride=(2, 1), padding=1), ghost_of_torch, *operands)
    assert_same(
        lambda *o: functional.ghost_features(*o, out_channels=5, stride=(2, 1), padding=1),
        lambda *o: ghost_of_torch(*o)[..., :5, :, :],
        *operands,
    )


def test_a_ghost_reads_its_own_intrinsic_map():
    """With ratio 3 ghost maps 2c and 2c+1 are made from intrinsic map c, whatever the other maps hold."""
    x = randn(1, 3, 4, 4)
    primary, cheap = torch.eye(3, dtype=x.dtype).reshape(3, 3, 1, 1), torch.ones(6, 1, 1, 1, dtype=x.dtype)
    maps = functional.ghost_features(x, primary, cheap)[0]
    for ghost in range(6):
        torch.testing.assert_close(maps[3 + ghost], x[0, ghost // 2])


@pytest.mark.parametrize("channels_last", [False, True])
def test_float32(channels_last):
    x, weight = randn(2, 6, 9, 7, dtype=torch.float32), randn(12, 1, 3, 2, dtype=torch.float32)
    pointwise, bias = randn(5, 6, 1, 1, dtype=torch.float32), randn(12, dtype=torch.float32)
    if channels_last:
        x = x.to(memory_format=torch.channels_last)
    tolerance = {"rtol": 1e-4, "atol": 1e-5}
    depthwise_of_torch = lambda *o: F.conv2d(*o, stride=2, padding=1, groups=6)  # noqa: E731
    for ours in (
        lambda *o: functional.conv2d_loops(*o, stride=2, padding=1, groups=6),
        lambda *o: functional.conv2d(*o, stride=2, padding=1, groups=6),
        lambda *o: functional.depthwise_conv2d(*o, stride=2, padding=1),
    ):
        assert_same(ours, depthwise_of_torch, x, weight, bias, **tolerance)
    assert_same(functional.pointwise_conv2d, F.conv2d, x, pointwise, **tolerance)


def test_an_empty_batch_stays_empty():
    x, weight = torch.zeros(0, 4, 6, 5), torch.zeros(4, 1, 3, 3)
    assert functional.conv2d(x, weight, groups=4).shape == (0, 4, 4, 3)
    assert functional.depthwise_conv2d(x, weight).shape == (0, 4, 4, 3)
    assert functional.pointwise_conv2d(x, torch.zeros(3, 4, 1, 1)).shape == (0, 3, 6, 5)


# -- the one weight that they equal --------------------------------------------------------------------------------


@properties
@given(convolutions())
def test_dense_weight_does_what_the_groups_do(convolution):
    x, weight, _, arguments = convolution
    groups = arguments.pop("groups")
    assert_same(
        lambda x, weight: F.conv2d(x, functional.dense_weight(weight, groups), **arguments),
        lambda x, weight: F.conv2d(x, weight, **arguments, groups=groups),
        *(x, weight),
    )


def test_dense_weight_is_block_diagonal():
    dense = functional.dense_weight(torch.ones(4, 2, 3, 2), groups=2)
    block = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    torch.testing.assert_close(dense, block.float()[:, :, None, None].expand(4, 4, 3, 2))


@properties
@given(convolutions(depthwise=True), st.integers(1, 4))
def test_separable_weight_does_what_the_pair_does(convolution, out_channels):
    x, depthwise, _, arguments = convolution
    groups = arguments.pop("groups")
    m = depthwise.shape[0] // groups
    assert_same(
        lambda x, dw, pw: F.conv2d(x, functional.separable_weight(dw, pw, m), **arguments),
        lambda x, dw, pw: F.conv2d(F.conv2d(x, dw, **arguments, groups=groups), pw),
        *(x, depthwise, randn(out_channels, depthwise.shape[0], 1, 1)),
    )


def test_dense_kernels_in_1d():
    x, grouped = randn(2, 4, 9), randn(6, 2, 3)
    dense = functional.dense_weight(grouped, groups=2)
    torch.testing.assert_close(F.conv1d(x, dense), F.conv1d(x, grouped, groups=2))
    depthwise, pointwise = randn(8, 1, 3), randn(5, 8, 1)
    dense = functional.separable_weight(depthwise, pointwise, depth_multiplier=2)
    torch.testing.assert_close(F.conv1d(x, dense), F.conv1d(F.conv1d(x, depthwise, groups=4), pointwise))
