"""Solutions of the exercises in cost_analysis. The chapter's stubs and folded solutions are made from them."""


def pair_price(in_channels, out_channels, kernel_size, size, stride, padding):
    side = (size + 2 * padding - kernel_size) // stride + 1  # of the output
    depthwise = in_channels * kernel_size**2
    pointwise = in_channels * out_channels
    weights = depthwise + pointwise
    macs = weights * side**2
    return weights, macs, 2 * macs


def share_left(out_channels, kernel_size, depth_multiplier):
    return depth_multiplier * (1 / out_channels + 1 / kernel_size**2)


def count_verdict(in_channels, out_channels, kernel_size, size, operations):
    depthwise = in_channels * kernel_size**2 * size**2
    pointwise = in_channels * out_channels * size**2
    counts = {
        2 * (depthwise + pointwise): "right",
        depthwise + pointwise: "MACs",
        2 * (in_channels * depthwise + pointwise): "channels twice",
        2 * depthwise * out_channels: "dense",
    }
    return counts[operations]


def fused_elements(in_channels, out_channels, kernel_size, side):
    weights = in_channels * kernel_size**2 + in_channels * out_channels
    return (in_channels + out_channels) * side**2 + weights


def break_even_channels(side, kernel_size):
    moved_beyond = 2 * side**2 + kernel_size**2  # for each input channel
    weights_saved = kernel_size**2 - 1  # for each of its output channels
    # minus on both sides of // makes it round up
    return -(-moved_beyond // weights_saved)


def network_price(in_channels, size, rows):
    params = macs = 0
    for kind, out_channels, kernel_size, stride in rows:
        if kind == "fc":
            weights = in_channels * out_channels
            params += weights + out_channels  # and a bias for each output
            macs += weights
        else:
            read = 1 if kind == "dw" else in_channels  # by each filter
            weights = out_channels * read * kernel_size**2
            params += weights + 2 * out_channels  # and a batch norm
            padding = (kernel_size - 1) // 2
            size = (size + 2 * padding - kernel_size) // stride + 1
            macs += weights * size**2
        in_channels = out_channels  # what the next layer reads
    return params, macs
