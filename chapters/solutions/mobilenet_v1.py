"""Solutions of the exercises in mobilenet_v1. The chapter's stubs and folded solutions are made from them."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal


def mobilenet_pair(in_channels, out_channels, size, stride):
    weights = 9 * in_channels + in_channels * out_channels
    side = (size - 1) // stride + 1  # window of 3, padding 1
    return weights, weights * side**2


def mobilenet_params(rows, classes):
    in_norm = 2  # for each channel: gamma and beta
    channels = 32
    params = (3 * 9 + in_norm) * channels
    for _, out_channels in rows:
        params += (9 + in_norm) * channels
        params += (channels + in_norm) * out_channels
        channels = out_channels
    return params + (channels + 1) * classes


def fitting_counts(printed, counts):
    def fits(text, count):
        wanted, millions = Decimal(text), Decimal(count) / 10**6
        ways = ROUND_HALF_UP, ROUND_DOWN
        return wanted in [millions.quantize(wanted, how) for how in ways]

    fitting = []
    for words, exact in counts.items():
        if all(map(fits, printed, exact)):  # row by row
            fitting.append(words)
    return fitting


def mobilenet_macs(rows, width, size):
    def scaled(channels):
        return max(int(width * channels), 8)

    channels, side = scaled(32), (size + 1) // 2
    macs = 3 * 9 * channels * side**2
    for stride, out_channels in rows:
        after, side = scaled(out_channels), (side - 1) // stride + 1
        macs += (9 * channels + channels * after) * side**2
        channels = after
    return macs + channels * 1000


def mobilenet_width(budget, size):
    square = 10752 * size**2
    linear = 1125 / 2 * size**2 + 1024_000
    root = (linear**2 + 4 * square * budget) ** 0.5
    return (root - linear) / (2 * square)


def fold_norm(conv, norm):
    factor = norm.weight / (norm.running_var + norm.eps) ** 0.5
    before = 0 if conv.bias is None else conv.bias
    bias = norm.bias + (before - norm.running_mean) * factor
    return conv.weight * factor[:, None, None, None], bias
