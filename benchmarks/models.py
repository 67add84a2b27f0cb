"""The time of our networks over timm's, with the same weights, for the same images in the same run.

``python benchmarks/models.py`` takes some five minutes, prints a table and writes ``benchmarks/results/models.csv``;
``--quick`` takes half a minute and writes nothing. Ctrl-C stops it, and then nothing is written either.

timm is not installed with the book; without it this says what to install (and see tools/reference.py).

Calls alternate (ours, timm's, timm's, ours ...), so that a slow moment of the machine meets both. A row holds the
median and the minimum of each in milliseconds, and the median of the ratios call by call. All is float32, on the CPU,
224x224, forward only in inference mode; every case is run with one thread and with all cores.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import torch
from record import machine, write

from dslib import models

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from reference import import_timm  # noqa: E402

# Calls before the clock runs, then pairs of timed calls by batch size.
WARM_UP, REPETITIONS, QUICK_REPETITIONS = 2, {1: 201, 8: 41}, {1: 15, 8: 3}
TARGET = 1.03  # how many times timm's time we accept
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
NETWORKS = {"mobilenetv1_100": models.mobilenet_v1, "ghostnet_100": models.ghostnet}


def cases(timm):
    """Name, batch, layout, ours, timm's: both networks with timm's random weights."""
    for name, build in NETWORKS.items():
        theirs = timm.create_model(name).eval()
        ours = build()
        ours.load_state_dict(theirs.state_dict())
        ours.eval()
        for batch in REPETITIONS:
            for layout, memory_format in LAYOUTS.items():
                yield name, batch, layout, ours.to(memory_format=memory_format), theirs.to(memory_format=memory_format)


def milliseconds(model, x):
    start = time.perf_counter()
    model(x)
    return 1e3 * (time.perf_counter() - start)


def measure(ours, theirs, x, repetitions):
    """Two lists of times in milliseconds, taken in turns, once both are known to give the same result."""
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-5)
        for _ in range(WARM_UP):
            ours(x), theirs(x)
        times = {ours: [], theirs: []}
        for repetition in range(repetitions):
            for model in (ours, theirs) if repetition % 2 else (theirs, ours):
                times[model].append(milliseconds(model, x))
    return times[ours], times[theirs]


def row_of(name, batch, layout, threads, our_times, timm_times):
    ratios = [ours / timms for ours, timms in zip(our_times, timm_times, strict=True)]
    return {
        "network": name,
        "batch": batch,
        "layout": layout,
        "threads": threads,
        "ours_ms": f"{statistics.median(our_times):.2f}",
        "ours_min_ms": f"{min(our_times):.2f}",
        "timm_ms": f"{statistics.median(timm_times):.2f}",
        "timm_min_ms": f"{min(timm_times):.2f}",
        "ratio": f"{statistics.median(ratios):.3f}",
        "ratio_of_minima": f"{min(our_times) / min(timm_times):.3f}",
        "target": TARGET,
        "repetitions": len(our_times),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, no file")
    quick = parser.parse_args().quick
    timm = import_timm()
    conditions = machine() | {"timm": timm.__version__}
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    print("times in ms: median (minimum); ratio: ours / timm's, median over the pairs of calls (ratio of the minima)")
    print(f"{'network':<16} {'batch':>5} {'layout':<13} {'threads':>7} {'ours':>17} {'timm':>17} {'ratio':>15}")
    torch.manual_seed(0)
    rows = []
    for threads in sorted({1, os.cpu_count()}):
        torch.set_num_threads(threads)
        for name, batch, layout, ours, theirs in cases(timm):
            x = torch.randn(batch, 3, 224, 224).to(memory_format=LAYOUTS[layout])
            times = measure(ours, theirs, x, (QUICK_REPETITIONS if quick else REPETITIONS)[batch])
            row = row_of(name, batch, layout, threads, *times)
            rows.append(row | conditions)
            ours_ms, timm_ms = (f"{row[f'{whose}_ms']} ({row[f'{whose}_min_ms']})" for whose in ("ours", "timm"))
            ratio = f"{row['ratio']} ({row['ratio_of_minima']})"
            print(
                f"{name:<16} {batch:>5} {layout:<13} {threads:>7} {ours_ms:>17} {timm_ms:>17} {ratio:>15}", flush=True
            )
    for name in NETWORKS:
        mean = statistics.geometric_mean(float(row["ratio"]) for row in rows if row["network"] == name)
        print(f"{name}: {mean:.3f} of timm's time, geometric mean of the ratios")
    if not quick:
        print(f"written: {write('models', rows)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
