"""Solutions of the exercises in depthwise_convolution. The chapter's stubs and folded solutions are made from them."""

import math

import torch


def depthwise_padding(kernel_size, stride):
    return (kernel_size - 1) // 2


def depthwise_cost(in_channels, kernel_size, size, stride, depth_multiplier):
    side = math.ceil(size / stride)  # of the output
    weights = in_channels * depth_multiplier * kernel_size**2
    macs = weights * side**2
    return weights, macs


def align_colours():
    weight = torch.zeros(3, 1, 3, 3)
    weight[0, 0, 1, 2] = 1  # red: the pixel on the right
    weight[1, 0, 1, 1] = 1  # green: the pixel itself
    weight[2, 0, 1, 0] = 1  # blue: the pixel on the left
    return weight


def channels_read(layer, in_channels, out_channel):
    before = torch.zeros(1, in_channels, 9, 9)
    found = []
    for c in range(in_channels):
        after = before.clone()
        after[0, c] += 1
        change = layer(after) != layer(before)
        if change[0, out_channel].any():
            found.append(c)
    return found


def merge_depthwise(a, b):
    pairs = torch.stack([a, b], dim=1)  # (C, 2, 1, K, K)
    return pairs.flatten(0, 1)


def depthwise_by_hand(maps, weight, stride):
    C_in, H, W = maps.shape
    C_out, _, K_h, K_w = weight.shape
    multiplier = C_out // C_in
    H_out = (H - K_h) // stride + 1
    W_out = (W - K_w) // stride + 1
    output = torch.zeros(C_out, H_out, W_out).to(maps)
    for o in range(C_out):
        read = maps[o // multiplier]  # the channel that output o reads
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                window = read[top : top + K_h, left : left + K_w]
                output[o, i, j] = (window * weight[o, 0]).sum()
    return output
