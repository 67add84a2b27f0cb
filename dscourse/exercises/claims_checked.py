"""Checks of the exercises in the chapter claims_checked, the last of them the capstone of the part "In practice"."""

from fractions import Fraction

import torch

from dscourse import claims
from dslib import cost, functional, layers

from .feedback import Feedback, Mistake, examine, inspect


def check_verdict_from(reader_function) -> Feedback:
    """``verdict_from(cases, in_the_limit)``: the verdict, a word, that these cases lead to."""

    def verdict(cases, in_the_limit):
        return claims.verdict_of(*cases, **({"limit_only": True} if in_the_limit else {}))

    def ends(none, some, every):
        def answer(cases, in_the_limit):
            if in_the_limit:
                return "limit only"
            return every if all(cases) else some if any(cases) else none

        return answer

    return examine(
        reader_function,
        cases=[
            ([True, True, True], False),
            ([True, False, True], False),
            ([False, False], False),
            ([False, False, False], True),
            ([False, True], False),
        ],
        truth=verdict,
        mistakes=[
            Mistake(
                ends("wrong", "wrong", "right"),
                "One case in which a claim fails does not make it wrong: it may need a condition. What is it called if "
                "it holds in some cases only?",
            ),
            Mistake(
                ends("wrong", "right", "right"),
                "One case in which a claim holds does not make it right. Look at all cases before you say so.",
            ),
            Mistake(
                lambda cases, in_the_limit: verdict(cases, False),
                "You do not look at in_the_limit: a claim that holds in no case may still be approached as a size "
                "grows without end.",
            ),
            Mistake(
                lambda cases, in_the_limit: "limit only" if in_the_limit else "right" if cases[0] else "wrong",
                "You look at the first case only.",
            ),
        ],
        hint="In how many of the cases does the claim hold: in all, in some, in none?",
    )


def check_counterexample(reader_function) -> Feedback:
    """``counterexample()``: ``(in_channels, out_channels, kernel_size)`` of a pair that has no fewer weights."""

    def fault(answer):
        whole = isinstance(answer, (tuple, list)) and all(type(size) is int and size > 0 for size in answer)
        if not whole or len(answer) != 3:
            return "It should be three whole numbers of at least 1: input channels, output channels, kernel size."
        c_in, c_out, k = answer
        pair, dense = cost.depthwise_separable_conv2d(c_in, c_out, k, 1).params, cost.conv2d(c_in, c_out, k, 1).params
        if pair < dense:
            return (
                f"Here the claim holds: the pair has {pair:,} weights, the standard convolution {dense:,}. When does "
                "the pair save least? Try extremes: the smallest sizes that a layer can have."
            )
        return ""

    return inspect(reader_function, [()], fault)


def check_what_was_counted(reader_function) -> Feedback:
    """``what_was_counted(number, in_channels, out_channels, kernel_size, side)``: what the number of a layer counts.

    One of ``"parameters"``, ``"MACs"``, ``"FLOPs"`` (twice the MACs) and ``"something else"``, without bias.
    """
    words = {"params": "parameters", "macs": "MACs", "flops": "FLOPs"}

    def counted(number, c_in, c_out, k, side, words=words):
        layer = cost.conv2d(c_in, c_out, k, side)
        found = [word for unit, word in words.items() if getattr(layer, unit) == number]
        return found[0] if found else "something else"

    return examine(
        reader_function,
        cases=[
            (2304, 2, 4, 3, 4),
            (1152, 2, 4, 3, 4),
            (72, 2, 4, 3, 4),
            (1408, 2, 4, 3, 4),
            (576, 2, 4, 3, 4),
            (3 * 32 * 9 * 112**2, 3, 32, 3, 112),
            (3 * 32 * 9 * 224**2, 3, 32, 3, 112),
        ],
        truth=counted,
        mistakes=[
            Mistake(
                lambda *case: counted(*case, words={"params": "parameters", "macs": "FLOPs", "flops": "MACs"}),
                "MACs and FLOPs are swapped: a MAC is a multiplication with its addition, and FLOPs count both.",
            ),
            Mistake(
                lambda number, c_in, c_out, k, side: counted(number, 1, c_out, k, side),
                "You count one kernel for each filter. A filter has one for each input channel.",
            ),
            Mistake(
                lambda number, c_in, c_out, k, side: counted(number, c_in, c_out, k, (side, 1)),
                "The positions are those of a square map: side times side.",
            ),
            Mistake(
                lambda *case: counted(*case).replace("something else", "FLOPs"),
                "A number that is none of the three counts something else, or is an error: FLOPs too have to be "
                "compared.",
            ),
        ],
        hint="Work out all three numbers, and see which one it is.",
    )


def check_how_printed(reader_function) -> Feedback:
    """``how_printed(printed, exact)``: ``"rounded"``, ``"cut off"`` or ``"neither"``, for a number of millions."""

    def ways(printed, exact, digits=None):  # whether it is rounded, whether it is cut off
        digits = len(printed.partition(".")[2]) if digits is None else digits
        unit = Fraction(10**6, 10**digits)  # of the last digit
        wanted, units = Fraction(printed) * 10**6 / unit, exact / unit
        return (units + Fraction(1, 2)) // 1 == wanted, units // 1 == wanted

    def word(rounded, cut):
        return "rounded" if rounded else "cut off" if cut else "neither"

    def half_to_even(printed, exact):
        units = Fraction(exact, 10**6) * 10 ** len(printed.partition(".")[2])
        return word(round(units) == int(printed.replace(".", "")), ways(printed, exact)[1])

    return examine(
        reader_function,
        cases=[
            ("569", 568_740_352),
            ("149", 149_497_000),
            ("290", 290_675_000),
            ("1.32", 1_320_600),
            ("7.3", 7_358_820),
            ("226", 227_003_256),
            ("4.2", 4_231_976),
            ("286", 290_675_000),
            ("4.13", 4_125_000),
            ("22", 227_003_256),
        ],
        truth=lambda *case: word(*ways(*case)),
        mistakes=[
            Mistake(
                lambda *case: "cut off" if ways(*case)[1] else word(*ways(*case)),
                "A number may be both, as 4.23 printed as 4.2 is. Ask first whether it is rounded as usual: only where "
                "it is not, cutting off is needed to explain it.",
            ),
            Mistake(
                lambda *case: word(ways(*case)[1], False),
                "You cut off where you should round: from 5 on the first digit that is left out moves the last one up.",
            ),
            Mistake(
                lambda *case: word(ways(*case)[0], False),
                "You only round. Where that gives other digits, see whether cutting off gives the printed ones.",
            ),
            Mistake(
                lambda *case: word(*ways(*case, digits=0)),
                "You compare whole millions. A number such as 7.3 was printed with tenths: as many digits count as "
                "were printed.",
            ),
            Mistake(
                half_to_even,
                "A half is rounded up. round, and quantize without a second argument, round a half to the even digit.",
            ),
            Mistake(
                lambda printed, exact: word(ways(printed, exact)[0], str(exact).startswith(printed.replace(".", ""))),
                "The same first digits are not enough: 227 million, cut off or not, is not 22 million.",
            ),
        ],
        hint="Round the exact number of millions to as many digits behind the point as were printed, a half up, then "
        "cut it off there.",
    )


def check_two_are_cheaper(reader_function) -> Feedback:
    """``two_are_cheaper(channels)``: whether two 3 by 3 pairs take fewer MACs than one 5 by 5 pair."""
    pair, side = cost.depthwise_separable_conv2d, 14

    return examine(
        reader_function,
        cases=[(c,) for c in (1, 2, 5, 6, 7, 8, 16, 64)],
        truth=lambda c: 2 * pair(c, c, 3, side).macs < pair(c, c, 5, side).macs,
        mistakes=[
            Mistake(
                lambda c: True,
                "It does not hold for every number of channels, as it does for standard convolutions: two pairs have "
                "two pointwise halves, and these grow with the square of the channels.",
            ),
            Mistake(
                lambda c: False,
                "It does hold for a few channels. The pointwise halves alone cost twice as much, but the depthwise "
                "halves cost less.",
            ),
            Mistake(
                lambda c: 2 * pair(c, c, 3, side).macs <= pair(c, c, 5, side).macs,
                "Nearly: with as many MACs on both sides they are not fewer.",
            ),
        ],
        hint="At each position a pair takes c * K * K products in its depthwise half and c * c in its pointwise half.",
    )


def drawn(*shape, seed) -> torch.Tensor:
    """Random numbers of the shape, the same for the same seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def check_dense_to_pair(reader_function) -> Feedback:
    """``dense_to_pair(weight, depth_multiplier)``: ``(depthwise_weight, pointwise_weight)`` of the closest pair.

    A weight ``(C_out, C_in, K_h, K_w)`` becomes ``(C_in * m, 1, K_h, K_w)`` and ``(C_out, C_in * m, 1, 1)``.
    """
    exact = functional.separable_weight(drawn(12, 1, 3, 3, seed=3), drawn(11, 12, 1, 1, seed=4), depth_multiplier=3)
    exact[:, 0] = 0  # a channel that is not used
    cases = [(drawn(10, 3, 3, 3, seed=1), 1), (drawn(16, 2, 3, 5, seed=2), 2), (exact.float(), 3)]
    return inspect(reader_function, cases, fault_of_halves)


def fault_of_halves(answer, weight, m) -> str:
    """What is wrong with two halves that are to come as close to the dense weight as a pair can."""
    if what := fault_of_shapes(answer, weight.shape, m):
        return what
    weight, (depthwise, pointwise) = weight.double(), loaded(answer, weight.shape, m)

    def error(*halves):
        return (functional.separable_weight(*halves, m) - weight).norm() / weight.norm()

    left_out = torch.linalg.svdvals(weight.transpose(0, 1).flatten(2))[:, m:]  # for each input channel
    best = left_out.norm() / weight.norm()
    if error(depthwise, pointwise) <= best + 1e-5:
        return ""
    made = functional.separable_weight(depthwise, pointwise, m)
    for slip, hint in slips(weight, m):
        if slip.shape == made.shape and torch.allclose(made, slip, rtol=1e-4, atol=1e-5):
            return hint
    for other, hint in reordered(depthwise, pointwise, m):
        if error(*other) <= best + 1e-5:
            return hint
    kernels = torch.nn.functional.normalize(depthwise.flatten(1), dim=1)
    means = torch.nn.functional.normalize(weight.mean(0).flatten(1), dim=1)
    if m == 1 and torch.allclose((kernels * means).sum(1).abs(), torch.ones(len(means)).double(), atol=1e-6):
        return (
            "Your depthwise kernels are the means over the outputs. Kernels of opposite sign cancel in a mean; the "
            "closest kernel is the first row of the channel's singular value decomposition."
        )
    off, least = f"{error(depthwise, pointwise):.1%}", f"{best:.1%}"
    if off == least:  # such as numbers of half precision, or an approximation
        return (
            f"For a weight of shape {tuple(weight.shape)} and multiplier {m} your pair is off by nearly the same as "
            f"the closest one, {least} of the weight's norm, but by more than float32 rounds."
        )
    return (
        f"For a weight of shape {tuple(weight.shape)} and multiplier {m} your pair is off by {off} of the weight's "
        f"norm, the closest one by {least}. Look at one input channel alone: its kernels are the rows of a matrix. "
        "Which sum of m products comes closest to that?"
    )


def fault_of_shapes(answer, shape, m) -> str:
    """What is wrong with the form of an answer that is to be two tensors."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2 or not all(map(torch.is_tensor, answer)):
        return "It should be two tensors of torch, the depthwise weight and the pointwise weight."
    C_out, C_in, K_h, K_w = shape
    found, wanted = [tuple(half.shape) for half in answer], [(C_in * m, 1, K_h, K_w), (C_out, C_in * m, 1, 1)]
    if found == wanted:
        finite = all(half.isfinite().all() for half in answer)
        return (
            "" if finite else "Some numbers are not finite. An unused channel is all zeros: do not divide by its norm."
        )
    if found == wanted[::-1]:
        return "The halves are swapped: return the depthwise weight first."
    if found == [(C_out * m, 1, K_h, K_w), (C_in, C_out * m, 1, 1)]:
        return (
            "C_in and C_out are swapped: the first axis of a weight counts the outputs. A pair has its kernels for "
            "the input channels, so there is one matrix for each of those."
        )
    if found == [(C_in, 1, K_h, K_w), (C_out, C_in, 1, 1)]:
        return f"The depth multiplier is not used: with {m} there are {m} kernels for each input channel."
    if K_h != K_w and found[0] == (C_in * m, 1, K_w, K_h):
        return "The kernels lie on their side: K_h comes before K_w."
    return f"The shapes are {found[0]} and {found[1]}, the layer loads {wanted[0]} and {wanted[1]}."


def loaded(halves, shape, m) -> tuple[torch.Tensor, torch.Tensor]:
    """The two weights, once a layer of the library has loaded them."""
    C_out, C_in, *kernel_size = shape
    with torch.random.fork_rng(devices=[]):  # the layer's first weights are random: the reader's numbers stay
        layer = layers.DepthwiseSeparableConv2d(
            C_in, C_out, tuple(kernel_size), padding=0, depth_multiplier=m, norm=None, activation=None
        ).double()
    layer.load_state_dict(dict(zip(("depthwise.weight", "pointwise.weight"), halves, strict=True)))
    return layer.depthwise.weight.detach(), layer.pointwise.weight.detach()


def slips(weight, m):
    """The dense weights to which typical mistakes lead, each with what to say."""
    shape, matrices = weight.shape, weight.transpose(0, 1).flatten(2)

    def terms(matrix, first, last, power=1, turned=False):  # the sum of these terms of a decomposition
        columns, sizes, rows = torch.linalg.svd(matrix, full_matrices=False)
        rows = rows.mT if turned and rows.shape[-1] == rows.shape[-2] else rows
        return (columns * sizes[..., None, :] ** power)[..., first:last] @ rows[..., first:last, :]

    def dense(of_channels):
        return of_channels.transpose(0, 1).reshape(shape)

    def of_all(matrix):
        return terms(matrix, 0, m).reshape(shape)

    own = "Each input channel has a matrix of its own: decompose each of them."
    yield (
        dense(terms(matrices, 0, m, power=0)),
        "The singular values are missing. One half takes them, or each half takes their roots.",
    )
    yield (
        dense(terms(matrices, 0, m, power=0.5)),
        "Only the roots of the singular values are in. The other half needs them too.",
    )
    yield (
        dense(terms(matrices, 0, m, power=2)),
        "The singular values are counted twice. One half takes them, or each half takes their roots.",
    )
    yield (
        of_all(weight.flatten(1)),
        f"One decomposition for the whole weight gives every input channel the same pointwise weights. {own}",
    )
    yield (
        of_all(weight.flatten(0, 1).flatten(1)),
        f"With one decomposition for all kernels the channels share the depthwise kernels. {own}",
    )
    yield (
        dense(terms(weight.reshape(matrices.shape), 0, m)),
        "The kernels are spread over the wrong channels: a reshape leaves the numbers in their order. Bring the input "
        "channels to the front by a transposition.",
    )
    yield (
        dense(terms(matrices, 0, m)).mT,
        "The kernels are transposed: K_h comes before K_w, also where both are equal.",
    )
    yield (
        dense(terms(matrices, 0, m, turned=True)),
        "torch.linalg.svd gives the third factor as rows already: do not transpose it.",
    )
    yield dense(terms(matrices, -m, None)), "You take the last terms. They come in order, the largest first."
    yield (
        dense(terms(matrices, 0, 1)),
        f"Only the first term is used: with multiplier {m} there are {m} of them for each input channel.",
    )


def reordered(depthwise, pointwise, m):
    """The same numbers in the orders that they should perhaps have had, each with what to say."""
    C_out = len(pointwise)
    kernels = depthwise.unflatten(0, (m, -1)).transpose(0, 1).reshape(depthwise.shape)
    mixing = pointwise.reshape(C_out, m, -1).transpose(1, 2).reshape(pointwise.shape)
    together = "Kernel j of channel c has to be number c * m + j in both halves: the kernels of one channel together."
    yield (kernels, mixing), together
    yield (kernels, pointwise), together
    yield (depthwise, mixing), together
    turned = pointwise.reshape(-1, C_out, m).transpose(0, 1).reshape(pointwise.shape)
    yield (
        (depthwise, turned),
        "The pointwise numbers are the right ones in a wrong order: bring the axis of the outputs to the front before "
        "you reshape.",
    )
