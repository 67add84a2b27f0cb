"""Caffe's files: bytes by another reader, prices against torch's own counts, sizes against its pools."""

import struct

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import caffe

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


def layer(name, kind, bottom, settings=None, top=None):
    param = {"Convolution": "convolution_param", "Pooling": "pooling_param", "InnerProduct": "inner_product_param"}
    message = {"name": name, "type": kind, "bottom": bottom, "top": top or name}
    return message | ({param[kind]: settings} if settings else {})


def text_of(size, *layers):
    head = {"input": "data", "input_shape": {"dim": [1, *size]}, "layer": list(layers)}
    return caffe.write_prototxt(head)


# ---- the text


def test_a_text_is_read_as_it_stands():
    message = caffe.read_prototxt(PAIR)
    assert message["name"] == "a pair" and message["input"] == "data"
    assert message["input_shape"] == {"dim": [1, 6, 9, 7]}
    first, relu, second = message["layer"]
    assert first["param"] == {"lr_mult": 1, "decay_mult": 0.5}
    assert first["convolution_param"]["bias_term"] is False and first["convolution_param"]["engine"] == "CAFFE"
    assert isinstance(first["convolution_param"]["engine"], caffe.Word) and not isinstance(first["type"], caffe.Word)
    assert relu["top"] == "a/dw" and second["convolution_param"] == {"num_output": 5, "kernel_size": 1}


def test_a_written_text_has_a_line_for_each_value():
    message = {"name": "x", "layer": [{"eps": 1e-05, "ok": True, "dim": [1, 2]}, {"pool": caffe.Word("AVE")}]}
    lines = [
        'name: "x"',
        "layer {",
        "  eps: 1e-05",
        "  ok: true",
        "  dim: 1",
        "  dim: 2",
        "}",
        "layer {",
        "  pool: AVE",
    ]
    assert caffe.write_prototxt(message).splitlines() == [*lines, "}"]


def test_writing_and_reading_are_each_other_s_way_back():
    message = caffe.read_prototxt(PAIR)
    again = caffe.read_prototxt(caffe.write_prototxt(message))
    assert again == message and isinstance(again["layer"][0]["convolution_param"]["engine"], caffe.Word)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("layer {\n name: 'a'\n", "line 3 .* braces"),
        ("name: 'a'\n}", "line 2 .* braces"),
        ("name: 'a'\nnum: = 3", "line 2 .* '='"),
        ("layer {\n name\n}", "line 3 .* 'name'"),
        ("name:", "line 1 .* 'name'"),
        ("{ }", "line 1 .* '{'"),
    ],
)
def test_a_broken_text_is_refused_with_its_line(text, words):
    with pytest.raises(ValueError, match=words):
        caffe.read_prototxt(text)


def test_a_value_of_no_kind_is_refused():
    with pytest.raises(ValueError, match="'size'.*None"):
        caffe.write_prototxt({"size": None})


# ---- the bytes, read by the rules of protocol buffers: a number (field and kind), then a length, then so many bytes


def taken_apart(data):
    """[(field, bytes)] of a message that has only fields of bytes."""
    found = []
    while data:
        key, data = varint(data)
        assert key % 8 == 2
        length, data = varint(data)
        assert length <= len(data)
        found.append((key // 8, data[:length]))
        data = data[length:]
    return found


def varint(data):
    number = 0
    for place, byte in enumerate(data):
        number += (byte % 128) * 128**place
        if byte < 128:
            return number, data[place + 1 :]
    raise AssertionError("a number that does not end")


def sizes_in(data):
    sizes = []
    while data:
        size, data = varint(data)
        sizes.append(size)
    return sizes


def test_a_caffemodel_holds_names_sizes_and_float32_numbers():
    weights = np.arange(2 * 3 * 200, dtype=np.float64).reshape(200, 3, 2, 1) / 7
    layers = taken_apart(caffe.write_caffemodel({"first": [weights, range(128)], "zweite/ß": [np.ones(1)]}))
    assert [field for field, _ in layers] == [100, 100]
    (name, *blobs), second = taken_apart(layers[0][1]), taken_apart(layers[1][1])
    assert name == (1, b"first") and second[0] == (1, "zweite/ß".encode()) and len(second) == 2
    for (field, blob), values in zip(blobs, (weights, np.arange(128)), strict=True):
        (shape_field, shape), (data_field, data) = taken_apart(blob)
        assert (field, shape_field, data_field) == (7, 7, 5)
        assert [(field, sizes_in(sizes)) for field, sizes in taken_apart(shape)] == [(1, list(values.shape))]
        numbers = struct.unpack(f"<{values.size}f", data)
        assert numbers == tuple(values.astype("float32").ravel().tolist())


# ---- the price


def counted(model, *size):
    """MACs by torch's counter, parameters by torch."""
    with FlopCounterMode(display=False) as counter:
        model.eval()(torch.zeros(1, *size))
    return counter.get_total_flops() // 2, sum(p.numel() for p in model.parameters())


def test_a_pair_costs_what_torch_counts():
    model = nn.Sequential(nn.Conv2d(6, 12, 3, 2, 1, groups=6, bias=False), nn.ReLU(), nn.Conv2d(12, 5, 1))
    net = caffe.price(PAIR)
    assert (net.total.macs, net.total.params) == counted(model, 6, 9, 7)
    assert [(row.name, row.channels, row.size) for row in net.rows] == [("a/dw", 12, (5, 4)), ("a/sep", 5, (5, 4))]


def test_group_left_out_is_a_dense_layer():
    dense = caffe.price(PAIR.replace("group: 6", ""))
    assert dense.rows[0].kind == "standard" and dense.rows[0].cost.macs == 6 * caffe.price(PAIR).rows[0].cost.macs


def test_settings_in_two_directions_norm_pools_and_a_fully_connected_layer():
    split = {"kernel_h": 3, "kernel_w": 5, "stride_h": 1, "stride_w": 2, "pad_h": 0, "pad_w": 2, "bias_term": True}
    text = text_of(
        (4, 11, 13),
        layer("conv", "Convolution", "data", {"num_output": 6, **split}),
        layer("bn", "BatchNorm", "conv"),
        layer("scale", "Scale", "bn") | {"scale_param": {"bias_term": True}},
        layer("pool", "Pooling", "scale", {"kernel_size": 2, "stride": 2}),
        layer("two", "Convolution", "pool", {"num_output": 3, "kernel_size": [3, 1], "pad": [1, 0]}),
        layer("fc", "InnerProduct", "two", {"num_output": 10}),
        layer("all", "Softmax", "fc"),
    )
    model = nn.Sequential(
        nn.Conv2d(4, 6, (3, 5), (1, 2), (0, 2)),
        nn.BatchNorm2d(6),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.Conv2d(6, 3, (3, 1), padding=(1, 0)),
        nn.Flatten(),
        nn.Linear(3 * 5 * 4, 10),
    )
    net = caffe.price(text)
    assert (net.total.macs, net.total.params) == counted(model, 4, 11, 13)
    assert [row.kind for row in net.rows] == ["standard", "norm", "standard", "linear"]


@pytest.mark.parametrize("size", range(5, 12))
@pytest.mark.parametrize("window", [(2, 2, 0), (3, 2, 0), (3, 2, 1), (2, 3, 1), (3, 1, 1), (4, 4, 2), (5, 3, 2)])
def test_pools_round_up_as_torch_does_in_ceil_mode(size, window):
    kernel_size, stride, padding = window
    pool = layer("pool", "Pooling", "data", {"kernel_size": kernel_size, "stride": stride, "pad": padding})
    last = layer("conv", "Convolution", "pool", {"num_output": 1, "kernel_size": 1})
    expected = nn.AvgPool2d(kernel_size, stride, padding, ceil_mode=True)(torch.zeros(1, 1, size, 2 * size)).shape
    assert caffe.price(text_of((1, size, 2 * size), pool, last)).rows[0].size == expected[2:]


def test_a_window_may_begin_behind_the_map_where_nothing_is_padded():
    """Caffe drops such a window only if the pool has padding; torch always does."""
    pool = layer("pool", "Pooling", "data", {"kernel_size": 2, "stride": 3})
    last = layer("conv", "Convolution", "pool", {"num_output": 1, "kernel_size": 1})
    assert caffe.price(text_of((1, 6, 5), pool, last)).rows[0].size == (3, 2)


def test_a_global_pool_leaves_one_number_for_each_map():
    pool = layer("pool", "Pooling", "data", {"pool": caffe.Word("AVE"), "global_pooling": True})
    net = caffe.price(text_of((4, 9, 7), pool, layer("fc", "InnerProduct", "pool", {"num_output": 3})))
    assert net.total.macs == 4 * 3


@pytest.mark.parametrize(
    "head",
    [
        'input: "data" input_dim: 1 input_dim: 6 input_dim: 9 input_dim: 7',
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 6 dim: 9 dim: 7 } } }',
    ],
)
def test_the_input_may_be_given_in_other_ways(head):
    _, rest = PAIR.split("9, dim: 7 }")
    assert caffe.price(head + rest).total == caffe.price(PAIR).total


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([layer("a", "Deconvolution", "data")], "'a' has type 'Deconvolution'"),
        ([layer("a", "ReLU", "data"), layer("b", "ReLU", "data")], r"'b' reads \['data'\].*'a'"),
        ([layer("a", "Eltwise", ["data", "data"])], "'a' reads"),
        ([layer("a", "Scale", "data")], "'a' scales without a shift"),
        ([layer("a", "Convolution", "data", {"num_output": 4, "kernel_size": 3, "dilation": 2})], "'a' has dilation 2"),
        ([layer("a", "Convolution", "data", {"num_output": 5, "kernel_size": 1, "group": 2})], "groups=2"),
        ([layer("a", "Convolution", "data", {"num_output": 4, "kernel_size": 9})], "kernel larger"),
        ([layer("a", "Pooling", "data", {"kernel_size": 9, "stride": 1})], "'a' pools windows of 9 from 7"),
        ([layer("a", "Convolution", "data", {"num_output": 4})], "'a' has no kernel_size"),
        ([layer("a", "Convolution", "data", {"kernel_size": 3})], "'a' has no num_output"),
        ([layer("a", "Convolution", "data")], "'a' has no convolution_param"),
        ([layer("a", "InnerProduct", "data")], "'a' has no inner_product_param"),
        ([{"name": "a", "bottom": "data"}], "'a' has no type"),
        ([{"type": "ReLU", "bottom": "data"}], "a layer has no name"),
        ([{"name": "a", "type": "ReLU", "bottom": "data"}], "'a' has no top"),
    ],
)
def test_what_is_not_priced_is_refused_by_name(layers, words):
    with pytest.raises(ValueError, match=words):
        caffe.price(text_of((4, 7, 7), *layers))


@pytest.mark.parametrize(
    ("text", "words"),
    [("layers { type: CONVOLUTION }", "before 2014"), ('input: "x" layer { type: "ReLU" }', "four sizes.*\\[\\]")],
)
def test_a_text_that_is_no_network_of_layers_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        caffe.price(text)
