"""The quiz of the chapter depthwise_separable_convolution."""

from dslib import cost, geometry

from .quiz import Option, Question, Quiz


def depthwise_separable_convolution() -> Quiz:
    """Four questions: what is tied in the dense weight, what a full copy costs, a ReLU inside, a padded 1 by 1."""
    return Quiz((ties(), copy(), relu(), padded()))


def ties() -> Question:
    c_in, c_out, k = 3, 5, 3
    return Question(
        f"A pair takes {c_in} channels to {c_out}, with kernels of {k} by {k}, depth multiplier 1 and nothing between "
        f"the halves. The dense weight that it equals has {c_in * c_out} kernels. What do they have in common?",
        (
            Option(
                "Most of them are zero.",
                "That is the depthwise half alone, which joins each channel to itself. The pointwise half joins every "
                "channel to every output, so no kernel needs to be zero.",
            ),
            Option(
                "Nothing, the pointwise half can make any of them.",
                "It only mixes maps that are there. All that it ever sees of a channel is one intermediate map.",
            ),
            Option(
                f"The {c_out} kernels that one input channel meets are multiples of one kernel.",
                "W_oc is P_oc times D_c: the outputs differ by a factor only. So the rank is 1 for each input channel.",
                right=True,
            ),
            Option(
                f"The {c_in} kernels of one filter are multiples of one kernel.",
                "They belong to different input channels, and each of those has a depthwise kernel of its own. It "
                "would be so with the pointwise half first.",
            ),
        ),
    )


def copy() -> Question:
    c_in, c_out, k = 3, 16, 3
    dense = cost.conv2d(c_in, c_out, k, output_size=1).params

    def weights(m):
        return cost.depthwise_separable_conv2d(c_in, c_out, k, output_size=1, depth_multiplier=m).params

    cheaper = max(m for m in range(1, k**2) if weights(m) < dense)
    return Question(
        f"A dense layer takes {c_in} channels to {c_out} with kernels of {k} by {k}: {dense} random weights. What "
        "is the smallest depth multiplier m with which a pair does exactly the same?",
        (
            Option(
                f"m\u00a0=\u00a0{k**2}, a pair with {weights(k**2)} weights",
                f"From {k**2} kernels, one for each pixel of the window, any kernel can be mixed, and random ones need "
                f"all {k**2}. The copy is exact, and it has more weights than the original.",
                right=True,
            ),
            Option(
                f"m\u00a0=\u00a0{cheaper}, a pair with {weights(cheaper)} weights",
                f"This is the largest m at which the pair is cheaper. It reaches rank {cheaper}, and random weights "
                f"have rank {k**2}.",
            ),
            Option(
                f"m\u00a0=\u00a01, a pair with {weights(1)} weights",
                "With one kernel for each channel all outputs share it. That is rank 1.",
            ),
            Option(
                f"m\u00a0=\u00a0{c_out}, a pair with {weights(c_out)} weights",
                f"That is more than enough: each output would have kernels of its own. But a window has {k**2} pixels, "
                "and a kernel for each pixel is enough.",
            ),
        ),
    )


def relu() -> Question:
    return Question(
        "What changes once a ReLU stands between the depthwise and the pointwise half?",
        (
            Option(
                "The outputs can no longer be negative.",
                "The ReLU is before the pointwise half, whose weights may be negative.",
            ),
            Option(
                "The pair still equals one dense convolution, of a higher rank.",
                "A convolution without bias gives -y for the negative of an image that gives y. With a ReLU inside, "
                "the pair can give the same for both, so it is none, of whatever rank.",
            ),
            Option(
                "Nothing, if a batch normalisation stands before it.",
                "A trained batch normalisation scales and shifts each map. The ReLU after it still sets negative "
                "numbers to 0.",
            ),
            Option(
                "The pair may do what no single convolution does.",
                "For instance |t|, as the sum of ReLU(t) and ReLU(-t).",
                right=True,
            ),
        ),
    )


def padded() -> Question:
    size, k, stride, padding = 28, 3, 2, 1
    middle = geometry.output_size(size, k, stride, padding)
    grown = geometry.output_size(middle, 1, 1, padding)
    return Question(
        f"A pair has a depthwise kernel of {k} by {k} with stride {stride}, and its input is {size} by {size}. Its "
        f"author hands padding {padding} to both halves. How large is the output?",
        (
            Option(
                f"{middle} by {middle}",
                f"So it should be, and so are the intermediate maps. But a frame of zeros around them gives the 1 by 1 "
                f"window {grown} places along each side.",
            ),
            Option(
                f"{grown} by {grown}",
                f"The intermediate maps are {middle} by {middle}. The padding of the 1 by 1 half adds {padding} on "
                "each side: a frame in which no pixel of the input has a part.",
                right=True,
            ),
            Option(
                f"{size} by {size}",
                f"That is stride 1. With stride {stride} the depthwise half leaves out every second place.",
            ),
            Option(
                f"{middle // stride} by {middle // stride}",
                "The stride belongs to one of the halves, here to the depthwise one.",
            ),
        ),
    )
