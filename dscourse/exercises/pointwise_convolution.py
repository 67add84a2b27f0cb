"""Checks of the exercises in the chapter pointwise_convolution."""

import torch

from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import difference
from dslib import cost, functional

from .feedback import Feedback, Mistake, examine, inspect


def check_pointwise_cost(reader_function) -> Feedback:
    """``pointwise_cost(in_channels, out_channels, height, width)``: weights and MACs, without bias."""

    def price(c_in, c_out, high, wide):
        layer = cost.pointwise_conv2d(c_in, c_out, output_size=(high, wide))
        return layer.params, layer.macs

    return examine(
        reader_function,
        cases=[(1024, 1024, 7, 7), (3, 8, 5, 6), (16, 4, 9, 2)],
        truth=price,
        mistakes=[
            Mistake(
                lambda c_in, c_out, high, wide: (c_in * c_out, price(c_in, c_out, high + 2, wide + 2)[1]),
                "Your layer is padded. A window of one pixel never sticks out, so nothing is added around the map.",
            ),
            Mistake(
                lambda c_in, c_out, high, wide: (c_in + c_out, (c_in + c_out) * high * wide),
                "You add the channels. Every output channel reads every input channel, so there is a weight for each "
                "pair of them.",
            ),
            Mistake(
                lambda c_in, c_out, high, wide: (c_in, c_in * high * wide),
                "You count one filter. A filter makes one output channel, and there are more of them.",
            ),
            Mistake(
                lambda c_in, c_out, high, wide: (c_in * c_out, 2 * c_in * c_out * high * wide),
                "Your second number is FLOPs: a multiplication and the addition after it are one MAC.",
            ),
        ],
        hint="A filter has one weight for each input channel. Each weight is used once at every pixel.",
    )


def check_times_depthwise(reader_function) -> Feedback:
    """``times_depthwise(in_channels, out_channels, kernel_size)``: pointwise MACs over those of the depthwise layer."""

    def times(c_in, c_out, k):
        return cost.pointwise_conv2d(c_in, c_out, 1).macs / cost.depthwise_conv2d(c_in, k, 1).macs

    return examine(
        reader_function,
        cases=[(32, 64, 3), (1024, 1024, 3), (64, 16, 5), (8, 98, 7)],
        truth=times,
        mistakes=[
            Mistake(
                lambda c_in, c_out, k: c_in / k**2,
                "C_in and C_out are swapped. Both layers grow alike with the input channels; more filters make the "
                "pointwise layer alone dearer.",
            ),
            Mistake(
                lambda c_in, c_out, k: 1 / times(c_in, c_out, k),
                "This is the other way round: the depthwise layer's MACs over those of the pointwise layer.",
            ),
            Mistake(
                lambda c_in, c_out, k: c_out / k,
                "You divide by K. A depthwise kernel has K times K weights.",
            ),
            Mistake(
                lambda c_in, c_out, k: c_in * c_out / k**2,
                "You count one kernel in the depthwise layer. It has one for each of the C_in channels.",
            ),
        ],
        hint="For one pixel: how many products does each of the two layers take?",
    )


def check_turn_colours(reader_function) -> Feedback:
    """``turn_colours()``: the weight ``(3, 3, 1, 1)`` that makes green, blue, red of red, green, blue."""
    red, green, blue = torch.eye(3).long()
    return examine(
        reader_function,
        cases=[()],
        truth=lambda: torch.stack([green, blue, red])[:, :, None, None],
        mistakes=[
            Mistake(
                lambda: torch.stack([blue, red, green])[:, :, None, None],
                "C_in and C_out are swapped: row o of the matrix makes output channel o, and the columns are the "
                "input's red, green and blue.",
            ),
            Mistake(
                lambda: torch.stack([green, blue, red]),
                "The matrix is right. A weight has four axes: add two for the kernel's height and width.",
            ),
            Mistake(
                lambda: torch.stack([red, green, blue])[:, :, None, None],
                "This leaves every colour where it is. Output channel 0 is to be the input's green, channel 1.",
            ),
        ],
        hint="Each row makes one output channel: a single 1, in the column of the colour that it is to show.",
    )


def check_pixel_change(reader_function) -> Feedback:
    """``pixel_change(weight, channel, row, column, height, width)``: the change, ``(C_out, height, width)``."""

    def raised(weight, channel, row, column, height, width):  # the change of the input
        maps = torch.zeros(weight.shape[1], height, width).to(weight)
        maps[channel, row, column] = 1
        return maps

    def change(weight, *place):
        return functional.pointwise_conv2d(raised(weight, *place), weight)

    def row_of_the_matrix(answer, weight, *place):
        if difference(answer, change(weight.transpose(0, 1), *place)):
            return ""
        return (
            "C_in and C_out are swapped: you take the weights of one filter. But the pixel is read by all filters, and "
            "each has one weight for its channel, a column of the matrix."
        )

    hint = "Every filter has one weight for this channel. At which pixels is it multiplied by the 1 that was added?"
    cases = [
        (whole_numbers(3, 3, 1, 1), 1, 2, 0, 4, 5),
        (whole_numbers(5, 3, 1, 1, seed=1), 0, 1, 2, 5, 4),
        (whole_numbers(3, 4, 1, 1, seed=2), 2, 0, 2, 3, 6),
    ]
    return inspect(reader_function, cases[:1], row_of_the_matrix, hint) and examine(
        reader_function,
        cases,
        truth=change,
        mistakes=[
            Mistake(
                lambda weight, channel, *place: (
                    change(weight, channel, *place) * (torch.arange(len(weight)) == channel)[:, None, None]
                ),
                "One output channel changes, as in a depthwise layer. Here every output channel reads the pixel.",
            ),
            Mistake(
                lambda weight, *place: functional.conv2d(
                    raised(weight, *place), weight.expand(-1, -1, 3, 3), padding=1
                ),
                "The neighbours change too. A kernel of one pixel reads only the pixel at its own place.",
            ),
            Mistake(
                lambda weight, channel, row, column, high, wide: weight[:, channel].expand(-1, high, wide),
                "All pixels change. Only one pixel of the input did, and each output pixel reads the one at its place.",
            ),
        ],
        hint=hint,
    )


def check_undo_mixing(reader_function) -> Feedback:
    """``undo_mixing(weight)``: a weight ``(C_in, C_out, 1, 1)`` that undoes ``(C_out, C_in, 1, 1)``, or ``"lost"``."""
    bank = torch.tensor([[1, 2, 0], [0, 1, 3], [2, 0, 1], [1, 1, 1]]).double()
    mixed = [[0, 1, 2], [0, 1, 2, 3], [0, 1], [0, 1, 0], [0, 1, 1, 0]]  # rows of the bank: the filters

    def fault(answer, weight):
        matrix = weight.flatten(1)
        (C_out, C_in), rank = matrix.shape, int(torch.linalg.matrix_rank(matrix))
        if isinstance(answer, str) and answer == "lost":
            if rank < C_in:
                return ""
            return f"From {C_in} channels to {C_out} nothing is lost: the rank is {C_in}, so there is a way back."
        try:
            answer = torch.as_tensor(answer)
        except (TypeError, ValueError, RuntimeError):
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
        back = answer.detach().double().flatten(1) @ matrix
        if not torch.allclose(back, torch.eye(C_in).double(), atol=1e-4):
            return "This does not give the input back: your matrix times that of the layer must leave all as it is."
        return ""

    hint = "The rank of the matrix tells whether there is a way back, and torch.linalg.pinv finds it."
    return inspect(reader_function, [(bank[rows][:, :, None, None],) for rows in mixed], fault, hint)


def check_pointwise_by_matrix(reader_function) -> Feedback:
    """``pointwise_by_matrix(maps, weight, bias)``: ``(N, C_in, H, W)`` to ``(N, C_out, H, W)``."""
    conv = functional.conv2d

    def swapped_axes(output, maps, weight, bias):  # mistakes that raise an error where C_in, C_out and W differ
        if not difference(output, conv(maps, weight.transpose(0, 1), bias)):
            return "C_in and C_out are swapped: the rows of the matrix are the filters, its columns the input channels."
        if not difference(output, conv(maps, weight) + bias):
            return (
                "Your bias changes along the width of the maps. It belongs to the output channels: bias[:, None] makes "
                "a column of it."
            )
        return ""

    def channels_as_pixels(maps, weight, bias):
        N, C_in, H, W = maps.shape
        return (maps.reshape(N, H * W, C_in) @ weight.flatten(1).T + bias).reshape(N, len(weight), H, W)

    hint = "In the matrix product a column holds one pixel, C_in numbers before and C_out numbers after it."
    no_reshape = (
        "Your numbers are mixed up: reshape moves no axis, it only starts new rows elsewhere. movedim moves one."
    )
    cases = [
        (whole_numbers(2, 3, 4, 3), whole_numbers(3, 3, 1, 1, seed=1), whole_numbers(3, seed=2)),
        (whole_numbers(1, 3, 2, 5, seed=3), whole_numbers(4, 3, 1, 1, seed=4), whole_numbers(4, seed=5)),
        (whole_numbers(3, 5, 4, 2, seed=6), whole_numbers(3, 5, 1, 1, seed=7), whole_numbers(3, seed=8)),
    ]
    return inspect(reader_function, cases[:1], swapped_axes, hint) and examine(
        reader_function,
        cases,
        truth=conv,
        mistakes=[
            Mistake(
                lambda maps, weight, bias: conv(maps, weight, bias, padding=1),
                "The maps are padded: they grew by two pixels each way, and the frame shows the bias alone. A window "
                "of one pixel needs no padding.",
            ),
            Mistake(
                lambda maps, weight, bias: conv(maps, weight),
                "The bias is missing: one number for each output channel.",
            ),
            Mistake(
                lambda *layer: conv(*layer).movedim(1, -1).reshape(conv(*layer).shape),
                no_reshape,
            ),
            Mistake(channels_as_pixels, no_reshape),
        ],
        hint=hint,
    )
