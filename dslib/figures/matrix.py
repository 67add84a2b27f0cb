"""A weight as a matrix of kernels: output channels down, input channels across."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from .. import geometry
from .checks import checked_array, number_text
from .sheet import fitting_cell, fitting_size, put
from .style import COLORS, EMPTY, LINE, SMALL, TEXT, WEIGHTS, WIDTH

LARGEST_MATRIX = 2048  # cells: more can neither be read nor kept in a notebook


def draw_kernel_matrix(weight, ax=None, title=None):
    """Draw a dense weight (C_out, C_in, K_h, K_w) as C_out rows of C_in kernels; kernels of zeros are hatched, empty.

    Orange is positive, grey negative, with numbers (or a dash on negative weights) where they can be read. For a
    grouped weight pass the dense one that it equals, ``functional.dense_weight``. Returns the Axes.

    Raises ValueError for another rank, or for more than ``LARGEST_MATRIX`` weights.
    """
    weight = checked_array("weight", weight, 4)
    if weight.size > LARGEST_MATRIX:
        raise ValueError(f"{weight.size} weights of shape {weight.shape} cannot be read; at most {LARGEST_MATRIX}")
    out_channels, in_channels, height, width = weight.shape
    down, right = height + 0.5, width + 0.5  # cells from kernel to kernel
    beside = 130  # points for the labels and the colour bar
    cell = min(26, (72 * WIDTH - beside) / (in_channels * right))
    if ax is None:
        size = (in_channels * right * cell + beside) / 72, (out_channels * down * cell + 4 * LINE) / 72
        ax = plt.figure(figsize=size, layout="constrained").add_subplot()
    else:
        cell = fitting_cell(ax, in_channels * right, out_channels * down, lines=0)
    number_size, largest = fitting_size(weight, cell), np.abs(weight).max() or 1
    scale = Normalize(-largest, largest)
    for out_channel, in_channel in np.ndindex(out_channels, in_channels):
        corner, name = (in_channel * right, out_channel * down), f"kernel {out_channel} {in_channel}"
        _draw_tile(ax, weight[out_channel, in_channel], *corner, scale, number_size, name)
    if not number_size:
        _mark_negative(ax, weight, cell, down, right)
    _label_matrix(ax, out_channels, in_channels, down, right)
    ax.set_title(title or "", fontsize=TEXT, weight="bold", loc="left")
    bar = ax.figure.colorbar(matplotlib.cm.ScalarMappable(scale, WEIGHTS), ax=ax, fraction=0.05, pad=0.03)
    bar.set_label("weight (no unit)" + ("" if number_size else ", dash: negative"), fontsize=TEXT)
    bar.ax.tick_params(labelsize=SMALL)
    return ax


def draw_kernel_matrices(weights, columns=3):
    """Draw dense weights ``{name: (C_out, C_in, K_h, K_w)}`` side by side, ``columns`` to a row, with one colour scale.

    As in ``draw_kernel_matrix`` kernels of zeros are hatched; negative weights carry a dash. Cells are equally large in
    all matrices, so a 1x1 kernel is a single cell in the place that the largest kernel takes. Returns the Figure.

    Raises ValueError without weights, for another rank, or for more than ``LARGEST_MATRIX`` weights.
    """
    weights = {name: checked_array(name, weight, 4) for name, weight in weights.items()}
    if not weights or sum(weight.size for weight in weights.values()) > LARGEST_MATRIX:
        shapes = {name: weight.shape for name, weight in weights.items()}
        raise ValueError(f"there must be 1 to {LARGEST_MATRIX} weights in all, got {shapes}")
    columns = min(geometry.positive_int("columns", columns), len(weights))
    rows = -(-len(weights) // columns)
    out_channels, in_channels, height, width = np.max([weight.shape for weight in weights.values()], axis=0)
    down, right = height + 0.5, width + 0.5  # cells from kernel to kernel
    cell = min(26, ((72 * WIDTH - 90) / columns - 40) / (in_channels * right))
    size = WIDTH, rows * (out_channels * down * cell + 4 * LINE) / 72
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    largest = max(np.abs(weight).max() for weight in weights.values()) or 1
    scale = Normalize(-largest, largest)
    for axes in grid.flat[len(weights) :]:
        axes.axis("off")
    for axes, (name, weight) in zip(grid.flat, weights.items(), strict=False):
        _draw_aligned(axes, weight, down, right, cell, scale)
        axes.set(xlim=(-0.25, in_channels * right - 0.25), ylim=(out_channels * down - 0.25, -0.25), anchor="NW")
        axes.set_title(name, fontsize=TEXT, weight="bold", loc="left")
    bar = figure.colorbar(matplotlib.cm.ScalarMappable(scale, WEIGHTS), ax=grid, fraction=0.04)
    bar.set_label("weight (no unit), dash: negative", fontsize=TEXT)
    bar.ax.tick_params(labelsize=SMALL)
    return figure


def _draw_aligned(axes, weight, down, right, cell, scale):
    """One matrix of ``draw_kernel_matrices``: its kernels in the middle of places of ``down`` x ``right`` cells."""
    out_channels, in_channels, height, width = weight.shape
    shift = (right - 0.5 - width) / 2, (down - 0.5 - height) / 2
    for out_channel, in_channel in np.ndindex(out_channels, in_channels):
        corner = in_channel * right + shift[0], out_channel * down + shift[1]
        _draw_tile(axes, weight[out_channel, in_channel], *corner, scale, 0, f"kernel {out_channel} {in_channel}")
    _mark_negative(axes, weight, cell, down, right, shift)
    _label_matrix(axes, out_channels, in_channels, down, right)


def _draw_tile(axes, kernel, left, top, scale, number_size, name):
    """One kernel (K_h, K_w) of a kernel matrix with its top left corner at ``(left, top)``."""
    height, width = kernel.shape
    if not kernel.any():
        put(axes, Rectangle((left, top), width, height, **EMPTY))
        return
    edges = left + np.arange(width + 1), top + np.arange(height + 1)
    axes.pcolormesh(*edges, kernel, cmap=WEIGHTS, norm=scale, ec="white", lw=0.4, label=name, clip_on=False)
    put(axes, Rectangle((left, top), width, height, fill=False, ec=COLORS["kernel"], lw=1.2))
    for row, column in np.ndindex(*kernel.shape) if number_size else ():
        middle, word = (left + column + 0.5, top + row + 0.5), number_text(kernel[row, column])
        axes.text(*middle, word, ha="center", va="center_baseline", fontsize=number_size)


def _mark_negative(axes, weight, cell, down, right, shift=(0, 0)):
    """A dash on every negative weight (C_out, C_in, K_h, K_w), as grey print knows no sign."""
    out_channel, in_channel, row, column = np.nonzero(weight < 0)
    places = in_channel * right + column + 0.5 + shift[0], out_channel * down + row + 0.5 + shift[1]
    axes.plot(*places, ls="none", marker="_", color="black", ms=0.4 * cell, mew=1, label="negative")


def _label_matrix(axes, out_channels, in_channels, down, right):
    """Axes of a kernel matrix: output channels down, input channels across the top."""
    axes.set(xlim=(-0.25, in_channels * right - 0.25), ylim=(out_channels * down - 0.25, -0.25), aspect="equal")
    axes.set_xticks((np.arange(in_channels) + 0.5) * right - 0.25, range(in_channels), fontsize=SMALL)
    axes.set_yticks((np.arange(out_channels) + 0.5) * down - 0.25, range(out_channels), fontsize=SMALL)
    axes.tick_params(length=0, top=True, labeltop=True, labelbottom=False)
    axes.set_xlabel("input channel", fontsize=TEXT)
    axes.xaxis.set_label_position("top")
    axes.set_ylabel("output channel", fontsize=TEXT)
    axes.spines[:].set_visible(False)
