"""The quiz of the chapter claims_checked."""

from fractions import Fraction

from dscourse import measured
from dslib import cost, models

from .quiz import Option, Question, Quiz


def claims_checked() -> Quiz:
    """Four questions: a limit, a mixed table, a count that decides no time, a sentence about every layer."""
    return Quiz((ninth(), mixed_table(), faster(), every_layer()))


def ninth() -> Question:
    k, some, many = 3, 64, 1024

    def fewer(n):
        return cost.conv2d(n, n, k, 1).macs / cost.depthwise_separable_conv2d(n, n, k, 1).macs

    return Question(
        f"Someone writes: a pair with {k} by {k} kernels takes a ninth of the standard convolution's MACs. Which "
        "verdict?",
        (
            Option(
                "Right",
                f"With {some} output channels it takes 1/{fewer(some):.2f}, and that is no ninth. A claim is right if "
                "it holds in every case tried.",
            ),
            Option(
                "Conditional",
                f"There is no number of channels for which it holds: what is left is 1/{k * k} and 1/C_out more.",
            ),
            Option(
                "Limit only",
                f"With {some} output channels it takes 1/{fewer(some):.2f}, with {many} 1/{fewer(many):.2f}: never a "
                "ninth, and as near to it as one likes.",
                right=True,
            ),
            Option(
                "Wrong",
                f"It holds in no case, but it is approached as C_out grows: 1/{fewer(many):.2f} with {many} channels. "
                "The correction is to say so.",
            ),
        ),
    )


def mixed_table() -> Question:
    nets = [network(models.MOBILENET_V1) for network in (cost.mobilenet_v1_dense, cost.mobilenet_v1)]
    whole = [round(Fraction(net.total.macs, 10**6)) for net in nets]
    body = [round(Fraction(net.total.macs - net.rows[-1].cost.macs, 10**6)) for net in nets]
    return Question(
        f"A table gives a network {body[0]} million Mult-Adds with standard convolutions and {whole[1]} million with "
        f"pairs. You count {whole[0]} and {whole[1]} with the last layer, {body[0]} and {body[1]} without it. What is "
        "wrong?",
        (
            Option(
                "Nothing: each number is one of yours.",
                "Each alone, yes. But the two stand in one table to be compared, and they have not counted the same.",
            ),
            Option(
                "One row leaves the last layer out, the other counts it.",
                "Both numbers are right, of different quantities. With one way of counting for both rows the table "
                "would be.",
                right=True,
            ),
            Option(
                f"The first number is a misprint of {whole[0]}.",
                "A slip of a digit is possible. But the number is exactly that of the network without its last layer, "
                "and so is explained without one.",
            ),
        ),
    )


def faster() -> Question:
    channels, side, k = 16, 7, 3
    fewer = cost.conv2d(channels, channels, k, side).macs / (
        cost.depthwise_separable_conv2d(channels, channels, k, side).macs
    )
    times = {
        row["layer"]: float(row["median_us"])
        for row in measured.read("speed")
        if (row["channels"], row["size"], row["threads"]) == (str(channels), str(side), "1")
        and (row["layout"], row["memory"], row["batch"]) == ("channels_last", "kept", "1")
    }
    return Question(
        f"With {channels} channels on maps of {side} by {side} the pair has {fewer:.1f} times fewer MACs than the "
        "standard convolution. Does this decide the claim that it is faster there?",
        (
            Option(
                "No. A time has to be measured.",
                f"In this book's measurement, on one thread and with the channels last, the pair took "
                f"{times['pair'] / times['dense']:.1f} times as long: two calls, and hardly anything to compute in "
                "each.",
                right=True,
            ),
            Option(
                "Yes: fewer MACs take less time.",
                f"MACs are one part of a time, calls and memory are others. On one thread and with the channels last "
                f"the pair took {times['pair'] / times['dense']:.1f} times as long.",
            ),
            Option(
                "Yes, if additions are counted too.",
                "That doubles both counts and leaves their ratio as it is. It is a count all the same.",
            ),
        ),
    )


def every_layer() -> Question:
    return Question(
        "If a pair lost nothing of the power to express, as a note says, every standard layer could be replaced by "
        "one. What does it take to refute that?",
        (
            Option(
                "Layers that cannot be replaced, in more than half of the cases tried",
                "The sentence says every. Most would be another claim.",
            ),
            Option(
                "A proof that no standard layer can be replaced",
                "That is more than needed, and it is not so: some standard layers are pairs.",
            ),
            Option(
                "A trained network of pairs that is less accurate",
                "That shows what one training made of it, not what a layer can express. Xception, "
                "made of pairs, is more accurate than the network that it started from.",
            ),
            Option(
                "One standard layer that no pair equals",
                "One case is enough against a sentence about every layer. A random weight is such a case: its matrices "
                "have ranks above one.",
                right=True,
            ),
        ),
    )
