"""Prices of prototxts against torch, which runs the same texts, and against what others print."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dslib import caffe, cost, tables
from tests.support import caffe_networks, published
from tests.support.caffe_in_torch import Net
from tests.support.published import rounds

DATA = 'input: "data" input_shape { dim: 1 dim: 4 dim: 9 dim: 9 } '
PAIR = """
name: "a pair"  # a comment, with a { in it
input: 'data' input_shape { dim: 1, dim: 6, dim: 9, dim: 7 }
layer {
  name: "a/dw" type: "Convolution" bottom: "data" top: "a/dw"
  param { lr_mult: 1 decay_mult: 0.5 }
  convolution_param: { num_output: 12 bias_term: false pad: 1 kernel_size: 3 stride: 2 group: 6 engine: CAFFE }
}
layer { name: "a/relu" type: "ReLU" bottom: "a/dw" top: "a/dw" }
layer {
  name: "a/sep" type: "Convolution" bottom: "a/dw" top: "a/sep"
  convolution_param { num_output: 5 kernel_size: 1 }
}
"""


def text_of(*layers, size=(4, 9, 9)):
    """A text; a layer is its type, its settings and, if it does not read the layer before it, what it reads."""
    dims = " ".join(f"dim: {side}" for side in (1, *size))
    lines = [f'layer {{ name: "0" type: "Input" top: "0" input_param {{ shape {{ {dims} }} }} }}']
    for place, (kind, inside, *reads) in enumerate(layers):
        bottoms = " ".join(f'bottom: "{name}"' for name in reads or [place])
        lines.append(f'layer {{ name: "{place + 1}" type: "{kind}" {bottoms} top: "{place + 1}" {inside} }}')
    return "\n".join(lines)


def conv(inside, *reads):
    return "Convolution", f"convolution_param {{ {inside} }}", *reads


LAST = conv("num_output: 1 kernel_size: 1 bias_term: false")  # a row, which tells the size of the map before it


def size_after(*layers, size=(4, 9, 9)):
    """(channels, height, width) that the layers make of a map."""
    row = caffe.price(text_of(*layers, LAST, size=size)).rows[-1]
    return row.cost.params, *row.size


# ---- networks


@pytest.mark.parametrize("name", published.CAFFE_NETWORKS)
def test_a_network_costs_what_torch_counts_and_what_is_printed(name):
    text = getattr(caffe_networks, name)()
    net, by_torch = caffe.price(text), Net(text)
    assert (net.total.macs, net.total.params) == (by_torch.macs, by_torch.params)
    macs, params = published.CAFFE_NETWORKS[name]
    assert rounds(macs, net.total.macs) and rounds(params, net.total.params)
    assert net.uncounted == ()


def test_mobilenet_v1_costs_what_the_algebra_says_traffic_and_all():
    net = caffe_networks.Text(1, 3, 224, 224)
    x, channels = net.conv("data", 32, 3, stride=2, pad=1, bias=False, norm=True), 32
    for stride, outputs in tables.MOBILENET_V1:
        x = net.conv(x, channels, 3, stride, pad=1, group=channels, bias=False, norm=True)
        x, channels = net.conv(x, outputs, 1, bias=False, norm=True), outputs
    net.fc(net.global_pool(x), 1000)
    by_text, by_table = caffe.price(str(net)), cost.mobilenet_v1()
    assert by_text.total == by_table.total and by_text.by_kind() == by_table.by_kind()


def test_a_pair_is_priced_row_by_row():
    net = caffe.price(PAIR)
    assert [(row.name, row.kind, row.channels, row.size) for row in net.rows] == [
        ("a/dw", "depthwise", 12, (5, 4)),
        ("a/sep", "pointwise", 5, (5, 4)),
    ]
    first = cost.depthwise_conv2d(6, 3, (5, 4), depth_multiplier=2, input_size=(9, 7))
    assert [row.cost for row in net.rows] == [first, cost.pointwise_conv2d(12, 5, (5, 4), bias=True)]
    assert list(net.by_kind()) == ["depthwise", "pointwise"] and net.total == net.rows[0].cost + net.rows[1].cost


def test_group_left_out_is_a_dense_layer():
    dense = caffe.price(PAIR.replace("group: 6", ""))
    assert dense.rows[0].kind == "standard" and dense.rows[0].cost.macs == 6 * caffe.price(PAIR).rows[0].cost.macs


sides = st.integers(1, 3)


@st.composite
def graphs(draw):
    """Texts of layers that read any earlier maps."""
    size, layers, channels = draw(st.tuples(st.just(4), st.integers(9, 14), st.integers(9, 14))), [], {"0": 4}
    for place in range(1, draw(st.integers(1, 7))):
        read = draw(st.sampled_from(list(channels)))
        kind = draw(
            st.sampled_from(["conv", "depthwise", "deconv", "concat", "eltwise", "pool", "prelu", "relu", "scale"])
        )
        made = draw(st.integers(1, 3)) * 4
        window = f"kernel_size: {(k := draw(sides))} stride: {draw(sides)} pad: {draw(st.integers(0, k // 2))}"
        window += f" bias_term: {draw(st.sampled_from(['true', 'false']))}"
        if kind in ("conv", "depthwise", "deconv"):
            group = channels[read] if kind == "depthwise" else draw(st.sampled_from([1, 2, 4]))
            made = channels[read] if kind == "depthwise" else made
            dilation = draw(st.integers(1, 2)) if k < 3 else 1
            inside = f"num_output: {made} {window} group: {group} dilation: {dilation}"
            typed = "Deconvolution" if kind == "deconv" else "Convolution"
            layers.append((typed, f"convolution_param {{ {inside} }}", read))
        elif kind == "pool":
            made = channels[read]
            layers.append(("Pooling", "pooling_param { kernel_size: 2 stride: 2 pad: 1 }", read))
        elif kind in ("concat", "eltwise"):
            made = channels[read] * (2 if kind == "concat" else 1)
            layers.append((kind.capitalize(), "", read, read))
        else:
            made = channels[read]
            typed = {"prelu": "PReLU", "relu": "ReLU", "scale": "Scale"}[kind]
            layers.append((typed, "scale_param { bias_term: true }" if kind == "scale" else "", read))
        channels[str(place)] = made
    return text_of(*layers, size=size)


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_any_graph_costs_what_torch_counts(text):
    try:
        by_torch = Net(text)
    except RuntimeError:  # a map became too small
        with pytest.raises(ValueError, match="^layer '\\d' .*(kernel larger|makes a map of|pools windows)"):
            caffe.price(text)
        return
    net = caffe.price(text)
    assert (net.total.macs, net.total.params) == (by_torch.macs, by_torch.params)
    assert {row.name: (row.channels, *row.size) for row in net.rows} == {
        row.name: by_torch.shapes[row.name][1:] for row in net.rows
    }


# ---- windows


@pytest.mark.parametrize(
    "inside, expected",
    [
        ("kernel_size: 3", (7, 7)),
        ("kernel_size: 3 pad: 1 stride: 2", (5, 5)),
        ("kernel_h: 3 kernel_w: 5 stride_h: 1 stride_w: 2 pad_h: 0 pad_w: 2", (7, 5)),
        ("kernel_size: 3 kernel_size: 5", (7, 5)),
        ("kernel_size: [3, 5] pad: [0, 2] stride: [1, 2]", (7, 5)),
        ("kernel_size: 3 pad_w: 1", (7, 9)),
        ("kernel_size: 3 dilation: 1 dilation: 1", (7, 7)),
        ("kernel_size: 3 dilation: 2", (5, 5)),
        ("kernel_size: 3 dilation: 1 dilation: 3", (7, 3)),
        ("kernel_size: 3 hole: 2", (5, 5)),
        ("kernel_size: 3 pad_t: 1", (8, 7)),
        ("kernel_size: 3 pad: 1 pad_l: 0 pad_b: 2", (10, 8)),
    ],
)
def test_windows_of_a_convolution(inside, expected):
    row = caffe.price(text_of(conv(f"num_output: 2 {inside}"))).rows[0]
    assert row.size == expected


def test_padding_at_one_side_as_tensorflow_has_it():
    inside = "num_output: 32 kernel_size: 3 stride: 2 bias_term: false pad_t: 0 pad_b: 1 pad_l: 0 pad_r: 1"
    row = caffe.price(text_of(conv(inside), size=(3, 224, 224))).rows[0]
    assert row.size == (112, 112) and row.cost.macs == 27 * 32 * 112**2 == 10_838_016


@pytest.mark.parametrize("size", range(5, 12))
@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 0), (3, 2, 1), (2, 3, 1), (3, 1, 1), (4, 4, 2), (5, 3, 2)])
def test_pools_round_up_as_torch_does_in_ceil_mode(size, window):
    kernel_size, stride, pad = window
    inside = f"pooling_param {{ kernel_size: {kernel_size} stride: {stride} pad: {pad} }}"
    pooled = nn.AvgPool2d(kernel_size, stride, pad, ceil_mode=True)(torch.zeros(1, size, 2 * size))
    assert size_after(("Pooling", inside), size=(1, size, 2 * size)) == pooled.shape


@pytest.mark.parametrize(
    "inside, size, expected",
    [
        ("kernel_size: 2 stride: 2", 5, 3),
        ("kernel_size: 2 stride: 2 ceil_mode: false", 5, 2),
        ("kernel_size: 2 stride: 2 ceil_mode: true", 5, 3),
        ("kernel_size: 3 stride: 2", 112, 56),
        ("kernel_size: 3 stride: 2 round_mode: FLOOR", 112, 55),
        ("kernel_size: 3 stride: 2 round_mode: 1", 112, 55),
        ("kernel_size: 3 stride: 2 round_mode: CEIL", 112, 56),
        ("global_pooling: true", 9, 1),
        ("global_pooling: 1 pool: AVE", 9, 1),
        ("kernel_size: 2 stride: 3", 6, 3),  # without padding a window may begin behind the map; torch drops it
        ("kernel_size: 2 stride: 3 pad: 1", 5, 2),
        ("kernel_size: 2 stride: 3 pad_b: 1 pad_r: 1", 6, 2),
        ("kernel_size: 2 stride: 3 pad_t: 1 pad_l: 1", 6, 3),
        ("kernel_size: 3 stride: 2 pad_r: 1 pad_b: 1 ceil_mode: false", 112, 56),
    ],
)
def test_pools_round_as_their_settings_say(inside, size, expected):
    assert size_after(("Pooling", f"pooling_param {{ {inside} }}"), size=(2, size, size)) == (2, expected, expected)


def test_padding_of_one_axis_drops_windows_behind_the_map_on_both():
    """Caffe asks whether anything is padded."""
    inside = "pooling_param { kernel_size: 2 stride: 3 pad_h: 0 pad_w: 1 }"
    assert size_after(("Pooling", inside), size=(1, 6, 6)) == (1, 2, 3)


def test_convolutions_in_one_and_three_dimensions():
    video = 'input: "0" input_shape { dim: 1 dim: 3 dim: 16 dim: 112 dim: 112 }'
    inside = "convolution_param { num_output: 64 kernel_size: 3 pad: 1 }"
    layer = f'{{ name: "a" type: "Convolution" bottom: "0" top: "a" {inside} }}'
    row = caffe.price(f"{video} layer {layer}").rows[0]
    assert row.size == (16, 112, 112) and row.cost.macs == 81 * 64 * 16 * 112**2 and row.cost.params == 82 * 64
    row = caffe.price(f'input: "0" input_shape {{ dim: 1 dim: 3 dim: 20 }} layer {layer}').rows[0]
    assert row.size == (20,) and row.cost.macs == 9 * 64 * 20


# ---- types of layers


@pytest.mark.parametrize(
    "kind", ["ConvolutionDepthwise", "DepthwiseConvolution", "DepthwiseConv", "ConvolutionDepthWise"]
)
@pytest.mark.parametrize("inside", ["", "num_output: 4", "num_output: 4 group: 4"])
def test_depthwise_types_have_a_group_for_each_channel(kind, inside):
    row = caffe.price(text_of((kind, f"convolution_param {{ {inside} kernel_size: 3 }}"))).rows[0]
    assert row.kind == "depthwise" and row.cost == cost.depthwise_conv2d(4, 3, 7, bias=True, input_size=9)


@pytest.mark.parametrize(
    "written, bias", [("true", 2), ("True", 2), ("t", 2), ("1", 2), ("false", 0), ("False", 0), ("f", 0), ("0", 0)]
)
def test_a_bool_may_be_written_in_several_ways(written, bias):
    row = caffe.price(text_of(conv(f"num_output: 2 kernel_size: 3 bias_term: {written}"))).rows[0]
    assert row.cost.params == 72 + bias


def test_a_fully_connected_layer_may_keep_the_first_axes():
    inside = "inner_product_param { num_output: 10 axis: %d }"
    row = caffe.price(text_of(("InnerProduct", inside % 3))).rows[0]
    assert row.cost.params == 100 and row.cost.macs == 4 * 9 * 9 * 10 and (row.channels, *row.size) == (4, 9, 10)
    assert caffe.price(text_of(("InnerProduct", inside % -1))).rows[0] == row
    whole = caffe.price(text_of(("InnerProduct", inside % 1))).rows[0]
    assert whole.cost == cost.linear(4 * 81, 10) and (whole.channels, *whole.size) == (10, 1, 1)


@pytest.mark.parametrize(
    "kind, inside, params",
    [
        ("Scale", "", 4),
        ("Scale", "scale_param { bias_term: true }", 8),
        ("Scale", "scale_param { axis: 1 num_axes: 2 }", 36),
        ("Scale", "scale_param { axis: 0 num_axes: -1 bias_term: true }", 648),
        ("Scale", "scale_param { num_axes: 0 }", 1),
        ("Bias", "", 4),
        ("BN", "", 8),
        ("BatchNorm", "", 0),
        ("BatchNorm", "batch_norm_param { scale_bias: true }", 8),
        ("PReLU", "", 4),
        ("PReLU", "prelu_param { channel_shared: true }", 1),
        ("Normalize", "norm_param { across_spatial: false channel_shared: false }", 4),
        ("Normalize", "", 1),
        ("LRN", "lrn_param { local_size: 5 }", 0),
        ("Power", "power_param { scale: 0.5 }", 0),
    ],
)
def test_what_a_layer_learns(kind, inside, params):
    net = caffe.price(text_of((kind, inside), LAST))
    assert net.total.params - 4 == params and net.rows[-1].size == (9, 9) and net.uncounted == ()
    assert net.total.macs == net.rows[-1].cost.macs and len(net.rows) == 1 + (params > 0)
    if params:
        assert net.rows[0].cost == cost.Cost(params, 0, elements_read=4 * 81 + params, elements_written=4 * 81)


@pytest.mark.parametrize("kind, params", [("PReLU", 5), ("Scale", 5), ("BN", 10), ("Normalize", 1), ("BatchNorm", 0)])
def test_layers_behind_a_fully_connected_one_learn_a_number_for_each_output(kind, params):
    net = caffe.price(text_of(("InnerProduct", "inner_product_param { num_output: 5 }"), (kind, "")))
    assert sum(row.cost.params for row in net.rows[1:]) == params
    assert all((row.channels, *row.size) == (5, 1, 1) for row in net.rows[1:])


def test_a_gate_scales_without_learning():
    gate = ("Pooling", "pooling_param { global_pooling: true }")
    assert caffe.price(text_of(gate, ("Scale", "scale_param { axis: 0 }", 0, 1))).rows == ()
    (row,) = caffe.price(text_of(gate, ("Scale", "scale_param { axis: 0 bias_term: true }", 0, 1))).rows
    assert row.cost.params == 4 and row.cost.elements_read == 4 * 81 + 4 + 4


@pytest.mark.parametrize(
    "kind, inside, reads, expected",
    [
        ("Reshape", "shape { dim: 0 dim: -1 dim: 3 dim: 9 }", 1, (12, 3, 9)),
        ("Reshape", "shape { dim: [1, 2, 18, 9] }", 1, (2, 18, 9)),
        ("Reshape", "shape { dim: 2 dim: 2 } axis: 1 num_axes: 1", 1, (2, 2, 9, 9)),
        ("Reshape", "shape { dim: [3, 3] } axis: -2 num_axes: 1", 1, (4, 9, 3, 3)),
        ("Reshape", "shape { dim: 1 } num_axes: 0 axis: 1", 1, (1, 4, 9, 9)),
        ("Flatten", "axis: 1 end_axis: 2", 1, (36, 9)),
        ("Flatten", "axis: -2", 1, (4, 81)),
        ("Permute", "order: 0 order: 2 order: 3 order: 1", 1, (9, 9, 4)),
        ("Permute", "order: [0, 3]", 1, (9, 4, 9)),
        ("Interp", "height: 33 width: 17", 1, (4, 33, 17)),
        ("Interp", "zoom_factor: 2", 1, (4, 17, 17)),
        ("Interp", "shrink_factor: 2 zoom_factor: 3 pad_beg: -1", 1, (4, 10, 10)),
        ("Upsample", "scale: 3", 1, (4, 27, 27)),
        ("Upsample", "scale_h: 2 scale_w: 3 pad_out_h: true", 1, (4, 17, 27)),
        ("Upsample", "upsample_h: 20 upsample_w: 19", 2, (4, 20, 19)),
        ("Concat", "axis: 2", 3, (4, 27, 9)),
        ("Concat", "concat_dim: 1", 2, (8, 9, 9)),
        ("Concat", "axis: -1", 2, (4, 9, 18)),
        ("Eltwise", "operation: PROD", 2, (4, 9, 9)),
        ("Axpy", "", 3, (4, 9, 9)),
        ("ShuffleChannel", "group: 2", 1, (4, 9, 9)),
    ],
)
def test_shapes_that_layers_make(kind, inside, reads, expected):
    after = conv("num_output: 1 kernel_size: 1 bias_term: false")
    if len(expected) == 2:
        after = "InnerProduct", "inner_product_param { num_output: 1 axis: 2 bias_term: false }"
    text = text_of((kind, f"{kind.lower()}_param {{ {inside} }}", *"0" * reads), after)
    row = caffe.price(text).rows[0].cost
    assert row.elements_read - row.params == math.prod(expected)
    assert (row.params, row.macs) == (expected[0] if len(expected) > 2 else expected[1], math.prod(expected))


def test_axpy_has_a_gate_and_two_maps_of_one_shape():
    gate = ("Pooling", "pooling_param { global_pooling: true }")
    assert size_after(gate, ("Axpy", "", 1, 0, 0)) == (4, 9, 9)
    with pytest.raises(ValueError, match="needs maps of one shape"):
        size_after(gate, ("Axpy", "", 1, 0, 1))


@pytest.mark.parametrize("other", ["Crop", "Interp"])
def test_a_map_takes_the_size_of_another(other):
    assert size_after(("Pooling", "pooling_param { kernel_size: 3 stride: 3 }"), (other, "", 0, 1)) == (4, 3, 3)


@pytest.mark.parametrize(
    "inside, parts",
    [
        ("slice_param { slice_point: 1 }", [(1, 9, 9), (3, 9, 9)]),
        ("", [(2, 9, 9), (2, 9, 9)]),
        ("slice_param { axis: 2 slice_point: [2, 5] }", [(4, 2, 9), (4, 3, 9), (4, 4, 9)]),
        ("slice_param { slice_dim: 3 slice_point: 8 }", [(4, 9, 8), (4, 9, 1)]),
    ],
)
def test_slices_and_splits(inside, parts):
    def text(kind, inside):
        tops = " ".join(f'top: "part{place}"' for place in range(len(parts)))
        lines = [DATA, f'layer {{ name: "s" type: "{kind}" bottom: "data" {tops} {inside} }}']
        for place in range(len(parts)):
            inside = "convolution_param { num_output: 1 kernel_size: 1 bias_term: false }"
            lines.append(f'layer {{ type: "Convolution" bottom: "part{place}" top: "out{place}" {inside} }}')
        return "\n".join(lines)

    rows = caffe.price(text("Slice", inside)).rows
    assert [(row.cost.params, *row.size) for row in rows] == parts and rows[0].name == "out0"
    assert [(row.cost.params, *row.size) for row in caffe.price(text("Split", "")).rows] == [(4, 9, 9)] * len(parts)
