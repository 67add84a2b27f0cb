"""Who reads whom: connections, matrices of kernels and the kinds of layers, against the weights of torch."""

import matplotlib
import numpy as np
import pytest
import torch

from dslib import figures
from tests.support.drawn import artists, dense, frame, plain, whole, words

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("close_figures")


def torch_reads(in_channels, out_channels, groups):
    """Bool (C_out, C_in): where torch's own grouped convolution has a derivative."""
    layer = torch.nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False)
    with torch.no_grad():
        layer.weight.fill_(1)
    jacobian = torch.autograd.functional.jacobian(lambda x: layer(x[None])[0].flatten(), torch.ones(in_channels, 1, 1))
    return jacobian[:, :, 0, 0] != 0


def drawn_reads(axes, label="kernel", top_role="input", low_role="output", counts=(1, 1)):
    """Bool (low, top): the lines of an Axes, each from a box of one role down to a box of another."""
    centers = [
        [frame(axes, f"{role} {i}")[0] + frame(axes, f"{role} {i}")[2] / 2 for i in range(count)]
        for role, count in zip((top_role, low_role), counts, strict=True)
    ]
    reads = np.zeros((counts[1], counts[0]), dtype=bool)
    for lines in artists(axes, label):
        for (x_top, y_top), (x_low, y_low) in lines.get_segments():
            assert y_top < y_low
            place = np.abs(np.subtract(centers[1], x_low)).argmin(), np.abs(np.subtract(centers[0], x_top)).argmin()
            assert not reads[place]
            reads[place] = True
    return reads


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "groups"), [(4, 6, 1), (4, 6, 2), (6, 12, 6), (3, 3, 3), (1, 5, 1)]
)
def test_connectivity_is_that_of_torch(in_channels, out_channels, groups):
    axes = figures.draw_connectivity(in_channels, out_channels, groups)
    reads = drawn_reads(axes, counts=(in_channels, out_channels))
    assert np.array_equal(reads, torch_reads(in_channels, out_channels, groups))
    kernels = torch.nn.Conv2d(in_channels, out_channels, 1, groups=groups, bias=False).weight.numel()
    assert {f"{kernels} kernel{'s' * (kernels > 1)}", "input channel", "output channel", "group"} <= set(words(axes))
    assert words(axes)[0].startswith(
        f"groups = {groups}: each output reads {in_channels // groups} of {in_channels} input"
    )
    for group in range(groups):  # a group's band holds its own channels
        left, _, width, _ = frame(axes, f"group {group}")
        for role, count in (("input", in_channels), ("output", out_channels)):
            inside = [i for i in range(count) if left <= frame(axes, f"{role} {i}")[0] <= left + width]
            assert inside == list(range(group * count // groups, (group + 1) * count // groups))


def test_walk_draws_each_step_once_from_top_to_bottom():
    figure = figures.draw_connectivity_walk(4, 8, [1, 2, 4])
    assert [words(axes)[0].split(":")[0] for axes in figure.axes] == ["groups = 1", "groups = 2", "groups = 4"]
    assert [int(drawn_reads(axes, counts=(4, 8)).sum()) for axes in figure.axes] == [32, 16, 8]
    tops = [axes.get_position().y1 for axes in figure.axes]
    assert tops == sorted(tops, reverse=True) and tops[0] == pytest.approx(1)
    assert figure.axes[-1].get_position().y0 == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_kernel_matrix_is_empty_exactly_where_the_dense_weight_is_zero(groups):
    weight = dense(4, 8, groups)
    axes = figures.draw_kernel_matrix(weight, title="dense")
    x = {label.get_text(): place for label, place in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)}
    y = {label.get_text(): place for label, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    assert (list(x), list(y)) == ([str(i) for i in range(8)], [str(o) for o in range(4)])
    empty = {
        (box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2) for box in artists(axes, "no kernel")
    }
    zero = {(x[str(i)], y[str(o)]) for o, i in np.argwhere((weight == 0).all(dim=(2, 3)).numpy())}
    assert empty == zero
    for box in artists(axes, "no kernel"):
        assert box.get_hatch() and box.get_width() == 2 and box.get_height() == 3
    for o, i in np.argwhere((weight != 0).any(dim=(2, 3)).numpy()):
        (tile,) = artists(axes, f"kernel {o} {i}")
        assert np.array_equal(np.asarray(tile.get_array()).reshape(3, 2), weight[o, i])
        corners = tile.get_coordinates().reshape(-1, 2)
        assert np.allclose(corners.mean(axis=0), (x[str(i)], y[str(o)]))
        assert tile.norm.vmin == -tile.norm.vmax == -weight.abs().max()
    labels = axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left"), axes.figure.axes[1].get_ylabel()
    assert labels[:3] == ("input channel", "output channel", "dense") and labels[3].startswith("weight (no unit)")


def test_kernel_matrix_writes_numbers_or_marks_the_negative_ones():
    small = figures.draw_kernel_matrix(whole(2, 2, 2, 2))
    assert sorted(map(plain, words(small))) == sorted(whole(2, 2, 2, 2).flatten().tolist())
    assert not artists(small, "negative")
    weight = whole(8, 12, 3, 3)
    large = figures.draw_kernel_matrix(weight)
    (dashes,) = artists(large, "negative")
    assert not words(large) and len(dashes.get_xdata()) == (weight < 0).sum()
    tiles = [tile for o, i in np.ndindex(8, 12) for tile in artists(large, f"kernel {o} {i}")]
    marked = set(zip(*dashes.get_data(), strict=True))
    for tile in tiles:
        corners = np.asarray(tile.get_coordinates())
        middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
        for place, value in zip(middles.reshape(-1, 2), np.ravel(tile.get_array()), strict=True):
            assert (tuple(place) in marked) == (value < 0)


@pytest.mark.parametrize(
    "sizes", [{}, dict(in_channels=6, out_channels=6, kernel_size=5, groups=3, ratio=3, dw_kernel_size=1)]
)
def test_kinds_count_the_weights_of_torch_layers(sizes):
    given = dict(in_channels=4, out_channels=6, kernel_size=3, groups=2, ratio=2, dw_kernel_size=3) | sizes
    c_in, c_out, k, groups, ratio, d = given.values()

    def weights(*layers):
        return sum(torch.nn.Conv2d(*layer, groups=g, bias=False).weight.numel() for *layer, g in layers)

    few = c_out // ratio
    expected = {
        "standard": weights((c_in, c_out, k, 1)),
        f"grouped, {groups} groups": weights((c_in, c_out, k, groups)),
        "depthwise": weights((c_in, c_in, k, c_in)),
        "pointwise": weights((c_in, c_out, 1, 1)),
        "depthwise separable": weights((c_in, c_in, k, c_in), (c_in, c_out, 1, 1)),
        "ghost": weights((c_in, few, k, 1), (few, few * (ratio - 1), d, few)),
    }
    (axes,) = figures.draw_kinds(**sizes).axes
    names = [text for text in axes.texts if text.get_text() in expected]
    counts = [text for text in axes.texts if "\n= " in text.get_text()]
    assert [name.get_text() for name in names] == list(expected)
    for name, count in zip(names, counts, strict=True):
        terms, total = count.get_text().removesuffix(" weights").split("\n= ")
        assert int(total) == expected[name.get_text()], name.get_text()
        assert sum(int(a) * int(b) for a, b in (term.split(" × ") for term in terms.split(" + "))) == int(total)
    kernels = [len(lines.get_segments()) for lines in artists(axes, "kernel")]
    depthwise = c_in
    assert kernels == [
        c_in * c_out, c_in * c_out // groups, depthwise, c_in * c_out, depthwise, c_in * c_out, c_in * few, c_out - few,
    ]  # fmt: skip
    assert [len(lines.get_segments()) for lines in artists(axes, "copy")] == [0] * 7 + [few]
    assert words(axes).count("=") == few
