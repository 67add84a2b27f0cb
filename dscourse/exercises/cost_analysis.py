"""The exercises of the chapter on cost analysis."""

from itertools import count
from operator import attrgetter

from dscourse.checks.exercise import exercise
from dscourse.checks.values import described
from dslib import cost, geometry, tables


@exercise(
    cases=[(2, 4, 3, 4, 1, 1), (128, 256, 5, 32, 2, 2), (3, 8, 2, 11, 2, 1), (4, 7, 3, 9, 1, 0)],
    oracle=lambda c_in, c_out, k, size, s, p: attrgetter("params", "macs", "flops")(
        cost.depthwise_separable_conv2d(c_in, c_out, k, geometry.output_size(size, k, s, p))
    ),
    hint="First the output's side. Then for each half: how many products are added up to one number, and how many "
    "numbers are made?",
    wrong={
        "weights * side**2 -> (in_channels * depthwise + pointwise) * side**2": "The number of input channels is in "
        "the depthwise half twice, as in note 003. One intermediate number adds up K * K products, however many "
        "channels there are, and C_in maps of them are made.",
        "depthwise = in_channels -> depthwise = in_channels**2": "Your first half is a dense layer, whose filters read "
        "all channels. A depthwise filter reads one.",
        "weights, 2 * macs, macs": "MACs and FLOPs are swapped. A MAC is a multiplication and an addition: two FLOPs.",
        "side**2 -> size**2": "You multiply by the input's positions. Both halves work at those of the output.",
        "weights * side -> depthwise * size**2 + pointwise * side": "Your depthwise half stands on every position of "
        "the input. The stride belongs to it: it skips positions, and its output is already the smaller map.",
    },
)
def pair_price(in_channels, out_channels, kernel_size, size, stride, padding):
    # one side of the output
    side = (size + 2 * padding - kernel_size) // stride + 1
    depthwise = in_channels * kernel_size**2
    pointwise = in_channels * out_channels
    weights = depthwise + pointwise
    macs = weights * side**2
    return weights, macs, 2 * macs


@exercise(
    cases=[(64, 3, 1), (16, 5, 2), (1, 3, 1), (32, 1, 1), (8, 3, 6)],
    oracle=lambda c_out, k, m: (
        cost.depthwise_separable_conv2d(6, c_out, k, 7, depth_multiplier=m).macs / cost.conv2d(6, c_out, k, 7).macs
    ),
    hint="Which share of the dense layer's MACs does each half leave? They are added. Which of the halves has more "
    "work if there are m times as many intermediate maps?",
    wrong={
        "depth_multiplier / kernel_size**2": "That is the pointwise half alone. 1 / K^2 is what endlessly many output "
        "channels would leave; the depthwise half adds 1 / C_out.",
        "depth_multiplier / out_channels": "That is the depthwise half alone. The pointwise half adds 1 / K^2.",
        "1 / depth_multiplier / shares": "That is how many times fewer. The share that is left is the other way round.",
        "return -> return 1 -": "That is the share that is saved. Asked is the share that is left.",
        "shares": "The depth multiplier is not used.",
        "depth_multiplier / out_channels + 1 / kernel_size**2": "The depth multiplier is in the depthwise half alone. "
        "The pointwise half reads m times as many maps, so it acts there too.",
        "**2 -> ": "K in place of K^2 is right in one dimension. These are images: a kernel has K * K weights.",
    },
)
def share_left(out_channels, kernel_size, depth_multiplier):
    shares = 1 / out_channels + 1 / kernel_size**2  # of the halves
    return depth_multiplier * shares


VERDICTS = {
    "right": "is right: two operations for each MAC of the depthwise and of the pointwise half.",
    "MACs": "is the number of MACs. Asked are operations, and each MAC is a multiplication and an addition.",
    "channels twice": "has the number of input channels in the depthwise half twice, and in the pointwise half once, "
    "as it should be.",
    "dense": "is what the dense layer takes: each of its filters reads all input channels.",
}


def counts(c_in, c_out, k, size):
    """The numbers that are called so, in the order of the verdicts."""
    depthwise, pointwise = cost.depthwise_conv2d(c_in, k, size), cost.pointwise_conv2d(c_in, c_out, size)
    pair, dense = depthwise + pointwise, cost.conv2d(c_in, c_out, k, size)
    return pair.flops, pair.macs, c_in * depthwise.flops + pointwise.flops, dense.flops


def fault_of_verdict(answer, *case):
    *layer, operations = case
    if not isinstance(answer, str) or answer not in VERDICTS:
        words = ", ".join(map(repr, VERDICTS))
        return f"count_verdict{case} gives {described(answer)}. It should give one of the words {words}."
    right = dict(zip(counts(*layer), VERDICTS, strict=True))[operations]
    return "" if answer == right else f"count_verdict{case} gives {answer!r}, but {operations} {VERDICTS[right]}"


@exercise(
    cases=[(*layer, number) for layer in ((2, 4, 3, 4), (16, 24, 3, 7), (3, 8, 5, 9)) for number in counts(*layer)],
    fault=fault_of_verdict,
    hint="Work out all four numbers, then see which one it is.",
    wrong={
        '"right" -> "MACs"': "832 is right",
        '"MACs" -> "right"': "416 is the number of MACs",
        '"channels twice" -> "dense"': "1408 has the number of input channels in the depthwise half twice",
        '"dense" -> "channels twice"': "2304 is what the dense layer takes",
        '"channels twice" -> "note 003"': "one of the words",
    },
)
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


def moved(price):
    return price.elements_read + price.elements_written


@exercise(
    cases=[(32, 64, 3, 112), (512, 512, 3, 14), (3, 8, 5, 9)],
    oracle=lambda c_in, c_out, k, side: (
        moved(cost.depthwise_separable_conv2d(c_in, c_out, k, side))
        - 2 * cost.depthwise_conv2d(c_in, k, side).elements_written
    ),
    hint="What has to be read: the input maps and the weights of both halves. What has to be written: the output.",
    wrong={
        "return (in -> return (3 * in": "That is the pair of two layers. Here no intermediate map is written or read.",
        "+ out_channels)\n -> * out_channels)\n": "The maps are right, the weights are those of the dense layer. The "
        "fused pair has a pair's weights.",
        " + weights -> ": "The weights are missing: they have to come from memory too.",
        "4 * ((in_channels + out_channels) * side**2 + weights)": "Those are bytes. Asked are elements, each of which "
        "takes 4 bytes as float32.",
    },
)
def fused_elements(in_channels, out_channels, kernel_size, side):
    weights = in_channels * (kernel_size**2 + out_channels)
    return (in_channels + out_channels) * side**2 + weights


@exercise(
    cases=[(28, 3), (10, 3), (4, 2), (7, 5)],
    oracle=lambda side, k: next(
        c
        for c in count(1)
        if moved(cost.depthwise_separable_conv2d(c, c, k, side)) <= moved(cost.conv2d(c, c, k, side))
    ),
    hint="Divide what the pair moves beyond the dense layer by C. When is the rest 0 or less?",
    wrong={
        "moved_beyond // weights_saved": "You round down, or to the nearest whole number. With fewer channels than the "
        "division gives, the pair still moves a little more than the dense layer.",
        "moved_beyond // weights_saved + 1": "Equally many elements are no more: the bracket may be 0.",
        "2 * side**2 -> side**2": "The intermediate maps are counted once. They are written and then read.",
        " + kernel_size**2 -> ": "The depthwise kernels are missing: K * K weights for each channel.",
        "kernel_size**2 - 1 -> kernel_size**2": "The pointwise weights are missing: the pair saves K * K - 1 weights "
        "for each pair of channels, not K * K.",
    },
)
def break_even_channels(side, kernel_size):
    moved_beyond = 2 * side**2 + kernel_size**2  # per channel
    weights_saved = kernel_size**2 - 1  # per pair of channels
    # minus on both sides of // makes it round up
    return -(-moved_beyond // weights_saved)


def mobilenet_rows():
    channels = 32
    rows = [("conv", channels, 3, 2)]
    for stride, out_channels in tables.MOBILENET_V1:
        rows += [("dw", channels, 3, stride), ("pw", out_channels, 1, 1)]
        channels = out_channels
    return [*rows, ("fc", 1000, 1, 1)]


def price_of_network(in_channels, size, rows):
    net = cost.Network(in_channels, size)
    for kind, out_channels, k, stride in rows:
        if kind == "fc":
            net.global_pool()
            net.linear(kind, out_channels)
        else:
            net.conv2d(kind, out_channels, k, stride, groups=net.channels if kind == "dw" else 1, norm="norm")
    return net.total.params, net.total.macs


SIZE, MACS = "size = (size + 2 * padding - kernel_size) // stride + 1", "macs += weights * size**2"
BELOW = "\n" + " " * 12


@exercise(
    cases=[
        (3, 16, [("conv", 8, 3, 2), ("dw", 8, 3, 1), ("pw", 12, 1, 1), ("fc", 10, 1, 1)]),
        (2, 15, [("conv", 6, 5, 2), ("dw", 12, 3, 2), ("pw", 9, 1, 1), ("dw", 9, 5, 1), ("fc", 4, 1, 1)]),
        (3, 224, mobilenet_rows()),
    ],
    oracle=price_of_network,
    hint="Keep two things from row to row: the channels and the side of the map. A convolution has out_channels "
    "filters; what does each of them read, and at how many positions?",
    wrong={
        f"{SIZE}{BELOW}{MACS} -> {MACS}{BELOW}{SIZE}": "You "
        "multiply by the positions of the map that a layer reads. A weight is used once at each position of the map "
        "that the layer makes.",
        f"{SIZE}{BELOW}{MACS} -> {SIZE.replace('size =', 'side =')}{BELOW}{MACS.replace('size', 'side')}": "The "
        "stride is forgotten from one layer to the next: what a layer makes is what the next one reads.",
        "// stride + 1 -> + 1": "The strides are not used: your map never shrinks.",
        "(kernel_size - 1) // 2 -> 0": "The padding is not used: (K - 1) / 2 zeros stand on each side of the map.",
        "macs += weights\n -> macs += weights * size**2\n": "The fully connected layer is priced at the size of the "
        "map. It reads one number from each map, their means, and uses each weight once.",
        " + 2 * out_channels -> ": "The batch norms are missing: two parameters for each output channel.",
        "2 * out -> out": "Each batch norm has two parameters for a channel, a factor and an offset. You count one.",
        "weights + out_channels -> weights": "The bias of the fully connected layer is missing.",
        '1 if kind == "dw" else  -> ': 'Your rows "dw" are dense layers. A depthwise filter reads one input channel.',
    },
)
def network_price(in_channels, size, rows):
    params = macs = 0
    for kind, out_channels, kernel_size, stride in rows:
        if kind == "fc":
            weights = in_channels * out_channels
            params += weights + out_channels  # and biases
            macs += weights
        else:
            read = 1 if kind == "dw" else in_channels  # per filter
            weights = out_channels * read * kernel_size**2
            params += weights + 2 * out_channels  # and a batch norm
            padding = (kernel_size - 1) // 2
            size = (size + 2 * padding - kernel_size) // stride + 1
            macs += weights * size**2
        in_channels = out_channels  # what the next layer reads
    return params, macs
