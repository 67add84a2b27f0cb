"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "pair_shapes": [
        ("in_channels * depth_multiplier", "in_channels", "depth multiplier is not used"),
        ("(out_channels, middle, 1, 1)", "(out_channels, in_channels, 1, 1)", "reads what the depthwise half makes"),
        ("(middle, 1, kernel", "(middle, in_channels, kernel", "reads a single input channel"),
        (
            "(out_channels, middle, 1, 1)",
            "(out_channels * depth_multiplier, in_channels, 1, 1)",
            "more intermediate maps, not more output maps",
        ),
        ("(middle, 1, kernel", "(in_channels, depth_multiplier, kernel", "do not stack up to one filter"),
        ("(out_channels, middle, 1, 1)", "(middle, out_channels, 1, 1)", "axes of the pointwise weight are swapped"),
        ("return depthwise_shape, pointwise_shape", "return pointwise_shape, depthwise_shape", "halves are swapped"),
        ("(middle, 1, kernel_size, kernel_size)", "(middle, 1, kernel_size)", "How many intermediate maps"),
    ],
    "swapped_weight": [
        (
            "pointwise_weight * depthwise_weight",
            "(pointwise_weight * depthwise_weight).transpose(0, 1)",
            "axes are swapped",
        ),
        ("return pointwise_weight *", "return pointwise_weight**0 *", "pointwise weights are not used"),
        ("pointwise_weight * depthwise_weight", "(pointwise_weight * depthwise_weight).sum(1, True)", "are added up"),
        ("* depthwise_weight", "* depthwise_weight.flip(2, 3)", "turned around"),
        ("return pointwise_weight", "return -pointwise_weight", "belongs to an output map"),
    ],
    "needed_multiplier": [
        ("weight.transpose(0, 1).flatten(2)", "weight.flatten(2)", "matrices of the output channels"),
        ("weight.transpose(0, 1).flatten(2)", "weight.flatten(1)", "one matrix for the whole layer"),
        (".max())", "[0])", "input channel 0 alone"),
        (".max())", ".min())", "simplest channel"),
        (".max())", ".sum())", "add the channels up"),
        ("int(torch", "min(matrices.shape[1:]) + 0 * int(torch", "enough for every layer of this shape"),
        (".max())", ".max()) + 1", "a row for each output channel"),
    ],
    "close_pair": [
        (
            "sizes[:, m:].norm() > error * sizes.norm()",
            "(sizes[:, m:] ** 2).sum() > error * (sizes**2).sum()",
            "sums of squares",
        ),
        ("sizes[:, m:].norm() > error * sizes.norm()", "sizes[:, m:].sum() > error * sizes.sum()", "singular values"),
        ("sizes[:, m:].norm() > error *", "sizes[:, :m].norm() < (1 - error) *", "what is kept"),
        (
            "sizes[:, m:].norm() > error * sizes.norm()",
            "(sizes[:, m:].norm(dim=1) > error * sizes.norm(dim=1)).any()",
            "in each input channel",
        ),
        ("weight.transpose(0, 1).flatten(2)", "weight.flatten(2)", "matrices of the output channels"),
        ("return m, m * C_in", "return m, C_in", "with multiplier 1"),
        ("(K_h * K_w + C_out)", "K_h * K_w + C_in * C_out", "in your depthwise weights alone"),
        ("m * C_in * (K_h * K_w + C_out)", "weight.numel()", "that of the dense layer"),
        ("(K_h * K_w + C_out)", "(K_h**2 + C_out)", "it should give 33"),
        ("    m = 1\n", "    m = 2\n", "Leave out the smallest terms"),
    ],
    "edge_pair": [
        ("return depthwise_weight, pointwise_weight", "return depthwise_weight", "two tensors"),
        ("[:, None]  #", "  #", "The shapes are (12, 3, 3)"),
        ("torch.stack(four * 3)", "torch.stack(four).repeat_interleave(3, 0)", "their order is not"),
        ("[1, 2] = -1, 1", "[1, 2] = -1, 2", "must add up to 0"),
        ("-right_left, below_above, -below_above", "right_left, below_above, below_above", "count with their sign"),
        ("below_above = right_left.T", "below_above = 0 * right_left", "between right and left are"),
        ("below_above = right_left.T", "right_left, below_above = 0 * right_left, right_left.T", "below and above are"),
        ("= -1, 1", "= -2, 2", "2 times what it should be"),
        (
            "pointwise_weight = torch.ones(1, 12, 1, 1)",
            "pointwise_weight = torch.zeros(1, 12, 1, 1)\n    pointwise_weight[0, :4] = 1",
            "Only channel 0 comes out right",
        ),
        ("right_left[1, 0], right_left[1, 2]", "right_left[0, 0], right_left[0, 2]", "opposite neighbours"),
    ],
    "separable_by_hand": [
        (
            "    return output",
            "    wide = torch.zeros(C_out, H_out + 2 * padding, W_out + 2 * padding)\n"
            "    wide[:, padding : padding + H_out, padding : padding + W_out] = output\n"
            "    return wide",
            "1 by 1 half is padded too",
        ),
        ("return output", "return output[:, ::stride, ::stride]", "stride is applied twice"),
        (
            "H, W = maps.shape",
            "H, W = maps.shape\n    depthwise = depthwise[:C_in]",
            "one kernel for each",
        ),
        ("k // m", "k % C_in", "c * m + m - 1 read channel c"),
        ("padded[k // m, top", "padded.sum(0)[top", "already adds up the channels"),
        ("return output", "return middle", "intermediate maps. The pointwise"),
        ("[:, padding : padding + H, padding : padding + W]", "[:, :H, :W]", "on all four sides"),
        ("H, W = maps.shape", "H, W = maps.shape\n    padding += 1", "one pixel too wide"),
        ("H, W = maps.shape", "H, W = maps.shape\n    padding = 0", "padding is not used"),
        ("i * stride, j * stride", "i, j", "Window i starts at"),
        ("window * depthwise[k, 0]", "window * depthwise[k, 0].flip(0, 1)", "turned around"),
        ("+ 1\n    W_out", "+ 0\n    W_out", "sum of these maps"),
    ],
}
