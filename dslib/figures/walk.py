"""A convolution walked through, position by position: one small picture that the reader steps through in a browser."""

import hashlib
import json
from functools import partial
from html import escape

import numpy as np
from matplotlib.colors import to_hex

from .checks import channel_names, checked_array, count_text, number_text, shape_text
from .fragment import scripts_off, show_with_still
from .sheet import side_by_side
from .steps import draw_convolution_step, step_reads, step_window, sum_in_words
from .style import COLORS, tint
from .walk_page import BAR, CODE, LOOKS

CELL = 36  # pixels
ROW = 22  # pixels from one line of text to the next
LETTER = 8.6  # pixels that a letter of a head takes at most
WIDEST = 17  # cells across: on a phone 390 pixels wide, letters of 16 pixels are then still 9 pixels
LONGEST = 400  # steps
LETTERS = 5  # of a number that fits into a cell


def draw_convolution_walk(x, weight, output, groups=1, stride=1, padding=0, dilation=1, bias=None):
    """Draw a convolution that can be walked through: one step for each output number, with what it reads marked.

    The arguments are those of ``draw_convolution_step`` without a position: the walk visits every one, output channel
    by output channel, row by row. Returns a ``Walk``, which a notebook shows when it is the last line of a cell. It
    needs no running Python and no network; without JavaScript it is a still of the first step.

    Raises ValueError where ``draw_convolution_step`` does, for more than ``WIDEST`` cells across or ``LONGEST`` steps,
    and for numbers of more than ``LETTERS`` letters.
    """
    x, weight, output = checked_array("x", x, 3), checked_array("weight", weight, 4), checked_array("output", output, 3)
    if output.size > LONGEST:
        raise ValueError(f"at most {LONGEST} steps can be walked, output of shape {output.shape} has {output.size}")
    filters = [
        _filter(weight, step_reads(x, weight, output, channel, groups), channel) for channel in range(len(output))
    ]
    options = {"groups": groups, "stride": stride, "padding": padding, "dilation": dilation, "bias": bias}
    steps = [_step(x, weight, output, place, **options) for place in np.ndindex(*output.shape)]
    pads, _ = step_window(x.shape, weight.shape, output.shape, (0, 0), stride, padding, dilation)
    texts = [number_text(value) for value in output.flat]
    picture = _picture(x, pads, weight.shape[2:], output, filters[0], steps[0], _font_size(x, weight, output))
    draw_still = partial(draw_convolution_step, x, weight, output, (0, 0), 0, **options)
    return Walk(picture, filters, texts, steps, draw_still)


class Walk:
    """A walk as ``draw_convolution_walk`` returns it: a page fragment, the same on every run, and a still."""

    def __init__(self, picture, filters, outputs, steps, draw_still):
        """The first step's SVG, what the script needs for the others, and a function that draws the still."""
        self.picture, self.filters, self.outputs, self.steps = picture, filters, outputs, steps
        self.draw_still = draw_still

    def __repr__(self):
        return f"<walk of {count_text(len(self.steps), 'step')}>"

    def _ipython_display_(self):
        show_with_still(self, self.draw_still().figure)

    def _repr_html_(self):
        """The page fragment. Its key comes from the content, so that equal walks are equal and others do not clash."""
        data = [self.filters, self.outputs, self.steps]
        data = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        key = hashlib.sha256((self.picture + data).encode()).hexdigest()[:12]
        steps = count_text(len(self.steps), "step")
        return (
            f'<div class="dslib-walk" data-walk="{key}" role="group" aria-label="A convolution in {steps}">\n'
            f"<style>{LOOKS}</style>\n{scripts_off()}"
            f'<div class="picture" hidden="hidden">{self.picture}</div>\n'
            f'<p class="say" aria-live="polite">{escape(self.steps[0]["say"])}</p>\n'
            f"{BAR.format(count=len(self.steps))}\n"
            f'<script>({CODE})("{key}",...{data});</script>\n</div>'
        )


# ------------------------------------------------------------------------------------------------- what a step says


def _filter(weight, reads, out_channel):
    """What is written for the filter of an output channel: its head, and for each input channel a kernel or None."""
    kernels = iter([[number_text(value) for value in kernel.flat] for kernel in weight[out_channel]])
    kernels = [next(kernels) if yes else None for yes in reads]
    size = f"{count_text(weight.shape[1], 'kernel')} of {weight.shape[2]} × {weight.shape[3]}"
    return {"head": f"× filter {out_channel}: {size}", "kernels": kernels}


def _step(x, weight, output, place, groups, stride, padding, dilation, bias):
    """One step: its filter, the numbers of the marked input cells, the sums below the kernels, and it all in words."""
    out_channel, *position = place
    reads = step_reads(x, weight, output, out_channel, groups)
    pads, window = step_window(x.shape, weight.shape, output.shape, position, stride, padding, dilation)
    padded = np.pad(x, ((0, 0), *pads))
    lit = np.zeros(padded.shape, dtype=bool)
    lit[:, *window] = reads[:, None, None]
    pixels = padded[:, *window][reads]
    sums = (pixels * weight[out_channel]).sum(axis=(1, 2))
    words = sum_in_words(sums, bias, out_channel, position, output)
    below = iter(sums)
    return {
        "filter": out_channel,
        "lit": np.flatnonzero(lit).tolist(),
        "sums": [f"sum {number_text(next(below))}" if yes else "none" for yes in reads],
        "added": f"added up: {words}",
        "say": f"Output channel {out_channel}, row {position[0]}, column {position[1]} = "
        + _in_full(weight[out_channel], pixels, words, bias is not None),
    }


def _in_full(kernels, pixels, words, has_bias):
    """``"(1×1 + 0×2) + (3×4 + 1×5) = 1 + 17 = 18"``: every product, those of a channel in brackets, then the sums."""
    channels = [
        " + ".join(
            f"{_factor(weight)}×{_factor(pixel)}" for weight, pixel in zip(kernel.flat, window.flat, strict=True)
        )
        for kernel, window in zip(kernels, pixels, strict=True)
    ]
    if len(channels) > 1 and kernels[0].size > 1:
        channels = [f"({channel})" for channel in channels]
    if has_bias:
        channels.append("bias")
    return f"{' + '.join(channels)} = {words}"


def _factor(value):
    """A number in a product: negative ones in brackets."""
    return number_text(value) if value >= 0 else f"({number_text(value)})"


def _font_size(*arrays):
    """Pixels at which every number fits into its cell; ValueError where one is too long."""
    longest = max((number_text(value) for array in arrays for value in array.flat), key=len)
    if len(longest) > LETTERS:
        raise ValueError(f"numbers must fit into a cell, at most {LETTERS} letters, got {longest}")
    return min(16, int(1.5 * CELL / len(longest)))


# ---------------------------------------------------------------------------------------------------- the first step


def _picture(x, pads, kernel_size, output, filter_0, step, size):
    """The SVG of the first step. Its parts carry ``data-`` names, by which the script finds them again."""
    padded = np.pad(x, ((0, 0), *pads))
    lefts, columns = side_by_side(padded)
    columns = max(columns, side_by_side(output)[1])
    if columns > WIDEST:
        raise ValueError(f"{columns} cells across are too many to be read, at most {WIDEST}: input {x.shape}")
    border = np.pad(np.zeros(x.shape, dtype=bool), ((0, 0), *pads), constant_values=True)
    around = f", padded to {padded.shape[1]} × {padded.shape[2]}" if border.any() else ""
    head = f"input: {shape_text(x)}{around}"
    parts, y = [_words(0, ROW, head, "head")], 2 * ROW
    parts.append(_names(lefts, padded.shape[2], y, channel_names(x)))
    lit = np.isin(np.arange(padded.size), step["lit"]).reshape(padded.shape)
    texts = [number_text(value) for value in padded.flat]
    parts.append(_maps("input", lefts, y + 8, padded.shape, texts, lit, border, size))
    y += 8 + padded.shape[1] * CELL + 1.2 * ROW
    parts.append(_words(0, y, filter_0["head"], "head filter"))
    parts.append(_tiles(lefts, padded.shape[2], y + 8, kernel_size, filter_0["kernels"], size))
    y += 8 + kernel_size[0] * CELL + 0.9 * ROW
    middles = [(left + padded.shape[2] / 2) * CELL for left in lefts]
    parts += [_words(x, y, word, "sum") for x, word in zip(middles, step["sums"], strict=True)]
    parts.append(_words(0, y + 1.3 * ROW, step["added"], "head added"))
    y += 2.5 * ROW
    parts.append(_words(0, y, f"output: {shape_text(output)}", "head"))
    lefts, y = side_by_side(output)[0], y + ROW
    parts.append(_names(lefts, output.shape[2], y, channel_names(output)))
    lit = np.arange(output.size).reshape(output.shape) == 0
    texts = [number_text(output.flat[0]), *[""] * (output.size - 1)]
    parts.append(_maps("output", lefts, y + 8, output.shape, texts, lit, np.zeros_like(lit), size))
    longest = max(len(head), len(filter_0["head"]), len(step["added"]) + 4)  # later sums may have more digits
    width, height = max(columns * CELL, round(LETTER * longest)) + 4, y + 12 + output.shape[1] * CELL
    label = (
        f"Input: {shape_text(x)}{around}. Filter: {filter_0['head'].partition(': ')[2]}. Output: {shape_text(output)}. "
        "The cells that the step reads, its kernels and the number that it makes are marked; the text below says them."
    )
    box = f'viewBox="-2 0 {width} {height:g}" style="max-width:{width}px"'
    return f'<svg role="img" aria-label="{label}" {box}>\n' + "\n".join(parts) + "\n</svg>"


def _words(x, y, text, kind):
    """A line of text from ``(x, y)`` on."""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _names(lefts, width, y, words):
    """Words above maps ``width`` cells wide, their last parts alone where those are too narrow."""
    if max(map(len, words)) * 8 > (width + 1) * CELL:
        words = [word.split()[-1] for word in words]
    return "".join(_words((x + width / 2) * CELL, y, word, "name") for x, word in zip(lefts, words, strict=True))


def _look(role):
    """The four strengths of a role's colour, for the style sheet."""
    color = COLORS[role]
    strengths = {"c": 1, "lit": 0.55, "thin": 0.6, "soft": 0.2}
    return ";".join(f"--{name}:{to_hex(tint(color, strength))}" for name, strength in strengths.items())


def _cells(role, left, top, texts, states, size):
    """The cells of one map, rows of ``len(states[0])``: each a box with its number, ``states`` their classes."""
    drawn = []
    for text, (row, column) in zip(texts, np.ndindex(len(states), len(states[0])), strict=True):
        x, y = left * CELL + column * CELL, top + row * CELL
        box = f'<rect x="{x + 1.5:g}" y="{y + 1.5:g}" width="{CELL - 3}" height="{CELL - 3}"/>'
        text = f'<text x="{x + CELL / 2:g}" y="{y + CELL / 2 + 0.36 * size:g}">{text}</text>'
        drawn.append(f'<g class="{states[row][column]}" data-cell="{role}">{box}{text}</g>')
    frame = f'x="{left * CELL:g}" y="{top:g}" width="{len(states[0]) * CELL}" height="{len(states) * CELL}"'
    return "".join(drawn) + f'<rect class="frame" {frame}/>'


def _maps(role, lefts, top, shape, texts, lit, border, size):
    """The maps of an array of ``shape`` (C, H, W) side by side; ``lit`` and ``border`` are bool arrays of it."""
    states = np.where(lit, "cell lit", "cell").astype(object) + np.where(border, " pad", "")
    texts = np.reshape(np.array(texts, dtype=object), shape)
    maps = [
        f'<g data-map="{role} {channel}">{_cells(role, left, top, texts[channel].flat, states[channel], size)}</g>'
        for channel, left in enumerate(lefts)
    ]
    return f'<g style="{_look(role)};font-size:{size}px">' + "\n".join(maps) + "</g>"


def _tiles(lefts, width, top, kernel_size, kernels, size):
    """Below each input map the kernel that reads it, or a hatched tile: both are there, and one of them is shown."""
    height, across = kernel_size
    states, tiles = [["cell lit"] * across] * height, []
    for channel, (left, texts) in enumerate(zip(lefts, kernels, strict=True)):
        left += (width - across) / 2
        hidden = [' display="none"' if off else "" for off in (texts is None, texts is not None)]
        cells = _cells("kernel", left, top, texts or [""] * (height * across), states, size)
        tiles.append(f'<g data-tile="{channel}"{hidden[0]}>{cells}</g>')
        tiles.append(f'<path data-none="{channel}"{hidden[1]} d="{_hatch(left * CELL, top, across, height)}"/>')
    return f'<g style="{_look("kernel")};font-size:{size}px">' + "\n".join(tiles) + "</g>"


def _hatch(left, top, across, height):
    """The path of an empty tile: its frame, and slanted lines clipped to it."""
    wide, high = across * CELL, height * CELL
    path = f"M{left:g} {top:g}h{wide}v{high}h{-wide}z"
    for shift in range(12, wide + high, 12):  # from the left or lower edge to the upper or right one
        start, end = (max(0, shift - high), min(shift, high)), (min(shift, wide), max(0, shift - wide))
        path += f"M{left + start[0]:g} {top + start[1]:g}L{left + end[0]:g} {top + end[1]:g}"
    return path
