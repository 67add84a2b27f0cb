"""All kinds of convolution on one page."""

import numpy as np
from matplotlib.patches import Rectangle

from .. import geometry
from .checks import who_reads
from .sheet import grid_lines, plane, put
from .style import COLORS, EMPTY, LINE, SMALL, TEXT, WIDTH, tint
from .wiring import draw_wiring


def draw_kinds(in_channels=4, out_channels=6, kernel_size=3, groups=2, ratio=2, dw_kernel_size=3):
    """Draw the book on one page: for each kind of convolution who reads whom, its kernels, and how many weights.

    Standard, grouped, depthwise (which keeps ``in_channels``), pointwise, depthwise separable and ghost convolution
    (``ratio`` = s, ``dw_kernel_size`` = d; copies are dashed, and "=" in the matrix), without bias. Returns the Figure.

    Raises ValueError if ``groups`` or ``ratio`` does not divide the channels.
    """
    if geometry.positive_int("out_channels", out_channels) % geometry.positive_int("ratio", ratio):
        raise ValueError(f"ratio must divide out_channels: got ratio={ratio}, out_channels={out_channels}")
    depthwise = who_reads(in_channels, in_channels, in_channels), geometry.positive_int("kernel_size", kernel_size)
    pointwise = who_reads(in_channels, out_channels, 1), 1
    intrinsic = out_channels // ratio  # each is copied, and read by ratio - 1 cheap kernels
    copies, cheap = np.eye(intrinsic), np.kron(np.eye(intrinsic), np.ones((ratio - 1, 1)))
    ghost = np.vstack([copies, cheap]).astype(bool), geometry.positive_int("dw_kernel_size", dw_kernel_size)
    kinds = {  # name -> stages of (who reads whom, kernel side), and the outputs that are copies
        "standard": ([(pointwise[0], kernel_size)], 0),
        f"grouped, {groups} groups": ([(who_reads(in_channels, out_channels, groups), kernel_size)], 0),
        "depthwise": ([depthwise], 0),
        "pointwise": ([pointwise], 0),
        "depthwise separable": ([depthwise, pointwise], 0),
        "ghost": ([(who_reads(in_channels, intrinsic, 1), kernel_size), ghost], intrinsic),
    }
    row = 5.8 * LINE
    axes = plane(None, 72 * WIDTH, LINE + len(kinds) * row, unit=1)
    for words, left in (("kernels × weights", 0), ("input to output", 150), ("kernels: input →, output ↓", 285)):
        axes.text(left, 0.5 * LINE, words, va="center", fontsize=SMALL + 1, style="italic")
    for index, (name, (stages, copied)) in enumerate(kinds.items()):
        _draw_kind(axes, name, stages, copied, (1 + index * 5.8) * LINE)
    return axes.figure


def _draw_kind(axes, name, stages, copies, top):
    """A row of ``draw_kinds``: name and weights, wiring, and the matrix of kernels of each stage."""
    counts = [int(reads.sum()) for reads, _ in stages]
    counts[-1] -= copies
    terms = " + ".join(f"{count} × {side**2}" for count, (_, side) in zip(counts, stages, strict=True))
    total = sum(count * side**2 for count, (_, side) in zip(counts, stages, strict=True))
    axes.plot([0, 72 * WIDTH], [top, top], color="0.85", lw=0.8)
    axes.text(0, top + 1.2 * LINE, name, va="center", fontsize=TEXT, weight="bold")
    axes.text(0, top + 2.0 * LINE, f"{terms}\n= {total} weights", va="top", fontsize=TEXT, linespacing=1.4)
    drop = 3.9 * LINE / len(stages)
    draw_wiring(axes, [reads for reads, _ in stages], 150, top + 0.95 * LINE, 115, drop, copies)
    tile = 86 / max(max(reads.shape) for reads, _ in stages)  # points, with the gap to the next one
    for stage, (reads, side) in enumerate(stages):
        copied = copies if stage == len(stages) - 1 else 0
        _draw_pattern(axes, reads, side, 285 + stage * 105, top + 0.4 * LINE, tile, copied)


def _draw_pattern(axes, reads, side, left, top, tile, copies):
    """Which kernels there are, (C_out, C_in), each as a tile of ``side`` x ``side`` cells; hatched where none is."""
    inner = 0.86 * tile
    for out_channel, in_channel in np.ndindex(*reads.shape):
        x, y = left + in_channel * tile, top + out_channel * tile
        if not reads[out_channel, in_channel] or out_channel < copies:
            put(axes, Rectangle((x, y), inner, inner, **EMPTY))
            if reads[out_channel, in_channel]:
                middle = x + inner / 2, y + inner / 2
                axes.text(*middle, "=", ha="center", va="center_baseline", fontsize=SMALL, weight="bold")
            continue
        put(axes, Rectangle((x, y), inner, inner, fc=tint(COLORS["kernel"], 0.5), ec=COLORS["kernel"], lw=1))
        put(axes, grid_lines(x, y, (side, side), inner / side, ec=COLORS["kernel"]))
