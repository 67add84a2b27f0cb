"""Convolutions by hand against torch's own, in values and gradients, over the settings where they go wrong."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib import functional

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
properties = settings(max_examples=60, deadline=None, derandomize=True)


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
    "dense": ((2, 3, 7, 5), (4, 3, 3, 2), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}),
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


# -- the convolutions against torch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [functional.conv2d_loops, functional.conv2d])
def test_conv2d_hard_cases(ours, hard):
    x, weight, bias, arguments = hard
    assert_same(lambda *o: ours(*o, **arguments), lambda *o: F.conv2d(*o, **arguments), x, weight, bias)


@properties
@given(convolutions())
def test_conv2d(convolution):
    *operands, arguments = convolution
    operands = operands_of(*operands)
    assert_same(lambda *o: functional.conv2d(*o, **arguments), lambda *o: F.conv2d(*o, **arguments), *operands)


@settings(properties, max_examples=25)
@given(convolutions())
def test_conv2d_loops_on_tensors_and_lists(convolution):
    x, weight, bias, arguments = convolution
    x = x[:, :, :6, :6] if x.dim() == 4 else x[None, :, :6, :6]
    if arguments["padding"] != "same":
        arguments |= {"padding": (4, 5)}  # the cut image may be smaller than the kernel
    expected = F.conv2d(x, weight, bias, **arguments)
    torch.testing.assert_close(functional.conv2d_loops(x, weight, bias, **arguments), expected)
    lists = [None if operand is None else operand.tolist() for operand in (x, weight, bias)]
    y = functional.conv2d_loops(*lists, **arguments)
    assert type(y) is list
    torch.testing.assert_close(torch.tensor(y, dtype=torch.float64), expected)


def test_conv2d_loops_on_numpy_arrays():
    x, weight, bias = randn(1, 4, 5, 3), randn(2, 2, 3, 2), randn(2)
    y = functional.conv2d_loops(x.numpy(), weight.numpy(), bias.numpy(), padding=1, groups=2)
    torch.testing.assert_close(torch.tensor(np.array(y)), F.conv2d(x, weight, bias, padding=1, groups=2))


def test_conv2d_loops_on_whole_numbers_stay_whole():
    x, weight = [[[[1, 2, 0], [0, 1, 3], [2, 0, 1]]]], [[[[1, 0], [0, -1]]]]
    assert functional.conv2d_loops(x, weight) == [[[[0, -1], [0, 0]]]]


@properties
@given(convolutions(axes=1))
def test_conv1d(convolution):
    *operands, arguments = convolution
    operands = operands_of(*operands)
    assert_same(lambda *o: functional.conv1d(*o, **arguments), lambda *o: F.conv1d(*o, **arguments), *operands)


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


@properties
@given(convolutions(depthwise=True), st.integers(1, 4))
def test_depthwise_separable_conv2d(convolution, out_channels):
    x, depthwise, _, arguments = convolution
    groups = arguments.pop("groups")
    assert_same(
        lambda *o: functional.depthwise_separable_conv2d(*o, **arguments),
        lambda x, dw, pw: F.conv2d(F.conv2d(x, dw, **arguments, groups=groups), pw),
        *(x, depthwise, randn(out_channels, depthwise.shape[0], 1, 1)),
    )


@properties
@given(convolutions(axes=1, depthwise=True), st.integers(1, 4))
def test_depthwise_separable_conv1d(convolution, out_channels):
    x, depthwise, _, arguments = convolution
    groups = arguments.pop("groups")
    assert_same(
        lambda *o: functional.depthwise_separable_conv1d(*o, **arguments),
        lambda x, dw, pw: F.conv1d(F.conv1d(x, dw, **arguments, groups=groups), pw),
        *(x, depthwise, randn(out_channels, depthwise.shape[0], 1)),
    )


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


# -- the dense kernels that they equal --------------------------------------------------------------------------------


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


# -- what is refused, and with which values ------------------------------------------------------------------------


def zeros(*shape, dtype=torch.float32):
    return torch.zeros(shape, dtype=dtype)


BAD_CONV2D = {
    "rank of x": ({"x": zeros(5, 5)}, r"x must have shape .*got \(5, 5\)"),
    "rank of weight": ({"weight": zeros(6, 4, 3)}, r"weight must have shape .*got \(6, 4, 3\)"),
    "channels": ({"weight": zeros(6, 3, 3, 3)}, "weight has 3 input channels per group, x has 4 channels and groups=1"),
    "channels in groups": ({"groups": 2}, "weight has 4 input channels per group, x has 4 channels and groups=2"),
    "groups and C_in": ({"groups": 3}, "groups=3, in_channels=4, out_channels=6"),
    "groups and C_out": ({"groups": 4}, "groups=4, in_channels=4, out_channels=6"),
    "no groups": ({"groups": 0}, "groups must be at least 1, got 0"),
    "no channels": ({"x": zeros(1, 0, 5, 7)}, "in_channels must be at least 1, got 0"),
    "length of bias": ({"bias": zeros(4)}, r"bias must have shape \(6,\).*got \(4,\)"),
    "rank of bias": ({"bias": zeros(6, 1)}, r"bias must have shape \(6,\).*got \(6, 1\)"),
    "kernel too high": ({"weight": zeros(6, 4, 6, 3)}, r"kernel_size 6 .*the input has 5 and 5 with padding \(0, 0\)"),
    "kernel too wide": ({"dilation": (1, 4)}, "dilation 4 spans 9 pixels, the input has 7"),
    "padding too small": ({"weight": zeros(6, 4, 8, 3), "padding": 1}, "spans 8 pixels, the input has 5 and 7"),
    "empty image": ({"x": zeros(1, 4, 0, 7), "padding": 2}, "input size must be at least 1, got 0"),
    "empty kernel": ({"weight": zeros(6, 4, 3, 0)}, "kernel_size must be at least 1, got 0"),
    "stride 0": ({"stride": 0}, "stride must be at least 1, got 0"),
    "stride fraction": ({"stride": 1.5}, "stride must be a whole number, got 1.5"),
    "stride triple": ({"stride": (1, 2, 3)}, r"stride .*got \(1, 2, 3\)"),
    "dilation 0": ({"dilation": (1, 0)}, "dilation must be at least 1, got 0"),
    "dilation fraction": ({"dilation": 0.5}, "dilation must be a whole number, got 0.5"),
    "padding negative": ({"padding": -1}, "padding must be at least 0, got -1"),
    "padding fraction": ({"padding": (1, 0.5)}, "padding must be a whole number, got 0.5"),
    "padding word": ({"padding": "full"}, "padding .*got 'full'"),
    "same with stride": ({"padding": "same", "stride": (1, 2)}, "needs stride 1, got stride 2"),
    "dtypes": ({"weight": zeros(6, 4, 3, 3, dtype=torch.float64)}, "'x': 'torch.float32', 'weight': 'torch.float64'"),
    "dtype of bias": ({"bias": zeros(6, dtype=torch.float16)}, "'bias': 'torch.float16'"),
    "weight not a tensor": ({"weight": [[[[1.0]]]]}, "weight must be a torch tensor, got list"),
}


@pytest.mark.parametrize(("changed", "message"), BAD_CONV2D.values(), ids=BAD_CONV2D.keys())
@pytest.mark.parametrize("function", [functional.conv2d_loops, functional.conv2d])
def test_conv2d_errors(function, changed, message):
    good = {"x": zeros(1, 4, 5, 7), "weight": zeros(6, 4, 3, 3)}
    assert function(**good).shape == (1, 6, 3, 5)
    with pytest.raises(ValueError, match=message):
        function(**good | changed)


def test_conv2d_loops_errors_on_lists():
    x, weight = zeros(1, 1, 2, 3).tolist(), zeros(1, 1, 1, 1).tolist()
    with pytest.raises(ValueError, match=r"x must have shape .*got \(1, 2, 3\)"):
        functional.conv2d_loops(x[0], weight)
    with pytest.raises(ValueError, match=r"x must have shape .*got \(0,\)"):
        functional.conv2d_loops([], weight)
    with pytest.raises(ValueError, match=r"rectangular, got rows of shapes \[\(1,\), \(2,\)\]"):
        functional.conv2d_loops([[[[1.0, 2.0], [3.0]]]], weight)
    with pytest.raises(ValueError, match=r"bias must have shape \(1,\).*got \(2,\)"):
        functional.conv2d_loops(x, weight, bias=[0.0, 0.0])


def test_conv2d_loops_refuses_an_empty_batch():
    with pytest.raises(ValueError, match="batch size must be at least 1, got 0"):
        functional.conv2d_loops(zeros(0, 4, 5, 7), zeros(6, 4, 3, 3))


def test_conv2d_wants_tensors():
    with pytest.raises(ValueError, match="x must be a torch tensor, got ndarray"):
        functional.conv2d(np.zeros((1, 4, 5, 7)), zeros(6, 4, 3, 3))


BAD_CONV1D = {
    "rank of x": ({"x": zeros(1, 4, 5, 7)}, r"x must have shape \(N, C_in, L\) .*got \(1, 4, 5, 7\)"),
    "rank of weight": ({"weight": zeros(6, 4)}, r"weight must have shape .*got \(6, 4\)"),
    "channels": ({"weight": zeros(6, 3, 3)}, "weight has 3 input channels per group, x has 4 channels"),
    "groups": ({"groups": 3}, "groups=3, in_channels=4, out_channels=6"),
    "length of bias": ({"bias": zeros(4)}, r"bias must have shape \(6,\).*got \(4,\)"),
    "kernel too long": ({"dilation": 5}, "dilation 5 spans 11 pixels, the input has 9"),
    "stride": ({"stride": 0}, "stride must be at least 1, got 0"),
    "stride pair": ({"stride": (2, 2)}, r"stride must be a whole number, got \(2, 2\)"),
    "dilation": ({"dilation": 0.5}, "dilation must be a whole number, got 0.5"),
    "padding": ({"padding": -3}, "padding must be at least 0, got -3"),
    "same with stride": ({"padding": "same", "stride": 2}, "needs stride 1, got stride 2"),
    "dtypes": ({"weight": zeros(6, 4, 3, dtype=torch.float64)}, "'weight': 'torch.float64'"),
}


@pytest.mark.parametrize(("changed", "message"), BAD_CONV1D.values(), ids=BAD_CONV1D.keys())
def test_conv1d_errors(changed, message):
    good = {"x": zeros(1, 4, 9), "weight": zeros(6, 4, 3)}
    assert functional.conv1d(**good).shape == (1, 6, 7)
    with pytest.raises(ValueError, match=message):
        functional.conv1d(**good | changed)


BAD_DEPTHWISE = {
    "rank of x": ({"x": zeros(9)}, r"x must have shape .*got \(9,\)"),
    "rank of weight": ({"weight": zeros(8, 3, 3)}, r"weight must have shape .*got \(8, 3, 3\)"),
    "a dense weight": (
        {"weight": zeros(8, 4, 3, 3)},
        "weight has 4 input channels per group, x has 4 channels and groups=4",
    ),
    "multiplier": ({"weight": zeros(6, 1, 3, 3)}, "groups=4, in_channels=4, out_channels=6"),
    "length of bias": ({"bias": zeros(4)}, r"bias must have shape \(8,\).*got \(4,\)"),
    "kernel too large": ({"dilation": (3, 1)}, "dilation 3 spans 7 pixels, the input has 5"),
    "stride": ({"stride": -1}, "stride must be at least 1, got -1"),
    "padding": ({"padding": 1.0}, "padding must be a whole number, got 1.0"),
    "dtypes": ({"weight": zeros(8, 1, 3, 3, dtype=torch.float64)}, "'weight': 'torch.float64'"),
}


@pytest.mark.parametrize(("changed", "message"), BAD_DEPTHWISE.values(), ids=BAD_DEPTHWISE.keys())
def test_depthwise_conv2d_errors(changed, message):
    good = {"x": zeros(1, 4, 5, 7), "weight": zeros(8, 1, 3, 3)}
    assert functional.depthwise_conv2d(**good).shape == (1, 8, 3, 5)
    with pytest.raises(ValueError, match=message):
        functional.depthwise_conv2d(**good | changed)


BAD_POINTWISE = {
    "a wider kernel": ({"weight": zeros(6, 4, 1, 2)}, r"a pointwise kernel is 1x1, got weight of shape \(6, 4, 1, 2\)"),
    "rank of weight": ({"weight": zeros(6, 4)}, r"weight must have shape .*got \(6, 4\)"),
    "channels": ({"weight": zeros(6, 3, 1, 1)}, "weight has 3 input channels per group, x has 4 channels"),
    "rank of x": ({"x": zeros(4, 5)}, r"x must have shape .*got \(4, 5\)"),
    "length of bias": ({"bias": zeros(4)}, r"bias must have shape \(6,\).*got \(4,\)"),
    "dtypes": ({"weight": zeros(6, 4, 1, 1, dtype=torch.float64)}, "'weight': 'torch.float64'"),
}


@pytest.mark.parametrize(("changed", "message"), BAD_POINTWISE.values(), ids=BAD_POINTWISE.keys())
def test_pointwise_conv2d_errors(changed, message):
    good = {"x": zeros(1, 4, 5, 7), "weight": zeros(6, 4, 1, 1)}
    assert functional.pointwise_conv2d(**good).shape == (1, 6, 5, 7)
    with pytest.raises(ValueError, match=message):
        functional.pointwise_conv2d(**good | changed)


BAD_SEPARABLE = {
    "dense depthwise": ({"depthwise_weight": (8, 4, 3)}, r"depthwise_weight must have 1 input .*got 4 in \(8, 4, 3"),
    "kernels do not meet": (
        {"pointwise_weight": (6, 4, 1)},
        r"\(C_out, 8, 1.*depthwise_weight \(8, 1, 3.*got \(6, 4, 1",
    ),
    "pointwise too wide": ({"pointwise_weight": (6, 8, 3)}, r"pointwise_weight must have shape .*got \(6, 8, 3"),
    "multiplier": ({"depthwise_weight": (6, 1, 3), "pointwise_weight": (6, 6, 1)}, "in_channels=4, out_channels=6"),
    "kernel too large": ({"dilation": 9}, "dilation 9 spans 19 pixels"),
    "stride": ({"stride": 0}, "stride must be at least 1, got 0"),
    "padding": ({"padding": "full"}, "got 'full'"),
}


@pytest.mark.parametrize(("changed", "message"), BAD_SEPARABLE.values(), ids=BAD_SEPARABLE.keys())
@pytest.mark.parametrize("axes", [1, 2])
def test_depthwise_separable_errors(axes, changed, message):
    def tensors(shape):  # a kernel shape in 1-D becomes a square one in 2-D
        return zeros(*shape, *shape[-1:] * (axes - 1)) if isinstance(shape, tuple) else shape

    function = {1: functional.depthwise_separable_conv1d, 2: functional.depthwise_separable_conv2d}[axes]
    good = {"x": (1, 4, 7), "depthwise_weight": (8, 1, 3), "pointwise_weight": (6, 8, 1)}
    assert function(**{name: tensors(shape) for name, shape in good.items()}).shape == (1, 6, *[5] * axes)
    with pytest.raises(ValueError, match=message):
        function(**{name: tensors(shape) for name, shape in (good | changed).items()})


@pytest.mark.parametrize(
    ("function", "shapes", "message"),
    [
        ("depthwise_separable_conv1d", [(1, 4, 7, 7), (4, 1, 3), (6, 4, 1)], r"x must .*got \(1, 4, 7, 7\)"),
        ("depthwise_separable_conv1d", [(1, 4, 7), (4, 1, 3, 3), (6, 4, 1)], r"depthwise_weight .*got \(4, 1, 3, 3\)"),
        ("depthwise_separable_conv1d", [(1, 4, 7), (4, 1, 3), (6, 4, 1, 1)], r"pointwise_weight .*got \(6, 4, 1, 1\)"),
        (
            "depthwise_separable_conv2d",
            [(1, 4, 7, 7), (4, 1, 3), (6, 4, 1)],
            r"depthwise_weight must .*got \(4, 1, 3\)",
        ),
        ("depthwise_separable_conv2d", [(1, 4, 7, 7), (4, 1, 3, 3), (6, 4, 1)], r"pointwise_weight .*got \(6, 4, 1\)"),
    ],
)
def test_depthwise_separable_ranks(function, shapes, message):
    with pytest.raises(ValueError, match=message):
        getattr(functional, function)(*[zeros(*shape) for shape in shapes])


BAD_GHOST = {
    "too many asked": ({"out_channels": 7}, "out_channels=7 is more than the 6 maps"),
    "none asked": ({"out_channels": 0}, "out_channels must be at least 1, got 0"),
    "half a map": ({"out_channels": 2.5}, "out_channels must be a whole number, got 2.5"),
    "cheap channels": ({"cheap_weight": zeros(4, 1, 3, 3)}, "groups=3, in_channels=3, out_channels=4"),
    "no ghosts": ({"cheap_weight": zeros(0, 1, 3, 3)}, "out_channels must be at least 1, got 0"),
    "primary channels": ({"primary_weight": zeros(3, 5, 1, 1)}, "weight has 5 input channels per group, x has 4"),
    "dtypes": ({"cheap_weight": zeros(3, 1, 3, 3, dtype=torch.float64)}, "'cheap_weight': 'torch.float64'"),
    "stride": ({"stride": 0}, "stride must be at least 1, got 0"),
    "padding": ({"padding": -1}, "padding must be at least 0, got -1"),
}


@pytest.mark.parametrize(("changed", "message"), BAD_GHOST.values(), ids=BAD_GHOST.keys())
def test_ghost_features_errors(changed, message):
    good = {"x": zeros(1, 4, 5, 7), "primary_weight": zeros(3, 4, 1, 1), "cheap_weight": zeros(3, 1, 3, 3)}
    assert functional.ghost_features(**good).shape == (1, 6, 5, 7)
    with pytest.raises(ValueError, match=message):
        functional.ghost_features(**good | changed)


@pytest.mark.parametrize(
    ("weight", "groups", "message"),
    [
        (zeros(6, 2, 3, 3), 4, "groups=4, in_channels=8, out_channels=6"),
        (zeros(6, 2, 3, 3), 0, "groups must be at least 1, got 0"),
        (zeros(6, 2, 3, 3), 1.5, "groups must be a whole number, got 1.5"),
        (zeros(6, 2), 2, r"weight must have shape .*got \(6, 2\)"),
        ([[1.0]], 1, "weight must be a torch tensor, got list"),
        (zeros(6, 2, 3, 3), torch.tensor(True), r"groups must be a whole number, got tensor\(True\)"),
    ],
)
def test_dense_weight_errors(weight, groups, message):
    with pytest.raises(ValueError, match=message):
        functional.dense_weight(weight, groups)


@pytest.mark.parametrize(
    ("depthwise", "pointwise", "depth_multiplier", "message"),
    [
        (zeros(6, 1, 3, 3), zeros(5, 6, 1, 1), 4, "depth_multiplier=4 does not divide the 6"),
        (zeros(6, 1, 3, 3), zeros(5, 6, 1, 1), 0, "depth_multiplier must be at least 1, got 0"),
        (zeros(6, 2, 3, 3), zeros(5, 6, 1, 1), 1, r"1 input channel per group, got 2 in \(6, 2, 3, 3\)"),
        (zeros(6, 1, 3, 3), zeros(5, 3, 1, 1), 1, r"\(C_out, 6, 1, 1\) .*got \(5, 3, 1, 1\)"),
        (zeros(6, 1, 3, 3), zeros(5, 6, 1), 1, r"\(C_out, 6, 1, 1\) .*got \(5, 6, 1\)"),
        (zeros(6, 1), zeros(5, 6), 1, r"depthwise_weight must have shape .*got \(6, 1\)"),
        (zeros(6, 1, 3), zeros(5, 6, 1, dtype=torch.float64), 1, "'pointwise_weight': 'torch.float64'"),
    ],
)
def test_separable_weight_errors(depthwise, pointwise, depth_multiplier, message):
    with pytest.raises(ValueError, match=message):
        functional.separable_weight(depthwise, pointwise, depth_multiplier)


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (functional.conv2d, 2),
        (functional.conv1d, 2),
        (functional.depthwise_conv2d, 2),
        (functional.pointwise_conv2d, 2),
        (functional.depthwise_separable_conv2d, 3),
        (functional.depthwise_separable_conv1d, 3),
        (functional.ghost_features, 3),
        (functional.separable_weight, 2),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_only_a_bias_may_be_missing(function, count):
    for missing in range(count):
        tensors = [zeros(1, 1, 1, 1)] * count
        tensors[missing] = None
        with pytest.raises(ValueError, match="must be a torch tensor, got NoneType"):
            function(*tensors)
