"""Shares of a whole, bars of parts, and curves."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, MaxNLocator

from .checks import checked_array
from .style import LINE, SERIES, SMALL, TEXT, WIDTH, tint


def draw_shares(parts, ax=None, unit="MACs", title=None):
    """Draw counts ``{label: count}`` as shares of one bar, each named with its percentage and its count in ``unit``.

    Returns the Axes. Raises ValueError without parts, for a negative count, or if all are 0.
    """
    counts = checked_array("parts", list(parts.values()), 1)
    if counts.min() < 0 or counts.sum() == 0:
        raise ValueError(f"parts must be at least 0 and not all 0, got {dict(parts)}")
    styles = looks(len(counts))
    if ax is None:
        height = len(counts) + 4.5  # lines: the names above, the bar, the axis below
        figure = plt.figure(figsize=(WIDTH, height * LINE / 72))
        ax = figure.add_axes((0, 2.4 / height, 1, 1.6 / height))
    left, shares = 0.0, 100 * counts / counts.sum()
    for (label, count), share, (color, _, _, hatch) in zip(parts.items(), shares, styles, strict=True):
        words = f"{label}: {_percent(share)}, {count:,} {unit}"
        ax.barh(0, share, left=left, height=1, color=tint(color, 0.45), ec=color, hatch=hatch, lw=1, label=words)
        if share >= 12:
            style = {"ha": "center", "va": "center", "fontsize": TEXT, "bbox": {"fc": "white", "ec": "none", "pad": 2}}
            ax.text(left + share / 2, 0, _percent(share), **style)
        left += share
    ax.set(xlim=(0, 100), ylim=(-0.5, 0.5), yticks=[])
    ax.set_xlabel(f"share of {sum(parts.values()):,} {unit} (%)", fontsize=TEXT)
    ax.tick_params(labelsize=SMALL + 1)
    ax.spines[["left", "right", "top"]].set_visible(False)
    legend_above(ax, title)
    return ax


def draw_stacked_bars(labels, parts, ax=None, xlabel="", ylabel="", title=None):
    """Draw a bar for each label, from the first at the top to the last, made of the parts ``{name: values}``.

    The parts stand from left to right in the given order, each with its own hatch and named above the bars. ``xlabel``
    should carry the unit of the values, ``ylabel`` says what the labels are. Returns the Axes.

    Raises ValueError without labels or parts, if a part has not one value for each label, for a negative value, or if
    all are 0.
    """
    labels, parts, styles = *_stacked_parts(labels, parts), looks(len(parts))
    if ax is None:
        lines = len(labels) + len(parts) + 3 + bool(title)
        ax = plt.figure(figsize=(WIDTH, lines * LINE / 72), layout="constrained").add_subplot()
    places, left, handles = np.arange(len(labels)), np.zeros(len(labels)), []
    for (name, values), (color, _, _, hatch) in zip(parts.items(), styles, strict=True):
        style = {"fc": tint(color, 0.45), "ec": color, "hatch": hatch, "lw": 1, "label": name}
        there = values > 0  # a part of 0 must not leave an edge behind
        ax.barh(places[there], values[there], left=left[there], height=0.72, **style)
        handles.append(Patch(**style))
        left += values
    ax.set_yticks(places, labels, fontsize=TEXT)
    ax.set(xlim=(0, 1.03 * left.max()), ylim=(len(labels) - 0.5, -0.5), axisbelow=True)
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    ax.set_xlabel(xlabel, fontsize=TEXT)
    ax.set_ylabel(ylabel, fontsize=TEXT)
    ax.tick_params(axis="x", labelsize=SMALL + 1)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.9")
    ax.spines[["right", "top"]].set_visible(False)
    legend_above(ax, title, handles)
    return ax


def _stacked_parts(labels, parts):
    """The labels as words and the parts as arrays of as many values; ValueError where they cannot be stacked."""
    labels, parts = list(map(str, labels)), {name: checked_array(name, values, 1) for name, values in parts.items()}
    if not labels or not parts:
        raise ValueError(f"labels and parts must not be empty, got {labels} and {list(parts)}")
    for name, values in parts.items():
        if len(values) != len(labels):
            raise ValueError(f"part {name!r} has {len(values)} values, there are {len(labels)} labels")
        if values.min() < 0:
            raise ValueError(f"parts must be at least 0, got {values.min()} for {name!r}")
    if not any(values.any() for values in parts.values()):
        raise ValueError(f"parts must not all be 0, got {list(parts)} of 0")
    return labels, parts


def legend_above(axes, title, handles=None):
    """The names of the shares or parts, one below the other, above their bar or bars."""
    style = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.3, "frameon": False}
    legend = axes.legend(handles=handles, fontsize=TEXT, **style)
    legend.set_title(title, prop={"size": TEXT, "weight": "bold"})
    legend.set_alignment("left")


def _percent(share):
    """A share in percent to one decimal, or two digits where it is below 1 %, so that no share reads 0.0."""
    return f"{share:.1f} %" if share >= 1 else f"{share:.2g} %"


def looks(count):
    """The looks of ``count`` curves or shares; ValueError where they could not be told apart any more."""
    if count > len(SERIES):
        raise ValueError(f"at most {len(SERIES)} can be told apart in one picture, got {count}")
    return SERIES[:count]


def draw_curves(x, curves, ax=None, xlabel="", ylabel="", title=None, log=""):
    """Draw lines ``{label: y}`` over ``x``, each with its own dash, marker and, at its right end, its name.

    ``log`` is ``""``, ``"x"`` (powers of 2), ``"y"`` (powers of 10) or ``"xy"``. Axis labels should carry the unit.
    Returns the Axes.

    Raises ValueError if a curve is not as long as ``x``, or a logarithm is asked of a value that is not positive.
    """
    x, curves, styles = *_curves(x, curves, log), looks(len(curves))
    if ax is None:
        ax = plt.figure(figsize=(WIDTH, 0.6 * WIDTH)).add_subplot()
    every = max(1, len(x) // 12)  # points from marker to marker
    for (label, y), (color, line, marker, _) in zip(curves.items(), styles, strict=True):
        ax.plot(x, y, color=color, ls=line, marker=marker, markevery=every, ms=6, lw=2, label=label)
    if "x" in log:
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_locator(FixedLocator(_powers_of_two(*ax.get_xlim())))
        _plain_numbers(ax.xaxis, *ax.get_xlim())
    if "y" in log:
        ax.set_yscale("log")
        _plain_numbers(ax.yaxis, *ax.get_ylim())
    ax.set_xlabel(xlabel, fontsize=TEXT)
    ax.set_ylabel(ylabel, fontsize=TEXT)
    ax.tick_params(which="both", labelsize=SMALL + 1)
    ax.grid(color="0.9")
    ax.spines[["right", "top"]].set_visible(False)
    if title:
        ax.set_title(title, fontsize=TEXT, weight="bold", loc="left")
    _name_curves(ax, x, curves)
    return ax


def _curves(x, curves, log):
    """``x`` and the curves as arrays of one length; ValueError where they cannot be drawn."""
    x, curves = checked_array("x", x, 1), {label: checked_array(label, y, 1) for label, y in curves.items()}
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log must be '', 'x', 'y' or 'xy', got {log!r}")
    for label, y in curves.items():
        if y.shape != x.shape:
            raise ValueError(f"curve {label!r} has {len(y)} values, x has {len(x)}")
        if ("x" in log and x.min() <= 0) or ("y" in log and y.min() <= 0):
            raise ValueError(f"a logarithmic axis needs positive values, got {min(x.min(), y.min())} for {label!r}")
    return x, curves


def _powers_of_two(low, high):
    """At most eight powers of 2 between the two, evenly spaced. Versions of matplotlib choose different ones."""
    first, last = int(np.ceil(np.log2(low))), int(np.floor(np.log2(high)))
    step = max(1, -(-(last - first + 1) // 8))
    return [2.0**power for power in range(first, last + 1, step)]


def _plain_numbers(axis, low, high):
    """Write 0.02 on a logarithmic axis, not 2 x 10^-2; between powers only 2 and 5, and only on a short axis."""
    between = "25" if high < 100 * low else ""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in between else "")


def _name_curves(axes, x, curves):
    """The name of each curve right of its last point, moved up or down where two would overlap."""
    axes.get_ylim()  # settles the limits, on which the next line depends
    ends = [axes.transData.transform((x[-1], y[-1]))[1] * 72 / axes.figure.dpi for y in curves.values()]  # points
    order = np.argsort(ends, kind="stable")
    heights = np.sort(ends)
    for upper in list(range(1, len(heights))) * 20:  # push neighbours apart, again and again
        lack = max(0, TEXT + 3 - (heights[upper] - heights[upper - 1]))
        heights[upper - 1 : upper + 1] += -lack / 2, lack / 2
    for index, height in zip(order, heights, strict=True):
        label, y = list(curves.items())[index]
        place = {"xy": (x[-1], y[-1]), "xytext": (14, height - ends[index]), "textcoords": "offset points"}
        arrow = {"arrowstyle": "-", "color": SERIES[index][0], "lw": 0.8, "shrinkB": 4}
        axes.annotate(label, **place, va="center", fontsize=TEXT, arrowprops=arrow, annotation_clip=False)
