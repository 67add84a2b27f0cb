"""Pictures of convolutions that keep the channel axis: plain data in, matplotlib Axes (or a Figure) out.

One visual language for the whole book. Channels run from left to right, and a kernel stands below the channel it
reads. A hatched tile means "no kernel here". Cells with a thick edge and bold numbers are the ones that a step uses;
white ones are padding. Input, kernel, output and the maps between two convolutions keep the four ``COLORS``, and each
is named in words too. Every value in a picture is one that was passed in.

Data may be nested lists, numpy arrays or CPU tensors. Nothing is shown or set globally, but by :func:`use_book_style`.
End a notebook cell that draws with ``;``.
"""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle

from . import geometry

# Told apart by colour-blind readers (hues after Okabe and Ito) and, being unequally light, in grey print.
COLORS = {"input": "#0072B2", "kernel": "#E69F00", "output": "#009E73", "intermediate": "#882255"}
SERIES = (  # colour, line, marker, hatch of the n-th curve or share: none is a colour of COLORS
    ("#222222", "-", "o", ""),
    ("#D55E00", "--", "s", "///"),
    ("#56B4E9", "-.", "^", "..."),
    ("#CC79A7", ":", "D", "\\\\\\"),
    ("#777777", (0, (5, 1, 1, 1, 1, 1)), "v", "xxx"),
    ("#B2A100", (0, (1, 1)), "P", "++"),
)
WIDTH = 6.0  # inches: on a phone 390 pixels wide, 11 points are then still 10 pixels
TEXT, SMALL = 11, 9  # points
LINE = 17  # points from one line of text to the next
LARGEST_CELL = 26  # points
GAP = 1  # cells between neighbouring maps
LARGEST_MATRIX = 4096  # cells: more can neither be read nor kept in a notebook
EMPTY = {"fc": "white", "ec": "0.6", "hatch": "////", "lw": 0.6, "label": "no kernel"}
STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": "tight",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": TEXT,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "dslib",
}
NO_DATE = {"Date": None, "Creator": None}


def use_book_style() -> None:
    """Make every later figure of this session look like the book's: SVG in notebooks, the same bytes on every run.

    The one function here that changes matplotlib's global settings. Outside IPython it sets only those.
    """
    matplotlib.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", bbox_inches="tight", facecolor="white", metadata=NO_DATE)


def save_svg(figure, path) -> None:
    """Write a Figure, or the Figure of an Axes, to ``path`` as SVG, with the same bytes on every run."""
    with matplotlib.rc_context(STYLE):
        figure.get_figure(root=True).savefig(path, format="svg", metadata=NO_DATE)


# ---------------------------------------------------------------------------------------------------- checks and words


def _array(name, values, ndim):
    """The values as a float array with ``ndim`` axes, none of them empty, all finite; ValueError otherwise."""
    array = np.asarray(values, dtype=float)
    if array.ndim != ndim or array.size == 0:
        raise ValueError(f"{name} must have {ndim} axes, none of them empty, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def _index(name, value, size):
    """The value as an index below ``size``; ValueError otherwise, negative ones included."""
    number = geometry.positive_int(name, value, minimum=0)
    if number >= size:
        raise ValueError(f"{name} must be below {size}, got {number}")
    return number


def _number(value):
    """A value as it is written: whole numbers in full, others to three digits."""
    text = f"{value:.0f}" if value == round(value) else f"{value:.3g}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def _many(count, noun):
    """A count and its noun, the latter in the plural where it must be."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _tint(color, strength):
    """The colour thinned with white: strength 1 is the colour itself."""
    return tuple(1 - strength * (1 - part) for part in to_rgb(color))


def _reads(in_channels, out_channels, groups):
    """Who reads whom: bool (C_out, C_in), True where the output channel has a kernel for the input channel."""
    geometry.check_groups(in_channels, out_channels, groups)
    block = np.ones((out_channels // groups, in_channels // groups))
    return np.kron(np.eye(groups), block).astype(bool)


# ----------------------------------------------------------------------------------------- maps drawn as grids of cells


class _Sheet:
    """An Axes measured in cells, y pointing down, filled from the top: ``y`` is where the next row goes."""

    def __init__(self, axes, columns, rows, lines):
        """Room for ``columns`` x ``rows`` cells and ``lines`` lines of text; a new figure where ``axes`` is None."""
        self.cell = min(LARGEST_CELL, 72 * WIDTH / columns)  # points
        if axes is not None:
            box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())  # inches
            self.cell = max(1.0, min(72 * box.width / columns, (72 * box.height - lines * LINE) / rows))
        self.line, self.y = LINE / self.cell, 0.0
        height = rows + lines * self.line
        if axes is None:
            figure = plt.figure(figsize=(columns * self.cell / 72, height * self.cell / 72))
            axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, columns), ylim=(height, 0), aspect="equal")
        axes.axis("off")
        self.axes = axes

    def heading(self, text):
        """A bold line of text."""
        self.axes.text(0, self.y + self.line / 2, text, va="center", fontsize=TEXT, weight="bold")
        self.y += self.line

    def names(self, lefts, width, words):
        """A line of words, each over a map ``width`` cells wide; their last parts alone where that is too narrow."""
        if max(map(len, words)) * 0.6 * SMALL > (width + GAP) * self.cell:
            words = [word.split()[-1] for word in words]
        for left, word in zip(lefts, words, strict=True):
            position = left + width / 2, self.y + self.line / 2
            self.axes.text(*position, word, ha="center", va="center", fontsize=SMALL)
        self.y += self.line

    def maps(self, values, role, lefts, lit=None, padding=None, number_size=None):
        """The maps of a (C, H, W) array side by side; ``lit`` and ``padding`` are bool arrays of that shape."""
        nowhere = np.zeros(values.shape, dtype=bool)
        lit, padding = nowhere if lit is None else lit, nowhere if padding is None else padding
        size = self.number_size(values) if number_size is None else number_size
        for channel, left in enumerate(lefts):
            label = f"{role} {channel}"
            self.map(values[channel], role, label, left, self.y, lit[channel], padding[channel])
            self.numbers(values[channel], left, self.y, size, lit[channel], padding[channel])
        self.y += values.shape[1]

    def map(self, values, role, label, left, top, lit, padding):
        """One map (H, W) as a grid, without its numbers. All parts share a zorder: later ones cover earlier ones."""
        (height, width), color = values.shape, COLORS[role]
        self.axes.add_patch(Rectangle((left, top), width, height, fc=_tint(color, 0.2), ec="none", zorder=3))
        self.cells(np.argwhere(padding), left, top, f"{label} padding", fc="white", ec="none")
        if self.cell >= 4:  # points: a finer grid would be a smear
            grid = [[(left, top + row), (left + width, top + row)] for row in range(1, height)]
            grid += [[(left + column, top), (left + column, top + height)] for column in range(1, width)]
            self.axes.add_collection(LineCollection(grid, colors=[_tint(color, 0.5)], lw=0.6, zorder=3))
        self.axes.add_patch(Rectangle((left, top), width, height, fill=False, ec=color, lw=1.5, zorder=3, label=label))
        self.cells(np.argwhere(lit), left, top, f"{label} lit", fc=_tint(color, 0.55), ec=color, lw=2)

    def cells(self, places, left, top, label, **style):
        """Single cells of a map, given by row and column."""
        squares = [[(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)] for r, c in places + (top, left)]
        self.axes.add_collection(PolyCollection(squares, label=label, zorder=3, **style))

    def numbers(self, values, left, top, size, lit, padding):
        """The values of a map in its cells, at ``size`` points (0: not at all)."""
        for row, column in np.ndindex(*values.shape) if size else ():
            bold = "bold" if lit[row, column] else "normal"
            grey = "0.4" if padding[row, column] and not lit[row, column] else "black"
            position = left + column + 0.5, top + row + 0.5
            style = {"ha": "center", "va": "center_baseline", "weight": bold, "color": grey, "zorder": 3}
            self.axes.text(*position, _number(values[row, column]), fontsize=size, **style)

    def number_size(self, values):
        """Size in points at which every value fits into a cell, or 0 where that would be too small to read."""
        longest = max(len(_number(value)) for value in values.flat)
        size = min(TEXT, 0.75 * self.cell, self.cell / (0.66 * longest))
        return size if size >= SMALL - 1 else 0

    def flow(self, segments):
        """Thin lines behind the maps that say what goes where."""
        self.axes.add_collection(LineCollection(segments, colors="0.5", lw=0.8, zorder=1, label="flow"))


def _side_by_side(count, width):
    """Left edges of ``count`` maps ``width`` cells wide, and the columns that they take together."""
    return [index * (width + GAP) for index in range(count)], count * (width + GAP) - GAP


def draw_maps(values, role, ax=None, title=None, highlight=None, show_values=None):
    """Draw a (C, H, W) array as C maps: side by side with their numbers, or as a stack of cards, channel 0 in front.

    ``role`` is a key of ``COLORS``. ``highlight`` is ``(rows, columns, channels)``: two slices and the numbers of the
    channels in which those cells are lit. ``show_values`` asks for numbers (True) or cards (False); left out, there
    are numbers where they can be read. Returns the Axes.

    Raises ValueError for another rank, an unknown role, or a highlight outside the maps. Chapter: standard_convolution.
    """
    values = _array("values", values, 3)
    if role not in COLORS:
        raise ValueError(f"role must be one of {', '.join(COLORS)}, got {role!r}")
    lit = _lit(values.shape, highlight)
    channels, height, width = values.shape
    title = title or f"{role}: {_many(channels, 'channel')} of {height} × {width} pixels"
    lefts, columns = _side_by_side(channels, width)
    if show_values is False:
        return _draw_cards(values, role, ax, title, lit)
    sheet = _Sheet(ax, columns, rows=height, lines=2)
    size = sheet.number_size(values)
    if show_values is None and not size:
        if ax is None:
            plt.close(sheet.axes.figure)
        return _draw_cards(values, role, ax, title, lit)
    sheet.heading(title)
    sheet.names(lefts, width, [f"channel {channel}" for channel in range(channels)])
    sheet.maps(values, role, lefts, lit, number_size=size or SMALL - 2)
    return sheet.axes


def _lit(shape, highlight):
    """``highlight`` of :func:`draw_maps` as a bool array of the maps' shape."""
    lit = np.zeros(shape, dtype=bool)
    if highlight is None:
        return lit
    rows, columns, channels = highlight
    for name, cells, size in (("rows", rows, shape[1]), ("columns", columns, shape[2])):
        start, stop = cells.start or 0, size if cells.stop is None else cells.stop
        if not 0 <= start < stop <= size:
            raise ValueError(f"highlight {name} must be a slice within 0 to {size}, got {cells}")
    for channel in channels:
        lit[_index("highlight channel", channel, shape[0]), rows, columns] = True
    return lit


def _draw_cards(values, role, axes, title, lit):
    """The maps one behind the other: channel 0 in front at the lower left, the last one at the back."""
    channels, height, width = values.shape
    step = width * min(0.16, 1.0 / channels)  # cells from card to card
    depth = step * (channels - 1)
    sheet = _Sheet(axes, width + depth, rows=height + depth, lines=1.5)
    sheet.heading(title)
    sheet.y += sheet.line / 2
    nowhere = np.zeros((height, width), dtype=bool)
    for channel in reversed(range(channels)):
        left, top = channel * step, sheet.y + depth - channel * step
        sheet.map(values[channel], role, f"{role} {channel}", left, top, lit[channel], nowhere)
        if channel in (0, channels - 1) or step > sheet.line:
            sheet.axes.text(left + width + 0.3 * sheet.line, top, f"channel {channel}", va="center", fontsize=SMALL)
    return sheet.axes


# -------------------------------------------------------------------------------------------- one step, and a pair


def draw_convolution_step(
    x, weight, output, position, out_channel, groups=1, stride=1, padding=0, dilation=1, bias=None
):
    """Draw how one output number comes about: the lit windows times the kernels below them, summed over channels.

    ``x`` is (C_in, H, W), ``weight`` (C_out, C_in/groups, K_h, K_w), ``output`` (C_out, H_out, W_out), ``bias`` None
    or (C_out,); ``position`` is the (row, column) of the number in ``output[out_channel]``. Depthwise is
    ``groups=C_in``, pointwise a 1x1 kernel. Returns the Axes.

    Raises ValueError if sizes, groups or position do not fit, or if the number in ``output`` is not the sum of what is
    drawn: no picture contradicts its own numbers. Chapter: standard_convolution, and those on each kind.
    """
    x, weight, output = _array("x", x, 3), _array("weight", weight, 4), _array("output", output, 3)
    if weight.shape[1] * groups != x.shape[0]:
        raise ValueError(f"weight {weight.shape} with groups={groups} does not fit x {x.shape}")
    reads = _reads(x.shape[0], weight.shape[0], groups)[_index("out_channel", out_channel, weight.shape[0])]
    pads, window, sizes = _window(x.shape[1:], weight.shape[2:], position, stride, padding, dilation)
    if output.shape != (weight.shape[0], *sizes):
        raise ValueError(f"output must have shape {(weight.shape[0], *sizes)}, got {output.shape}")
    padded = np.pad(x, ((0, 0), *pads))
    border = np.pad(np.zeros(x.shape, dtype=bool), ((0, 0), *pads), constant_values=True)
    sums = (padded[reads][:, *window] * weight[out_channel]).sum(axis=(1, 2))
    offset = 0.0 if bias is None else _array("bias", bias, 1)[out_channel]
    shown = output[out_channel, *position]
    if not np.isclose(sums.sum() + offset, shown, rtol=1e-4, atol=1e-5):
        raise ValueError(f"output[{out_channel}, {position}] is {shown}, the picture adds up to {sums.sum() + offset}")
