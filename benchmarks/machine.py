"""What a time depends on besides the code: the machine, and what its operating system does during a call."""

import datetime
import mmap
import os
import platform
import statistics
from pathlib import Path

import torch

try:
    import resource
except ImportError:  # Windows
    resource = None


def machine():
    """What a measurement of today depends on, as a dict: torch, processor, its vectors, cores, GPU, date.

    ``vectors`` is the instruction set that torch uses; ``gpu`` is empty where torch sees none. The number of threads
    is not in it: it belongs to each measurement.
    """
    return {
        "torch": torch.__version__,
        "processor": _processor(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "",
        "date": datetime.date.today().isoformat(),
    }


def _processor():
    """The name that Linux has for it, elsewhere the one that Python has."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def page_faults(function, calls=3, warm_up=2):
    """How often one call makes the operating system provide a page of memory: the median of some calls.

    A program gets memory in pages, usually of 4096 bytes, and the system fills a page with zeros when it is first
    touched. A function that gives its memory back and asks anew in each call pays for that each time. None where the
    system does not count: Windows, and some sandboxes, which report 0 whatever happens. Raises ValueError for
    ``calls`` below 1.
    """
    if calls < 1:
        raise ValueError(f"calls must be at least 1, got {calls}")
    if resource is None or not _faults_of(_touch_new_pages):
        return None
    for _ in range(warm_up):
        function()
    return int(statistics.median(_faults_of(function) for _ in range(calls)))


def _faults_of(function):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    function()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _touch_new_pages(count=16):
    """Faults that nothing can avoid: by them one sees whether the system counts at all."""
    with mmap.mmap(-1, count * mmap.PAGESIZE) as memory:
        for page in range(count):
            memory[page * mmap.PAGESIZE] = 1
