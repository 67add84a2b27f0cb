"""Maps with their channels: as numbers, as a stack of cards, as grey images."""

import matplotlib.pyplot as plt
import numpy as np

from .. import geometry
from .checks import channel_names, checked_array, checked_index, shape_text
from .sheet import Sheet, fitting_cell, fitting_size, left_margin, side_by_side
from .style import COLORS, GREYS, LINE, SMALL, TEXT, WIDTH


def draw_maps(values, role, ax=None, title=None, highlight=None, show_values=None):
    """Draw a (C, H, W) array as C maps: side by side with their numbers, or as a stack of cards, channel 0 in front.

    ``role`` is a key of ``COLORS``. ``highlight`` is ``(rows, columns, channels)``: two slices and the numbers of the
    channels in which those cells are lit. ``show_values`` asks for numbers (True) or cards (False); by default there
    are numbers where they can be read. Returns the Axes.

    Raises ValueError for another rank, an unknown role, a highlight outside the maps, or if numbers are asked for that
    could not be read.
    """
    values = checked_array("values", values, 3)
    if role not in COLORS:
        raise ValueError(f"role must be one of {', '.join(COLORS)}, got {role!r}")
    lit = _lit(values.shape, highlight)
    title = title or f"{role}: {shape_text(values)}"
    lefts, columns = side_by_side(values)
    readable = fitting_size(values, fitting_cell(ax, columns, values.shape[1], 2)) > 0
    if show_values and not readable:
        raise ValueError(f"no room for readable numbers in maps of shape {values.shape}; pass show_values=False")
    if not readable or show_values is False:
        return _draw_cards(role, ax, title, lit)
    sheet = Sheet(ax, columns, rows=values.shape[1], lines=2)
    sheet.write(title)
    sheet.names(lefts, values.shape[2], channel_names(values))
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
        lit[checked_index("highlight channel", channel, shape[0]), rows, columns] = True
    return lit


def _draw_cards(role, axes, title, lit):
    """The maps one behind the other, from channel 0 in front at the lower left to the last one at the back."""
    channels, height, width = lit.shape
    step = width * min(0.16, 0.6 / channels)  # cells from card to card
    depth = step * (channels - 1)
    columns = width + depth
    sheet = Sheet(axes, columns + left_margin(columns), rows=height + depth, lines=1.5)
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


def draw_images(maps, titles=None, columns=4, own_scale=False):
    """Draw the maps of a (C, H, W) array as grey images, black the smallest value; returns the Figure.

    All share one grey scale, shown at the right, unless ``own_scale`` gives each its own. ``titles`` are C words, by
    default the channel numbers.

    Raises ValueError for another rank or a wrong number of titles.
    """
    maps = checked_array("maps", maps, 3)
    titles = channel_names(maps) if titles is None else list(titles)
    if len(titles) != len(maps):
        raise ValueError(f"{len(titles)} titles for {len(maps)} maps")
    maps = _without_last_bits(maps)
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


def _without_last_bits(maps):
    """The maps rounded to nine digits of their range, so that processors that add in another order draw the same."""
    span = maps.max() - maps.min()
    return np.round(maps, 9 - int(np.ceil(np.log10(span)))) if span else maps
