"""A quantity over two others: numbers at their places, and lines where it reaches given levels."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from .checks import checked_array, number_text
from .plots import legend_above, looks
from .style import LINE, SMALL, TEXT, WHITE, WIDTH


def draw_contours(x, y, values, levels, name, ax=None, xlabel="", ylabel="", title=None):
    """Draw ``values``, (len(y), len(x)), as numbers, and a line where they reach each of the rising ``levels``.

    Columns and rows are equally far apart, whatever the steps of ``x`` and ``y``; between two numbers the values are
    taken to change evenly. Each level has its own dash and is named above the picture with the ``name`` of the
    quantity: ``"ratio = 0.5"``. Returns the Axes.

    Raises ValueError if the values are not one for each pair, with fewer than two columns or rows, and for levels that
    do not rise or that the values do not pass.
    """
    x, y, values = checked_array("x", x, 1), checked_array("y", y, 1), checked_array("values", values, 2)
    if values.shape != (len(y), len(x)) or min(values.shape) < 2:
        raise ValueError(f"values must be (len(y), len(x)), at least 2 x 2, got {values.shape} for {len(y)}, {len(x)}")
    levels, styles = _levels(levels, values), looks(len(levels))
    if ax is None:
        size = WIDTH, (2.2 * len(y) + len(levels) + 3 + bool(title)) * LINE / 72
        ax = plt.figure(figsize=size, layout="constrained").add_subplot()
    places, handles = (np.arange(len(x)), np.arange(len(y))), []
    for level, (color, dash, _, _) in zip(levels, styles, strict=True):
        style, label = {"colors": color, "linestyles": [dash], "linewidths": 2}, f"{name} = {number_text(level)}"
        ax.contour(*places, values, levels=[level], **style).set_label(label)
        handles.append(Line2D([], [], color=color, ls=dash, lw=2, label=label))
    for row, column in np.ndindex(*values.shape):
        ax.plot(column, row, ".", color="black", ms=4, zorder=4)
        word = {"text": number_text(values[row, column]), "fontsize": SMALL + 1, "ha": "center", "va": "bottom"}
        ax.annotate(xy=(column, row), xytext=(0, 3), textcoords="offset points", bbox=WHITE, zorder=3, **word)
    ax.set_xticks(places[0], map(number_text, x), fontsize=SMALL + 1)
    ax.set_yticks(places[1], map(number_text, y), fontsize=SMALL + 1)
    ax.set(xlim=(-0.5, len(x) - 0.5), ylim=(-0.4, len(y) - 0.4))
    ax.set_xlabel(xlabel, fontsize=TEXT)
    ax.set_ylabel(ylabel, fontsize=TEXT)
    ax.spines[["right", "top"]].set_visible(False)
    legend_above(ax, title, handles)
    return ax


def _levels(levels, values):
    """The levels as an array; ValueError if they do not rise, or if there is one that the values do not pass."""
    levels = checked_array("levels", levels, 1)
    if (np.diff(levels) <= 0).any():
        raise ValueError(f"levels must rise, got {levels.tolist()}")
    low, high = values.min(), values.max()
    for level in levels:
        if not low < level < high:
            raise ValueError(f"values from {low} to {high} do not pass the level {level}")
    return levels
