"""How long counters take for the same networks, ours beside five others, on the same device.

    python -m benchmarks.counting_speed             some minutes; writes dscourse/measured/counting_speed.csv
    python -m benchmarks.counting_speed --dry-run   the same, and writes nothing

It needs what ``benchmarks.counting`` needs. Each counter gets a copy of the network and an input, on the meta device,
where there are shapes alone, or on the CPU. They take turns, each with a call that is not timed before the one that is;
the copy is not timed, what a counter copies itself is. ``ratio``: our median over that of the counter, so that below 1
ours is faster. A counter that cannot count on the meta device is left out there, and said. One thread.
"""

import argparse
import copy
import functools
import sys

import pandas as pd
import torch

from benchmarks.counters import TOOLS, Tool, quiet, take_back, torch_functions
from benchmarks.counting import networks
from benchmarks.machine import machine
from benchmarks.record import write
from dslib import bench
from dslib.counting import count

PEERS = ("FlopCounterMode", "calflops: MACs", "fvcore", "thop", "ptflops", "ptflops, aten")
DEVICES = ("meta", "cpu")


def counters():
    """The counters by name, ours first."""
    ours = Tool("dslib", lambda model, x: (count(model, x).macs,), {"count": 1})
    return {"count": ours} | {tool_name: tool for tool in TOOLS if (tool_name := next(iter(tool.per_mac))) in PEERS}


def seconds_of_a_count(function, model, x):
    """Seconds for one copy of the model, which some counters leave changed."""
    model, before = copy.deepcopy(model), torch_functions()
    with quiet(), torch.no_grad():
        seconds = bench.seconds_of(functools.partial(function, model, x))
    take_back(before)
    return seconds


def able(tools, model, x):
    """The counters that can count this."""
    found = {}
    for name, tool in tools.items():
        try:
            seconds_of_a_count(tool.call, model, x)
            found[name] = tool
        except Exception as error:  # whatever a tool raises where it finds no numbers
            if name == "count":
                raise
            print(f"  left out: {name}, {type(error).__name__}: {str(error).splitlines()[0][:90]}", flush=True)
    return found


def rows(seconds):
    """A row for each network, device and counter."""
    tools = counters()
    with quiet():
        cases = list(networks())
    for case in cases:
        for device in DEVICES:
            print(f"{case.name}, {device}", flush=True)
            model, x = copy.deepcopy(case.model).eval().to(device), torch.randn(case.input_size).to(device)
            found = able(tools, model, x)
            timings = bench.measure(
                {name: tool.call for name, tool in found.items()},
                seconds=seconds * len(found),
                untimed=0,
                stopwatch=functools.partial(seconds_of_a_count, model=model, x=x),
            )
            for name, timing in timings.items():
                times = {f"{part}_ms": round(1e3 * getattr(timing, part), 3) for part in ("q1", "median", "q3")}
                ratio = timings["count"].median / timing.median
                row = {"case": case.name, "device": device, "tool": name, "version": found[name].version}
                yield row | {"calls": timing.calls} | times | {"ratio": round(ratio, 3), "threads": 1}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--seconds", type=float, default=3, help="for each counter, network and device")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    conditions = machine() | {"command": "python -m benchmarks.counting_speed"}
    found = [row | conditions for row in rows(options.seconds)]
    shown = pd.DataFrame(found)[["case", "device", "tool", "calls", "median_ms", "ratio"]]
    print(shown.to_string(index=False))
    slower = shown[shown["ratio"] > 1]
    print(f"ours is slower in {len(slower)} of {len(shown) - len(DEVICES) * shown['case'].nunique()} comparisons")
    if not options.dry_run:
        print(f"written: {write('counting_speed', found)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
