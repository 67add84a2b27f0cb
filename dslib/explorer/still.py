"""The explorer's still, for where its script does not run: who reads whom in the layer that it starts with."""

import numpy as np

from ..figures.checks import who_reads
from ..figures.sheet import plane
from ..figures.style import LINE, MARGIN, SMALL, TEXT, WIDTH
from ..figures.wiring import draw_wiring

MOST = 16  # channels drawn of one map, as in model.js
DROP = 3.2 * LINE  # points from one row of channels to the next


def draw_still(setting):
    """Draw a line for each kernel of the layer, between the first ``MOST`` channels of its maps. Returns the Figure."""
    stages, copies = _stages(setting)
    rows = ["input channel", *["intermediate"] * (len(stages) - 1), "output channel"]
    counts = [stages[0].shape[1], *map(len, stages)]
    top, width = 2.2 * LINE, 72 * WIDTH
    axes = plane(None, width, top + len(stages) * DROP + LINE, unit=1)
    axes.text(0, 0.5 * LINE, f"{setting.name()}: which channel reads which", va="center", fontsize=TEXT, weight="bold")
    for level, (row, count) in enumerate(zip(rows, counts, strict=True)):
        words = f"{row},\nfirst {MOST} of {count:,}" if count > MOST else row
        axes.text(0, top + level * DROP, words, va="center", fontsize=SMALL + 1)
    shown = [reads[:MOST, :MOST] for reads in stages]
    draw_wiring(axes, shown, MARGIN, top, width - MARGIN, DROP, copies)
    return axes.figure


def _stages(setting):
    """Who reads whom, bool (C_out, C_in), for each convolution; and how many outputs of the last one are copies."""
    ins, outs = setting.in_channels, setting.out_channels
    if setting.kind == "separable":
        return [who_reads(ins, ins, ins), who_reads(ins, outs, 1)], 0
    if setting.kind == "ghost":
        maps = -(-outs // setting.ratio)  # each is copied, and read by ratio - 1 cheap kernels
        cheap = np.kron(np.eye(maps), np.ones((setting.ratio - 1, 1)))
        return [who_reads(ins, maps, 1), np.vstack([np.eye(maps), cheap])[:outs].astype(bool)], maps
    return [who_reads(ins, outs, setting.groups)], 0
