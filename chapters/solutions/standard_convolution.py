"""Solutions of the exercises in standard_convolution. The chapter's stubs and folded solutions are made from them."""

import torch


def weight_shape(in_channels, out_channels, kernel_height, kernel_width):
    return (out_channels, in_channels, kernel_height, kernel_width)


def output_side(size, kernel_size, stride, padding, dilation):
    span = dilation * (kernel_size - 1) + 1  # of the spread kernel
    return (size + 2 * padding - span) // stride + 1


def conv_params(in_channels, out_channels, kernel_size, bias):
    weights = out_channels * in_channels * kernel_size**2
    return weights + (out_channels if bias else 0)


def conv_macs(in_channels, out_channels, kernel_size, size, stride, padding):
    side = (size + 2 * padding - kernel_size) // stride + 1  # of the output
    weights = out_channels * in_channels * kernel_size**2
    return weights * side**2


def redness():
    weight = torch.zeros(1, 3, 3, 3)
    weight[0, :, 1, 1] = torch.tensor([1.0, -0.5, -0.5])
    return weight


def conv2d_by_hand(maps, weight, stride, padding):
    C_in, H, W = maps.shape
    C_out, C_in, K_h, K_w = weight.shape
    padded = torch.zeros(C_in, H + 2 * padding, W + 2 * padding).to(maps)
    padded[:, padding : padding + H, padding : padding + W] = maps
    H_out = (H + 2 * padding - K_h) // stride + 1
    W_out = (W + 2 * padding - K_w) // stride + 1
    output = torch.zeros(C_out, H_out, W_out).to(maps)
    for o in range(C_out):
        for i in range(H_out):
            for j in range(W_out):
                top, left = i * stride, j * stride
                window = padded[:, top : top + K_h, left : left + K_w]
                output[o, i, j] = (window * weight[o]).sum()
    return output
