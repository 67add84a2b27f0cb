"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

# The last lines of dense_to_pair, and the two factors of its decomposition.
MATRICES = "    matrices = weight.transpose(0, 1).flatten(2)  # (C_in, C_out, K_h * K_w)\n"
FACTORS = (
    "    columns, sizes, rows = torch.linalg.svd(matrices, full_matrices=False)\n"
    "    columns = (columns * sizes[:, None])[:, :, :m]  # the sizes go to one half\n"
)
HALVES = (
    "    depthwise_weight = rows[:, :m].reshape(C_in * m, 1, K_h, K_w)\n"
    "    pointwise_weight = columns.transpose(0, 1).reshape(C_out, C_in * m, 1, 1)\n"
)
FOR_ALL = (  # one decomposition for all input channels: columns (C_out, m), rows (m, C_in, K_h, K_w)
    "    columns, sizes, rows = torch.linalg.svd(weight.flatten(1))\n"
    "    columns, rows = columns[:, :m] * sizes[:m], rows[:m].reshape(m, C_in, K_h, K_w)\n"
    "    depthwise_weight = rows.transpose(0, 1).reshape(C_in * m, 1, K_h, K_w)\n"
    "    pointwise_weight = columns.repeat(1, C_in)[:, :, None, None]\n"
)
SHARED = (  # one decomposition whose rows are the kernels of every channel
    "    columns, sizes, rows = torch.linalg.svd(\n"
    "        weight.reshape(-1, K_h * K_w), full_matrices=False)\n"
    "    columns, rows = columns[:, :m] * sizes[:m], rows[:m]\n"
    "    depthwise_weight = rows.repeat(C_in, 1).reshape(C_in * m, 1, K_h, K_w)\n"
    "    pointwise_weight = columns.reshape(C_out, C_in * m, 1, 1)\n"
)
MEAN = (  # the mean kernel, with the factors that come closest; for m > 1 the first is repeated
    "    means = matrices.mean(1, keepdim=True)\n"
    "    factors = (matrices * means).sum(2) / (means * means).sum(2)\n"
    "    depthwise_weight = means.repeat(1, m, 1).reshape(C_in * m, 1, K_h, K_w)\n"
    "    pointwise_weight = factors.T.repeat_interleave(m, 1)[:, :, None, None] / m\n"
)

WRONG = {
    "verdict_from": [
        ('"conditional"', '"wrong"', "may need a condition"),
        ('"conditional"', '"right"', "does not make it right"),
        ('"limit only" if in_the_limit else "wrong"', '"wrong"', "do not look at in_the_limit"),
        ("    if all(cases):", "    cases = cases[:1]\n    if all(cases):", "first case only"),
    ],
    "counterexample": [
        ("6, 8, 1", "6, 8, 3", "Here the claim holds"),
        ("6, 8, 1", "6, 8", "three whole numbers"),
        ("6, 8, 1", "64, 64, 5", "Here the claim holds"),
    ],
    "what_was_counted": [
        ('macs: "MACs", 2 * macs: "FLOPs"', 'macs: "FLOPs", 2 * macs: "MACs"', "swapped"),
        ("out_channels * in_channels *", "out_channels *", "one kernel for each filter"),
        ("side**2", "side", "side times side"),
        ('"something else"', '"FLOPs"', "FLOPs too have to be compared"),
    ],
    "how_printed": [
        (
            '    if millions.quantize(wanted, ROUND_HALF_UP) == wanted:\n        return "rounded"\n'
            '    if millions.quantize(wanted, ROUND_DOWN) == wanted:\n        return "cut off"\n',
            '    if millions.quantize(wanted, ROUND_DOWN) == wanted:\n        return "cut off"\n'
            '    if millions.quantize(wanted, ROUND_HALF_UP) == wanted:\n        return "rounded"\n',
            "may be both",
        ),
        ("ROUND_HALF_UP", "ROUND_DOWN", "cut off where you should round"),
        ("ROUND_DOWN", "ROUND_HALF_UP", "You only round"),
        ("quantize(wanted", "quantize(Decimal(1)", "whole millions"),
        ("quantize(wanted, ROUND_HALF_UP)", "quantize(wanted)", "half to the even digit"),
        (
            "millions.quantize(wanted, ROUND_DOWN) == wanted",
            'str(exact).startswith(printed.replace(".", ""))',
            "first digits are not enough",
        ),
    ],
    "two_are_cheaper": [
        ("9 * channels + channels**2)", "9 * channels) + channels**2", "two pointwise halves"),
        ("25 * channels + channels**2", "channels**2", "hold for a few channels"),
        ("two < one", "two <= one", "as many MACs on both sides"),
    ],
    "dense_to_pair": [
        ("    return depthwise_weight, pointwise_weight", "    return depthwise_weight", "two tensors"),
        ("return depthwise_weight, pointwise_weight", "return pointwise_weight, depthwise_weight", "swapped: return"),
        ("C_out, C_in, K_h", "weight = weight.transpose(0, 1)\n    C_out, C_in, K_h", "C_in and C_out are swapped"),
        ("m = depth_multiplier", "m = 1", "depth multiplier is not used"),
        ("m, 1, K_h, K_w)", "m, 1, K_w, K_h)", "lie on their side"),
        (".reshape(C_in * m, 1, K_h, K_w)", "", "The shapes are"),
        (".reshape(C_out, C_in * m, 1, 1)", ".reshape(C_out, -1)", "and (10, 3), the layer loads"),
        ("weight.transpose(0, 1).flatten(2)", "weight.reshape(C_in, C_out, -1)", "by a transposition"),
        ("rows[:, :m].reshape", "rows[:, :m].half().reshape", "nearly the same as the closest"),
        (" * sizes[:, None]", "", "values are missing"),
        ("sizes[:, None])", "sizes[:, None] ** 0.5)", "Only the roots"),
        ("sizes[:, None])", "sizes[:, None] ** 2)", "counted twice"),
        (MATRICES + FACTORS + HALVES, FOR_ALL, "the same pointwise weights"),
        (MATRICES + FACTORS + HALVES, SHARED, "share the depthwise kernels"),
        (FACTORS + HALVES, MEAN, "means over the outputs"),
        (
            "    matrices =",
            "    if K_h == K_w:\n        weight = weight.mT\n    matrices =",
            "also where both are equal",
        ),
        (
            "    columns = (columns",
            "    if rows.shape[1] == rows.shape[2]:\n        rows = rows.mT\n    columns = (columns",
            "do not transpose it",
        ),
        (
            "    columns = (columns",
            "    columns, sizes, rows = columns.flip(2), sizes.flip(1), rows.flip(1)\n    columns = (columns",
            "the largest first",
        ),
        ("    columns = (columns", "    sizes[:, 1:] = 0\n    columns = (columns", "Only the first term"),
        (
            "rows[:, :m].reshape(",
            "rows[:, :m].transpose(0, 1).reshape(",
            "kernels of one channel together",
        ),
        ("columns.transpose(0, 1).reshape(", "columns.reshape(", "right ones in a wrong order"),
        (
            "    depthwise_weight =",
            "    norms = columns.norm(dim=1, keepdim=True)\n"
            "    columns = columns / norms * norms\n    depthwise_weight =",
            "not finite",
        ),
        ("svd(matrices,", "svd(matrices + 0.1,", "is off by"),
    ],
}
