"""Solutions of the exercises in depthwise_separable_convolution: the chapter's stubs are made from them too."""

import torch


def pair_shapes(in_channels, out_channels, kernel_size, depth_multiplier):
    middle = in_channels * depth_multiplier  # intermediate maps
    depthwise_shape = (middle, 1, kernel_size, kernel_size)
    pointwise_shape = (out_channels, middle, 1, 1)
    return depthwise_shape, pointwise_shape


def swapped_weight(pointwise_weight, depthwise_weight):
    # W[o, c] = P[o, c] * D[o]: output o sees its mixture through one kernel
    return pointwise_weight * depthwise_weight


def needed_multiplier(weight):
    matrices = weight.transpose(0, 1).flatten(2)  # one for each input channel
    return int(torch.linalg.matrix_rank(matrices).max())


def close_pair(weight, error):
    C_out, C_in, K_h, K_w = weight.shape
    matrices = weight.transpose(0, 1).flatten(2)  # one for each input channel
    sizes = torch.linalg.svdvals(matrices)  # (C_in, number of terms)
    m = 1
    while sizes[:, m:].norm() > error * sizes.norm():
        m += 1
    return m, m * C_in * (K_h * K_w + C_out)


def edge_pair():
    right_left = torch.zeros(3, 3)
    right_left[1, 0], right_left[1, 2] = -1, 1
    below_above = right_left.T
    four = [right_left, -right_left, below_above, -below_above]
    depthwise_weight = torch.stack(four * 3)[:, None]  # four for each channel
    pointwise_weight = torch.ones(1, 12, 1, 1)
    return depthwise_weight, pointwise_weight


def separable_by_hand(maps, depthwise, pointwise, stride, padding):
    C_in, H, W = maps.shape
    middle_channels, _, K_h, K_w = depthwise.shape
    m = middle_channels // C_in  # the depth multiplier
    padded = torch.zeros(C_in, H + 2 * padding, W + 2 * padding).to(maps)
    padded[:, padding : padding + H, padding : padding + W] = maps
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    middle = torch.zeros(middle_channels, H_out, W_out).to(maps)
    for k in range(middle_channels):  # depthwise: each kernel, one channel
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                window = padded[k // m, top : top + K_h, left : left + K_w]
                middle[k, i, j] = (window * depthwise[k, 0]).sum()
    C_out = len(pointwise)
    output = torch.zeros(C_out, H_out, W_out).to(maps)
    for o in range(C_out):  # pointwise: mix the intermediate maps
        for k in range(middle_channels):
            output[o] += pointwise[o, k, 0, 0] * middle[k]
    return output
