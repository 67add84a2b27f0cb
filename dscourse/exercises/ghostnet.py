"""The exercises of the chapter on GhostNet."""

import math
from itertools import count

import torch
from torch import nn

from dscourse.checks.exercise import exercise
from dscourse.checks.feedback import first_of
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.pairs import fault_of_network
from dscourse.checks.values import as_array, fault_of_array
from dslib import cost, counting, functional


@exercise(
    cases=[(1, 3), (1, 5), (3, 5), (3, 1), (5, 3), (3, 3)],
    oracle=lambda K, d: next(
        c for c in count(1) if cost.ghost_module(c, 8, K, 9, dw_kernel_size=d).macs < cost.conv2d(c, 8, K, 9).macs
    ),
    hint="It saves if one filter, with C_in * K * K products, takes more than one cheap kernel, with d * d.",
    wrong={
        "-(-(d**2) // K**2)": "Where C_in * K * K is just d * d, a ghost takes as many products as a map of the "
        "convolution: nothing is saved yet.",
        " + 1 -> ": "With so many channels the module does not yet save. It does from one channel more on.",
        "K**2 // d**2 + 1": "K and d are swapped: the large kernel d makes the ghosts expensive, the large kernel K "
        "the maps that they replace.",
    },
)
def ghost_least_channels(K, d):
    return d**2 // K**2 + 1


@exercise(
    cases=[(10, 7, 3, 3, 3), (16, 32, 1, 2, 3), (12, 10, 3, 4, 5), (72, 40, 1, 2, 3)],
    oracle=lambda C_in, C_out, K, s, d: (
        cost.conv2d(C_in, C_out, K, 1).macs / cost.ghost_module(C_in, C_out, K, 1, ratio=s, dw_kernel_size=d).macs
    ),
    hint="The size of the maps is the same above and below, so count the weights: C_in * K * K for a map made from the "
    "input, d * d for a ghost.",
    wrong={
        "math.ceil(C_out / s) -> C_out // s": "You round the number of intrinsic maps down. Two of them with two "
        "ghosts each are six maps, and seven are asked for: round up.",
        "math.ceil(C_out / s) -> C_out / s": "You count with a fraction of a map where s does not divide C_out. The "
        "authors' code rounds the number of intrinsic maps up.",
        "intrinsic * (s - 1) -> C_out - intrinsic": "You count the ghosts that are kept. Those that are cut off are "
        "computed as well.",
        "d**2 -> K**2": "You give the ghosts kernels of K by K. The cheap kernels are d by d.",
        "s * C_in / (s + C_in - 1)": "That is the paper's approximation. It holds for d = K only.",
        "s - 1 -> s": "You count s ghosts for each intrinsic map. The map itself is one of the s, so there are s - 1.",
        "(intrinsic * mixed + ghosts * d**2) / (C_out * mixed)": "That is the share of the MACs that is left. How many "
        "times fewer is the other way round.",
    },
)
def ghost_speed_up(C_in, C_out, K, s, d):
    mixed = C_in * K**2  # products for a number made from the input
    intrinsic = math.ceil(C_out / s)
    ghosts = intrinsic * (s - 1)
    return C_out * mixed / (intrinsic * mixed + ghosts * d**2)


@exercise(
    cases=[
        (whole_numbers(2, 3, 3), whole_numbers(2, 2, 1, 1, seed=1), whole_numbers(2, 1, 3, 3, seed=2), 4),
        (whole_numbers(3, 5, 6), whole_numbers(3, 3, 3, 3, seed=3), whole_numbers(6, 1, 3, 3, seed=4), 7),
        (whole_numbers(4, 4, 5), whole_numbers(2, 4, 1, 1, seed=5), whole_numbers(2, 1, 5, 5, seed=6), 3),
    ],
    oracle=lambda maps, primary, cheap, n: functional.ghost_features(maps, primary, cheap, n, padding="same"),
    hint="A convolution of the input, padded to keep the size; a depthwise one of what it gives, padded too; both "
    "behind one another.",
    wrong={
        "[:out_channels] -> ": "You return all maps that are computed. Keep the first out_channels of them.",
        "[:out_channels] -> [-out_channels:]": "You keep the last maps. What is too much is cut off at the end.",
        "few, cheap, padding=pad, groups=len(few) -> "
        "few.repeat(len(cheap) // len(few), 1, 1), cheap, padding=pad, groups=len(cheap)": "Your ghosts are in another "
        "order: kernels 0 and 1 of cheap belong to map 0, as with any depth multiplier of 2.",
        "[few, more] -> [more, few]": "The ghosts stand first. The intrinsic maps come first, then their ghosts.",
    },
)
def ghost_maps(maps, primary, cheap, out_channels):
    conv2d = nn.functional.conv2d
    few = conv2d(maps, primary, padding=primary.shape[-1] // 2)
    pad = cheap.shape[-1] // 2
    more = conv2d(few, cheap, padding=pad, groups=len(few))
    return torch.cat([few, more])[:out_channels]


def fault_of_twins(filters):
    filters = as_array(filters)
    if fault := fault_of_array(filters, (2, 3, 3, 3), "two filters with three kernels each"):
        return fault
    first, second = filters
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
            f"The filters are not unlike enough: the products of their weights, place by place, add up to {common:.6g} "
            "and should add up to 0."
        )
    return ""


@exercise(
    fault=fault_of_twins,
    wrong={
        "filters[0]": "two filters with three kernels",
        "[0, 0, 1, 1] = 1.0 -> [0, 0, 1, 1] = 0.0": "empty map",
        "[1, 2, 1, 1] -> [1, 2, 1, 0]": "two sums have to be the same",
        "[1, 2, 1, 1] -> [1, 0, 1, 1]": "not unlike enough",
        "1e-4 * torch.ones(2, 3, 3, 3)": "not unlike enough",
        "filters / filters": "not finite",
    },
)
def grey_twins():
    filters = torch.zeros(2, 3, 3, 3)
    filters[0, 0, 1, 1] = 1.0  # reads the red pixel
    filters[1, 2, 1, 1] = 1.0  # reads the blue pixel
    return filters


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


def resnet_50_price(ratio):
    """With Ghost modules of that ratio and d = 3, or with None as it is; all with norms."""
    price = cost.conv2d(3, 64, 7, 112) + cost.batch_norm2d(64, 112) + cost.linear(2048, 1000)
    for c_in, c_out, k, side in resnet_50_layers():
        if ratio is None:
            price += cost.conv2d(c_in, c_out, k, side) + cost.batch_norm2d(c_out, side)
        else:
            price += cost.ghost_module(c_in, c_out, kernel_size=k, output_size=side, ratio=ratio)
            price += cost.batch_norm2d(ratio * math.ceil(c_out / ratio), side)  # each map that is made has its norm
    return price


def fault_of_resnet(net, ratio):
    if not isinstance(net, cost.Network):
        return "It should return the cost.Network itself, to which layer after layer was added."
    kinds = [row.kind for row in net.rows]
    norms, cheap = kinds.count("norm"), kinds.count("depthwise")
    convs = len(kinds) - norms - kinds.count("linear")
    wanted, found = resnet_50_price(ratio), net.total
    wrong = (found.macs, found.params) != (wanted.macs, wanted.params)
    told = (
        f"With ratio {ratio} it should take {wanted.macs:,} MACs and {wanted.params:,} parameters, yours takes "
        f"{found.macs:,} and {found.params:,}."
    )
    faults = {
        f"ResNet-50 has 53 convolutions, yours has {convs}. There are the first one, three in each of 16 bottlenecks, "
        "and one in the shortcut of the first bottleneck of each group.": not ratio and convs != 53,
        "52 convolutions are replaced: all but the first, those in the shortcuts too. "
        f"Yours has {cheap} cheap operations.": ratio and cheap != 52,
        'A batch norm follows every convolution, also every cheap one: give the layer norm="norm".': norms != convs,
        f"{told} The plain network is right. How many intrinsic maps are there (rounded up), how many ghosts of each, "
        "and how many maps does the next layer read?": ratio and wrong,
        f"{told} No stride changes the parameters. Does each path read the right map, that of the shortcut too? Is "
        "each map averaged to one number before the last layer?": found.params != wanted.params,
        f"{told} The parameters are right, so look at the sizes: the pool's padding, and the strides. In which "
        "bottlenecks, and in which of their layers, is it 2?": wrong,
    }
    return first_of(faults)


@exercise(
    cases=[(None,), (2,), (3,)],
    fault=fault_of_resnet,
    wrong={
        "net.total": "cost.Network itself",
        "layer(shortcut, 4 * inside, 1, stride) -> shortcut = net": "53 convolutions",
        "layer(shortcut, 4 * inside, 1, stride) -> shortcut.conv2d('s', 4 * inside, 1, stride, norm='n')": "52",
        ', norm="norm" -> ': "batch norm follows",
        "inside > 64 -> inside > 0": "and the strides",
        "path.keep(out_channels) -> pass": "does the next layer read",
        "math.ceil(out_channels / (ratio or 1)) -> out_channels // (ratio or 1) + bool(ratio)": "rounded up",
        "m * (ratio - 1) -> m * ratio": "how many ghosts of each",
        "padding=1 -> padding=0": "the pool's padding",
        "net.global_pool() -> pass": "averaged to one number",
        "layer(shortcut, 4 * inside, 1, stride) -> layer(shortcut := net.branch(), 4 * inside, 1)": "of the shortcut "
        "too",
    },
)
def ghost_resnet_50(ratio):
    def layer(path, out_channels, kernel_size, stride=1):
        m = math.ceil(out_channels / (ratio or 1))
        path.conv2d("primary", m, kernel_size, stride, norm="norm")
        if ratio:
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


def small_cnn(*rows):
    """Of ``(channels, kernel_size, stride)``, for three colours and ten classes; its weights play no part."""
    layers, before = [], 3
    for channels, k, stride in rows:
        conv = nn.utils.skip_init(nn.Conv2d, before, channels, k, stride, k // 2, bias=False)
        layers += [conv, nn.BatchNorm2d(channels), nn.ReLU()]
        before = channels
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.utils.skip_init(nn.Linear, before, 10))
    net.__name__ = f"<CNN of {len(rows)} convolutions>"  # in feedback
    return net


def cnns_and_budgets():
    small = small_cnn((16, 3, 1), (32, 3, 2), (64, 3, 2), (64, 3, 1))
    early = small_cnn((24, 5, 1), (24, 5, 1), (48, 3, 2), (96, 3, 2))
    first = small_cnn((32, 7, 1), (64, 3, 2), (64, 3, 2))
    return [(small, 32, 3_200_000), (early, 24, 5_000_000), (first, 24, 3_300_000), (small, 32, 5_161_600)]


PAIR = "nn.Sequential(depthwise, *between, pointwise)"


@exercise(
    cases=cnns_and_budgets,
    fault=fault_of_network,
    wrong={
        "layers": "should return a network",
        "nn.Sequential(*layers[1:])": "does not run on an image",
        "nn.Sequential(*layers[:-1])": "returns the shape",
        "convs[1:] -> convs": "Convolution 1 should stay as it is",
        f"{PAIR} -> nn.Sequential(pointwise, nn.Conv2d(c_out, c_out, *settings))": "comes first",
        "groups=c,  -> ": "has no groups",
        "groups=c, -> groups=2,": "groups=2",
        "conv.kernel_size, conv.stride, conv.padding -> 3, conv.stride, 1": "should keep the 5 by 5",
        f"{PAIR} -> {PAIR}[: 3 + (c != c_out)]": "channels are not mixed",
        "conv.stride -> 1": "Do stride and padding go",
        "between = -> depthwise.stride, pointwise.stride = (1, 1), conv.stride\n        between =": "stride is in the",
        "nn.BatchNorm2d(c), nn.ReLU() -> ()": "no activation stands",
        "nn.BatchNorm2d(c), nn.ReLU() -> [nn.ReLU()]": "no batch norm stands",
        f"{PAIR} -> {PAIR} if c != c_out else nn.Identity()": "neither a dense layer nor a pair",
        "between, pointwise) -> between, pointwise, nn.Conv2d(c_out, c_out, 1, groups=c_out))": "more convolutions",
        "> budget -> > 2 * budget": "more than the budget",
        "macs(layers) > budget -> True": "would do",
        "> budget -> >= budget": "1, where 0 would do",
    },
)
def separable_within(net, size, budget):
    def pair(conv):
        c, c_out = conv.in_channels, conv.out_channels
        settings = conv.kernel_size, conv.stride, conv.padding
        depthwise = nn.Conv2d(c, c, *settings, groups=c, bias=False)
        pointwise = nn.Conv2d(c, c_out, 1, bias=False)
        between = nn.BatchNorm2d(c), nn.ReLU()
        return nn.Sequential(depthwise, *between, pointwise)

    def with_pair(layers, conv):
        at = layers.index(conv)
        return [*layers[:at], pair(conv), *layers[at + 1 :]]

    def macs(layers):
        image, network = (1, 3, size, size), nn.Sequential(*layers)
        return counting.count(network, input_size=image).macs

    def macs_with_pair(conv):
        return macs(with_pair(list(net), conv))

    layers = list(net)
    convs = [layer for layer in net if isinstance(layer, nn.Conv2d)]
    # those that save the most come first; the first layer stays
    for conv in sorted(convs[1:], key=macs_with_pair):
        if macs(layers) > budget:
            layers = with_pair(layers, conv)
    return nn.Sequential(*layers)
