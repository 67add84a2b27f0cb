"""Solutions of the exercises in counting_in_practice. The chapter's stubs and folded solutions are made from them."""

from itertools import product

import torch
from torch import nn

from dslib import counting


def layer_operations(in_channels, out_channels, kernel_size, out_size, groups):
    numbers = out_channels * out_size**2  # that the layer writes
    products = in_channels // groups * kernel_size**2  # in each of them
    # To each of them the bias is added as well.
    return numbers * products, numbers * (products + 1)


def training_step_macs(forward):
    weights = sum(forward)  # for the gradients of the weights
    inputs = sum(forward[1:])  # nobody asks for the image's gradient
    return sum(forward) + weights + inputs


def reported_count(model, size):
    report = counting.count(model, input_size=size)
    left_out = report.other + report.uncounted
    return {
        "MACs": report.macs // size[0],
        "parameters": report.params,
        "left out": sorted(entry.operation for entry in left_out),
    }


def rules_that_fit(printed, parts):
    found = []
    for m, b, e, p in product((1, 2), (0, 1), range(5), (0, 1)):
        numbers = []
        for macs, biases, elements, params in parts:
            numbers.append(m * macs + b * biases + e * elements + p * params)
        if numbers == printed:
            found.append((m, b, e, p))
    return found


def hidden_pointwise(maps, weight):
    # axes: images, output channels, input channels, height, width
    products = maps[:, None] * weight[:, :, None, None]
    return products.sum(2)


def count_modules(model, x):
    found, hooks = [], []

    def add(module, inputs, output):
        found.append(output.numel() * module.weight[0].numel())

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            hooks.append(module.register_forward_hook(add))
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(found)
