"""Small pictures to test, and reading a picture back: the values, cells, kernels and lines that an Axes shows."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dslib import figures


def whole(*shape, low=-3, high=6):
    """Whole numbers without 0, so that a gradient shows every connection."""
    count = int(np.prod(shape))
    values = torch.arange(count, dtype=torch.float64) * 7 % (high - low)
    values = torch.where(values + low >= 0, values + low + 1, values + low)
    return values.reshape(shape)


def plain(text):
    """A drawn number as a float."""
    return float(text.replace("−", "-"))


def artists(axes, label):
    return [artist for artist in axes.get_children() if artist.get_label() == label]


def frame(axes, label):
    """(left, top, width, height) of the one box with this label."""
    (box,) = artists(axes, label)
    return box.get_x(), box.get_y(), box.get_width(), box.get_height()


def cells(axes, label, state):
    """The (row, column) of a map's cells in a state, ``"lit"`` or ``"padding"``."""
    left, top, _, _ = frame(axes, label)
    (collection,) = artists(axes, f"{label} {state}")
    corners = [path.vertices[0] for path in collection.get_paths()]
    return {(round(y - top), round(x - left)) for x, y in corners}


def numbers(axes, label):
    """The numbers written into a map, as an (H, W) array with NaN where there is none."""
    left, top, width, height = frame(axes, label)
    found = np.full((round(height), round(width)), np.nan)
    for text in axes.texts:
        x, y = text.get_position()
        if left < x < left + width and top < y < top + height:
            place = int(y - top), int(x - left)
            assert np.isnan(found[place]), f"two numbers in cell {place} of {label}"
            assert (x - left) % 1 == pytest.approx(0.5) and (y - top) % 1 == pytest.approx(0.5)
            found[place] = plain(text.get_text())
    return found


def words(axes):
    return [text.get_text() for text in axes.texts]


def flow(axes):
    """All thin lines, as pairs of end points."""
    return [segment for lines in artists(axes, "flow") for segment in lines.get_segments()]


def pair(in_channels, multiplier, out_channels):
    x, depthwise = whole(in_channels, 4, 3), whole(in_channels * multiplier, 1, 3, 2, low=-2, high=2)
    pointwise = whole(out_channels, in_channels * multiplier, 1, 1, low=-1, high=2)
    middle = F.conv2d(x[None], depthwise, groups=in_channels, padding=(1, 0))[0]
    return x, depthwise, middle, pointwise, F.conv2d(middle[None], pointwise)[0]


STEPS = {
    "standard": dict(x=(3, 5, 4), weight=(2, 3, 3, 2), position=(1, 2), out_channel=1),
    "strided": dict(x=(2, 7, 6), weight=(3, 2, 3, 3), position=(1, 0), out_channel=2, stride=(2, 3), padding=(1, 0)),
    "dilated": dict(x=(2, 6, 7), weight=(2, 2, 2, 3), position=(3, 1), out_channel=0, dilation=(3, 2), padding=1),
    "padded corner": dict(x=(1, 3, 4), weight=(1, 1, 3, 3), position=(0, 3), out_channel=0, padding=1),
    "same, even kernel": dict(x=(2, 4, 3), weight=(2, 2, 2, 4), position=(3, 0), out_channel=1, padding="same"),
    "grouped": dict(x=(4, 4, 3), weight=(6, 2, 2, 3), position=(1, 0), out_channel=4, groups=2),
    "depthwise": dict(x=(3, 4, 4), weight=(3, 1, 3, 3), position=(0, 1), out_channel=1, groups=3),
    "depth multiplier 2": dict(x=(2, 4, 4), weight=(4, 1, 3, 1), position=(1, 3), out_channel=3, groups=2),
    "pointwise": dict(x=(3, 3, 4), weight=(4, 3, 1, 1), position=(2, 3), out_channel=3),
    "bias": dict(x=(2, 3, 3), weight=(2, 2, 2, 2), position=(1, 1), out_channel=0, bias=[-4.0, 5.0]),
}


def step(x, weight, position, out_channel, bias=None, **options):
    """The Axes of a step, its numbers, and torch's gradient of the one output number, bool (C_in, H, W)."""
    x, weight = whole(*x).requires_grad_(), whole(*weight)
    output = F.conv2d(x[None], weight, None if bias is None else torch.tensor(bias).double(), **options)[0]
    (gradient,) = torch.autograd.grad(output[out_channel, *position], x)
    x, output = x.detach(), output.detach()
    axes = figures.draw_convolution_step(x, weight, output, position, out_channel, bias=bias, **options)
    return axes, x, weight, output, gradient.numpy() != 0


def dense(out_channels, in_channels, groups, kernel=(3, 2)):
    """A block-diagonal dense weight (C_out, C_in, K_h, K_w), built by torch."""
    blocks = torch.block_diag(*[torch.ones(out_channels // groups, in_channels // groups)] * groups)
    weight = whole(out_channels, in_channels, *kernel)
    weight[0, 0, 0, 0] = 0  # a zero in a kernel does not make the kernel empty
    return weight * blocks[:, :, None, None]
