"""The quiz of the chapter counting_in_practice."""

from dslib import cost

from .quiz import Option, Question, Quiz


def counting_in_practice() -> Quiz:
    """Four questions: what a printed number includes, what is not seen, which numbers meet which, a training step."""
    return Quiz((included(), unseen(), transposed(), training()))


def included() -> Question:
    c_in, c_out, k, side = 16, 32, 3, 20
    macs = cost.conv2d(c_in, c_out, k, output_size=side).macs
    norm, written = cost.batch_norm2d(c_out, side), c_out * side**2
    return Question(
        f"A convolution without bias has {macs:,} MACs and writes {c_out} maps of {side} by {side}, {written:,} "
        f"numbers; a batch norm follows. A tool prints {macs + 2 * written:,} for the two. What is in this number?",
        (
            Option(
                "The MACs and the biases",
                f"This convolution has no bias. Biases would add {written:,}, one for each number that is written.",
            ),
            Option(
                "The MACs and the parameters of the norm",
                f"The norm has {norm.params} parameters, two for each channel, however large the map is. The tool adds "
                f"{2 * written:,}.",
            ),
            Option(
                "Multiplications and additions, counted apart",
                f"That would be {2 * macs:,} or a little more. This number is hardly larger than the MACs.",
            ),
            Option(
                "The MACs and two operations for each number of the norm",
                f"What is left beside the MACs, {2 * written:,}, is twice the numbers that the norm writes.",
                right=True,
            ),
        ),
    )


def unseen() -> Question:
    layer = cost.conv2d(8, 8, 3, output_size=12)
    return Question(
        f"A module has a parameter `weight` of {layer.params:,} numbers, and its `forward` returns "
        f"`F.conv2d(x, self.weight)`: {layer.macs:,} MACs. What does a tool say that waits for modules such as "
        "`nn.Conv2d` to be called?",
        (
            Option(
                f"{layer.macs:,}",
                "For this the tool would have to see the operation. It only sees that a module was called whose class "
                "it does not know.",
            ),
            Option("0", "No `nn.Conv2d` is called, so no formula is applied. The network looks free.", right=True),
            Option(
                f"{layer.params:,}",
                "These are the weights. A tool that lists parameters finds them; the MACs are never worked out.",
            ),
            Option(
                "It stops with an error.",
                "A module of an unknown class is nothing unusual, every model is made of them. It is passed over.",
            ),
        ),
    )


def transposed() -> Question:
    stride, kernel, size = 3, 5, 10
    right = cost.conv2d(4, 6, kernel, output_size=size).macs  # each input number meets each weight of its kernels
    taken = cost.conv2d(4, 6, kernel, output_size=stride * size).macs
    return Question(
        f"A transposed convolution of stride {stride} makes maps of {stride * size} by {stride * size} from maps of "
        f"{size} by {size}. A tool multiplies the weights by the positions of the output. How far off is "
        "its number?",
        (
            Option(
                f"{taken // right} times too high",
                f"Each number of the input meets each weight of its kernels. The output has {stride} times {stride} "
                "as many numbers.",
                right=True,
            ),
            Option(
                f"{stride} times too high",
                "That holds for one axis. The output is larger in height and in width.",
            ),
            Option(
                "It is right.",
                "For an ordinary convolution it would be. Here the products belong to the input: each of its numbers "
                "is spread over several of the output's.",
            ),
            Option(
                f"{taken // right} times too low",
                "The output is the larger of the two, so its positions give a number that is too high.",
            ),
        ),
    )


def training() -> Question:
    channels, size = 64, 28
    macs = cost.depthwise_conv2d(channels, 3, size).macs
    return Question(
        f"A depthwise layer of {channels} channels in the middle of a network takes {macs:,} MACs forward. How many "
        "in a training step?",
        (
            Option(
                f"{2 * macs:,}",
                "That is the backward pass alone: the gradients of the weights and of the input. The forward pass runs "
                "too.",
            ),
            Option(
                f"{4 * macs:,}",
                "That is four times, and there are three: forward, gradients of the weights, gradient of the input.",
            ),
            Option(
                f"{3 * macs:,}",
                "Once forward, once for the gradients of the weights, once for that of the input.",
                right=True,
            ),
            Option(
                f"{(2 + channels) * macs:,}",
                f"This takes the gradient of the weights for that of a dense layer, {channels} times as much. A tool "
                "did so: it forgot the groups.",
            ),
        ),
    )
