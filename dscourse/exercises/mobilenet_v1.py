"""Checks of the exercises in the chapter mobilenet_v1."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from math import floor

import sympy
import torch
from torch import nn

from dslib import cost, geometry, models, tables

from .feedback import Feedback, Mistake, examine

ROWS = tuple(map(tuple, tables.MOBILENET_V1))


def check_mobilenet_pair(reader_function) -> Feedback:
    """``mobilenet_pair(in_channels, out_channels, size, stride)``: ``(weights, macs)`` of a pair, without norms."""

    def after(size, stride):
        return geometry.output_size(size, 3, stride, padding=1)

    def halves(c_in, c_out, depthwise_side, pointwise_side):
        price = cost.depthwise_conv2d(c_in, 3, depthwise_side) + cost.pointwise_conv2d(c_in, c_out, pointwise_side)
        return price.params, price.macs

    def used(weights, size, stride):
        return weights, weights * after(size, stride) ** 2

    def pair(c_in, c_out, size, stride):
        return halves(c_in, c_out, after(size, stride), after(size, stride))

    return examine(
        reader_function,
        cases=[(1024, 1024, 7, 1), (64, 128, 112, 2), (512, 1024, 15, 2)],
        truth=pair,
        mistakes=[
            Mistake(
                lambda c_in, c_out, size, s: halves(c_in, c_out, size, size),
                "The stride is not used: a weight is used once at each position of the output.",
            ),
            Mistake(
                lambda c_in, c_out, size, s: halves(c_in, c_out, after(size, s), size),
                "The pointwise half is counted on maps of the pair's input. The stride belongs to the depthwise half, "
                "so the pointwise half already reads smaller maps.",
            ),
            Mistake(
                lambda c_in, c_out, size, s: halves(c_in, c_out, size // s, size // s),
                "You round the side down. With padding 1 a stride of 2 makes 8 pixels from 15.",
            ),
            Mistake(
                lambda c_in, c_out, size, s: used(9 * c_in * c_out, size, s),
                "That is one dense 3 by 3 convolution. In a pair the 3 by 3 kernels do not mix channels: there is one "
                "for each map.",
            ),
            Mistake(
                lambda c_in, c_out, size, s: used(9 * c_out + c_in * c_out, size, s),
                "The depthwise half comes first: it has a kernel for each map that comes in, not for each that goes "
                "out.",
            ),
            Mistake(
                lambda c_in, c_out, size, s: (pair(c_in, c_out, size, s)[0], 2 * pair(c_in, c_out, size, s)[1]),
                "These are FLOPs: a multiplication and the addition after it are one MAC.",
            ),
        ],
        hint="The depthwise half has a 3 by 3 kernel for each map that comes in, the pointwise half a weight for each "
        "of these maps in each output. All are used once at each position of the output.",
    )


def check_mobilenet_params(reader_function) -> Feedback:
    """``mobilenet_params(rows, classes)``: the learned numbers of the network at width 1, as torch counts them."""

    def parts(rows, classes):
        network = cost.mobilenet_v1(num_classes=classes, rows=rows)
        after_depthwise = sum(
            norm.cost.params
            for layer, norm in zip(network.rows, network.rows[1:], strict=False)
            if layer.kind == "depthwise"
        )
        return network.total.params, network.by_kind()["norm"].params, after_depthwise

    return examine(
        reader_function,
        cases=[(((1, 64),), 10), (((1, 64), (2, 128), (1, 96)), 7), (ROWS, 1000)],
        truth=lambda rows, classes: parts(rows, classes)[0],
        mistakes=[
            Mistake(
                lambda rows, classes: parts(rows, classes)[0] - parts(rows, classes)[1],
                "The batch norms are missing. Each learns a gamma and a beta for every channel of its map.",
            ),
            Mistake(
                lambda rows, classes: parts(rows, classes)[0] + parts(rows, classes)[1],
                "You count the means and variances of the batch norms. They are stored, but not learned: "
                "model.parameters() does not have them.",
            ),
            Mistake(
                lambda rows, classes: parts(rows, classes)[0] + parts(rows, classes)[1] // 2,
                "You give the convolutions biases. They have none: the beta of the norm after them does that.",
            ),
            Mistake(
                lambda rows, classes: parts(rows, classes)[0] - parts(rows, classes)[1] // 2,
                "That is the network with folded norms, one bias for each channel. A norm learns two numbers.",
            ),
            Mistake(
                lambda rows, classes: parts(rows, classes)[0] - parts(rows, classes)[2],
                "A norm follows each of the two halves of a pair. You have only the one after the pointwise half.",
            ),
            Mistake(
                lambda rows, classes: parts(rows, classes)[0] - classes,
                "The fully connected layer has a bias for each class.",
            ),
        ],
        hint="Go through the layers one by one: the first one, the two halves of each pair, the last one; and a norm "
        "after each convolution.",
    )


def check_fitting_counts(reader_function) -> Feedback:
    """``fitting_counts(printed, counts)``: the names of the counts that come out in all rows of a printed column."""

    def fitting(printed, counts, ways=(ROUND_HALF_UP, ROUND_DOWN), join=all, digits=None):
        def fits(text, count):
            wanted, millions = Decimal(text), Decimal(count) / 10**6
            return wanted in [millions.quantize(digits or wanted, how) for how in ways]

        return [name for name, exact in counts.items() if join(map(fits, printed, exact))]

    def both(networks):
        totals = [(network.total.macs, network.rows[-1].cost.macs) for network in networks]
        return {"with last layer": [macs for macs, _ in totals], "without it": [macs - last for macs, last in totals]}

    network, twin = cost.mobilenet_v1(), cost.mobilenet_v1_standard()
    params, norms = network.total.params, network.by_kind()["norm"].params
    names = {"no norms": [params - norms], "learned": [params], "stored": [params + norms], "twin": [twin.total.params]}
    return examine(
        reader_function,
        cases=[
            (["4.2"], names),
            (["4.23"], names),
            (["4866", "569"], both([twin, network])),
            (["569", "325", "149", "41"], both(cost.mobilenet_v1(w) for w in (1, 0.75, 0.5, 0.25))),
            (["569", "418", "290", "186"], both(cost.mobilenet_v1(1, r) for r in (224, 192, 160, 128))),
        ],
        truth=fitting,
        mistakes=[
            Mistake(
                lambda printed, counts: fitting(printed, counts, join=any),
                "One row that comes out is not enough: a way of counting has to give every row of the column.",
            ),
            Mistake(
                lambda printed, counts: fitting(printed, counts, [ROUND_HALF_UP]),
                "You only round. Tables also cut numbers off: 290,675,000 may be printed as 290.",
            ),
            Mistake(
                lambda printed, counts: fitting(printed, counts, [ROUND_DOWN]),
                "You only cut off. Most printed numbers are rounded: 568,740,352 is printed as 569.",
            ),
            Mistake(
                lambda printed, counts: fitting(printed, counts, digits=Decimal("1.0")),
                "You always keep one digit after the point. Keep as many as are printed: none in 569, two in 4.23.",
            ),
        ],
        hint="A count fits a printed number if its millions, rounded or cut off to as many digits, are that number.",
    )


def walked_macs(rows, width, size, scaled, carries_scaled=True, rounds_up=True):
    """The MACs of MobileNetV1 as a reader may walk its rows; the arguments are places to go wrong."""
    side, channels = geometry.output_size(size, 3, 2, padding=1), scaled(width * 32)
    macs = 27 * channels * side**2
    for stride, out_channels in rows:
        side = geometry.output_size(side, 3, stride, padding=1) if rounds_up else side // stride
        made = scaled(width * out_channels)
        macs += channels * (9 + made) * side**2
        channels = made if carries_scaled else out_channels
    return macs + 1000 * channels


def check_mobilenet_macs(reader_function) -> Feedback:
    """``mobilenet_macs(rows, width, size)``: the MACs of the whole network, with 1000 classes, for size by size."""

    def network(rows, width=1, size=224):
        return cost.mobilenet_v1(width, size, rows=rows)

    def kept(channels):
        return max(floor(channels), 8)

    few = ((1, 64), (2, 128), (1, 128))
    return examine(
        reader_function,
        cases=[(few, 1, 224), (few, 0.28, 96), (few, 0.1, 150), (ROWS, 0.5, 226), (ROWS, 0.75, 128)],
        truth=lambda *case: network(*case).total.macs,
        mistakes=[
            Mistake(
                lambda rows, width, size: float(width * network(rows, 1, size).total.macs),
                "You take the MACs at width 1 times the width. A pointwise half reads fewer maps and also makes fewer, "
                "so its MACs shrink with the square of the width.",
            ),
            Mistake(
                lambda *case: walked_macs(*case, kept, carries_scaled=False),
                "The pairs make fewer maps, but read as many as at width 1: scale the channels that are carried on to "
                "the next layer too.",
            ),
            Mistake(
                lambda *case: float(walked_macs(*case, float)),
                "You count with fractions of channels, such as 8.96. Round down, and keep at least 8.",
            ),
            Mistake(
                lambda *case: walked_macs(*case, lambda channels: max(round(channels), 8)),
                "You make 9 of 8.96 channels. The authors' code rounds down, to 8.",
            ),
            Mistake(
                lambda *case: walked_macs(*case, floor),
                "A layer keeps at least 8 channels, however small the width is.",
            ),
            Mistake(
                lambda rows, width, size: network(rows, width).total.macs * size / 224,
                "You take the resolution linearly. At half the side there is a quarter of the positions.",
            ),
            Mistake(
                lambda *case: walked_macs(*case, kept, rounds_up=False),
                "You round the sides of the maps down. With padding 1 a stride of 2 makes 57 pixels from 113.",
            ),
            Mistake(
                lambda *case: network(*case).total.macs - network(*case).rows[-1].cost.macs,
                "The fully connected layer is missing: one MAC for each average and each class.",
            ),
        ],
        hint="Walk down the rows and keep two numbers: the channels of the maps, scaled, and their side.",
    )


def check_mobilenet_width(reader_function) -> Feedback:
    """``mobilenet_width(budget, size)``: the width at which the polynomial gives the budget of MACs, a float."""
    alpha, r = sympy.symbols("alpha r", positive=True)
    letters = sympy.Poly(cost.mobilenet_v1(alpha, r).total.macs, alpha)

    def terms(size):
        return [float(number.subs(r, size)) for number in letters.all_coeffs()[:2]]

    def width(budget, size, sign=1):
        square, linear = terms(size)
        return (-linear + sign * (linear**2 + 4 * square * budget) ** 0.5) / (2 * square)

    full = cost.mobilenet_v1().total.macs
    return examine(
        reader_function,
        cases=[(full // 2, 224), (full, 224), (100_000_000, 160)],
        truth=width,
        mistakes=[
            Mistake(
                lambda budget, size: budget / sum(terms(size)),
                "You let the MACs grow with the width. Most of them grow with its square.",
            ),
            Mistake(
                lambda budget, size: (budget / sum(terms(size))) ** 0.5,
                "You let all MACs grow with the square of the width. There are terms with one alpha too.",
            ),
            Mistake(
                lambda budget, size: (budget / terms(size)[0]) ** 0.5,
                "The terms with one alpha are left out: the budget has to pay for them too.",
            ),
            Mistake(
                lambda budget, size: width(budget, size, sign=-1),
                "That is the negative solution of the quadratic equation. A width is positive.",
            ),
            Mistake(
                lambda budget, size: width(budget, 224),
                "Your function always takes 224 pixels. There is an r in the polynomial.",
            ),
        ],
        hint="With the size put in, the polynomial is a * alpha**2 + b * alpha. Set it equal to the budget and solve "
        "for alpha, without rounding.",
    )


def conv_and_norm(in_channels, out_channels, groups, bias) -> tuple:
    """A convolution and a norm with numbers in them as if they had been trained."""
    conv = nn.utils.skip_init(nn.Conv2d, in_channels, out_channels, 3, groups=groups, bias=bias, dtype=torch.float64)
    norm = nn.BatchNorm2d(out_channels, eps=0.1, dtype=torch.float64)
    generator = torch.Generator().manual_seed(groups)
    for numbers in (*conv.parameters(), *norm.parameters(), norm.running_mean, norm.running_var):
        nn.init.uniform_(numbers, 0.1, 2, generator=generator)
    return conv.eval(), norm.eval()


def check_fold_norm(reader_function) -> Feedback:
    """``fold_norm(conv, norm)``: ``(weight, bias)`` of the one convolution that equals the two in evaluation mode."""

    def folded(conv, norm):
        both = models.fold_batchnorm(nn.Sequential(conv, norm).eval())
        return both[0].weight, both[0].bias

    def by_formula(conv, norm, power=0.5, eps=None, sign=-1, own=True, scales_own=True):
        factor = norm.weight / (norm.running_var + (norm.eps if eps is None else eps)) ** power
        bias = norm.bias + sign * norm.running_mean * factor
        if own and conv.bias is not None:
            bias = bias + conv.bias * (factor if scales_own else 1)
        return conv.weight * factor.reshape(-1, 1, 1, 1), bias

    return examine(
        reader_function,
        cases=[conv_and_norm(3, 4, 1, False), conv_and_norm(4, 6, 2, True), conv_and_norm(8, 8, 8, False)],
        truth=folded,
        mistakes=[
            Mistake(
                lambda *case: by_formula(*case, eps=0),
                "The eps is missing: the norm adds it to the variance before it takes the root.",
            ),
            Mistake(
                lambda *case: by_formula(*case, power=1),
                "You divide by the variance. The norm divides by its root.",
            ),
            Mistake(
                lambda *case: by_formula(*case, sign=1),
                "The mean is added. The norm subtracts it.",
            ),
            Mistake(
                lambda *case: by_formula(*case, own=False),
                "A bias of the convolution's own is lost. The norm sees it, as a part of the convolution's output.",
            ),
            Mistake(
                lambda *case: by_formula(*case, scales_own=False),
                "A bias of the convolution's own is added after the norm. It is there before, so the factor applies to "
                "it as well.",
            ),
        ],
        hint="The factor gamma / root(variance + eps) belongs to an output channel, the first axis of the weight. The "
        "new bias is what both layers make of an input of zeros.",
    )
