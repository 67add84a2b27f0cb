"""The exercises of the chapter on pointwise convolution."""

from operator import attrgetter

import torch

from dscourse.checks.exercise import exercise
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import as_array, difference
from dscourse.checks.watch import BY_HAND, by_hand
from dslib import cost, functional

NO_RESHAPE = "Your numbers are mixed up: reshape moves no axis, it only starts new rows elsewhere. movedim moves one."
BANK = torch.tensor([[1, 2, 0], [0, 1, 3], [2, 0, 1], [1, 1, 1]]).double()  # filters, to choose from


@exercise(
    cases=[(1024, 1024, 7, 7), (3, 8, 5, 6), (16, 4, 9, 2)],
    oracle=lambda c_in, c_out, *size: attrgetter("params", "macs")(cost.pointwise_conv2d(c_in, c_out, size)),
    hint="A filter has one weight for each input channel. Each weight is used once at every pixel.",
    wrong={
        "in_channels * out_channels -> in_channels + out_channels": "You add the channels. Every output channel reads "
        "every input channel, so there is a weight for each pair of them.",
        " * out_channels -> ": "You count one filter. A filter makes one output channel, and there are more of them.",
        "weights, 2 * macs": "Your second number is FLOPs: a multiplication and the addition after it are one MAC.",
    },
)
def pointwise_cost(in_channels, out_channels, height, width):
    weights = in_channels * out_channels
    macs = weights * height * width
    return weights, macs


@exercise(
    cases=[(32, 64, 3), (1024, 1024, 3), (64, 16, 5), (8, 98, 7)],
    oracle=lambda c_in, c_out, k: (
        cost.pointwise_conv2d(c_in, c_out, output_size=1).macs / cost.depthwise_conv2d(c_in, k, output_size=1).macs
    ),
    hint="For one pixel: how many products does each of the two layers take?",
    wrong={
        "out_channels  # -> in_channels  #": "C_in and C_out are swapped. Both layers grow alike with the input "
        "channels; more filters make the pointwise layer alone dearer.",
        "depthwise / pointwise": "This is the other way round: the depthwise layer's MACs over those of the pointwise "
        "layer.",
        "kernel_size**2 -> kernel_size": "You divide by K. A depthwise kernel has K times K weights.",
        "in_channels * kernel_size**2 -> kernel_size**2": "You count one kernel in the depthwise layer. It has one for "
        "each of the C_in channels.",
    },
)
def times_depthwise(in_channels, out_channels, kernel_size):
    pointwise = in_channels * out_channels  # MACs at each pixel
    depthwise = in_channels * kernel_size**2
    return pointwise / depthwise


@exercise(
    oracle=lambda: torch.eye(3).long().roll(1, dims=1)[:, :, None, None],
    hint="Each row makes one output channel: a single 1, in the column of the colour that it is to show.",
    wrong={
        "matrix.T[:, :, None, None]": "C_in and C_out are swapped: row o of the matrix makes output channel o, and the "
        "columns are the input's red, green and blue.",
        "matrix": "The matrix is right. A weight has four axes: add two for the kernel's height and width.",
        "torch.eye(3)[:, :, None, None]": "This leaves every colour where it is. Output channel 0 is to be the input's "
        "green, channel 1.",
    },
)
def turn_colours():
    matrix = torch.tensor([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    return matrix[:, :, None, None]


def change_of_layer(weight, channel, row, column, height, width):
    maps = torch.zeros(weight.shape[1], height, width).to(weight)
    maps[channel, row, column] = 1
    return functional.pointwise_conv2d(maps, weight)


def row_of_the_matrix(answer, weight, *place):
    if difference(answer, change_of_layer(weight.transpose(0, 1), *place)):
        return ""
    return (
        "C_in and C_out are swapped: you take the weights of one filter. But the pixel is read by all filters, and "
        "each has one weight for its channel, a column of the matrix."
    )


@exercise(
    cases=[
        (whole_numbers(3, 3, 1, 1), 1, 2, 0, 4, 5),
        (whole_numbers(5, 3, 1, 1, seed=1), 0, 1, 2, 5, 4),
        (whole_numbers(3, 4, 1, 1, seed=2), 2, 0, 2, 3, 6),
    ],
    fault=row_of_the_matrix,
    oracle=change_of_layer,
    also=by_hand,
    hint="Every filter has one weight for this channel. At which pixels is it multiplied by the 1 that was added?",
    wrong={
        "change =  -> weight = weight.transpose(0, 1)\n    change = ": "swapped",
        "[:, row, column] = weight[:, -> [channel, row, column] = weight[channel,": "One output channel changes, as in "
        "a depthwise layer. Here every output channel reads the pixel.",
        "change_of_layer(weight, channel, row, column, height, width)": "functional.pointwise_conv2d makes them",
        "weight[:, channel].expand(change.shape)": "All pixels change. Only one pixel of the input did, and each "
        "output pixel reads the one at its place.",
    },
)
def pixel_change(weight, channel, row, column, height, width):
    change = torch.zeros(weight.shape[0], height, width).to(weight)
    change[:, row, column] = weight[:, channel, 0, 0]
    return change


def fault_of_way_back(answer, weight):
    matrix = weight.flatten(1)
    (C_out, C_in), rank = matrix.shape, int(torch.linalg.matrix_rank(matrix))
    if isinstance(answer, str) and answer == "lost":
        if rank < C_in:
            return ""
        return f"From {C_in} channels to {C_out} nothing is lost: the rank is {C_in}, so there is a way back."
    answer = as_array(answer)
    if answer.shape == (0,):
        return 'Return a weight, which is a tensor, or the word "lost".'
    if C_out < C_in:
        return f"From {C_in} channels to {C_out} there is no way back: the rank is at most {C_out}."
    if rank < C_in:
        return (
            f"You give a way back where there is none, for a layer from {C_in} channels to {C_out}. Some of its "
            f"filters are mixtures of others, and the rank is {rank}: the rank decides, not the number of channels."
        )
    if answer.shape != (C_in, C_out, 1, 1):
        return f"The way back goes from C_out channels to C_in: a weight of shape {(C_in, C_out, 1, 1)}."
    back = answer.flatten(1) @ matrix
    if not torch.allclose(back, torch.eye(C_in).double(), atol=1e-4):
        return "This does not give the input back: your matrix times that of the layer must leave all as it is."
    return ""


@exercise(
    cases=[(BANK[rows][:, :, None, None],) for rows in ([0, 1, 2], [0, 1, 2, 3], [0, 1], [0, 1, 0], [0, 1, 1, 0])],
    fault=fault_of_way_back,
    hint="The rank of the matrix tells whether there is a way back, and torch.linalg.pinv finds it.",
    wrong={
        "torch.linalg.matrix_rank(matrix) < matrix.shape[1] -> False": "rank is at most 2",
        "torch.linalg.matrix_rank(matrix) -> len(matrix)": "the rank decides",
        "< matrix.shape[1] -> < matrix.shape[0]": "there is a way back",
        "torch.linalg.pinv(matrix)": "weight of shape (3, 3, 1, 1)",
        "pinv(matrix) -> pinv(matrix).T": "does not give the input back",
        '"lost" -> None': "Return a weight",
    },
)
def undo_mixing(weight):
    matrix = weight[:, :, 0, 0]  # (C_out, C_in)
    if torch.linalg.matrix_rank(matrix) < matrix.shape[1]:
        return "lost"
    return torch.linalg.pinv(matrix)[:, :, None, None]


def swapped_axes(output, maps, weight, bias):
    """Two mistakes that raise an error where C_in, C_out and W differ; in the first case they are equal."""
    if maps.shape[-1] != len(bias):
        return ""
    if not difference(output, functional.conv2d(maps, weight.transpose(0, 1), bias)):
        return "C_in and C_out are swapped: the rows of the matrix are the filters, its columns the input channels."
    if not difference(output, functional.conv2d(maps, weight) + bias):
        return (
            "Your bias changes along the width of the maps. It belongs to the output channels: bias[:, None] makes a "
            "column of it."
        )
    return ""


@exercise(
    cases=[
        (whole_numbers(2, 3, 4, 3), whole_numbers(3, 3, 1, 1, seed=1), whole_numbers(3, seed=2)),
        (whole_numbers(1, 3, 2, 5, seed=3), whole_numbers(4, 3, 1, 1, seed=4), whole_numbers(4, seed=5)),
        (whole_numbers(3, 5, 4, 2, seed=6), whole_numbers(3, 5, 1, 1, seed=7), whole_numbers(3, seed=8)),
    ],
    fault=swapped_axes,
    oracle=functional.conv2d,
    also=by_hand,
    hint="In the matrix product a column holds one pixel, C_in numbers before and C_out numbers after it.",
    wrong={
        "weight[:, :, 0, 0] -> weight.reshape(C_in, -1).T": "swapped",
        "(matrix @ pixels).reshape(N, -1, H, W) + bias.repeat(W)[:W]": "along the width of the maps",
        "functional.conv2d(maps, weight, bias, padding=1)": "The maps are padded: they grew by two pixels each way, "
        "and the frame shows the bias alone. A window of one pixel needs no padding.",
        " + bias[:, None] -> ": "The bias is missing: one number for each output channel.",
        "torch.conv2d(maps.double(), weight.double(), bias.double())": BY_HAND.format("torch's convolution"),
        "mixed.mT.reshape(N, -1, H, W)": NO_RESHAPE,
        "(maps.reshape(N, H * W, C_in) @ matrix.T + bias).reshape(N, -1, H, W)": NO_RESHAPE,
    },
)
def pointwise_by_matrix(maps, weight, bias):
    N, C_in, H, W = maps.shape
    matrix = weight[:, :, 0, 0]  # (C_out, C_in)
    pixels = maps.reshape(N, C_in, H * W)  # a column for each pixel
    mixed = matrix @ pixels + bias[:, None]  # (N, C_out, H * W)
    return mixed.reshape(N, -1, H, W)
