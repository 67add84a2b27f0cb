"""Checks of the exercises in the chapter depthwise_separable_convolution."""

import sympy
import torch
from torch.nn import functional as F

from dscourse.checks.inputs import whole_numbers
from dslib import cost, functional

from .feedback import Feedback, Mistake, examine, inspect


def check_pair_shapes(reader_function) -> Feedback:
    """``pair_shapes(in_channels, out_channels, kernel_size, depth_multiplier)``: both weights' shapes, as tuples."""

    def shapes(c_in, c_out, k, m):
        return (c_in * m, 1, k, k), (c_out, c_in * m, 1, 1)

    return examine(
        reader_function,
        cases=[(2, 3, 2, 1), (3, 16, 3, 4), (8, 5, 7, 2)],
        truth=shapes,
        mistakes=[
            Mistake(
                lambda c_in, c_out, k, m: shapes(c_in, c_out, k, 1),
                "The depth multiplier is not used: there are depth_multiplier kernels for each input channel, and as "
                "many intermediate maps for the pointwise half to read.",
            ),
            Mistake(
                lambda c_in, c_out, k, m: (shapes(c_in, c_out, k, m)[0], (c_out, c_in, 1, 1)),
                "The depthwise shape is right. The pointwise half reads what the depthwise half makes, and those are "
                "more maps than the input has.",
            ),
            Mistake(
                lambda c_in, c_out, k, m: ((c_in * m, c_in, k, k), (c_out, c_in * m, 1, 1)),
                "A depthwise kernel reads a single input channel, so the second axis of that weight has length 1.",
            ),
            Mistake(
                lambda c_in, c_out, k, m: ((c_in * m, 1, k, k), (c_out * m, c_in, 1, 1)),
                "The depth multiplier makes more intermediate maps, not more output maps: the pointwise half reads "
                "them all, and makes out_channels maps.",
            ),
            Mistake(
                lambda c_in, c_out, k, m: ((c_in, m, k, k), (c_out, c_in * m, 1, 1)),
                "The kernels of one channel do not stack up to one filter, they are not added. Each makes a map of its "
                "own, so each is a filter with a single kernel.",
            ),
            Mistake(
                lambda c_in, c_out, k, m: ((c_in * m, 1, k, k), (c_in * m, c_out, 1, 1)),
                "The axes of the pointwise weight are swapped: the first counts the filters, one for each output map.",
            ),
            Mistake(
                lambda c_in, c_out, k, m: shapes(c_in, c_out, k, m)[::-1],
                "The halves are swapped: the depthwise weight comes first.",
            ),
        ],
        hint="How many intermediate maps are there? Each has one kernel, and each filter of the pointwise half reads "
        "all of them.",
    )


def check_swapped_weight(reader_function) -> Feedback:
    """``swapped_weight(pointwise_weight, depthwise_weight)``: the dense weight of pointwise first, then depthwise."""

    def impulses_sent_through(pointwise, depthwise):
        """The dense weight as it comes out: one image for each input channel, with a single 1 in that channel."""
        c_in, k = pointwise.shape[1], depthwise.shape[-1]
        images = F.pad(torch.eye(c_in, dtype=torch.int64)[..., None, None], [k - 1] * 4)
        seen = functional.depthwise_conv2d(functional.pointwise_conv2d(images, pointwise), depthwise)
        return seen.transpose(0, 1).flip(2, 3)  # window i sees the 1 at place k - 1 - i

    return examine(
        reader_function,
        cases=[
            (whole_numbers(5, 2, 1, 1), whole_numbers(5, 1, 3, 3, seed=1)),
            (whole_numbers(3, 3, 1, 1, seed=2), whole_numbers(3, 1, 2, 2, seed=3)),
        ],
        truth=impulses_sent_through,
        mistakes=[
            Mistake(
                lambda pointwise, depthwise: impulses_sent_through(pointwise, depthwise).transpose(0, 1),
                "The first two axes are swapped: a dense weight is (C_out, C_in, K, K).",
            ),
            Mistake(
                lambda pointwise, depthwise: impulses_sent_through(torch.ones_like(pointwise), depthwise),
                "The pointwise weights are not used: every input channel gets into output o with a factor of its own.",
            ),
            Mistake(
                lambda pointwise, depthwise: impulses_sent_through(pointwise, depthwise).sum(1, keepdim=True),
                "The input channels are added up. A dense weight keeps one kernel for each of them.",
            ),
            Mistake(
                lambda pointwise, depthwise: impulses_sent_through(pointwise, depthwise).flip(2, 3),
                "The kernels are turned around. They stand in the dense weight as they stand in the depthwise one.",
            ),
        ],
        hint="Here a depthwise kernel belongs to an output map, not to an input channel as in the usual order. Which "
        "weights does a pixel of channel c meet on its way to output o?",
    )


def mixed_from(c_out, k, *multipliers):
    """A weight (c_out, channels, k, k), each of its channels mixed from as many kernels as it is told."""
    halves = [
        (whole_numbers(m, 1, k, k, seed=m), whole_numbers(c_out, m, 1, 1, seed=10 + place), m)
        for place, m in enumerate(multipliers)
    ]
    return torch.cat([functional.separable_weight(*pair) for pair in halves], dim=1).double()


def rank(matrix):
    """The rank of a matrix of whole numbers, exact; further axes are laid out in the rows."""
    return sympy.Matrix(matrix.flatten(1).long().tolist()).rank()


def ranks(weight):
    """The rank for each input channel."""
    return [rank(weight[:, c]) for c in range(weight.shape[1])]


def check_needed_multiplier(reader_function) -> Feedback:
    """``needed_multiplier(weight)``: the smallest depth multiplier with which a pair equals the dense weight."""

    return examine(
        reader_function,
        cases=[
            (mixed_from(6, 3, 1, 1),),
            (mixed_from(6, 3, 2, 4, 1),),
            (whole_numbers(2, 5, 3, 3).double(),),
            (whole_numbers(6, 3, 2, 2).double(),),
        ],
        truth=lambda weight: max(ranks(weight)),
        mistakes=[
            Mistake(
                lambda weight: max(rank(weight[o]) for o in range(weight.shape[0])),
                "You look at the matrices of the output channels. What a pair ties together are the kernels that one "
                "input channel meets.",
            ),
            Mistake(
                rank,
                "You take one matrix for the whole layer. Each input channel has kernels and a matrix of its own.",
            ),
            Mistake(
                lambda weight: ranks(weight)[0],
                "You look at input channel 0 alone. Another channel may need more kernels.",
            ),
            Mistake(
                lambda weight: min(ranks(weight)),
                "That is enough for the simplest channel. All channels get the same multiplier, so it must be enough "
                "for each of them.",
            ),
            Mistake(
                lambda weight: sum(ranks(weight)),
                "You add the channels up: that is the number of kernels. The multiplier is what one channel gets.",
            ),
            Mistake(
                lambda weight: min(weight.shape[0], weight.shape[2] * weight.shape[3]),
                "That is enough for every layer of this shape. This one may need fewer: look at its numbers.",
            ),
        ],
        hint="For each input channel: a matrix with a row for each output channel. How many rows must be stored so "
        "that all of them can be mixed?",
    )


def priced(weight, m):
    """``(m, weights)`` of a pair with depth multiplier m in place of a dense weight."""
    c_out, c_in, *kernel_size = weight.shape
    return m, cost.depthwise_separable_conv2d(c_in, c_out, kernel_size, 1, depth_multiplier=m).params


def close_enough(weight, error, axis=1):
    """The answer by building the closest pairs, one after the other; the axis counts the matrices of the weight."""
    matrices = weight.movedim(axis, 0).flatten(2)
    columns, sizes, rows = torch.linalg.svd(matrices, full_matrices=False)
    for m in range(1, sizes.shape[-1] + 1):
        made = columns[..., :m] * sizes[:, None, :m] @ rows[:, :m]
        if (made - matrices).norm() <= error * matrices.norm():
            return priced(weight, m)
    raise ValueError(f"no pair is as close as {error}")


def by_sizes(test):
    """The first m that passes ``test(singular values, those left out, error)``."""

    def answer(weight, error):
        sizes = torch.linalg.svdvals(weight.transpose(0, 1).flatten(2))
        return priced(weight, next(m for m in range(1, 100) if test(sizes, sizes[:, m:], error)))

    return answer


def fewer_pointwise(weight, m, weights):
    """``(m, weights)`` with pointwise weights for one intermediate map of each channel."""
    return m, weights - (m - 1) * weight.shape[0] * weight.shape[1]


def check_close_pair(reader_function) -> Feedback:
    """``close_pair(weight, error)``: the smallest multiplier that is close enough, and the pair's number of weights."""

    return examine(
        reader_function,
        cases=[
            (whole_numbers(7, 2, 3, 3).double(), 0.5),
            (whole_numbers(16, 3, 3, 3, seed=1).double(), 0.3),
            (100 * torch.ones(5, 3, 2, 3).double() + whole_numbers(5, 3, 2, 3, seed=2), 0.1),
        ],
        truth=close_enough,
        mistakes=[
            Mistake(
                by_sizes(lambda sizes, rest, error: (rest**2).sum() <= error * (sizes**2).sum()),
                "You compare sums of squares with the error. The norm is the root of such a sum.",
            ),
            Mistake(
                by_sizes(lambda sizes, rest, error: rest.sum() <= error * sizes.sum()),
                "You add up the singular values. Add up their squares, and take the root of the sum.",
            ),
            Mistake(
                by_sizes(
                    lambda sizes, rest, error: (sizes**2).sum() - (rest**2).sum() >= ((1 - error) * sizes.norm()) ** 2
                ),
                "You compare the norm of what is kept with 1 - error. Squares add up here, norms do not: look at what "
                "is left out.",
            ),
            Mistake(
                by_sizes(lambda sizes, rest, error: bool((rest.norm(dim=1) <= error * sizes.norm(dim=1)).all())),
                "You ask for the error in each input channel. It is meant for the whole weight.",
            ),
            Mistake(
                lambda weight, error: close_enough(weight, error, axis=0),
                "You take the matrices of the output channels. A pair shares its kernels within an input channel.",
            ),
            Mistake(
                lambda weight, error: (close_enough(weight, error)[0], priced(weight, 1)[1]),
                "The multiplier is right. The number of weights is that of a pair with multiplier 1.",
            ),
            Mistake(
                lambda weight, error: fewer_pointwise(weight, *close_enough(weight, error)),
                "The multiplier is right. It is in your depthwise weights alone: each output has m weights for an "
                "input channel, one for each of its maps.",
            ),
            Mistake(
                lambda weight, error: (close_enough(weight, error)[0], weight.numel()),
                "The multiplier is right. The number of weights is that of the dense layer, not the pair's.",
            ),
        ],
        hint="Leave out the smallest terms: the error's square is the sum of their squares over that of all. Each "
        "input channel of the pair then has m kernels, and each output m weights for it.",
    )


def edge_maps(images, kernels, weights, between=torch.relu):
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


def check_edge_pair(reader_function) -> Feedback:
    """``edge_pair()``: weights ``(12, 1, 3, 3)`` and ``(1, 12, 1, 1)`` that find edges with a ReLU between."""
    images = whole_numbers(4, 3, 5, 6).double()
    sideways, downwards = edges(images)
    wanted = sideways + downwards

    def finds(kernels, weights, channel):  # whether the edges in one channel are found
        alone = torch.zeros_like(images)
        alone[:, channel] = images[:, channel]
        return torch.allclose(edge_maps(alone, kernels, weights), sum(edges(alone)))

    def fault(pair):
        try:
            kernels, weights = (torch.as_tensor(half).double() for half in pair)
        except (TypeError, ValueError, RuntimeError):
            return "It should return two tensors, the depthwise weight and the pointwise weight."
        shapes = tuple(kernels.shape), tuple(weights.shape)
        if shapes != ((12, 1, 3, 3), (1, 12, 1, 1)):
            return f"The shapes are {shapes[0]} and {shapes[1]}, they should be (12, 1, 3, 3) and (1, 12, 1, 1)."
        made = edge_maps(images, kernels, weights)
        share = made.sum() / wanted.sum()
        if torch.allclose(made, wanted):
            return ""
        if torch.allclose(edge_maps(images, regrouped(kernels, 0), regrouped(weights, 1)), wanted):
            return "The kernels are right, their order is not: kernels 4c to 4c + 3 read channel c."
        if kernels.sum((2, 3)).abs().max() > 1e-6:
            return "On flat ground there is no edge: the nine weights of each kernel must add up to 0."
        if edge_maps(images, kernels, weights, between=torch.clone).abs().max() > 1e-6:
            return (
                "Some edges count with their sign. An image and its negative must give the same, so each t needs a -t "
                "in the same channel, added with the same weight."
            )
        for words, one in (("right and left", sideways), ("below and above", downwards)):
            if torch.allclose(made, one):
                return f"Only the edges between {words} are found. Two of the four kernels are for the other direction."
        if torch.allclose(made, share * wanted):
            return f"The edges are right, but each number is {share:.3g} times what it should be."
        if found := [channel for channel in range(3) if finds(kernels, weights, channel)]:
            return f"Only channel {' and '.join(map(str, found))} comes out right. Each needs the same four kernels."
        return "Not every map is the difference of two opposite neighbours of the centre, with weights -1 and 1."

    return inspect(reader_function, [()], fault, "Compare |t| with ReLU(t) + ReLU(-t).")


def check_separable_by_hand(reader_function) -> Feedback:
    """``separable_by_hand(maps, depthwise, pointwise, stride, padding)``: the pair on one image, from loops."""
    pair, first = functional.depthwise_separable_conv2d, functional.depthwise_conv2d

    def framed(before, after):  # the padding p times so many pixels above and left, below and right
        return lambda x, d, w, s, p: pair(F.pad(x, (before * p, after * p) * 2), d, w, s)

    one_side = "The zeros do not stand on all four sides of the maps, or not equally wide: padding pixels on each."
    one_kernel = "Only one kernel for each input channel is used. With depth multiplier m there are m of them."
    return examine(
        reader_function,
        cases=[
            (whole_numbers(2, 3, 3), whole_numbers(2, 1, 2, 2, seed=1), whole_numbers(3, 2, 1, 1, seed=2), 1, 0),
            (whole_numbers(3, 5, 6), whole_numbers(6, 1, 3, 3, seed=3), whole_numbers(4, 6, 1, 1, seed=4), 1, 1),
            (whole_numbers(2, 9, 6), whole_numbers(6, 1, 3, 2, seed=5), whole_numbers(5, 6, 1, 1, seed=6), 2, 2),
        ],
        truth=pair,
        mistakes=[
            Mistake(
                lambda x, d, w, s, p: functional.conv2d(first(x, d, None, s, p), w, padding=p),
                "The 1 by 1 half is padded too, so the output grows by 2 * padding. It needs no neighbours: the "
                "padding belongs to the depthwise half alone.",
            ),
            Mistake(
                lambda x, d, w, s, p: functional.conv2d(first(x, d, None, s, p), w, stride=s),
                "The stride is applied twice. The intermediate maps are already smaller; the pointwise half reads "
                "every pixel of them.",
            ),
            Mistake(lambda x, d, w, s, p: pair(x, d[: len(x)], w[:, : len(x)], s, p), one_kernel),
            Mistake(lambda x, d, w, s, p: pair(x, d[:: len(d) // len(x)], w[:, :: len(d) // len(x)], s, p), one_kernel),
            Mistake(
                lambda x, d, w, s, p: pair(x.repeat(len(d) // len(x), 1, 1), d, w, s, p),
                "Kernel k reads channel k % C_in in your loops. The m kernels of one channel stand side by side: "
                "kernels c * m to c * m + m - 1 read channel c.",
            ),
            Mistake(
                lambda x, d, w, s, p: pair(x.sum(0, keepdim=True).repeat(len(d), 1, 1), d, w, s, p),
                "Your depthwise half already adds up the channels. Each of its kernels reads one channel; the "
                "channels meet in the pointwise half.",
            ),
            Mistake(
                lambda x, d, w, s, p: first(x, d, None, s, p),
                "These are the intermediate maps. The pointwise half has still to mix them.",
            ),
            *(Mistake(framed(*sides), one_side) for sides in [(0, 2), (2, 0), (0, 1), (1, 0)]),
            Mistake(
                lambda x, d, w, s, p: pair(x, d, w, s, p + 1),
                "The frame of zeros is one pixel too wide.",
            ),
            Mistake(
                lambda x, d, w, s, p: pair(x, d, w, s),
                "The padding is not used: lay zeros around the maps first.",
            ),
            Mistake(
                lambda x, d, w, s, p: pair(x, d, w, 1, p)[
                    :, : pair(x, d, w, s, p).shape[1], : pair(x, d, w, s, p).shape[2]
                ],
                "The windows move by one pixel. Window i starts at i times the stride.",
            ),
            Mistake(
                lambda x, d, w, s, p: pair(x, d.flip(2, 3), w, s, p),
                "The kernels are turned around. In networks they are laid on as they are.",
            ),
        ],
        hint="Make the intermediate maps first, with padding and stride: each kernel reads one channel. An output map "
        "is then a sum of these maps, each times a number.",
    )
