"""The quiz of the chapter mobilenet_v1."""

from dslib import cost, models

from .quiz import Option, Question, Quiz


def mobilenet_v1() -> Quiz:
    """Four questions: where a later pair has its MACs, half the width, half the resolution, what a tool has counted."""
    return Quiz((later_pair(), half_width(), half_resolution(), counted()))


def percent(part, whole) -> str:
    return f"{100 * part / whole:.0f} %"


def later_pair() -> Question:
    early, late = (128, 128, 56), (512, 512, 14)
    halves = [
        (cost.depthwise_conv2d(c_in, 3, side).macs, cost.pointwise_conv2d(c_in, c_out, side).macs)
        for c_in, c_out, side in (early, late)
    ]
    times = late[0] // early[0]
    return Question(
        f"A pair takes {early[0]} channels to {early[1]} at {early[2]} by {early[2]} pixels, a later one {late[0]} to "
        f"{late[1]} at {late[2]} by {late[2]}. Compared with the early pair, how many MACs do the later pair's halves "
        "take?",
        (
            Option(
                "Both halves take fewer, as the maps are smaller.",
                f"There are fewer positions, but at each of them a pointwise half has {times} times as many inputs and "
                f"{times} times as many outputs.",
            ),
            Option(
                "The pointwise half takes as many, the depthwise half fewer.",
                f"Pointwise {halves[0][1]:,} and {halves[1][1]:,}: two channel counts grow as two sides shrink. "
                f"Depthwise {halves[0][0]:,} and {halves[1][0]:,}: there only one channel count matters.",
                right=True,
            ),
            Option(
                "Both halves take as many.",
                "In the depthwise half only one channel count matters, as each kernel reads one map. It cannot make up "
                "for the positions that are lost.",
            ),
        ),
    )


def half_width() -> Question:
    full, half = (cost.mobilenet_v1(models.MOBILENET_V1, width).by_kind() for width in (1, 0.5))
    shares = {kind: percent(half[kind].macs, full[kind].macs) for kind in ("pointwise", "depthwise", "linear")}
    once = shares["linear"]
    return Question(
        "MobileNetV1 is built at half its width, for the same images. How many of the MACs are left in the pointwise "
        "halves, in the depthwise halves, and in the last layer?",
        (
            Option(
                f"{once}, {once} and {once}",
                "A pointwise half reads half as many maps and also makes half as many, so the width acts there twice.",
            ),
            Option(
                f"{shares['pointwise']}, {shares['pointwise']} and {shares['pointwise']}",
                "The square belongs to layers in which both channel counts are scaled. The depthwise halves have one "
                "kernel for each map, and the classes stay as many as they are.",
            ),
            Option(
                f"{shares['pointwise']}, {shares['depthwise']} and {shares['linear']}",
                "Both channel counts are halved in the pointwise halves. The depthwise ones keep half their kernels. "
                "The last layer reads half as many averages, but makes a score for each class as before.",
                right=True,
            ),
            Option(
                f"{shares['pointwise']}, {shares['depthwise']} and {shares['pointwise']}",
                "The last layer reads half as many averages, but makes a score for each class as before.",
            ),
        ),
    )


def half_resolution() -> Question:
    sizes = 224, 112
    full, half = (cost.mobilenet_v1(models.MOBILENET_V1, 1, size).total for size in sizes)
    left = percent(half.macs, full.macs)
    return Question(
        f"The images shrink from {sizes[0]} to {sizes[1]} pixels a side, at full width. What is left of the MACs, and "
        "what of the parameters?",
        (
            Option(
                f"{left} and {percent(half.params, full.params)}",
                "Each map has a quarter of the positions, a little more where a side is rounded up. The weights stay: "
                "their number does not depend on the size.",
                right=True,
            ),
            Option(
                f"{percent(sizes[1], sizes[0])} and {percent(half.params, full.params)}",
                "That takes the resolution linearly. Height and width are both halved, so about a quarter of the "
                "positions is left.",
            ),
            Option(
                f"{left} and {left}",
                "The MACs are right. But the same weights are used at fewer positions: none of them goes away.",
            ),
        ),
    )


def counted() -> Question:
    network = cost.mobilenet_v1(models.MOBILENET_V1)
    learned, norms = network.total.params, network.by_kind()["norm"].params
    return Question(
        f"torch finds {learned:,} parameters in the network. A tool prints {learned + norms:,}. What has it counted in "
        "addition?",
        (
            Option(
                "The biases of the convolutions.",
                f"They have none, as a batch norm follows each. If they had, it would be {norms // 2:,} more, one for "
                "each channel.",
            ),
            Option(
                "The gamma and beta of the batch norms.",
                f"They are learned, so torch has counted them already: without them it would be {learned - norms:,}.",
            ),
            Option(
                "The weights of the last layer twice.",
                f"Those alone are {network.rows[-1].cost.macs:,}, far more than the difference of {norms:,}.",
            ),
            Option(
                "The stored means and variances of the batch norms.",
                f"Two numbers for each of {norms // 2:,} channels. They are stored with the network, but not learned.",
                right=True,
            ),
        ),
    )
