"""Times of calls: warmed up, taken in turns, all of them kept."""

import contextlib
import statistics
import time
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timing:
    """The times of all calls of one function, in seconds, in the order in which they were taken.

    ``median`` is the time to quote, ``q1`` and ``q3`` (a quarter of the calls is faster, a quarter slower) are its
    spread; ``calls`` says how many there are. Chapter: theory_and_silicon.
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


def _seconds_on_gpu(function):
    """Seconds between two marks in the GPU's queue, one before the call's work and one after it."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()  # what was asked for before must not be timed
    start.record()
    function()
    end.record()
    end.synchronize()  # a call returns before the GPU is done
    return start.elapsed_time(end) / 1e3


def stopwatch_for(device="cpu"):
    """The function that times one call on this device: the clock, or for ``"cuda"`` marks in the GPU's queue.

    With marks a call's time begins when the idle GPU gets its first work, so the time in which it waits for the
    processor to send the next piece is in it. Raises ValueError for a device that is neither. Chapter:
    theory_and_silicon.
    """
    kind = torch.device(device).type
    if kind not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu or cuda, got {device!r}")
    return _seconds_on_gpu if kind == "cuda" else seconds_of


def measure(functions, seconds=1.0, at_least=7, at_most=201, warm_up=2, untimed=1, stopwatch=seconds_of):
    """Time functions against each other: ``{name: function}`` in, ``{name: Timing}`` out.

    First ``warm_up`` calls of each that do not count. Then round after round, each function in its turn, every second
    round backwards: a slow moment of the machine meets all, and none always follows the same other. A turn is
    ``untimed`` calls and a timed one, so that a function finds in the caches what it left there itself, as a layer
    finds what the layer before it wrote. It ends after ``at_most`` rounds, or once ``at_least`` rounds are done and all
    times together reach ``seconds``.

    ``stopwatch(function)`` returns the seconds of one call. Raises ValueError without functions and for numbers of
    calls that do not fit. Chapter: theory_and_silicon.
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
            for _ in range(untimed):
                functions[name]()
            times[name].append(stopwatch(functions[name]))
            spent += times[name][-1]
        rounds += 1
    return {name: Timing(tuple(taken)) for name, taken in times.items()}


@contextlib.contextmanager
def threads(count):
    """Let torch compute with ``count`` threads inside a ``with`` block. Chapter: theory_and_silicon."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
