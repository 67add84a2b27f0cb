"""Solutions of the exercises in group_convolution. The chapter's stubs and folded solutions are made from them."""

import torch

from dslib import functional


def groups_fit(in_channels, out_channels, groups):
    return in_channels % groups == 0 and out_channels % groups == 0


def grouped_weight_shape(in_channels, out_channels, kernel_size, groups):
    return (out_channels, in_channels // groups, kernel_size, kernel_size)


def grouped_cost(in_channels, out_channels, kernel_size, side, groups, bias):
    weights = out_channels * in_channels // groups * kernel_size**2
    params = weights + (out_channels if bias else 0)
    macs = weights * side**2
    return params, macs


def diagonal_blocks(weight, groups):
    filters = weight.shape[0] // groups  # that each group has
    channels = weight.shape[1] // groups  # that each group reads
    blocks = []
    for g in range(groups):
        own = weight[g * filters : (g + 1) * filters]
        blocks.append(own[:, g * channels : (g + 1) * channels])
    return torch.cat(blocks)


def shuffle_mixes(channels, groups):
    return channels // groups >= groups


def grouped_conv(maps, weight, bias, groups):
    channels = maps.shape[1] // groups  # that each group reads
    filters = weight.shape[0] // groups  # that each group has
    parts = []
    for g in range(groups):
        read = maps[:, g * channels : (g + 1) * channels]
        own = slice(g * filters, (g + 1) * filters)
        parts.append(functional.conv2d(read, weight[own], bias[own]))
    return torch.cat(parts, dim=1)
