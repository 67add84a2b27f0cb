"""Shares, curves and stacked bars say their numbers: bars, lines and texts, read back from the drawn artists."""

import matplotlib
import numpy as np
import pytest

from dslib import figures
from tests.support.drawn import words

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("close_figures")


def test_shares_add_up_to_the_whole_bar():
    parts = {"pointwise": 539_492_352, "depthwise": 17_385_984, "first": 10_838_016, "fully connected": 1_024_000}
    axes = figures.draw_shares(parts, title="MobileNetV1")
    total = sum(parts.values())
    assert axes.get_xlabel() == f"share of {total:,} MACs (%)"
    edges = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert np.allclose([width for _, width in edges], [100 * count / total for count in parts.values()])
    assert np.allclose([x for x, _ in edges][1:], np.cumsum([width for _, width in edges])[:-1])
    assert sum(width for _, width in edges) == pytest.approx(100)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [
        "pointwise: 94.9 %, 539,492,352 MACs",
        "depthwise: 3.1 %, 17,385,984 MACs",
        "first: 1.9 %, 10,838,016 MACs",
        "fully connected: 0.18 %, 1,024,000 MACs",
    ]
    assert words(axes) == ["94.9 %"] and axes.get_legend().get_title().get_text() == "MobileNetV1"
    assert len({bar.get_hatch() for bar in axes.patches}) == 4  # told apart without colour


def test_shares_of_the_two_halves_of_a_small_pair():
    axes = figures.draw_shares({"depthwise": 576, "pointwise": 256, "bias": 0}, unit="multiplications")
    assert axes.get_xlabel() == "share of 832 multiplications (%)"
    assert [text.get_text() for text in axes.get_legend().get_texts()][2] == "bias: 0 %, 0 multiplications"
    assert words(axes) == ["69.2 %", "30.8 %"]


def test_curves_are_told_apart_without_colour_and_named_at_their_ends():
    x = [8, 16, 32]
    curves = {"K = 3": [0.3, 0.2, 0.15], "K = 5": [0.2, 0.1, 0.149], "K = 7": [0.2, 0.1, 0.151]}
    axes = figures.draw_curves(x, curves, xlabel="output channels", ylabel="ratio (no unit)", title="t", log="xy")
    assert [line.get_label() for line in axes.lines] == list(curves)
    for line, y in zip(axes.lines, curves.values(), strict=True):
        assert np.array_equal(line.get_xdata(), x) and np.array_equal(line.get_ydata(), y)
    assert len({line.get_linestyle() for line in axes.lines}) == len({line.get_marker() for line in axes.lines}) == 3
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("output channels", "ratio (no unit)")
    assert {text.get_text(): text.xy for text in axes.texts} == {name: (32, y[-1]) for name, y in curves.items()}
    renderer = axes.figure.canvas.get_renderer()
    heights = {text.get_text(): text.get_window_extent(renderer).y0 for text in axes.texts}
    assert sorted(heights, key=heights.get) == ["K = 5", "K = 3", "K = 7"]  # in the order of the ends
    axes.figure.canvas.draw()
    assert "16" in [label.get_text() for label in axes.get_xticklabels()]


def test_curves_with_room_are_named_beside_their_ends_and_long_axes_are_not_crowded():
    for log, ends in (("", (1, 1000, 1001)), ("y", (1e-6, 1e-3, 1))):
        axes = figures.draw_curves([1, 2], {f"to {end}": [end, end] for end in ends}, log=log)
        axes.figure.canvas.draw()
        boxes = [matplotlib.text.Text.get_window_extent(text) for text in axes.texts]
        for text, box in zip(axes.texts, boxes, strict=True):
            assert (box.y0 + box.y1) / 2 == pytest.approx(axes.transData.transform(text.xy)[1], abs=12)
        assert all(low.y1 <= high.y0 for low, high in zip(boxes, boxes[1:], strict=False))
    between = [label.get_text() for label in axes.get_yticklabels(minor=True)]
    assert between and not any(between)
    assert "0.01" in [label.get_text() for label in axes.get_yticklabels()]


# ---- stacked bars

PARTS = {"depthwise": [36, 0, 9.5], "pointwise": [256, 1024, 0], "norm": [0, 0, 0], "bias": [4, 16, 1]}


def drawn_bars(axes):
    """{part: {place: (left, width)}} of the bars, parts in the order in which they are drawn."""
    found = {}
    for container in axes.containers:
        places = {bar.get_y() + bar.get_height() / 2: (bar.get_x(), bar.get_width()) for bar in container}
        assert len(places) == len(container)
        found[container.get_label()] = {round(place, 9): ends for place, ends in places.items()}
    return found


def test_stacked_bars_are_as_long_as_their_values_and_follow_each_other():
    axes = figures.draw_stacked_bars(["a", "b", "c"], PARTS)
    drawn = drawn_bars(axes)
    assert list(drawn) == list(PARTS)
    for place in range(3):
        end = 0
        for name, values in PARTS.items():
            if values[place] == 0:
                assert place not in drawn[name]  # nothing, not even an edge
                continue
            assert drawn[name][place] == (pytest.approx(end), pytest.approx(values[place]))
            end += values[place]
    assert axes.get_xlim()[0] == 0 and 1040 < axes.get_xlim()[1] < 1.1 * 1040
    assert axes.get_xscale() == "linear"


def test_stacked_bars_have_labels_from_top_to_bottom_and_a_legend_with_hatches():
    axes = figures.draw_stacked_bars(["a", 2, "c"], PARTS, xlabel="MACs", ylabel="block", title="t")
    axes.figure.canvas.draw()
    heights = {text.get_text(): text.get_window_extent().y0 for text in axes.get_yticklabels()}
    assert list(heights) == ["a", "2", "c"] and list(axes.get_yticks()) == [0, 1, 2]
    assert sorted(heights, key=heights.get, reverse=True) == ["a", "2", "c"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("MACs", "block")
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(PARTS) and legend.get_title().get_text() == "t"
    looks = {
        name: (box.get_facecolor(), box.get_hatch()) for name, box in zip(PARTS, legend.get_patches(), strict=True)
    }
    assert len({hatch for _, hatch in looks.values()}) == 4  # told apart without colour
    for container in axes.containers:
        assert {(bar.get_facecolor(), bar.get_hatch()) for bar in container} <= {looks[container.get_label()]}


def test_stacked_bars_write_large_numbers_in_full_and_keep_the_page_width():
    labels = [f"blocks.{stage}.{block}" for stage in range(3) for block in range(6)]
    parts = {name: np.linspace(1, 5.2e7, 18) for name in ("depthwise", "pointwise")}
    axes = figures.draw_stacked_bars(labels, parts, xlabel="MACs", ylabel="block", title="Where the MACs sit")
    axes.figure.canvas.draw()
    written = [label.get_text() for label in axes.get_xticklabels()]
    assert [float(text.replace(",", "")) for text in written] == list(axes.get_xticks())
    assert (
        len(written) >= 3 and not any("e" in text for text in written) and not axes.xaxis.get_offset_text().get_text()
    )
    page, box = axes.figure.bbox, axes.get_tightbbox()
    assert page.width == pytest.approx(6.5 * axes.figure.dpi)
    assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
    rows = np.diff(axes.transData.transform([(0, 1), (0, 0)])[:, 1])[0] * 72 / axes.figure.dpi
    assert 13 < rows < 20  # points from bar to bar: a line of text each


def test_stacked_bars_leave_the_values_that_are_passed_as_they_are():
    values = np.array([1.0, 2.0])
    figures.draw_stacked_bars(["a", "b"], {"one": values, "two": values})
    assert values.tolist() == [1, 2]
