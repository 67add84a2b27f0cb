"""Solutions of the exercises in accuracy. The chapter's stubs and folded solutions are made from them."""

import numpy as np

from dslib import cost


def points_gained(standard_wrong, other_wrong, test_images):
    return 100 * (standard_wrong - other_wrong) / test_images


def honest_error(validation_wrong, test_wrong):
    best_rate = min(validation_wrong, key=validation_wrong.get)
    return test_wrong[best_rate]


def paired_interval(first, second, multiple):
    gaps = np.array(first) - np.array(second)
    reach = multiple * gaps.std(ddof=1) / len(gaps) ** 0.5
    return gaps.mean() - reach, gaps.mean() + reach


def more_layers(a, b):
    saved = 0
    for c_in, c_out, side in [(a, a, 8), (a, b, 4), (b, b, 4)]:
        dense = cost.conv2d(c_in, c_out, 3, side)
        pair = cost.depthwise_separable_conv2d(c_in, c_out, 3, side)
        saved += dense.macs - pair.macs
    one = cost.depthwise_separable_conv2d(b, b, 3, 4)
    return saved // one.macs


def images_needed(share, reach):
    images = share * (100 * 1.96 / reach) ** 2
    return int(np.ceil(images))


def two_errors(standard_wrong, other_wrong, test_images):
    better = np.zeros((len(standard_wrong), test_images))
    for seed in range(len(standard_wrong)):
        better[seed, standard_wrong[seed]] += 1
        better[seed, other_wrong[seed]] -= 1
    of_seed, of_image = better.mean(1), better.mean(0)
    by_seeds = of_seed.std(ddof=1) / len(of_seed) ** 0.5
    by_images = of_image.std(ddof=1) / len(of_image) ** 0.5
    return 100 * by_seeds, 100 * by_images
