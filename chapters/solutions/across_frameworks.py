"""Solutions of the exercises in across_frameworks. The chapter's stubs and folded solutions are made from them."""

from dslib import caffe


def memory_places(channel, row, column, channels, height, width):
    in_nchw = (channel * height + row) * width + column
    in_nhwc = (row * width + column) * channels + channel
    return in_nchw, in_nhwc


def group_setting(tool, in_channels):
    words = {
        "torch": "groups",
        "PaddlePaddle": "groups",
        "Caffe": "group",
        "ONNX": "group",
        "JAX": "feature_group_count",
    }
    return words[tool], in_channels


def keras_to_torch(depthwise_kernel, pointwise_kernel):
    K_h, K_w, C_in, m = depthwise_kernel.shape
    turned = depthwise_kernel.permute(2, 3, 0, 1)  # first turn, then join
    depthwise_weight = turned.reshape(C_in * m, 1, K_h, K_w)
    pointwise_weight = pointwise_kernel.permute(3, 2, 0, 1)
    return depthwise_weight, pointwise_weight


def tensorflow_same(size, kernel_size, stride):
    outputs = -(-size // stride)  # rounded up
    covered = (outputs - 1) * stride + kernel_size
    total = max(covered - size, 0)
    return total // 2, total - total // 2


def lost_groups(text):
    names = []
    for row in caffe.price(text).rows:
        if row.name.endswith("/dw") and row.kind != "depthwise":
            names.append(row.name)
    return names


def write_caffe_pair(in_channels, out_channels, kernel_size, stride, size):
    return f"""input: "x"
input_shape {{ dim: 1 dim: {in_channels} dim: {size} dim: {size} }}
layer {{ name: "dw" type: "Convolution" bottom: "x" top: "dw"
  convolution_param {{ num_output: {in_channels} bias_term: false
    kernel_size: {kernel_size} pad: {kernel_size // 2} stride: {stride}
    group: {in_channels} }} }}
layer {{ name: "sep" type: "Convolution" bottom: "dw" top: "sep"
  convolution_param {{ num_output: {out_channels} bias_term: false
    kernel_size: 1 }} }}"""
