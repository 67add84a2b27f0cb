"""The exercises of the chapter on depthwise separable convolution."""

import sympy
import torch
from torch import nn
from torch.nn import functional as F

from dscourse.checks.exercise import exercise
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import as_array
from dscourse.checks.watch import BY_HAND, by_hand
from dslib import cost, functional


@exercise(
    cases=[(2, 3, 2, 1), (3, 16, 3, 4), (8, 5, 7, 2)],
    oracle=lambda c_in, c_out, k, m: (
        tuple(nn.Conv2d(c_in, c_in * m, k, groups=c_in, device="meta").weight.shape),
        tuple(nn.Conv2d(c_in * m, c_out, 1, device="meta").weight.shape),
    ),
    hint="How many intermediate maps are there? Each has one kernel, and each filter of the pointwise half reads all "
    "of them.",
    wrong={
        "in_channels * depth_multiplier -> in_channels": "The depth multiplier is not used: there are depth_multiplier "
        "kernels for each input channel, and as many intermediate maps for the pointwise half to read.",
        "(out_channels, middle -> (out_channels, in_channels": "The depthwise shape is right. The pointwise half reads "
        "what the depthwise half makes, and those are more maps than the input has.",
        "(middle, 1 -> (middle, in_channels": "A depthwise kernel reads a single input channel, so the second axis of "
        "that weight has length 1.",
        "pointwise_shape, depthwise_shape": "The halves are swapped: the depthwise weight comes first.",
    },
)
def pair_shapes(in_channels, out_channels, kernel_size, depth_multiplier):
    middle = in_channels * depth_multiplier  # intermediate maps
    depthwise_shape = (middle, 1, kernel_size, kernel_size)
    pointwise_shape = (out_channels, middle, 1, 1)
    return depthwise_shape, pointwise_shape


def impulses_sent_through(pointwise, depthwise):
    """The dense weight as it comes out: one image for each input channel, with a single 1 in that channel."""
    c_in, k = pointwise.shape[1], depthwise.shape[-1]
    images = F.pad(torch.eye(c_in, dtype=torch.int64)[..., None, None], [k - 1] * 4)
    seen = functional.depthwise_conv2d(functional.pointwise_conv2d(images, pointwise), depthwise)
    return seen.transpose(0, 1).flip(2, 3)  # window i sees the 1 at place k - 1 - i


@exercise(
    cases=[
        (whole_numbers(5, 2, 1, 1), whole_numbers(5, 1, 3, 3, seed=1)),
        (whole_numbers(3, 3, 1, 1, seed=2), whole_numbers(3, 1, 2, 2, seed=3)),
    ],
    oracle=impulses_sent_through,
    hint="Here a depthwise kernel belongs to an output map, not to an input channel as in the usual order. Which "
    "weights does a pixel of channel c meet on its way to output o?",
    wrong={
        "(pointwise_weight * depthwise_weight).transpose(0, 1)": "A dense weight is (C_out, C_in, K, K).",
        "(pointwise_weight * depthwise_weight).sum(1, keepdim=True)": "The input channels are added up. A dense weight "
        "keeps one kernel for each of them.",
    },
)
def swapped_weight(pointwise_weight, depthwise_weight):
    # W[o, c] = P[o, c] * D[o]: output o sees all through one kernel
    return pointwise_weight * depthwise_weight


def mixed_from(c_out, k, *multipliers):
    """A weight (c_out, channels, k, k), each of its channels mixed from as many kernels as it is told."""
    kernels = (whole_numbers(m, 1, k, k, seed=m) for m in multipliers)
    weights = (whole_numbers(c_out, m, 1, 1, seed=10 + place) for place, m in enumerate(multipliers))
    return torch.cat(list(map(functional.separable_weight, kernels, weights, multipliers)), dim=1)


def largest_rank(weight):
    """Over the input channels, exact: the weight's numbers are whole."""
    return max(sympy.Matrix(kernels.flatten(1).long().tolist()).rank() for kernels in weight.unbind(1))


@exercise(
    cases=[
        (mixed_from(6, 3, 1, 1).double(),),
        (mixed_from(6, 3, 2, 4, 1).double(),),
        (whole_numbers(2, 5, 3, 3).double(),),
        (whole_numbers(6, 3, 2, 2).double(),),
    ],
    oracle=largest_rank,
    hint="For each input channel: a matrix with a row for each output channel. How many rows must be stored so that "
    "all of them can be mixed?",
    wrong={
        ".transpose(0, 1) -> ": "You look at the matrices of the output channels. What a pair ties together are the "
        "kernels that one input channel meets.",
        ".transpose(0, 1).flatten(2) -> .flatten(1)": "You take one matrix for the whole layer. Each input channel has "
        "kernels and a matrix of its own.",
        ".max() -> [0]": "You look at input channel 0 alone. Another channel may need more kernels.",
        ".max() -> .min()": "That is enough for the simplest channel. All channels get the same multiplier, so it must "
        "be enough for each of them.",
        ".max() -> .sum()": "You add up the channels: that counts the kernels. The multiplier is for one channel.",
    },
)
def needed_multiplier(weight):
    # one matrix for each input channel
    matrices = weight.transpose(0, 1).flatten(2)
    return int(torch.linalg.matrix_rank(matrices).max())


def closest_pair(weight, error):
    """By building the closest pairs, one after the other."""
    c_out, c_in, *kernel_size = weight.shape
    matrices = weight.transpose(0, 1).flatten(2)
    columns, sizes, rows = torch.linalg.svd(matrices, full_matrices=False)
    for m in range(1, sizes.shape[-1] + 1):
        made = columns[..., :m] * sizes[:, None, :m] @ rows[:, :m]
        if (made - matrices).norm() <= error * matrices.norm():
            pair = cost.depthwise_separable_conv2d(c_in, c_out, kernel_size, output_size=1, depth_multiplier=m)
            return m, pair.params
    raise ValueError(f"no pair is as close as {error}")


@exercise(
    cases=[
        (whole_numbers(7, 2, 3, 3).double(), 0.5),
        (whole_numbers(16, 3, 3, 3, seed=1).double(), 0.3),
        (100 * torch.ones(5, 3, 2, 3).double() + whole_numbers(5, 3, 2, 3, seed=2), 0.1),
    ],
    oracle=closest_pair,
    hint="Leave out the smallest terms: the error's square is the sum of their squares over that of all. Each input "
    "channel of the pair then has m kernels, and each output m weights for it.",
    wrong={
        "norm() -> pow(2).sum()": "You compare sums of squares with the error. The norm is the root of such a sum.",
        ".norm() -> .sum()": "You add up the singular values. Add up their squares, and take the root of the sum.",
        "m:].norm() > error -> :m].norm() < (1 - error)": "You compare the norm of what is kept with 1 - error. "
        "Squares add up here, norms do not: look at what is left out.",
        ".transpose(0, 1) -> ": "You take the matrices of the output channels, not of the input channels.",
        "m * C_in -> C_in": "The multiplier is right. The number of weights is that of a pair with multiplier 1.",
    },
)
def close_pair(weight, error):
    C_out, C_in, K_h, K_w = weight.shape
    # one matrix for each input channel
    matrices = weight.transpose(0, 1).flatten(2)
    sizes = torch.linalg.svdvals(matrices)  # (C_in, terms)
    m = 1
    while sizes[:, m:].norm() > error * sizes.norm():
        m += 1
    return m, m * C_in * (K_h * K_w + C_out)


IMAGES = whole_numbers(4, 3, 5, 6).double()


def edge_maps(kernels, weights, between=torch.relu, images=IMAGES):
    """What a pair makes of the images, with a function between its halves."""
    return functional.pointwise_conv2d(between(functional.depthwise_conv2d(images, kernels, padding=1)), weights)


def edges(images):
    """``|right - left|`` and ``|below - above|`` of (N, C, H, W), each added over the channels."""
    padded = F.pad(images, (1, 1, 1, 1))
    sideways = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    downwards = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    return sideways.abs().sum(1, keepdim=True), downwards.abs().sum(1, keepdim=True)


def regrouped(half, axis):
    """Kernels in the order of channels 0, 1, 2, 0, 1, 2, ... put in the order 0, 0, 0, 0, 1, 1, ..."""
    return half.unflatten(axis, (4, 3)).transpose(axis, axis + 1).flatten(axis, axis + 1)


def fault_of_edges(pair):
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        return "It should return two tensors, the depthwise weight and the pointwise weight."
    kernels, weights = map(as_array, pair)
    shapes = tuple(kernels.shape), tuple(weights.shape)
    if shapes != ((12, 1, 3, 3), (1, 12, 1, 1)):
        return f"The shapes are {shapes[0]} and {shapes[1]}, they should be (12, 1, 3, 3) and (1, 12, 1, 1)."
    right = torch.allclose(edge_maps(kernels, weights), sum(edges(IMAGES)))
    return "" if right else fault_of_kernels(kernels, weights)


def fault_of_kernels(kernels, weights):
    made, (sideways, downwards) = edge_maps(kernels, weights), edges(IMAGES)
    wanted = sideways + downwards
    if torch.allclose(edge_maps(regrouped(kernels, 0), regrouped(weights, 1)), wanted):
        return "The kernels are right, their order is not: kernels 4c to 4c + 3 read channel c."
    if kernels.sum((2, 3)).abs().max() > 1e-6:
        return "On flat ground there is no edge: the nine weights of each kernel must add up to 0."
    if edge_maps(kernels, weights, between=torch.clone).abs().max() > 1e-6:
        return (
            "Some edges count with their sign. An image and its negative must give the same, so each t needs a -t in "
            "the same channel, added with the same weight."
        )
    for words, one in (("right and left", sideways), ("below and above", downwards)):
        if torch.allclose(made, one):
            return f"Only the edges between {words} are found. Two of the four kernels are for the other direction."
    return "Not every map is the difference of two opposite neighbours of the centre, with weights -1 and 1."


@exercise(
    fault=fault_of_edges,
    hint="Compare |t| with ReLU(t) + ReLU(-t).",
    wrong={
        "depthwise_weight": "two tensors",
        "[:, None] -> ": "The shapes are (12, 3, 3)",
        "torch.stack(four * 3) -> torch.stack(four).repeat_interleave(3, 0)": "their order is not",
        "-1, 1 -> -1, 2": "must add up to 0",
        "-right_left, below_above, -below_above -> right_left, below_above, below_above": "count with their sign",
        "right_left.T -> 0 * right_left": "between right and left are",
        "right_left, -right_left -> below_above * 0, 0 * below_above": "below and above are",
        "[1, 0], right_left[1, 2] -> [0, 0], right_left[0, 2]": "opposite neighbours",
    },
)
def edge_pair():
    right_left = torch.zeros(3, 3)
    right_left[1, 0], right_left[1, 2] = -1, 1
    below_above = right_left.T
    four = [right_left, -right_left, below_above, -below_above]
    # the same four for each channel
    depthwise_weight = torch.stack(four * 3)[:, None]
    pointwise_weight = torch.ones(1, 12, 1, 1)
    return depthwise_weight, pointwise_weight


ONE_KERNEL = "Only one kernel for each input channel is used. With depth multiplier m there are m of them."


@exercise(
    cases=[
        (whole_numbers(2, 3, 3), whole_numbers(2, 1, 2, 2, seed=1), whole_numbers(3, 2, 1, 1, seed=2), 1, 0),
        (whole_numbers(3, 5, 6), whole_numbers(6, 1, 3, 3, seed=3), whole_numbers(4, 6, 1, 1, seed=4), 1, 1),
        (whole_numbers(2, 9, 6), whole_numbers(6, 1, 3, 2, seed=5), whole_numbers(5, 6, 1, 1, seed=6), 2, 2),
    ],
    oracle=functional.depthwise_separable_conv2d,
    also=by_hand,
    hint="Make the intermediate maps first, with padding and stride: each kernel reads one channel. An output map is "
    "then a sum of these maps, each times a number.",
    wrong={
        "torch.nn.functional.pad(output, [padding] * 4)": "The 1 by 1 half is padded too, so the output grows by 2 * "
        "padding. It needs no neighbours: the padding belongs to the depthwise half alone.",
        "output[:, ::stride, ::stride]": "The stride is applied twice. The intermediate maps are already smaller; the "
        "pointwise half reads every pixel of them.",
        "maps.shape -> maps.shape\n    depthwise = depthwise[:C_in]": ONE_KERNEL,
        "k // m -> k % C_in": "Kernel k reads channel k % C_in in your loops. The m kernels of one channel stand side "
        "by side: kernels c * m to c * m + m - 1 read channel c.",
        "padded[k // m] -> padded.sum(0)": "Your depthwise half already adds up the channels. Each of its kernels "
        "reads one channel; the channels meet in the pointwise half.",
        "middle": "These are the intermediate maps. The pointwise half has still to mix them.",
        "padding): -> _, padding=0):": "The padding is not used: lay zeros around the maps first.",
        "i * stride, j * stride -> i, j": "The windows move by one pixel. Window i starts at i times the stride.",
        "torch.conv2d(middle.double(), pointwise.double())": BY_HAND.format("torch's convolution"),
    },
)
def separable_by_hand(maps, depthwise, pointwise, stride, padding):
    C_in, H, W = maps.shape
    middle_channels, _, K_h, K_w = depthwise.shape
    m = middle_channels // C_in  # the depth multiplier
    padded = maps.new_zeros(C_in, H + 2 * padding, W + 2 * padding)
    padded[:, padding : padding + H, padding : padding + W] = maps
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    middle = maps.new_zeros(middle_channels, H_out, W_out)
    for k in range(middle_channels):  # depthwise: one channel each
        channel = padded[k // m]
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                window = channel[top : top + K_h, left : left + K_w]
                middle[k, i, j] = (window * depthwise[k, 0]).sum()
    C_out = len(pointwise)
    output = maps.new_zeros(C_out, H_out, W_out)
    for o in range(C_out):  # pointwise: mix the intermediate maps
        for k in range(middle_channels):
            output[o] += pointwise[o, k, 0, 0] * middle[k]
    return output
