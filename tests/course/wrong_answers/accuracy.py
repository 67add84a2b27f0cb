"""Typical wrong answers to the exercises: what is replaced in the solution's text, and what the reader must be told."""

WRONG = {
    "points_gained": [
        ("standard_wrong - other_wrong)", "other_wrong - standard_wrong)", "sign is turned"),
        ("100 * (", "(", "share of the images"),
        ("/ test_images", "/ standard_wrong", "divide by the errors"),
        ("100 * (standard_wrong - other_wrong) / test_images", "standard_wrong - other_wrong", "number of images"),
    ],
    "honest_error": [
        ("min(validation_wrong, key=validation_wrong.get)", "min(test_wrong, key=test_wrong.get)", "only judge"),
        ("return test_wrong", "return validation_wrong", "that chose the rate"),
        ("return test_wrong[best_rate]", "return best_rate", "This is the rate"),
        ("min(", "max(", "most errors"),
    ],
    "paired_interval": [
        (
            "gaps.std(ddof=1)",
            "(np.var(first, ddof=1) + np.var(second, ddof=1)) ** 0.5",
            "what is hard or easy for both drops out",
        ),
        ("ddof=1", "ddof=0", "n - 1"),
        (" / len(gaps) ** 0.5", "", "spread of single differences"),
        ("np.array(first) - np.array(second)", "np.array(second) - np.array(first)", "second - first"),
        ("- reach, gaps.mean() + reach", "+ reach, gaps.mean() - reach", "ends are swapped"),
        ("reach = multiple *", "reach = 0.5 * multiple *", "half as long"),
        ("reach = multiple *", "reach = 1.96 *", "multiple is an argument"),
    ],
    "more_layers": [
        ("saved // one.macs", "-(-saved // one.macs)", "round down"),
        ("(b, b, 3, 4)", "(b, b, 3, 8)", "maps are 4 by 4"),
        (".macs", ".params", "You compare weights"),
        ("cost.depthwise_separable_conv2d(b, b, 3, 4)", "cost.depthwise_conv2d(b, 3, 4)", "pointwise half too"),
        (" - pair.macs", "", "have to be paid first"),
        ("(a, b, 4), ", "(a, b, 8), ", "What do the three layers save"),
    ],
    "images_needed": [
        ("np.ceil", "np.floor", "round down"),
        ("100 * 1.96", "1.96", "factor 100"),
        (") ** 2", ")", "square is missing"),
        ("100 * 1.96", "100", "one standard error"),
        ("100 * 1.96", "2 * 100 * 1.96", "length of the whole interval"),
    ],
    "two_errors": [
        ("better.mean(1), better.mean(0)", "better.mean(0), better.mean(1)", "swapped"),
        ("ddof=1", "ddof=0", "n - 1"),
        ("100 * by_seeds, 100 * by_images", "by_seeds, by_images", "shares of 1"),
        (
            "    of_seed, of_image = better.mean(1), better.mean(0)\n"
            "    by_seeds = of_seed.std(ddof=1) / len(of_seed) ** 0.5\n"
            "    by_images = of_image.std(ddof=1) / len(of_image) ** 0.5\n",
            "    one, other = better * 0, better * 0\n"
            "    for seed in range(len(one)):\n"
            "        one[seed, standard_wrong[seed]] = 1\n"
            "        other[seed, other_wrong[seed]] = 1\n"
            "    by_seeds, by_images = [\n"
            "        sum(t.mean(axis).var(ddof=1) / t.mean(axis).size\n"
            "            for t in (one, other)) ** 0.5 for axis in (1, 0)]\n",
            "take the two networks apart",
        ),
        ("100 * by_seeds, 100 * by_images", "100 * by_seeds**2, 100 * by_images**2", "squared errors"),
        (
            "by_seeds = of_seed.std(ddof=1) / len(of_seed) ** 0.5\n"
            "    by_images = of_image.std(ddof=1) / len(of_image) ** 0.5\n",
            "by_seeds = of_seed.std(ddof=1)\n    by_images = of_image.std(ddof=1)\n",
            "spreads of single means",
        ),
        ("-= 1", "= -1", "Where both networks are wrong"),
    ],
}
