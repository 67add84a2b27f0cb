"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "pointwise_cost": [
        ("height * width", "(height + 2) * (width + 2)", "padded"),
        ("in_channels * out_channels", "in_channels + out_channels", "You add the channels"),
        ("in_channels * out_channels", "in_channels", "one filter"),
        ("macs = weights", "macs = 2 * weights", "FLOPs"),
        ("weights * height * width", "weights", "used once at every pixel"),
    ],
    "times_depthwise": [
        ("in_channels * out_channels", "in_channels * in_channels", "swapped"),
        ("pointwise / depthwise", "depthwise / pointwise", "other way round"),
        ("kernel_size**2", "kernel_size", "You divide by K"),
        ("in_channels * kernel_size**2", "kernel_size**2", "one kernel in the depthwise layer"),
        ("in_channels * out_channels", "out_channels", "times_depthwise(32, 64, 3) gives 0.222222"),
    ],
    "turn_colours": [
        ("[:, :, None, None]", ".T[:, :, None, None]", "swapped"),
        ("[:, :, None, None]", "", "four axes"),
        ("[[0, 1, 0], [0, 0, 1], [1, 0, 0]]", "[[1, 0, 0], [0, 1, 0], [0, 0, 1]]", "where it is"),
        ("[1, 0, 0]", "[1, 1, 1]", "Each row makes one output channel"),
    ],
    "pixel_change": [
        ("weight[:, channel, 0, 0]", "weight[channel, :, 0, 0]", "swapped"),
        ("change[:, row, column] = weight[:,", "change[channel, row, column] = weight[channel,", "as in a depthwise"),
        (
            "change[:, row, column] = weight[:, channel, 0, 0]",
            "around = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)\n"
            "    change[:, *around] = weight[:, channel]",
            "neighbours change too",
        ),
        ("change[:, row, column] = weight[:, channel, 0, 0]", "change[:] = weight[:, channel]", "All pixels change"),
        ("change[:, row, column]", "change[:, column, row]", "has"),
    ],
    "undo_mixing": [
        ("torch.linalg.matrix_rank(matrix) < matrix.shape[1]", "False", "rank is at most 2"),
        ("torch.linalg.matrix_rank(matrix) < matrix.shape[1]", "len(matrix) < matrix.shape[1]", "the rank decides"),
        ("< matrix.shape[1]", "< matrix.shape[0]", "there is a way back"),
        ("[:, :, None, None]", "", "weight of shape (3, 3, 1, 1)"),
        ("pinv(matrix)", "pinv(matrix).T", "does not give the input back"),
        ('"lost"', "None", "Return a weight"),
    ],
    "pointwise_by_matrix": [
        ("weight[:, :, 0, 0]", "weight[:, :, 0, 0].T", "swapped"),
        ("matrix @ pixels + bias[:, None]", "(matrix @ pixels).reshape(N, -1, H, W) + bias", "width of the maps"),
        (
            "N, C_in, H, W = maps.shape",
            "maps = torch.nn.functional.pad(maps, (1, 1, 1, 1))\n    N, C_in, H, W = maps.shape",
            "padded",
        ),
        (" + bias[:, None]", "", "bias is missing"),
        ("mixed.reshape", "mixed.transpose(1, 2).reshape", "reshape moves no axis"),
        ("mixed.reshape(N, -1, H, W)", "mixed.reshape(N, -1, W, H)", "has the shape"),
    ],
}
