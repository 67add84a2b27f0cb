"""Checks of the exercises in the chapter across_frameworks. They need torch and dslib alone."""

import torch

from dscourse.checks.inputs import whole_numbers
from dslib import caffe, cost, geometry

from .feedback import Feedback, Mistake, examine, inspect


def check_memory_places(reader_function) -> Feedback:
    """``memory_places(channel, row, column, channels, height, width)``: the place in NCHW and in NHWC, from 0."""

    def places(channel, row, column, channels, height, width):  # a row of numbers, each of which is its own place
        row_of_numbers = torch.arange(channels * height * width)
        first, last = row_of_numbers.reshape(channels, height, width), row_of_numbers.reshape(height, width, channels)
        return first[channel, row, column].item(), last[row, column, channel].item()

    def misread(channel, row, column, channels, height, width):
        return (channel * width + row) * height + column, (row * height + column) * channels + channel

    def row_by_row(channel, row, column, channels, height, width):  # height, channel, width
        return (channel * height + row) * width + column, (row * channels + channel) * width + column

    return examine(
        reader_function,
        cases=[(1, 0, 2, 2, 2, 3), (0, 1, 0, 2, 2, 3), (3, 4, 7, 5, 6, 9)],
        truth=places,
        mistakes=[
            Mistake(
                lambda *case: places(*case)[::-1],
                "The two are swapped: in NCHW the channel stands left of height and width, so a channel's whole map "
                "comes before the next one.",
            ),
            Mistake(
                lambda *case: tuple(place + 1 for place in places(*case)),
                "You count from 1. The first number of the row has the place 0.",
            ),
            Mistake(
                misread,
                "Height and width are swapped: to the next row of a map it is as many pixels as the map is wide.",
            ),
            Mistake(
                row_by_row,
                "Your second layout writes a row of one channel before the next channel. In NHWC the channel runs "
                "fastest: a pixel with all its channels, then the next pixel.",
            ),
            Mistake(
                lambda *case: (places(*case)[0],) * 2,
                "Your two places are always equal. In another layout the numbers stand in another order; only a "
                "reshape leaves them where they are.",
            ),
        ],
        hint="How many numbers stand before this one? The last axis of a layout runs fastest.",
    )


GROUP_WORDS = {"torch": "groups", "PaddlePaddle": "groups", "Caffe": "group", "ONNX": "group"}
GROUP_WORDS["JAX"] = "feature_group_count"


def check_group_setting(reader_function) -> Feedback:
    """``group_setting(tool, in_channels)``: (word, number) that make a convolution of that tool depthwise."""
    return examine(
        reader_function,
        cases=[("torch", 4), ("PaddlePaddle", 32), ("Caffe", 512), ("ONNX", 4), ("JAX", 16)],
        truth=lambda tool, c_in: (GROUP_WORDS[tool], c_in),
        mistakes=[
            Mistake(
                lambda tool, c_in: (GROUP_WORDS[tool], 1),
                "With one group every output reads all input channels, and that is a standard convolution. In a "
                "depthwise one each input channel is a group of its own.",
            ),
            Mistake(
                lambda tool, c_in: ("groups", c_in),
                "The number is right. But only torch and PaddlePaddle have the word groups for it.",
            ),
            Mistake(
                lambda tool, c_in: ("group" if tool == "JAX" else GROUP_WORDS[tool], c_in),
                "JAX has one function for all convolutions and a longer word: it counts groups of features.",
            ),
        ],
        hint="Each tool's section of the chapter has the word. The number is the same in all.",
    )


def check_keras_to_torch(reader_function) -> Feedback:
    """``keras_to_torch(depthwise_kernel, pointwise_kernel)``: a pair's kernels from Keras as torch's two weights.

    ``(K_h, K_w, C_in, m)`` becomes ``(C_in * m, 1, K_h, K_w)``, and ``(1, 1, C_in * m, C_out)`` becomes
    ``(C_out, C_in * m, 1, 1)``.
    """

    def weights(depthwise, pointwise):  # kernel by kernel
        channels, multiplier = depthwise.shape[2:]
        places = [(c, j) for c in range(channels) for j in range(multiplier)]
        filters = torch.stack([depthwise[:, :, c, j] for c, j in places])[:, None]
        return filters, pointwise[0, 0].T[:, :, None, None]

    def kernels_first(depthwise, pointwise):
        return depthwise.permute(3, 2, 0, 1).flatten(0, 1)[:, None], weights(depthwise, pointwise)[1]

    def lying(depthwise, pointwise):
        right = weights(depthwise, pointwise)
        return right[0].transpose(2, 3).reshape(right[0].shape), right[1]

    def reshaped(depthwise, pointwise):
        right = weights(depthwise, pointwise)
        return depthwise.reshape(right[0].shape), pointwise.reshape(right[1].shape)

    sizes = [((3, 5, 4, 2), (1, 1, 8, 7)), ((3, 3, 4, 1), (1, 1, 4, 4)), ((1, 3, 5, 3), (1, 1, 15, 2))]
    return examine(
        reader_function,
        cases=[(whole_numbers(*deep), whole_numbers(*point, seed=1)) for deep, point in sizes],
        truth=weights,
        mistakes=[
            Mistake(
                reshaped,
                "A reshape leaves the numbers in their order and only writes another shape on it. The axes have to be "
                "turned: permute.",
            ),
            Mistake(
                kernels_first,
                "You join m before C_in, so the first kernels of all channels come first. In torch the kernels of one "
                "channel stand together: filter c * m + j. With m = 1 there is no difference.",
            ),
            Mistake(
                lying,
                "The kernels lie on their side: K_h comes before K_w in both tools.",
            ),
            Mistake(
                lambda deep, point: (weights(deep, point)[0], point.permute(2, 3, 0, 1)),
                "In the pointwise weight input and output channels are swapped: torch has the output channel first.",
            ),
            Mistake(
                lambda deep, point: (weights(deep, point)[0], point),
                "The depthwise weight is right, the pointwise one is still in Keras's order.",
            ),
        ],
        hint="Turn the axes first. Then join C_in and m to one axis, and put an axis of 1 behind it.",
    )


def check_tensorflow_same(reader_function) -> Feedback:
    """``tensorflow_same(size, kernel_size, stride)``: ``(before, after)``, what ``"SAME"`` adds to an axis."""

    def fewest(size, kernel_size, stride):
        """The least padding with a window for every stride, or part of one, that the map has."""
        for total in range(kernel_size + stride):
            before, after = total // 2, total - total // 2
            if size + total >= kernel_size and -(-size // stride) == geometry.output_size_padded(
                size, kernel_size, stride, (before, after), dilation=1
            ):
                return before, after

    def by_rule(outputs, least):
        def padding(size, kernel_size, stride):
            total = max((outputs(size, stride) - 1) * stride + kernel_size - size, least)
            return total // 2, total - total // 2

        return padding

    return examine(
        reader_function,
        cases=[(6, 3, 2), (7, 3, 2), (224, 7, 2), (9, 4, 1), (9, 1, 3), (5, 2, 4), (8, 5, 3)],
        truth=fewest,
        mistakes=[
            Mistake(
                lambda *case: fewest(*case)[::-1],
                "The odd pixel is on the wrong side: TensorFlow adds it after the map, at the bottom and on the right.",
            ),
            Mistake(
                lambda size, k, stride: (k // 2, k // 2),
                "This is torch's padding of k // 2 on both sides. SAME first says how many outputs there are to be and "
                "then adds no more than their windows need.",
            ),
            Mistake(
                lambda size, k, stride: geometry.split_same_padding(k),
                "Your rule does not look at the stride. It is right at stride 1; with a larger stride the windows may "
                "need less.",
            ),
            Mistake(
                lambda *case: (0, sum(fewest(*case))),
                "You add all of it after the map. Half of it goes before the map, and of an odd number the larger "
                "half goes after.",
            ),
            Mistake(
                by_rule(lambda size, stride: -(-size // stride), -(10**6)),
                "A negative padding would cut pixels off. If the windows do not reach the end of the map, nothing is "
                "added.",
            ),
            Mistake(
                by_rule(lambda size, stride: size // stride, 0),
                "The number of outputs is rounded down. It is size / stride rounded up, so that every pixel has a "
                "window that begins at it or less than a stride before it.",
            ),
        ],
        hint="How many windows are there to be, how many pixels do they cover from first to last, and how many are "
        "missing?",
    )


class Prototxt(str):
    """A text for Caffe; feedback shows its size only, as the whole would fill the page."""

    def __repr__(self) -> str:
        return f"<prototxt of {self.count('layer {')} layers>"


def two_pairs(first, second, multiplier=1) -> Prototxt:
    """Two pairs for Caffe, of 8 and of 16 channels, with these groups in their depthwise halves."""
    shapes = [("stem", 8, 3, 1), ("a/dw", 8, 3, first), ("a/sep", 16, 1, 1)]
    shapes += [("b/dw", 16 * multiplier, 3, second), ("b/sep", 12, 1, 1)]
    lines, last = ['input: "x"', "input_shape { dim: 1 dim: 3 dim: 6 dim: 6 }"], "x"
    for name, outputs, side, groups in shapes:
        lines.append(
            f'layer {{ name: "{name}" type: "Convolution" bottom: "{last}" top: "{name}"\n  convolution_param '
            f"{{ num_output: {outputs} kernel_size: {side} pad: {side // 2} group: {groups} }} }}"
        )
        last = name
    return Prototxt("\n".join(lines))


def check_lost_groups(reader_function) -> Feedback:
    """``lost_groups(text)``: the names of the layers in a prototxt that end in ``/dw`` and are not depthwise."""

    def layers(text):  # name, input channels, output channels, groups
        message = caffe.read_prototxt(text)
        channels, found = message["input_shape"]["dim"][1], []
        for layer in message["layer"]:
            settings = layer["convolution_param"]
            found.append((layer["name"], channels, settings["num_output"], settings["group"]))
            channels = settings["num_output"]
        return found

    def lost(text, wrong=lambda c_in, c_out, groups: groups != c_in, end="/dw"):
        return [name for name, *sizes in layers(text) if name.endswith(end) and wrong(*sizes)]

    return examine(
        reader_function,
        cases=[(two_pairs(*groups),) for groups in [(8, 16), (1, 16), (8, 4), (1, 1), (8, 16, 2)]],
        truth=lost,
        mistakes=[
            Mistake(
                lambda text: lost(text, end=""),
                "Your list has layers that were never meant to be depthwise. Only the name says what a layer should "
                "be: those that end in /dw.",
            ),
            Mistake(
                lambda text: lost(text, lambda c_in, c_out, groups: groups == 1),
                "You find the layers that have one group. One of 4 groups for 16 channels is not depthwise either: "
                "its kind is grouped.",
            ),
            Mistake(
                lambda text: lost(text, lambda c_in, c_out, groups: groups != c_out),
                "You compare group with num_output. A depthwise layer has a group for each input channel, and more "
                "outputs than that if its depth multiplier is above 1.",
            ),
            Mistake(
                lambda text: lost(text, lambda *sizes: True),
                "You list all layers whose names end in /dw. Those with a group for each input channel are in order.",
            ),
        ],
        hint="Which rows of caffe.price(text) have a name that ends in /dw and another kind than depthwise?",
    )


def check_write_caffe_pair(reader_function) -> Feedback:
    """``write_caffe_pair(in_channels, out_channels, kernel_size, stride, size)``: a pair without bias, as prototxt."""
    return inspect(reader_function, [(6, 6, 3, 2, 9), (4, 7, 3, 1, 6), (8, 5, 5, 2, 8)], fault_of_pair)


def fault_of_pair(text, c_in, c_out, kernel_size, stride, size) -> str:
    """What is wrong with a prototxt that is to be a pair with padding of kernel_size // 2."""
    if not isinstance(text, str):
        return "It should be a text, the prototxt: caffe.write_prototxt makes one from a dictionary."
    sizes = [1, c_in, size, size]
    try:
        dims = caffe.read_prototxt(text).get("input_shape", {}).get("dim", sizes)
        if dims != sizes:
            return f"The input has the sizes {dims}, it should have {sizes}: one image, channels, height, width."
        priced = caffe.price(text)
    except Exception as error:  # a text may be wrong in any way
        return f"caffe.price does not take it: {str(error).rstrip('.')}."
    if len(priced.rows) != 2:
        return f"Number of layers that have weights: {len(priced.rows)}. A pair has two, depthwise and pointwise."
    deep, point = priced.rows
    if point.kind == "depthwise":
        return "The halves are swapped: first the depthwise layer, then the pointwise one."
    if deep.kind == "standard":
        return "The first layer is dense. Without a group, or with group: 1, each output reads all input channels."
    if deep.kind != "depthwise":
        return f"The first layer is {deep.kind}. It needs as many groups as there are input channels, here {c_in}."
    if deep.channels != c_in:
        return f"The first layer makes {deep.channels} maps. With one kernel for each channel it is {c_in}."
    if point.kind != "pointwise" or point.channels != c_out:
        return f"The second layer should be pointwise, without groups, and make {c_out} maps."
    wanted = cost.depthwise_separable_conv2d(c_in, c_out, kernel_size, 1)
    if priced.total.params == wanted.params + c_in + c_out:
        return "Both layers have a bias: Caffe adds one unless it is told bias_term: false."
    if priced.total.params != wanted.params:
        return f"They have {priced.total.params} weights, a pair of this kernel and without bias has {wanted.params}."
    return fault_of_sizes(deep.size, point.size, size, kernel_size, stride)


def fault_of_sizes(deep, point, size, kernel_size, stride) -> str:
    """What is wrong with the sizes, (height, width), of the maps that the two layers of a pair make."""
    side = geometry.output_size(size, kernel_size, stride, kernel_size // 2)
    if stride > 1 and deep == (size, size) and point == (side, side):
        return "The stride belongs to the depthwise layer: in the pointwise one it throws computed pixels away."
    if deep != (side, side):
        return f"The first layer makes maps of {deep}, it should be {(side, side)}: look at its pad and stride."
    if point != deep:
        return f"The second layer turns maps of {deep} into {point}: a kernel of one pixel needs no pad and no stride."
    return ""
