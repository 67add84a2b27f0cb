"""Pictures of convolutions that keep the channel axis: plain data in, matplotlib Axes (or a Figure) out.

One visual language for the whole book. Channels run from left to right, and a kernel stands below the channel that it
reads. A hatched tile means "no kernel here". Cells with a thick edge and bold numbers are the ones that a step uses;
white ones are padding. Input, kernel, output and the maps between two convolutions keep the four ``COLORS``, and each
is named in words too. Every value in a picture is one that was passed in, or a sum that is checked against one.

Data may be nested lists, numpy arrays or CPU tensors. Nothing is shown, and nothing set globally but by
``use_book_style``. End a notebook cell that draws with ``;``.
"""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from . import geometry

# Told apart by colour-blind readers (hues after Okabe and Ito) and, being unequally light, in grey print.
COLORS = {"input": "#0072B2", "kernel": "#E69F00", "output": "#009E73", "intermediate": "#882255"}
SERIES = (  # colour, line, marker, hatch of the n-th curve or share: none is a colour of COLORS
    ("#222222", "-", "o", ""),
    ("#D55E00", "--", "s", "///"),
    ("#56B4E9", "-.", "^", "----"),
    ("#CC79A7", ":", "D", "\\\\\\"),
    ("#777777", (0, (5, 1, 1, 1, 1, 1)), "v", "xxx"),
    ("#B2A100", (0, (1, 1)), "P", "+++"),
)
# negative grey, zero white, positive the kernel's orange; few steps, so that a last bit changes no picture
WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#777777", "#ffffff", COLORS["kernel"]], N=15)
GREYS = matplotlib.colormaps["gray"].resampled(32)  # coarse for the same reason
WIDTH = 6.5  # inches: on a phone 390 pixels wide, 11 points are then still 9 pixels
TEXT, SMALL = 11, 9  # points
LINE = 17  # points from one line of text to the next
LARGEST_CELL = 34  # points
GAP = 1  # cells between neighbouring maps
MARGIN = 100  # points, for words at the left
LARGEST_MATRIX = 2048  # cells: more can neither be read nor kept in a notebook
EMPTY = {"fc": "white", "ec": "0.65", "hatch": "////", "lw": 0.6, "label": "no kernel", "clip_on": False}
WHITE = {"fc": "white", "ec": "none", "pad": 1}  # behind words that a line may cross
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

    The one function here that changes matplotlib's global settings. Outside IPython it does only that.
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
        getattr(figure, "figure", figure).savefig(path, format="svg", metadata=NO_DATE)


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
    """A value as it is written: whole numbers in full, others to three digits, below 1e-9 (rounding errors) 0."""
    value = 0.0 if abs(value) < 1e-9 else value
    text = f"{value:.0f}" if value == round(value) else f"{value:.3g}"
    return text.replace("-", "−")


def _many(count, noun):
    """A count and its noun, the latter in the plural where it must be."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shape(maps, noun="channel"):
    """The shape of a (C, H, W) array in words."""
    return f"{_many(len(maps), noun)} of {maps.shape[1]} × {maps.shape[2]}"


def _channels(maps):
    """The names of the channels of a (C, H, W) array."""
    return [f"channel {channel}" for channel in range(len(maps))]


def _tint(color, strength):
    """The colour thinned with white: strength 1 is the colour itself."""
    return tuple(1 - strength * (1 - part) for part in to_rgb(color))


def _reads(in_channels, out_channels, groups):
    """Who reads whom: bool (C_out, C_in), True where the output channel has a kernel for the input channel."""
    geometry.check_groups(in_channels, out_channels, groups)
    block = np.ones((out_channels // groups, in_channels // groups))
    return np.kron(np.eye(groups), block).astype(bool)


# ----------------------------------------------------------------------------------------- maps drawn as grids of cells


def _cell_size(axes, columns, rows, lines):
    """Points per cell for a drawing of ``columns`` x ``rows`` cells and ``lines`` lines of text."""
    if axes is None:
        return min(LARGEST_CELL, 72 * WIDTH / columns)
    box = axes.get_window_extent().transformed(axes.figure.dpi_scale_trans.inverted())  # inches
    return max(1.0, min(LARGEST_CELL, 72 * box.width / columns, (72 * box.height - lines * LINE) / rows))


def _number_size(values, cell):
    """Font size at which every value fits into a cell of ``cell`` points, or 0 where that is too small to read."""
    ems = {"−": 0.84, ".": 0.35}  # widths of bold letters; a digit has 0.7
    longest = max(sum(ems.get(letter, 0.7) for letter in _number(value)) for value in np.asarray(values).flat)
    size = min(TEXT, 0.55 * cell, 0.96 * cell / longest)
    return size if size >= SMALL - 1 else 0


def _plane(axes, width, height, unit):
    """An empty Axes, or a new figure, of ``width`` x ``height`` units of ``unit`` points, y pointing down."""
    if axes is None:
        axes = plt.figure(figsize=(width * unit / 72, height * unit / 72)).add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="NW")
    axes.axis("off")
    return axes


def _put(axes, artist, zorder=3):
    """Add an artist. Most share a zorder, so that the later one covers the earlier."""
    artist.set(zorder=zorder, clip_on=False)
    axes.add_artist(artist)


def _grid(left, top, shape, cell, **style):
    """The inner lines of a grid of ``shape`` (rows, columns), whose cells are ``cell`` wide, as one artist."""
    rows, columns = shape
    ends = [((0, row), (columns, row)) for row in range(1, rows)]
    ends += [((column, 0), (column, rows)) for column in range(1, columns)]
    corners = np.reshape(ends, (-1, 2)) * cell + (left, top)
    return PathPatch(Path(corners, [Path.MOVETO, Path.LINETO] * len(ends)), fill=False, lw=0.6, **style)


def _side_by_side(maps):
    """Left edges of the maps of a (C, H, W) array side by side, and the columns that they take together."""
    count, _, width = maps.shape
    return [index * (width + GAP) for index in range(count)], count * (width + GAP) - GAP


def _margin(columns):
    """``MARGIN`` in cells, for a drawing that is ``columns`` cells wide beside it."""
    return max(MARGIN / LARGEST_CELL, columns * MARGIN / (72 * WIDTH - MARGIN))


class _Sheet:
    """An Axes measured in cells, y pointing down, filled from the top: ``y`` is where the next row goes."""

    def __init__(self, axes, columns, rows, lines):
        """Room for ``columns`` x ``rows`` cells and ``lines`` lines of text; a new figure where ``axes`` is None."""
        self.cell = _cell_size(axes, columns, rows, lines)
        self.line, self.y = LINE / self.cell, 0.0
        self.axes = _plane(axes, columns, rows + lines * self.line, self.cell)

    def add(self, artist, zorder=3):
        """Put an artist on the sheet."""
        _put(self.axes, artist, zorder)

    def write(self, text, weight="bold"):
        """A line of text at the left."""
        self.axes.text(0, self.y + self.line / 2, text, va="center", fontsize=TEXT, weight=weight)
        self.y += self.line

    def row(self, values, role, words, centers, named=False):
        """The maps of a (C, H, W) array around ``centers``; at the left ``words``, with C, H and W put in."""
        lefts = np.asarray(centers) - values.shape[2] / 2
        if named:
            self.names(lefts, values.shape[2], _channels(values))
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
        size = _number_size(values, self.cell)
        for channel, left in enumerate(lefts):
            self.map(role, channel, left, self.y, lit[channel], padding[channel])
            self.numbers(values[channel], left, self.y, size, lit[channel], padding[channel])
        self.y += values.shape[1]

    def map(self, role, channel, left, top, lit, padding):
        """One map as a grid without numbers; ``lit`` and ``padding`` are bool (H, W)."""
        (height, width), color, name = lit.shape, COLORS[role], f"{role} {channel}"
        self.add(Rectangle((left, top), width, height, fc=_tint(color, 0.2), ec="none"))
        self.cells(padding, left, top, label=f"{name} padding", fc="white", ec="none")
        if self.cell >= 6:  # points: a finer grid would be a smear
            self.add(_grid(left, top, lit.shape, 1, ec=_tint(color, 0.5)))
        self.add(Rectangle((left, top), width, height, fill=False, ec=color, lw=1.5, label=name))
        edge = min(2, self.cell / 8)
        self.cells(lit, left, top, label=f"{name} lit", fc=_tint(color, 0.55), ec=color, lw=edge)

    def cells(self, mask, left, top, **style):
        """The cells of a map where ``mask`` is True."""
        corners = [(left + column, top + row) for row, column in np.argwhere(mask)]
        self.add(PolyCollection([[(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)] for x, y in corners], **style))

    def numbers(self, values, left, top, size, lit, padding):
        """The values of a map in its cells, at ``size`` points (0: not at all)."""
        for row, column in np.ndindex(*values.shape) if size else ():
            weight = "bold" if lit[row, column] else "normal"
            color = "0.4" if padding[row, column] and not lit[row, column] else "black"
            middle, word = (left + column + 0.5, top + row + 0.5), _number(values[row, column])
            style = {"ha": "center", "va": "center_baseline", "weight": weight, "color": color}
            self.axes.text(*middle, word, fontsize=size, **style)

    def flow(self, segments):
        """Thin lines behind everything that say what goes where."""
        self.add(LineCollection(segments, colors="0.5", lw=0.8, label="flow"), zorder=1)


def draw_maps(values, role, ax=None, title=None, highlight=None, show_values=None):
    """Draw a (C, H, W) array as C maps: side by side with their numbers, or as a stack of cards, channel 0 in front.

    ``role`` is a key of ``COLORS``. ``highlight`` is ``(rows, columns, channels)``: two slices and the numbers of the
    channels in which those cells are lit; in a stack, lit cells behind other cards are dotted. ``show_values`` asks
    for numbers (True) or cards (False); left out, there are numbers where they can be read. Returns the Axes.

    Raises ValueError for another rank, an unknown role, a highlight outside the maps, or if numbers are asked for that
    could not be read. Chapter: standard_convolution.
    """
    values = _array("values", values, 3)
    if role not in COLORS:
        raise ValueError(f"role must be one of {', '.join(COLORS)}, got {role!r}")
    lit = _lit(values.shape, highlight)
    title = title or f"{role}: {_shape(values)}"
    lefts, columns = _side_by_side(values)
    readable = _number_size(values, _cell_size(ax, columns, values.shape[1], 2)) > 0
    if show_values and not readable:
        raise ValueError(f"no room for readable numbers in maps of shape {values.shape}; pass show_values=False")
    if not readable or show_values is False:
        return _draw_cards(role, ax, title, lit)
    sheet = _Sheet(ax, columns, rows=values.shape[1], lines=2)
    sheet.write(title)
    sheet.names(lefts, values.shape[2], _channels(values))
    sheet.maps(values, role, lefts, lit)
    return sheet.axes


def _lit(shape, highlight):
    """``highlight`` of ``draw_maps`` as a bool array of the maps' shape."""
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


def _draw_cards(role, axes, title, lit):
    """The maps one behind the other, from channel 0 in front at the lower left to the last one at the back."""
    channels, height, width = lit.shape
    step = width * min(0.16, 0.6 / channels)  # cells from card to card
    depth = step * (channels - 1)
    columns = width + depth
    sheet = _Sheet(axes, columns + _margin(columns), rows=height + depth, lines=1.5)
    sheet.write(title)
    corners = [(channel * step, sheet.y + depth - channel * step) for channel in range(channels)]
    for channel in reversed(range(channels)):
        left, top = corners[channel]
        sheet.map(role, channel, left, top, lit[channel], np.zeros((height, width), dtype=bool))
        if channel in (0, channels - 1) or step > sheet.line:
            foot = left + width + 0.3 * sheet.line, top + height
            sheet.axes.text(*foot, f"channel {channel}", va="center", fontsize=SMALL)
    for channel, (left, top) in enumerate(corners[1:], start=1):
        sheet.cells(lit[channel], left, top, fc="none", ec=COLORS[role], lw=0.8, ls=":")
    return sheet.axes


# ----------------------------------------------------------------------------------------------- one step, and a pair


def draw_convolution_step(
    x, weight, output, position, out_channel, groups=1, stride=1, padding=0, dilation=1, bias=None
):
    """Draw how one output number comes about: lit windows times the kernels below them, summed over the channels.

    ``x`` is (C_in, H, W), ``weight`` (C_out, C_in/groups, K_h, K_w), ``output`` (C_out, H_out, W_out), ``bias`` None
    or (C_out,); ``position`` is the (row, column) of the number in ``output[out_channel]``. Depthwise is
    ``groups=C_in``, pointwise a 1x1 kernel. Stride, padding (pixels, or ``'same'``) and dilation as in torch. Returns
    the Axes.

    Raises ValueError if sizes, groups or position do not fit, or if the number in ``output`` is not the sum of what is
    drawn: a picture never contradicts its own numbers. Chapter: standard_convolution, and that of each kind.
    """
    x, weight, output = _array("x", x, 3), _array("weight", weight, 4), _array("output", output, 3)
    reads = _step_reads(x, weight, output, out_channel, groups)
    pads, window = _window(x.shape, weight.shape, output.shape, position, stride, padding, dilation)
    padded = np.pad(x, ((0, 0), *pads))
    lit = np.zeros(padded.shape, dtype=bool)
    lit[:, *window] = reads[:, None, None]
    sums = (padded[:, *window][reads] * weight[out_channel]).sum(axis=(1, 2))
    words = _sum_in_words(sums, bias, out_channel, position, output)

    columns = max(_side_by_side(padded)[1], _side_by_side(output)[1])
    sheet = _Sheet(None, columns, rows=padded.shape[1] + weight.shape[2] + output.shape[1], lines=8)
    _draw_padded(sheet, x, padded, pads, lit)
    _draw_filter(sheet, padded, weight[out_channel], out_channel, reads, sums)
    _draw_output(sheet, output, (out_channel, *position), words)
    return sheet.axes


def _step_reads(x, weight, output, out_channel, groups):
    """Bool (C_in,): the input channels that ``out_channel`` reads, once the channel counts are known to fit."""
    in_channels, out_channels = len(x), len(weight)
    reads = _reads(in_channels, out_channels, groups)[_index("out_channel", out_channel, out_channels)]
    if weight.shape[1] != reads.sum() or len(output) != out_channels:
        shapes = f"x {x.shape}, weight {weight.shape}, output {output.shape}, groups {groups}"
        raise ValueError(f"channels do not fit: {shapes}")
    return reads


def _window(x_shape, weight_shape, output_shape, position, stride, padding, dilation):
    """Padding ((top, bottom), (left, right)) and the slices of the padded map that ``position`` reads."""
    strides, dilations = geometry.pair("stride", stride), geometry.pair("dilation", dilation)
    paddings = (padding, padding) if isinstance(padding, str) else geometry.pair("padding", padding, minimum=0)
    if not isinstance(position, (tuple, list)) or len(position) != 2:
        raise ValueError(f"position must be (row, column), got {position!r}")
    pads, window = [], []
    for axis, name in enumerate(("row", "column")):
        kernel, step, spread = weight_shape[2 + axis], strides[axis], dilations[axis]
        pad = geometry.resolve_padding(paddings[axis], kernel, step, spread)
        size = geometry.output_size_padded(x_shape[1 + axis], kernel, step, pad, spread)
        if size != output_shape[1 + axis]:
            raise ValueError(f"output must have {_many(size, name)}, got shape {output_shape}")
        first = step * _index(f"position {name}", position[axis], size)
        pads.append(pad)
        window.append(slice(first, first + spread * (kernel - 1) + 1, spread))
    return pads, tuple(window)


def _sum_in_words(sums, bias, out_channel, position, output):
    """``"12 + 3 − 1 = 14"``, one term per channel read; ValueError if that is not the number in ``output``."""
    offset = [] if bias is None else [_array("bias", bias, 1)]
    if offset and len(offset[0]) != len(output):
        raise ValueError(f"bias must have {len(output)} values, got {len(offset[0])}")
    offset = [values[out_channel] for values in offset]
    shown, total = output[out_channel, *position], sums.sum() + sum(offset)
    if not np.isclose(shown, total, rtol=1e-4, atol=1e-4):
        raise ValueError(f"output[{out_channel}] at {tuple(position)} is {shown}, but what is drawn adds up to {total}")
    terms = [_number(term) for term in (*sums, *offset)]
    words = " + ".join(terms).replace("+ −", "− ") if len(terms) <= 6 else f"sum over {len(sums)} channels"
    return f"{words}{' (bias)' if offset else ''} = {_number(shown)}" if len(terms) > 1 else _number(shown)


def _draw_padded(sheet, x, padded, pads, lit):
    """The input maps with their padding and the lit windows."""
    border = np.pad(np.zeros(x.shape, dtype=bool), ((0, 0), *pads), constant_values=True)
    around = f", padded with 0 to {padded.shape[1]} × {padded.shape[2]}" if border.any() else ""
    sheet.write(f"input: {_shape(x)}{around}")
    lefts, _ = _side_by_side(padded)
    sheet.names(lefts, padded.shape[2], _channels(x))
    sheet.maps(padded, "input", lefts, lit, border)
    sheet.y += 0.3 * sheet.line


def _draw_filter(sheet, padded, kernels, out_channel, reads, sums):
    """The kernels (C_in/groups, K_h, K_w), each below the map it reads, and below each the sum of its products."""
    height, width = kernels.shape[1:]
    sheet.write(f"× filter of output channel {out_channel}: {_shape(kernels, 'kernel')}")
    sheet.y += 0.3 * sheet.line
    lefts = [left + (padded.shape[2] - width) / 2 for left in _side_by_side(padded)[0]]
    read = [left for left, yes in zip(lefts, reads, strict=True) if yes]
    for left in [left for left, yes in zip(lefts, reads, strict=True) if not yes]:
        sheet.add(Rectangle((left, sheet.y), width, height, **EMPTY))
    sheet.maps(kernels, "kernel", read, lit=np.ones(kernels.shape, dtype=bool))
    words = iter(sums)
    words = [f"sum {_number(next(words))}" if yes else "none" for yes in reads]
    sheet.names(_side_by_side(padded)[0], padded.shape[2], words)
    feet, bus = [left + width / 2 for left in read], sheet.y + 0.4 * sheet.line
    sheet.flow([[(foot, sheet.y), (foot, bus)] for foot in feet] + [[(feet[0], bus), (feet[-1], bus)]])
    sheet.y += 0.5 * sheet.line


def _draw_output(sheet, output, place, words):
    """The sums added up, and the output maps with the one cell that they make lit."""
    channel, row, column = place
    sheet.write(f"added up: {words} → channel {channel}, row {row}, column {column}")
    sheet.y += 0.3 * sheet.line
    sheet.write(f"output: {_shape(output)}")
    lefts, _ = _side_by_side(output)
    sheet.names(lefts, output.shape[2], _channels(output))
    lit = np.zeros(output.shape, dtype=bool)
    lit[channel, row, column] = True
    sheet.maps(output, "output", lefts, lit)


def draw_pair(x, depthwise_weight, intermediate, pointwise_weight, output):
    """Draw depthwise then pointwise as the pair they are: who reads whom, with every kernel between the maps.

    ``x`` is (C_in, H, W), ``depthwise_weight`` (C_mid, 1, K_h, K_w), ``intermediate`` (C_mid, H_mid, W_mid),
    ``pointwise_weight`` (C_out, C_mid, 1, 1), ``output`` (C_out, H_mid, W_mid), where C_mid is C_in times the depth
    multiplier. Each intermediate map reads one input map, each output map all intermediate ones. Returns the Axes.

    Raises ValueError if the shapes do not fit together. Chapter: depthwise_separable_convolution.
    """
    x, middle, output = _array("x", x, 3), _array("intermediate", intermediate, 3), _array("output", output, 3)
    kernels = _array("depthwise_weight", depthwise_weight, 4)
    filters = _array("pointwise_weight", pointwise_weight, 4)
    wanted = (len(middle), 1), (len(output), len(middle), 1, 1), middle.shape[1:]
    if (kernels.shape[:2], filters.shape, output.shape[1:]) != wanted or len(middle) % len(x):
        shapes = f"x {x.shape}, depthwise {kernels.shape}, intermediate {middle.shape}, pointwise {filters.shape}"
        raise ValueError(f"shapes do not make a pair: {shapes}, output {output.shape}")
    kernels, filters = kernels[:, 0], filters[:, :, 0]  # (C_mid, K_h, K_w) and (C_out, C_mid, 1)

    multiplier = len(middle) // len(x)
    pitch = GAP + max(middle.shape[2], kernels.shape[2], x.shape[2] / multiplier)
    out_pitch = GAP + max(output.shape[2], len(middle))
    columns = max(len(middle) * pitch, len(output) * out_pitch) - GAP
    rows = x.shape[1] + kernels.shape[1] + middle.shape[1] + 1 + output.shape[1]
    sheet = _Sheet(None, columns + _margin(columns), rows, lines=7)
    centers = _margin(columns) + (np.arange(len(middle)) + 0.5) * pitch - GAP / 2
    sources = centers.reshape(-1, multiplier).mean(axis=1).repeat(multiplier)  # of the maps that those read
    _draw_depthwise_half(sheet, x, kernels, middle, sources, centers)
    out_centers = _margin(columns) + (np.arange(len(output)) + 0.5) * out_pitch - GAP / 2
    _draw_pointwise_half(sheet, filters, output, centers, out_centers)
    return sheet.axes


def _draw_depthwise_half(sheet, x, kernels, middle, sources, centers):
    """Input maps, then for each intermediate map its kernel, then the intermediate maps."""
    sheet.row(x, "input", "input\n{} channels\n{} × {}", sources[:: len(middle) // len(x)], named=True)
    sheet.arrive(sources, centers)
    sheet.row(kernels, "kernel", "depthwise\n{} kernels\n{} × {}", centers)
    sheet.row(middle, "intermediate", "intermediate\n{} channels\n{} × {}", centers, named=True)


def _draw_pointwise_half(sheet, filters, output, centers, out_centers):
    """For each output map its 1x1 kernels in a row, one for each intermediate map, and the output maps below."""
    count = len(centers)
    ends = [center - count / 2 + index + 0.5 for center in out_centers for index in range(count)]
    sheet.arrive(np.tile(centers, len(output)), ends, lines=2)
    sheet.row(filters[:, None, :, 0], "kernel", f"pointwise\n{{}} × {count} kernels\n1 × 1", out_centers)
    sheet.row(output, "output", "output\n{} channels\n{} × {}", out_centers, named=True)


# ----------------------------------------------------------------------------------------- who reads whom, and weights


def draw_connectivity(in_channels, out_channels, groups=1, ax=None):
    """Draw which output channel reads which input channels: one line for each kernel, C_out * C_in / groups in all.

    Returns the Axes. Raises ValueError if ``groups`` does not divide both counts. Chapter: group_convolution.
    """
    reads = _reads(in_channels, out_channels, groups)
    height, width = 6.5 * LINE, 72 * WIDTH
    axes = _plane(ax, width, height, unit=1)
    title = f"groups = {groups}: each output reads {in_channels // groups} of {_many(in_channels, 'input')}"
    axes.text(0, 0.5 * LINE, title, va="center", fontsize=TEXT, weight="bold")
    slot = (width - MARGIN) / groups
    for group in range(groups):
        corner = MARGIN + group * slot + 2, 1.2 * LINE
        band = Rectangle(corner, slot - 4, 5.3 * LINE, fc="0.93", ec="none", label=f"group {group}")
        _put(axes, band, zorder=0)
        axes.text(MARGIN + (group + 0.5) * slot, 1.75 * LINE, str(group), ha="center", va="center", fontsize=SMALL)
    _draw_wiring(axes, [reads], MARGIN, 2.9 * LINE, width - MARGIN, drop=2.8 * LINE)
    rows = ("group", 1.75), ("input channel", 2.9), (_many(int(reads.sum()), "kernel"), 4.3), ("output channel", 5.7)
    for words, row in rows:
        axes.text(0, row * LINE, words, va="center", fontsize=SMALL + 1)
    return axes


def draw_connectivity_walk(in_channels, out_channels, groups_list):
    """Draw ``draw_connectivity`` once for each number of groups, one below the other; returns the Figure.

    With ``groups_list`` from 1 up to ``in_channels``: the walk from standard through grouped to depthwise convolution.
    Raises ValueError if one of them does not divide both counts. Chapter: group_convolution.
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


def _draw_wiring(axes, stages, left, top, width, drop, copies=0):
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
            _put(axes, LineCollection(ends, lw=thick, colors=color, ls=dash, label=label), zorder=2)
    for level, (role, centers) in enumerate(zip(roles, places, strict=True)):
        for channel, center in enumerate(centers):
            corner, style = (center - node / 2, top + level * drop - node / 2), {"ec": COLORS[role], "lw": 1.5}
            face, name = _tint(COLORS[role], 0.25), f"{role} {channel}"
            _put(axes, Rectangle(corner, node, node, fc=face, label=name, **style))
            if 0.7 * node >= SMALL - 1:
                style = {"ha": "center", "va": "center_baseline", "fontsize": min(SMALL + 1, 0.7 * node)}
                axes.text(center, top + level * drop, str(channel), **style)


def draw_kernel_matrix(weight, ax=None, title=None):
    """Draw a dense weight (C_out, C_in, K_h, K_w) as C_out rows of C_in kernels; kernels of zeros are hatched, empty.

    Orange is positive, grey negative, with numbers (or a dash on negative weights) where they can be read. For a
    grouped weight pass the dense one that it equals, ``functional.dense_weight``. Returns the Axes.

    Raises ValueError for another rank, or for more than ``LARGEST_MATRIX`` weights. Chapter: group_convolution.
    """
    weight = _array("weight", weight, 4)
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
        cell = _cell_size(ax, in_channels * right, out_channels * down, lines=0)
    number_size, largest = _number_size(weight, cell), np.abs(weight).max() or 1
    scale = Normalize(-largest, largest)
    for out_channel, in_channel in np.ndindex(out_channels, in_channels):
        corner, name = (in_channel * right, out_channel * down), f"kernel {out_channel} {in_channel}"
        _draw_tile(ax, weight[out_channel, in_channel], *corner, scale, number_size, name)
    if not number_size:
        _mark_negative(ax, weight, cell)
    _label_matrix(ax, out_channels, in_channels, down, right)
    ax.set_title(title or "", fontsize=TEXT, weight="bold", loc="left")
    bar = ax.figure.colorbar(matplotlib.cm.ScalarMappable(scale, WEIGHTS), ax=ax, fraction=0.05, pad=0.03)
    bar.set_label("weight (no unit)" + ("" if number_size else ", dash: negative"), fontsize=TEXT)
    bar.ax.tick_params(labelsize=SMALL)
    return ax


def _draw_tile(axes, kernel, left, top, scale, number_size, name):
    """One kernel (K_h, K_w) of a kernel matrix with its top left corner at ``(left, top)``."""
    height, width = kernel.shape
    if not kernel.any():
        _put(axes, Rectangle((left, top), width, height, **EMPTY))
        return
    edges = left + np.arange(width + 1), top + np.arange(height + 1)
    axes.pcolormesh(*edges, kernel, cmap=WEIGHTS, norm=scale, ec="white", lw=0.4, label=name, clip_on=False)
    _put(axes, Rectangle((left, top), width, height, fill=False, ec=COLORS["kernel"], lw=1.2))
    for row, column in np.ndindex(*kernel.shape) if number_size else ():
        middle, word = (left + column + 0.5, top + row + 0.5), _number(kernel[row, column])
        axes.text(*middle, word, ha="center", va="center_baseline", fontsize=number_size)


def _mark_negative(axes, weight, cell):
    """A dash on every negative weight (C_out, C_in, K_h, K_w), as grey print knows no sign."""
    out_channel, in_channel, row, column = np.nonzero(weight < 0)
    across, down = weight.shape[3] + 0.5, weight.shape[2] + 0.5
    places = in_channel * across + column + 0.5, out_channel * down + row + 0.5
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


def draw_kinds(in_channels=4, out_channels=6, kernel_size=3, groups=2, ratio=2, dw_kernel_size=3):
    """Draw the book on one page: for each kind of convolution who reads whom, its kernels, and how many weights.

    Standard, grouped, depthwise (which keeps ``in_channels``), pointwise, depthwise separable and ghost convolution
    (``ratio`` = s, ``dw_kernel_size`` = d; copies are dashed, and "=" in the matrix), without bias. Returns the Figure.

    Raises ValueError if ``groups`` or ``ratio`` does not divide the channels. Chapter: depthwise_separable_convolution.
    """
    if geometry.positive_int("out_channels", out_channels) % geometry.positive_int("ratio", ratio):
        raise ValueError(f"ratio must divide out_channels: got ratio={ratio}, out_channels={out_channels}")
    depthwise = _reads(in_channels, in_channels, in_channels), geometry.positive_int("kernel_size", kernel_size)
    pointwise = _reads(in_channels, out_channels, 1), 1
    intrinsic = out_channels // ratio  # each is copied, and read by ratio - 1 cheap kernels
    copies, cheap = np.eye(intrinsic), np.kron(np.eye(intrinsic), np.ones((ratio - 1, 1)))
    ghost = np.vstack([copies, cheap]).astype(bool), geometry.positive_int("dw_kernel_size", dw_kernel_size)
    kinds = {  # name -> stages of (who reads whom, kernel side), and the outputs that are copies
        "standard": ([(pointwise[0], kernel_size)], 0),
        f"grouped, {groups} groups": ([(_reads(in_channels, out_channels, groups), kernel_size)], 0),
        "depthwise": ([depthwise], 0),
        "pointwise": ([pointwise], 0),
        "depthwise separable": ([depthwise, pointwise], 0),
        "ghost": ([(_reads(in_channels, intrinsic, 1), kernel_size), ghost], intrinsic),
    }
    row = 5.8 * LINE
    axes = _plane(None, 72 * WIDTH, LINE + len(kinds) * row, unit=1)
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
    _draw_wiring(axes, [reads for reads, _ in stages], 150, top + 0.95 * LINE, 115, drop, copies)
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
            _put(axes, Rectangle((x, y), inner, inner, **EMPTY))
            if reads[out_channel, in_channel]:
                middle = x + inner / 2, y + inner / 2
                axes.text(*middle, "=", ha="center", va="center_baseline", fontsize=SMALL, weight="bold")
            continue
        _put(axes, Rectangle((x, y), inner, inner, fc=_tint(COLORS["kernel"], 0.5), ec=COLORS["kernel"], lw=1))
        _put(axes, _grid(x, y, (side, side), inner / side, ec=COLORS["kernel"]))


# --------------------------------------------------------------------------------------------- shares, curves, images


def draw_shares(parts, ax=None, unit="MACs", title=None):
    """Draw counts ``{label: count}`` as shares of one bar, each named with its percentage and its count in ``unit``.

    Returns the Axes. Raises ValueError without parts, for a negative count, or if all are 0. Chapter: cost_analysis.
    """
    counts = _array("parts", list(parts.values()), 1)
    if counts.min() < 0 or counts.sum() == 0:
        raise ValueError(f"parts must be at least 0 and not all 0, got {dict(parts)}")
    looks = _series(len(counts))
    if ax is None:
        height = len(counts) + 4.5  # lines: the names above, the bar, the axis below
        figure = plt.figure(figsize=(WIDTH, height * LINE / 72))
        ax = figure.add_axes((0, 2.4 / height, 1, 1.6 / height))
    left, shares = 0.0, 100 * counts / counts.sum()
    for (label, count), share, (color, _, _, hatch) in zip(parts.items(), shares, looks, strict=True):
        words = f"{label}: {_percent(share)}, {count:,} {unit}"
        ax.barh(0, share, left=left, height=1, color=_tint(color, 0.45), ec=color, hatch=hatch, lw=1, label=words)
        if share >= 12:
            style = {"ha": "center", "va": "center", "fontsize": TEXT, "bbox": {"fc": "white", "ec": "none", "pad": 2}}
            ax.text(left + share / 2, 0, _percent(share), **style)
        left += share
    ax.set(xlim=(0, 100), ylim=(-0.5, 0.5), yticks=[])
    ax.set_xlabel(f"share of {sum(parts.values()):,} {unit} (%)", fontsize=TEXT)
    ax.tick_params(labelsize=SMALL + 1)
    ax.spines[["left", "right", "top"]].set_visible(False)
    legend = ax.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.3, frameon=False, fontsize=TEXT)
    legend.set_title(title, prop={"size": TEXT, "weight": "bold"})
    legend.set_alignment("left")
    return ax


def _percent(share):
    """A share in percent to one decimal, or two digits where it is below 1 %, so that no share reads 0.0."""
    return f"{share:.1f} %" if share >= 1 else f"{share:.2g} %"


def _series(count):
    """The looks of ``count`` curves or shares; ValueError where they could not be told apart any more."""
    if count > len(SERIES):
        raise ValueError(f"at most {len(SERIES)} can be told apart in one picture, got {count}")
    return SERIES[:count]


def draw_curves(x, curves, ax=None, xlabel="", ylabel="", title=None, log=""):
    """Draw lines ``{label: y}`` over ``x``, each with its own dash, marker and, at its right end, its name.

    ``log`` is ``""``, ``"x"`` (powers of 2), ``"y"`` (powers of 10) or ``"xy"``. Axis labels should carry the unit.
    Returns the Axes.

    Raises ValueError if a curve is not as long as ``x``, or a logarithm is asked of a value that is not positive.
    Chapter: cost_analysis.
    """
    x, curves, looks = *_curves(x, curves, log), _series(len(curves))
    if ax is None:
        ax = plt.figure(figsize=(WIDTH, 0.6 * WIDTH)).add_subplot()
    every = max(1, len(x) // 12)  # points from marker to marker
    for (label, y), (color, line, marker, _) in zip(curves.items(), looks, strict=True):
        ax.plot(x, y, color=color, ls=line, marker=marker, markevery=every, ms=6, lw=2, label=label)
    if "x" in log:
        ax.set_xscale("log", base=2)
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
    x, curves = _array("x", x, 1), {label: _array(label, y, 1) for label, y in curves.items()}
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log must be '', 'x', 'y' or 'xy', got {log!r}")
    for label, y in curves.items():
        if y.shape != x.shape:
            raise ValueError(f"curve {label!r} has {len(y)} values, x has {len(x)}")
        if ("x" in log and x.min() <= 0) or ("y" in log and y.min() <= 0):
            raise ValueError(f"a logarithmic axis needs positive values, got {min(x.min(), y.min())} for {label!r}")
    return x, curves


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


def draw_images(maps, titles=None, columns=4, own_scale=False):
    """Draw the maps of a (C, H, W) array as grey images, black the smallest value; returns the Figure.

    All share one grey scale, shown at the right, unless ``own_scale`` gives each its own. ``titles`` are C words, by
    default the channel numbers.

    Raises ValueError for another rank or a wrong number of titles. Chapter: ghostnet.
    """
    maps = _array("maps", maps, 3)
    titles = _channels(maps) if titles is None else list(titles)
    if len(titles) != len(maps):
        raise ValueError(f"{len(titles)} titles for {len(maps)} maps")
    columns = min(geometry.positive_int("columns", columns), len(maps))
    rows = -(-len(maps) // columns)
    beside = 0.0 if own_scale else 0.8  # inches, for the grey scale
    side = min(2.0, (WIDTH - beside) / columns)
    size = columns * side + beside, rows * (side * maps.shape[1] / maps.shape[2] + LINE / 72)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for axes in grid.flat:
        axes.axis("off")
    for image, title, axes in zip(maps, titles, grid.flat, strict=False):
        scale = image if own_scale else maps
        shown = axes.imshow(image, cmap=GREYS, vmin=scale.min(), vmax=scale.max(), interpolation="none")
        axes.set_title(title, fontsize=SMALL + 1)
    if not own_scale:
        bar = figure.colorbar(shown, ax=grid, fraction=0.04)
        bar.set_label("value (no unit)", fontsize=TEXT)
        bar.ax.tick_params(labelsize=SMALL)
    else:
        figure.supxlabel("each map has its own grey scale", fontsize=TEXT)
    return figure
