"""The quiz of the chapter ghostnet."""

from dslib import cost, models

from .quiz import Option, Question, Quiz


def ghostnet() -> Quiz:
    """Four questions: what a ghost sees, what a module saves, what more ghosts save, where the parameters are."""
    return Quiz((seen_by_a_ghost(), saving(), more_ghosts(), parameters()))


def equal(name: str, value: int) -> str:
    return f"{name}\u00a0=\u00a0{value}"  # no line may break inside


def seen_by_a_ghost() -> Question:
    c_in, c_out, ratio = 64, 32, 2
    intrinsic = c_out // ratio
    return Question(
        f"A Ghost module takes {c_in} channels to {c_out}, with {equal('K', 1)} and {equal('s', ratio)}. How many "
        f"of the {c_in} input channels does one ghost depend on?",
        (
            Option(
                "1",
                "Its cheap kernel reads one map, but that is an intrinsic map, and every intrinsic map is a sum over "
                f"all {c_in} channels.",
            ),
            Option(
                f"{intrinsic}",
                f"There are {intrinsic} intrinsic maps, but the cheap operation is depthwise: a ghost reads only its "
                "own.",
            ),
            Option(
                f"{c_in}",
                "All that its intrinsic map depends on. What it cannot do is mix them in another way than that map "
                "does.",
                right=True,
            ),
        ),
    )


def saving() -> Question:
    c_in, k, ratio, d = 16, 1, 2, 3
    dense = cost.conv2d(c_in, 48, k, 56).macs
    exact = dense / cost.ghost_module(c_in, 48, 56, k, ratio, d).macs
    approximation = ratio * c_in / (ratio + c_in - 1)
    as_wide = dense / cost.ghost_module(c_in, 48, 56, k, ratio, k).macs
    assert abs(as_wide - approximation) < 1e-9
    return Question(
        f"{c_in} channels come in, {equal('K', k)}, {equal('d', d)}, {equal('s', ratio)}. How many times fewer MACs "
        "does the Ghost module take than the convolution?",
        (
            Option(
                f"{exact:.2f}",
                f"A map of the convolution takes {c_in * k**2} products for each number, a ghost {d**2}. So the half "
                "that is ghosts costs more than half of what it replaces.",
                right=True,
            ),
            Option(
                f"{approximation:.2f}",
                f"This is the paper's approximation, for cheap kernels of the size of K. With {equal('K', k)} the "
                "ghosts would then have kernels of one weight.",
            ),
            Option(
                f"{ratio:.2f}",
                "Half of the maps are made from the input, which alone would save this. But the ghosts are not free.",
            ),
            Option(
                f"{1 / exact:.2f}",
                "This is the share of the MACs that is left.",
            ),
        ),
    )


def more_ghosts() -> Question:
    c_in = 16
    few, more = (cost.ghost_module(c_in, 48, 56, 1, ratio).macs for ratio in (2, 4))
    dense = cost.conv2d(c_in, 48, 1, 56).macs
    return Question(
        f"{c_in} channels come in again, {equal('K', 1)} and {equal('d', 3)}. The ratio s goes from 2 to 4, and as "
        f"many maps are made. How many times fewer MACs does the module take than before, with {equal('s', 2)}?",
        (
            Option(
                f"{2:.2f}",
                "Half as many maps are made from the input. But their place is taken by ghosts, which cost something "
                "too.",
            ),
            Option(
                f"{few / more:.2f}",
                f"Of four maps, {2 * (c_in + 9)} products at each position become {c_in + 3 * 9}: one intrinsic map "
                "less is one ghost more, and here a ghost costs more than half of a map.",
                right=True,
            ),
            Option(
                f"{dense / more:.2f}",
                f"That compares it with the convolution. The module took {dense / few:.2f} times fewer before.",
            ),
            Option(
                f"{1:.2f}",
                f"A ghost takes 9 products for each number, an intrinsic map {c_in}: each exchange saves a little.",
            ),
        ),
    )


def parameters() -> Question:
    ghost, v1 = cost.ghostnet(models.GHOSTNET), cost.mobilenet_v1(models.MOBILENET_V1)
    averages = sum((row.cost for row in ghost.rows if row.size == (1, 1)), start=cost.Cost(0, 0, 0, 0))
    cheap = sum(row.cost.params for row in ghost.rows if "cheap_operation.0" in row.name)
    return Question(
        f"GhostNet takes {v1.total.macs / ghost.total.macs:.1f} times fewer MACs than MobileNetV1, but has "
        f"{ghost.total.params / v1.total.params:.1f} times as many parameters. How is that possible?",
        (
            Option(
                "The cheap kernels are many.",
                f"All of them together are {cheap:,} weights of {ghost.total.params:,}.",
            ),
            Option(
                "It has more batch norms, which have parameters but no MACs.",
                f"Its batch norms have {ghost.by_kind()['norm'].params:,} of {ghost.total.params:,} parameters.",
            ),
            Option(
                "A count of parameters must be wrong, as each weight is used at many positions.",
                "How often a weight is used differs from layer to layer. On a map averaged to one number there is one "
                "position.",
            ),
            Option(
                "Most of its weights work on averages, where each is used once.",
                f"The gates and the last two layers have {averages.params:,} parameters for {averages.macs:,} MACs.",
                right=True,
            ),
        ),
    )
