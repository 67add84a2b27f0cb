"""The pictures say what torch says: numbers, windows and connections are read back from the drawn artists."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib import figures
from tests.support.drawn import STEPS, artists, cells, dense, flow, frame, numbers, pair, plain, step, whole, words

matplotlib.use("Agg")
pytestmark = [
    pytest.mark.usefixtures("close_figures"),
    # torch says that an even kernel costs it a padded copy; the numbers are right
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
]


# ------------------------------------------------------------------------------------------------------------- maps


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


# --------------------------------------------------------------------------------------------------------- one step


def check_window(axes, x, weight, gradient):
    """The lit cells of the picture are those that torch's gradient reaches, and each reading channel has them all."""
    for channel in range(len(x)):
        name = f"input {channel}"
        _, _, width, height = frame(axes, name)
        padding, lit = cells(axes, name, "padding"), cells(axes, name, "lit")
        inside = sorted(set(np.ndindex(round(height), round(width))) - padding)
        assert len(inside) == x[channel].numel()
        first = inside[0]  # row and column of the map's own first pixel
        reached = {(row + first[0], column + first[1]) for row, column in np.argwhere(gradient[channel])}
        assert lit - padding == reached
        assert len(lit) == (weight[0, 0].numel() if reached else 0)


@pytest.mark.parametrize("name", STEPS)
def test_step_lights_what_torch_reads(name):
    axes, x, weight, _, gradient = step(**STEPS[name])
    check_window(axes, x, weight, gradient)


@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    groups=st.sampled_from([1, 2]),
    data=st.data(),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_step_lights_what_torch_reads_for_any_geometry(kernel, stride, dilation, groups, data):
    # less padding than the kernel spans, so that every window holds a pixel and the gradient can be seen
    padding = tuple(
        data.draw(st.integers(0, spread * (side - 1) // 2)) for side, spread in zip(kernel, dilation, strict=True)
    )
    options = dict(stride=stride, dilation=dilation, groups=groups, padding=padding)
    shape = F.conv2d(torch.zeros(1, 2, 6, 5), torch.zeros(2, 2 // groups, *kernel), **options).shape
    position = data.draw(st.integers(0, shape[2] - 1)), data.draw(st.integers(0, shape[3] - 1))
    axes, x, weight, _, gradient = step((2, 6, 5), (2, 2 // groups, *kernel), position, 1, **options)
    check_window(axes, x, weight, gradient)
    plt.close("all")


@pytest.mark.parametrize("name", STEPS)
def test_step_shows_the_numbers_it_was_given(name):
    case = STEPS[name]
    axes, x, weight, output, gradient = step(**case)
    out_channel, reads = case["out_channel"], gradient.any(axis=(1, 2))
    for channel in range(len(x)):
        shown, padding = numbers(axes, f"input {channel}"), cells(axes, f"input {channel}", "padding")
        assert all(shown[place] == 0 for place in padding)
        own = [shown[place] for place in np.ndindex(shown.shape) if place not in padding]
        assert own == x[channel].flatten().tolist()
    for index in range(weight.shape[1]):
        assert np.array_equal(numbers(axes, f"kernel {index}"), weight[out_channel, index])
    assert not artists(axes, f"kernel {weight.shape[1]}")
    for channel in range(len(output)):
        assert np.array_equal(numbers(axes, f"output {channel}"), output[channel])
        lit = {case["position"]} if channel == out_channel else set()
        assert cells(axes, f"output {channel}", "lit") == lit
    assert len(artists(axes, "no kernel")) == (~reads).sum()


@pytest.mark.parametrize("name", STEPS)
def test_step_puts_each_kernel_below_the_channel_it_reads_and_adds_up_right(name):
    case = dict(STEPS[name])
    axes, x, weight, output, gradient = step(**case)
    position, out_channel, bias = case.pop("position"), case.pop("out_channel"), case.pop("bias", None)
    options = {key: value for key, value in case.items() if key not in ("x", "weight")}

    def middle(label):
        left, _, width, _ = frame(axes, label)
        return left + width / 2

    reads = np.flatnonzero(gradient.any(axis=(1, 2)))
    sums = []
    for index, channel in enumerate(reads):
        assert middle(f"kernel {index}") == pytest.approx(middle(f"input {channel}"))
        alone = torch.zeros_like(x)
        alone[channel] = x[channel]
        sums.append(F.conv2d(alone[None], weight, **options)[0, out_channel, *position].item())
        (word,) = [
            t
            for t in axes.texts
            if t.get_text().startswith("sum ") and abs(t.get_position()[0] - middle(f"kernel {index}")) < 0.01
        ]
        assert plain(word.get_text().removeprefix("sum ")) == sums[-1]
    (line,) = [word for word in words(axes) if word.startswith("added up: ")]
    left, _, place = line.removeprefix("added up: ").partition(" → ")
    assert place == f"channel {out_channel}, row {position[0]}, column {position[1]}"
    terms, _, total = left.rpartition(" = ")
    assert plain(total) == output[out_channel, *position]
    expected = sums + ([] if bias is None else [bias[out_channel]])
    spoken = terms.replace(" (bias)", "").replace("− ", "−").replace("+ ", "").split()
    assert [plain(term) for term in spoken] == (expected if len(expected) > 1 else [])
    assert ("(bias)" in line) == (bias is not None)


def test_step_with_many_channels_says_the_sum_in_short():
    axes, *_ = step((8, 2, 2), (1, 8, 1, 1), (0, 0), 0)
    assert any("sum over 8 channels = " in word for word in words(axes))


def test_step_refuses_a_number_that_is_not_the_sum_of_what_is_drawn():
    x, weight = whole(2, 4, 4), whole(3, 2, 3, 3)
    output = F.conv2d(x[None], weight)[0]
    output[1, 0, 1] += 1
    figures.draw_convolution_step(x, weight, output, (0, 0), 1)
    with pytest.raises(ValueError, match=str(output[1, 0, 1].item())):
        figures.draw_convolution_step(x, weight, output, (0, 1), 1)


# ------------------------------------------------------------------------------------------------------------- pair


@pytest.mark.parametrize(("in_channels", "multiplier", "out_channels"), [(3, 1, 4), (2, 2, 3), (1, 3, 1), (2, 1, 5)])
def test_pair_shows_all_five_arrays_and_who_reads_whom(in_channels, multiplier, out_channels):
    x, depthwise, middle, pointwise, output = pair(in_channels, multiplier, out_channels)
    axes = figures.draw_pair(x, depthwise, middle, pointwise, output)
    for role, values in (("input", x), ("intermediate", middle), ("output", output)):
        for channel in range(len(values)):
            shown = numbers(axes, f"{role} {channel}")
            assert shown.shape == values[channel].shape
            assert np.isnan(shown).all() or np.array_equal(shown, values[channel])
        assert not artists(axes, f"{role} {len(values)}")
    ends = flow(axes)
    bottom = {}  # of each map: its middle below, where lines leave
    for role, values in (("input", x), ("intermediate", middle)):
        for channel in range(len(values)):
            left, top, width, height = frame(axes, f"{role} {channel}")
            bottom[role, channel] = left + width / 2, top + height
    leaving = {key: [end for start, end in ends if np.allclose(start, place)] for key, place in bottom.items()}
    jacobian = torch.autograd.functional.jacobian(
        lambda x: F.conv2d(x[None], depthwise, groups=in_channels, padding=(1, 0))[0].sum(dim=(1, 2)), x
    )
    reads = (jacobian != 0).any(dim=(2, 3))  # (C_mid, C_in), from torch
    for channel in range(in_channels):
        centers = sorted(end[0] for end in leaving["input", channel])
        wanted = [bottom["intermediate", j][0] for j in np.flatnonzero(reads[:, channel])]
        assert np.allclose(centers, wanted)
        assert bottom["input", channel][0] > bottom.get(("input", channel - 1), (0,))[0]  # from left to right
    strips = sorted(
        box.get_x() for i in range(out_channels) for box in artists(axes, f"kernel {i}") if box.get_height() == 1
    )
    for j in range(len(middle)):  # to the j-th cell of every row of 1x1 kernels
        assert np.allclose([end[0] for end in leaving["intermediate", j]], np.add(strips, j + 0.5))
        assert bottom["intermediate", j][0] > bottom.get(("intermediate", j - 1), (0,))[0]
    assert len(ends) == len(middle) + len(middle) * out_channels


def test_pair_writes_depthwise_and_pointwise_kernels():
    x, depthwise, middle, pointwise, output = pair(2, 2, 3)
    axes = figures.draw_pair(x, depthwise, middle, pointwise, output)
    boxes = sorted(
        (box.get_y(), box.get_x(), box.get_width(), box.get_height())
        for i in range(4)
        for box in artists(axes, f"kernel {i}")
    )
    assert [box[2:] for box in boxes] == [(2, 3)] * 4 + [(4, 1)] * 3
    wanted = [*depthwise[:, 0], *pointwise[:, :, 0].mT]
    for (top, left, width, height), kernel in zip(boxes, wanted, strict=True):
        inside = [
            t
            for t in axes.texts
            if left < t.get_position()[0] < left + width and top < t.get_position()[1] < top + height
        ]
        assert [plain(t.get_text()) for t in inside] == kernel.flatten().tolist()


# ------------------------------------------------------------------------------------------- connections and weights


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


# --------------------------------------------------------------------------------------------- shares, curves, images


def test_shares_add_up_to_the_whole_bar():
    parts = {"pointwise": 539_492_352, "depthwise": 17_385_984, "first": 10_838_016, "fully connected": 1_024_000}
    axes = figures.draw_shares(parts, title="MobileNetV1")
    total = 568_740_352  # torch's and the paper's count for this network
    assert sum(parts.values()) == total
    assert axes.get_xlabel() == f"share of {total:,} MACs (%)"
    edges = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert np.allclose([width for _, width in edges], [100 * count / total for count in parts.values()])
    assert np.allclose([x for x, _ in edges][1:], np.cumsum([width for _, width in edges])[:-1])
    assert sum(width for _, width in edges) == pytest.approx(100)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == [
        "pointwise: 94.9 %, 539,492,352 MACs",  # Table 2 of the paper: 94.86 %
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
