"""The quiz of the chapter depthwise_convolution."""

from dslib import cost

from .quiz import Option, Question, Quiz


def depthwise_convolution() -> Quiz:
    """Four questions: which call it is, which outputs read a channel, what is out of reach, what it costs."""
    return Quiz((call(), order(), out_of_reach(), share()))


def call() -> Question:
    channels = 8
    return Question(
        "Which of these is a depthwise convolution?",
        (
            Option(
                f"`nn.Conv2d({channels}, {channels}, 3)`",
                f"It has one group, torch's default: each of its {channels} filters reads all {channels} channels.",
            ),
            Option(
                f"`nn.Conv2d({channels}, {channels}, 3, groups=1)`",
                f"One group of {channels} channels is a standard convolution. `groups` says how many groups there are, "
                "not how many channels are in one.",
            ),
            Option(
                f"`nn.Conv2d({channels}, {2 * channels}, 3, groups={channels})`",
                "Every group has one channel, so every filter reads one. That there are two filters for each channel "
                "is the depth multiplier.",
                right=True,
            ),
            Option(
                f"`nn.Conv2d({channels}, {channels}, 1)`",
                "A 1 by 1 kernel leaves out the neighbours. Its filters still read all channels.",
            ),
        ),
    )


def order() -> Question:
    channels, m, c = 6, 2, 3
    own = [c * m + j for j in range(m)]
    return Question(
        f"A depthwise layer has {channels} input channels, 0 to {channels - 1}, and depth multiplier {m}. Which "
        f"outputs read channel {c}?",
        (
            Option(
                f"{own[0]} and {own[1]}",
                f"Output `o` reads channel `o // {m}`: the kernels of a channel stand side by side.",
                right=True,
            ),
            Option(
                f"{c} and {c + channels}",
                f"Then the outputs would read 0, 1, ..., {channels - 1}, 0, 1, ..., {channels - 1}. torch keeps the "
                "outputs of a channel together.",
            ),
            Option(
                f"{c} alone",
                f"That is depth multiplier 1. Here each channel has {m} kernels, and each makes a map.",
            ),
            Option(
                f"All {channels * m}",
                "In a standard convolution it is so. Here a filter is a single kernel and reads a single channel.",
            ),
        ),
    )


def out_of_reach() -> Question:
    return Question(
        "A network should tell how much redder than green each pixel is, from a colour image. What is needed?",
        (
            Option(
                "A depthwise layer with larger kernels",
                "A larger kernel sees more neighbours, all of them in the same channel.",
            ),
            Option(
                "Many depthwise layers one behind the other",
                "Output 0 of the last one depends on channel 0 alone, however many there are.",
            ),
            Option(
                "A depthwise layer with a large depth multiplier",
                "It makes more maps of each channel, and each map is still made of one.",
            ),
            Option(
                "A layer in which one filter reads both channels",
                "Red minus green takes a weight for red and one for green in the same sum.",
                right=True,
            ),
        ),
    )


def share() -> Question:
    channels, k, side = 32, 3, 14
    depthwise = cost.depthwise_conv2d(channels, k, side)
    standard = cost.conv2d(channels, channels, k, side)
    return Question(
        f"A standard layer takes {channels} channels to {channels} with {k} by {k} kernels. What share of its MACs "
        f"does a depthwise layer of the same size take?",
        (
            Option(
                f"1/{k * k}",
                "Both use every weight of a kernel. It is the sum over the channels that is left out, not the kernel.",
            ),
            Option(
                f"1/{standard.macs // depthwise.macs}",
                f"{channels} kernels in place of {channels} times {channels}: {depthwise.macs:,} MACs against "
                f"{standard.macs:,} on maps of {side} by {side}.",
                right=True,
            ),
            Option(
                f"1/{channels * k * k}",
                "The weights of a kernel are all still there. Only the number of kernels in a filter falls.",
            ),
            Option(
                f"1/{channels**2}",
                f"{channels} filters are left, and each has one kernel in place of {channels}.",
            ),
        ),
    )
