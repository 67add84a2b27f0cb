"""How long things take on this machine, and what it could do at best.

``timing`` calls functions in turns and keeps every time; ``process`` gives a peer a Python process of its own;
``machine`` says where it was measured; ``roofline`` measures what arithmetic and memory can do; ``layers`` has the
convolutions that the book times. Times are seconds. Nothing is printed, and no setting outlives a call.

A time is true of one machine at one moment. Store it with ``machine()``, the number of calls and the spread.
Chapter: theory_and_silicon.
"""

from .layers import LAYOUTS, convolutions, inputs
from .machine import machine, page_faults
from .process import Worker
from .roofline import Rate, add_rate, attainable, convolution_rate, copy_rate, matmul_rate
from .timing import Timing, measure, seconds_of, stopwatch_for, threads

__all__ = [
    "LAYOUTS",
    "Rate",
    "Timing",
    "Worker",
    "add_rate",
    "attainable",
    "convolution_rate",
    "convolutions",
    "copy_rate",
    "inputs",
    "machine",
    "matmul_rate",
    "measure",
    "page_faults",
    "seconds_of",
    "stopwatch_for",
    "threads",
]
