"""Checks of the exercises in the chapter depthwise_convolution."""

import math

import torch

from dscourse.checks.inputs import whole_numbers
from dslib import cost, functional, geometry

from .feedback import Feedback, Mistake, examine, inspect


def check_depthwise_padding(reader_function) -> Feedback:
    """``depthwise_padding(kernel_size, stride)``: pixels on each side that make H pixels ``ceil(H / stride)``."""

    def tried_out(k, stride):  # no other padding gives the size for all of these
        def fits(padding):
            return all(geometry.output_size(h, k, stride, padding) == math.ceil(h / stride) for h in range(8, 41))

        return next(padding for padding in range(k) if fits(padding))

    return examine(
        reader_function,
        cases=[(3, 1), (3, 2), (5, 1), (7, 2), (3, 3), (5, 4), (1, 1), (1, 3)],
        truth=tried_out,
        mistakes=[
            Mistake(
                lambda k, stride: (k - stride + 1) // 2,
                "This is the rule of note 002. The stride should not be in it: the middle of the first window is to be "
                "pixel 0, however far the next window is.",
            ),
            Mistake(
                lambda k, stride: k - 1,
                "This is what is missing on both sides together. Half of it belongs on each.",
            ),
            Mistake(
                lambda k, stride: (k + 1) // 2,
                "One pixel too many: the middle of the kernel stands on a pixel of the map and needs no padding.",
            ),
            Mistake(
                lambda k, stride: 1,
                "One pixel is right for a 3 by 3 kernel. A wider one sticks out further, a single pixel not at all.",
            ),
        ],
        hint="How far does the kernel stick out on one side when its middle stands on the first pixel?",
    )


def check_depthwise_cost(reader_function) -> Feedback:
    """``depthwise_cost(in_channels, kernel_size, size, stride, depth_multiplier)``: weights and MACs; K odd, padded."""

    def price(c, k, side, m):
        layer = cost.depthwise_conv2d(c, k, output_size=side, depth_multiplier=m)
        return layer.params, layer.macs

    def truth(c, k, size, stride, m):
        return price(c, k, geometry.output_size(size, k, stride, geometry.same_padding(k)), m)

    def as_standard(c, k, size, stride, m):
        layer = cost.conv2d(c, m * c, k, output_size=math.ceil(size / stride))
        return layer.params, layer.macs

    return examine(
        reader_function,
        cases=[(24, 3, 56, 2, 2), (8, 5, 15, 2, 1), (3, 3, 10, 1, 4), (16, 7, 13, 3, 1)],
        truth=truth,
        mistakes=[
            Mistake(
                lambda c, k, size, stride, m: price(c, k, math.ceil(size / stride), 1),
                "The depth multiplier is not used: each input channel has that many kernels.",
            ),
            Mistake(
                as_standard,
                "The input channels are counted twice. A filter here is a single kernel: it reads one channel, not "
                "all.",
            ),
            Mistake(
                lambda c, k, size, stride, m: price(c, k, size, m),
                "You multiply by the input's positions. At a stride the output has fewer, and a weight is used once at "
                "each of these.",
            ),
            Mistake(
                lambda c, k, size, stride, m: price(c, k, size // stride, m),
                "You round the output's side down. The rest of the pixels gets a window too: round up.",
            ),
            Mistake(
                lambda *layer: (truth(*layer)[0], 2 * truth(*layer)[1]),
                "Your second number is FLOPs: a multiplication and the addition after it are one MAC.",
            ),
        ],
        hint="One kernel of K times K weights for each output channel; each weight is used once at each position of "
        "the output.",
    )


def check_align_colours(reader_function) -> Feedback:
    """``align_colours()``: a weight ``(3, 1, 3, 3)`` that moves red one pixel left, keeps green, moves blue right."""

    def fault(weight):
        if not isinstance(weight, torch.Tensor) or weight.shape != (3, 1, 3, 3):
            return "It should be a tensor of shape (3, 1, 3, 3): for each of the three channels one kernel of 3 by 3."
        dot = torch.zeros(1, 3, 5, 5).double()
        dot[:, :, 2, 2] = 1  # one bright pixel in the middle, in all colours
        moved = functional.depthwise_conv2d(dot, weight.detach().double(), padding=1)[0]
        for name, picture, column in zip(["Red", "Green", "Blue"], moved, [1, 2, 3], strict=True):
            if what := fault_of_dot(picture, column):
                return f"{name} {what}"
        return ""

    return inspect(reader_function, [()], fault)


def fault_of_dot(picture, column) -> str:
    """What happened to a dot that should now stand in the middle row, in this column; it stood in column 2."""
    found = picture.nonzero().tolist()
    if not found:
        return "has disappeared: a kernel full of zeros reads nothing."
    if len(found) > 1:
        return "is smeared over several pixels: a kernel that copies has a single weight that is not 0."
    (row, place), value = found[0], picture.sum().item()
    if row != 2:
        return "has moved up or down. The last two axes of the weight are the row and the column of the kernel."
    if column == 2 and place != 2:
        return "should stay where it is: which weight of its kernel stands on the output's own pixel?"
    if place == 2 != column:
        return "has not moved: the middle of the kernel copies a pixel to its own place."
    if place != column:
        return (
            "has moved the wrong way. For the picture to move to the left, each output pixel must take its value from "
            "the right, and the other way round."
        )
    return "" if value == 1 else "has another brightness than before: to copy a pixel, multiply it by 1."


def layer_to_explore(name, in_channels, out_channels, groups, bias):
    """A layer as a function of its input. No weight is negative, so that a change of one channel cannot cancel out."""
    weight = whole_numbers(out_channels, in_channels // groups, 3, 3).abs()
    biases = whole_numbers(out_channels, seed=1) if bias else None

    def layer(maps):
        own = biases.to(maps) if bias else None
        return functional.conv2d(maps, weight.to(maps), own, padding=1, groups=groups)

    layer.__name__, layer.weight, layer.groups, layer.bias = name, weight, groups, bias
    return layer


def check_channels_read(reader_function) -> Feedback:
    """``channels_read(layer, in_channels, out_channel)``: the input channels that it reads, in rising order."""
    standard = layer_to_explore("standard_layer", 3, 2, groups=1, bias=True)
    depthwise = layer_to_explore("depthwise_layer", 4, 8, groups=4, bias=True)
    grouped = layer_to_explore("grouped_layer", 6, 4, groups=2, bias=False)

    def truth(layer, in_channels, out_channel):
        kernels = functional.dense_weight(layer.weight, layer.groups)[out_channel]
        return kernels.flatten(1).any(dim=1).nonzero().flatten().tolist()

    def everything(layer, in_channels, out_channel):
        return list(range(in_channels))

    return examine(
        reader_function,
        cases=[(standard, 3, 1), (depthwise, 4, 5), (grouped, 6, 1), (grouped, 6, 2), (depthwise, 4, 0)],
        truth=truth,
        mistakes=[
            Mistake(
                everything,
                "Your function finds all input channels in every layer. Each of them moves some output channel: look "
                "at out_channel alone.",
            ),
            Mistake(
                lambda layer, *case: (everything if layer.bias else truth)(layer, *case),
                "Where the layer has a bias, you find all channels. Its output is not 0 even for empty maps: compare "
                "it with the output before the change.",
            ),
            Mistake(
                lambda *case: [],
                "Your function finds no channel at all. Do the two inputs differ? Without a copy, one change changes "
                "both.",
            ),
            Mistake(
                lambda layer, in_channels, out_channel: list(
                    range(truth(layer, in_channels, out_channel)[0], in_channels)
                ),
                "Once a channel is found, you find all that follow. Take a fresh copy for each: only one channel may "
                "differ at a time.",
            ),
        ],
        hint="Change one input channel, and compare output channel out_channel before and after.",
    )


def check_merge_depthwise(reader_function) -> Feedback:
    """``merge_depthwise(a, b)``: of two weights ``(C, 1, K, K)`` one with multiplier 2, ``(2 C, 1, K, K)``."""

    def merged(first, second):
        weight = torch.zeros(2 * len(first), *first.shape[1:]).to(first)
        weight[0::2], weight[1::2] = first, second
        return weight

    return examine(
        reader_function,
        cases=[
            (whole_numbers(3, 1, 2, 3), whole_numbers(3, 1, 2, 3, seed=1)),
            (whole_numbers(2, 1, 3, 3, seed=2), whole_numbers(2, 1, 3, 3, seed=3)),
            (whole_numbers(5, 1, 1, 1, seed=4), whole_numbers(5, 1, 1, 1, seed=5)),
        ],
        truth=merged,
        mistakes=[
            Mistake(
                lambda a, b: torch.cat([a, b]),
                "The kernels stand in the order a, a, ..., b, b, ... Output o reads channel o // 2, so both kernels "
                "of a channel must stand side by side: c*m + j, not j*C_in + c.",
            ),
            Mistake(
                lambda a, b: merged(b, a),
                "a and b have changed places: a makes the outputs 0, 2, 4 and so on.",
            ),
            Mistake(
                lambda a, b: torch.cat([a, b], dim=1),
                "The two kernels of a channel are in one filter here. Such a filter would read two channels and make "
                "one map.",
            ),
            Mistake(
                lambda a, b: a + b,
                "You add the kernels up. That gives one map for each channel, the sum, where two are asked for.",
            ),
        ],
        hint="Filter 2c is the kernel of a for channel c, filter 2c + 1 that of b.",
    )


def maps_without_multiplier(output, maps, weight, stride):
    """What to say of an output with one map for each input channel where there should be more."""
    if isinstance(output, torch.Tensor) and output.dim() == 3 and len(output) == len(maps) < len(weight):
        return (
            "Your output has one map per input channel. With a depth multiplier each channel has several kernels, and "
            "each of them makes a map."
        )
    return ""


def check_depthwise_by_hand(reader_function) -> Feedback:
    """``depthwise_by_hand(maps, weight, stride)``: from loops, ``(C_in, H, W)`` to ``(C_in * m, H_out, W_out)``."""

    def conv(maps, weight, stride):
        return functional.depthwise_conv2d(maps, weight, stride=stride)

    def first_positions(output, like):
        return output[:, : like.shape[1], : like.shape[2]]

    hint = "Output o reads input channel o // m alone, with the kernel weight[o, 0]."
    cases = [
        (whole_numbers(2, 5, 4), whole_numbers(6, 1, 2, 3, seed=1), 1),
        (whole_numbers(3, 7, 6, seed=2), whole_numbers(6, 1, 3, 2, seed=3), 2),
        (whole_numbers(4, 5, 6, seed=4), whole_numbers(4, 1, 2, 2, seed=5), 3),
    ]
    return inspect(reader_function, cases, maps_without_multiplier, hint) and examine(
        reader_function,
        cases,
        truth=conv,
        mistakes=[
            Mistake(
                lambda maps, weight, s: conv(maps.repeat(len(weight) // len(maps), 1, 1), weight, s),
                "The outputs read the channels 0, 1, ..., 0, 1, ... The kernels of one channel stand side by side: "
                "kernel c*m + j reads channel c.",
            ),
            Mistake(
                lambda maps, weight, s: (
                    conv(maps, weight, s).unflatten(0, (len(maps), -1)).transpose(0, 1).flatten(0, 1)
                ),
                "The maps are right and stand in another order. What kernel j makes of channel c is output c*m + j, "
                "not j*C_in + c.",
            ),
            Mistake(
                lambda maps, weight, s: functional.conv2d(maps, weight.repeat(1, len(maps), 1, 1), stride=s),
                "You add up over the input channels. A depthwise convolution leaves that out: one kernel, one channel.",
            ),
            Mistake(
                lambda maps, weight, s: conv(maps[:1], weight, s),
                "All your outputs read channel 0.",
            ),
            Mistake(
                lambda maps, weight, s: conv(maps, weight, 1),
                "The stride is not used: the window does not stop at every pixel.",
            ),
            Mistake(
                lambda maps, weight, s: first_positions(conv(maps, weight, 1), like=conv(maps, weight, s)),
                "The size is right, and the window moves by one pixel: output (i, j) reads from row i * stride and "
                "column j * stride on.",
            ),
        ],
        hint=hint,
    )
