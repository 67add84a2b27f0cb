"""The layers that the explorer shows, built with torch: what its shapes and counts are compared with."""

import torch
from torch import nn


def convolutions(
    kind,
    in_channels,
    out_channels,
    groups=1,
    kernel_size=3,
    stride=1,
    padding=1,
    dilation=1,
    ratio=2,
    dw_kernel_size=3,
    device="meta",
    **_,
):
    """The convolutions of the layer in order, without bias; on the meta device they have shapes and no values."""
    window = {"stride": stride, "padding": padding, "dilation": dilation}
    with torch.device(device):
        if kind == "separable":
            depthwise = nn.Conv2d(in_channels, in_channels, kernel_size, groups=in_channels, bias=False, **window)
            return [depthwise, nn.Conv2d(in_channels, out_channels, 1, bias=False)]
        if kind == "ghost":
            maps = (out_channels + ratio - 1) // ratio
            primary = nn.Conv2d(in_channels, maps, kernel_size, bias=False, **window)
            made = maps * (ratio - 1)
            cheap = nn.Conv2d(maps, made, dw_kernel_size, padding=dw_kernel_size // 2, groups=maps, bias=False)
            return [primary, cheap]
        return [nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=False, **window)]


def run(kind, layers, x, out_channels):
    """All maps from the input to the output; a Ghost module joins its maps and cuts what is too much."""
    maps = [x]
    for layer in layers:
        maps.append(layer(maps[-1]))
    if kind == "ghost":
        maps[-1] = torch.cat(maps[-2:], dim=1)[:, :out_channels]
    return maps
