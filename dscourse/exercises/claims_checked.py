"""The exercises of the chapter on claims, the last of them the capstone of the part "In practice"."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import torch

from dscourse import claims
from dscourse.checks.exercise import exercise
from dscourse.checks.values import as_array, as_whole, described
from dslib import cost, functional


@exercise(
    cases=[([True, True, True], False), ([True, False, True], False), ([False, False], False)]
    + [([False, False, False], True), ([False, True], False)],
    oracle=lambda cases, in_the_limit: claims.verdict_of(*cases, **({"limit_only": True} if in_the_limit else {})),
    hint="In how many of the cases does the claim hold: in all, in some, in none?",
    wrong={
        '"conditional" -> "wrong"': "One case in which a claim fails does not make it wrong: it may need a condition. "
        "What is it called if it holds in some cases only?",
        '"conditional" -> "right"': "One case in which a claim holds does not make it right. Look at all cases.",
        '"wrong"': "You do not look at in_the_limit: a claim that holds in no case may be approached in the limit.",
        "(cases) -> (cases[:1])": "You look at the first case only.",
    },
)
def verdict_from(cases, in_the_limit):
    if all(cases):
        return "right"
    if any(cases):
        return "conditional"
    return "limit only" if in_the_limit else "wrong"


def fault_of_counterexample(answer):
    answer = as_whole(answer)
    if len(answer) != 3 or min(answer) < 1:
        return "It should be three whole numbers of at least 1: input channels, output channels, kernel size."
    pair = cost.depthwise_separable_conv2d(*answer, output_size=1).params
    dense = cost.conv2d(*answer, output_size=1).params
    if pair < dense:
        return (
            f"Here the claim holds: the pair has {described(pair)} weights, the standard convolution "
            f"{described(dense)}. When does the pair save least? Try the smallest sizes that a layer can have."
        )
    return ""


@exercise(
    fault=fault_of_counterexample,
    wrong={
        "6, 8, 3": "Here the claim holds",
        "6, 8": "three whole numbers",
    },
)
def counterexample():
    return 6, 8, 1  # C_in, C_out, K


def unit_of(number, c_in, c_out, k, side):
    layer = cost.conv2d(c_in, c_out, k, output_size=side)
    units = {"parameters": layer.params, "MACs": layer.macs, "FLOPs": layer.flops}
    return next((unit for unit, counted in units.items() if counted == number), "something else")


@exercise(
    cases=[(number, 2, 4, 3, 4) for number in (2304, 1152, 72, 1408, 576)]
    + [(3 * 32 * 9 * side**2, 3, 32, 3, 112) for side in (112, 224)],
    oracle=unit_of,
    hint="Work out all three numbers, and see which one it is.",
    wrong={
        '"MACs", 2 * macs: "FLOPs" -> "FLOPs", 2 * macs: "MACs"': "MACs and FLOPs are swapped: a MAC is a "
        "multiplication with its addition, and FLOPs count both.",
        " * in_channels -> ": "You count one kernel for each filter. A filter has one for each input channel.",
        "something else -> FLOPs": "A number that is none of the three counts something else: compare FLOPs too.",
    },
)
def what_was_counted(number, in_channels, out_channels, kernel_size, side):
    weights = out_channels * in_channels * kernel_size**2
    macs = weights * side**2
    names = {weights: "parameters", macs: "MACs", 2 * macs: "FLOPs"}
    return names.get(number, "something else")


def way_of_printing(printed, exact):
    whole, _, digits = printed.partition(".")
    wanted, units = int(whole + digits), Fraction(exact, 10 ** (6 - len(digits)))  # of the last digit
    if wanted == (units + Fraction(1, 2)) // 1:
        return "rounded"
    return "cut off" if wanted == units // 1 else "neither"


@exercise(
    cases=[("569", 568_740_352), ("149", 149_497_000), ("290", 290_675_000), ("1.32", 1_320_600), ("7.3", 7_358_820)]
    + [("226", 227_003_256), ("4.2", 4_231_976), ("286", 290_675_000), ("4.13", 4_125_000), ("22", 227_003_256)]
    + [("1.01", 1_005_000)],
    oracle=way_of_printing,
    hint="Round the exact number of millions to as many digits behind the point as were printed, a half up, then cut "
    "it off there.",
    wrong={
        '"rounded" -> "cut off" if millions.quantize(wanted, ROUND_DOWN) == wanted else "rounded"': "A number may be "
        "both, as 4.23 printed as 4.2 is. Ask first whether it is rounded as usual: only where it is not, cutting off "
        "is needed to explain it.",
        "ROUND_HALF_UP -> ROUND_DOWN": "You cut off where you should round: from 5 on the first digit that is left out "
        "moves the last one up.",
        "ROUND_DOWN -> ROUND_HALF_UP": "You only round. Where that gives other digits, try cutting off.",
        "quantize(wanted -> quantize(Decimal(1)": "You compare whole millions. A number such as 7.3 was printed with "
        "tenths: as many digits count as were printed.",
        "Decimal(exact) / 10**6 -> Decimal(exact / 10**6)": "exact / 10**6 is a float, not quite the number that you "
        "see: 1.005 is a little less. Divide Decimal(exact).",
        ", ROUND_HALF_UP -> ": "A half is rounded up. round, and quantize alone, round it to the even digit.",
    },
)
def how_printed(printed, exact):
    wanted, millions = Decimal(printed), Decimal(exact) / 10**6
    if millions.quantize(wanted, ROUND_HALF_UP) == wanted:
        return "rounded"
    if millions.quantize(wanted, ROUND_DOWN) == wanted:
        return "cut off"
    return "neither"


def pair_macs(channels, kernel_size):
    return cost.depthwise_separable_conv2d(channels, channels, kernel_size, output_size=14).macs


@exercise(
    cases=[(c,) for c in (1, 2, 5, 6, 7, 8, 16, 64)],
    oracle=lambda channels: 2 * pair_macs(channels, 3) < pair_macs(channels, 5),
    hint="At each position a pair takes c * K * K products in its depthwise half and c * c in its pointwise half.",
    wrong={
        "True": "It does not hold for every number of channels, as it does for standard convolutions: two pairs have "
        "two pointwise halves, and these grow with the square of the channels.",
        "False": "It does hold for a few channels. The pointwise halves cost twice as much, the depthwise ones less.",
        "two <= one": "Nearly: with as many MACs on both sides they are not fewer.",
    },
)
def two_are_cheaper(channels):
    two = 2 * (9 * channels + channels**2)
    one = 25 * channels + channels**2
    return two < one


def fault_of_halves(answer, weight, m):
    """What is wrong with two halves that are to come as close to the dense weight as a pair can."""
    if what := fault_of_shapes(answer, weight.shape, m):
        return what
    weight, (depthwise, pointwise) = weight.double(), map(as_array, answer)
    made = functional.separable_weight(depthwise, pointwise, depth_multiplier=m)
    left_out = torch.linalg.svdvals(weight.transpose(0, 1).flatten(2))[:, m:]  # for each input channel
    best = left_out.norm() / weight.norm()

    def error(made):
        return (made - weight).norm() / weight.norm()

    if error(made) <= best + 1e-3:  # numbers of half precision are right too
        return ""
    made_by = {hint: slip for hint, slip in slips(weight, m).items() if slip.shape == made.shape}
    told = [hint for hint, slip in made_by.items() if torch.allclose(made, slip, 1e-4, 1e-5)]
    told += [hint for hint, other in reordered(depthwise, pointwise, m) if error(other) <= best + 1e-3]
    told.append(
        f"For a weight of shape {tuple(weight.shape)} and multiplier {m} your pair is off by {error(made):.1%} of the "
        f"weight's norm, the closest one by {best:.1%}. Look at one input channel alone: its kernels are the rows of a "
        "matrix. Which sum of m products comes closest to that?"
    )
    return told[0]


def fault_of_shapes(answer, shape, m):
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        return "It should be two tensors of torch, the depthwise weight and the pointwise weight."
    (C_out, C_in, K_h, K_w), answer = shape, list(map(as_array, answer))
    found, wanted = [tuple(half.shape) for half in answer], [(C_in * m, 1, K_h, K_w), (C_out, C_in * m, 1, 1)]
    if found == wanted:
        unused = "Some numbers are not finite. An unused channel is all zeros: do not divide by its norm."
        return "" if all(half.isfinite().all() for half in answer) else unused
    if found == wanted[::-1]:
        return "The halves are swapped: return the depthwise weight first."
    if found == [(C_out * m, 1, K_h, K_w), (C_in, C_out * m, 1, 1)]:
        return (
            "C_in and C_out are swapped: the first axis of a weight counts the outputs. A pair has its kernels for the "
            "input channels, so there is one matrix for each of those."
        )
    if found == [(C_in, 1, K_h, K_w), (C_out, C_in, 1, 1)]:
        return f"The depth multiplier is not used: with {m} there are {m} kernels for each input channel."
    if K_h != K_w and found[0] == (C_in * m, 1, K_w, K_h):
        return "The kernels lie on their side: K_h comes before K_w."
    return f"The shapes are {found[0]} and {found[1]}, the layer loads {wanted[0]} and {wanted[1]}."


def slips(weight, m):
    """The dense weights to which typical mistakes lead, each with what to say."""
    shape, matrices = weight.shape, weight.transpose(0, 1).flatten(2)
    roots = "One half takes them, or each half takes their roots."

    def dense(of=matrices, power=1):
        return terms(of, slice(m), power).transpose(0, 1).reshape(shape)

    return {
        f"The singular values are missing. {roots}": dense(power=0),
        f"The singular values are counted twice. {roots}": dense(power=2),
        "One decomposition for the whole weight gives all input channels the same pointwise weights. Each has a matrix "
        "of its own: decompose each of them.": terms(weight.flatten(1), slice(m)).reshape(shape),
        "The kernels are spread over the wrong channels: a reshape leaves the numbers in their order. Bring the input "
        "channels to the front by a transposition.": dense(of=weight.reshape(matrices.shape)),
    }


def terms(matrix, kept, power=1):
    """The sum of the terms of a singular value decomposition that are kept."""
    columns, sizes, rows = torch.linalg.svd(matrix, full_matrices=False)
    return (columns * sizes[..., None, :] ** power)[..., kept] @ rows[..., kept, :]


def reordered(depthwise, pointwise, m):
    """The dense weights of the same numbers in orders that they should perhaps have had, each with what to say."""
    C_out = len(pointwise)
    kernels = depthwise.unflatten(0, (m, -1)).transpose(0, 1).reshape(depthwise.shape)
    mixing = pointwise.reshape(C_out, m, -1).transpose(1, 2).reshape(pointwise.shape)
    turned = pointwise.reshape(-1, C_out, m).transpose(0, 1).reshape(pointwise.shape)
    together = "Kernel j of channel c has to be number c * m + j in both halves: the kernels of one channel together."
    front = (
        "The pointwise numbers are the right ones in a wrong order: bring the axis of the outputs to the front before "
        "you reshape."
    )
    orders = [(kernels, mixing), (kernels, pointwise), (depthwise, mixing), (depthwise, turned)]
    made = [functional.separable_weight(*halves, depth_multiplier=m) for halves in orders]
    return zip([together] * 3 + [front], made, strict=True)


def drawn(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


EXACT = functional.separable_weight(drawn(12, 1, 3, 3, seed=3), drawn(11, 12, 1, 1, seed=4), depth_multiplier=3)
EXACT[:, 0] = 0  # a channel that is not used


@exercise(
    cases=[(drawn(10, 3, 3, 3, seed=1), 1), (drawn(16, 2, 3, 5, seed=2), 2), (EXACT.float(), 3)],
    fault=fault_of_halves,
    wrong={
        "depthwise_weight": "two tensors",
        "pointwise_weight, depthwise_weight": "swapped: return",
        "C_out, C_in, K_h -> weight = weight.transpose(0, 1)\n    C_out, C_in, K_h": "C_in and C_out are swapped",
        "m = depth_multiplier -> m = 1": "depth multiplier is not used",
        "1, K_h, K_w) -> 1, K_w, K_h)": "lie on their side",
        ".reshape(C_in * m, 1, K_h, K_w) -> ": "The shapes are",
        "C_in * m, 1, 1) -> -1)": "and (10, 3), the layer loads",
        "weight.transpose(0, 1).flatten(2) -> weight.reshape(C_in, C_out, -1)": "by a transposition",
        " * S[:, None] -> ": "values are missing",
        "S[:, None] -> S[:, None] ** 2": "counted twice",
        "svd(matrices, full_matrices=False) -> svd(weight.flatten(1), full_matrices=False)\n"
        "    U, S = U.expand(C_in, -1, -1), S.expand(C_in, -1)\n"
        "    Vh = Vh.unflatten(1, (C_in, -1)).transpose(0, 1)": "the same pointwise weights",
        "Vh[:, :m].reshape -> Vh[:, :m].transpose(0, 1).reshape": "kernels of one channel together",
        "[:, :, :m].transpose(0, 1) -> [:, :, :m]": "right ones in a wrong order",
        "mixing.reshape -> (mixing / mixing.norm(dim=0) * mixing.norm(dim=0)).reshape": "not finite",
        "svd(matrices, -> svd(matrices + 0.1,": "is off by",
    },
)
def dense_to_pair(weight, depth_multiplier):
    C_out, C_in, K_h, K_w = weight.shape
    m = depth_multiplier
    # one matrix (C_out, K_h * K_w) for each input channel
    matrices = weight.transpose(0, 1).flatten(2)
    U, S, Vh = torch.linalg.svd(matrices, full_matrices=False)
    # (C_out, C_in, m); the singular values go to this half
    mixing = (U * S[:, None])[:, :, :m].transpose(0, 1)
    depthwise_weight = Vh[:, :m].reshape(C_in * m, 1, K_h, K_w)
    pointwise_weight = mixing.reshape(C_out, C_in * m, 1, 1)
    return depthwise_weight, pointwise_weight
