"""Checks of the exercises in the chapter standard_convolution."""

import torch
from torch.nn import functional as F

from dslib import cost, functional, geometry

from .feedback import Feedback, Mistake, examine, inspect
from .inputs import whole_numbers


def check_weight_shape(reader_function) -> Feedback:
    """``weight_shape(in_channels, out_channels, kernel_height, kernel_width)``: the shape of a layer's weight."""
    return examine(
        reader_function,
        cases=[(3, 32, 3, 3), (64, 128, 1, 1), (2, 5, 3, 7)],
        truth=lambda c_in, c_out, high, wide: (c_out, c_in, high, wide),
        mistakes=[
            Mistake(
                lambda c_in, c_out, high, wide: (c_in, c_out, high, wide),
                "C_in and C_out are swapped: the first axis of a weight counts the filters, and there is one for each "
                "output channel.",
            ),
            Mistake(
                lambda c_in, c_out, high, wide: (c_out, high, wide),
                "The channel axis is missing: every filter has one kernel for each input channel.",
            ),
            Mistake(
                lambda c_in, c_out, high, wide: (c_out, c_in, wide, high),
                "Height comes before width, as in the maps.",
            ),
        ],
        hint="Four numbers: how many filters, how many kernels in each, and the kernel's height and width.",
    )


def check_output_side(reader_function) -> Feedback:
    """``output_side(size, kernel_size, stride, padding, dilation)``: one side of the output."""

    def start_to_start(size, kernel_size, stride, padding, dilation):  # where the last window starts, in strides
        return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride

    return examine(
        reader_function,
        cases=[
            (32, 5, 2, 2, 2),
            (7, 3, 1, 0, 1),
            (8, 3, 3, 1, 1),
            (9, 3, 3, 1, 1),
            (9, 2, 2, 1, 3),
            (224, 3, 2, 1, 1),
        ],
        truth=geometry.output_size,
        mistakes=[
            Mistake(
                start_to_start,
                "You count the steps between the windows. There is one window more than there are steps.",
            ),
            Mistake(
                lambda size, k, s, p, d: start_to_start(size, k, s, p / 2, d) // 1 + 1,
                "The padding is off: it stands on both sides of the map, so 2 * padding pixels come in.",
            ),
            Mistake(
                lambda size, k, s, p, d: start_to_start(size, k, s, p, 1) + 1,
                "The dilation is not used: a spread kernel spans dilation * (kernel_size - 1) + 1 pixels.",
            ),
            Mistake(
                lambda size, k, s, p, d: -(-(size + 2 * p - d * (k - 1) - 1) // s) + 1,
                "You round up. A window that does not fit entirely is left out, so round down.",
            ),
        ],
        hint="How many pixels does the spread kernel span? How many steps of the stride fit into what is left?",
    )


def check_conv_params(reader_function) -> Feedback:
    """``conv_params(in_channels, out_channels, kernel_size, bias)``: the learnable numbers of a layer."""
    return examine(
        reader_function,
        cases=[(2, 2, 2, True), (3, 32, 3, False), (16, 8, 5, True), (8, 16, 1, True)],
        truth=lambda c_in, c_out, k, bias: cost.conv2d(c_in, c_out, k, output_size=1, bias=bias).params,
        mistakes=[
            Mistake(
                lambda c_in, c_out, k, bias: c_out * c_in * k**2 + 2 * c_out * bias,
                "The bias is counted twice: there is one number for each output channel, not two.",
            ),
            Mistake(
                lambda c_in, c_out, k, bias: c_out * c_in * (k**2 + bias),
                "You give every kernel a bias. The kernels of one filter are added up, and the sum gets one bias.",
            ),
            Mistake(
                lambda c_in, c_out, k, bias: c_out * c_in * k**2 + c_out,
                "Your function does not look at bias: without it, there are the weights alone.",
            ),
            Mistake(
                lambda c_in, c_out, k, bias: c_out * c_in * k**2,
                "The bias is missing: one number for each output channel, if there is one.",
            ),
            Mistake(
                lambda c_in, c_out, k, bias: c_out * k**2 + c_out * bias,
                "You count one kernel for each filter. A filter has one for each input channel.",
            ),
        ],
        hint="All numbers in the weight's shape multiplied, and one bias for each output channel.",
    )


def check_conv_macs(reader_function) -> Feedback:
    """``conv_macs(in_channels, out_channels, kernel_size, size, stride, padding)``: MACs on a square map."""

    def macs(c_in, c_out, k, side):
        return cost.conv2d(c_in, c_out, k, output_size=side).macs

    return examine(
        reader_function,
        cases=[(3, 32, 3, 224, 2, 1), (16, 16, 3, 14, 1, 1), (8, 4, 5, 21, 3, 0)],
        truth=lambda c_in, c_out, k, size, s, p: macs(c_in, c_out, k, geometry.output_size(size, k, s, p)),
        mistakes=[
            Mistake(
                lambda c_in, c_out, k, size, s, p: macs(c_in, c_out, k, size),
                "You multiply by the input's positions. A weight is used once at each position of the output.",
            ),
            Mistake(
                lambda c_in, c_out, k, size, s, p: 2 * macs(c_in, c_out, k, geometry.output_size(size, k, s, p)),
                "These are FLOPs: a multiplication and the addition after it are one MAC.",
            ),
            Mistake(
                lambda c_in, c_out, k, size, s, p: macs(1, c_out, k, geometry.output_size(size, k, s, p)),
                "One input channel is counted. An output number adds up the products of all of them.",
            ),
            Mistake(
                lambda c_in, c_out, k, size, s, p: macs(c_in, c_out, k, 1),
                "These are the weights. Each is used at every position of the output.",
            ),
            Mistake(
                lambda c_in, c_out, k, size, s, p: macs(c_in, c_out, k, -(-size // s)),
                "You take size / stride for the output's side. That holds for some paddings only: use exercise 2.",
            ),
        ],
        hint="First the output's side, then weights times positions.",
    )


def check_redness(reader_function) -> Feedback:
    """``redness()``: a filter ``(1, 3, 3, 3)`` that answers "how much more red than green or blue?" at one pixel."""

    def fault(weight):
        if not isinstance(weight, torch.Tensor) or weight.shape != (1, 3, 3, 3):
            return "It should be a tensor of shape (1, 3, 3, 3): one filter with three kernels of 3 by 3."
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

    return inspect(reader_function, [()], fault)


def check_conv2d_by_hand(reader_function) -> Feedback:
    """``conv2d_by_hand(maps, weight, stride, padding)``: ``(C_in, H, W)`` to ``(C_out, H_out, W_out)``, from loops."""

    def conv(maps, weight, stride, padding):
        return functional.conv2d(maps[None], weight, stride=stride, padding=padding)[0]

    return examine(
        reader_function,
        cases=[
            (whole_numbers(2, 3, 3), whole_numbers(1, 2, 2, 2, seed=1), 1, 0),
            (whole_numbers(3, 5, 6), whole_numbers(4, 3, 3, 3, seed=2), 1, 1),
            (whole_numbers(2, 7, 5), whole_numbers(3, 2, 3, 2, seed=3), 2, 1),
        ],
        truth=conv,
        mistakes=[
            Mistake(
                lambda maps, weight, s, p: conv(maps, weight.flip(2, 3), s, p),
                "The kernel is turned around, as in a convolution of mathematics. In networks it is laid on as it is.",
            ),
            Mistake(
                lambda maps, weight, s, p: conv(maps[:1], weight[:, :1], s, p),
                "Only input channel 0 is used: an output number adds up the products of all channels.",
            ),
            Mistake(
                lambda maps, weight, s, p: conv(F.pad(maps, (0, 2 * p, 0, 2 * p)), weight, s, 0),
                "The zeros stand on one side only. They are needed on all four.",
            ),
            Mistake(
                lambda maps, weight, s, p: conv(maps, weight, s, 0),
                "The padding is not used: lay zeros around the maps first.",
            ),
        ],
        hint="For each filter and each position of the output: the sum of window times filter, over all channels.",
    )
