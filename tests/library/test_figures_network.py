"""The maps of a whole network, read back from what is drawn."""

from itertools import combinations

import matplotlib
import numpy as np
import pytest

from dslib import figures
from tests.support.drawn import artists, frame, words

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("close_figures")

# Table 1 of the MobileNet paper: the input, the first convolution, and what each of the 13 blocks puts out
MOBILENET_V1 = [("input", 3, (224, 224)), ("first", 32, (112, 112))] + [
    (f"block {index}", channels, (side, side))
    for index, (channels, side) in enumerate(
        [(64, 112), (128, 56), (128, 56), (256, 28), (256, 28), *[(512, 14)] * 6, (1024, 7), (1024, 7)], start=1
    )
]
NETWORKS = {
    "MobileNetV1": MOBILENET_V1,
    "wide head on one pixel": [("input", 3, (224, 224)), ("last block", 960, (7, 7)), ("head", 1280, (1, 1))],
    "sizes that are not square": [("a", 1, (33, 7)), ("b", 1, (7, 33)), ("c", 20, (1, 50))],
    "a size given as one number": [("spectrum", 2, 20), ("output", 8, 5)],
    "one map of one value": [("alone", 1, (1, 1))],
    "vectors": [("x", 784, (1, 1)), ("y", 10, (1, 1))],
    "a long label": [("input", 784, (1, 1)), ("hidden", 100, (1, 1)), ("a label of just 24 char", 10, (1, 1))],
}


def spoken(size):
    """Height and width of a map, as ``"7 × 33"``."""
    return "{} × {}".format(*((size, size) if isinstance(size, int) else size))


def middle_line(axes):
    ((start, end),) = artists(axes, "one")[0].get_segments()
    assert start[0] == end[0]
    return start[0]


def factor_line(axes):
    """The distance between two neighbouring thin lines, which all have the same, the middle line included."""
    places = [segment[0][0] for segment in artists(axes, "times 4")[0].get_segments()] + [middle_line(axes)]
    gaps = np.diff(sorted(places))
    assert np.allclose(gaps, gaps[0])
    return gaps[0]


@pytest.mark.parametrize("name", NETWORKS)
def test_bars_of_a_network_are_as_long_as_the_stated_scale_says(name):
    maps = NETWORKS[name]
    axes = figures.draw_network(maps)
    assert any("logarithmic" in word and "1 in the middle" in word and "× 4" in word for word in words(axes))
    middle, line = middle_line(axes), factor_line(axes) if name != "one map of one value" else 1
    for index, (_, channels, size) in enumerate(maps):
        left, _, width, _ = frame(axes, f"map {index} pixels")
        assert left + width == pytest.approx(middle)
        assert 4 ** (width / line) == pytest.approx(np.prod(size) if isinstance(size, tuple) else size**2)
        left, _, width, _ = frame(axes, f"map {index} channels")
        assert left == pytest.approx(middle)
        assert 4 ** (width / line) == pytest.approx(channels)


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_of_a_network_follow_each_other_downwards_each_beside_its_label(name):
    maps = NETWORKS[name]
    axes = figures.draw_network(maps)
    boxes = [frame(axes, f"map {index} {side}") for index in range(len(maps)) for side in ("pixels", "channels")]
    centers = [top + height / 2 for _, top, _, height in boxes]
    assert centers[::2] == pytest.approx(centers[1::2])
    assert np.allclose(np.diff(centers[::2]), 17) and axes.yaxis_inverted()  # points: one line of text
    assert len({height for *_, height in boxes}) == 1 and boxes[0][3] < 17
    for (label, _, _), center in zip(maps, centers[::2], strict=True):
        (text,) = [text for text in axes.texts if text.get_text() == label]
        assert text.get_position() == (0, pytest.approx(center))


@pytest.mark.parametrize("name", NETWORKS)
def test_numbers_of_a_network_stand_where_they_change_and_nowhere_else(name):
    maps = NETWORKS[name]
    axes = figures.draw_network(maps)
    expected = set()
    for index, (_, channels, size) in enumerate(maps):
        _, channels_before, size_before = maps[index - 1] if index else (None, None, None)
        left, top, width, height = frame(axes, f"map {index} pixels")
        if size != size_before:
            expected.add((spoken(size), round(left - 6, 6), round(top + height / 2, 6), "right"))
        left, _, width, _ = frame(axes, f"map {index} channels")
        if channels != channels_before:
            expected.add((str(channels), round(left + width + 6, 6), round(top + height / 2, 6), "left"))
    numbers = [text for text in axes.texts if text.get_text().replace(" × ", "").isdigit()]
    found = {(text.get_text(), *np.round(text.get_position(), 6), text.get_ha()) for text in numbers}
    assert found == expected and len(numbers) == len(expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_no_text_of_a_network_touches_a_bar_or_another_text_or_leaves_the_page(name):
    figures.use_book_style()
    axes = figures.draw_network(NETWORKS[name], title="A network")
    axes.figure.canvas.draw()
    texts = [text.get_window_extent() for text in axes.texts]
    bars = [artist.get_window_extent() for artist in axes.patches if artist.get_label().startswith("map")]
    assert len(bars) == 2 * len(NETWORKS[name])
    assert all(not a.overlaps(b) for a, b in combinations(texts, 2))
    assert all(not text.overlaps(bar) for text in texts for bar in bars)
    page = axes.figure.bbox
    assert page.width == pytest.approx(6.5 * axes.figure.dpi)
    assert all(page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1 for box in texts + bars)


def test_first_and_last_map_of_a_network_have_the_colours_of_input_and_output():
    axes = figures.draw_network(MOBILENET_V1, title="MobileNetV1")
    roles = ["input", *["intermediate"] * 13, "output"]
    for index, role in enumerate(roles):
        for side in ("pixels", "channels"):
            (box,) = artists(axes, f"map {index} {side}")
            assert matplotlib.colors.same_color(box.get_edgecolor(), figures.COLORS[role])
    # in words too, and beside a box of the colour
    for role, word in {"input": "input (first)", "intermediate": "intermediate", "output": "output (last)"}.items():
        (box,), (text,) = artists(axes, f"{role} colour"), [text for text in axes.texts if text.get_text() == word]
        assert matplotlib.colors.same_color(box.get_edgecolor(), figures.COLORS[role])
        assert text.get_position()[1] == pytest.approx(box.get_y() + box.get_height() / 2)
        assert 0 < text.get_position()[0] - (box.get_x() + box.get_width()) < 10
    assert words(axes)[0] == "MobileNetV1" and axes.texts[0].get_weight() == "bold"


def test_heads_of_a_network_stand_over_the_halves_that_they_name():
    axes = figures.draw_network(MOBILENET_V1)
    (pixels,) = [text for text in axes.texts if "pixels" in text.get_text()]
    (channels,) = [text for text in axes.texts if "channels" in text.get_text()]
    assert pixels.get_ha() == "right" and pixels.get_position()[0] < middle_line(axes)
    assert channels.get_ha() == "left" and channels.get_position()[0] > middle_line(axes)
    assert all(text.get_position()[1] < frame(axes, "map 0 pixels")[1] for text in (pixels, channels))


def test_a_network_fits_into_an_axes_that_is_given():
    figure = matplotlib.pyplot.figure(figsize=(9, 9))
    axes = figures.draw_network(MOBILENET_V1, ax=figure.add_axes((0.1, 0.1, 0.8, 0.8)))
    figure.canvas.draw()
    box = axes.get_window_extent()
    assert (box.width, box.height) == pytest.approx((0.8 * 9 * figure.dpi, 0.8 * 9 * figure.dpi))
    assert all(box.x0 - 1 <= text.get_window_extent().x0 for text in axes.texts)
    assert all(text.get_window_extent().x1 <= box.x1 + 1 for text in axes.texts)
    assert frame(axes, "map 14 channels")[0] == pytest.approx(middle_line(axes))

    small = figures.draw_network(MOBILENET_V1, ax=matplotlib.pyplot.figure(figsize=(1, 1)).add_subplot())
    assert frame(small, "map 0 pixels")[2] > frame(small, "map 14 pixels")[2] > 0  # crowded, but never turned round


def test_the_last_bit_of_a_logarithm_changes_no_picture(monkeypatch, tmp_path):
    exact, log2 = tmp_path / "exact", np.log2
    figures.save_svg(figures.draw_network(MOBILENET_V1), exact)
    for name, factor in (("below", 1 - 1e-15), ("above", 1 + 1e-15)):
        monkeypatch.setattr(np, "log2", lambda value, factor=factor: factor * log2(value))
        figures.save_svg(figures.draw_network(MOBILENET_V1), tmp_path / name)
        assert exact.read_bytes() == (tmp_path / name).read_bytes()
