"""The quiz of the chapter accuracy."""

from math import hypot
from statistics import mean, stdev

from dslib import cost

from .quiz import Option, Question, Quiz


def accuracy() -> Quiz:
    """Four questions: what is equal, which images choose, what belongs in pairs, what an interval says."""
    return Quiz((equal_macs(), choosing(), pairs(), around_zero()))


def equal_macs() -> Question:
    c, k, side = 32, 3, 8
    standard = cost.conv2d(c, c, k, side)

    def pair(channels):
        return cost.depthwise_separable_conv2d(channels, channels, k, side)

    widest = max(channels for channels in range(c, k * k * c) if pair(channels).macs <= standard.macs)
    fewer = standard.macs / pair(c).macs
    return Question(
        f"A standard layer with {k} by {k} kernels takes {c} channels to {c}. A separable pair, with as many "
        "channels going out as come in, may take as many MACs. How many channels can it have at most?",
        (
            Option(
                f"{c}",
                f"That is the comparison at equal channels. The pair then has {fewer:.0f} times fewer MACs, and "
                "nothing is done with the saving.",
            ),
            Option(
                f"{round(fewer) * c}",
                f"With {c} channels the pair does have {fewer:.0f} times fewer MACs. But its pointwise half grows with "
                "the square of the channels, so the saving does not buy so many.",
            ),
            Option(
                f"{widest}",
                f"C channels take {k * k} C + C^2 products at each position, and {k * k} times {c} times {c} may be "
                "spent.",
                right=True,
            ),
        ),
    )


def choosing() -> Question:
    rates = 5
    return Question(
        f"Each of two networks is trained with {rates} learning rates. For each the best of the {rates} accuracies on "
        "the test images is reported. Is that a fair account?",
        (
            Option(
                "Yes, both networks were given the same rates.",
                f"That is fair between the two. But each number is the best of {rates} on the very images that judge, "
                "so it is higher than new images would give.",
            ),
            Option(
                "No, the test images have chosen the rates.",
                "The best of several results is best by luck too. Other images must choose, then the test images judge "
                "once.",
                right=True,
            ),
            Option(
                "No, both networks need the same rate.",
                "A rate that suits one kind of layer need not suit another: one rate for all would be unfair to one.",
            ),
            Option(
                "No, the training images should choose the rate.",
                "Nearly every network here gets all its training images right, so those cannot tell the rates apart.",
            ),
        ),
    )


def pairs() -> Question:
    first, second = [90, 96, 93, 97], [88, 95, 91, 95]
    gaps = [a - b for a, b in zip(first, second, strict=True)]
    root = len(gaps) ** 0.5
    apart = hypot(stdev(first) / root, stdev(second) / root)
    rows = [", ".join(map(str, row)) for row in (first, second)]
    return Question(
        f"Four trainings of one network gave {rows[0]} percent, of another {rows[1]}. Both got the same images in each "
        "training. What is the standard error of their mean difference?",
        (
            Option(
                f"{stdev(gaps) / root:.2f} points",
                f"The differences are {', '.join(map(str, gaps))}: they hardly vary, whatever the images were.",
                right=True,
            ),
            Option(
                f"{apart:.2f} points",
                "This takes the two rows apart. Most of their spread is that of the images, and it is in both rows "
                "alike.",
            ),
            Option(
                f"{stdev(gaps):.2f} points",
                "This is the spread of one difference. The mean of four varies less, by the root of four.",
            ),
            Option(f"{mean(gaps):.2f} points", "This is the mean difference itself, not how far off it may be."),
        ),
    )


def around_zero() -> Question:
    low, high = -0.6, 0.7
    return Question(
        f"The interval of what a network gains reaches from {low:+} to {high:+} points. What does that say?",
        (
            Option(
                "The two networks are equally good.",
                f"They may be, but a loss of {-low} points would fit as well. That a difference was not found does not "
                "say that there is none.",
            ),
            Option(
                "The network is better, by a little: the middle is above 0.",
                "The middle is what was seen this time. Other seeds and images could move it to the other side of 0.",
            ),
            Option(
                "With nearly every training the network gains or loses less than that.",
                "The interval is about the mean of many trainings. A single one may lie far outside.",
            ),
            Option(
                "The measurement does not tell which is better, only that the gap is small.",
                f"A loss of {-low} and a gain of {high} points fit the runs, larger ones hardly.",
                right=True,
            ),
        ),
    )
