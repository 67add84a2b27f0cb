"""The quiz of the chapter group_convolution."""

from dslib import cost, geometry

from .quiz import Option, Question, Quiz


def group_convolution() -> Quiz:
    """Four questions: which groups are legal, what stays, what two layers reach, why zeros are cheap."""
    return Quiz((legal(), stays(), two_layers(), zeros()))


def listed(numbers) -> str:
    return ", ".join(str(number) for number in numbers)


def legal() -> Question:
    c_in, c_out = 12, 18
    fits = geometry.legal_groups(c_in, c_out)
    inputs_alone = geometry.legal_groups(c_in, c_in)
    outputs_alone = geometry.legal_groups(c_out, c_out)
    multiples = [c_in * times for times in (1, 2, 3)]
    return Question(
        f"A layer takes {c_in} channels to {c_out}. Which numbers of groups does it allow?",
        (
            Option(
                listed(inputs_alone),
                f"All of these divide {c_in}. The {c_out} filters must be shared out as well, and "
                f"{max(inputs_alone)} groups would get {c_out / max(inputs_alone)} filters each.",
            ),
            Option(
                f"{listed(multiples)} and so on",
                f"This is the rule the wrong way round: {multiples[1]} groups cannot share {c_in} channels, as there "
                "would be less than one for each.",
            ),
            Option(
                listed(fits), "These divide both counts, so every group gets whole channels and filters.", right=True
            ),
            Option(
                listed(outputs_alone),
                f"All of these divide {c_out}. But the {c_in} input channels must be shared out as well, and "
                f"{max(outputs_alone)} groups would get less than one each.",
            ),
        ),
    )


def stays() -> Question:
    c_in, c_out, k, side, groups = 16, 32, 3, 14, 4
    one, more = (cost.conv2d(c_in, c_out, k, side, groups=g) for g in (1, groups))
    return Question(
        f"A layer takes {c_in} channels to {c_out} with {k} by {k} kernels. Now it gets {groups} groups. What stays "
        "as it was?",
        (
            Option(
                "The number of output maps",
                f"Each of the {c_out} filters still makes one map. It makes it from {c_in // groups} channels in place "
                f"of {c_in}.",
                right=True,
            ),
            Option(
                "The number of kernels in a filter",
                f"A filter has a kernel for each channel that it reads: {c_in} before, {c_in // groups} now.",
            ),
            Option("The number of weights", f"They fall from {one.params:,} to {more.params:,}: shorter filters."),
            Option(
                "The number of multiplications",
                f"Each weight is used as often as before, and there are fewer weights: on maps of {side} by {side} the "
                f"MACs fall from {one.macs:,} to {more.macs:,}.",
            ),
        ),
    )


def two_layers() -> Question:
    channels, groups = 12, 2
    own = channels // groups
    return Question(
        f"Two layers of {channels} channels, each in {groups} groups, stand one behind the other, with a ReLU in "
        "between. On how many input channels can one output number depend?",
        (
            Option(
                f"{own // groups}",
                f"The second layer does not halve again: its group reads {own} maps, and each of them has read "
                f"{own} input channels.",
            ),
            Option(
                f"{own}",
                f"The {own} maps that it reads were all made by the same group of the first layer, from the same {own} "
                "channels.",
                right=True,
            ),
            Option(
                f"{channels}",
                "That takes a channel shuffle between the two. Without one the second layer meets the same group "
                "again.",
            ),
        ),
    )


def zeros() -> Question:
    return Question(
        "A grouped layer equals a standard layer with zeros in its weight. What makes the grouped one cheaper?",
        (
            Option(
                "A product with 0 takes no time.",
                "To a processor a 0 is a number like any other. The standard layer with zeros takes all its products.",
            ),
            Option(
                "Its output is smaller.",
                "Both give the same maps, number for number: that is what equal means here.",
            ),
            Option(
                "Its weights have become small and can be dropped.",
                "The zeros are not learnt. Which kernels are missing is settled before training begins.",
            ),
            Option(
                "It neither stores the zeros nor multiplies by them.",
                "The places of the zeros are known beforehand, so the layer goes through the blocks alone.",
                right=True,
            ),
        ),
    )
