"""The quiz of the chapter across_frameworks."""

from dslib import cost, geometry

from .quiz import Option, Question, Quiz


def across_frameworks() -> Quiz:
    """Four questions: axes of a kernel, a group that was lost, padding at stride 2, the momentum of a norm."""
    return Quiz((kernel_axes(), lost_group(), same_at_stride_2(), momentum()))


def kernel_axes() -> Question:
    c_in, m, high, wide = 4, 2, 3, 5
    return Question(
        f"A depthwise weight of torch has the shape ({c_in * m}, 1, {high}, {wide}), for {c_in} channels with "
        f"multiplier {m}. How does it become a kernel of Keras, ({high}, {wide}, {c_in}, {m})?",
        (
            Option(
                f"`reshape({high}, {wide}, {c_in}, {m})`",
                f"It gives this shape, as there are {c_in * m * high * wide} numbers in both. But they stay in torch's "
                "order, so most weights end up at a wrong place, and no tool objects.",
            ),
            Option(
                f"Split the filters' axis into {m} and {c_in}, then turn the axes.",
                f"In torch the {m} kernels of a channel stand together, so the axis is split into channel and kernel, "
                "the channel first.",
            ),
            Option(
                f"Split the filters' axis into {c_in} and {m}, then turn the axes.",
                f"Filter `{m} * c + j` is kernel `j` of channel `c`. After the split each axis has one meaning, and "
                "can be turned.",
                right=True,
            ),
            Option(
                "Turn the axes, nothing else.",
                f"That gives ({high}, {wide}, 1, {c_in * m}), as JAX wants it. Keras has channel and kernel apart.",
            ),
        ),
    )


def lost_group() -> Question:
    channels, k, side = 512, 3, 14
    dense, depthwise = cost.conv2d(channels, channels, k, side), cost.depthwise_conv2d(channels, k, side)
    return Question(
        f"In a prototxt a depthwise layer for {channels} channels has `group: 1`. OpenCV runs it with the weights of "
        "the original network, and the numbers are right. What follows?",
        (
            Option(
                "OpenCV went by the shape of the weights. The text is still wrong.",
                "To a reader that goes by the text the layer is dense and takes "
                f"{dense.macs // depthwise.macs} times the MACs.",
                right=True,
            ),
            Option(
                "In Caffe `group: 1` makes a layer depthwise.",
                "With one group every output reads every input channel. A depthwise layer has as many groups as input "
                "channels.",
            ),
            Option(
                "The text is right, as the numbers are.",
                "The numbers show what OpenCV computed, and it does not compare the text with the weights. Another "
                "reader may go by the text.",
            ),
        ),
    )


def same_at_stride_2() -> Question:
    k, even, odd = 3, 6, 7
    starts = [str(2 * i) for i in range(geometry.output_size(even, k, stride=2, padding=1))]
    return Question(
        f"Weights were trained with TensorFlow's `SAME` and run in torch with `padding=1`. All kernels are {k} by {k}. "
        "Which layers give other numbers?",
        (
            Option(
                "None: all maps have the right sizes.",
                "The sizes are the same in both tools. They do not show where the windows begin.",
            ),
            Option(
                "All with stride 2, whatever the size of their maps.",
                f"On a map of {odd} pixels both tools add one pixel at either end, and the windows are the same.",
            ),
            Option(
                "Those with stride 2 on maps with an even side.",
                f"On {even} pixels `SAME` adds one pixel after the map only, so the windows begin at the pixels "
                f"{', '.join(starts)}. In torch each begins one pixel earlier.",
                right=True,
            ),
            Option(
                "All, since TensorFlow has the channel last.",
                "That is the order in memory. A conversion has to mind it, and then the sums are the same.",
            ),
        ),
    )


def momentum() -> Question:
    of_torch, steps = 0.1, 2
    kept = (1 - of_torch) ** steps
    return Question(
        f"A batch norm of torch has the momentum {of_torch}. What should Keras be given, for a running mean that moves "
        "in the same way?",
        (
            Option(
                f"{of_torch}, the same",
                f"In Keras the momentum is the share of the old mean. With {of_torch} nearly all of it would be "
                "forgotten at each batch.",
            ),
            Option(
                f"{1 - of_torch}",
                f"torch's number is the share of the new mean, Keras's that of the old one. After {steps} batches "
                f"{kept:.2f} of the first mean is left in both.",
                right=True,
            ),
            Option(
                "Nothing: the defaults are alike.",
                "The defaults differ, in the momentum and in the small number that is added to the variance.",
            ),
        ),
    )
