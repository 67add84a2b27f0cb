"""The quiz of the chapter cost_analysis."""

from dslib import cost, models

from .quiz import Option, Question, Quiz


def cost_analysis() -> Quiz:
    """Four questions: how much is saved, a larger kernel, two tools that disagree, and what has to move."""
    return Quiz((saving(), larger_kernel(), two_tools(), traffic()))


def saving() -> Question:
    c_in, c_out, k, side = 32, 16, 5, 14
    dense = cost.conv2d(c_in, c_out, k, side).macs
    times = dense / cost.depthwise_separable_conv2d(c_in, c_out, k, side).macs
    return Question(
        f"A layer takes {c_in} channels to {c_out} with kernels of {k} by {k}. About how many times fewer MACs does a "
        "separable pair take?",
        (
            Option(
                f"{k**2} times",
                "K^2 is the limit for endlessly many output channels. With few of them the depthwise half weighs more.",
            ),
            Option(
                f"{c_out} times",
                "C_out is the limit for an endlessly large kernel. The pointwise half has its price too.",
            ),
            Option(
                f"{k**2 + c_out} times",
                "What is added are the shares that are left, 1/C_out and 1/K^2, not the savings. Their sum is larger "
                "than either, so the saving is smaller than either.",
            ),
            Option(
                f"{times:.1f} times",
                f"1/{c_out} and 1/{k**2} of the MACs are left: more than either share alone.",
                right=True,
            ),
        ),
    )


def larger_kernel() -> Question:
    channels, small, large, side = 256, 3, 5, 14

    def more(price):  # percent more MACs with the larger kernel
        return 100 * (price(channels, channels, large, side).macs / price(channels, channels, small, side).macs - 1)

    pair, dense = more(cost.depthwise_separable_conv2d), more(cost.conv2d)
    side_only = 100 * (large / small - 1)
    return Question(
        f"A pair takes {channels} channels to {channels}. Its kernels of {small} by {small} become {large} by {large}, "
        "the maps keep their size. How many more MACs does it take?",
        (
            Option(
                f"{dense:.0f} % more",
                "So many more the dense layer takes, and the depthwise half. But nearly all of the pair's MACs are "
                "pointwise, and those do not change.",
            ),
            Option(
                f"{pair:.0f} % more",
                f"The depthwise half alone grows, and it was a small part: K^2 in K^2 + C_out, {small**2} in "
                f"{small**2 + channels}.",
                right=True,
            ),
            Option(
                "As many as before",
                "The pointwise half stays as it is. The depthwise half is small, but it is there, and it grows.",
            ),
            Option(
                f"{side_only:.0f} % more",
                "By so much the side of the kernel grows. Its weights are side times side, and they are in one half "
                "of the pair only.",
            ),
        ),
    )


def two_tools() -> Question:
    total, million = cost.mobilenet_v1(models.MOBILENET_V1).total, 10**6
    return Question(
        f"For MobileNetV1 one tool prints {total.macs / million:.2f} million, another "
        f"{total.flops / million:.2f} million. Which explanation fits best?",
        (
            Option(
                "One of them counts MACs, the other FLOPs.",
                "The second number is twice the first: a multiplication and an addition for each MAC. Both may call it "
                "FLOPs, so ask what is counted before you compare.",
                right=True,
            ),
            Option(
                "The second one also counts the batch norms.",
                "Some tools do, but those have a few operations for each number of a map. They could not double it.",
            ),
            Option(
                "The first one forgot the depthwise layers.",
                "They have a few percent of the MACs. The pointwise layers have nearly all.",
            ),
            Option(
                "The second one took the input's size for the output's.",
                "That changes only the layers with stride 2, and each of those by a factor of about four. The sum of "
                "all would not come out as exactly twice.",
            ),
        ),
    )


def traffic() -> Question:
    sizes = (32, 64, 3, 112)
    dense, pair = cost.conv2d(*sizes), cost.depthwise_separable_conv2d(*sizes)
    fewer = dense.macs / pair.macs
    more = (pair.elements_read + pair.elements_written) / (dense.elements_read + dense.elements_written)
    return Question(
        f"The first pair of MobileNet takes {fewer:.1f} times fewer MACs than the dense layer, and moves {more:.2f} "
        "times as many elements to and from memory. Why more?",
        (
            Option(
                "The pair has more weights.",
                f"It has fewer, {pair.params:,} against {dense.params:,}. They are few beside the maps in both cases.",
            ),
            Option(
                "The depthwise half reads each pixel once for every weight of the kernel.",
                "It uses each pixel so often, but the count takes a pixel as read once, for every layer alike.",
            ),
            Option(
                "The intermediate maps are written by one half and read by the other.",
                "The dense layer has no such maps. Here they are large and the weights saved are few, so they tip the "
                "balance.",
                right=True,
            ),
            Option(
                "Fewer MACs leave more time for moving.",
                "The count knows no time. It says how many numbers have to be moved, however long that takes.",
            ),
        ),
    )
