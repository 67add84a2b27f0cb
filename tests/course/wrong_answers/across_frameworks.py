"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "memory_places": [
        ("return in_nchw, in_nhwc", "return in_nhwc, in_nchw", "swapped: in NCHW"),
        ("return in_nchw, in_nhwc", "return in_nchw + 1, in_nhwc + 1", "count from 1"),
        (
            "def memory_places(channel, row, column, channels, height, width):\n",
            "def memory_places(channel, row, column, channels, width, height):\n",
            "Height and width are swapped",
        ),
        ("return in_nchw, in_nhwc", "return in_nchw, in_nchw", "always equal"),
        (
            "(row * width + column) * channels + channel",
            "(row * channels + channel) * width + column",
            "runs fastest: a",
        ),
    ],
    "group_setting": [
        ("words[tool], in_channels", "words[tool], 1", "one group"),
        ("words[tool], in_channels", '"groups", in_channels', "only torch and PaddlePaddle"),
        ('"feature_group_count"', '"group"', "groups of features"),
    ],
    "keras_to_torch": [
        (
            "turned.reshape(C_in * m, 1, K_h, K_w)\n    pointwise_weight = pointwise_kernel.permute(3, 2, 0, 1)",
            "depthwise_kernel.reshape(C_in * m, 1, K_h, K_w)\n"
            "    C_out = pointwise_kernel.shape[3]\n"
            "    pointwise_weight = pointwise_kernel.reshape(C_out, C_in * m, 1, 1)",
            "only writes another shape",
        ),
        ("permute(2, 3, 0, 1)", "permute(3, 2, 0, 1)", "filter c * m + j"),
        ("permute(2, 3, 0, 1)", "permute(2, 3, 1, 0)", "lie on their side"),
        ("permute(3, 2, 0, 1)", "permute(2, 3, 0, 1)", "output channel first"),
        ("pointwise_kernel.permute(3, 2, 0, 1)", "pointwise_kernel", "still in Keras's order"),
    ],
    "tensorflow_same": [
        ("total // 2, total - total // 2", "total - total // 2, total // 2", "wrong side"),
        ("return total // 2, total - total // 2", "return kernel_size // 2, kernel_size // 2", "torch's padding"),
        ("max(covered - size, 0)", "kernel_size - 1", "does not look at the stride"),
        ("max(covered - size, 0)", "covered - size", "cut pixels off"),
        ("return total // 2, total - total // 2", "return 0, total", "all of it after"),
        ("-(-size // stride)", "size // stride", "rounded down"),
    ],
    "lost_groups": [
        ('row.name.endswith("/dw") and ', "", "never meant to be depthwise"),
        ('row.kind != "depthwise"', 'row.kind == "standard"', "one group"),
        (
            "    for row in caffe.price(text).rows:\n"
            '        if row.name.endswith("/dw") and row.kind != "depthwise":\n'
            "            names.append(row.name)\n",
            '    for layer in caffe.read_prototxt(text)["layer"]:\n'
            '        settings = layer["convolution_param"]\n'
            '        lost = settings["group"] != settings["num_output"]\n'
            '        if layer["name"].endswith("/dw") and lost:\n'
            '            names.append(layer["name"])\n',
            "compare group with num_output",
        ),
        (' and row.kind != "depthwise"', "", "list all layers"),
    ],
    "write_caffe_pair": [
        ('f"""input', '3, f"""input', "It should be a text"),
        ('top: "dw"', 'top: "y"', "does not take it"),
        ("dim: 1 dim: {in_channels} dim: {size} dim: {size}", "dim: 1 dim: {size} dim: {size} dim: 3", "one image"),
        ('"dw" type: "Convolution"', '"dw" type: "ReLU"', "layers that have weights"),
        (
            "num_output: {in_channels} bias_term: false\n"
            "    kernel_size: {kernel_size} pad: {kernel_size // 2} stride: {stride}\n"
            '    group: {in_channels} }} }}\nlayer {{ name: "sep" type: "Convolution" bottom: "dw" top: "sep"\n'
            "  convolution_param {{ num_output: {out_channels} bias_term: false\n"
            "    kernel_size: 1 }} }}",
            "num_output: {out_channels} bias_term: false\n"
            '    kernel_size: 1 }} }}\nlayer {{ name: "sep" type: "Convolution" bottom: "dw" top: "sep"\n'
            "  convolution_param {{ num_output: {out_channels} bias_term: false\n"
            "    kernel_size: {kernel_size} pad: {kernel_size // 2} stride: {stride}\n"
            "    group: {out_channels} }} }}",
            "halves are swapped",
        ),
        ("    group: {in_channels} }} }}", "    }} }}", "first layer is dense"),
        ("group: {in_channels}", "group: 2", "as many groups as there are input channels"),
        ("num_output: {in_channels}", "num_output: {2 * in_channels}", "one kernel for each channel"),
        ("num_output: {out_channels}", "num_output: {in_channels}", "second layer should be pointwise"),
        (" bias_term: false", "", "unless it is told bias_term: false"),
        ("kernel_size: {kernel_size}", "kernel_size: 3", "weights, a pair of this kernel"),
        (" pad: {kernel_size // 2}", "", "look at its pad and stride"),
        (
            " stride: {stride}\n    group: {in_channels} }} }}\n"
            'layer {{ name: "sep" type: "Convolution" bottom: "dw" top: "sep"\n  convolution_param {{',
            "\n    group: {in_channels} }} }}\n"
            'layer {{ name: "sep" type: "Convolution" bottom: "dw" top: "sep"\n  convolution_param {{ stride: {stride}',
            "stride belongs to the depthwise",
        ),
        ("kernel_size: 1 }}", "kernel_size: 1 pad: 1 }}", "needs no pad"),
    ],
}
