"""The exercises of the chapter on other frameworks. They need torch and dslib alone."""

import torch

from dscourse.checks.exercise import exercise
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import described
from dslib import caffe, cost, geometry


def places_in_a_row(channel, row, column, channels, height, width):
    numbers = torch.arange(channels * height * width)  # each is its own place
    first, last = numbers.reshape(channels, height, width), numbers.reshape(height, width, channels)
    return first[channel, row, column].item(), last[row, column, channel].item()


@exercise(
    cases=[(1, 0, 2, 2, 2, 3), (0, 1, 0, 2, 2, 3), (3, 4, 7, 5, 6, 9)],
    oracle=places_in_a_row,
    hint="How many numbers stand before this one? The last axis of a layout runs fastest.",
    wrong={
        "in_nhwc, in_nchw": "The two are swapped: in NCHW the channel stands left of height and width, so a channel's "
        "whole map comes before the next one.",
        "in_nchw + 1, in_nhwc + 1": "You count from 1. The first number of the row has the place 0.",
        "height, width): -> width, height):": "Height and width are swapped: to the next row of a map it is as many "
        "pixels as the map is wide.",
        "in_nchw, (row * channels + channel) * width + column": "Your second layout writes a row of one channel before "
        "the next channel. In NHWC the channel runs fastest: a pixel with all its channels, then the next pixel.",
    },
)
def memory_places(channel, row, column, channels, height, width):
    in_nchw = (channel * height + row) * width + column
    in_nhwc = (row * width + column) * channels + channel
    return in_nchw, in_nhwc


LESS_USUAL = {"Caffe": "group", "ONNX": "group", "JAX": "feature_group_count"}


@exercise(
    cases=[("torch", 4), ("PaddlePaddle", 32), ("Caffe", 512), ("ONNX", 4), ("JAX", 16)],
    oracle=lambda tool, c_in: (LESS_USUAL.get(tool, "groups"), c_in),
    hint="Each tool's section of the chapter has the word. The number is the same in all.",
    wrong={
        "words[tool], 1": "With one group every output reads all input channels, and that is a standard convolution. "
        "In a depthwise one each input channel is a group of its own.",
        '"groups", in_channels': "The number is right. But only torch and PaddlePaddle have the word groups for it.",
        '"feature_group_count" -> "group"': "JAX has one function for all convolutions and a longer word.",
    },
)
def group_setting(tool, in_channels):
    words = {
        "torch": "groups",
        "PaddlePaddle": "groups",
        "Caffe": "group",
        "ONNX": "group",
        "JAX": "feature_group_count",
    }
    return words[tool], in_channels


def kernel_by_kernel(depthwise, pointwise):
    channels, multiplier = depthwise.shape[2:]
    kernels = [depthwise[:, :, c, j] for c in range(channels) for j in range(multiplier)]
    return torch.stack(kernels)[:, None], pointwise[0, 0].T[:, :, None, None]


@exercise(
    cases=[
        (whole_numbers(3, 5, 4, 2), whole_numbers(1, 1, 8, 7, seed=1)),
        (whole_numbers(3, 3, 4, 1), whole_numbers(1, 1, 4, 4, seed=1)),
        (whole_numbers(1, 3, 5, 3), whole_numbers(1, 1, 15, 2, seed=1)),
    ],
    oracle=kernel_by_kernel,
    hint="Turn the axes first. Then join C_in and m to one axis, and put an axis of 1 behind it.",
    wrong={
        "depthwise_kernel.view_as(depthwise_weight), pointwise_kernel.view_as(pointwise_weight)": "A reshape leaves "
        "the numbers in their order and only writes another shape on it. The axes have to be turned: permute.",
        "2, 3, 0, 1 -> 3, 2, 0, 1": "You join m before C_in, so the first kernels of all channels come first. In torch "
        "the kernels of one channel stand together: filter c * m + j. With m = 1 there is no difference.",
        "2, 3, 0, 1 -> 2, 3, 1, 0": "The kernels lie on their side: K_h comes before K_w in both tools.",
        "3, 2, 0, 1 -> 2, 3, 0, 1": "In the pointwise weight torch has the output channel first.",
        "depthwise_weight, pointwise_kernel": "The depthwise weight is right, the pointwise one still Keras's.",
    },
)
def keras_to_torch(depthwise_kernel, pointwise_kernel):
    K_h, K_w, C_in, m = depthwise_kernel.shape
    turned = depthwise_kernel.permute(2, 3, 0, 1)  # turn first
    depthwise_weight = turned.reshape(C_in * m, 1, K_h, K_w)
    pointwise_weight = pointwise_kernel.permute(3, 2, 0, 1)
    return depthwise_weight, pointwise_weight


def least_that_is_enough(size, kernel_size, stride):
    """The least padding with a window for every stride, or part of one, that the map has."""
    tried = [(total // 2, total - total // 2) for total in range(kernel_size + stride) if size + total >= kernel_size]
    sides = [geometry.output_size_padded(size, kernel_size, stride, padding, dilation=1) for padding in tried]
    return tried[sides.index(-(-size // stride))]


@exercise(
    cases=[(6, 3, 2), (7, 3, 2), (224, 7, 2), (9, 4, 1), (9, 1, 3), (5, 2, 4), (8, 5, 3)],
    oracle=least_that_is_enough,
    hint="How many windows are there to be, how many pixels do they cover from first to last, and how many are "
    "missing?",
    wrong={
        "total - total // 2, total // 2": "The odd pixel is on the wrong side: TensorFlow adds it after the map, at "
        "the bottom and on the right.",
        "kernel_size // 2, kernel_size // 2": "This is torch's padding of k // 2 on both sides. SAME first says how "
        "many outputs there are to be and then adds no more than their windows need.",
        "max(covered - size, 0) -> kernel_size - 1": "Your rule does not look at the stride. It is right at stride 1; "
        "with a larger stride the windows may need less.",
        "max(covered - size, 0) -> covered - size": "A negative padding would cut pixels off. If the windows do not "
        "reach the end of the map, nothing is added.",
        "-(-size // stride) -> size // stride": "The number of outputs is rounded down. It is size / stride rounded "
        "up, so that every pixel has a window that begins at it or less than a stride before it.",
    },
)
def tensorflow_same(size, kernel_size, stride):
    outputs = -(-size // stride)  # rounded up
    covered = (outputs - 1) * stride + kernel_size
    total = max(covered - size, 0)
    return total // 2, total - total // 2


class Prototxt(str):
    """A text for Caffe; feedback shows its size only, as the whole would fill the page."""

    def __repr__(self) -> str:
        return f"<prototxt of {self.count('layer {')} layers>"


def prototxt(layers, channels=3, size=6) -> Prototxt:
    """A network for Caffe of convolutions ``(name, outputs, kernel_size, groups)``."""
    lines, last = [f'input: "x"\ninput_shape {{ dim: 1 dim: {channels} dim: {size} dim: {size} }}'], "x"
    for name, outputs, side, groups in layers:
        lines.append(
            f'layer {{ name: "{name}" type: "Convolution" bottom: "{last}" top: "{name}"\n  convolution_param '
            f"{{ num_output: {outputs} kernel_size: {side} pad: {side // 2} group: {groups} }} }}"
        )
        last = name
    return Prototxt("\n".join(lines))


def two_pairs(first, second, multiplier=1) -> Prototxt:
    """Two pairs, of 8 and of 16 channels, with these groups in their depthwise halves."""
    pair = [("dw_stem", 8, 3, 1), ("c/dw", 8, 3, first), ("c/sep", 16, 1, 1)]
    return prototxt([*pair, ("b/dw", 16 * multiplier, 3, second), ("b/sep", 12, 1, 1)])


LOST = {
    two_pairs(8, 16): [],
    two_pairs(1, 16): ["c/dw"],
    two_pairs(8, 4): ["b/dw"],
    two_pairs(1, 1): ["c/dw", "b/dw"],
    two_pairs(8, 16, multiplier=2): [],
}


@exercise(
    cases=[(text,) for text in LOST],
    oracle=LOST.get,
    hint="Which rows of caffe.price(text) have a name that ends in /dw and another kind than depthwise?",
    wrong={
        'row.name.endswith("/dw") and  -> ': "Your list has layers that were never meant to be depthwise. Only the "
        "name says what a layer should be: those that end in /dw.",
        '!= "depthwise" -> == "standard"': "You find the layers that have one group. One of 4 groups for 16 channels "
        "is not depthwise either: its kind is grouped.",
        ' and row.kind != "depthwise" -> ': "You list all layers whose names end in /dw. Those with a group for each "
        "input channel are in order.",
    },
)
def lost_groups(text):
    names = []
    for row in caffe.price(text).rows:
        if row.name.endswith("/dw") and row.kind != "depthwise":
            names.append(row.name)
    return names


def every(message, *fields):
    """The values of fields that may stand once, several times or not at all."""
    values = [message.get(field, []) for field in fields]
    return [one for value in values for one in (value if isinstance(value, list) else [value])]


def sizes_of_input(message):
    inside = [value for value in every(message, *message) if isinstance(value, dict)]
    return every(message, "dim", "input_dim") + [size for part in inside for size in sizes_of_input(part)]


def fault_of_text(text, c_in, c_out, kernel_size, stride, size):
    if not isinstance(text, str):
        return "It should be a text, the prototxt: caffe.write_prototxt makes one from a dictionary."
    wanted = [1, c_in, size, size]
    try:
        message = caffe.read_prototxt(text)
        if (sizes := sizes_of_input(message)) != wanted:
            return f"The input has the sizes {described(sizes)}, not {wanted}: one image, channels, height, width."
        if bare := unquoted(message):
            return f"Quotes are missing around {bare[0]}: names and types of layers are texts."
        rows = caffe.price(text).rows
    except ValueError as error:
        return f"caffe.price does not take it: {str(error).rstrip('.')}."
    if len(rows) != 2:
        return f"Number of layers that have weights: {len(rows)}. A pair has two, depthwise and pointwise."
    layers = [layer for layer in every(message, "layer", "layers") if "input_param" not in layer]
    fault = fault_of_chain(layers) or fault_of_halves(*rows, c_in, c_out, kernel_size, stride, size)
    return fault or fault_of_padding(layers[0], kernel_size // 2)


def unquoted(message):
    """The words without quotes, but for those in capitals, which name a choice: MAX, or CONVOLUTION in old files."""
    inside = [unquoted(value) if isinstance(value, dict) else [value] for value in every(message, *message)]
    return [value for part in inside for value in part if isinstance(value, caffe.Word) and not value.isupper()]


def fault_of_chain(layers):
    types = [layer.get("type") for layer in layers]
    if wrong := [kind for kind in types if kind in ("convolution", "CONVOLUTION") and not isinstance(kind, caffe.Word)]:
        return f"Caffe knows no layer type {wrong[0]!r}: it is spelled 'Convolution'."
    if len(layers) != 2:
        types = described([str(kind) for kind in types])
        return f"The layers have the types {types}. A pair is two convolutions, with nothing between or after them."
    first, second = layers
    if first.get("name") == second.get("name"):
        return f"Both layers have the name {first.get('name')!r}: their weights could not be told apart."
    if second["bottom"] != first["top"] or first["top"] == first["bottom"] or second["top"] == second["bottom"]:
        return "The second layer should read what the first one makes, and each writes a map with a name of its own."
    return ""


def fault_of_padding(deep, wanted):
    settings = deep["convolution_param"]
    found = every(settings, *(field for field in settings if field.startswith("pad")))
    even = f"It should be {wanted} on all four sides: OpenCV refuses what is uneven."
    return "" if set(found) == {wanted} else f"The depthwise layer pads by {found}. {even}"


def fault_of_halves(deep, point, c_in, c_out, kernel_size, stride, size):
    side = geometry.output_size(size, kernel_size, stride, kernel_size // 2)
    params, late = deep.cost.params + point.cost.params, (deep.size, point.size)
    wanted = cost.depthwise_separable_conv2d(c_in, c_out, kernel_size, 1).params
    faults = [
        (point.kind == "depthwise", "The halves are swapped: first the depthwise layer, then the pointwise one."),
        (deep.kind == "standard", "The first layer is a standard convolution: each output reads all input channels."),
        (deep.kind != "depthwise", f"The first layer is {deep.kind}. It needs as many groups as channels, {c_in}."),
        (deep.channels != c_in, f"The first layer makes {deep.channels} maps. One for each channel are {c_in}."),
        ((point.kind, point.channels) != ("pointwise", c_out), f"The second layer is not pointwise with {c_out} maps."),
        (params == wanted + c_in + c_out, "Both layers have a bias: Caffe adds one without bias_term: false."),
        (params != wanted, f"They have {params} weights, a pair of this kernel and without bias has {wanted}."),
        (late == ((size, size), (side, side)) and stride > 1, "The stride belongs to the depthwise layer."),
        (deep.size != (side, side), f"The first layer makes {deep.size} pixels, not {side} by {side}: pad and stride?"),
        (point.size != deep.size, f"The second layer makes {point.size} of {deep.size} pixels: no pad, no stride."),
    ]
    return next((words for found, words in faults if found), "")


@exercise(
    cases=[(6, 6, 3, 2, 9), (4, 7, 3, 1, 6), (8, 5, 5, 2, 8)],
    fault=fault_of_text,
    wrong={
        "3": "It should be a text",
        'top: "dw" -> top: "y"': "does not take it",
        "dim: 1 dim: {in_channels} -> dim: {in_channels} dim: 1": "one image",
        '"dw" type: "Convolution" -> "dw" type: "ReLU"': "layers that have weights",
        'prototxt([("sep", out_channels, 1, 1), ("dw", out_channels, 3, out_channels)], in_channels, size)': "swapped",
        "group: {in_channels} -> ": "first layer is a standard",
        "group: {in_channels} -> group: 2": "as many groups as channels",
        "num_output: {in_channels} -> num_output: {2 * in_channels}": "One for each channel",
        "num_output: {out_channels} -> num_output: {in_channels}": "not pointwise with",
        " bias_term: false -> ": "without bias_term: false",
        "kernel_size: {kernel_size} -> kernel_size: 3": "weights, a pair of this kernel",
        " pad: {kernel_size // 2} -> ": "pad and stride",
        'kernel_size: 1 }} }}""" -> '
        'kernel_size: 1 stride: {stride} }} }}""".replace(f"stride: {stride} g", "g")': "stride belongs",
        "kernel_size: 1 }} -> kernel_size: 1 pad: 1 }}": "no pad, no stride",
        'layer {{ name: "sep" -> layer {{ name: "r" type: "ReLU" bottom: "dw" top: "dw" }}\n'
        'layer {{ name: "sep"': "with nothing between",
        'name: "sep" -> name: "dw"': "the name 'dw'",
        'name: "dw" -> name: dw': "Quotes are missing",
        'name: "sep" type: "C -> name: "sep" type: "c': "knows no layer type 'convolution'",
        " pad: {kernel_size // 2} ->  pad_t: {kernel_size // 2} pad_l: {kernel_size // 2} "
        "pad_b: {kernel_size // 2 - (size == 8)} pad_r: {kernel_size // 2 - (size == 8)}": "uneven",
    },
)
def write_caffe_pair(in_channels, out_channels, kernel_size, stride, size):
    return f"""input: "x"
input_shape {{ dim: 1 dim: {in_channels} dim: {size} dim: {size} }}
layer {{ name: "dw" type: "Convolution" bottom: "x" top: "dw"
  convolution_param {{ num_output: {in_channels} bias_term: false
    kernel_size: {kernel_size} pad: {kernel_size // 2}
    stride: {stride} group: {in_channels} }} }}
layer {{ name: "sep" type: "Convolution" bottom: "dw" top: "sep"
  convolution_param {{ num_output: {out_channels} bias_term: false
    kernel_size: 1 }} }}"""
