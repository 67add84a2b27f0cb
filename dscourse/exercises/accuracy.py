"""Checks of the exercises in the chapter accuracy."""

import functools
import math
from bisect import bisect_left
from statistics import mean, pstdev, stdev

import torch

from dscourse import digits
from dslib import cost, counting

from .feedback import Feedback, Mistake, examine


def check_points_gained(reader_function) -> Feedback:
    """``points_gained(standard_wrong, other_wrong, test_images)``: points of accuracy that the other network gains."""

    def gained(one, other, images):
        return 100.0 * ((images - other) / images - (images - one) / images)

    return examine(
        reader_function,
        cases=[(40, 28, 600), (25, 31, 400), (18, 18, 597), (3, 1, 50)],
        truth=gained,
        mistakes=[
            Mistake(
                lambda *case: -gained(*case),
                "The sign is turned: a network with fewer errors gains, so its number is positive.",
            ),
            Mistake(
                lambda *case: gained(*case) / 100,
                "This is a share of the images. A point is one percent: take it times 100.",
            ),
            Mistake(
                lambda one, other, images: 100 * (one - other) / one,
                "You divide by the errors of the standard network. Accuracy is a share of all test images.",
            ),
            Mistake(
                lambda one, other, images: one - other,
                "This is a number of images. As accuracy it is a share of all test images, in percent.",
            ),
        ],
        hint="Each accuracy is the percentage of the test images that are not wrong. How far apart are the two?",
    )


def check_honest_error(reader_function) -> Feedback:
    """``honest_error(validation_wrong, test_wrong)``: errors on the test images, at the rate that validation chose."""

    def at_best(choosing, told):
        return told[sorted(choosing, key=lambda rate: choosing[rate])[0]]

    return examine(
        reader_function,
        cases=[
            ({0.001: 31, 0.003: 22, 0.01: 19, 0.03: 25}, {0.001: 40, 0.003: 27, 0.01: 30, 0.03: 33}),
            ({0.003: 12, 0.01: 16, 0.03: 14}, {0.003: 21, 0.01: 24, 0.03: 17}),
            ({0.01: 9, 0.03: 8}, {0.01: 15, 0.03: 13}),
        ],
        truth=at_best,
        mistakes=[
            Mistake(
                lambda validation, test: min(test.values()),
                "You choose by the test images: the smallest of several test errors is small by luck too. The "
                "validation images choose, the test images only judge.",
            ),
            Mistake(
                lambda validation, test: min(validation.values()),
                "This is the error on the images that chose the rate. It is the smallest of several, so it is small "
                "by luck too; new images judge.",
            ),
            Mistake(
                lambda validation, test: min(validation, key=validation.get),
                "This is the rate. What is asked for is the number of test errors at it.",
            ),
            Mistake(
                lambda validation, test: at_best({rate: -wrong for rate, wrong in validation.items()}, test),
                "You choose the rate with the most errors. The numbers count what is wrong, so the smallest is best.",
            ),
        ],
        hint="One dictionary chooses a rate, the other says what that rate is worth.",
    )


def check_paired_interval(reader_function) -> Feedback:
    """``paired_interval(first, second, multiple)``: (low, high) around the mean of ``first - second``, in points."""

    def around(reach_of):
        def interval(first, second, multiple):
            middle, reach = mean(first) - mean(second), multiple * reach_of(first, second)
            return middle - reach, middle + reach

        return interval

    def gaps(first, second):
        return [float(a - b) for a, b in zip(first, second, strict=True)]

    def paired(first, second):
        return stdev(gaps(first, second)) / math.sqrt(len(first))

    def apart(first, second):
        return math.hypot(*(stdev(map(float, row)) / math.sqrt(len(row)) for row in (first, second)))

    truth = around(paired)
    return examine(
        reader_function,
        cases=[([90, 96, 93, 97], [89, 94, 92, 94], 3.18), ([80, 82], [85, 81], 12.7), ([71, 75, 70], [64, 73, 69], 2)],
        truth=truth,
        mistakes=[
            Mistake(
                around(apart),
                "You add the squared standard errors of the two rows. The trainings come in pairs: take the "
                "difference of each pair first, and what is hard or easy for both drops out.",
            ),
            Mistake(
                around(lambda a, b: pstdev(gaps(a, b)) / math.sqrt(len(a))),
                "You divide by n for the standard deviation. Numbers lie closer to their own mean than to the true "
                "one, so it is n - 1 (ddof=1 in numpy).",
            ),
            Mistake(
                around(lambda a, b: stdev(gaps(a, b))),
                "This is the spread of single differences. Their mean has the standard error s / sqrt(n).",
            ),
            Mistake(
                lambda first, second, multiple: truth(second, first, multiple),
                "You take second - first. The interval is for what the first network is ahead.",
            ),
            Mistake(
                lambda *case: truth(*case)[::-1],
                "The two ends are swapped: the lower one comes first.",
            ),
            Mistake(
                lambda first, second, multiple: truth(first, second, 1.96),
                "You take 1.96 standard errors. The multiple is an argument: for few numbers it is larger.",
            ),
            Mistake(
                around(lambda a, b: paired(a, b) / 2),
                "Your interval is half as long as it should be: multiple standard errors lie on each side of the mean.",
            ),
        ],
        hint="Differences of the pairs first; then their mean, and multiple standard errors to either side.",
    )


@functools.cache
def counted(kind, channels):
    """MACs of one of the chapter's networks, counted as it runs."""
    with torch.random.fork_rng(devices=[]):  # its first weights are random: the reader's random numbers stay
        model = digits.network(kind, channels).eval()
    return counting.count(model, input_size=(1, 1, 8, 8)).macs


def check_more_layers(reader_function) -> Feedback:
    """``more_layers(a, b)``: how many separable layers of b channels the saved MACs of the three layers pay for."""

    def saved(a, b):
        return counted("standard", (a, b)) - counted("separable", (a, b))

    def three(a, b, layer):
        return sum(layer(c_in, c_out, 3, side) for c_in, c_out, side in [(a, a, 8), (a, b, 4), (b, b, 4)])

    def saved_weights(a, b):
        return three(a, b, cost.conv2d).params - three(a, b, cost.depthwise_separable_conv2d).params

    def added(b, side=4):
        return cost.depthwise_separable_conv2d(b, b, 3, side)

    return examine(
        reader_function,
        cases=[(12, 24), (8, 20), (16, 40)],
        truth=lambda a, b: saved(a, b) // added(b).macs,
        mistakes=[
            Mistake(
                lambda a, b: saved(a, b) // added(b).macs + 1,
                "One too many: a last layer for which the MACs do not reach any more is not added, so round down.",
            ),
            Mistake(
                lambda a, b: saved(a, b) // added(b, side=8).macs,
                "You price the new layers on maps of 8 by 8. They stand where the maps are 4 by 4.",
            ),
            Mistake(
                lambda a, b: saved_weights(a, b) // added(b).params,
                "You compare weights. In a MAC count each weight weighs as much as its map has positions, 64 or 16.",
            ),
            Mistake(
                lambda a, b: saved(a, b) // cost.depthwise_conv2d(b, 3, 4).macs,
                "The new layers have a pointwise half too, and that is the larger one.",
            ),
            Mistake(
                lambda a, b: three(a, b, cost.conv2d).macs // added(b).macs,
                "You spend all MACs of the three standard layers. The separable ones in their place have to be paid "
                "first.",
            ),
        ],
        hint="What do the three layers save when they become separable? What does one layer more cost?",
    )


def check_images_needed(reader_function) -> Feedback:
    """``images_needed(share, reach)``: how many test images, for an interval of ``reach`` points to either side."""

    def needed(share, reach):  # the first number of images that is enough
        tried = range(1, 10**6)
        return tried[bisect_left(tried, True, key=lambda images: 100 * 1.96 * math.sqrt(share / images) <= reach)]

    return examine(
        reader_function,
        cases=[(0.03, 0.25), (0.1, 0.5), (0.07, 1.5), (0.013, 0.11)],
        truth=needed,
        mistakes=[
            Mistake(
                lambda share, reach: math.floor(share * (196 / reach) ** 2),
                "You round down. With one image less than the formula says the interval reaches too far.",
            ),
            Mistake(
                lambda share, reach: math.ceil(share * (1.96 / reach) ** 2),
                "A reach in points is set against a share: sqrt(q / T) takes the factor 100 to become points.",
            ),
            Mistake(
                lambda share, reach: math.ceil(share * 196 / reach),
                "The square is missing: to halve the interval it takes four times the images, not twice as many.",
            ),
            Mistake(
                lambda share, reach: math.ceil(share * (100 / reach) ** 2),
                "This is one standard error to either side. An interval of 95 % has 1.96 of them.",
            ),
            Mistake(
                lambda share, reach: math.ceil(share * (2 * 196 / reach) ** 2),
                "The reach is to one side of the mean. You have taken it for the length of the whole interval.",
            ),
        ],
        hint="1.96 standard deviations, in points, must be no more than the reach. Solve that for T, and round up.",
    )


def errors_by(table, spread=stdev):
    """Standard errors of the mean of a table, in points: by its rows, by its columns."""
    sides = [[mean(map(float, line)) for line in lines] for lines in (table, list(zip(*table, strict=True)))]
    return tuple(100 * spread(side) / math.sqrt(len(side)) for side in sides)


def check_two_errors(reader_function) -> Feedback:
    """``two_errors(standard_wrong, other_wrong, test_images)``: standard errors by seeds and by images, in points."""

    def table(wrong, images):  # 1 for an error
        return [[int(image in of_seed) for image in range(images)] for of_seed in wrong]

    def gains(standard, other, images):
        rows = zip(table(standard, images), table(other, images), strict=True)
        return [[a - b for a, b in zip(*pair, strict=True)] for pair in rows]

    def overwritten(standard, other, images):
        rows = zip(table(standard, images), table(other, images), strict=True)
        return [[-1 if b else a for a, b in zip(*pair, strict=True)] for pair in rows]

    def apart(standard, other, images):
        both = (errors_by(table(wrong, images)) for wrong in (standard, other))
        return tuple(math.hypot(*parts) for parts in zip(*both, strict=True))

    return examine(
        reader_function,
        cases=[
            ([[0, 3], [3, 5], [1, 3, 4]], [[3], [0, 3], [3, 4]], 8),
            ([[1], [], [4, 9], [9]], [[1, 2], [2, 5], [9], []], 12),
        ],
        truth=lambda *case: errors_by(gains(*case)),
        mistakes=[
            Mistake(
                lambda *case: errors_by(gains(*case))[::-1],
                "Seeds and images are swapped: each seed's mean, over the images, is one of the numbers by seeds.",
            ),
            Mistake(
                lambda *case: errors_by(gains(*case), pstdev),
                "You divide by n for the standard deviation. It is n - 1, as in the first section (ddof=1 in numpy).",
            ),
            Mistake(
                lambda *case: tuple(error / 100 for error in errors_by(gains(*case))),
                "These are shares of 1. A point is one percent.",
            ),
            Mistake(
                apart,
                "You take the two networks apart. Subtract first, seed by seed and image by image: what is hard for "
                "both drops out.",
            ),
            Mistake(
                lambda *case: errors_by(gains(*case), lambda side: stdev(side) * math.sqrt(len(side))),
                "These are the spreads of single means. The mean of n of them has the standard error s / sqrt(n).",
            ),
            Mistake(
                lambda *case: errors_by(overwritten(*case)),
                "Where both networks are wrong your table has -1. It should be 0: add 1, then subtract 1.",
            ),
            Mistake(
                lambda *case: tuple(error**2 / 100 for error in errors_by(gains(*case))),
                "These are the squared errors: take the root before you turn a share into points.",
            ),
        ],
        hint="A table with a row for each seed: 1 where only the standard network is wrong, -1 where only the other.",
    )
