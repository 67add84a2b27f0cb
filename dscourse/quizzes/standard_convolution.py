"""The quiz of the chapter standard_convolution."""

from dslib import cost, geometry

from .quiz import Option, Question, Quiz


def standard_convolution() -> Quiz:
    """Four questions: how many kernels, how large the output, which positions count, the order of channels."""
    return Quiz((kernels(), side(), positions(), other_order()))


def kernels() -> Question:
    c_in, c_out = 3, 8
    return Question(
        f"A layer takes {c_in} channels to {c_out}. How many kernels, single grids of weights, does it have?",
        (
            Option(f"{c_out}", f"{c_out} is the number of filters. Each of them has a kernel for every input channel."),
            Option(f"{c_in + c_out}", "Channels are not added: every output channel looks at every input channel."),
            Option(f"{c_in * c_out}", f"{c_out} filters with {c_in} kernels each.", right=True),
            Option(f"{c_in}", "That many kernels make one filter, and one filter makes one output channel."),
        ),
    )


def side() -> Question:
    size, k, stride, padding = 32, 3, 2, 1
    out = geometry.output_size(size, k, stride, padding)
    return Question(
        f"A map of {size} by {size} meets a kernel of {k} by {k} with stride {stride} and padding {padding}. "
        "How large is the output?",
        (
            Option(f"{out} by {out}", f"The window starts at every second of {size} places.", right=True),
            Option(
                f"{out - 1} by {out - 1}",
                f"Without padding this would be right. The zeros make room for one window more: {out}.",
            ),
            Option(f"{size} by {size}", f"That is stride 1. With stride {stride} every second place is left out."),
            Option(
                f"{out + 1} by {out + 1}",
                f"Only whole windows count: the last one must end inside the {size + 2 * padding} pixels.",
            ),
        ),
    )


def positions() -> Question:
    c_in, c_out, k, size, out = 16, 32, 3, 28, 14
    layer = cost.conv2d(c_in, c_out, k, output_size=out)
    return Question(
        f"{c_in} channels of {size} by {size} become {c_out} of {out} by {out}, by kernels of {k} by {k}, without "
        "bias. How many MACs does that take?",
        (
            Option(f"{layer.params:,}", "These are the weights. Each is used at every position of the output."),
            Option(
                f"{cost.conv2d(c_in, c_out, k, output_size=size).macs:,}",
                "This counts a window at every position of the input. There is one at each position of the output.",
            ),
            Option(f"{layer.flops:,}", "These are FLOPs. A MAC is a multiplication with the addition after it."),
            Option(
                f"{layer.macs:,}", f"{layer.params:,} weights, each used at {out} times {out} positions.", right=True
            ),
        ),
    )


def other_order() -> Question:
    return Question(
        "A trained layer reads images as red, green, blue. Now they come as blue, green, red. What gives the same "
        "output as before?",
        (
            Option(
                "Swapping the first filter and the last",
                "That swaps two output maps, and the new ones are still made from the wrong colours.",
            ),
            Option(
                "Swapping the first kernel and the last in every filter",
                "Each kernel meets its own colour again. The order in which a filter adds up its channels does not "
                "matter.",
                right=True,
            ),
            Option(
                "Swapping the first column and the last in every kernel",
                "Columns are places in the window. That mirrors each kernel, and it still reads the wrong colour.",
            ),
            Option(
                "Nothing has to be done: a filter adds up all the channels.",
                "The order of the sum does not matter. Which kernel meets which colour does.",
            ),
        ),
    )
