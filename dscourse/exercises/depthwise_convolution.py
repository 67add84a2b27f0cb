"""The exercises of the chapter on depthwise convolution."""

import math
from operator import attrgetter

import torch

from dscourse.checks.exercise import exercise
from dscourse.checks.feedback import first_of
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import as_array, fault_of_array
from dscourse.checks.watch import by_hand
from dslib import cost, functional, geometry


def tried_out(k, stride):
    def fits(padding):  # no other padding gives the size for all of these
        return all(geometry.output_size(h, k, stride, padding) == math.ceil(h / stride) for h in range(8, 41))

    return next(padding for padding in range(k) if fits(padding))


@exercise(
    cases=[(3, 1), (3, 2), (5, 1), (7, 2), (3, 3), (5, 4), (1, 1), (1, 3)],
    oracle=tried_out,
    hint="How far does the kernel stick out on one side when its middle stands on the first pixel?",
    wrong={
        "(kernel_size - stride + 1) // 2": "This is the rule of note 002. The stride should not be in it: the middle "
        "of the first window is to be pixel 0, however far the next window is.",
        "kernel_size - 1": "This is what is missing on both sides together. Half of it belongs on each.",
        "(kernel_size + 1) // 2": "One pixel too many: the middle of the kernel stands on a pixel of the map.",
        "1": "One pixel is right for a 3 by 3 kernel. A wider one sticks out further, a single pixel not at all.",
    },
)
def depthwise_padding(kernel_size, stride):
    return (kernel_size - 1) // 2


@exercise(
    cases=[(24, 3, 56, 2, 2), (8, 5, 15, 2, 1), (3, 3, 10, 1, 4), (16, 7, 13, 3, 1)],
    oracle=lambda c_in, k, size, s, m: attrgetter("params", "macs")(
        cost.depthwise_conv2d(c_in, k, geometry.output_size(size, k, s, geometry.same_padding(k)), depth_multiplier=m)
    ),
    hint="One kernel of K times K weights for each output channel; each weight is used once at each position of the "
    "output.",
    wrong={
        " * depth_multiplier -> ": "The depth multiplier is not used: each input channel has that many kernels.",
        "= in_channels -> = in_channels * in_channels": "The input channels are counted twice. A filter here is a "
        "single kernel: it reads one channel, not all.",
        "math.ceil(size / stride) -> size": "You multiply by the input's positions. At a stride the output has fewer, "
        "and a weight is used once at each of these.",
        "weights, 2 * macs": "Your second number is FLOPs: a multiplication and the addition after it are one MAC.",
    },
)
def depthwise_cost(in_channels, kernel_size, size, stride, depth_multiplier):
    side = math.ceil(size / stride)  # of the output
    weights = in_channels * depth_multiplier * kernel_size**2
    macs = weights * side**2
    return weights, macs


def fault_of_alignment(weight):
    weight = as_array(weight)
    if fault := fault_of_array(weight, (3, 1, 3, 3), "for each of the three channels one kernel of 3 by 3"):
        return fault
    dot = torch.zeros(1, 3, 5, 5).double()
    dot[:, :, 2, 2] = 1  # one bright pixel in the middle, in all colours
    moved = functional.depthwise_conv2d(dot, weight, padding=1)[0]
    told = zip(["Red", "Green", "Blue"], map(fault_of_dot, moved, [1, 2, 3]), strict=True)
    return next((f"{name} {what}" for name, what in told if what), "")


def fault_of_dot(picture, column):
    """What happened to a dot that should now stand in the middle row, in this column; it stood in column 2."""
    picture = torch.where(picture.abs() > 1e-9, picture, 0)  # what adding rounds
    found = picture.nonzero().tolist()
    if not found:
        return "has disappeared: a kernel full of zeros reads nothing."
    if len(found) > 1:
        return "is smeared over several pixels: a kernel that copies has a single weight that is not 0."
    (row, place), value = found[0], picture.sum().item()
    faults = {
        "has moved up or down. The last two axes of the weight are the row and the column of the kernel.": row != 2,
        "should stay where it is: which weight of its kernel stands on the output's own pixel?": place != 2 == column,
        "has not moved: the middle of the kernel copies a pixel to its own place.": place == 2 != column,
        "has moved the wrong way. For the picture to move to the left, each output pixel must take its value from the "
        "right, and the other way round.": place != column,
        "has another brightness than before: to copy a pixel, multiply it by 1.": not math.isclose(
            value, 1, rel_tol=1e-6
        ),
    }
    return first_of(faults)


@exercise(
    fault=fault_of_alignment,
    wrong={
        "weight.repeat(1, 3, 1, 1)": "one kernel of 3 by 3",
        "[0, 0, 1, 2] -> [0, 0, 1, 0]": "Red has moved the wrong way",
        "[2, 0, 1, 0] -> [2, 0, 0, 1]": "Blue has moved up or down",
        "[2, 0, 1, 0] -> [2, 0, 1, 2]": "Blue has moved the wrong way",
        "[2, 0, 1, 0] -> [2, 0, 1, 1]": "Blue has not moved",
        "[1, 0, 1, 1] = 1 -> [1, 0, 1, 1] = 0": "Green has disappeared",
        "[1, 0, 1, 1] -> [1, 0, 1, 0]": "Green should stay",
        "[0, 0, 1, 2] -> [0, 0, 1]": "Red is smeared",
        "-weight": "Red has another brightness",
        "weight / weight": "not finite",
    },
)
def align_colours():
    weight = torch.zeros(3, 1, 3, 3)
    weight[0, 0, 1, 2] = 1  # red: the pixel on the right
    weight[1, 0, 1, 1] = 1  # green: the pixel itself
    weight[2, 0, 1, 0] = 1  # blue: the pixel on the left
    return weight


def layer_to_explore(name, in_channels, out_channels, groups, bias):
    """A layer as a function of its input. No weight is negative, so that a change of one channel cannot cancel out."""
    weight = whole_numbers(out_channels, in_channels // groups, 3, 3).abs()
    biases = whole_numbers(out_channels, seed=1) if bias else None

    def layer(maps):
        own = biases.to(maps) if bias else None
        return functional.conv2d(maps, weight.to(maps), own, padding=1, groups=groups)

    layer.__name__, layer.weight, layer.groups = name, weight, groups
    return layer


STANDARD = layer_to_explore("standard_layer", 3, 2, groups=1, bias=True)
DEPTHWISE = layer_to_explore("depthwise_layer", 4, 8, groups=4, bias=True)
GROUPED = layer_to_explore("grouped_layer", 6, 4, groups=2, bias=False)


@exercise(
    cases=[(STANDARD, 3, 1), (DEPTHWISE, 4, 5), (GROUPED, 6, 1), (GROUPED, 6, 2), (DEPTHWISE, 4, 0)],
    oracle=lambda layer, _, o: (
        functional.dense_weight(layer.weight, layer.groups)[o].flatten(1).any(dim=1).nonzero().flatten().tolist()
    ),
    hint="Change one input channel, and compare output channel out_channel before and after.",
    wrong={
        "[0, out_channel] -> ": "Your function finds all input channels in every layer. Each of them moves some output "
        "channel: look at out_channel alone.",
        "layer(before) -> 0": "Where the layer has a bias, you find all channels. Its output is not 0 even for empty "
        "maps: compare it with the output before the change.",
        "list(range(found[0], in_channels))": "Once a channel is found, you find all that follow. Only one channel may "
        "differ at a time: take a fresh copy for each.",
        ".clone() -> ": "Your function finds no channel at all. Without a copy, one change changes both inputs.",
    },
)
def channels_read(layer, in_channels, out_channel):
    before = torch.zeros(1, in_channels, 9, 9)
    found = []
    for c in range(in_channels):
        after = before.clone()
        after[0, c] += 1
        change = layer(after) != layer(before)
        if change[0, out_channel].any():
            found.append(c)
    return found


def every_second(a, b):
    weight = torch.zeros(2 * len(a), *a.shape[1:]).to(a)
    weight[0::2], weight[1::2] = a, b
    return weight


@exercise(
    cases=[
        (whole_numbers(3, 1, 2, 3), whole_numbers(3, 1, 2, 3, seed=1)),
        (whole_numbers(2, 1, 3, 3, seed=2), whole_numbers(2, 1, 3, 3, seed=3)),
        (whole_numbers(5, 1, 1, 1, seed=4), whole_numbers(5, 1, 1, 1, seed=5)),
    ],
    oracle=every_second,
    hint="Filter 2c is the kernel of a for channel c, filter 2c + 1 that of b.",
    wrong={
        "torch.cat([a, b])": "The kernels stand in the order a, a, ..., b, b, ... Output o reads channel o // 2, so "
        "both kernels of a channel must stand side by side: c*m + j, not j*C_in + c.",
        "[a, b] -> [b, a]": "a and b have changed places: a makes the outputs 0, 2, 4 and so on.",
        ".flatten(0, 1) -> .flatten(1, 2)": "The two kernels of a channel are in one filter here. Such a filter would "
        "read two channels and make one map.",
    },
)
def merge_depthwise(a, b):
    pairs = torch.stack([a, b], dim=1)  # (C, 2, 1, K, K)
    return pairs.flatten(0, 1)


def maps_without_multiplier(output, maps, weight, stride):
    if isinstance(output, torch.Tensor) and output.dim() == 3 and len(output) == len(maps) < len(weight):
        return (
            "Your output has one map per input channel. With a depth multiplier each channel has several kernels, and "
            "each of them makes a map."
        )
    return ""


@exercise(
    cases=[
        (whole_numbers(2, 5, 4), whole_numbers(6, 1, 2, 3, seed=1), 1),
        (whole_numbers(3, 7, 6, seed=2), whole_numbers(6, 1, 3, 2, seed=3), 2),
        (whole_numbers(4, 5, 6, seed=4), whole_numbers(4, 1, 2, 2, seed=5), 3),
    ],
    fault=maps_without_multiplier,
    oracle=lambda maps, weight, stride: functional.depthwise_conv2d(maps, weight, stride=stride),
    also=by_hand,
    hint="Output o reads input channel o // m alone, with the kernel weight[o, 0].",
    wrong={
        "o // multiplier -> o % C_in": "The outputs read the channels 0, 1, ..., 0, 1, ... The kernels of one channel "
        "stand side by side: kernel c*m + j reads channel c.",
        "maps[o // multiplier] -> maps.sum(dim=0)": "You add up over the input channels. A depthwise convolution "
        "leaves that out: one kernel, one channel.",
        "stride): -> _, stride=1):": "The stride is not used: the window does not stop at every pixel.",
        "i * stride, j * stride -> i, j": "The size is right, and the window moves by one pixel: output (i, j) reads "
        "from row i * stride and column j * stride on.",
        "output[::multiplier]": "one map per input channel",
        "torch.conv2d(maps.double(), weight.double(), None, stride, groups=C_in)": "torch's convolution makes them",
    },
)
def depthwise_by_hand(maps, weight, stride):
    C_in, H, W = maps.shape
    C_out, _, K_h, K_w = weight.shape
    multiplier = C_out // C_in
    H_out = (H - K_h) // stride + 1
    W_out = (W - K_w) // stride + 1
    output = torch.zeros(C_out, H_out, W_out).to(maps)
    for o in range(C_out):
        read = maps[o // multiplier]  # the channel of output o
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                window = read[top : top + K_h, left : left + K_w]
                output[o, i, j] = (window * weight[o, 0]).sum()
    return output
