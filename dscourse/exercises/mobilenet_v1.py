"""The exercises of the chapter on MobileNetV1."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from operator import attrgetter

import sympy
import torch
from torch import nn

from dscourse.checks.exercise import exercise
from dslib import cost, geometry, models, tables

ROWS = tuple(map(tuple, tables.MOBILENET_V1))


@exercise(
    cases=[(1024, 1024, 7, 1), (64, 128, 112, 2), (512, 1024, 15, 2)],
    oracle=lambda c_in, c_out, size, stride: attrgetter("params", "macs")(
        cost.depthwise_separable_conv2d(c_in, c_out, 3, geometry.output_size(size, 3, stride, padding=1))
    ),
    hint="The depthwise half has a 3 by 3 kernel for each map that comes in, the pointwise half a weight for each of "
    "these maps in each output. All are used once at each position of the output.",
    wrong={
        "weights, weights * size**2": "The stride is not used: a weight is used once at each position of the output.",
        "weights, 9 * in_channels * side**2 + in_channels * out_channels * size**2": "The pointwise half is counted on "
        "maps of the pair's input. The stride belongs to the depthwise half, so the pointwise half already reads "
        "smaller maps.",
        "(size - 1) // stride + 1 -> size // stride": "You round the side down. With padding 1 a stride of 2 makes 8 "
        "pixels from 15.",
        "in_channels + in_channels -> in_channels": "That is one standard 3 by 3 convolution. In a pair the 3 by 3 "
        "kernels do not mix channels: there is one for each map.",
        "weights, 2 * weights * side**2": "These are FLOPs: a multiplication and the addition after it are one MAC.",
    },
)
def mobilenet_pair(in_channels, out_channels, size, stride):
    weights = 9 * in_channels + in_channels * out_channels
    side = (size - 1) // stride + 1  # window of 3, padding 1
    return weights, weights * side**2


@exercise(
    cases=[(((1, 64),), 10), (((1, 64), (2, 128), (1, 96)), 7), (ROWS, 1000)],
    oracle=lambda rows, classes: cost.mobilenet_v1(rows=rows, num_classes=classes).total.params,
    hint="Go through the layers one by one: the first one, the two halves of each pair, the last one; and a norm after "
    "each convolution.",
    wrong={
        "= 2 -> = 0": "The batch norms are missing. Each learns a gamma and a beta for every channel of its map.",
        "= 2 -> = 4": "You count the means and variances of the batch norms. They are stored, but not learned: "
        "model.parameters() does not have them.",
        "= 2 -> = 3": "You give the convolutions biases. They have none: the beta of the norm after them does that.",
        "= 2 -> = 1": "That is the network with folded norms, one bias for each channel. A norm learns two numbers.",
        "(9 + in_norm) -> 9": "A norm follows each of the two halves of a pair. You have only the one after the "
        "pointwise half.",
        "params + channels * classes": "The fully connected layer has a bias for each class.",
    },
)
def mobilenet_params(rows, classes):
    in_norm = 2  # for each channel: gamma and beta
    channels = 32
    params = (3 * 9 + in_norm) * channels
    for _, out_channels in rows:
        params += (9 + in_norm) * channels
        params += (channels + in_norm) * out_channels
        channels = out_channels
    return params + (channels + 1) * classes


def columns():
    """Printed numbers, and ways of counting that may have given them."""

    def both(networks):
        totals = [(network.total.macs, network.rows[-1].cost.macs) for network in networks]
        return {"with last layer": [macs for macs, _ in totals], "without it": [macs - last for macs, last in totals]}

    network, twin = cost.mobilenet_v1(), cost.mobilenet_v1_standard()
    params, norms = network.total.params, network.by_kind()["norm"].params
    names = {"no norms": [params - norms], "learned": [params], "stored": [params + norms], "twin": [twin.total.params]}
    return [
        (["4.2"], names),
        (["4.23"], names),
        (["4866", "569"], both([twin, network])),
        (["569", "325", "149", "41"], both(cost.mobilenet_v1(w) for w in (1, 0.75, 0.5, 0.25))),
        (["569", "418", "290", "186"], both(cost.mobilenet_v1(1, r) for r in (224, 192, 160, 128))),
    ]


def is_printed_as(text, count):
    step = 10 ** (6 - len(text.partition(".")[2]))  # one in the last digit that is printed
    return int(text.replace(".", "")) in (count // step, (count + step // 2) // step)


@exercise(
    cases=columns,
    oracle=lambda printed, counts: [way for way, exact in counts.items() if all(map(is_printed_as, printed, exact))],
    hint="A count fits a printed number if its millions, rounded or cut off to as many digits, are that number.",
    wrong={
        "all -> any": "One row that comes out is not enough: a way of counting has to give every row of the column.",
        "DOWN -> HALF_UP": "You only round. Tables also cut numbers off: 290,675,000 may be printed as 290.",
        "HALF_UP -> DOWN": "You only cut off. Most printed numbers are rounded: 568,740,352 is printed as 569.",
        'quantize(wanted -> quantize(Decimal("1.0")': "You always keep one digit after the point. Keep as many as are "
        "printed: none in 569, two in 4.23.",
    },
)
def fitting_counts(printed, counts):
    def fits(text, count):
        wanted, millions = Decimal(text), Decimal(count) / 10**6
        ways = ROUND_HALF_UP, ROUND_DOWN
        return wanted in [millions.quantize(wanted, how) for how in ways]

    fitting = []
    for words, exact in counts.items():
        if all(map(fits, printed, exact)):  # row by row
            fitting.append(words)
    return fitting


def macs_of(rows, width, size):
    return cost.mobilenet_v1(width, size, rows=rows).total.macs


FEW = ((1, 64), (2, 128), (1, 128))


@exercise(
    cases=[(FEW, 1, 224), (FEW, 0.28, 96), (FEW, 0.1, 150), (ROWS, 0.5, 226), (ROWS, 0.75, 128)],
    oracle=macs_of,
    hint="Walk down the rows and keep two numbers: the channels of the maps, scaled, and their side.",
    wrong={
        "float(width * macs_of(rows, 1, size))": "You take the MACs at width 1 times the width. A pointwise half reads "
        "fewer maps and also makes fewer, so its MACs shrink with the square of the width.",
        "channels = after -> channels = out_channels": "The pairs make fewer maps, but read as many as at width 1: "
        "scale the channels that are carried on to the next layer too.",
        "max(int(width * channels), 8) -> float(width * channels)": "You count with fractions of channels, such as "
        "8.96. Round down, and keep at least 8.",
        "int(width -> round(width": "You make 9 of 8.96 channels. The authors' code rounds down, to 8.",
        ", 8) -> , 0)": "A layer keeps at least 8 channels, however small the width is.",
        "(side - 1) // stride + 1 -> side // stride": "You round the sides of the maps down. With padding 1 a stride "
        "of 2 makes 57 pixels from 113.",
        "macs": "The fully connected layer is missing: one MAC for each average and each class.",
    },
)
def mobilenet_macs(rows, width, size):
    def scaled(channels):
        return max(int(width * channels), 8)

    channels, side = scaled(32), (size + 1) // 2
    macs = 3 * 9 * channels * side**2
    for stride, out_channels in rows:
        after, side = scaled(out_channels), (side - 1) // stride + 1
        macs += (9 * channels + channels * after) * side**2
        channels = after
    return macs + channels * 1000


def solved(budget, size):
    width = sympy.Symbol("alpha", positive=True)
    (positive,) = sympy.solve(cost.mobilenet_v1(width, size).total.macs - budget, width)
    return float(positive)


@exercise(
    cases=[(284_370_176, 224), (568_740_352, 224), (800_000_000, 160)],  # half the MACs at width 1, all, more
    oracle=solved,
    hint="With the size put in, the polynomial is a * alpha**2 + b * alpha. Set it equal to the budget and solve for "
    "alpha, without rounding.",
    wrong={
        "budget / (square + linear)": "You let the MACs grow with the width. Most of them grow with its square.",
        "(budget / (square + linear)) ** 0.5": "You let all MACs grow with the square of the width. There are terms "
        "with one alpha too.",
        "(budget / square) ** 0.5": "The terms with one alpha are left out: the budget has to pay for them too.",
        "(root -> (-root": "That is the negative solution of the quadratic equation. A width is positive.",
        "size): -> _, size=224):": "Your function always takes 224 pixels. There is an r in the polynomial.",
    },
)
def mobilenet_width(budget, size):
    square = 10752 * size**2
    linear = 1125 / 2 * size**2 + 1024_000
    root = (linear**2 + 4 * square * budget) ** 0.5
    return (root - linear) / (2 * square)


def conv_and_norm(in_channels, out_channels, groups, bias):
    """A convolution and a norm with numbers in them as if they had been trained."""
    conv = nn.utils.skip_init(nn.Conv2d, in_channels, out_channels, 3, groups=groups, bias=bias, dtype=torch.float64)
    norm = nn.BatchNorm2d(out_channels, eps=0.1, dtype=torch.float64)
    generator = torch.Generator().manual_seed(groups)
    for numbers in (*conv.parameters(), *norm.parameters(), norm.running_mean, norm.running_var):
        nn.init.uniform_(numbers, 0.1, 2, generator=generator)
    return conv.eval(), norm.eval()


@exercise(
    cases=[conv_and_norm(3, 4, 1, False), conv_and_norm(4, 6, 2, True), conv_and_norm(8, 8, 8, False)],
    oracle=lambda *both: attrgetter("weight", "bias")(models.fold_batchnorm(nn.Sequential(*both).eval())[0]),
    hint="The factor gamma / root(variance + eps) belongs to an output channel, the first axis of the weight. The new "
    "bias is what both layers make of an input of zeros.",
    wrong={
        " + norm.eps -> ": "The eps is missing: the norm adds it to the variance before it takes the root.",
        "before -  -> before + ": "The mean is added. The norm subtracts it.",
        " ** 0.5 -> ": "You divide by the variance. The norm divides by its root.",
        "0 if conv.bias is None else conv.bias -> 0": "A bias of the convolution's own is lost. The norm sees it, as a "
        "part of the convolution's output.",
        "(before - norm.running_mean) -> before - norm.running_mean": "A bias of the convolution's own is added after "
        "the norm. It is there before, so the factor applies to it as well.",
    },
)
def fold_norm(conv, norm):
    factor = norm.weight / (norm.running_var + norm.eps) ** 0.5
    before = 0 if conv.bias is None else conv.bias
    bias = norm.bias + (before - norm.running_mean) * factor
    return conv.weight * factor[:, None, None, None], bias
