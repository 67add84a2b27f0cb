"""One step of a convolution, and the two halves of a separable one, with all the numbers that go in."""

import numpy as np
from matplotlib.patches import Rectangle

from .. import geometry
from .checks import channel_names, checked_array, checked_index, count_text, number_text, shape_text, who_reads
from .sheet import GAP, Sheet, left_margin, side_by_side
from .style import EMPTY


def draw_convolution_step(
    x, weight, output, position, out_channel, groups=1, stride=1, padding=0, dilation=1, bias=None
):
    """Draw how one output number comes about: lit windows times the kernels below them, summed over the channels.

    ``x`` is (C_in, H, W), ``weight`` (C_out, C_in/groups, K_h, K_w), ``output`` (C_out, H_out, W_out), ``bias`` None
    or (C_out,); ``position`` is the (row, column) of the number in ``output[out_channel]``. Groups, stride, padding
    (pixels, or ``'same'``) and dilation as in torch. Returns the Axes.

    Raises ValueError if sizes, groups or position do not fit, or if the number in ``output`` is not the sum of what is
    drawn: a picture never contradicts its own numbers.
    """
    x, weight, output = checked_array("x", x, 3), checked_array("weight", weight, 4), checked_array("output", output, 3)
    reads = step_reads(x, weight, output, out_channel, groups)
    pads, window = step_window(x.shape, weight.shape, output.shape, position, stride, padding, dilation)
    padded = np.pad(x, ((0, 0), *pads))
    lit = np.zeros(padded.shape, dtype=bool)
    lit[:, *window] = reads[:, None, None]
    sums = (padded[:, *window][reads] * weight[out_channel]).sum(axis=(1, 2))
    words = sum_in_words(sums, bias, out_channel, position, output)

    columns = max(side_by_side(padded)[1], side_by_side(output)[1])
    sheet = Sheet(None, columns, rows=padded.shape[1] + weight.shape[2] + output.shape[1], lines=8)
    _draw_padded(sheet, x, padded, pads, lit)
    _draw_filter(sheet, padded, weight[out_channel], out_channel, reads, sums)
    _draw_output(sheet, output, (out_channel, *position), words)
    return sheet.axes


def step_reads(x, weight, output, out_channel, groups):
    """Bool (C_in,): the input channels that ``out_channel`` reads, once the channel counts are known to fit."""
    in_channels, out_channels = len(x), len(weight)
    reads = who_reads(in_channels, out_channels, groups)[checked_index("out_channel", out_channel, out_channels)]
    if weight.shape[1] != reads.sum() or len(output) != out_channels:
        shapes = f"x {x.shape}, weight {weight.shape}, output {output.shape}, groups {groups}"
        raise ValueError(f"channels do not fit: {shapes}")
    return reads


def step_window(x_shape, weight_shape, output_shape, position, stride, padding, dilation):
    """Padding ((top, bottom), (left, right)) and the slices of the padded map that ``position`` reads."""
    sizes, strides, pads, dilations = geometry.slide(x_shape[1:], weight_shape[2:], stride, padding, dilation)
    if not isinstance(position, (tuple, list)) or len(position) != 2:
        raise ValueError(f"position must be (row, column), got {position!r}")
    window = []
    for axis, name in enumerate(("row", "column")):
        if sizes[axis] != output_shape[1 + axis]:
            raise ValueError(f"output must have {count_text(sizes[axis], name)}, got shape {output_shape}")
        first = strides[axis] * checked_index(f"position {name}", position[axis], sizes[axis])
        window.append(slice(first, first + dilations[axis] * (weight_shape[2 + axis] - 1) + 1, dilations[axis]))
    return pads, tuple(window)


def sum_in_words(sums, bias, out_channel, position, output):
    """``"12 + 3 − 1 = 14"``, one term per channel read; ValueError if that is not the number in ``output``."""
    offset = [] if bias is None else [checked_array("bias", bias, 1)]
    if offset and len(offset[0]) != len(output):
        raise ValueError(f"bias must have {len(output)} values, got {len(offset[0])}")
    offset = [values[out_channel] for values in offset]
    shown, total = output[out_channel, *position], sums.sum() + sum(offset)
    if not np.isclose(shown, total, rtol=1e-4, atol=1e-4):
        raise ValueError(f"output[{out_channel}] at {tuple(position)} is {shown}, but what is drawn adds up to {total}")
    terms = [number_text(term) for term in (*sums, *offset)]
    words = " + ".join(terms).replace("+ −", "− ") if len(terms) <= 6 else f"sum over {len(sums)} channels"
    return f"{words}{' (bias)' if offset else ''} = {number_text(shown)}" if len(terms) > 1 else number_text(shown)


def _draw_padded(sheet, x, padded, pads, lit):
    """The input maps with their padding and the lit windows."""
    border = np.pad(np.zeros(x.shape, dtype=bool), ((0, 0), *pads), constant_values=True)
    around = f", padded with 0 to {padded.shape[1]} × {padded.shape[2]}" if border.any() else ""
    sheet.write(f"input: {shape_text(x)}{around}")
    lefts, _ = side_by_side(padded)
    sheet.names(lefts, padded.shape[2], channel_names(x))
    sheet.maps(padded, "input", lefts, lit, border)
    sheet.y += 0.3 * sheet.line


def _draw_filter(sheet, padded, kernels, out_channel, reads, sums):
    """The kernels (C_in/groups, K_h, K_w), each below the map it reads, and below each the sum of its products."""
    height, width = kernels.shape[1:]
    sheet.write(f"× filter of output channel {out_channel}: {shape_text(kernels, 'kernel')}")
    sheet.y += 0.3 * sheet.line
    lefts = [left + (padded.shape[2] - width) / 2 for left in side_by_side(padded)[0]]
    read = [left for left, yes in zip(lefts, reads, strict=True) if yes]
    for left in [left for left, yes in zip(lefts, reads, strict=True) if not yes]:
        sheet.add(Rectangle((left, sheet.y), width, height, **EMPTY))
    sheet.maps(kernels, "kernel", read, lit=np.ones(kernels.shape, dtype=bool))
    words = iter(sums)
    words = [f"sum {number_text(next(words))}" if yes else "none" for yes in reads]
    sheet.names(side_by_side(padded)[0], padded.shape[2], words)
    feet, bus = [left + width / 2 for left in read], sheet.y + 0.4 * sheet.line
    sheet.flow([[(foot, sheet.y), (foot, bus)] for foot in feet] + [[(feet[0], bus), (feet[-1], bus)]])
    sheet.y += 0.5 * sheet.line


def _draw_output(sheet, output, place, words):
    """The sums added up, and the output maps with the one cell that they make lit."""
    channel, row, column = place
    sheet.write(f"added up: {words} → channel {channel}, row {row}, column {column}")
    sheet.y += 0.3 * sheet.line
    sheet.write(f"output: {shape_text(output)}")
    lefts, _ = side_by_side(output)
    sheet.names(lefts, output.shape[2], channel_names(output))
    lit = np.zeros(output.shape, dtype=bool)
    lit[channel, row, column] = True
    sheet.maps(output, "output", lefts, lit)


def draw_pair(x, depthwise_weight, intermediate, pointwise_weight, output):
    """Draw depthwise then pointwise as the pair they are: who reads whom, with every kernel between the maps.

    ``x`` is (C_in, H, W), ``depthwise_weight`` (C_mid, 1, K_h, K_w), ``intermediate`` (C_mid, H_mid, W_mid),
    ``pointwise_weight`` (C_out, C_mid, 1, 1), ``output`` (C_out, H_mid, W_mid), where C_mid is C_in times the depth
    multiplier. Each intermediate map reads one input map, each output map all intermediate ones. Returns the Axes.

    Raises ValueError if the shapes do not fit together.
    """
    x, middle, output = (
        checked_array("x", x, 3),
        checked_array("intermediate", intermediate, 3),
        checked_array("output", output, 3),
    )
    kernels = checked_array("depthwise_weight", depthwise_weight, 4)
    filters = checked_array("pointwise_weight", pointwise_weight, 4)
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
    sheet = Sheet(None, columns + left_margin(columns), rows, lines=7)
    centers = left_margin(columns) + (np.arange(len(middle)) + 0.5) * pitch - GAP / 2
    sources = centers.reshape(-1, multiplier).mean(axis=1).repeat(multiplier)  # of the maps that those read
    _draw_depthwise_half(sheet, x, kernels, middle, sources, centers)
    out_centers = left_margin(columns) + (np.arange(len(output)) + 0.5) * out_pitch - GAP / 2
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
