"""The exercises of the chapter on group convolution."""

from operator import attrgetter

import torch
from torch import nn

from dscourse.checks.exercise import exercise
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.watch import without_groups
from dslib import cost, functional, geometry

REVERSED = (
    "The division is the wrong way round. The groups share the channels, so it is the channels that must be divisible "
    "by groups."
)


@exercise(
    cases=[(6, 10, 2), (6, 10, 3), (6, 10, 5), (6, 10, 4), (6, 12, 6), (6, 6, 12), (24, 36, 6), (24, 36, 8), (7, 9, 1)],
    oracle=lambda c_in, c_out, groups: groups in geometry.legal_groups(c_in, c_out),
    hint="How many input channels, and how many filters, would each group get? Both must be whole.",
    wrong={
        "groups % in_channels == 0 and groups % out_channels == 0": REVERSED,
        "groups % in_channels == 0": REVERSED,
        "in_channels % groups == 0": "You look at the input channels alone. Each group must get whole filters too.",
        "out_channels % groups == 0": "You look at the output channels alone. Each group must also get whole input "
        "channels to read.",
        " and  ->  or ": "One side that can be divided is not enough: a group needs whole channels on both.",
    },
)
def groups_fit(in_channels, out_channels, groups):
    return in_channels % groups == 0 and out_channels % groups == 0


@exercise(
    cases=[(6, 10, 3, 2), (24, 36, 5, 12), (12, 8, 1, 4), (3, 7, 2, 1)],
    oracle=lambda c_in, c_out, k, groups: tuple(nn.Conv2d(c_in, c_out, k, groups=groups, device="meta").weight.shape),
    hint="How many filters are there in all, and how many channels does one of them read?",
    wrong={
        " // groups -> ": "This is the weight of a standard layer. A filter has kernels for its group's channels only.",
        "(out_channels -> (out_channels // groups": "This is the weight of one group. The layer keeps the filters of "
        "all groups, one behind the other.",
        "(out_channels // groups, in_channels, kernel_size, kernel_size)": "You divided the filters. There are as many "
        "filters as output channels, whatever the groups: what gets shorter is each filter.",
    },
)
def grouped_weight_shape(in_channels, out_channels, kernel_size, groups):
    channels = in_channels // groups  # that a filter reads
    return (out_channels, channels, kernel_size, kernel_size)


@exercise(
    cases=[(24, 36, 5, 1, 12, True), (6, 10, 3, 98, 2, False), (8, 4, 3, 7, 2, True), (3, 5, 1, 9, 1, True)],
    oracle=lambda *layer: attrgetter("params", "macs")(cost.conv2d(*layer)),
    hint="The weights first: their shape multiplied out. Then add the biases, and apart from that multiply by the "
    "positions.",
    wrong={
        " // groups -> ": "Your function does not use groups: a filter has kernels for the channels of its own group "
        "only.",
        "(out_channels if -> (groups if": "You give each group one bias. Each output channel has its own, in whatever "
        "group it is.",
        "weights, macs": "The biases are missing: one for each output channel, where bias is True.",
        "params, 2 * macs": "Your second number is FLOPs: a multiplication and the addition after it are one MAC.",
        "params, params * side**2": "Your MACs contain the bias. It is added, and nothing is multiplied with it: "
        "weights times positions.",
    },
)
def grouped_cost(in_channels, out_channels, kernel_size, side, groups, bias):
    weights = out_channels * in_channels // groups * kernel_size**2
    params = weights + (out_channels if bias else 0)
    macs = weights * side**2
    return params, macs


def blocks_of_a_mask(weight, groups):
    C_out, C_in, *kernel = weight.shape
    within = functional.dense_weight(torch.ones(C_out, C_in // groups, *kernel), groups) == 1
    return weight[within].reshape(C_out, C_in // groups, *kernel)


@exercise(
    cases=[
        (whole_numbers(4, 6, 2, 3), 2),
        (whole_numbers(6, 9, 1, 2, seed=1), 3),
        (whole_numbers(3, 3, 3, 3, seed=2), 3),
        (whole_numbers(2, 5, 2, 2, seed=3), 1),
    ],
    oracle=blocks_of_a_mask,
    hint="A group is a block of C_out/G rows and C_in/G columns. Cut the blocks out and put one below the other.",
    wrong={
        "torch.block_diag(*[torch.ones(filters, channels)] * groups)[:, :, None, None] * weight": "You set the kernels "
        "between the groups to 0. A grouped layer does not have them: cut them out.",
        "[:, g * channels : (g + 1) * channels] -> [:, :channels]": "All your filters read the channels of group 0. "
        "The next group's filters read the next channels.",
        "blocks = [] -> filters, channels, blocks = channels, filters, []": "C_in and C_out are swapped: rows are "
        "filters, C_out/G for each group, and columns are the C_in/G channels that they read.",
        "torch.cat([weight[g::groups, g::groups] for g in range(groups)])": "You take every G-th filter and channel. "
        "The channels of a group are neighbours: the first C_in/G belong to group 0.",
    },
)
def diagonal_blocks(weight, groups):
    filters = weight.shape[0] // groups  # that each group has
    channels = weight.shape[1] // groups  # that each group reads
    blocks = []
    for g in range(groups):
        own = weight[g * filters : (g + 1) * filters]
        blocks.append(own[:, g * channels : (g + 1) * channels])
    return torch.cat(blocks)


def all_are_reached(channels, groups):
    layer = functional.dense_weight(torch.ones(channels, channels // groups, 1, 1), groups)[:, :, 0, 0]
    order = torch.arange(channels).reshape(groups, -1).T.flatten()
    return bool((layer @ layer[order] > 0).all())


@exercise(
    cases=[(6, 2), (6, 3), (9, 3), (12, 3), (12, 4), (12, 1), (8, 8), (16, 4), (10, 5)],
    oracle=all_are_reached,
    hint="A group of the second layer reads channels / groups maps. From how many groups must they come?",
    wrong={
        ">= -> >": "You ask for one channel more than is needed: a group that reads one map from each group is enough.",
        ">= groups -> > 1": "With more than one channel a group meets some other groups, but it must meet all of them.",
        "True": "You say True to everything. With 8 channels in 8 groups a shuffle changes nothing.",
        "channels % groups**2 == 0": "You ask that each group read equally many maps from all groups. One from each is "
        "enough, and some may send more.",
    },
)
def shuffle_mixes(channels, groups):
    return channels // groups >= groups


def too_few_maps(output, maps, weight, bias, groups):
    C_out, found = len(weight), output.shape[1] if isinstance(output, torch.Tensor) and output.dim() == 4 else None
    if found == groups < C_out:
        return "Your output has one map per group: did you loop over the filters of each group?"
    if found == C_out // groups < C_out:
        return (
            "Each image has as many maps as one group makes. Put the maps of all groups one behind the other, along "
            "the axis of the channels."
        )
    return ""


@exercise(
    cases=[
        (whole_numbers(1, 6, 4, 5), whole_numbers(8, 3, 2, 3, seed=1), whole_numbers(8, seed=2), 2),
        (whole_numbers(2, 6, 5, 3, seed=3), whole_numbers(6, 2, 3, 2, seed=4), whole_numbers(6, seed=5), 3),
        (whole_numbers(1, 4, 3, 4, seed=6), whole_numbers(4, 1, 2, 2, seed=7), whole_numbers(4, seed=8), 4),
        (whole_numbers(2, 3, 4, 4, seed=9), whole_numbers(5, 3, 2, 1, seed=10), whole_numbers(5, seed=11), 1),
    ],
    fault=too_few_maps,
    oracle=lambda maps, weight, bias, groups: functional.conv2d(maps, weight, bias, groups=groups),
    also=without_groups,
    hint="For each group: slice its channels, its filters and its biases, and convolve. Then join the maps.",
    wrong={
        "(g + 1) * filters) -> g * filters + 1)": "one map per group",
        "sum(parts)": "as many maps as one group makes",
        "[:, g * channels : (g + 1) * channels] -> [:, :channels]": "All your groups read the channels of group 0: let "
        "the slice move on with the group.",
        "[:, g * channels : (g + 1) * channels] -> [:, g::groups]": "You deal the channels out one by one. The "
        "channels of a group are neighbours: the first C_in/G belong to group 0.",
        "weight[own] -> weight[:filters]": "All your groups use the filters of group 0: let their slice move on with "
        "the group as well.",
        "bias[own]) -> bias[g].expand(filters))": "You give each group one bias. Each filter has its own.",
        ", bias[own] -> ": "The bias is missing: one number for each filter, added to its whole map.",
        "functional.conv2d(maps, weight, bias, groups=groups)": "functional.conv2d makes the groups",
        "torch.conv2d(*(numbers.double() for numbers in (maps, weight, bias)), groups=groups)": "convolution makes",
    },
)
def grouped_conv(maps, weight, bias, groups):
    channels = maps.shape[1] // groups  # that each group reads
    filters = weight.shape[0] // groups  # that each group has
    parts = []
    for g in range(groups):
        read = maps[:, g * channels : (g + 1) * channels]
        own = slice(g * filters, (g + 1) * filters)
        part = functional.conv2d(read, weight[own], bias[own])
        parts.append(part)
    return torch.cat(parts, dim=1)
