"""A whole network as the maps that run through it."""

from math import log2

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from .. import geometry
from .sheet import plane, put
from .style import COLORS, LINE, SMALL, TEXT, WHITE, WIDTH, tint

LONGEST_LABEL = 24  # letters: longer ones leave no room for the bars
GAP = 6  # points between a bar and its number
HEADS = 155  # points that the words left of the middle line take
SCALE = "logarithmic: 1 in the middle, × 4 from each line to the next"


def draw_network(maps, ax=None, title=None):
    """Draw a network from top to bottom as its maps, each a bar: pixels left of a middle line, channels right of it.

    ``maps`` lists ``(label, channels, (height, width))`` from the input to the output. The two halves of a bar are
    ``log2(height * width)`` and ``log2(channels)`` long, so the whole bar is ``log2`` of the number of values in the
    map. A number is written where it changes. Returns the Axes.

    Raises ValueError without maps, for channels or sizes that are no whole numbers of at least 1, and for labels of
    more than ``LONGEST_LABEL`` letters.
    """
    maps = _checked_maps(maps)
    counts = [(height * width, channels) for _, channels, (height, width) in maps]
    words = [(f"{height} × {width}", str(channels)) for _, channels, (height, width) in maps]
    # (maps, 2) factors of 2, rounded so that on every processor 1024 channels reach their thin line
    steps = np.round([[log2(count) for count in pair] for pair in counts], 9)
    head, lines = 1.3 + bool(title), len(maps) + 3.6 + bool(title)
    width, line = _room(ax, lines)
    middle, step = _scale([label for label, _, _ in maps], words, steps, width)
    axes = plane(ax, width, lines * line, unit=1)
    if title:
        axes.text(0, 0.5 * line, title, va="center", fontsize=TEXT, weight="bold")
    _draw_frame(axes, middle, step, steps.max(axis=0), head * line, line, len(maps))
    for index, (label, _, _) in enumerate(maps):
        y = (head + index + 0.5) * line
        axes.text(0, y, label, va="center", fontsize=TEXT)
        before = words[index - 1] if index else ("", "")
        shown = [word if word != old else "" for word, old in zip(words[index], before, strict=True)]
        _draw_bar(axes, index, len(maps), middle, y, steps[index] * step, shown, line)
    return axes


def _checked_maps(maps):
    """The maps as ``(label, channels, (height, width))`` with whole numbers; ValueError where they cannot be drawn."""
    if not isinstance(maps, (tuple, list)):
        raise ValueError(f"maps must be a list of (label, channels, (height, width)), got {maps!r}")
    checked = []
    for index, entry in enumerate(maps):
        if not isinstance(entry, (tuple, list)) or len(entry) != 3:
            raise ValueError(f"maps[{index}] must be (label, channels, (height, width)), got {entry!r}")
        label, channels, size = entry
        if len(str(label)) > LONGEST_LABEL:
            raise ValueError(f"label of maps[{index}] must have at most {LONGEST_LABEL} letters, got {label!r}")
        channels = geometry.positive_int(f"channels of maps[{index}]", channels)
        checked.append((str(label), channels, geometry.pair(f"size of maps[{index}]", size)))
    if not checked:
        raise ValueError(f"maps must not be empty, got {maps!r}")
    return checked


def _room(axes, lines):
    """Points across, and from line to line: the book's for a new figure, else what the Axes has for ``lines`` lines."""
    if axes is None:
        return 72 * WIDTH, LINE
    box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())  # inches
    return 72 * box.width, 72 * box.height / lines


def _scale(labels, words, steps, width):
    """Where the middle line stands, and how long a factor of 2 is, both in points."""
    label = max(map(_length, labels))
    # a number stands beside its own bar, so the longest bar and the longest number need not be of one map
    left, right = (max(_length(word[side]) for word in words) + 2 * GAP for side in (0, 1))
    pixels, channels = np.maximum(steps.max(axis=0), 0.5)  # 0 where all is 1
    step = min((width - label - left - right) / (pixels + channels), (width - HEADS - right) / channels)
    step = max(1.0, step)
    return width - right - step * channels, step


def _length(text):
    """About how many points a text of the figure takes."""
    return 0.64 * TEXT * len(text)


def _role(index, count):
    """The key of ``COLORS`` of the map with this index: the first is the input, the last the output."""
    return "input" if index == 0 else "output" if index == count - 1 else "intermediate"


def _draw_frame(axes, middle, step, longest, top, line, count):
    """What stands around the bars: heads, the middle line, a thin line at every factor of 4, scale and colours."""
    style = {"va": "center", "fontsize": SMALL + 1, "style": "italic"}
    axes.text(0, top - 0.6 * line, "network ↓", **style)
    axes.text(middle - GAP, top - 0.6 * line, "← pixels of a map", ha="right", **style)
    axes.text(middle + GAP, top - 0.6 * line, "channels →", **style)
    foot = top + count * line
    left, right = (int(steps) // 2 for steps in longest)
    places = [middle + 2 * step * lines for lines in range(-left, right + 1) if lines]
    put(axes, LineCollection([[(x, top), (x, foot)] for x in places], colors="0.8", lw=0.6, label="times 4"), zorder=1)
    put(axes, LineCollection([[(middle, top), (middle, foot)]], colors="black", lw=1.2, label="one"), zorder=4)
    axes.text(0, foot + 0.8 * line, SCALE, va="center", fontsize=SMALL + 1)
    _draw_roles(axes, count, foot + 1.8 * line, line)


def _draw_roles(axes, count, y, line):
    """The colours of the maps, and in words which map is which."""
    words = {"input": "input (first)", "intermediate": "intermediate", "output": "output (last)"}
    for place, role in enumerate(dict.fromkeys(_role(index, count) for index in range(count))):
        x, side = 7 * place * line, 0.6 * line
        style = {"fc": tint(COLORS[role], 0.4), "ec": COLORS[role], "lw": 1.2, "label": f"{role} colour"}
        put(axes, Rectangle((x, y - side / 2), side, side, **style))
        axes.text(x + 1.5 * side, y, words[role], va="center", fontsize=SMALL + 1)


def _draw_bar(axes, index, count, middle, y, lengths, words, line):
    """The bar of a map around ``(middle, y)``: its (left, right) lengths in points, and the words at its ends."""
    color, height = COLORS[_role(index, count)], 0.72 * line
    sides = ("pixels", -1, "right"), ("channels", 1, "left")
    for (name, sign, align), length, word in zip(sides, lengths, words, strict=True):
        corner = min(middle, middle + sign * length), y - height / 2
        style = {"fc": tint(color, 0.4), "ec": color, "lw": 1.2, "label": f"map {index} {name}"}
        put(axes, Rectangle(corner, length, height, **style))
        if word:
            end = middle + sign * (length + GAP)
            axes.text(end, y, word, ha=align, va="center", fontsize=TEXT, bbox=WHITE)
