"""cost.Network against torch's modules, layer by layer, and against the published figures of well-known networks."""

import itertools

import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dslib import cost
from dslib.cost import Network
from tests.support import published
from tests.support.published import is_cut, rounds
from tests.support.watched import watched

# ---- against torch, one layer after the other


@st.composite
def chains(draw):
    """Layers as dicts, each with what both a Network and torch need; maps stay large enough for every window."""
    layers = []
    channels = draw(st.integers(1, 3)) * 4
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["conv", "conv", "grouped", "depthwise", "pool"]))
        kernel_size = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
        padding = (kernel_size[0] // 2, kernel_size[1] // 2)
        layer = dict(kind=kind, kernel_size=kernel_size, stride=draw(st.integers(1, 2)), padding=padding)
        if kind != "pool":
            layer |= dict(bias=draw(st.booleans()), norm=draw(st.booleans()), in_channels=channels)
            layer["multiplier"] = draw(st.integers(1, 2))
            channels = channels * layer["multiplier"] if kind == "depthwise" else 4 * draw(st.integers(1, 4))
            layer |= dict(out_channels=channels, groups={"conv": 1, "grouped": 4}.get(kind, layer["in_channels"]))
        layers.append(layer)
    return layers


def told(net, index, layer):
    """The layer told to a Network."""
    move = {name: layer[name] for name in ("kernel_size", "stride", "padding")}
    if layer["kind"] == "pool":
        return net.pool(**move)
    move |= dict(bias=layer["bias"], norm=f"norm{index}" if layer["norm"] else None)
    if layer["kind"] == "depthwise":
        return net.depthwise_conv2d(f"layer{index}", depth_multiplier=layer["multiplier"], **move)
    return net.conv2d(f"layer{index}", layer["out_channels"], groups=layer["groups"], **move)


def modules(index, layer):
    """The layer as torch's modules, by name."""
    move = [layer["kernel_size"], layer["stride"], layer["padding"]]
    if layer["kind"] == "pool":
        return {f"pool{index}": nn.AvgPool2d(*move)}
    channels = layer["in_channels"], layer["out_channels"]
    named = {f"layer{index}": nn.Conv2d(*channels, *move, groups=layer["groups"], bias=layer["bias"])}
    return named | ({f"norm{index}": nn.BatchNorm2d(channels[1])} if layer["norm"] else {})


def priced(net):
    return {row.name: (row.cost.params, row.cost.macs, row.channels, row.size) for row in net.rows}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(chains(), st.integers(9, 30), st.integers(9, 30))
def test_network_is_what_torch_shows_layer_by_layer(chain, height, width):
    net, named = Network(chain_channels(chain), (height, width)), {}
    for index, layer in enumerate(chain):
        told(net, index, layer)
        named |= modules(index, layer)
    net.linear("head", 7)
    model = nn.Sequential()
    for name, module in [*named.items(), ("flatten", nn.Flatten())]:
        model.append(module) if name == "flatten" else model.add_module(name, module)
    x = torch.zeros(1, chain_channels(chain), height, width)
    model.add_module("head", nn.Linear(model(x).shape[1], 7))
    seen = watched(model, x)
    assert priced(net) == seen
    assert list(priced(net)) == list(seen)
    assert net.total.params == sum(parameter.numel() for parameter in model.parameters())


def chain_channels(chain):
    return next((layer["in_channels"] for layer in chain if layer["kind"] != "pool"), 4)


def test_kinds_and_their_sums():
    net = Network(8, 10)
    net.conv2d("standard", 12, (1, 3))
    net.conv2d("grouped", 12, 3, groups=4, norm="norm")
    net.conv2d("depthwise by groups", 24, 1, groups=12)
    net.depthwise_conv2d("depthwise", 3)
    net.conv2d("pointwise", 6, 1, bias=True)
    net.linear("linear", 5)
    assert [row.kind for row in net.rows] == [
        *("standard", "grouped", "norm", "depthwise", "depthwise", "pointwise", "linear")
    ]
    macs = {kind: part.macs for kind, part in net.by_kind().items()}
    assert macs == {
        "standard": 12 * 8 * 3 * 100,
        "grouped": 12 * 3 * 9 * 100,
        "norm": 0,
        "depthwise": 24 * 100 + 24 * 9 * 100,
        "pointwise": 24 * 6 * 100,
        "linear": 600 * 5,
    }
    assert sum(macs.values()) == net.total.macs


def test_a_branch_has_its_own_map_and_the_same_rows():
    net = Network(4, 16)
    shortcut = net.branch()
    net.conv2d("path", 8, 3, stride=2)
    assert (shortcut.channels, shortcut.size) == (4, (16, 16))
    shortcut.conv2d("shortcut", 8, 1, stride=2)
    shortcut.global_pool()
    assert (net.channels, net.size) == (8, (8, 8))
    assert [row.name for row in net.rows] == ["path", "shortcut"] == [row.name for row in shortcut.rows]
    assert net.total.macs == shortcut.total.macs == 64 * (8 * 4 * 9 + 8 * 4)


def test_traffic_reads_the_larger_map_of_a_strided_layer():
    net = Network(4, 16)
    net.conv2d("strided", 8, 3, stride=2)
    assert (net.total.elements_read, net.total.elements_written) == (4 * 16 * 16 + 8 * 4 * 9, 8 * 8 * 8)


def test_an_empty_network_costs_nothing():
    assert Network(3, 8).total == cost.Cost(0, 0, 0, 0) and Network(3, 8).by_kind() == {}


# ---- paths that join


def two_paths():
    """A network of 6 channels at 8x8 and a branch of 4 channels at 4x4."""
    net = Network(6, 8)
    other = net.branch()
    other.conv2d("other", 4, 3, stride=2)
    return net, other


def test_concat_stacks_channels_and_keep_cuts_them_off():
    net, other = two_paths()
    net.pool(2)
    third = other.branch()
    net.concat(other, third)
    assert (net.channels, net.size, other.channels) == (6 + 4 + 4, (4, 4), 4)
    net.keep(9)
    net.conv2d("next", 2, 1)
    assert net.rows[-1].cost.params == 9 * 2


def test_add_and_scale_leave_the_map_as_it_is():
    net, other = two_paths()
    shortcut, gate = other.branch(), other.branch()
    gate.global_pool()
    gate.conv2d("gate", 4, 1)
    other.scale(gate)
    other.add(shortcut)
    assert (other.channels, other.size) == (4, (4, 4)) and [row.name for row in net.rows] == ["other", "gate"]


def test_paths_that_do_not_fit_are_not_joined():
    net, other = two_paths()
    small = net.branch()
    small.pool(2)
    for join, told in [
        (lambda: net.add(net.branch(), other), "added .*6, .*8.*4, .*4"),
        (lambda: small.add(other), "added .*6, .*4.*4, .*4"),
        (lambda: net.add(small), "added .*8.*4"),
        (lambda: net.concat(net.branch(), other), "stacked .*8.*4"),
        (lambda: net.scale(small), "gate .*6, .*1.*6, .*4"),
        (lambda: net.scale(other), "gate .*6, .*4, "),
        (lambda: net.keep(7), "7 channels of 6"),
        (lambda: net.keep(0), "channels .*0"),
        (lambda: net.resize(0), "size .*0"),
    ]:
        with pytest.raises(ValueError, match=told):
            join()
    assert (net.channels, net.size, len(net.rows)) == (6, (8, 8), 1)


def test_paths_in_symbols_join():
    c = sympy.Symbol("c", positive=True, integer=True)
    net = Network(3 * c, 8)
    other = net.branch()
    net.conv2d("one", 2 * c, 1)
    other.conv2d("two", c, 1)
    net.concat(other)
    net.add(net.branch())
    assert net.channels == 3 * c
    net.keep(c)
    net.resize((4, 5))
    net.batch_norm2d("norm")
    assert (net.rows[-1].kind, net.rows[-1].cost) == ("norm", cost.batch_norm2d(c, (4, 5)))


# ---- networks that everyone knows (MACs, which most papers call FLOPs)


def alexnet(groups):
    """Krizhevsky et al. 2012: two groups in convolutions 2, 4 and 5."""
    net = Network(3, 227)
    net.conv2d("conv1", 96, 11, stride=4, padding=0, bias=True)
    net.pool(3, 2)
    net.conv2d("conv2", 256, 5, groups=groups, bias=True)
    net.pool(3, 2)
    net.conv2d("conv3", 384, 3, bias=True)
    net.conv2d("conv4", 384, 3, groups=groups, bias=True)
    net.conv2d("conv5", 256, 3, groups=groups, bias=True)
    net.pool(3, 2)
    for name, features in [("fc6", 4096), ("fc7", 4096), ("fc8", 1000)]:
        net.linear(name, features)
    return net


def test_alexnet():
    total, ungrouped = alexnet(groups=2).total, alexnet(groups=1).total
    assert rounds(published.ALEXNET_PARAMS, total.params)
    macs, params = published.MOBILENET_TABLE_9["AlexNet"]
    assert rounds(macs, total.macs) and rounds(params, total.params)
    halves = [(96, 256, 5, 27), (384, 384, 3, 13), (384, 256, 3, 13)]  # two groups halve these
    saved = sum(c * n * k**2 * side**2 // 2 for c, n, k, side in halves)
    assert ungrouped.macs - total.macs == saved


def squeezenet():
    """Iandola et al. 2016 (arXiv 1602.07360), Table 1: version 1.0, for 227 pixels."""
    net = Network(3, 227)
    net.conv2d("conv1", 96, 7, stride=2, padding=0, bias=True)
    net.pool(3, 2)
    for number, (squeeze, expand) in enumerate([(16, 64), (16, 64), (32, 128), (32, 128), *[(48, 192)] * 2], 2):
        fire(net, f"fire{number}", squeeze, expand)
        if number == 4:
            net.pool(3, 2)
    for number in (8, 9):
        fire(net, f"fire{number}", 64, 256)
        if number == 8:
            net.pool(3, 2)
    net.conv2d("conv10", 1000, 1, bias=True)
    return net


def fire(net, name, squeeze, expand):
    net.conv2d(f"{name} squeeze", squeeze, 1, bias=True)
    small = net.branch()
    small.conv2d(f"{name} expand1x1", expand, 1, bias=True)
    net.conv2d(f"{name} expand3x3", expand, 3, bias=True)
    net.concat(small)


def test_squeezenet():
    """What MobileNet's Table 9 prints for it are FLOPs, not MACs; so MobileNet takes 11 times less, not 22."""
    total = squeezenet().total
    flops, params = published.MOBILENET_TABLE_9["SqueezeNet"]
    assert rounds(flops, total.flops) and not rounds(flops, total.macs) and rounds(params, total.params)
    smaller = cost.mobilenet_v1(0.5, 160).total.macs
    assert rounds(published.MOBILENET_SECTION_4_2_SQUEEZENET, total.flops, smaller)
    assert not rounds(published.MOBILENET_SECTION_4_2_SQUEEZENET, total.macs, smaller)


def test_vgg_16_for_imagenet():
    """MobileNet's Table 8 prints its MACs without the head."""
    net = Network(3, 224)
    for stage, (channels, depth) in enumerate([(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]):
        for layer in range(depth):
            net.conv2d(f"conv{stage}.{layer}", channels, 3, bias=True)
        net.pool(2)
    for features in (4096, 4096, 1000):
        net.linear(f"fc {features}", features)
    macs, params = published.MOBILENET_TABLE_8_VGG_16
    assert rounds(macs, net.by_kind()["standard"].macs) and not rounds(macs, net.total.macs)
    assert rounds(params, net.total.params) and rounds(published.VGG_16_PARAMS, net.total.params)


def resnet_50(groups=1, base_width=64):
    """He et al. 2015 (arXiv 1512.03385), Table 1, with the stride in the 3x3; ResNeXt: arXiv 1611.05431, Table 1."""
    net = Network(3, 224)
    net.conv2d("conv1", 64, 7, stride=2, norm="bn1")
    net.pool(3, 2, padding=1)
    for stage, blocks in enumerate([3, 4, 6, 3]):
        middle, out_channels = base_width * groups * 2**stage, 256 * 2**stage
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            shortcut = net.branch()
            net.conv2d("narrow", middle, 1, norm="norm")
            net.conv2d("middle", middle, 3, stride, groups=groups, norm="norm")
            net.conv2d("widen", out_channels, 1, norm="norm")
            if not block:
                shortcut.conv2d("shortcut", out_channels, 1, stride, norm="norm")
            net.add(shortcut)
    net.global_pool()
    net.linear("fc", 1000)
    return net


@pytest.mark.parametrize("name, settings", [("ResNet-50", {}), ("ResNeXt-50", dict(groups=32, base_width=4))])
def test_resnet_50_and_resnext_50(name, settings):
    params, macs = published.RESNEXT_TABLE_1[name]
    total = resnet_50(**settings).total
    # 25.557 million are printed as 25.5, so cut off
    assert rounds(params, total.params) or name == "ResNet-50" and is_cut(params, total.params)
    assert rounds(macs, total.macs, 10**9)


# ---- symbols


def test_symbols_become_the_ints_where_the_strides_divide():
    n, c, f = sympy.symbols("n c f", positive=True, integer=True)

    def network(channels, size, features):
        net = Network(channels, (size, 2 * size))
        net.conv2d("stem", 4 * channels, (3, 5), stride=2, norm="bn")
        net.pool(2)
        net.depthwise_conv2d("depthwise", 3, (2, 1), depth_multiplier=2)
        net.conv2d("pointwise", features, 1, bias=True)
        net.linear("head", features)
        return net

    letters = network(c, 16 * n, f)
    for channels, size, features in itertools.product((1, 3), (1, 2, 5), (7, 10)):
        numbers = network(channels, 16 * size, features)
        for row, expected in zip(letters.rows, numbers.rows, strict=True):
            values = {c: channels, n: size, f: features}
            for name in ("params", "macs", "elements_read", "elements_written"):
                assert sympy.sympify(getattr(row.cost, name)).subs(values) == getattr(expected.cost, name)
            assert (row.name, row.kind) == (expected.name, expected.kind)


def test_a_symbolic_size_without_such_padding_is_refused():
    size = sympy.Symbol("size")
    for move in (dict(kernel_size=11, stride=4, padding=2), dict(kernel_size=3, padding=0), dict(kernel_size=(3, 2))):
        net = Network(3, size)
        with pytest.raises(ValueError, match="size|padding"):
            net.conv2d("conv", 8, **move)
        assert net.rows == [] and net.size == (size, size)
    with pytest.raises(ValueError, match="symbolic size .* size size, kernel_size 3, stride 2, padding 0"):
        Network(3, size).pool(3, 2)


# ---- refusals


@pytest.mark.parametrize(
    "mistake, told",
    [
        (lambda net: net.conv2d("c", 8, 0), "kernel_size .*0"),
        (lambda net: net.conv2d("c", 0, 3), "out_channels .*0"),
        (lambda net: net.conv2d("c", 8, 3, stride=1.5), "stride .*1.5"),
        (lambda net: net.conv2d("c", 8, 3, padding=-1), "padding .*-1"),
        (lambda net: net.conv2d("c", 8, 3, groups=4), "groups=4, in_channels=6"),
        (lambda net: net.conv2d("c", 8, 9, padding=0), "kernel larger .* 9"),
        (lambda net: net.conv2d("c", 8, 2), "no symmetric padding .* 2"),
        (lambda net: net.conv2d("c", 8, 3, bias=1), "bias .*1"),
        (lambda net: net.depthwise_conv2d("c", 3, depth_multiplier=0), "depth_multiplier .*0"),
        (lambda net: net.pool(9), "kernel larger .* 9"),
        (lambda net: net.pool(2, padding=2), "padding .*\\(2, 2\\).*\\(2, 2\\)"),
        (lambda net: net.linear("f", -2), "out_features .*-2"),
    ],
)
def test_a_layer_that_does_not_fit_is_refused_and_leaves_no_trace(mistake, told):
    net = Network(6, 8)
    with pytest.raises(ValueError, match=told):
        mistake(net)
    assert (net.channels, net.size, net.rows) == (6, (8, 8), [])


@pytest.mark.parametrize("channels, size, told", [(0, 8, "in_channels .*0"), (3, 0, "input_size .*0"), (3, 1.5, "1.5")])
def test_a_start_that_does_not_fit_is_refused(channels, size, told):
    with pytest.raises(ValueError, match=told):
        Network(channels, size)


def test_a_branch_that_is_no_network_is_refused():
    net = cost.Network(3, 8)
    for join in (net.add, net.scale, net.concat):
        with pytest.raises(ValueError, match="a branch must be a Network, got None"):
            join(None)
