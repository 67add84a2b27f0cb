"""Solutions of the exercises in ghostnet. The chapter's stubs and folded solutions are made from them."""

import math

import torch
from torch import nn

from dslib import cost, counting


def ghost_least_channels(K, d):
    return d**2 // K**2 + 1


def ghost_speed_up(C_in, C_out, K, s, d):
    mixed = C_in * K**2  # products for a number made from the input
    intrinsic = math.ceil(C_out / s)
    ghosts = intrinsic * (s - 1)
    return C_out * mixed / (intrinsic * mixed + ghosts * d**2)


def ghost_maps(maps, primary, cheap, out_channels):
    conv2d = nn.functional.conv2d
    few = conv2d(maps, primary, padding=primary.shape[-1] // 2)
    pad = cheap.shape[-1] // 2
    more = conv2d(few, cheap, padding=pad, groups=len(few))
    return torch.cat([few, more])[:out_channels]


def grey_twins():
    filters = torch.zeros(2, 3, 3, 3)
    filters[0, 0, 1, 1] = 1.0  # reads the red pixel
    filters[1, 2, 1, 1] = 1.0  # reads the blue pixel
    return filters


def ghost_resnet_50(ratio):
    def layer(path, out_channels, kernel_size, stride=1):
        if ratio is None:
            path.conv2d("conv", out_channels, kernel_size, stride, norm="norm")
        else:
            m = math.ceil(out_channels / ratio)
            path.conv2d("primary", m, kernel_size, stride, norm="norm")
            cheap = path.branch()
            ghosts = m * (ratio - 1)  # each from one intrinsic map
            cheap.conv2d("cheap", ghosts, 3, groups=m, norm="norm")
            path.concat(cheap)
            path.keep(out_channels)  # the surplus is cut off

    net = cost.Network(3, 224)
    net.conv2d("first", 64, 7, stride=2, norm="norm")
    net.pool(3, stride=2, padding=1)
    for blocks, inside in [(3, 64), (4, 128), (6, 256), (3, 512)]:
        for block in range(blocks):
            stride = 2 if block == 0 and inside > 64 else 1
            shortcut = net.branch()
            layer(net, inside, 1)
            layer(net, inside, 3, stride)
            layer(net, 4 * inside, 1)
            if block == 0:
                layer(shortcut, 4 * inside, 1, stride)
            net.add(shortcut)
    net.global_pool()
    net.linear("classifier", 1000)
    return net


def separable_within(net, size, budget):
    def pair(conv):
        c, c_out = conv.in_channels, conv.out_channels
        settings = conv.kernel_size, conv.stride, conv.padding
        depthwise = nn.Conv2d(c, c, *settings, groups=c, bias=False)
        pointwise = nn.Conv2d(c, c_out, 1, bias=False)
        between = nn.BatchNorm2d(c), nn.ReLU()
        return nn.Sequential(depthwise, *between, pointwise)

    def with_pair(layers, at):
        return [*layers[:at], pair(layers[at]), *layers[at + 1 :]]

    def macs(layers):
        image = (1, 3, size, size)
        return counting.count(nn.Sequential(*layers), input_size=image).macs

    layers = list(net)
    convs = [at for at in range(len(net)) if isinstance(net[at], nn.Conv2d)]
    # those that save the most come first; the first layer stays as it is
    for at in sorted(convs[1:], key=lambda at: macs(with_pair(layers, at))):
        if macs(layers) > budget:
            layers = with_pair(layers, at)
    return nn.Sequential(*layers)
