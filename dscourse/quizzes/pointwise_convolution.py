"""The quiz of the chapter pointwise_convolution."""

from dslib import cost, geometry

from .quiz import Option, Question, Quiz


def pointwise_convolution() -> Quiz:
    """Four questions: what it can do, what padding does to it, what two in a row are, what it costs in a pair."""
    return Quiz((can_do(), padded(), two_in_a_row(), share_of_the_pair()))


def can_do() -> Question:
    return Question(
        "Three channels go in, three come out, through 1 by 1 kernels and nothing else. Which of these can the layer "
        "do?",
        (
            Option(
                "Find the edges of a shape",
                "An edge is a difference between neighbours, and each output pixel reads one place only.",
            ),
            Option(
                "Move the picture one pixel to the right",
                "Each output pixel would have to read its left neighbour, and the window is one pixel.",
            ),
            Option(
                "Show where red is stronger than green",
                "That is a filter with a positive weight for red and a negative one for green, at the same pixel.",
                right=True,
            ),
            Option(
                "None of these: the number of channels stays the same.",
                "Every output channel may be another mixture of the inputs. The number of channels does not show that.",
            ),
        ),
    )


def padded() -> Question:
    side, k, padding = 14, 1, 1
    grown = geometry.output_size(side, k, padding=padding)
    return Question(
        f"A pointwise convolution with a bias gets maps of {side} by {side} pixels, and by mistake padding {padding}. "
        "What comes out?",
        (
            Option(
                f"{side} by {side}, as padding keeps the size",
                f"It does so for 3 by 3 kernels. A 1 by 1 kernel keeps the size without it, so each side grows by "
                f"{2 * padding}.",
            ),
            Option(
                f"{grown} by {grown}, with a frame of zeros",
                "The frame is computed from zeros, but then the bias is added there as everywhere.",
            ),
            Option(
                f"{grown} by {grown}, with a frame that shows the bias",
                "The window stands on the zeros too. There the sum is 0, and the bias is all that is left.",
                right=True,
            ),
            Option(
                f"{side - 2 * padding} by {side - 2 * padding}",
                "That is a 3 by 3 kernel without padding. Padding never makes the output smaller.",
            ),
        ),
    )


def two_in_a_row() -> Question:
    wide, narrow = 16, 4
    two = cost.pointwise_conv2d(wide, narrow, 1) + cost.pointwise_conv2d(narrow, wide, 1)
    one = cost.pointwise_conv2d(wide, wide, 1)
    return Question(
        f"A pointwise layer from {wide} to {narrow} channels is followed by one from {narrow} to {wide}, with nothing "
        "in between. What can the two do?",
        (
            Option(
                f"All that one layer from {wide} to {wide} can do",
                f"Its matrix can have rank {wide}. What passes through {narrow} channels has rank {narrow} at most.",
            ),
            Option(
                f"What one layer from {wide} to {wide} can do if its matrix has rank {narrow} or less",
                f"The product of the two matrices is one matrix of that kind. The two layers take {two.macs} products "
                f"per pixel, the one takes {one.macs}.",
                right=True,
            ),
            Option(
                f"More than one layer from {wide} to {wide}, as two layers are deeper",
                "The product of two matrices is a matrix. Depth helps only with a function such as ReLU in between.",
            ),
        ),
    )


def share_of_the_pair() -> Question:
    channels, k, side = 64, 3, 28
    pointwise = cost.pointwise_conv2d(channels, channels, side).macs
    depthwise = cost.depthwise_conv2d(channels, k, side).macs
    return Question(
        f"A depthwise layer with {k} by {k} kernels is followed by a pointwise layer, both with {channels} channels in "
        "and out. Which takes more MACs?",
        (
            Option(
                f"The pointwise layer, about {pointwise / depthwise:.0f} times as many",
                f"An output number takes {channels} products in the pointwise layer, one for each channel, and "
                f"{k * k} in the depthwise one: {pointwise:,} MACs against {depthwise:,} on maps of {side} by {side}.",
                right=True,
            ),
            Option(
                f"The depthwise layer, {k * k} times as many",
                f"Its kernels have {k * k} weights in place of one, but each filter has one kernel in place of "
                f"{channels}.",
            ),
            Option(
                "Both take the same, as they have the same maps.",
                "The maps are alike, but an output number sums over a kernel in the one and over all channels in the "
                "other.",
            ),
        ),
    )
