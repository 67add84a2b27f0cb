"""Fair timing of a few functions, on the CPU or a GPU. Times are seconds; no setting outlives a call.

A time holds for one machine at one moment: quote it with the number of calls and their spread.
"""

import contextlib
import statistics
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F

LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


@dataclass(frozen=True)
class Timing:
    """The times of all calls of one function, in seconds, in the order in which they were taken.

    ``median`` is the time to quote. ``q1`` and ``q3`` are its spread: a quarter of the calls was faster than the one,
    a quarter slower than the other.
    """

    seconds: tuple

    @property
    def calls(self):
        return len(self.seconds)

    @property
    def median(self):
        return statistics.median(self.seconds)

    @property
    def q1(self):
        return self._quartile(0)

    @property
    def q3(self):
        return self._quartile(2)

    def _quartile(self, index):
        if self.calls == 1:
            return self.seconds[0]
        return statistics.quantiles(self.seconds, n=4, method="inclusive")[index]


def seconds_of(function):
    """Seconds that one call takes by the clock on the wall; right where the work is done when the call returns."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def measure(functions, seconds=1.0, at_least=7, at_most=201, warm_up=2, untimed=1, stopwatch=seconds_of):
    """Time functions against each other: ``{name: function}`` in, ``{name: Timing}`` out.

    First come ``warm_up`` calls of each that do not count. Then the functions take turns, every second round backwards,
    so that a slow moment of the machine meets all of them. A turn is ``untimed`` calls and a timed one.

    ``seconds``: it ends when all timed calls together have taken so long, after ``at_least`` rounds and before
    ``at_most``. ``stopwatch(function)`` returns the seconds of one call. Raises
    ValueError without functions and for numbers of calls that do not fit.
    """
    if not functions or not 1 <= at_least <= at_most or min(warm_up, untimed) < 0:
        raise ValueError(
            f"needs functions, 1 <= at_least <= at_most, warm_up >= 0 and untimed >= 0, got {list(functions)}, "
            f"{at_least}, {at_most}, {warm_up}, {untimed}"
        )
    for function in list(functions.values()) * warm_up:
        stopwatch(function)
    times, names = {name: [] for name in functions}, list(functions)
    spent, rounds = 0.0, 0
    while rounds < at_least or (rounds < at_most and spent < seconds):
        for name in names if rounds % 2 == 0 else reversed(names):
            for _ in range(untimed):  # so that it finds in the caches what it left there itself
                functions[name]()
            times[name].append(stopwatch(functions[name]))
            spent += times[name][-1]
        rounds += 1
    return {name: Timing(tuple(taken)) for name, taken in times.items()}


def stopwatch_for(device="cpu"):
    """The function that times one call on this device: the clock, or for ``"cuda"`` marks in the GPU's queue.

    Raises ValueError for a device that is neither.
    """
    kind = torch.device(device).type
    if kind not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu or cuda, got {device!r}")
    return _seconds_on_gpu if kind == "cuda" else seconds_of


def _seconds_on_gpu(function):
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()  # what was asked for before must not be timed
    start.record()
    function()
    end.record()
    end.synchronize()  # a call returns before the GPU is done
    return start.elapsed_time(end) / 1e3


@contextlib.contextmanager
def threads(count):
    """Let torch compute with ``count`` threads inside a ``with`` block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def inputs(channels, size, batch=1, layout="contiguous", device="cpu", dtype=torch.float32, kernel_size=3):
    """Random numbers for :func:`convolutions`: ``x`` and the weights ``dense``, ``depthwise`` and ``pointwise``.

    ``x`` is ``(batch, channels, size, size)``, and the layers keep the number of channels. ``layout`` is one of
    ``LAYOUTS``: ``"contiguous"`` stores map after map, ``"channels_last"`` pixel after pixel. Raises ValueError for
    another layout and for an even kernel.
    """
    if layout not in LAYOUTS or kernel_size % 2 == 0:
        raise ValueError(f"layout must be one of {list(LAYOUTS)} and kernel_size odd, got {layout!r}, {kernel_size}")
    shapes = {
        "x": (batch, channels, size, size),
        "dense": (channels, channels, kernel_size, kernel_size),
        "depthwise": (channels, 1, kernel_size, kernel_size),
        "pointwise": (channels, channels, 1, 1),
    }
    return {
        name: torch.randn(shape, device=device, dtype=dtype).to(memory_format=LAYOUTS[layout])
        for name, shape in shapes.items()
    }


def convolutions(x, dense, depthwise, pointwise):
    """``dense``, ``depthwise``, ``pointwise`` and ``pair`` (depthwise, then pointwise) as functions to be timed.

    Stride 1, the size kept, no bias. Call them under ``torch.inference_mode()``, or torch also prepares for gradients.
    """
    padding, channels = depthwise.shape[-1] // 2, x.shape[1]
    return {
        "dense": lambda: F.conv2d(x, dense, padding=padding),
        "depthwise": lambda: F.conv2d(x, depthwise, padding=padding, groups=channels),
        "pointwise": lambda: F.conv2d(x, pointwise),
        "pair": lambda: F.conv2d(F.conv2d(x, depthwise, padding=padding, groups=channels), pointwise),
    }


def attainable(intensity, flops_per_second, bytes_per_second):
    """FLOPs per second that a layer of this arithmetic intensity (FLOPs per byte) can reach.

    ``min(flops_per_second, intensity * bytes_per_second)``, the lower of two roofs. Raises ValueError for a number that
    is not positive. Source: Williams et al. 2009, "The Roofline Model".
    """
    if not (intensity > 0 and flops_per_second > 0 and bytes_per_second > 0):
        raise ValueError(f"all must be positive, got {intensity}, {flops_per_second}, {bytes_per_second}")
    return min(flops_per_second, intensity * bytes_per_second)
