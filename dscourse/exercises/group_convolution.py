"""Checks of the exercises in the chapter group_convolution."""

import torch
from torch import nn

from dslib import cost, functional, geometry

from .feedback import Feedback, Mistake, examine, inspect
from .inputs import whole_numbers


def check_groups_fit(reader_function) -> Feedback:
    """``groups_fit(in_channels, out_channels, groups)``: whether a layer allows this number of groups."""
    reversed_rule = (
        "The division is the wrong way round. The groups share the channels, so it is the channels that must be "
        "divisible by groups."
    )
    return examine(
        reader_function,
        cases=[
            (6, 10, 2),
            (6, 10, 3),
            (6, 10, 5),
            (6, 10, 4),
            (6, 12, 6),
            (6, 6, 12),
            (24, 36, 6),
            (24, 36, 8),
            (7, 9, 1),
        ],
        truth=lambda c_in, c_out, groups: groups in geometry.legal_groups(c_in, c_out),
        mistakes=[
            Mistake(lambda c_in, c_out, groups: groups % c_in == 0 and groups % c_out == 0, reversed_rule),
            Mistake(lambda c_in, c_out, groups: groups % c_in == 0, reversed_rule),
            Mistake(
                lambda c_in, c_out, groups: c_in % groups == 0,
                "You look at the input channels alone. The groups share the filters too, and each must get whole ones.",
            ),
            Mistake(
                lambda c_in, c_out, groups: c_out % groups == 0,
                "You look at the output channels alone. Each group must also get whole input channels to read.",
            ),
            Mistake(
                lambda c_in, c_out, groups: c_in % groups == 0 or c_out % groups == 0,
                "One side that can be divided is not enough: a group needs whole channels on both.",
            ),
        ],
        hint="How many input channels, and how many filters, would each group get? Both must be whole.",
    )


def check_grouped_weight_shape(reader_function) -> Feedback:
    """``grouped_weight_shape(in_channels, out_channels, kernel_size, groups)``: the shape of the weight, a tuple."""
    return examine(
        reader_function,
        cases=[(6, 10, 3, 2), (24, 36, 5, 12), (12, 8, 1, 4), (3, 7, 2, 1)],
        truth=lambda c_in, c_out, k, groups: tuple(
            nn.Conv2d(c_in, c_out, k, groups=groups, device="meta").weight.shape
        ),
        mistakes=[
            Mistake(
                lambda c_in, c_out, k, groups: (c_out, c_in, k, k),
                "This is the weight of a standard layer. In a group a filter has kernels for that group's channels "
                "only.",
            ),
            Mistake(
                lambda c_in, c_out, k, groups: (c_out // groups, c_in // groups, k, k),
                "This is the weight of one group. The layer keeps the filters of all groups, one behind the other.",
            ),
            Mistake(
                lambda c_in, c_out, k, groups: (c_out // groups, c_in, k, k),
                "You divided the filters. There are as many filters as output channels, whatever the groups: what gets "
                "shorter is each filter.",
            ),
            Mistake(
                lambda c_in, c_out, k, groups: (c_in, c_out // groups, k, k),
                "C_in and C_out are swapped: the first axis counts the filters, the second the channels that each of "
                "them reads.",
            ),
        ],
        hint="How many filters are there in all, and how many channels does one of them read?",
    )


def price(c_in, c_out, k, side, groups, bias):
    """Parameters and MACs of a grouped layer."""
    layer = cost.conv2d(c_in, c_out, k, output_size=side, groups=groups, bias=bias)
    return layer.params, layer.macs


def price_with_biases(count):
    """The same, had the layer ``count(c_out, groups)`` biases in place of one for each output channel."""

    def wrong(c_in, c_out, k, side, groups, bias):
        weights, macs = price(c_in, c_out, k, side, groups, False)
        return weights + (count(c_out, groups) if bias else 0), macs

    return wrong


def price_of_one_group(c_in, c_out, k, side, groups, bias):
    """The same, with the weights of a single group and the biases of all."""
    weights, macs = price(c_in // groups, c_out // groups, k, side, 1, False)
    return weights + (c_out if bias else 0), macs


def check_grouped_cost(reader_function) -> Feedback:
    """``grouped_cost(in_channels, out_channels, kernel_size, side, groups, bias)``: its parameters and its MACs."""
    return examine(
        reader_function,
        cases=[(24, 36, 5, 1, 12, True), (6, 10, 3, 98, 2, False), (8, 4, 3, 7, 2, True), (3, 5, 1, 9, 1, True)],
        truth=price,
        mistakes=[
            Mistake(
                lambda c_in, c_out, k, side, groups, bias: price(c_in, c_out, k, side, 1, bias),
                "Your function does not use groups: a filter has kernels for the channels of its own group only.",
            ),
            Mistake(
                price_of_one_group,
                "You divide the channels on both sides, so you count the weights of one group. The layer has as many "
                "such groups as groups says.",
            ),
            Mistake(
                price_with_biases(lambda c_out, groups: groups),
                "You give each group one bias. Each output channel has its own, in whatever group it is.",
            ),
            Mistake(
                price_with_biases(lambda c_out, groups: groups * c_out),
                "You count the biases once for each group. A filter belongs to one group only, so count them once.",
            ),
            Mistake(
                price_with_biases(lambda c_out, groups: c_out // groups),
                "You divide the biases too. There are as many output channels as before, and each has a bias.",
            ),
            Mistake(
                price_with_biases(lambda c_out, groups: 0),
                "The biases are missing: one for each output channel, where bias is True.",
            ),
            Mistake(
                lambda *layer: (price(*layer)[0], 2 * price(*layer)[1]),
                "Your second number is FLOPs: a multiplication and the addition after it are one MAC.",
            ),
            Mistake(
                lambda *layer: (price(*layer)[0], price(*layer)[0] * layer[3] ** 2),
                "Your MACs contain the bias. It is added, and nothing is multiplied with it: weights times positions.",
            ),
        ],
        hint="The weights first: their shape multiplied out. Then add the biases, and apart from that multiply by the "
        "positions.",
    )


def check_diagonal_blocks(reader_function) -> Feedback:
    """``diagonal_blocks(weight, groups)``: ``(C_out, C_in, K_h, K_w)`` to ``(C_out, C_in/G, K_h, K_w)``."""

    def within(weight, groups):  # where a grouped layer has its kernels
        C_out, C_in, *kernel = weight.shape
        return functional.dense_weight(torch.ones(C_out, C_in // groups, *kernel), groups) == 1

    def cut(weight, groups):
        C_out, C_in, *kernel = weight.shape
        return weight[within(weight, groups)].reshape(C_out, C_in // groups, *kernel)

    def sizes_swapped(weight, groups):
        f, c = (channels // groups for channels in weight.shape[:2])
        return torch.cat([weight[g * c : (g + 1) * c, g * f : (g + 1) * f] for g in range(groups)])

    return examine(
        reader_function,
        cases=[
            (whole_numbers(4, 6, 2, 3), 2),
            (whole_numbers(6, 9, 1, 2, seed=1), 3),
            (whole_numbers(3, 3, 3, 3, seed=2), 3),
            (whole_numbers(2, 5, 2, 2, seed=3), 1),
        ],
        truth=cut,
        mistakes=[
            Mistake(
                lambda weight, groups: weight * within(weight, groups),
                "You set the kernels between the groups to 0. A grouped layer does not have them: cut them out.",
            ),
            Mistake(
                lambda weight, groups: weight[:, : weight.shape[1] // groups],
                "All your filters read the channels of group 0. The next group's filters read the next channels.",
            ),
            Mistake(
                sizes_swapped,
                "C_in and C_out are swapped: rows are filters, C_out/G for each group, and columns are the C_in/G "
                "channels that they read.",
            ),
            Mistake(
                lambda weight, groups: torch.cat([weight[g::groups, g::groups] for g in range(groups)]),
                "You take every G-th filter and channel. The channels of a group are neighbours: the first C_in/G "
                "belong to group 0.",
            ),
        ],
        hint="A group is a block of C_out/G rows and C_in/G columns. Cut the blocks out and put one below the other.",
    )


def check_shuffle_mixes(reader_function) -> Feedback:
    """``shuffle_mixes(channels, groups)``: whether one shuffle between two grouped layers joins all with all."""

    def tried_out(channels, groups):
        one_layer = functional.dense_weight(torch.ones(channels, channels // groups, 1, 1), groups)[:, :, 0, 0]
        order = torch.arange(channels).reshape(groups, -1).T.flatten()
        return bool((one_layer @ one_layer[order] > 0).all())

    return examine(
        reader_function,
        cases=[(6, 2), (6, 3), (9, 3), (12, 3), (12, 4), (12, 1), (8, 8), (16, 4), (10, 5)],
        truth=tried_out,
        mistakes=[
            Mistake(
                lambda channels, groups: channels // groups > groups,
                "You ask for one channel more than is needed: a group that reads one map from each group is enough.",
            ),
            Mistake(
                lambda channels, groups: channels // groups <= groups,
                "The comparison is the wrong way round: it is few channels in many groups that stay apart.",
            ),
            Mistake(
                lambda channels, groups: channels // groups > 1,
                "With more than one channel a group meets some other groups, but it must meet all of them.",
            ),
            Mistake(
                lambda channels, groups: True,
                "You say True to everything. With 8 channels in 8 groups a shuffle changes nothing.",
            ),
            Mistake(
                lambda channels, groups: channels % groups**2 == 0,
                "You ask that each group read equally many maps from all groups. One from each is enough, and some may "
                "send more.",
            ),
        ],
        hint="A group of the second layer reads channels / groups maps. From how many groups must they come?",
    )


def wrong_number_of_maps(output, maps, weight, bias, groups):
    """What to say of an output that has the maps of too few filters."""
    C_out, found = len(weight), output.shape[1] if isinstance(output, torch.Tensor) and output.dim() == 4 else None
    if found == groups < C_out:
        return "Your output has one map per group: did you loop over the filters of each group?"
    if found == C_out // groups < C_out:
        return (
            "Each image has as many maps as one group makes. Put the maps of all groups one behind the other, along "
            "the axis of the channels."
        )
    return ""


def check_grouped_conv(reader_function) -> Feedback:
    """``grouped_conv(maps, weight, bias, groups)``: ``(N, C_in, H, W)`` to ``(N, C_out, H_out, W_out)``."""

    def conv(maps, weight, bias, groups):
        return functional.conv2d(maps, weight, bias, groups=groups)

    hint = "For each group: slice its channels, its filters and its biases, and convolve. Then join the maps."
    cases = [
        (whole_numbers(1, 6, 4, 5), whole_numbers(8, 3, 2, 3, seed=1), whole_numbers(8, seed=2), 2),
        (whole_numbers(2, 6, 5, 3, seed=3), whole_numbers(6, 2, 3, 2, seed=4), whole_numbers(6, seed=5), 3),
        (whole_numbers(1, 4, 3, 4, seed=6), whole_numbers(4, 1, 2, 2, seed=7), whole_numbers(4, seed=8), 4),
        (whole_numbers(2, 3, 4, 4, seed=9), whole_numbers(5, 3, 2, 1, seed=10), whole_numbers(5, seed=11), 1),
    ]
    return inspect(reader_function, cases, wrong_number_of_maps, hint) and examine(
        reader_function,
        cases,
        truth=conv,
        mistakes=[
            Mistake(
                lambda maps, weight, bias, g: conv(maps[:, : weight.shape[1]].repeat(1, g, 1, 1), weight, bias, g),
                "All your groups read the channels of group 0: let the slice move on with the group.",
            ),
            Mistake(
                lambda maps, weight, bias, g: conv(
                    torch.cat([maps[:, own::g] for own in range(g)], dim=1), weight, bias, g
                ),
                "You deal the channels out one by one. The channels of a group are neighbours: the first C_in/G belong "
                "to group 0.",
            ),
            Mistake(
                lambda maps, weight, bias, g: conv(maps, weight[: len(weight) // g].repeat(g, 1, 1, 1), bias, g),
                "All your groups use the filters of group 0: let their slice move on with the group as well.",
            ),
            Mistake(
                lambda maps, weight, bias, g: conv(maps, weight, bias[:g].repeat_interleave(len(weight) // g), g),
                "You give each group one bias. Each filter has its own.",
            ),
            Mistake(
                lambda maps, weight, bias, g: conv(maps, weight, None, g),
                "The bias is missing: one number for each filter, added to its whole map.",
            ),
        ],
        hint=hint,
    )
