"""Solutions of the exercises in theory_and_silicon. The chapter's stubs and folded solutions are made from them."""

import statistics

from dslib import bench, cost


def layer_gflops(macs, elements, peak, bandwidth):
    intensity = 2 * macs / (4 * elements)  # FLOPs per byte
    return min(peak, intensity * bandwidth)


def depthwise_parts(dense_us, depthwise_us, smallest_us, channels):
    arithmetic = dense_us / channels  # that many times fewer MACs
    return arithmetic, smallest_us, depthwise_us - arithmetic - smallest_us


def pair_gains_from(size, dense_call, depthwise_call, pointwise_call, pace):
    for c in range(1, 10_000):
        whole = cost.conv2d(c, c, 3, size).macs
        halves = cost.depthwise_separable_conv2d(c, c, 3, size).macs
        calls = depthwise_call + pointwise_call
        if calls + halves / pace < dense_call + whole / pace:
            return c


def ways_that_help(times):
    def spread(way):
        q1, median, q3 = times[way]
        return q3 / q1

    def factor(way):
        return times["eager"][1] / times[way][1]

    found = []
    for way in times:
        if factor(way) > max(spread("eager"), spread(way)):
            found.append(way)
    return sorted(found, key=factor, reverse=True)


def block_intensity(channels, wide, size):
    layers = [
        cost.pointwise_conv2d(channels, wide, size),
        cost.depthwise_conv2d(wide, 3, size),
        cost.pointwise_conv2d(wide, channels, size),
    ]
    block = sum(layers)
    between = 2 * 2 * wide * size**2  # two sets of maps, written and read
    moved = block.elements_read + block.elements_written
    return block.flops / (4 * moved), block.flops / (4 * (moved - between))


def fair_times(functions, rounds, stopwatch=bench.seconds_of):
    for function in functions.values():  # the first calls do not count
        function()
    taken = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            taken[name].append(stopwatch(function))
    return {name: statistics.median(taken[name]) for name in taken}
