"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "depthwise_padding": [
        ("(kernel_size - 1)", "(kernel_size - stride + 1)", "rule of note 002"),
        ("(kernel_size - 1) // 2", "kernel_size - 1", "both sides together"),
        ("kernel_size - 1", "kernel_size + 1", "One pixel too many"),
        ("(kernel_size - 1) // 2", "1", "right for a 3 by 3 kernel"),
        ("(kernel_size - 1) // 2", "0", "stick out on one side"),
    ],
    "depthwise_cost": [
        (" * depth_multiplier", "", "depth multiplier is not used"),
        ("weights = in_channels", "weights = in_channels * in_channels", "counted twice"),
        ("math.ceil(size / stride)", "size", "input's positions"),
        ("math.ceil(size / stride)", "size // stride", "round up"),
        ("macs = weights", "macs = 2 * weights", "FLOPs"),
        ("kernel_size**2", "kernel_size", "at [0]"),
    ],
    "align_colours": [
        ("zeros(3, 1, 3, 3)", "zeros(3, 3, 3, 3)", "one kernel of 3 by 3"),
        ("weight[0, 0, 1, 2] = 1", "weight[0, 0, 1, 0] = 1", "Red has moved the wrong way"),
        ("weight[2, 0, 1, 0] = 1", "weight[2, 0, 0, 1] = 1", "Blue has moved up or down"),
        ("weight[2, 0, 1, 0] = 1", "weight[2, 0, 1, 2] = 1", "Blue has moved the wrong way"),
        ("weight[2, 0, 1, 0] = 1", "weight[2, 0, 1, 1] = 1", "Blue has not moved"),
        ("weight[1, 0, 1, 1] = 1", "pass", "Green has disappeared"),
        ("weight[1, 0, 1, 1] = 1", "weight[1, 0, 1, 0] = 1", "Green should stay"),
        ("weight[0, 0, 1, 2] = 1", "weight[0, 0, 1, :] = 1", "Red is smeared"),
        ("weight[0, 0, 1, 2] = 1", "weight[0, 0, 1, 2] = -1", "Red has another brightness"),
    ],
    "channels_read": [
        ("[0, out_channel]", "", "look at out_channel alone"),
        ("layer(before)", "0", "has a bias"),
        ("before.clone()", "before", "no channel at all"),
        (
            "    for c in range(in_channels):\n        after = before.clone()",
            "    after = before.clone()\n    for c in range(in_channels):",
            "all that follow",
        ),
        ("found.append(c)", "found.append(out_channel)", "gives"),
    ],
    "merge_depthwise": [
        ("torch.stack([a, b], dim=1)  # (C, 2, 1, K, K)", "torch.cat([a, b])[:, None]", "c*m + j, not j*C_in + c"),
        ("[a, b]", "[b, a]", "changed places"),
        (".flatten(0, 1)", ".flatten(1, 2)", "in one filter"),
        (".flatten(0, 1)", ".sum(dim=1)", "add the kernels up"),
    ],
    "depthwise_by_hand": [
        ("o // multiplier", "o % C_in", "stand side by side"),
        ("output[o, i, j]", "output[o % multiplier * C_in + o // multiplier, i, j]", "another order"),
        ("maps[o // multiplier]", "maps.sum(dim=0)", "add up over the input channels"),
        ("maps[o // multiplier]", "maps[0]", "read channel 0"),
        ("C_in, H, W = maps.shape", "C_in, H, W = maps.shape\n    stride = 1", "stride is not used"),
        ("top, left = i * stride, j * stride", "top, left = i, j", "moves by one pixel"),
        (
            "C_out, _, K_h, K_w = weight.shape",
            "C_out, _, K_h, K_w = maps.shape[0], *weight.shape[1:]",
            "one map per input",
        ),
    ],
}
