"""Convolutions by hand against torch's own, in values and gradients, over the settings where they go wrong."""

import itertools

import numpy as np
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


# -- what is refused, and with which values ------------------------------------------------------------------------


def zeros(*shape, dtype=torch.float32):
    return torch.zeros(shape, dtype=dtype)


HALVES = {"depthwise_weight": zeros(8, 1, 3, 3), "pointwise_weight": zeros(6, 8, 1, 1)}
HALVES_1D = {"depthwise_weight": zeros(8, 1, 3), "pointwise_weight": zeros(6, 8, 1)}
GOOD = {  # arguments that every function takes; below some of them are changed
    "conv2d_loops": {"x": zeros(1, 4, 5, 7), "weight": zeros(6, 4, 3, 3)},
    "windows": {"x": zeros(1, 4, 5, 7), "kernel_size": (3, 3)},
    "conv2d": {"x": zeros(1, 4, 5, 7), "weight": zeros(6, 4, 3, 3)},
    "depthwise_conv2d": {"x": zeros(1, 4, 5, 7), "weight": zeros(8, 1, 3, 3)},
    "pointwise_conv2d": {"x": zeros(1, 4, 5, 7), "weight": zeros(6, 4, 1, 1)},
    "depthwise_separable_conv2d": {"x": zeros(1, 4, 5, 7)} | HALVES,
    "conv1d": {"x": zeros(1, 4, 9), "weight": zeros(6, 4, 3)},
    "depthwise_separable_conv1d": {"x": zeros(1, 4, 7)} | HALVES_1D,
    "ghost_features": {
        "x": zeros(1, 4, 5, 7),
        "primary_weight": zeros(3, 4, 1, 1),
        "cheap_weight": zeros(3, 1, 3, 3),
    },
    "dense_weight": {"weight": zeros(6, 2, 3, 3), "groups": 2},
    "separable_weight": HALVES,
}
DIRECT = "conv2d_loops conv2d"
SLIDING = "conv2d_loops windows conv2d depthwise_conv2d depthwise_separable_conv2d ghost_features"
ALONG = "conv1d depthwise_separable_conv1d"
BAD = [  # (functions, changed arguments, what the error says)
    (SLIDING, {"x": zeros(5, 5)}, r"x must have shape .*got \(5, 5\)"),
    (SLIDING, {"stride": 0}, "stride must be at least 1, got 0"),
    (SLIDING, {"stride": (1, 2, 3)}, r"stride .*got \(1, 2, 3\)"),
    (SLIDING, {"padding": (1, 0.5)}, "padding must be a whole number, got 0.5"),
    (SLIDING, {"padding": "full"}, "padding .*got 'full'"),
    (SLIDING, {"padding": "same", "stride": (1, 2)}, "needs stride 1, got stride 2"),
    (ALONG, {"stride": (2, 2)}, r"stride must be a whole number, got \(2, 2\)"),
    (ALONG, {"padding": -3}, "padding must be at least 0, got -3"),
    (ALONG, {"dilation": 5}, "dilation 5 spans 11 pixels"),
    (ALONG, {"x": zeros(1, 4, 5, 6)}, r"x must have shape \(N, C_in, L\) .*got \(1, 4, 5, 6\)"),
    ("windows", {"kernel_size": 6}, r"kernel_size 6 .*the input has 5 and 5 with padding \(0, 0\)"),
    ("windows", {"dilation": (1, 4)}, "dilation 4 spans 9 pixels, the input has 7"),
    (DIRECT, {"weight": zeros(6, 4, 8, 3), "padding": 1}, "spans 8 pixels, the input has 5 and 7"),
    (DIRECT, {"x": zeros(1, 4, 0, 7), "padding": 2}, "input size must be at least 1, got 0"),
    (DIRECT, {"x": zeros(1, 0, 5, 7)}, "in_channels must be at least 1, got 0"),
    (DIRECT, {"weight": zeros(6, 4, 3, 0)}, "kernel_size must be at least 1, got 0"),
    (DIRECT, {"weight": zeros(6, 4, 3)}, r"weight must have shape .*got \(6, 4, 3\)"),
    (DIRECT, {"weight": zeros(6, 3, 3, 3)}, "3 input channels per group, x has 4 channels and groups=1"),
    (DIRECT, {"groups": 2}, "4 input channels per group, x has 4 channels and groups=2"),
    (DIRECT, {"groups": 3}, "groups=3, in_channels=4, out_channels=6"),
    (DIRECT, {"bias": zeros(6, 1)}, r"bias must have shape \(6,\).*got \(6, 1\)"),
    (DIRECT, {"bias": zeros(6, dtype=torch.float16)}, "'bias': 'torch.float16'"),
    (DIRECT, {"weight": zeros(6, 4, 3, 3, dtype=torch.float64)}, "'x': 'torch.float32', 'weight': 'torch.float64'"),
    ("conv2d", {"x": np.zeros((1, 4, 5, 7))}, "x must be a torch tensor, got ndarray"),
    ("conv2d_loops", {"weight": [[[[1.0]]]]}, "weight must be a torch tensor, got list"),
    ("conv2d_loops", {"x": zeros(0, 4, 5, 7)}, "batch size must be at least 1, got 0"),
    ("conv2d_loops", {"x": zeros(4, 5, 7)}, r"x must have shape \(N, C_in, H, W\), got \(4, 5, 7\)"),
    ("conv2d_loops", {"x": [[[[1.0, 2.0], [3.0]]]]}, r"rectangular, got rows of shapes \[\(1,\), \(2,\)\]"),
    ("conv1d", {"weight": zeros(6, 4)}, r"weight must have shape .*got \(6, 4\)"),
    ("conv1d", {"bias": zeros(4)}, r"bias must have shape \(6,\).*got \(4,\)"),
    ("depthwise_conv2d", {"weight": zeros(8, 4, 3, 3)}, r"for 4 channels, got \(8, 4, 3, 3\)"),
    ("depthwise_conv2d", {"weight": zeros(6, 1, 3, 3)}, r"\(C_in\*m, 1, K_h, K_w\) for 4 channels, got \(6, 1"),
    ("depthwise_conv2d", {"bias": zeros(4)}, r"bias must have shape \(8,\).*got \(4,\)"),
    ("pointwise_conv2d", {"weight": zeros(6, 4, 1, 2)}, r"a pointwise kernel is 1x1, got .*\(6, 4, 1, 2\)"),
    ("pointwise_conv2d", {"weight": zeros(6, 3, 1, 1)}, "3 input channels per group, x has 4 channels"),
    ("depthwise_separable_conv2d separable_weight", {"depthwise_weight": zeros(8, 4, 3, 3)}, r"\(8, 4, 3, 3\)"),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(6, 4, 1, 1)}, r"\(6, 4, 1, 1\)"),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(6, 8, 3, 3)}, r"\(6, 8, 3, 3\)"),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(6, 8, 1)}, r"and \(6, 8, 1\)"),
    ("depthwise_separable_conv2d", HALVES_1D, r"weight must have shape .*got \(8, 1, 3\)"),
    ("depthwise_separable_conv1d", HALVES, r"weight must have shape .*got \(8, 1, 3, 3\)"),
    ("separable_weight", {"depthwise_weight": zeros(8, 1)}, r"depthwise_weight must have shape .*got \(8, 1\)"),
    ("separable_weight", {"depthwise_weight": zeros()}, r"depthwise_weight must have shape .*got \(\)"),
    ("separable_weight", {"depth_multiplier": 3}, "depth_multiplier=3 does not divide the 8"),
    ("separable_weight", {"depth_multiplier": 0}, "depth_multiplier must be at least 1, got 0"),
    ("ghost_features", {"out_channels": 7}, "out_channels=7 is more than the 6 maps"),
    ("ghost_features", {"out_channels": 2.5}, "out_channels must be a whole number, got 2.5"),
    ("ghost_features", {"cheap_weight": zeros(4, 1, 3, 3)}, r"for 3 channels, got \(4, 1, 3, 3\)"),
    ("ghost_features", {"cheap_weight": zeros(0, 1, 3, 3)}, "out_channels must be at least 1, got 0"),
    ("dense_weight", {"groups": 4}, "groups=4, in_channels=8, out_channels=6"),
    ("dense_weight", {"groups": torch.tensor(True)}, r"groups must be a whole number, got tensor\(True\)"),
    ("dense_weight", {"weight": zeros(6, 2)}, r"weight must have shape .*got \(6, 2\)"),
]


@pytest.mark.parametrize(
    ("functions", "changed", "message"), BAD, ids=lambda value: value if isinstance(value, str) else "-".join(value)
)
def test_what_does_not_fit_is_refused_with_its_values(functions, changed, message):
    for name in functions.split():
        with pytest.raises(ValueError, match=message):
            getattr(functional, name)(**GOOD[name] | changed)


@pytest.mark.parametrize("name", GOOD)
def test_every_operand_is_a_tensor_of_the_same_type(name):
    operands = [argument for argument, value in GOOD[name].items() if isinstance(value, torch.Tensor)]
    getattr(functional, name)(**GOOD[name])
    for operand in operands[1:] if name == "conv2d_loops" else operands:  # the loops take lists, too
        with pytest.raises(ValueError, match="must be a torch tensor, got NoneType"):
            getattr(functional, name)(**GOOD[name] | {operand: None})
    for operand in operands if len(operands) > 1 else []:
        with pytest.raises(ValueError, match="must have one dtype, got .*torch.float64"):
            getattr(functional, name)(**GOOD[name] | {operand: GOOD[name][operand].double()})


def test_loops_refuse_lists_that_do_not_fit():
    x, weight = zeros(1, 1, 2, 3).tolist(), zeros(1, 1, 1, 1).tolist()
    with pytest.raises(ValueError, match=r"x must have shape .*got \(0,\)"):
        functional.conv2d_loops([], weight)
    with pytest.raises(ValueError, match=r"bias must have shape \(1,\).*got \(2,\)"):
        functional.conv2d_loops(x, weight, bias=[0.0, 0.0])
