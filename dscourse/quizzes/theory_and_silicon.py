"""The quiz of the chapter theory_and_silicon. Its times are given or stored, none is measured here."""

import statistics

from dscourse import measured
from dslib import bench, cost

from .quiz import Option, Question, Quiz


def theory_and_silicon() -> Quiz:
    """Four questions: what a saving promises, a flat time, where slope and roof meet, which time to quote."""
    return Quiz((promise(), flat(), kernel(), quoted()))


def promise() -> Question:
    channels, k, size = 512, 3, 7
    dense = cost.conv2d(channels, channels, k, size).macs
    pair = cost.depthwise_separable_conv2d(channels, channels, k, size).macs
    times = {
        row["layer"]: float(row["median_us"])
        for row in measured.read("speed")
        if (row["device"], row["channels"], row["size"], row["threads"]) == ("cpu", str(channels), str(size), "1")
        and (row["layout"], row["memory"], row["batch"]) == ("channels_last", "kept", "1")
    }
    faster = times["dense"] / times["pair"]
    assert faster > dense / pair
    return Question(
        f"A separable pair has {dense / pair:.2f} times fewer MACs than the dense layer that it replaces. How many "
        "times as fast is it?",
        (
            Option(
                f"{dense / pair:.2f} times",
                "Only if all the time were spent on MACs, and both layers did as many in a second. Neither holds.",
            ),
            Option(
                f"At most {dense / pair:.2f} times",
                f"Mostly it stays below. But a stored pair with this saving, from {channels} channels to {channels} on "
                f"maps of {size} by {size}, was {faster:.1f} times as fast: the dense layer may be slow as well.",
            ),
            Option(
                "At least as fast",
                "Not even this: the pair makes two calls, and where channels are few and maps small they take longer "
                "than the dense layer.",
            ),
            Option(
                "The MACs do not say.",
                "They are one part of the time. The calls, the memory and the program decide the rest, so measure.",
                right=True,
            ),
        ),
    )


def flat() -> Question:
    channels, small, large = 16, 7, 14
    macs = [cost.depthwise_conv2d(channels, 3, size).macs for size in (small, large)]
    return Question(
        f"A depthwise layer of {channels} channels took about as long on maps of {large} by {large} as on maps of "
        f"{small} by {small}, with {macs[1] // macs[0]} times the MACs. Why?",
        (
            Option(
                "Most of its time is the fixed cost of the call.",
                "What a call does before the first multiplication does not depend on the map, and here little comes "
                "after it.",
                right=True,
            ),
            Option(
                "It is bound by the memory.",
                f"Then {macs[1] // macs[0]} times the pixels would take longer: the maps are moved in proportion.",
            ),
            Option(
                "It works on all pixels at the same time.",
                "A processor does some numbers at once, not as many as you like: on larger maps the time does grow.",
            ),
            Option(
                "Its weights are the same.",
                "They are, and so it has as many parameters. But each weight is used at every position.",
            ),
        ),
    )


def kernel() -> Question:
    peak, rate = 100, 20
    reached = {k: bench.attainable(k**2 / 4, peak, rate) for k in (3, 5, 7)}
    right = next(k for k in reached if reached[k] == peak)
    return Question(
        f"A machine does at most {peak} GFLOPs per second and moves at most {rate} GB per second. A depthwise layer on "
        "large maps does K^2 / 4 FLOPs for each byte. From which kernel on does memory not limit it?",
        (
            Option(
                f"{right - 2} by {right - 2}",
                f"{(right - 2) ** 2 / 4} FLOPs per byte times {rate} GB per second are {reached[right - 2]:.0f} GFLOPs "
                "per second, below the flat roof: memory limits it.",
            ),
            Option(
                f"{right} by {right}",
                f"{right**2 / 4} FLOPs per byte times {rate} GB per second are more than {peak} GFLOPs per second.",
                right=True,
            ),
            Option(
                f"{right + 2} by {right + 2}",
                f"Memory does not limit it, but a smaller kernel will do: the roofs meet at {peak / rate:.0f} FLOPs "
                "per byte.",
            ),
            Option(
                "None: depthwise layers are always bound by memory.",
                "That is a matter of the kernel: a larger one does more with each number that it fetches.",
            ),
        ),
    )


def quoted() -> Question:
    taken = [70, 5, 7, 4, 9, 6, 60, 8]
    counted = taken[1:]
    return Question(
        f"The calls of a function took, one after the other, {', '.join(map(str, taken))} µs. Which time do you quote?",
        (
            Option(
                f"{statistics.mean(taken):.1f} µs, the mean of all",
                "Two calls make up most of it: the warm-up, and a slow moment of the machine.",
            ),
            Option(
                f"{statistics.mean(counted):.1f} µs, the mean without the first",
                f"The warm-up is out, but the {max(counted)} are still in: a slow moment of the machine.",
            ),
            Option(
                f"{statistics.median(counted)} µs, the median without the first",
                "Half of the calls that count were faster, half slower. No single slow moment moves it.",
                right=True,
            ),
            Option(
                f"{max(taken)} µs, the first call",
                "The first call prepares things and happens once. The calls after it are those that a program makes.",
            ),
        ),
    )
