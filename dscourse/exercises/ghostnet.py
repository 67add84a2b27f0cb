"""Checks of the exercises in the chapter ghostnet."""

import copy
import itertools
import math

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dscourse.checks.inputs import whole_numbers
from dslib import cost, counting, functional

from .feedback import Feedback, Mistake, examine, inspect


def check_ghost_least_channels(reader_function) -> Feedback:
    """``ghost_least_channels(K, d)``: the fewest input channels with which a Ghost module saves MACs."""

    def least(K, d):
        saves = (
            c for c in itertools.count(1) if cost.conv2d(c, 8, K, 9).macs > cost.ghost_module(c, 8, K, 9, 2, d).macs
        )
        return next(saves)

    return examine(
        reader_function,
        cases=[(1, 3), (1, 5), (3, 5), (3, 1), (5, 3), (3, 3)],
        truth=least,
        mistakes=[
            Mistake(
                lambda K, d: -(-(d**2) // K**2),
                "Where C_in * K * K is just d * d, a ghost takes as many products as a map of the convolution: nothing "
                "is saved yet.",
            ),
            Mistake(
                lambda K, d: d**2 // K**2,
                "With so many channels the module takes at least as many MACs as the convolution. It saves from one "
                "channel more on.",
            ),
            Mistake(
                lambda K, d: K**2 // d**2 + 1,
                "K and d are swapped: the large kernel d makes the ghosts expensive, the large kernel K the maps that "
                "they replace.",
            ),
            Mistake(
                lambda K, d: d // K + 1,
                "A kernel has d times d weights: compare the squares of the sides.",
            ),
        ],
        hint="It saves if one filter, with C_in * K * K products, takes more than one cheap kernel, with d * d.",
    )


def check_ghost_speed_up(reader_function) -> Feedback:
    """``ghost_speed_up(C_in, C_out, K, s, d)``: how many times fewer MACs than the convolution it replaces."""

    def truth(C_in, C_out, K, s, d):
        return cost.conv2d(C_in, C_out, K, 1).macs / cost.ghost_module(C_in, C_out, K, 1, s, d).macs

    def with_parts(C_in, C_out, K, intrinsic, ghosts, cheap_side, primary_side=None):
        return C_out * C_in * K**2 / (intrinsic * C_in * (primary_side or K) ** 2 + ghosts * cheap_side**2)

    def up(C_out, s):
        return math.ceil(C_out / s)

    return examine(
        reader_function,
        cases=[(10, 7, 3, 3, 3), (16, 32, 1, 2, 3), (12, 10, 3, 4, 5), (72, 40, 1, 2, 3)],
        truth=truth,
        mistakes=[
            Mistake(
                lambda c, n, K, s, d: with_parts(c, n, K, n // s, n // s * (s - 1), d),
                "You round the number of intrinsic maps down. Two of them with two ghosts each are six maps, and seven "
                "are asked for: round up.",
            ),
            Mistake(
                lambda c, n, K, s, d: with_parts(c, n, K, n / s, n / s * (s - 1), d),
                "You count with a fraction of a map where s does not divide C_out. The authors' code rounds the number "
                "of intrinsic maps up.",
            ),
            Mistake(
                lambda c, n, K, s, d: with_parts(c, n, K, up(n, s), n - up(n, s), d),
                "You count the ghosts that are kept. Those that are cut off are computed as well.",
            ),
            Mistake(
                lambda c, n, K, s, d: with_parts(c, n, K, up(n, s), up(n, s) * (s - 1), K),
                "You give the ghosts kernels of K by K. The cheap kernels are d by d.",
            ),
            Mistake(
                lambda c, n, K, s, d: with_parts(c, n, K, up(n, s), up(n, s) * (s - 1), K, d),
                "K and d are swapped in the module: K is the kernel that reads the input, d the cheap one.",
            ),
            Mistake(
                lambda c, n, K, s, d: s * c / (s + c - 1),
                "That is the paper's approximation. It holds for d = K only.",
            ),
            Mistake(
                lambda c, n, K, s, d: with_parts(c, n, K, up(n, s), up(n, s) * s, d),
                "You count s ghosts for each intrinsic map. The map itself is one of the s, so there are s - 1.",
            ),
            Mistake(
                lambda *case: 1 / truth(*case),
                "That is the share of the MACs that is left. How many times fewer is the other way round.",
            ),
        ],
        hint="The size of the maps is the same above and below, so count the weights: C_in * K * K for a map made from "
        "the input, d * d for a ghost.",
    )


def check_ghost_maps(reader_function) -> Feedback:
    """``ghost_maps(maps, primary, cheap, out_channels)``: the maps ``(out_channels, H, W)`` of a Ghost module."""

    def parts(maps, primary, cheap, change=lambda few: few):
        few = functional.conv2d(maps, primary, padding="same")
        return few, functional.depthwise_conv2d(change(few), cheap, padding="same")

    def ordered_otherwise(maps, primary, cheap, n):
        few = functional.conv2d(maps, primary, padding="same")
        again = torch.cat([few] * (len(cheap) // len(few)))  # kernel i on map i % m
        return torch.cat([few, functional.depthwise_conv2d(again, cheap, padding="same")])[:n]

    return examine(
        reader_function,
        cases=[
            (whole_numbers(2, 3, 3), whole_numbers(2, 2, 1, 1, seed=1), whole_numbers(2, 1, 3, 3, seed=2), 4),
            (whole_numbers(3, 5, 6), whole_numbers(3, 3, 3, 3, seed=3), whole_numbers(6, 1, 3, 3, seed=4), 7),
            (whole_numbers(4, 4, 5), whole_numbers(2, 4, 1, 1, seed=5), whole_numbers(2, 1, 5, 5, seed=6), 3),
        ],
        truth=lambda maps, primary, cheap, n: functional.ghost_features(maps, primary, cheap, n, padding="same"),
        mistakes=[
            Mistake(
                lambda maps, primary, cheap, n: torch.cat(parts(maps, primary, cheap)),
                "You return all maps that are computed. Keep the first out_channels of them.",
            ),
            Mistake(
                lambda maps, primary, cheap, n: torch.cat(parts(maps, primary, cheap))[-n:],
                "You keep the last maps. What is too much is cut off at the end: intrinsic maps are always kept.",
            ),
            Mistake(
                lambda maps, primary, cheap, n: torch.cat(parts(maps, primary, cheap)[::-1])[:n],
                "The ghosts stand first. The intrinsic maps come first, then their ghosts.",
            ),
            Mistake(
                lambda maps, primary, cheap, n: torch.cat(parts(maps, primary, cheap, torch.relu))[:n],
                "A ReLU stands before the cheap operation. Here the module has no activation.",
            ),
            Mistake(
                ordered_otherwise,
                "With two ghosts for each intrinsic map, kernels 0 and 1 of cheap belong to map 0, kernels 2 and 3 to "
                "map 1, and so on: as in any depthwise convolution with a depth multiplier.",
            ),
        ],
        hint="A convolution of the input, padded to keep the size; a depthwise one of what it gives, padded too; both "
        "behind one another.",
    )


def check_grey_twins(reader_function) -> Feedback:
    """``grey_twins()``: two unlike filters ``(2, 3, 3, 3)`` that give the same map of every grey image."""

    def fault(filters):
        if not isinstance(filters, torch.Tensor) or filters.shape != (2, 3, 3, 3):
            return "It should be a tensor of shape (2, 3, 3, 3): two filters with three kernels each."
        first, second = filters.detach().double()
        on_grey = [one.sum(0) for one in (first, second)]  # equal channels: the three kernels act as their sum
        size = float(first.norm() * second.norm())  # weights of any size, in float32, may have been rounded
        if not size or on_grey[0].norm() < 1e-5 * first.norm():
            return "A filter makes an empty map of a grey image, which shows nothing."
        if not torch.allclose(*on_grey, atol=1e-5 * size**0.5):
            return (
                "The maps of a grey image differ. Where the channels are equal, a filter acts as the sum of its three "
                "kernels: the two sums have to be the same."
            )
        common = float((first * second).sum())
        if abs(common) > 1e-5 * size:
            return (
                f"The filters are not unlike enough: the products of their weights, place by place, add up to "
                f"{common:.6g} and should add up to 0."
            )
        return ""

    return inspect(reader_function, [()], fault)


def resnet_50_layers():
    """``(in_channels, out_channels, kernel_size, side)`` of each convolution but the first, as ResNet's Table 1."""
    channels, side = 64, 56
    for blocks, inside in [(3, 64), (4, 128), (6, 256), (3, 512)]:
        for block in range(blocks):
            before, side = side, side // 2 if block == 0 and inside > 64 else side
            if block == 0:
                yield channels, 4 * inside, 1, side
            yield from [(channels, inside, 1, before), (inside, inside, 3, side), (inside, 4 * inside, 1, side)]
            channels = 4 * inside


def resnet_50_price(ratio) -> cost.Cost:
    """ResNet-50's cost with Ghost modules of that ratio and d = 3, or with None for it as it is; all with norms."""
    price = cost.conv2d(3, 64, 7, 112) + cost.batch_norm2d(64, 112) + cost.linear(2048, 1000, bias=True)
    for c_in, c_out, k, side in resnet_50_layers():
        made = c_out if ratio is None else ratio * math.ceil(c_out / ratio)  # each map has its norm
        layer = cost.conv2d(c_in, c_out, k, side) if ratio is None else cost.ghost_module(c_in, c_out, k, side, ratio)
        price = price + layer + cost.batch_norm2d(made, side)
    return price


def check_ghost_resnet_50(reader_function) -> Feedback:
    """``ghost_resnet_50(ratio)``: a ``cost.Network``, ResNet-50 with Ghost modules, plain if ``ratio`` is ``None``."""

    def fault(net, ratio):
        if not isinstance(net, cost.Network):
            return "It should return the cost.Network itself, to which layer after layer was added."
        kinds = [row.kind for row in net.rows]
        convs, cheap = len(kinds) - kinds.count("norm") - kinds.count("linear"), kinds.count("depthwise")
        expected, found = resnet_50_price(ratio), net.total
        told = (
            f"With ratio {ratio} it should take {expected.macs:,} MACs and {expected.params:,} parameters, yours takes "
            f"{found.macs:,} and {found.params:,}."
        )
        if ratio is None and convs != 53:
            return (
                f"ResNet-50 has 53 convolutions, yours has {convs}. There are the first one, three in each of 16 "
                "bottlenecks, and one in the shortcut of the first bottleneck of each group."
            )
        if ratio is not None and cheap != 52:
            return (
                f"52 convolutions are replaced: all but the first, those in the shortcuts too. Yours has {cheap} cheap "
                "operations."
            )
        if kinds.count("norm") != convs:
            return 'A batch norm follows every convolution, also every cheap one: give the layer norm="norm".'
        if found.params != expected.params and ratio is None:
            return (
                f"{told} No stride changes the parameters. Does each path read the right map, that of the shortcut "
                "too? Is each map averaged to one number before the last layer?"
            )
        if found.macs != expected.macs and ratio is None:
            return (
                f"{told} The parameters are right, so look at the sizes: the pool's padding, and the strides. In which "
                "bottlenecks, and in which of their layers, is it 2?"
            )
        if (found.macs, found.params) != (expected.macs, expected.params):
            return (
                f"{told} The plain network is right. How many intrinsic maps are there (rounded up), how many ghosts "
                "of each, and how many maps does the next layer read?"
            )
        return ""

    return inspect(reader_function, [(None,), (2,), (3,)], fault)


class SmallCnn(nn.Sequential):
    """A dense CNN, short in a message and told in full where it is printed."""

    __str__ = nn.Sequential.__repr__

    def __repr__(self) -> str:
        return f"<CNN of {sum(isinstance(layer, nn.Conv2d) for layer in self)} convolutions>"


def small_cnn(rows) -> SmallCnn:
    """A CNN of ``(channels, kernel_size, stride)`` for three colours and ten classes; its weights play no part."""
    layers, before = [], 3
    for channels, k, stride in rows:
        conv = nn.utils.skip_init(nn.Conv2d, before, channels, k, stride, k // 2, bias=False)
        layers += [conv, nn.BatchNorm2d(channels), nn.ReLU()]
        before = channels
    return SmallCnn(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.utils.skip_init(nn.Linear, before, 10))


class Operations(TorchDispatchMode):
    """Adds the names of torch's operations to a list, also of those that no module does, such as ``x.relu()``."""

    def __init__(self, found):
        super().__init__()
        self.found = found

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.found.append((function.overloadpacket.__name__, None))
        return function(*args, **(kwargs or {}))


def steps(net, size) -> tuple:
    """What runs on an image: ``(module, shape of its output)`` for each module without parts; and the last shape.

    Before each module stand the operations since the last one, as ``(name, None)``.
    """
    net, found = copy.deepcopy(net).to("meta").eval(), []  # shapes alone: nothing is computed
    for module in net.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, _, out: found.append((module, tuple(out.shape))))
    image = torch.empty(1, 3, size, size, device="meta")
    with torch.no_grad(), Operations(found):
        return found, tuple(net(image).shape)


# in the names of the operations that are no activations
LINEAR = "norm", "convolution", "add", "sub", "mul", "div", "pad", "view", "empty", "clone", "copy", "detach", "alias"


def wrong_half(dense, shape, depthwise, between, pointwise, after) -> str:
    """What is wrong with the two halves that stand where a dense convolution was; ``shape``, ``after``: of the maps."""
    side, channels = dense.kernel_size[0], dense.in_channels
    if depthwise.groups == 1 and depthwise.kernel_size == (1, 1) != dense.kernel_size:
        return "the pointwise half comes first. The depthwise half does: it filters, then channels are mixed."
    if depthwise.groups == 1:
        return f"the first half has no groups, so it is dense. A depthwise half needs groups={channels}."
    if depthwise.groups != channels:
        return (
            f"the first half has groups={depthwise.groups}. In a depthwise half each of the {channels} channels is one."
        )
    if depthwise.kernel_size != dense.kernel_size:
        return f"the depthwise half has the kernel {depthwise.kernel_size}, it should keep the {side} by {side}."
    if not isinstance(pointwise, nn.Conv2d) or pointwise.groups > 1 or pointwise.kernel_size != (1, 1):
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


def wrong_layers(wanted, found) -> tuple:
    """What is wrong with the convolutions found in place of those wanted, and how many are replaced by pairs."""
    convs = [place for place, (module, _) in enumerate(found) if isinstance(module, nn.Conv2d)]
    replaced = 0
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
        if wrong := wrong_half(dense, shape, conv, between, found[end][0], found[end][1]):
            return f"In the place of {name} {wrong}", replaced
    return ("After the last pair there are more convolutions." if convs else ""), replaced


def fewest_pairs(dense, too_many) -> int:
    """How many of the convolutions but the first have to become pairs to save so many MACs."""

    def saved(layer, shape):
        sizes = layer.in_channels, layer.out_channels, layer.kernel_size, shape[2:]
        return cost.conv2d(*sizes).macs - cost.depthwise_separable_conv2d(*sizes).macs

    savings = sorted((saved(*layer) for layer in dense[1:]), reverse=True)
    return next(number for number in itertools.count() if sum(savings[:number]) >= too_many)


def check_separable_within(reader_function) -> Feedback:
    """``separable_within(net, size, budget)``: the CNN with as few dense convolutions made pairs as the budget asks."""

    def fault(answer, net, size, budget):
        if not isinstance(answer, nn.Module):
            return "It should return a network: a torch module, such as nn.Sequential."
        layers, scores = steps(net, size)
        dense = [(layer, shape) for layer, shape in layers if isinstance(layer, nn.Conv2d)]
        try:
            found, shape = steps(answer, size)
            macs = counting.count(answer, input_size=(1, 3, size, size)).macs
        except Exception as error:  # whatever goes wrong in the reader's network is told
            return f"Your network does not run on an image of {size} by {size} pixels: {error}".rstrip(".") + "."
        if shape != scores:
            return f"Your network returns the shape {shape}, the dense one {scores}: replace convolutions alone."
        wrong, replaced = wrong_layers(dense, found)
        if wrong:
            return wrong
        if macs > budget:
            return (
                f"Your network takes {macs:,} MACs, {macs - budget:,} more than the budget of {budget:,}. Replaced: "
                f"{replaced} of {len(dense)} convolutions. Count again after each, and go on until the budget is met."
            )
        too_many = counting.count(net, input_size=(1, 3, size, size)).macs - budget
        enough = fewest_pairs(dense, too_many)
        if replaced > enough == 0:
            return (
                f"The dense network takes {budget + too_many:,} MACs and the budget is {budget:,}: it is kept without "
                "any pair."
            )
        if replaced > enough:
            return (
                f"The budget is kept, but with more pairs than it takes: {replaced}, where {enough} would do. Begin "
                "with the convolution that saves the most MACs. The weights alone do not tell which: they are used "
                "at every position."
            )
        return ""

    small = small_cnn([(16, 3, 1), (32, 3, 2), (64, 3, 2), (64, 3, 1)])
    early = small_cnn([(24, 5, 1), (24, 5, 1), (48, 3, 2), (96, 3, 2)])
    first = small_cnn([(32, 7, 1), (64, 3, 2), (64, 3, 2)])
    cases = [(small, 32, 3_200_000), (early, 24, 5_000_000), (first, 24, 3_300_000), (small, 32, 5_161_600)]
    return inspect(reader_function, cases, fault)
