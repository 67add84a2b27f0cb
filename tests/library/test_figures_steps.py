"""One step of a convolution and the pair, drawn: numbers and windows are those of torch."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib import figures
from tests.support.drawn import STEPS, artists, cells, flow, frame, numbers, pair, plain, step, whole, words

matplotlib.use("Agg")
pytestmark = [
    pytest.mark.usefixtures("close_figures"),
    # torch says that an even kernel costs it a padded copy; the numbers are right
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
]


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


# ---- the pair


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
