"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "groups_fit": [
        (
            "in_channels % groups == 0 and out_channels % groups == 0",
            "groups % in_channels == 0 and groups % out_channels == 0",
            "wrong way round",
        ),
        (" and out_channels % groups == 0", "", "input channels alone"),
        ("in_channels % groups == 0 and ", "", "output channels alone"),
        (" and ", " or ", "One side that can be divided"),
        ("return in_channels", "return groups > 1 and in_channels", "groups_fit(7, 9, 1) gives False"),
    ],
    "grouped_weight_shape": [
        ("in_channels // groups", "in_channels", "standard layer"),
        ("(out_channels", "(out_channels // groups", "weight of one group"),
        ("out_channels, in_channels // groups", "out_channels // groups, in_channels", "You divided the filters"),
        ("out_channels, in_channels // groups", "in_channels, out_channels // groups", "swapped"),
        ("in_channels // groups", "groups", "How many filters"),
    ],
    "grouped_cost": [
        (" // groups", "", "does not use groups"),
        ("in_channels // groups", "(in_channels // groups) // groups", "weights of one group"),
        ("(out_channels if bias", "(groups if bias", "each group one bias"),
        ("(out_channels if bias", "(out_channels * groups if bias", "once for each group"),
        (" + (out_channels if bias else 0)", "", "biases are missing"),
        ("(out_channels if bias", "(out_channels // groups if bias", "divide the biases too"),
        ("weights * side**2", "params * side**2", "MACs contain the bias"),
        ("weights * side**2", "2 * weights * side**2", "FLOPs"),
        ("weights * side**2", "weights * side", "at [1]"),
    ],
    "diagonal_blocks": [
        (
            "blocks.append(own[:, g * channels : (g + 1) * channels])\n    return torch.cat(blocks)",
            "full = torch.zeros_like(own)\n"
            "        columns = slice(g * channels, (g + 1) * channels)\n"
            "        full[:, columns] = own[:, columns]\n"
            "        blocks.append(full)\n"
            "    return torch.cat(blocks)",
            "does not have them",
        ),
        ("own[:, g * channels : (g + 1) * channels]", "own[:, :channels]", "channels of group 0"),
        (
            "shape[0] // groups  # that each group has\n    channels = weight.shape[1]",
            "shape[1] // groups\n    channels = weight.shape[0]",
            "swapped",
        ),
        (
            "weight[g * filters : (g + 1) * filters]\n        blocks.append(own[:, g * channels : (g + 1) * channels])",
            "weight[g::groups]\n        blocks.append(own[:, g::groups])",
            "neighbours",
        ),
        ("torch.cat(blocks)", "torch.stack(blocks)", "has the shape (2, 2, 3, 2, 3)"),
    ],
    "shuffle_mixes": [
        (">=", ">", "one channel more"),
        (">=", "<=", "wrong way round"),
        (">= groups", "> 1", "all of them"),
        ("channels // groups >= groups", "True", "True to everything"),
        ("channels // groups >= groups", "channels % groups**2 == 0", "equally many maps"),
    ],
    "grouped_conv": [
        ("slice(g * filters, (g + 1) * filters)", "slice(g * filters, g * filters + 1)", "one map per group"),
        ("torch.cat(parts, dim=1)", "sum(parts)", "as many maps as one group makes"),
        ("maps[:, g * channels : (g + 1) * channels]", "maps[:, :channels]", "channels of group 0"),
        ("maps[:, g * channels : (g + 1) * channels]", "maps[:, g::groups]", "neighbours"),
        ("weight[own]", "weight[:filters]", "filters of group 0"),
        ("weight[own], bias[own])", "weight[own]) + bias[g]", "each group one bias"),
        (", bias[own]", "", "bias is missing"),
    ],
}
