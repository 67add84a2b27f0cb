"""How many MobileNetV1s are priced in a second: by the polynomial, by the algebra layer by layer, by building them.

``python benchmarks/network_cost.py`` takes under a minute, prints a table and writes
``benchmarks/results/network_cost.csv``; ``--quick`` takes some seconds and writes nothing. Ctrl-C stops it, and then
nothing is written either.

A point is a width multiplier and an input size. The polynomial is ``cost.mobilenet_v1`` with both as symbols, made a
numpy function by ``sympy.lambdify`` and called once for a grid of a million points; the target is under a second. The
other two take point after point. The three are first compared where channels and sizes come out whole. They take
turns, round after round; a row holds the median of the rounds. One thread.
"""

import argparse
import statistics
import sys
import time

import numpy as np
import sympy
import torch
from record import machine, write
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, models

ROUNDS, QUICK_ROUNDS = 11, 3
GRID = 1000  # points along each axis
TARGET = 1.0  # seconds for GRID * GRID points


def polynomial():
    """MACs for arrays of widths and sizes."""
    width, size = sympy.symbols("width size", positive=True)
    macs = cost.mobilenet_v1(width, size).total.macs
    return sympy.lambdify((width, size), sympy.horner(sympy.expand(macs), wrt=width), "numpy")


def layer_by_layer(width, size):
    return cost.mobilenet_v1(width, size).total.macs


def built(width, size):
    """The model built without numbers (torch's meta device) and watched by torch's counter."""
    with torch.device("meta"):
        model = models.mobilenet_v1(width).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.zeros(1, 3, size, size, device="meta"))
    return counter.get_total_flops() // 2


def points(count):
    """Widths from 0.25 to 1.5 and sizes that are multiples of 32, in turn."""
    return [(0.25 + 0.25 * (index % 6), 32 * (1 + index % 10)) for index in range(count)]


def compare(sweep):
    for width, size in points(30):
        found = {int(sweep(width, size)), layer_by_layer(width, size), built(width, size)}
        assert len(found) == 1, (width, size, found)


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, no file")
    rounds = QUICK_ROUNDS if parser.parse_args().quick else ROUNDS
    torch.set_num_threads(1)
    conditions = machine() | {"sympy": sympy.__version__, "numpy": np.__version__, "rounds": rounds}
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))

    sweep = polynomial()
    compare(sweep)
    widths, sizes = np.meshgrid(np.linspace(0.25, 1.5, GRID), np.linspace(32, 512, GRID))
    ways = {  # points, what prices them all, seconds that it may take
        "polynomial": (GRID * GRID, lambda: sweep(widths, sizes), TARGET),
        "layer by layer": (100, lambda: [layer_by_layer(*point) for point in points(100)], None),
        "built and watched": (5, lambda: [built(*point) for point in points(5)], None),
    }
    times = {name: [] for name in ways}
    for done in range(1, rounds + 1):
        print(f"\rround {done} of {rounds}", end="", flush=True)
        for name, (_, function, _) in ways.items():
            times[name].append(seconds(function))
    print(f"\n{'way':<18} {'points':>9} {'seconds':>9} {'points/s':>12}")
    rows = []
    for name, (count, _, target) in ways.items():
        median = statistics.median(times[name])
        rows.append({"way": name, "points": count, "seconds": f"{median:.4f}", "points_per_s": f"{count / median:.0f}"})
        rows[-1] |= {"target_s": target or ""} | conditions
        print(f"{name:<18} {count:>9,} {median:>9.4f} {count / median:>12,.0f}", f"target {target} s" if target else "")
    if rounds == ROUNDS:
        print(f"written: {write('network_cost', rows)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
