"""The convolutions that the book times, as functions without arguments, all on the same input."""

import torch
import torch.nn.functional as F

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def inputs(channels, size, batch=1, layout="contiguous", device="cpu", dtype=torch.float32, kernel_size=3):
    """Random numbers for :func:`convolutions`: ``x`` and the weights ``dense``, ``depthwise``, ``pointwise``.

    ``x`` is ``(batch, channels, size, size)``; as many channels go out. ``layout`` is ``"contiguous"`` (in memory map
    after map) or ``"channels_last"`` (pixel after pixel). Raises ValueError for another layout and for an even kernel.
    Chapter: theory_and_silicon.
    """
    if layout not in LAYOUTS or kernel_size % 2 == 0:
        raise ValueError(f"layout must be one of {list(LAYOUTS)} and kernel_size odd, got {layout!r}, {kernel_size}")
    shapes = {
        "x": (batch, channels, size, size),
        "dense": (channels, channels, kernel_size, kernel_size),
        "depthwise": (channels, 1, kernel_size, kernel_size),
        "pointwise": (channels, channels, 1, 1),
    }
    memory_format = LAYOUTS[layout]
    return {
        name: torch.randn(shape, device=device, dtype=dtype).to(memory_format=memory_format)
        for name, shape in shapes.items()
    }


def convolutions(x, dense, depthwise, pointwise):
    """``dense``, ``depthwise``, ``pointwise`` and ``pair`` (depthwise, then pointwise) as functions to be timed.

    Stride 1, the size kept, no bias. Call them under ``torch.inference_mode()``, or torch also prepares for gradients.
    Chapter: theory_and_silicon.
    """
    padding, channels = depthwise.shape[-1] // 2, x.shape[1]
    return {
        "dense": lambda: F.conv2d(x, dense, padding=padding),
        "depthwise": lambda: F.conv2d(x, depthwise, padding=padding, groups=channels),
        "pointwise": lambda: F.conv2d(x, pointwise),
        "pair": lambda: F.conv2d(F.conv2d(x, depthwise, padding=padding, groups=channels), pointwise),
    }
