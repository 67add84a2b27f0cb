"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

PAIR = "nn.Sequential(depthwise, *between, pointwise)"

WRONG = {
    "ghost_least_channels": [
        ("d**2 // K**2 + 1", "-(-(d**2) // K**2)", "nothing is saved yet"),
        (" + 1", "", "from one channel more on"),
        ("d**2 // K**2", "K**2 // d**2", "K and d are swapped"),
        ("d**2 // K**2", "d // K", "squares of the sides"),
        ("d**2 // K**2 + 1", "d**2 + 1", "It saves if one filter"),
    ],
    "ghost_speed_up": [
        ("math.ceil(C_out / s)", "C_out // s", "maps down"),
        ("math.ceil(C_out / s)", "C_out / s", "fraction of a map"),
        ("intrinsic * (s - 1)", "C_out - intrinsic", "ghosts that are kept"),
        ("ghosts * d**2", "ghosts * K**2", "kernels of K by K"),
        ("(intrinsic * mixed + ghosts * d**2)", "(intrinsic * C_in * d**2 + ghosts * K**2)", "K and d are swapped"),
        ("C_out * mixed / (intrinsic * mixed + ghosts * d**2)", "s * C_in / (s + C_in - 1)", "approximation"),
        ("(s - 1)", "s", "s ghosts for each"),
        (
            "C_out * mixed / (intrinsic * mixed + ghosts * d**2)",
            "(intrinsic * mixed + ghosts * d**2) / (C_out * mixed)",
            "share of the MACs",
        ),
        ("C_in * K**2", "C_in * K", "count the weights"),
    ],
    "ghost_maps": [
        ("[:out_channels]", "", "return all maps"),
        ("[:out_channels]", "[-out_channels:]", "keep the last maps"),
        ("[few, more]", "[more, few]", "ghosts stand first"),
        ("more = conv2d(few,", "more = conv2d(few.relu(),", "A ReLU stands before"),
        (
            "conv2d(few, cheap, padding=pad, groups=len(few))",
            "conv2d(few.repeat(len(cheap) // len(few), 1, 1), cheap, padding=pad, groups=len(cheap))",
            "kernels 2 and 3",
        ),
        ("[few, more]", "[few, few, few]", "both behind one another"),
    ],
    "grey_twins": [
        ("return filters", "return filters[0]", "two filters with three kernels"),
        ("filters[0, 0, 1, 1] = 1.0", "filters[0, 0, 1, 1] = 0.0", "empty map"),
        ("return filters", "return 1e-4 * torch.ones(2, 3, 3, 3)", "not unlike enough"),
        ("filters[1, 2, 1, 1] = 1.0", "filters[1, 2, 1, 0] = 1.0", "two sums have to be the same"),
        ("filters[1, 2, 1, 1] = 1.0", "filters[1, 0, 1, 1] = 1.0", "not unlike enough"),
    ],
    "ghost_resnet_50": [
        ("return net", "return net.total", "cost.Network itself"),
        (
            "            if block == 0:\n"
            "                layer(shortcut, 4 * inside, 1, stride)\n"
            "            net.add(shortcut)\n",
            "",
            "53 convolutions",
        ),
        ("layer(shortcut, 4 * inside, 1, stride)", "shortcut.conv2d('s', 4 * inside, 1, stride, norm='n')", "52"),
        (', norm="norm"', "", "batch norm follows"),
        ("inside > 64", "inside > 0", "and the strides"),
        ("path.keep(out_channels)", "pass", "does the next layer read"),
        ("math.ceil(out_channels / ratio)", "out_channels // ratio + 1", "rounded up"),
        ("m * (ratio - 1)", "m * ratio", "how many ghosts of each"),
        ("padding=1", "padding=0", "the pool's padding"),
        ("    net.global_pool()\n", "", "averaged to one number"),
        (
            "layer(shortcut, 4 * inside, 1, stride)\n            net.add(shortcut)",
            "layer(net.branch(), 4 * inside, 1, stride)",
            "that of the shortcut too",
        ),
    ],
    "separable_within": [
        ("return nn.Sequential(*layers)\n", "return layers\n", "should return a network"),
        ("    return nn.Sequential(*layers)\n", "    return nn.Sequential(*layers[1:])\n", "does not run on an image"),
        ("    return nn.Sequential(*layers)\n", "    return nn.Sequential(*layers[:-1])\n", "returns the shape"),
        ("convs[1:]", "convs", "Convolution 1 should stay as it is"),
        (f"return {PAIR}", "return nn.Sequential(pointwise, nn.Conv2d(c_out, c_out, *settings))", "comes first"),
        ("groups=c, ", "", "has no groups"),
        ("groups=c,", "groups=2,", "groups=2"),
        ("conv.kernel_size, conv.stride, conv.padding", "3, conv.stride, 1", "should keep the 5 by 5"),
        (f"return {PAIR}", f"return {PAIR}[: 3 + (c != c_out)]", "channels are not mixed"),
        (
            "settings = conv.kernel_size, conv.stride, conv.padding",
            "settings = conv.kernel_size, 1, conv.padding",
            "Do stride and padding go",
        ),
        (
            "nn.Conv2d(c, c, *settings, groups=c, bias=False)\n        pointwise = nn.Conv2d(c, c_out, 1, bias=False)",
            "nn.Conv2d(c, c, conv.kernel_size, 1, conv.padding, groups=c)\n"
            "        pointwise = nn.Conv2d(c, c_out, 1, conv.stride)",
            "stride is in the pointwise half",
        ),
        ("nn.BatchNorm2d(c), nn.ReLU()", "()", "no activation stands"),
        (
            "nn.BatchNorm2d(c), nn.ReLU()",
            "(type('Relu', (nn.Module,), {'forward': lambda self, maps: maps.relu()})(),)",
            "no batch norm stands",
        ),
        (f"return {PAIR}", f"return {PAIR} if c != c_out else nn.Identity()", "neither a dense layer nor a pair"),
        ("between, pointwise)", "between, pointwise, nn.Conv2d(c_out, c_out, 1, groups=c_out))", "more convolutions"),
        ("macs(layers) > budget", "macs(layers) > 2 * budget", "more than the budget"),
        ("macs(layers) > budget", "True", "would do"),
        ("macs(layers) > budget", "macs(layers) >= budget", "kept without any pair"),
    ],
}
