"""Test accuracy of the networks of ``dscourse.digits``: every kind of layer, several sizes of training set, many seeds.

    python -m benchmarks.accuracy             some 25 minutes on two cores; writes accuracy.csv and accuracy_rates.csv
    python -m benchmarks.accuracy --quick     a quarter of a minute; writes nothing

The files go to ``dscourse/measured/``. Ctrl-C stops it, and then nothing is written.

First each network gets its learning rates, one for few and one for more images: the one of ``RATES`` with the fewest
errors on the last third of the pool, after training on images of the first two thirds. Then it is trained anew for
every size and seed and judged by the test images, which nothing was chosen by. Two processes with one thread each. A
row says which test images came out wrong, by their place among them.
"""

import argparse
import importlib.metadata
import multiprocessing
import signal
import sys
from collections import defaultdict
from functools import cache

import torch

from benchmarks.machine import machine
from benchmarks.record import write
from dscourse import digits

RATE_IMAGES = {75: 75, 150: 75, 300: 300, 600: 300, 1200: 300}  # size -> the size at which its rate is chosen
SEEDS = range(10)
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
RATE_SEEDS = range(100, 104)  # others than those of the test
RATE_POOL = 800  # images of the pool to choose rates with; those after them judge
PROCESSES = 2


def networks():
    """What each network equals the standard one in, its kind, its channels."""
    found = [("itself", "standard", digits.STANDARD)]
    for equal, of_kind in digits.CHANNELS.items():
        found += [(equal, kind, channels) for kind, channels in of_kind.items()]
    return found


@cache
def data():
    """(images, labels) three times: the pool, its last part that rates are chosen by, the test."""
    images, labels = digits.load()
    parts = slice(0, digits.POOL), slice(RATE_POOL, digits.POOL), slice(digits.POOL, None)
    return [(images[part], labels[part]) for part in parts]


def choose(job):
    """Errors on the validation images for one network, rate, seed and size."""
    (_, kind, channels), rate, seed, steps, train_images = job
    pool, validation, _ = data()
    beginning = [part[:RATE_POOL] for part in pool]
    return job, len(digits.trial(kind, channels, train_images, rate, seed, beginning, validation, steps)[1])


def judge(job):
    """Errors on the training images, and which on the test images, for one network, rate, seed and size."""
    (_, kind, channels), rate, seed, steps, train_images = job
    pool, _, test = data()
    return job, digits.trial(kind, channels, train_images, rate, seed, pool, test, steps)


def columns(network):
    equal, kind, (first, last) = network
    return {"equal": equal, "kind": kind, "first_channels": first, "last_channels": last}


def prepare():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(1)


def in_parallel(pool, function, jobs, words):
    """The results in the order of the jobs, with a line that counts them."""
    results = []
    for result in pool.imap(function, jobs):
        results.append(result)
        print(f"\r{words}: {len(results)} of {len(jobs)} networks trained", end="", flush=True)
    print()
    return results


def rate_rows(pool, nets, sizes, seeds, steps):
    jobs = [
        (network, rate, seed, steps, size) for network in nets for size in sizes for rate in RATES for seed in seeds
    ]
    return [
        columns(network) | {"train_images": size, "learning_rate": rate, "seed": seed, "validation_wrong": wrong}
        for (network, rate, seed, _, size), wrong in in_parallel(pool, choose, jobs, "learning rates")
    ]


def best_rates(rows):
    """{(equal, kind, size): the rate with the fewest errors over the seeds}; of equal ones the smaller."""
    errors = defaultdict(lambda: defaultdict(int))
    for row in rows:
        errors[row["equal"], row["kind"], row["train_images"]][row["learning_rate"]] += row["validation_wrong"]
    return {key: min(of_rate, key=lambda rate: (of_rate[rate], rate)) for key, of_rate in errors.items()}


def test_rows(pool, nets, rates, sizes, seeds, steps):
    jobs = [
        (network, rates[*network[:2], RATE_IMAGES[size]], seed, steps, size)
        for network in nets
        for size in sizes
        for seed in seeds
    ]
    rows = []
    for (network, rate, seed, _, size), (train_wrong, test_wrong) in in_parallel(pool, judge, jobs, "test"):
        row = columns(network) | {"train_images": size, "seed": seed, "learning_rate": rate, "steps": steps}
        rows.append(row | {"train_wrong": len(train_wrong), "test_wrong": " ".join(map(str, test_wrong))})
    return rows


def show(rows):
    """Mean test accuracy in percent: a line for each network, a column for each size."""
    sizes = sorted({row["train_images"] for row in rows})
    print(f"{'equal in':<10} {'kind':<26}", *[f"{size:>7}" for size in sizes])
    cells = defaultdict(list)
    for row in rows:
        wrong = len(row["test_wrong"].split())
        cells[row["equal"], row["kind"], row["train_images"]].append(100 - 100 * wrong / len(data()[2][1]))
    for equal, kind in dict.fromkeys(key[:2] for key in cells):
        means = [sum(cell) / len(cell) for cell in (cells[equal, kind, size] for size in sizes)]
        print(f"{equal:<10} {kind:<26}", *[f"{mean:7.2f}" for mean in means])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few networks, short training, no file")
    quick = parser.parse_args().quick
    nets, sizes, seeds, steps, rate_seeds = networks(), tuple(RATE_IMAGES), SEEDS, digits.STEPS, RATE_SEEDS
    if quick:
        nets, sizes, seeds, steps, rate_seeds = nets[:1] + nets[6:7], (75, 300), range(2), 60, RATE_SEEDS[:1]
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn")}
    conditions = machine() | versions | {"command": "python -m benchmarks.accuracy"}
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    with multiprocessing.get_context("spawn").Pool(PROCESSES, prepare) as pool:
        chosen = rate_rows(pool, nets, sorted({RATE_IMAGES[size] for size in sizes}), rate_seeds, steps)
        rows = test_rows(pool, nets, best_rates(chosen), sizes, seeds, steps)
    show(rows)
    if not quick:
        for name, table in (("accuracy_rates", chosen), ("accuracy", rows)):
            print(f"written: {write(name, [row | conditions for row in table])}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
