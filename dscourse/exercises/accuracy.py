"""The exercises of the chapter on accuracy."""

import functools
import math
import operator
from itertools import count
from statistics import mean, stdev

import numpy as np
import torch

from dscourse import digits
from dscourse.checks.exercise import exercise
from dslib import cost, counting


@exercise(
    cases=[(40, 28, 600), (25, 31, 400), (18, 18, 597), (3, 1, 50), (20, 9, 597)],
    oracle=lambda standard, other, images: 100.0 * ((images - other) / images - (images - standard) / images),
    hint="Each accuracy is the percentage of the test images that are not wrong. How far apart are the two?",
    wrong={
        "round(100 * (standard_wrong - other_wrong) / test_images, 1)": "You round. Of 597 images each is 0.17 points: "
        "with one digit behind the point two different gains look alike.",
        "100 -> -100": "The sign is turned: a network with fewer errors gains, so its number is positive.",
        "100 *  -> ": "This is a share of the images. A point is one percent: take it times 100.",
        "standard_wrong - other_wrong": "This is a number of images. Accuracy is percent of all test images.",
    },
)
def points_gained(standard_wrong, other_wrong, test_images):
    return 100 * (standard_wrong - other_wrong) / test_images


@exercise(
    cases=[
        ({0.001: 31, 0.003: 22, 0.01: 19, 0.03: 25}, {0.001: 40, 0.003: 27, 0.01: 30, 0.03: 33}),
        ({0.003: 12, 0.01: 16, 0.03: 14}, {0.003: 21, 0.01: 24, 0.03: 17}),
        ({0.01: 9, 0.03: 8}, {0.01: 15, 0.03: 13}),
    ],
    oracle=lambda validation, test: min((validation[rate], test[rate]) for rate in test)[1],
    hint="One dictionary chooses a rate, the other says what that rate is worth.",
    wrong={
        "min(test_wrong.values())": "You choose by the test images: the smallest of several test errors is small by "
        "luck too. The validation images choose, the test images only judge.",
        "min(validation_wrong.values())": "This is the error on the images that chose the rate. It is the smallest of "
        "several, so it is small by luck too; new images judge.",
        "best_rate": "This is the rate. What is asked for is the number of test errors at it.",
    },
)
def honest_error(validation_wrong, test_wrong):
    best_rate = min(validation_wrong, key=validation_wrong.get)
    return test_wrong[best_rate]


def interval(first, second, multiple):
    middle = mean(first) - mean(second)
    reach = multiple * stdev(map(operator.sub, first, second)) / math.sqrt(len(first))
    return middle - reach, middle + reach


@exercise(
    cases=[([90, 96, 93, 97], [89, 94, 92, 94], 3.18), ([80, 82], [85, 81], 12.7), ([71, 75, 70], [64, 73, 69], 2)],
    oracle=interval,
    hint="Differences of the pairs first; then their mean, and multiple standard errors to either side.",
    wrong={
        "gaps.std(ddof=1) -> np.hypot(np.std(first, ddof=1), np.std(second, ddof=1))": "You add the squared standard "
        "errors of the two rows. The trainings come in pairs: take the difference of each pair first.",
        "ddof=1 -> ddof=0": "You divide by n for the standard deviation. Numbers lie closer to their own mean than to "
        "the true one, so it is n - 1 (ddof=1 in numpy).",
        " / len(gaps) ** 0.5 -> ": "This is the spread of single differences. The error of their mean is s / sqrt(n).",
        "np.array(first) - np.array(second) -> np.array(second) - np.array(first)": "You take second - first. The "
        "interval is for what the first network is ahead.",
    },
)
def paired_interval(first, second, multiple):
    gaps = np.array(first) - np.array(second)
    reach = multiple * gaps.std(ddof=1) / len(gaps) ** 0.5
    return gaps.mean() - reach, gaps.mean() + reach


@functools.cache
def counted(kind, channels):
    with torch.random.fork_rng(devices=[]):  # its first weights are random: the reader's random numbers stay
        model = digits.network(kind, channels).eval()
    return counting.count(model, input_size=(1, 1, 8, 8)).macs


@exercise(
    cases=[(12, 24), (8, 20), (16, 40)],
    oracle=lambda a, b: (
        (counted("standard", (a, b)) - counted("separable", (a, b))) // cost.depthwise_separable_conv2d(b, b, 3, 4).macs
    ),
    hint="What do the three layers save when they become separable? What does one layer more cost?",
    wrong={
        "saved // one.macs + 1": "One too many: where the MACs do not reach for a whole layer, round down.",
        "3, 4) -> 3, 8)": "You price the new layers on maps of 8 by 8. They stand where the maps are 4 by 4.",
        " - pair.macs -> ": "You spend all MACs of the three standard layers. The separable ones in their place have "
        "to be paid first.",
    },
)
def more_layers(a, b):
    saved = 0
    for c_in, c_out, side in [(a, a, 8), (a, b, 4), (b, b, 4)]:
        standard = cost.conv2d(c_in, c_out, 3, side)
        pair = cost.depthwise_separable_conv2d(c_in, c_out, 3, side)
        saved += standard.macs - pair.macs
    one = cost.depthwise_separable_conv2d(b, b, 3, 4)
    return saved // one.macs


@exercise(
    cases=[(0.03, 0.25), (0.1, 0.5), (0.07, 1.5), (0.013, 0.11), (0.25, 24.5), (0.5, 49.0)],  # the last two: whole
    oracle=lambda share, reach: next(n for n in count(1) if 100 * 1.96 * math.sqrt(share / n) <= reach),
    hint="1.96 standard deviations, in points, must be no more than the reach. Solve that for T, and round up.",
    wrong={
        "int(images) + 1": "Where the formula gives a whole number, you take one image too many: it is enough.",
        "ceil -> floor": "You round down. With one image less than the formula says the interval reaches too far.",
        "100 *  -> ": "A reach in points is set against a share: sqrt(q / T) takes the factor 100 to become points.",
        " ** 2 -> ": "The square is missing: to halve the interval it takes four times the images, not twice as many.",
        " * 1.96 -> ": "This is one standard error to either side. An interval of 95 % has 1.96 of them.",
        "100 -> 200": "The reach is to one side of the mean. You have taken it for the length of the whole interval.",
    },
)
def images_needed(share, reach):
    images = share * (100 * 1.96 / reach) ** 2
    return int(np.ceil(images))


def errors_of_table(standard, other, images):
    rows = [[(image in a) - (image in b) for image in range(images)] for a, b in zip(standard, other, strict=True)]
    sides = [[mean(line) for line in lines] for lines in (rows, zip(*rows, strict=True))]
    return tuple(100 * stdev(side) / math.sqrt(len(side)) for side in sides)


@exercise(
    cases=[
        ([[0, 3], [3, 5], [1, 3, 4]], [[3], [0, 3], [3, 4]], 8),
        ([[1], [], [4, 9], [9]], [[1, 2], [2, 5], [9], []], 12),
    ],
    oracle=errors_of_table,
    hint="A table with a row for each seed: 1 where only the standard network is wrong, -1 where only the other.",
    wrong={
        "100 * by_images, 100 * by_seeds": "Seeds and images are swapped: each seed's mean, over the images, is one of "
        "the numbers by seeds.",
        "ddof=1 -> ddof=0": "You divide by n for the standard deviation. It is n - 1 (ddof=1 in numpy).",
        "by_seeds, by_images": "These are shares of 1. A point is one percent.",
        "tuple(map(math.hypot, *(errors_of_table(wrong, [()] * len(wrong), test_images) "
        "for wrong in (standard_wrong, other_wrong))))": "You take the two networks apart. Subtract first, seed by "
        "seed and image by image: what is hard for both drops out.",
        "100 * of_seed.std(ddof=1), 100 * of_image.std(ddof=1)": "These are the spreads of single means. The mean of n "
        "of them has the standard error s / sqrt(n).",
    },
)
def two_errors(standard_wrong, other_wrong, test_images):
    better = np.zeros((len(standard_wrong), test_images))
    for seed in range(len(standard_wrong)):
        better[seed, standard_wrong[seed]] += 1
        better[seed, other_wrong[seed]] -= 1
    of_seed, of_image = better.mean(1), better.mean(0)
    by_seeds = of_seed.std(ddof=1) / len(of_seed) ** 0.5
    by_images = of_image.std(ddof=1) / len(of_image) ** 0.5
    return 100 * by_seeds, 100 * by_images
