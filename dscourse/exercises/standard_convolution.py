"""The exercises of the chapter on standard convolution."""

import torch

from dscourse.checks.exercise import exercise
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import as_array, fault_of_array
from dscourse.checks.watch import BY_HAND, by_hand
from dslib import cost, functional, geometry


@exercise(
    cases=[(3, 32, 3, 3), (64, 128, 1, 1), (2, 5, 3, 7)],
    oracle=lambda c_in, c_out, high, wide: (c_out, c_in, high, wide),
    hint="Four numbers: how many filters, how many kernels in each, and the kernel's height and width.",
    wrong={
        "out_channels, in_channels -> in_channels, out_channels": "C_in and C_out are swapped: the first axis of a "
        "weight counts the filters, and there is one for each output channel.",
        ", in_channels -> ": "The channel axis is missing: every filter has one kernel for each input channel.",
        "(out_channels, in_channels, kernel_width, kernel_height)": "Height comes before width, as in the maps.",
    },
)
def weight_shape(in_channels, out_channels, kernel_height, kernel_width):
    return (out_channels, in_channels, kernel_height, kernel_width)


@exercise(
    cases=[(32, 5, 2, 2, 2), (7, 3, 1, 0, 1), (8, 3, 3, 1, 1), (9, 3, 3, 1, 1), (9, 2, 2, 1, 3), (224, 3, 2, 1, 1)],
    oracle=geometry.output_size,
    hint="How many pixels does the spread kernel span? How many steps of the stride fit into what is left?",
    wrong={
        "(size + 2 * padding - span) // stride": "You count the steps between the windows. There is one window more "
        "than there are steps.",
        "2 *  -> ": "The padding is off: it stands on both sides of the map, so 2 * padding pixels come in.",
        "dilation * (kernel_size - 1) + 1 -> kernel_size": "The dilation is not used: a spread kernel spans dilation * "
        "(kernel_size - 1) + 1 pixels.",
        "-(-(size + 2 * padding - span) // stride) + 1": "You round up. A window that does not fit entirely is left "
        "out, so round down.",
    },
)
def output_side(size, kernel_size, stride, padding, dilation):
    span = dilation * (kernel_size - 1) + 1  # of the spread kernel
    return (size + 2 * padding - span) // stride + 1


@exercise(
    cases=[(2, 2, 2, True), (3, 32, 3, False), (16, 8, 5, True), (8, 16, 1, True)],
    oracle=lambda c_in, c_out, k, bias: cost.conv2d(c_in, c_out, k, output_size=1, bias=bias).params,
    hint="All numbers in the weight's shape multiplied, and one bias for each output channel.",
    wrong={
        "(out -> (2 * out": "The bias is counted twice: there is one number for each output channel, not two.",
        "weights + weights // kernel_size**2 * bias": "You give every kernel a bias. The kernels of one filter are "
        "added up, and the sum gets one bias.",
        "weights + out_channels": "Your function does not look at bias: without it, there are the weights alone.",
        "weights": "The bias is missing: one number for each output channel, if there is one.",
        " * in_channels -> ": "You count one kernel for each filter. A filter has one for each input channel.",
    },
)
def conv_params(in_channels, out_channels, kernel_size, bias):
    weights = out_channels * in_channels * kernel_size**2
    return weights + (out_channels if bias else 0)


@exercise(
    cases=[(3, 32, 3, 224, 2, 1), (16, 16, 3, 14, 1, 1), (8, 4, 5, 21, 3, 0)],
    oracle=lambda c_in, c_out, k, size, s, p: (
        cost.conv2d(c_in, c_out, k, output_size=geometry.output_size(size, k, s, p)).macs
    ),
    hint="First the output's side, then weights times positions.",
    wrong={
        "weights * size**2": "You multiply by the input's positions. A weight is used once at each position of the "
        "output.",
        "2 * weights * side**2": "These are FLOPs: a multiplication and the addition after it are one MAC.",
        " * in_channels -> ": "One input channel is counted. An output number adds up the products of all of them.",
        "weights": "These are the weights. Each is used at every position of the output.",
        "weights * (-(-size // stride)) ** 2": "You take size / stride for the output's side. That holds for some "
        "paddings only: use exercise 2.",
    },
)
def conv_macs(in_channels, out_channels, kernel_size, size, stride, padding):
    # one side of the output
    side = (size + 2 * padding - kernel_size) // stride + 1
    weights = out_channels * in_channels * kernel_size**2
    return weights * side**2


def fault_of_redness(weight):
    weight = as_array(weight)
    if fault := fault_of_array(weight, (1, 3, 3, 3), "one filter with three kernels of 3 by 3"):
        return fault
    around = weight.clone()
    around[:, :, 1, 1] = 0
    red, green, blue = weight[0, :, 1, 1].tolist()
    if around.any():
        return "It reads neighbours: only the centre of a kernel may differ from 0."
    if red <= 0 or green >= 0 or blue >= 0:
        return "Red should raise the answer, green and blue should lower it."
    if abs(red + green + blue) > 1e-6:
        return "A grey pixel should give 0, so the three weights must add up to 0."
    return ""


@exercise(
    fault=fault_of_redness,
    wrong={
        "weight[0, :, 1, 1] -> weight[0, :, 1, 0]": "neighbours",
        "[1.0, -0.5, -0.5] -> [-0.5, 1.0, -0.5]": "Red should raise",
        "[1.0, -0.5, -0.5] -> [1.0, -1.0, -1.0]": "grey pixel",
        "weight[:, :1]": "one filter with three kernels",
        "weight / 0": "not finite",
    },
)
def redness():
    weight = torch.zeros(1, 3, 3, 3)
    weight[0, :, 1, 1] = torch.tensor([1.0, -0.5, -0.5])
    return weight


@exercise(
    cases=[
        (whole_numbers(2, 3, 3), whole_numbers(1, 2, 2, 2, seed=1), 1, 0),
        (whole_numbers(3, 5, 6), whole_numbers(4, 3, 3, 3, seed=2), 1, 1),
        (whole_numbers(2, 7, 5), whole_numbers(3, 2, 3, 2, seed=3), 2, 1),
    ],
    oracle=lambda maps, weight, s, p: functional.conv2d(maps[None], weight, stride=s, padding=p)[0],
    also=by_hand,
    hint="For each filter and each position of the output: the sum of window times filter, over all channels.",
    wrong={
        "* weight[o] -> * weight[o].flip(1, 2)": "The kernel is turned around, as in a convolution of mathematics. In "
        "networks it is laid on as it is.",
        "[o]) -> [o])[0]": "Only input channel 0 is used: an output number adds up the products of all channels.",
        "padding : padding + -> :": "The zeros stand on one side only. They are needed on all four.",
        "padding): -> _, padding=0):": "The padding is not used: lay zeros around the maps first.",
        "torch.conv2d(maps.double(), weight.double(), None, stride, padding)": BY_HAND.format("torch's convolution"),
        "functional.conv2d(maps[None], weight, None, stride, padding)[0]": BY_HAND.format("functional.conv2d"),
    },
)
def conv2d_by_hand(maps, weight, stride, padding):
    C_in, H, W = maps.shape
    C_out, C_in, K_h, K_w = weight.shape
    padded = maps.new_zeros(C_in, H + 2 * padding, W + 2 * padding)
    padded[:, padding : padding + H, padding : padding + W] = maps
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    output = torch.zeros(C_out, H_out, W_out).to(maps)
    for o in range(C_out):
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                read = padded[:, top : top + K_h, left : left + K_w]
                output[o, i, j] = (read * weight[o]).sum()
    return output
