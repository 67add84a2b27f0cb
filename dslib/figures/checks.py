"""Arguments checked, and numbers and shapes put into words: what every drawing needs before it draws."""

import numpy as np

from .. import geometry


def checked_array(name, values, ndim):
    """The values as a float array with ``ndim`` axes, none of them empty, all finite; ValueError otherwise."""
    array = np.asarray(values, dtype=float)
    if array.ndim != ndim or array.size == 0:
        raise ValueError(f"{name} must have {ndim} axes, none of them empty, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def checked_index(name, value, size):
    """The value as an index below ``size``; ValueError otherwise, negative ones included."""
    number = geometry.positive_int(name, value, minimum=0)
    if number >= size:
        raise ValueError(f"{name} must be below {size}, got {number}")
    return number


def number_text(value):
    """A value as it is written: whole numbers in full, others to three digits, below 1e-9 (rounding errors) 0."""
    value = 0.0 if abs(value) < 1e-9 else value
    text = f"{value:.0f}" if value == round(value) else f"{value:.3g}"
    return text.replace("-", "−")


def count_text(count, noun):
    """A count and its noun, the latter in the plural where it must be."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shape_text(maps, noun="channel"):
    """The shape of a (C, H, W) array in words."""
    return f"{count_text(len(maps), noun)} of {maps.shape[1]} × {maps.shape[2]}"


def channel_names(maps):
    """The names of the channels of a (C, H, W) array."""
    return [f"channel {channel}" for channel in range(len(maps))]


def who_reads(in_channels, out_channels, groups):
    """Who reads whom: bool (C_out, C_in), True where the output channel has a kernel for the input channel."""
    geometry.check_groups(in_channels, out_channels, groups)
    block = np.ones((out_channels // groups, in_channels // groups))
    return np.kron(np.eye(groups), block).astype(bool)
