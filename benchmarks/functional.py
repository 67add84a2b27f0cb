"""The time of each convolution by hand over torch's own, for the same work in the same run.

``python benchmarks/functional.py`` takes under a minute, prints a table and writes
``benchmarks/results/functional.csv``; ``--quick`` takes some seconds and writes nothing. Ctrl-C stops it, and then
nothing is written either.

Calls alternate (ours, torch's, ours, torch's ...), so that a slow moment of the machine meets both. A row holds the
median of each in milliseconds, the quartiles in brackets, and the ratio of the medians. All is float32, on the CPU,
batch 1, forward only; every case is run with one thread and with all cores.
"""

import argparse
import os
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from record import machine, write

from dslib import functional

# Calls before the clock runs, then pairs of timed calls per case.
WARM_UP, REPETITIONS, QUICK_REPETITIONS = 5, 201, 15


def randn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


# A case is (name, ours, torch's, target); the target is how many times torch's time we accept, or None.


def loops_case():
    x, weight = randn(1, 2, 4, 4), randn(4, 2, 3, 3)
    lists = x.tolist(), weight.tolist()
    return (
        "conv2d_loops, lists, 2->4, 4x4, K=3",
        lambda: functional.conv2d_loops(*lists, padding=1),
        lambda: F.conv2d(x, weight, padding=1),
        None,
    )


def conv2d_case(stride=1, groups=1, target=None):
    x, weight = randn(1, 64, 56, 56), randn(128, 64 // groups, 3, 3)
    settings = {"padding": 1, "stride": stride, "groups": groups}
    return (
        f"conv2d, 64->128, 56x56, K=3, stride {stride}, groups {groups}",
        lambda: functional.conv2d(x, weight, **settings),
        lambda: F.conv2d(x, weight, **settings),
        target,
    )


def conv1d_case():
    x, weight = randn(1, 64, 1024), randn(128, 64, 7)
    return (
        "conv1d, 64->128, 1024, K=7",
        lambda: functional.conv1d(x, weight, padding=3),
        lambda: F.conv1d(x, weight, padding=3),
        None,
    )


def depthwise_case(channels, size, multiplier=1, target=None):
    x, weight = randn(1, channels, size, size), randn(channels * multiplier, 1, 3, 3)
    return (
        f"depthwise_conv2d, {channels}->{channels * multiplier}, {size}x{size}, K=3",
        lambda: functional.depthwise_conv2d(x, weight, padding=1),
        lambda: F.conv2d(x, weight, padding=1, groups=channels),
        target,
    )


def pointwise_case():
    x, weight = randn(1, 64, 56, 56), randn(128, 64, 1, 1)
    return (
        "pointwise_conv2d, 64->128, 56x56",
        lambda: functional.pointwise_conv2d(x, weight),
        lambda: F.conv2d(x, weight),
        None,
    )


def separable_case():
    x, depthwise, pointwise = randn(1, 64, 56, 56), randn(64, 1, 3, 3), randn(128, 64, 1, 1)
    return (
        "depthwise_separable_conv2d, 64->128, 56x56, K=3",
        lambda: functional.depthwise_separable_conv2d(x, depthwise, pointwise, padding=1),
        lambda: F.conv2d(F.conv2d(x, depthwise, padding=1, groups=64), pointwise),
        None,
    )


def separable_1d_case():
    x, depthwise, pointwise = randn(1, 128, 400), randn(128, 1, 7), randn(128, 128, 1)
    return (
        "depthwise_separable_conv1d, 128->128, 400, K=7",
        lambda: functional.depthwise_separable_conv1d(x, depthwise, pointwise, padding=3),
        lambda: F.conv1d(F.conv1d(x, depthwise, padding=3, groups=128), pointwise),
        None,
    )


def ghost_case():
    x, primary, cheap = randn(1, 64, 56, 56), randn(64, 64, 1, 1), randn(64, 1, 3, 3)

    def ghost_of_torch():
        intrinsic = F.conv2d(x, primary)
        return torch.cat([intrinsic, F.conv2d(intrinsic, cheap, padding=1, groups=64)], dim=1)

    name = "ghost_features, 64->128, 56x56, K=1 and 3"
    return name, lambda: functional.ghost_features(x, primary, cheap), ghost_of_torch, None


def cases():
    return [
        loops_case(),
        conv2d_case(target=4),
        conv2d_case(stride=2),
        conv2d_case(groups=4),
        conv1d_case(),
        depthwise_case(64, 56, target=6),
        depthwise_case(128, 56),
        depthwise_case(512, 14),
        depthwise_case(64, 56, multiplier=2),
        pointwise_case(),
        separable_case(),
        separable_1d_case(),
        ghost_case(),
    ]


def milliseconds(function):
    start = time.perf_counter()
    function()
    return 1e3 * (time.perf_counter() - start)


def measure(ours, torchs, repetitions):
    """Two lists of times in milliseconds, taken in turns, once both are known to give the same result."""
    torch.testing.assert_close(torch.as_tensor(ours()), torchs(), rtol=1e-3, atol=1e-3)
    for _ in range(WARM_UP):
        ours(), torchs()
    times = [(milliseconds(ours), milliseconds(torchs)) for _ in range(repetitions)]
    return zip(*times, strict=True)


def row_of(name, threads, target, our_times, torch_times):
    our_q1, our_median, our_q3 = statistics.quantiles(our_times, n=4)
    torch_q1, torch_median, torch_q3 = statistics.quantiles(torch_times, n=4)
    return {
        "case": name,
        "threads": threads,
        "ours_ms": f"{our_median:.4f}",
        "ours_q1_ms": f"{our_q1:.4f}",
        "ours_q3_ms": f"{our_q3:.4f}",
        "torch_ms": f"{torch_median:.4f}",
        "torch_q1_ms": f"{torch_q1:.4f}",
        "torch_q3_ms": f"{torch_q3:.4f}",
        "ratio": f"{our_median / torch_median:.2f}",
        "target": target or "",
    }


def shown(row):
    def times(whose):
        quartiles = f"[{row[f'{whose}_q1_ms']}, {row[f'{whose}_q3_ms']}]"
        return f"{row[f'{whose}_ms']:>9} {quartiles:<20}"

    target = f"target {row['target']}" if row["target"] else ""
    return f"{row['threads']:>7} {times('ours')} {times('torch')} {row['ratio']:>7} {target}".rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions, no file")
    repetitions = QUICK_REPETITIONS if parser.parse_args().quick else REPETITIONS
    conditions = machine() | {"repetitions": repetitions}
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    print(f"{'':>7} {'case':<50} {'threads':>7} {'ours, ms':>9} {'':<20} {'torch, ms':>9} {'':<20} {'ratio':>7}")
    jobs = [(threads, *case) for threads in sorted({1, os.cpu_count()}) for case in cases()]
    rows = []
    for done, (threads, name, ours, torchs, target) in enumerate(jobs, start=1):
        print(f"[{done:>2}/{len(jobs)}] {name:<50}", end=" ", flush=True)
        torch.set_num_threads(threads)
        rows.append(row_of(name, threads, target, *measure(ours, torchs, repetitions)) | conditions)
        print(shown(rows[-1]), flush=True)
    if repetitions == REPETITIONS:
        print(f"written: {write('functional', rows)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
