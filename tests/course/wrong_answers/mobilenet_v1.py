"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "mobilenet_pair": [
        ("weights * side**2", "weights * size**2", "stride is not used"),
        (
            "weights * side**2",
            "9 * in_channels * side**2 + in_channels * out_channels * size**2",
            "already reads smaller maps",
        ),
        ("(size - 1) // stride + 1", "size // stride", "round the side down"),
        ("9 * in_channels + in_channels * out_channels", "9 * in_channels * out_channels", "one dense 3 by 3"),
        ("9 * in_channels +", "9 * out_channels +", "depthwise half comes first"),
        ("weights * side**2", "2 * weights * side**2", "FLOPs"),
        ("9 * in_channels +", "in_channels +", "it should give"),
    ],
    "mobilenet_params": [
        ("in_norm = 2", "in_norm = 0", "batch norms are missing"),
        ("in_norm = 2", "in_norm = 4", "stored, but not learned"),
        ("in_norm = 2", "in_norm = 3", "give the convolutions biases"),
        ("in_norm = 2", "in_norm = 1", "folded norms"),
        ("(9 + in_norm)", "9", "only the one after the pointwise half"),
        ("(channels + 1) * classes", "channels * classes", "bias for each class"),
        ("channels = 32", "channels = 3", "layers one by one"),
    ],
    "fitting_counts": [
        ("all(map", "any(map", "has to give every row"),
        ("ways = ROUND_HALF_UP, ROUND_DOWN", "ways = [ROUND_HALF_UP]", "You only round"),
        ("ways = ROUND_HALF_UP, ROUND_DOWN", "ways = [ROUND_DOWN]", "You only cut off"),
        ("quantize(wanted, how)", 'quantize(Decimal("1.0"), how)', "one digit after the point"),
        ("/ 10**6", "/ 10**3", "A count fits a printed number"),
    ],
    "mobilenet_macs": [
        (
            "return macs + channels * 1000",
            "return width * mobilenet_macs(rows, 1, size) if width != 1 else macs + channels * 1000",
            "times the width",
        ),
        ("channels = after", "channels = out_channels", "as many as at width 1"),
        ("max(int(width * channels), 8)", "width * channels", "fractions of channels"),
        ("int(width * channels)", "round(width * channels)", "rounds down, to 8"),
        ("max(int(width * channels), 8)", "int(width * channels)", "at least 8 channels"),
        (
            "return macs + channels * 1000",
            "return (mobilenet_macs(rows, width, 224) if size != 224 else macs + channels * 1000) * size / 224",
            "resolution linearly",
        ),
        ("(side - 1) // stride + 1", "side // stride", "sides of the maps down"),
        (" + channels * 1000", "", "fully connected layer is missing"),
        ("side**2", "side", "keep two numbers"),
    ],
    "mobilenet_width": [
        ("return (root - linear) / (2 * square)", "return budget / (square + linear)", "grow with the width"),
        (
            "return (root - linear) / (2 * square)",
            "return (budget / (square + linear)) ** 0.5",
            "all MACs grow with the square",
        ),
        ("return (root - linear) / (2 * square)", "return (budget / square) ** 0.5", "left out"),
        ("root - linear", "-root - linear", "negative solution"),
        ("square = ", "size = 224\n    square = ", "always takes 224"),
        (
            "return (root - linear) / (2 * square)",
            "return round((root - linear) / (2 * square), 3)",
            "without rounding",
        ),
    ],
    "fold_norm": [
        (" + norm.eps", "", "eps is missing"),
        (" ** 0.5", "", "divide by the variance"),
        ("before - norm.running_mean", "before + norm.running_mean", "mean is added"),
        ("0 if conv.bias is None else conv.bias", "0", "is lost"),
        ("(before - norm.running_mean) * factor", "before - norm.running_mean * factor", "after the norm"),
        ("conv.weight * factor[:, None, None, None]", "conv.weight", "belongs to an output channel"),
    ],
}
