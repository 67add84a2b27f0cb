"""Checks of the exercises in the chapter cost_analysis."""

from typing import NamedTuple

from dslib import cost, geometry, tables

from .feedback import Feedback, Mistake, examine, inspect


def check_pair_price(reader_function) -> Feedback:
    """``pair_price(in_channels, out_channels, kernel_size, size, stride, padding)``: (weights, MACs, FLOPs)."""

    def answer(price):  # what price(depthwise, pointwise, case) makes of the two halves
        def of_case(*case):
            c_in, c_out, k, *settings = case
            side = geometry.output_size(settings[0], k, *settings[1:])
            return price(cost.depthwise_conv2d(c_in, k, side), cost.pointwise_conv2d(c_in, c_out, side), case)

        return of_case

    def told(weights, macs):
        return weights, macs, 2 * macs

    return examine(
        reader_function,
        cases=[(2, 4, 3, 4, 1, 1), (128, 256, 5, 32, 2, 2), (3, 8, 2, 11, 2, 1), (4, 7, 3, 9, 1, 0)],
        truth=answer(lambda d, p, case: told((d + p).params, (d + p).macs)),
        mistakes=[
            Mistake(
                answer(lambda d, p, case: told((d + p).params, case[0] * d.macs + p.macs)),
                "The number of input channels is in the depthwise half twice, as in note 003. One intermediate number "
                "adds up K * K products, however many channels there are, and C_in maps of them are made.",
            ),
            Mistake(
                answer(lambda d, p, case: told(case[0] * d.params + p.params, case[0] * d.macs + p.macs)),
                "Your first half is a dense layer, whose filters read all channels. A depthwise filter reads one.",
            ),
            Mistake(
                answer(lambda d, p, case: ((d + p).params, (d + p).flops, (d + p).macs)),
                "MACs and FLOPs are swapped. A MAC is a multiplication with the addition after it: two FLOPs.",
            ),
            Mistake(
                answer(lambda d, p, case: ((d + p).params, (d + p).macs, (d + p).macs)),
                "What you give for FLOPs are MACs. There are two FLOPs in each: a multiplication and an addition.",
            ),
            Mistake(
                answer(lambda d, p, case: ((d + p).params, (d + p).flops, (d + p).flops)),
                "What you give for MACs are FLOPs: a multiplication and the addition after it are one MAC.",
            ),
            Mistake(
                answer(lambda d, p, case: told((d + p).params, (d + p).params * case[3] ** 2)),
                "You multiply by the input's positions. Both halves take one step for each position of the output.",
            ),
            Mistake(
                answer(lambda d, p, case: told((d + p).params, d.params * case[3] ** 2 + p.macs)),
                "Your depthwise half stands on every position of the input. The stride belongs to it: it skips "
                "positions, and its output is already the smaller map.",
            ),
        ],
        hint="First the output's side. Then for each half: how many products are added up to one number, and how many "
        "numbers are made?",
    )


def check_share_left(reader_function) -> Feedback:
    """``share_left(out_channels, kernel_size, depth_multiplier)``: the pair's MACs over the dense layer's."""

    def share(c_out, k, m):
        pair = cost.depthwise_separable_conv2d(6, c_out, k, output_size=7, depth_multiplier=m)
        return pair.macs / cost.conv2d(6, c_out, k, output_size=7).macs

    return examine(
        reader_function,
        cases=[(64, 3, 1), (16, 5, 2), (1, 3, 1), (32, 1, 1), (8, 3, 6)],
        truth=share,
        mistakes=[
            Mistake(
                lambda c_out, k, m: m / k**2,
                "That is the pointwise half alone. 1 / K^2 is what endlessly many output channels would leave; the "
                "depthwise half adds 1 / C_out.",
            ),
            Mistake(
                lambda c_out, k, m: m / c_out,
                "That is the depthwise half alone. The pointwise half adds 1 / K^2.",
            ),
            Mistake(
                lambda c_out, k, m: 1 / share(c_out, k, m),
                "That is how many times fewer. The share that is left is the other way round.",
            ),
            Mistake(
                lambda c_out, k, m: 1 - share(c_out, k, m),
                "That is the share that is saved. Asked is the share that is left.",
            ),
            Mistake(
                lambda c_out, k, m: share(c_out, k, 1),
                "The depth multiplier is not used.",
            ),
            Mistake(
                lambda c_out, k, m: m / c_out + 1 / k**2,
                "The depth multiplier is in the depthwise half alone. The pointwise half reads m times as many maps, "
                "so it acts there too.",
            ),
            Mistake(
                lambda c_out, k, m: m * (1 / c_out + 1 / k),
                "K in place of K^2 is right in one dimension. These are images: a kernel has K * K weights.",
            ),
            Mistake(
                lambda c_out, k, m: 100 * share(c_out, k, m),
                "That is in percent. Return the share itself: a half is 0.5.",
            ),
        ],
        hint="Which share of the dense layer's MACs does each half leave? They are added. Which of the halves has more "
        "work if there are m times as many intermediate maps?",
    )


def check_count_verdict(reader_function) -> Feedback:
    """``count_verdict(in_channels, out_channels, kernel_size, size, operations)``: what is wrong with a count."""

    def counts(c_in, c_out, k, size):
        depthwise, pointwise = cost.depthwise_conv2d(c_in, k, size), cost.pointwise_conv2d(c_in, c_out, size)
        return {
            "right": (depthwise + pointwise).flops,
            "MACs": (depthwise + pointwise).macs,
            "channels twice": c_in * depthwise.flops + pointwise.flops,
            "dense": cost.conv2d(c_in, c_out, k, size).flops,
        }

    why = {
        "right": "is right: two operations for each MAC of the depthwise and of the pointwise half.",
        "MACs": "is the number of MACs. Asked are operations, and each MAC is a multiplication and an addition.",
        "channels twice": "has the number of input channels in the depthwise half twice, and in the pointwise half "
        "once, as it should be.",
        "dense": "is what the dense layer takes: each of its filters reads all input channels.",
    }
    layers = [(2, 4, 3, 4), (16, 24, 3, 7), (3, 8, 5, 9)]
    cases = [(*layer, operations) for layer in layers for operations in counts(*layer).values()]

    def fault(answer, *case):
        if not isinstance(answer, str) or answer not in why:
            return f"{call_of(case)} gives {answer!r}. It should give one of the words {', '.join(map(repr, why))}."
        (right,) = [word for word, operations in counts(*case[:-1]).items() if operations == case[-1]]
        return "" if answer == right else f"{call_of(case)} gives {answer!r}, but {case[-1]} {why[right]}"

    def call_of(case):
        return f"count_verdict{case}"

    return inspect(reader_function, cases, fault, "Work out all four numbers, then see which one it is.")


def moved(price):
    """The elements that a layer, or several, reads and writes."""
    return price.elements_read + price.elements_written


def check_fused_elements(reader_function) -> Feedback:
    """``fused_elements(in_channels, out_channels, kernel_size, side)``: elements moved without an intermediate map."""
    pair = cost.depthwise_separable_conv2d

    def fused(c_in, c_out, k, side):
        return moved(pair(c_in, c_out, k, side)) - 2 * cost.depthwise_conv2d(c_in, k, side).elements_written

    return examine(
        reader_function,
        cases=[(32, 64, 3, 112), (512, 512, 3, 14), (3, 8, 5, 9)],
        truth=fused,
        mistakes=[
            Mistake(
                lambda *sizes: moved(pair(*sizes)),
                "That is the pair of two layers. Here no intermediate map is written and none is read.",
            ),
            Mistake(
                lambda c_in, c_out, k, side: fused(c_in, c_out, k, side) + c_in * side**2,
                "The intermediate maps are still in it once. The two layers write them and also read them; the fused "
                "pair does neither.",
            ),
            Mistake(
                lambda *sizes: moved(cost.conv2d(*sizes)),
                "The maps are right, the weights are those of the dense layer. The fused pair has a pair's weights.",
            ),
            Mistake(
                lambda *sizes: fused(*sizes) - pair(*sizes).params,
                "The weights are missing: they have to come from memory too.",
            ),
            Mistake(
                lambda *sizes: 4 * fused(*sizes),
                "Those are bytes. Asked are elements, each of which takes 4 bytes as float32.",
            ),
        ],
        hint="What has to be read: the input maps and the weights of both halves. What has to be written: the output.",
    )


def check_break_even_channels(reader_function) -> Feedback:
    """``break_even_channels(side, kernel_size)``: the smallest width at which the pair moves no more than the dense."""

    def beyond(channels, side, k):  # what the pair moves beyond the dense layer
        pair = cost.depthwise_separable_conv2d(channels, channels, k, side)
        return moved(pair) - moved(cost.conv2d(channels, channels, k, side))

    def smallest(side, k):
        return next(channels for channels in range(1, 10_000) if beyond(channels, side, k) <= 0)

    return examine(
        reader_function,
        cases=[(28, 3), (10, 3), (4, 2), (7, 5)],
        truth=smallest,
        mistakes=[
            Mistake(
                lambda side, k: (2 * side**2 + k**2) // (k**2 - 1),
                "You round down, or to the nearest whole number. With fewer channels than the division gives, the "
                "pair still moves a little more than the dense layer.",
            ),
            Mistake(
                lambda side, k: next(c for c in range(1, 10_000) if beyond(c, side, k) < 0),
                "Equally many elements are no more: the bracket may be 0.",
            ),
            Mistake(
                lambda side, k: -(-(side**2 + k**2) // (k**2 - 1)),
                "The intermediate maps are counted once. They are written and then read.",
            ),
            Mistake(
                lambda side, k: -(-2 * side**2 // (k**2 - 1)),
                "The depthwise kernels are missing: K * K weights for each channel.",
            ),
            Mistake(
                lambda side, k: -(-(2 * side**2 + k**2) // k**2),
                "The pointwise weights are missing: the pair saves K * K - 1 weights for each pair of channels, not "
                "K * K.",
            ),
            Mistake(
                lambda side, k: -(-(2 * side**2 + 9) // 8),
                "That is the bracket for a 3 by 3 kernel. Take the one with K in it: 9 and 8 change with the kernel.",
            ),
        ],
        hint="Divide what the pair moves beyond the dense layer by C. When is the rest 0 or less?",
    )


class Layer(NamedTuple):
    """A row of a network's table, the sides of its map before and after it, and what it costs."""

    kind: str
    in_channels: int
    out_channels: int
    kernel_size: int
    stride: int
    side_before: int
    side: int
    params: int
    weights: int

    @property
    def norm_channels(self):
        """Channels of the batch norm after the layer; there is none after the fully connected one."""
        return 0 if self.kind == "fc" else self.out_channels


def layers_of(in_channels, size, rows):
    """The rows as priced layers: a batch norm after each convolution, and the mean of each map before "fc"."""
    net, layers = cost.Network(in_channels, size), []
    for kind, out_channels, kernel_size, stride in rows:
        so_far, channels, before = net.total, net.channels, net.size[0]
        if kind == "fc":
            net.global_pool()
            net.linear(kind, out_channels)
        elif kind == "dw":
            net.depthwise_conv2d(kind, kernel_size, stride, depth_multiplier=out_channels // channels, norm="norm")
        else:
            net.conv2d(kind, out_channels, kernel_size, stride, norm="norm")
        side, params = net.size[0], net.total.params - so_far.params
        weights = (net.total.macs - so_far.macs) // side**2
        layers.append(Layer(kind, channels, out_channels, kernel_size, stride, before, side, params, weights))
    return layers


def mobilenet_rows():
    """MobileNetV1 as such a table."""
    channels = 32
    rows = [("conv", channels, 3, 2)]
    for stride, out_channels in tables.MOBILENET_V1:
        rows += [("dw", channels, 3, stride), ("pw", out_channels, 1, 1)]
        channels = out_channels
    return [*rows, ("fc", 1000, 1, 1)]


def priced(params=lambda layer: layer.params, macs=lambda layer: layer.weights * layer.side**2):
    """An answer to ``network_price`` that adds these two up over the layers; as they stand, the right one."""
    return lambda *case: (sum(map(params, layers_of(*case))), sum(map(macs, layers_of(*case))))


def priced_with_sides(next_side):
    """An answer whose map goes wrong: ``next_side(side so far, layer, side of the input)``."""

    def answer(in_channels, size, rows):
        layers, sides = layers_of(in_channels, size, rows), [size]
        for layer in layers:
            sides.append(1 if layer.kind == "fc" else next_side(sides[-1], layer, size))
        macs = sum(layer.weights * side**2 for layer, side in zip(layers, sides[1:], strict=True))
        return sum(layer.params for layer in layers), macs

    return answer


def priced_from_the_image(in_channels, size, rows):
    """An answer in which every row reads the channels of the image."""
    params = macs = 0
    for layer in layers_of(in_channels, size, rows):
        weights = layer.weights if layer.kind == "dw" else layer.weights // layer.in_channels * in_channels
        params += layer.params - layer.weights + weights
        macs += weights * layer.side**2
    return params, macs


def fewer_kernels(layer):
    """The layer's weights if a depthwise one had a single kernel for each input channel."""
    return layer.weights * layer.in_channels // layer.out_channels if layer.kind == "dw" else layer.weights


WRONG_SIZES = [
    Mistake(
        priced(macs=lambda x: x.weights * (1 if x.kind == "fc" else x.side_before**2)),
        "You multiply by the positions of the map that a layer reads. A weight is used once at each position of the "
        "map that the layer makes.",
    ),
    Mistake(
        priced_with_sides(lambda side, layer, first: -(-first // layer.stride)),
        "The stride is forgotten from one layer to the next: what a layer makes is what the next one reads, so the "
        "map stays small.",
    ),
    Mistake(priced_with_sides(lambda side, layer, first: side), "The strides are not used: your map never shrinks."),
    Mistake(
        priced_with_sides(lambda side, layer, first: (side - layer.kernel_size) // layer.stride + 1),
        "The padding is not used: (K - 1) / 2 zeros stand on each side of the map.",
    ),
    Mistake(
        priced_with_sides(lambda side, layer, first: side // layer.stride),
        "You divide the side by the stride and round down. With this padding a window stands on the first pixel, so "
        "an odd side has one more: use the formula of the output size.",
    ),
    Mistake(
        priced(macs=lambda x: x.weights * (x.side_before if x.kind == "fc" else x.side) ** 2),
        "The fully connected layer is priced at the size of the map. It reads one number from each map, their means, "
        "and uses each weight once.",
    ),
    Mistake(
        priced(
            lambda x: x.params + (x.weights * (x.side_before**2 - 1) if x.kind == "fc" else 0),
            lambda x: x.weights * (x.side_before if x.kind == "fc" else x.side) ** 2,
        ),
        "Your fully connected layer reads every pixel. Each map is averaged to one number before it.",
    ),
]
WRONG_PARAMETERS = [
    Mistake(
        priced(lambda x: x.params + x.norm_channels),
        "The bias is counted twice: the batch norm after a convolution has an offset, which takes its place.",
    ),
    Mistake(
        priced(lambda x: x.params - 2 * x.norm_channels),
        "The batch norms are missing: two parameters for each output channel of a convolution.",
    ),
    Mistake(
        priced(lambda x: x.params - x.norm_channels),
        "Each batch norm has two parameters for a channel, a factor and an offset. You count one.",
    ),
    Mistake(priced(lambda x: x.weights + 2 * x.norm_channels), "The bias of the fully connected layer is missing."),
]
WRONG_WEIGHTS = [
    Mistake(
        priced(
            lambda x: x.params + x.weights * (x.in_channels - 1) * (x.kind == "dw"),
            lambda x: x.weights * (x.in_channels if x.kind == "dw" else 1) * x.side**2,
        ),
        'Your rows "dw" are dense layers. A depthwise filter reads one input channel.',
    ),
    Mistake(
        priced(
            lambda x: x.params - x.weights + fewer_kernels(x),
            lambda x: fewer_kernels(x) * x.side**2,
        ),
        'A row "dw" has a kernel for each of its out_channels: that may be several for each channel that it reads.',
    ),
    Mistake(
        priced_from_the_image,
        "Every row reads the channels of the image. It should read those that the row before made.",
    ),
    Mistake(priced(macs=lambda x: 2 * x.weights * x.side**2), "Your MACs are FLOPs, twice as many."),
]


def check_network_price(reader_function) -> Feedback:
    """``network_price(in_channels, size, rows)``: (parameters, MACs) of a network, from the rows of its table."""
    return examine(
        reader_function,
        cases=[
            (3, 16, [("conv", 8, 3, 2), ("dw", 8, 3, 1), ("pw", 12, 1, 1), ("fc", 10, 1, 1)]),
            (2, 15, [("conv", 6, 5, 2), ("dw", 12, 3, 2), ("pw", 9, 1, 1), ("dw", 9, 5, 1), ("fc", 4, 1, 1)]),
            (3, 224, mobilenet_rows()),
        ],
        truth=priced(),
        mistakes=WRONG_SIZES + WRONG_PARAMETERS + WRONG_WEIGHTS,
        hint="Keep two things from row to row: the channels and the side of the map. A convolution has out_channels "
        "filters; what does each of them read, and at how many positions?",
    )
