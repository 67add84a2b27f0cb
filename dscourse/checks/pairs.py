"""Whether a network is a dense one with as few separable pairs as a budget of MACs asks for, and if not, why."""

import copy
import itertools

import torch
from torch import nn

from dslib import cost, counting

from .watch import Operations


def steps(net: nn.Module, image: tuple) -> tuple[list, tuple]:
    """What runs on an image: ``(module, shape of its output)`` for each module without parts; and the last shape.

    Before each module stand the operations since the last one, as ``(name, None)``.
    """
    net, found = copy.deepcopy(net).to("meta").eval(), []  # shapes alone: nothing is computed
    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, _, out: found.append((module, tuple(out.shape))))
    with torch.no_grad(), Operations(lambda name, _: found.append((name, None))):
        return found, tuple(net(torch.empty(image, device="meta")).shape)


# in the names of the operations that are no activations
LINEAR = "norm", "convolution", "add", "sub", "mul", "div", "pad", "view", "empty", "clone", "copy", "detach", "alias"


def fault_of_halves(dense, shape, depthwise, between, pointwise, after) -> str:
    """What is wrong with a pair in the place of a dense convolution; ``shape``, ``after``: of the maps."""
    side, channels, groups = dense.kernel_size[0], dense.in_channels, depthwise.groups
    if groups == 1 and depthwise.kernel_size == (1, 1) != dense.kernel_size:
        return "the pointwise half comes first. The depthwise half does: it filters, then channels are mixed."
    if groups == 1:
        return f"the first half has no groups, so it is dense. A depthwise half needs groups={channels}."
    if groups != channels:
        return f"the first half has groups={groups}. In a depthwise half each of the {channels} channels is one."
    if depthwise.kernel_size != dense.kernel_size:
        return f"the depthwise half has the kernel {depthwise.kernel_size}, it should keep the {side} by {side}."
    if pointwise.groups > 1 or pointwise.kernel_size != (1, 1):
        return "no 1 by 1 convolution comes after the depthwise half, so its channels are not mixed."
    if pointwise.stride != (1, 1):
        return "the stride is in the pointwise half, which skips what the depthwise half has worked out."
    if after != shape:
        return f"the maps are {after} after it and should be {shape}. Do stride and padding go to the depthwise half?"
    names = [step for step in between if isinstance(step, str)]  # norms, activations, and the pointwise half itself
    if all(any(word in name for word in LINEAR) for name in names):
        return (
            "no activation stands between the halves. Without one they are a single dense convolution, whose kernels "
            "have rank 1 for each input channel. MobileNetV1 has a batch norm and a ReLU there."
        )
    if not any("norm" in name for name in names):
        return "no batch norm stands between the halves. MobileNetV1 has one after each convolution."
    return ""


def fault_of_layers(wanted: list, found: list) -> tuple[str, int]:
    """What is wrong with the convolutions found in place of those wanted, and how many are replaced by pairs."""
    convs, replaced = [place for place, (module, _) in enumerate(found) if isinstance(module, nn.Conv2d)], 0
    for number, (dense, shape) in enumerate(wanted, start=1):
        name = f"convolution {number}, {dense.in_channels} to {dense.out_channels} channels,"
        if not convs:
            return f"Nothing is left in the place of {name} neither a dense layer nor a pair.", replaced
        place = convs.pop(0)
        conv, after = found[place]
        if (conv.weight.shape, after) == (dense.weight.shape, shape):
            continue
        if number == 1:
            return (
                f"Convolution 1 should stay as it is, dense and with {dense.out_channels} filters: a depthwise half "
                "could filter no more than the three colours."
            ), 0
        replaced += 1
        end = convs.pop(0) if convs else place
        between = [module for module, _ in found[place + 1 : end]]
        if wrong := fault_of_halves(dense, shape, conv, between, *found[end]):
            return f"In the place of {name} {wrong}", replaced
    return ("After the last pair there are more convolutions." if convs else ""), replaced


def fewest_pairs(dense: list, too_many: int) -> int:
    """How many of the convolutions but the first have to become pairs to save so many MACs."""

    def saved(layer, shape):
        sizes = layer.in_channels, layer.out_channels, layer.kernel_size, shape[2:]
        return cost.conv2d(*sizes).macs - cost.depthwise_separable_conv2d(*sizes).macs

    savings = sorted((saved(*layer) for layer in dense[1:]), reverse=True)
    return next(number for number in itertools.count() if sum(savings[:number]) >= too_many)


def fault_of_budget(macs: int, before: int, budget: int, dense: list, replaced: int) -> str:
    """What is wrong with the number of pairs; ``before``: the MACs of the dense network."""
    if macs > budget:
        return (
            f"Your network takes {macs:,} MACs, {macs - budget:,} more than the budget of {budget:,}. Replaced: "
            f"{replaced} of {len(dense)} convolutions. Count again after each, and go on until the budget is met."
        )
    enough = fewest_pairs(dense, before - budget)
    if replaced > enough:
        return (
            f"The budget is kept, but with more pairs than it takes: {replaced}, where {enough} would do. Begin with "
            "the convolution that saves the most MACs. The weights alone do not tell which: they are used at every "
            "position."
        )
    return ""


def fault_of_network(answer, net: nn.Module, size: int, budget: int) -> str:
    """What is wrong with the answer in the place of the dense ``net``, on images of ``size`` by ``size`` pixels."""
    if not isinstance(answer, nn.Module):
        return "It should return a network: a torch module, such as nn.Sequential."
    image = (1, 3, size, size)
    layers, scores = steps(net, image)
    dense = [(layer, shape) for layer, shape in layers if isinstance(layer, nn.Conv2d)]
    try:
        (found, shape), macs = steps(answer, image), counting.count(answer, input_size=image).macs
    except Exception as error:  # whatever goes wrong in the reader's network is told
        return f"Your network does not run on an image of {size} by {size} pixels: {error}".rstrip(".") + "."
    if shape != scores:
        return f"Your network returns the shape {shape}, the dense one {scores}: replace convolutions alone."
    wrong, replaced = fault_of_layers(dense, found)
    return wrong or fault_of_budget(macs, counting.count(net, input_size=image).macs, budget, dense, replaced)
