"""Contours and matrices side by side, read back from the drawn artists: places, numbers, lines, one scale."""

import matplotlib
import numpy as np
import pytest
import torch

from dslib import figures
from tests.support.drawn import artists, dense, plain, whole

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("close_figures")

CHANNELS, SIDES, LEVELS = [8, 32, 128, 512], [2, 3, 5, 7], [0.05, 0.125, 0.25]


def ratio_axes(**options):
    """Contours of what torch's own layers say: weights of the pair by weights of the standard layer."""

    def weights(*layers):
        return sum(torch.nn.Conv2d(*layer, groups=groups, bias=False).weight.numel() for *layer, groups in layers)

    ratios = [
        [weights((4, 4, k, 4), (4, channels, 1, 1)) / weights((4, channels, k, 1)) for channels in CHANNELS]
        for k in SIDES
    ]
    return figures.draw_contours(CHANNELS, SIDES, ratios, LEVELS, "ratio", xlabel="c", ylabel="k", **options)


def lines(axes, label):
    """The points of the contour lines with a label, as (points, 2) arrays, one for each line."""
    (drawn,) = [contour for contour in axes.collections if contour.get_label() == label]
    return [polygon for path in drawn.get_paths() for polygon in path.to_polygons(closed_only=False)]


def test_contours_write_each_value_at_its_place():
    axes = ratio_axes(title="t")
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(c) for c in CHANNELS]
    assert [label.get_text() for label in axes.get_yticklabels()] == [str(k) for k in SIDES]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("c", "k")
    found = {text.xy: plain(text.get_text()) for text in axes.texts}
    assert len(found) == len(axes.texts) == 16
    for row, k in enumerate(SIDES):
        for column, channels in enumerate(CHANNELS):
            assert found[column, row] == pytest.approx(1 / channels + 1 / k**2, rel=5e-3)  # the book's formula
    assert axes.transData.transform((0, 1))[1] > axes.transData.transform((0, 0))[1]  # larger kernels further up


@pytest.mark.parametrize("level", LEVELS)
def test_contour_separates_smaller_from_larger_values(level):
    axes = ratio_axes()
    values = np.array([[1 / channels + 1 / k**2 for channels in CHANNELS] for k in SIDES])
    between = set()
    for points in lines(axes, f"ratio = {level:.3g}"):
        for x, y in points:
            assert x == round(x) or y == round(y)  # corners of a line lie between two neighbouring numbers
            low, high = (int(np.floor(y)), int(np.floor(x))), (int(np.ceil(y)), int(np.ceil(x)))
            share = (y - low[0]) + (x - low[1])
            assert values[low] + share * (values[high] - values[low]) == pytest.approx(level)
            between.add((low, high))
    neighbours = [((r, c), (r + dr, c + dc)) for r in range(4) for c in range(4) for dr, dc in ((0, 1), (1, 0))]
    neighbours = [(a, b) for a, b in neighbours if max(b) < 4]
    assert between == {(a, b) for a, b in neighbours if (values[a] < level) != (values[b] < level)}


def test_contours_are_told_apart_without_colour_and_named():
    axes = ratio_axes(title="t")
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["ratio = 0.05", "ratio = 0.125", "ratio = 0.25"]
    assert legend.get_title().get_text() == "t"
    assert (
        len({line.get_linestyle() if isinstance(line.get_linestyle(), str) else 1 for line in legend.get_lines()}) == 3
    )
    drawn = [artists(axes, text.get_text())[0] for text in legend.get_texts()]
    for line, contour in zip(legend.get_lines(), drawn, strict=True):
        assert matplotlib.colors.same_color(line.get_color(), contour.get_edgecolor()[0])
    assert len({str(contour.get_linestyle()) for contour in drawn}) == 3


def test_a_place_without_a_matrix_shows_nothing():
    figure = figures.draw_kernel_matrices({name: dense(2, 2, 1) for name in "abc"}, columns=2)
    untitled = [axes for axes in figure.axes if not axes.get_title(loc="left")]
    assert sorted(axes.axison for axes in untitled) == [False, True]  # the empty place, and the colour bar


def test_matrices_share_channels_cells_and_scale():
    each, mix = whole(3, 1, 3, 2), whole(4, 3, 1, 1, low=-1, high=2)
    weights = {"grouped": dense(4, 4, 2), "mix": mix, "pair": mix * each.transpose(0, 1), "few": dense(3, 3, 3)}
    figure = figures.draw_kernel_matrices(weights, columns=2)
    figure.canvas.draw()
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in panels] == list(weights)
    largest, spots, cells = max(weight.abs().max() for weight in weights.values()), {}, set()
    for axes, weight in zip(panels, weights.values(), strict=True):
        places = {"x": dict(zip(*ticks(axes.xaxis), strict=True)), "y": dict(zip(*ticks(axes.yaxis), strict=True))}
        for o, i in np.ndindex(*weight.shape[:2]):
            middle = places["x"][str(i)], places["y"][str(o)]
            assert spots.setdefault((o, i), middle) == middle  # the same place in every matrix
            if not weight[o, i].any():
                continue
            (tile,) = artists(axes, f"kernel {o} {i}")
            assert np.array_equal(np.reshape(tile.get_array(), weight.shape[2:]), weight[o, i])
            corners = tile.get_coordinates().reshape(-1, 2)
            assert np.allclose((corners.min(0) + corners.max(0)) / 2, middle)
            assert tuple(np.ptp(corners, axis=0)) == weight.shape[:1:-1]
            assert tile.norm.vmin == -tile.norm.vmax == -largest
        assert len(artists(axes, "no kernel")) == (weight == 0).all(-1).all(-1).sum()
        (dashes,) = artists(axes, "negative")
        assert len(dashes.get_xdata()) == (weight < 0).sum()
        cells.add(tuple(np.round(axes.transData.transform((1, 1)) - axes.transData.transform((0, 0)), 3)))
    assert len(cells) == 1  # one size of cell on the page
    assert panels[1].get_position().x0 > panels[0].get_position().x1 > panels[2].get_position().x0


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()], axis.get_ticklocs()


def test_a_dash_marks_each_negative_weight_of_a_small_kernel():
    weights = {"large": dense(2, 2, 1), "small": torch.tensor([[1.0, -2], [-3, 4]])[:, :, None, None]}
    figure = figures.draw_kernel_matrices(weights)
    axes = figure.axes[1]
    (dashes,) = artists(axes, "negative")
    marked = set(zip(*dashes.get_data(), strict=True))
    xs, ys = ticks(axes.xaxis)[1], ticks(axes.yaxis)[1]
    assert marked == {(xs[1], ys[0]), (xs[0], ys[1])}
