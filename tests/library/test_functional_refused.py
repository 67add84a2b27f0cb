"""What the convolutions by hand refuse, and that they name the caller's arguments and what these should be."""

import numpy as np
import pytest
import torch

from dslib import functional


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
    (DIRECT, {"x": zeros(1, 0, 5, 7)}, r"x must have at least one channel, got shape \(1, 0, 5, 7\)"),
    (DIRECT, {"weight": zeros(6, 4, 3, 0)}, "kernel_size must be at least 1, got 0"),
    (DIRECT, {"weight": zeros(6, 4, 3)}, r"weight must have shape .*got \(6, 4, 3\)"),
    (DIRECT, {"weight": zeros(6, 3, 3, 3)}, r"weight .*\(C_out, 4, K_h, K_w\) for 4 channels and groups=1, got \(6, 3"),
    (DIRECT, {"groups": 2}, r"weight .*\(C_out, 2, K_h, K_w\) for 4 channels and groups=2, got \(6, 4"),
    (DIRECT, {"groups": 3}, "groups must divide the 4 channels of x and the 6 of weight, got groups=3"),
    (f"{DIRECT} conv1d", {"groups": None}, "groups must be a whole number, got None"),
    (f"{DIRECT} conv1d", {"groups": "depthwise"}, "groups must be a whole number, got 'depthwise'"),
    (DIRECT, {"weight": zeros(0, 4, 3, 3)}, r"\(C_out, 4, K_h, K_w\) for 4 channels and groups=1, got \(0, 4, 3, 3\)"),
    ("conv2d", {"weight": zeros(6, 4, 3, 3).to("meta")}, "must have one device, got .*'x': 'cpu', 'weight': 'meta'"),
    (DIRECT, {"bias": zeros(6, 1)}, r"bias must have shape \(6,\).*got \(6, 1\)"),
    (DIRECT, {"bias": zeros(6, dtype=torch.float16)}, "'bias': 'torch.float16'"),
    (DIRECT, {"weight": zeros(6, 4, 3, 3, dtype=torch.float64)}, "'x': 'torch.float32', 'weight': 'torch.float64'"),
    ("conv2d", {"x": np.zeros((1, 4, 5, 7))}, "x must be a torch tensor, got ndarray"),
    ("conv2d_loops", {"weight": [[[[1.0]]]]}, "weight must be a torch tensor, got list"),
    ("conv2d_loops", {"x": zeros(0, 4, 5, 7)}, "batch size must be at least 1, got 0"),
    ("conv2d_loops", {"x": zeros(4, 5, 7)}, r"x must have shape \(N, C_in, H, W\), got \(4, 5, 7\)"),
    ("conv2d_loops", {"x": [[[[1.0, 2.0], [3.0]]]]}, r"rectangular, got rows of shapes \[\(1,\), \(2,\)\]"),
    ("conv1d", {"weight": zeros(6, 4)}, r"weight must have shape .*got \(6, 4\)"),
    ("conv1d", {"weight": zeros(6, 3, 3)}, r"\(C_out, 4, K\) for 4 channels and groups=1, got \(6, 3, 3\)"),
    ("conv1d", {"groups": 4}, "groups must divide the 4 channels of x and the 6 of weight, got groups=4"),
    ("conv1d", {"bias": zeros(4)}, r"bias must have shape \(6,\).*got \(4,\)"),
    ("depthwise_conv2d", {"weight": zeros(8, 4, 3, 3)}, r"\(4\*m, 1, K_h, K_w\) for 4 channels, got \(8, 4, 3, 3\)"),
    ("depthwise_conv2d", {"weight": zeros(6, 1, 3, 3)}, r"weight .*\(4\*m, 1, K_h, K_w\) for 4 channels, got \(6, 1"),
    ("depthwise_conv2d", {"weight": zeros(1, 1, 3, 3)}, r"\(4\*m, 1, K_h, K_w\) for 4 channels, got \(1, 1, 3, 3\)"),
    ("depthwise_conv2d", {"weight": zeros(0, 1, 3, 3)}, r"\(4\*m, 1, K_h, K_w\) for 4 channels, got \(0, 1, 3, 3\)"),
    ("depthwise_conv2d", {"bias": zeros(4)}, r"bias must have shape \(8,\).*got \(4,\)"),
    ("pointwise_conv2d", {"weight": zeros(6, 4, 1, 2)}, r"a pointwise kernel is 1x1, got .*\(6, 4, 1, 2\)"),
    ("pointwise_conv2d", {"weight": zeros(6, 3, 1, 1)}, r"\(C_out, 4, K_h, K_w\) for 4 channels, got \(6, 3, 1, 1\)"),
    ("depthwise_separable_conv2d separable_weight", {"depthwise_weight": zeros(8, 4, 3, 3)}, r"\(8, 4, 3, 3\)"),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(6, 4, 1, 1)}, r"\(6, 4, 1, 1\)"),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(6, 8, 3, 3)}, r"\(6, 8, 3, 3\)"),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(6, 8, 1)}, r"and \(6, 8, 1\)"),
    (
        "depthwise_separable_conv2d",
        {"x": zeros(1, 3, 5, 7)},
        r"depthwise_weight must have shape \(3\*m, 1, K_h, K_w\) for 3 channels, got \(8, 1, 3, 3\)",
    ),
    (
        "depthwise_separable_conv1d",
        {"x": zeros(1, 3, 7)},
        r"depthwise_weight must have shape \(3\*m, 1, K\) for 3 channels, got \(8, 1, 3\)",
    ),
    ("depthwise_separable_conv2d separable_weight", {"pointwise_weight": zeros(0, 8, 1, 1)}, r"\(0, 8, 1, 1\)"),
    ("depthwise_separable_conv2d", HALVES_1D, r"depthwise_weight must have shape .*got \(8, 1, 3\)"),
    ("depthwise_separable_conv1d", HALVES, r"depthwise_weight must have shape .*got \(8, 1, 3, 3\)"),
    ("separable_weight", {"depthwise_weight": zeros(8, 1)}, r"depthwise_weight must have shape .*got \(8, 1\)"),
    ("separable_weight", {"depthwise_weight": zeros()}, r"depthwise_weight must have shape .*got \(\)"),
    ("separable_weight", {"depth_multiplier": 3}, "depth_multiplier=3 does not divide the 8"),
    ("separable_weight", {"depth_multiplier": 0}, "depth_multiplier must be at least 1, got 0"),
    ("ghost_features", {"out_channels": 7}, "out_channels=7 is more than the 6 maps"),
    ("ghost_features", {"out_channels": 2.5}, "out_channels must be a whole number, got 2.5"),
    ("ghost_features", {"cheap_weight": zeros(4, 1, 3, 3)}, r"cheap_weight must have shape \(3\*m, .* got \(4, 1"),
    ("ghost_features", {"cheap_weight": zeros(0, 1, 3, 3)}, r"cheap_weight must have shape \(3\*m, .* got \(0, 1"),
    ("ghost_features", {"primary_weight": zeros(3, 2, 1, 1)}, r"primary_weight .*\(C_out, 4, .* got \(3, 2"),
    ("dense_weight", {"groups": 4}, "groups must divide the 6 output channels of weight, got groups=4"),
    ("dense_weight", {"weight": zeros(6, 0, 3, 3)}, r"weight must have channels, got shape \(6, 0, 3, 3\)"),
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
