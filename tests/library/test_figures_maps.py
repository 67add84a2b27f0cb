"""Maps as grids, as cards and as images: every value of every channel, read back from the drawn artists."""

import matplotlib
import numpy as np
import pytest
import torch

from dslib import figures
from tests.support.drawn import artists, cells, frame, numbers, whole, words

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("close_figures")


@pytest.mark.parametrize("kind", [torch.as_tensor, np.asarray, lambda values: np.asarray(values).tolist()])
@pytest.mark.parametrize("role", figures.COLORS)
def test_maps_show_every_value_of_every_channel(kind, role):
    values = whole(3, 2, 4)
    axes = figures.draw_maps(kind(values), role, highlight=(slice(0, 2), slice(1, 4, 2), [0, 2]))
    for channel in range(3):
        assert np.array_equal(numbers(axes, f"{role} {channel}"), values[channel])
        lit = {(0, 1), (0, 3), (1, 1), (1, 3)} if channel != 1 else set()
        assert cells(axes, f"{role} {channel}", "lit") == lit
    assert not artists(axes, f"{role} 3")
    assert {f"{role}: 3 channels of 2 × 4", "channel 0", "channel 1", "channel 2"} <= set(words(axes))


def test_numbers_are_written_to_three_digits_and_without_minus_zero():
    axes = figures.draw_maps(
        [[[0.25, -0.0, 1 / 3, 1234, -2, 12.345, 1e-4, 0.1 + 0.2 - 0.3]]], "kernel", show_values=True
    )
    shown = [text for text in words(axes) if text[-1].isdigit() and "channel" not in text and "×" not in text]
    assert shown == ["0.25", "0", "0.333", "1234", "−2", "12.3", "0.0001", "0"]


def test_lit_cells_are_bold_and_framed_and_not_only_coloured():
    axes = figures.draw_maps(whole(1, 2, 2), "input", highlight=(slice(0, 1), slice(0, 1), [0]))
    weights = {text.get_position(): text.get_weight() for text in axes.texts if text.get_text() != "channel 0"}
    left, top, _, _ = frame(axes, "input 0")
    assert weights.pop((left + 0.5, top + 0.5)) == "bold"
    inside = [weight for (x, y), weight in weights.items() if y > top]
    assert inside == ["normal"] * 3
    (lit,) = artists(axes, "input 0 lit")
    assert lit.get_linewidth()[0] >= 1.5


def test_large_maps_become_cards_one_for_each_channel_with_channel_0_in_front():
    axes = figures.draw_maps(torch.zeros(3, 64, 64), "input", highlight=(slice(8, 11), slice(5, 8), range(3)))
    boxes = [frame(axes, f"input {channel}") for channel in range(3)]
    assert [box[2:] for box in boxes] == [(64, 64)] * 3
    assert boxes[0][0] < boxes[1][0] < boxes[2][0] and boxes[0][1] > boxes[1][1] > boxes[2][1]
    order = [axes.get_children().index(artists(axes, f"input {channel}")[0]) for channel in range(3)]
    assert order == sorted(order, reverse=True)  # channel 0 is drawn last, over the others
    for channel in range(3):
        assert cells(axes, f"input {channel}", "lit") == {(r, c) for r in range(8, 11) for c in range(5, 8)}
    assert {"channel 0", "channel 1", "channel 2"} <= set(words(axes))
    small = figures.draw_maps(torch.ones(2, 3, 3), "input", show_values=False)
    assert "1" not in words(small)


def test_numbers_fit_into_their_cells():
    values = torch.tensor([[[-12.0, 118, -0.25], [3, 99, -1]]])
    axes = figures.draw_maps(values, "output", highlight=(slice(0, 2), slice(0, 3), [0]))
    renderer = axes.figure.canvas.get_renderer()
    cell = abs(np.diff(axes.transData.transform([(0, 0), (1, 1)]), axis=0)[0])
    inside = [text for text in axes.texts if text.get_weight() == "bold" and "output" not in text.get_text()]
    assert len(inside) == 6
    for text in inside:
        box = text.get_window_extent(renderer)
        assert box.width <= cell[0] and box.height <= cell[1], text.get_text()


def test_images_keep_every_channel_and_one_grey_scale():
    maps = whole(5, 3, 4) * torch.arange(1, 6)[:, None, None]
    figure = figures.draw_images(maps, columns=3)
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert [np.array_equal(image.get_array(), channel) for image, channel in zip(images, maps, strict=True)] == [
        True
    ] * 5
    assert [axes.get_title() for axes in figure.axes if axes.images] == [f"channel {i}" for i in range(5)]
    assert {image.get_clim() for image in images} == {(maps.min().item(), maps.max().item())}
    assert figure.axes[-1].get_ylabel() == "value (no unit)"


def test_images_with_their_own_scale_say_so():
    maps = torch.tensor([[[0.0, 1]], [[2, 5]]])
    figure = figures.draw_images(maps, titles=["a", "b"], own_scale=True)
    assert [axes.images[0].get_clim() for axes in figure.axes] == [(0, 1), (2, 5)]
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert figure.get_supxlabel() == "each map has its own grey scale"
