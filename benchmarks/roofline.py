"""The two roofs above every layer: how fast this machine multiplies, and how fast it moves numbers."""

from dataclasses import dataclass

import torch

from dslib.bench import Timing, convolutions, inputs, measure, stopwatch_for


@dataclass(frozen=True)
class Rate:
    """An amount of work, FLOPs or bytes, and the times that it took; ``per_second`` is by the median."""

    amount: int
    timing: Timing

    @property
    def per_second(self):
        return self.amount / self.timing.median


def matmul_rate(side=2048, device="cpu", dtype=torch.float32, **how):
    """FLOPs per second of the product of two square matrices, ``2 * side**3`` FLOPs: the machine at its best.

    ``how`` goes to :func:`measure`, here and below. Raises ValueError for a side below 1.
    """
    a, b, out = _arrays(3, (side, side), device, dtype)
    return _rate(lambda: torch.mm(a, b, out=out), 2 * side**3, device, how)


def convolution_rate(channels=256, size=56, device="cpu", dtype=torch.float32, **how):
    """FLOPs per second of a dense 3x3 convolution, channels_last: ``18 * channels**2 * size**2`` FLOPs.

    Where a library convolves better than it multiplies matrices, this is the machine at its best. Raises ValueError
    for channels or a size below 1.
    """
    if min(channels, size) < 1:
        raise ValueError(f"channels and size must be at least 1, got {channels}, {size}")
    dense = convolutions(**inputs(channels, size, layout="channels_last", device=device, dtype=dtype))["dense"]
    return _rate(dense, 18 * channels**2 * size**2, device, how)


def copy_rate(elements, device="cpu", dtype=torch.float32, **how):
    """Bytes per second of a copy: each element is read once and written once.

    Arrays far larger than the caches measure the memory, small ones a cache. What a processor moves besides (many read
    a line before they write it) is not counted. Raises ValueError below 1 element.
    """
    source, target = _arrays(2, (elements,), device, dtype)
    return _rate(lambda: target.copy_(source), 2 * elements * source.element_size(), device, how)


def add_rate(elements, device="cpu", dtype=torch.float32, **how):
    """Bytes per second of a sum of two arrays: two elements are read and one written. As :func:`copy_rate`."""
    a, b, out = _arrays(3, (elements,), device, dtype)
    return _rate(lambda: torch.add(a, b, out=out), 3 * elements * a.element_size(), device, how)


def _arrays(count, shape, device, dtype):
    """Arrays of ones, all touched, so that every page of theirs is there before the clock runs."""
    if min(shape) < 1:
        raise ValueError(f"the size must be at least 1, got {shape}")
    return [torch.ones(shape, device=device, dtype=dtype) for _ in range(count)]


def _rate(function, amount, device, how):
    with torch.inference_mode():
        timing = measure({"it": function}, **({"stopwatch": stopwatch_for(device)} | how))["it"]
    return Rate(amount, timing)
