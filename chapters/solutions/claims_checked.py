"""Solutions of the exercises in claims_checked. The chapter's stubs and folded solutions are made from them."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import torch


def verdict_from(cases, in_the_limit):
    if all(cases):
        return "right"
    if any(cases):
        return "conditional"
    return "limit only" if in_the_limit else "wrong"


def counterexample():
    return 6, 8, 1  # C_in, C_out, K


def what_was_counted(number, in_channels, out_channels, kernel_size, side):
    weights = out_channels * in_channels * kernel_size**2
    macs = weights * side**2
    names = {weights: "parameters", macs: "MACs", 2 * macs: "FLOPs"}
    return names.get(number, "something else")


def how_printed(printed, exact):
    wanted, millions = Decimal(printed), Decimal(exact) / 10**6
    if millions.quantize(wanted, ROUND_HALF_UP) == wanted:
        return "rounded"
    if millions.quantize(wanted, ROUND_DOWN) == wanted:
        return "cut off"
    return "neither"


def two_are_cheaper(channels):
    two = 2 * (9 * channels + channels**2)
    one = 25 * channels + channels**2
    return two < one


def dense_to_pair(weight, depth_multiplier):
    C_out, C_in, K_h, K_w = weight.shape
    m = depth_multiplier
    matrices = weight.transpose(0, 1).flatten(2)  # (C_in, C_out, K_h * K_w)
    columns, sizes, rows = torch.linalg.svd(matrices, full_matrices=False)
    columns = (columns * sizes[:, None])[:, :, :m]  # the sizes go to one half
    depthwise_weight = rows[:, :m].reshape(C_in * m, 1, K_h, K_w)
    pointwise_weight = columns.transpose(0, 1).reshape(C_out, C_in * m, 1, 1)
    return depthwise_weight, pointwise_weight
