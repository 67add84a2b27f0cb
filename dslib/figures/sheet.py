"""A sheet of paper ruled in cells: maps as grids of numbers, side by side, and lines between them."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from .checks import channel_names, number_text
from .style import COLORS, LINE, MARGIN, SMALL, TEXT, WHITE, WIDTH, tint

LARGEST_CELL = 34  # points
GAP = 1  # cells between neighbouring maps


def fitting_cell(axes, columns, rows, lines):
    """Points per cell for a drawing of ``columns`` x ``rows`` cells and ``lines`` lines of text."""
    if axes is None:
        return min(LARGEST_CELL, 72 * WIDTH / columns)
    box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())  # inches
    return max(1.0, min(LARGEST_CELL, 72 * box.width / columns, (72 * box.height - lines * LINE) / rows))


def fitting_size(values, cell):
    """Font size at which every value fits into a cell of ``cell`` points, or 0 where that is too small to read."""
    ems = {"−": 0.84, ".": 0.35}  # widths of bold letters; a digit has 0.7
    longest = max(sum(ems.get(letter, 0.7) for letter in number_text(value)) for value in np.asarray(values).flat)
    size = min(TEXT, 0.55 * cell, 0.96 * cell / longest)
    return size if size >= SMALL - 1 else 0


def plane(axes, width, height, unit):
    """An empty Axes, or a new figure, of ``width`` x ``height`` units of ``unit`` points, y pointing down."""
    if axes is None:
        axes = plt.figure(figsize=(width * unit / 72, height * unit / 72)).add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="NW")
    axes.axis("off")
    return axes


def put(axes, artist, zorder=3):
    """Add an artist. Most share a zorder, so that the later one covers the earlier."""
    artist.set(zorder=zorder, clip_on=False)
    axes.add_artist(artist)


def grid_lines(left, top, shape, cell, **style):
    """The inner lines of a grid of ``shape`` (rows, columns), whose cells are ``cell`` wide, as one artist."""
    rows, columns = shape
    ends = [((0, row), (columns, row)) for row in range(1, rows)]
    ends += [((column, 0), (column, rows)) for column in range(1, columns)]
    corners = np.reshape(ends, (-1, 2)) * cell + (left, top)
    return PathPatch(Path(corners, [Path.MOVETO, Path.LINETO] * len(ends)), fill=False, lw=0.6, **style)


def side_by_side(maps):
    """Left edges of the maps of a (C, H, W) array side by side, and the columns that they take together."""
    count, _, width = maps.shape
    return [index * (width + GAP) for index in range(count)], count * (width + GAP) - GAP


def left_margin(columns):
    """``MARGIN`` in cells, for a drawing that is ``columns`` cells wide beside it."""
    return max(MARGIN / LARGEST_CELL, columns * MARGIN / (72 * WIDTH - MARGIN))


class Sheet:
    """An Axes measured in cells, y pointing down, filled from the top: ``y`` is where the next row goes."""

    def __init__(self, axes, columns, rows, lines):
        """Room for ``columns`` x ``rows`` cells and ``lines`` lines of text; a new figure where ``axes`` is None."""
        self.cell = fitting_cell(axes, columns, rows, lines)
        self.line, self.y = LINE / self.cell, 0.0
        self.axes = plane(axes, columns, rows + lines * self.line, self.cell)

    def add(self, artist, zorder=3):
        """Put an artist on the sheet."""
        put(self.axes, artist, zorder)

    def write(self, text, weight="bold"):
        """A line of text at the left."""
        self.axes.text(0, self.y + self.line / 2, text, va="center", fontsize=TEXT, weight=weight)
        self.y += self.line

    def row(self, values, role, words, centers, named=False):
        """The maps of a (C, H, W) array around ``centers``; at the left ``words``, with C, H and W put in."""
        lefts = np.asarray(centers) - values.shape[2] / 2
        if named:
            self.names(lefts, values.shape[2], channel_names(values))
        first, rest = words.format(*values.shape).split("\n", 1)
        middle = self.y + values.shape[1] / 2
        style = {"fontsize": TEXT, "linespacing": 1.2}
        self.axes.text(0, middle - 0.5 * self.line, first, va="bottom", weight="bold", **style)
        self.axes.text(0, middle - 0.4 * self.line, rest, va="top", **style)
        self.maps(values, role, lefts)

    def arrive(self, starts, ends, lines=1):
        """A gap, with lines that lead from ``starts`` above it to ``ends`` below it."""
        top, self.y = self.y, self.y + lines * self.line
        self.flow([[(start, top), (end, self.y)] for start, end in zip(starts, ends, strict=True)])

    def names(self, lefts, width, words):
        """A line of words, each over a map ``width`` cells wide; their last parts alone where that is too narrow."""
        if max(map(len, words)) * 0.6 * SMALL > (width + GAP) * self.cell:
            words = [word.split()[-1] for word in words]
        for left, word in zip(lefts, words, strict=True):
            middle = left + width / 2, self.y + self.line / 2
            self.axes.text(*middle, word, ha="center", va="center", fontsize=SMALL, bbox=WHITE)
        self.y += self.line

    def maps(self, values, role, lefts, lit=None, padding=None):
        """The maps of a (C, H, W) array side by side; ``lit`` and ``padding`` are bool arrays of that shape."""
        nowhere = np.zeros(values.shape, dtype=bool)
        lit, padding = nowhere if lit is None else lit, nowhere if padding is None else padding
        size = fitting_size(values, self.cell)
        for channel, left in enumerate(lefts):
            self.map(role, channel, left, self.y, lit[channel], padding[channel])
            self.numbers(values[channel], left, self.y, size, lit[channel], padding[channel])
        self.y += values.shape[1]

    def map(self, role, channel, left, top, lit, padding):
        """One map as a grid without numbers; ``lit`` and ``padding`` are bool (H, W)."""
        (height, width), color, name = lit.shape, COLORS[role], f"{role} {channel}"
        self.add(Rectangle((left, top), width, height, fc=tint(color, 0.2), ec="none"))
        self.cells(padding, left, top, label=f"{name} padding", fc="white", ec="none")
        if self.cell >= 6:  # points: a finer grid would be a smear
            self.add(grid_lines(left, top, lit.shape, 1, ec=tint(color, 0.5)))
        self.add(Rectangle((left, top), width, height, fill=False, ec=color, lw=1.5, label=name))
        edge = min(2, self.cell / 8)
        self.cells(lit, left, top, label=f"{name} lit", fc=tint(color, 0.55), ec=color, lw=edge)

    def cells(self, mask, left, top, **style):
        """The cells of a map where ``mask`` is True."""
        corners = [(left + column, top + row) for row, column in np.argwhere(mask)]
        self.add(PolyCollection([[(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)] for x, y in corners], **style))

    def numbers(self, values, left, top, size, lit, padding):
        """The values of a map in its cells, at ``size`` points (0: not at all)."""
        for row, column in np.ndindex(*values.shape) if size else ():
            weight = "bold" if lit[row, column] else "normal"
            color = "0.4" if padding[row, column] and not lit[row, column] else "black"
            middle, word = (left + column + 0.5, top + row + 0.5), number_text(values[row, column])
            style = {"ha": "center", "va": "center_baseline", "weight": weight, "color": color}
            self.axes.text(*middle, word, fontsize=size, **style)

    def flow(self, segments):
        """Thin lines behind everything that say what goes where."""
        self.add(LineCollection(segments, colors="0.5", lw=0.8, label="flow"), zorder=1)
