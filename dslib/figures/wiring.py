"""Which output channel reads which input channel, as lines."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from .. import geometry
from .checks import count_text, who_reads
from .sheet import plane, put
from .style import COLORS, LINE, MARGIN, SMALL, TEXT, WIDTH, tint


def draw_connectivity(in_channels, out_channels, groups=1, ax=None):
    """Draw which output channel reads which input channels: one line for each kernel, C_out * C_in / groups in all.

    Returns the Axes. Raises ValueError if ``groups`` does not divide both counts.
    """
    reads = who_reads(in_channels, out_channels, groups)
    height, width = 6.5 * LINE, 72 * WIDTH
    axes = plane(ax, width, height, unit=1)
    title = f"groups = {groups}: each output reads {in_channels // groups} of {count_text(in_channels, 'input')}"
    axes.text(0, 0.5 * LINE, title, va="center", fontsize=TEXT, weight="bold")
    slot = (width - MARGIN) / groups
    for group in range(groups):
        corner = MARGIN + group * slot + 2, 1.2 * LINE
        band = Rectangle(corner, slot - 4, 5.3 * LINE, fc="0.93", ec="none", label=f"group {group}")
        put(axes, band, zorder=0)
        axes.text(MARGIN + (group + 0.5) * slot, 1.75 * LINE, str(group), ha="center", va="center", fontsize=SMALL)
    draw_wiring(axes, [reads], MARGIN, 2.9 * LINE, width - MARGIN, drop=2.8 * LINE)
    rows = (
        ("group", 1.75),
        ("input channel", 2.9),
        (count_text(int(reads.sum()), "kernel"), 4.3),
        ("output channel", 5.7),
    )
    for words, row in rows:
        axes.text(0, row * LINE, words, va="center", fontsize=SMALL + 1)
    return axes


def draw_connectivity_walk(in_channels, out_channels, groups_list):
    """Draw ``draw_connectivity`` once for each number of groups, one below the other; returns the Figure.

    With ``groups_list`` from 1 up to ``in_channels``: the walk from standard through grouped to depthwise convolution.
    Raises ValueError if one of them does not divide both counts.
    """
    walk = list(groups_list)
    if not walk:
        raise ValueError(f"groups_list must not be empty, got {groups_list!r}")
    for groups in walk:
        geometry.check_groups(in_channels, out_channels, groups)
    share = 6.5 / (7.5 * len(walk) - 1)  # of the figure's height, with a line between two pictures
    figure = plt.figure(figsize=(WIDTH, (7.5 * len(walk) - 1) * LINE / 72))
    for step, groups in enumerate(walk):
        axes = figure.add_axes((0, 1 - share - step * share * 7.5 / 6.5, 1, share))
        draw_connectivity(in_channels, out_channels, groups, ax=axes)
    return figure


def draw_wiring(axes, stages, left, top, width, drop, copies=0):
    """Rows of channels, ``drop`` points apart, and a line for each kernel; ``stages`` are bool (C_out, C_in).

    The first ``copies`` outputs of the last stage are copies, without a kernel: their lines are dashed grey.
    """
    counts = [stages[0].shape[1], *(len(reads) for reads in stages)]
    roles = ["input", *["intermediate"] * (len(stages) - 1), "output"]
    node = min(20, 0.8 * width / max(counts))  # points
    places = [left + (np.arange(count) + 0.5) * width / count for count in counts]
    for level, reads in enumerate(stages):
        high, low = top + level * drop + node / 2, top + (level + 1) * drop - node / 2
        pairs = np.argwhere(reads)
        copied = (pairs[:, 0] < copies) & (level == len(stages) - 1)
        for label, chosen, color, dash in (("kernel", ~copied, COLORS["kernel"], "-"), ("copy", copied, "0.5", "--")):
            ends = [((places[level][i], high), (places[level + 1][o], low)) for o, i in pairs[chosen]]
            thick = 1.4 if len(ends) <= 36 else 0.8
            put(axes, LineCollection(ends, lw=thick, colors=color, ls=dash, label=label), zorder=2)
    for level, (role, centers) in enumerate(zip(roles, places, strict=True)):
        for channel, center in enumerate(centers):
            corner, style = (center - node / 2, top + level * drop - node / 2), {"ec": COLORS[role], "lw": 1.5}
            face, name = tint(COLORS[role], 0.25), f"{role} {channel}"
            put(axes, Rectangle(corner, node, node, fc=face, label=name, **style))
            if 0.7 * node >= SMALL - 1:
                style = {"ha": "center", "va": "center_baseline", "fontsize": min(SMALL + 1, 0.7 * node)}
                axes.text(center, top + level * drop, str(channel), **style)
