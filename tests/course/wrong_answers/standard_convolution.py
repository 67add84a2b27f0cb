"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "weight_shape": [
        ("out_channels, in_channels", "in_channels, out_channels", "swapped"),
        ("out_channels, in_channels, ", "out_channels, ", "channel axis is missing"),
        ("kernel_height, kernel_width)\n", "kernel_width, kernel_height)\n", "Height comes before width"),
    ],
    "output_side": [
        ("stride + 1", "stride", "one window more"),
        ("2 * padding", "padding", "both sides"),
        ("dilation * (kernel_size - 1) + 1", "kernel_size", "dilation is not used"),
        ("(size + 2 * padding - span) // stride", "-(-(size + 2 * padding - span) // stride)", "round down"),
        (
            "(size + 2 * padding - span) // stride + 1",
            "round((size + 2 * padding - span) / stride + 1)",
            "output_side(9, 3, 3, 1, 1) gives 4",
        ),
    ],
    "conv_params": [
        ("(out_channels if bias else 0)", "(2 * out_channels if bias else 0)", "counted twice"),
        (
            "kernel_size**2\n    return weights + (out_channels if bias else 0)",
            "(kernel_size**2 + bias)\n    return weights",
            "every kernel a bias",
        ),
        ("(out_channels if bias else 0)", "out_channels", "does not look at bias"),
        (" + (out_channels if bias else 0)", "", "bias is missing"),
        ("out_channels * in_channels *", "out_channels *", "one kernel for each filter"),
    ],
    "conv_macs": [
        ("weights * side**2", "weights * size**2", "input's positions"),
        ("weights * side**2", "2 * weights * side**2", "FLOPs"),
        ("in_channels * kernel", "kernel", "One input channel"),
        ("weights * side**2", "weights", "These are the weights"),
        ("(size + 2 * padding - kernel_size) // stride + 1", "size // stride", "for some paddings only"),
    ],
    "redness": [
        ("weight[0, :, 1, 1]", "weight[0, :, 1, 0]", "neighbours"),
        ("[1.0, -0.5, -0.5]", "[-0.5, 1.0, -0.5]", "Red should raise"),
        ("[1.0, -0.5, -0.5]", "[1.0, -1.0, -1.0]", "grey pixel"),
        ("return weight", "return weight[:, :1]", "one filter with three kernels"),
    ],
    "conv2d_by_hand": [
        ("window * weight[o]", "window * weight[o].flip(1, 2)", "turned around"),
        ("(window * weight[o]).sum()", "(window * weight[o])[0].sum()", "Only input channel 0"),
        ("[:, padding : padding + H, padding : padding + W]", "[:, :H, :W]", "one side only"),
        ("C_in, H, W = maps.shape", "C_in, H, W = maps.shape\n    padding = 0", "padding is not used"),
    ],
}
