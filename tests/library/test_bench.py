"""dslib.bench: calls counted and clocks faked; no test asks how long anything takes."""

import datetime
import importlib
import itertools
import mmap
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from dscourse import measured
from dslib import bench, functional
from dslib.bench import timing


class FakeClock:
    """A stopwatch that calls the function and reads the times from a list, over and over."""

    def __init__(self, *seconds):
        self.seconds = itertools.cycle(seconds)
        self.names = []

    def __call__(self, function):
        self.names.append(function())
        return next(self.seconds)


def named(*names):
    return {name: lambda name=name: name for name in names}


# ---- timing


@pytest.mark.parametrize(
    "untimed, turns", [(0, ["a", "b", "c", "c", "b", "a", "a", "b", "c"]), (1, "aa bb cc cc bb aa aa bb cc".split())]
)
def test_measure_takes_turns_and_turns_around_after_a_warm_up(untimed, turns):
    called, timed = [], []
    functions = {name: lambda name=name: called.append(name) or name for name in "abc"}
    stopwatch = lambda function: timed.append(function()) or 1.0  # noqa: E731
    bench.measure(functions, seconds=0, at_least=3, warm_up=2, untimed=untimed, stopwatch=stopwatch)
    assert "".join(called) == "abcabc" + "".join(turns)
    assert "".join(timed) == "abcabc" + "abc" + "cba" + "abc"


def test_measure_keeps_every_time_but_those_of_the_warm_up():
    clock = FakeClock(9.0, 9.0, 1.0, 2.0, 3.0, 4.0)  # a b | a b | b a
    found = bench.measure(named("a", "b"), seconds=0, at_least=2, warm_up=1, stopwatch=clock)
    assert {name: it.seconds for name, it in found.items()} == {"a": (1.0, 4.0), "b": (2.0, 3.0)}


@pytest.mark.parametrize(
    "seconds, at_least, at_most, rounds",
    [(0, 5, 20, 5), (1e9, 5, 20, 20), (12.0, 1, 100, 6), (12.5, 1, 100, 7), (12.0, 9, 100, 9), (0, 1, 1, 1)],
)
def test_measure_ends_by_rounds_or_by_seconds(seconds, at_least, at_most, rounds):
    found = bench.measure(named("a", "b"), seconds, at_least, at_most, stopwatch=FakeClock(1.0))  # a round takes 2
    assert {it.calls for it in found.values()} == {rounds}


@pytest.mark.parametrize(
    "functions, settings",
    [
        ({}, {}),
        (named("a"), {"at_least": 0}),
        (named("a"), {"at_least": 5, "at_most": 4}),
        (named("a"), {"warm_up": -1}),
    ],
)
def test_measure_refuses_what_it_cannot_do(functions, settings):
    with pytest.raises(ValueError, match="needs functions, 1"):
        bench.measure(functions, **settings)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 101])
def test_timing_has_numpys_quartiles_and_the_order_of_the_calls(count):
    seconds = tuple(np.random.default_rng(count).random(count).tolist())
    found = bench.Timing(seconds)
    assert np.allclose([found.q1, found.median, found.q3], np.percentile(seconds, [25, 50, 75]), rtol=1e-12)
    assert (found.calls, found.seconds) == (count, seconds)


def test_seconds_of_reads_the_clock_around_one_call(monkeypatch):
    ticks, calls = iter([10.0, 12.5]), []
    monkeypatch.setattr(time, "perf_counter", lambda: calls.append("clock") or next(ticks))
    assert bench.seconds_of(lambda: calls.append("call")) == 2.5
    assert calls == ["clock", "call", "clock"]


class FakeGPU:
    """Stands in for torch.cuda: writes down what is asked of it; 3 milliseconds pass between two marks."""

    def __init__(self, log):
        self.log = log

    def synchronize(self):
        self.log.append("synchronize")

    def Event(self, enable_timing):
        assert enable_timing
        log = self.log

        class Event:
            def record(self):
                log.append("mark")

            def synchronize(self):
                log.append("wait")

            def elapsed_time(self, other):
                return 3.0

        return Event()


def test_gpu_is_waited_for_before_and_after_the_call(monkeypatch):
    log = []
    monkeypatch.setattr(timing.torch, "cuda", FakeGPU(log))
    assert bench.stopwatch_for("cuda:0")(lambda: log.append("call")) == pytest.approx(0.003)
    assert log == ["synchronize", "mark", "call", "mark", "wait"]


def test_stopwatch_for_other_devices():
    assert bench.stopwatch_for("cpu") is bench.stopwatch_for(torch.device("cpu")) is bench.seconds_of
    with pytest.raises(ValueError, match="meta"):
        bench.stopwatch_for("meta")


def test_threads_are_set_and_set_back_also_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), bench.threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


# ---- machine


def test_machine_says_what_it_is():
    found = bench.machine()
    assert list(found) == ["torch", "processor", "vectors", "cores", "gpu", "date"]
    assert found["torch"] == torch.__version__ and found["cores"] == os.cpu_count()
    assert found["date"] == datetime.date.today().isoformat()
    assert bool(found["gpu"]) == torch.cuda.is_available()
    assert found["processor"] and "\n" not in found["processor"]


def fill_new_memory(megabytes):
    with mmap.mmap(-1, megabytes * 2**20) as memory:  # numpy might find room that this process has freed
        memory.write(b"1" * len(memory))


def test_page_faults_are_those_of_one_call():
    megabytes = 64
    found = bench.page_faults(lambda: fill_new_memory(megabytes))
    pages = 2 * megabytes * 2**20 // mmap.PAGESIZE  # of the memory and of what is written
    huge = megabytes // 2  # where the system gives pages of 2 MB instead
    if found is None:  # a sandbox that counts nothing says so, whatever is called
        assert bench.page_faults(lambda: None) is None
    else:
        assert huge <= found <= 1.1 * pages + 50
        assert bench.page_faults(lambda: None) == 0


class Usage:
    """Stands in for ``resource``: its count of page faults takes the given values one after the other."""

    RUSAGE_SELF = 0

    def __init__(self, *counts):
        self.counts = iter(counts)

    def getrusage(self, who):
        return type("", (), {"ru_minflt": next(self.counts)})


def test_page_faults_calls_its_function_and_takes_the_median(monkeypatch):
    module, calls = importlib.import_module("dslib.bench.machine"), []  # in the package a function has this name
    monkeypatch.setattr(module, "resource", Usage(*(0, 16), *(20, 27, 30, 31, 40, 45)))
    assert bench.page_faults(lambda: calls.append(1), calls=3, warm_up=4) == 5  # of 7, 1 and 5
    assert len(calls) == 7
    with pytest.raises(ValueError, match="0"):
        bench.page_faults(lambda: None, calls=0)


@pytest.mark.parametrize("system", [None, Usage(3, 3)], ids=["has no count", "count stands still"])
def test_page_faults_of_a_system_that_does_not_count_are_none(monkeypatch, system):
    module = importlib.import_module("dslib.bench.machine")
    monkeypatch.setattr(module, "resource", system)
    assert bench.page_faults(lambda: pytest.fail("called")) is None


# ---- processes. What they run stands at the top of this file: a fresh process imports it from here.


def adder(start):
    if start is None:
        raise KeyError("no start")
    total = [start]

    def add(number):
        total[0] += number
        return total[0], os.getpid(), os.environ.get("OF_THE_WORKER")

    return add


def ender():
    return lambda: os._exit(3)


def test_worker_builds_once_in_another_process_and_answers_again_and_again():
    with bench.Worker(adder, 10) as worker:
        (first, process, _), (second, again, _) = worker(1), worker(2)
    assert (first, second) == (11, 13)
    assert process == again != os.getpid()


def test_worker_has_its_own_environment():
    assert "OF_THE_WORKER" not in os.environ
    with bench.Worker(adder, 0, environment={"OF_THE_WORKER": "yes"}) as worker:
        assert worker(0)[2] == "yes"
        assert "OF_THE_WORKER" not in os.environ


def test_environment_that_was_there_comes_back(monkeypatch):
    monkeypatch.setenv("OF_THE_WORKER", "before")
    with bench.Worker(adder, 0, environment={"OF_THE_WORKER": "yes"}) as worker:
        assert (worker(0)[2], os.environ["OF_THE_WORKER"]) == ("yes", "before")


def test_what_a_worker_raises_is_told_and_it_goes_on():
    with bench.Worker(adder, 1) as worker:
        with pytest.raises(RuntimeError, match="TypeError"):
            worker("a")
        assert worker(1)[0] == 2
    with pytest.raises(RuntimeError, match="KeyError: 'no start'"):
        bench.Worker(adder, None)


def test_worker_that_ends_or_is_closed_leaves_no_process():
    with bench.Worker(ender) as worker:
        with pytest.raises(RuntimeError, match="exit code 3"):
            worker()
        process = worker._process
    assert not process.is_alive()
    with bench.Worker(adder, 1) as worker:
        process = worker._process
        assert process.is_alive()
    assert not process.is_alive()


# ---- layers


@pytest.mark.parametrize("layout", bench.LAYOUTS)
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_convolutions_are_what_their_names_say(layout, kernel_size):
    tensors = bench.inputs(6, 9, batch=2, layout=layout, dtype=torch.float64, kernel_size=kernel_size)
    x, padding = tensors["x"], kernel_size // 2
    assert x.shape == (2, 6, 9, 9) and x.dtype == torch.float64
    found = {name: function() for name, function in bench.convolutions(**tensors).items()}
    expected = {
        "dense": functional.conv2d(x, tensors["dense"], padding=padding),
        "depthwise": functional.depthwise_conv2d(x, tensors["depthwise"], padding=padding),
        "pointwise": functional.pointwise_conv2d(x, tensors["pointwise"]),
        "pair": functional.depthwise_separable_conv2d(x, tensors["depthwise"], tensors["pointwise"], padding=padding),
    }
    assert list(found) == list(expected)
    for name, y in expected.items():
        torch.testing.assert_close(found[name], y, msg=name)


def test_layouts_are_those_of_memory():
    strides = {layout: bench.inputs(6, 9, layout=layout)["x"].stride()[1:] for layout in bench.LAYOUTS}
    assert strides == {"contiguous": (81, 9, 1), "channels_last": (1, 54, 6)}


@pytest.mark.parametrize("settings", [{"layout": "nhwc"}, {"kernel_size": 4}])
def test_inputs_refuses_what_it_does_not_know(settings):
    with pytest.raises(ValueError, match="nhwc|4"):
        bench.inputs(8, 8, **settings)


# ---- roofline


def test_rates_count_the_work_of_one_call_and_do_it(monkeypatch):
    clock = FakeClock(0.5)
    how = {"seconds": 0, "at_least": 2, "at_most": 2, "stopwatch": clock}
    assert bench.matmul_rate(16, **how).per_second == 2 * 16**3 / 0.5
    assert torch.equal(clock.names[-1], torch.full((16, 16), 16.0))
    dense = bench.convolution_rate(4, 6, dtype=torch.float64, **how)
    macs = 4 * 4 * 3 * 3 * 6 * 6
    assert dense.amount == 2 * macs and clock.names[-1].shape == (1, 4, 6, 6)
    assert bench.copy_rate(100, **how).per_second == 2 * 4 * 100 / 0.5
    assert bench.add_rate(100, dtype=torch.float64, **how).per_second == 3 * 8 * 100 / 0.5
    assert torch.equal(clock.names[-1], torch.full((100,), 2.0, dtype=torch.float64))


@pytest.mark.parametrize("rate", [bench.matmul_rate, bench.convolution_rate, bench.copy_rate, bench.add_rate])
def test_rates_refuse_an_empty_array(rate):
    with pytest.raises(ValueError, match="0"):
        rate(0)


def test_rate_is_by_the_median():
    assert bench.Rate(12, bench.Timing((9.0, 2.0, 3.0))).per_second == 4


def test_attainable_is_the_lower_roof():
    assert bench.attainable(0.5, 100, 20) == 10  # memory
    assert bench.attainable(5, 100, 20) == bench.attainable(50, 100, 20) == 100  # arithmetic
    for bad in ((0, 1, 1), (1, -1, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="positive"):
            bench.attainable(*bad)


# ---- what is stored: complete, in order, and by the program that is said to have made it

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "benchmarks"))
import speed  # noqa: E402


def numbers(row):
    return [float(row[column]) for column in ("q1_us", "median_us", "q3_us")]


@pytest.mark.parametrize("name", ["speed", "networks", "roofline"])
def test_stored_rows_have_times_in_order_and_say_where_they_come_from(name):
    rows = measured.read(name)
    for row in rows:
        assert 0 < numbers(row)[0] and numbers(row) == sorted(numbers(row)), row
        assert int(row["calls"]) >= 7 and row["device"] == "cpu"
    for column in (*bench.machine(), "command"):
        assert len({row[column] for row in rows}) == 1, column
    assert rows[0]["command"] == "python benchmarks/speed.py"


def test_stored_sweep_has_every_combination_once():
    rows, cores = measured.read("speed"), measured.read("speed")[0]["cores"]
    every = speed.combinations("cpu", speed.CHANNELS, speed.SIZES)
    settings = [("1", "kept", every)]
    single = [combination for combination in every if combination[2] == 1]
    settings += [(cores, "kept", single)] * (cores != "1")
    fresh = [c for c in single if c[:2] in [(64, 56), (128, 56), (32, 112)]]
    settings += [("1", "fresh", fresh), ("1", "fresh, kept", fresh)]
    expected = {
        (*map(str, combination), threads, memory, layer, "eager")
        for threads, memory, part in settings
        for combination in part
        for layer in bench.convolutions(**bench.inputs(1, 1))
    }
    found = [tuple(row[column] for column in speed.SETTING) for row in rows]
    assert len(found) == len(set(found)) and set(found) == expected


def test_stored_networks_and_roofs_are_complete():
    rows = measured.read("networks")
    threads = {"1", rows[0]["cores"]}
    expected = set(itertools.product(threads, speed.NETWORKS, speed.WAYS["cpu"]))
    assert {(row["threads"], row["network"], row["way"]) for row in rows} == expected and len(rows) == len(expected)
    for row in rows:  # other programs than torch are named with their versions
        assert bool(row["programs"]) == (row["way"] in ("compiled", "onnxruntime")), row
    assert speed.programs("eager") == speed.programs("channels_last") == ""
    kinds = {
        ("matmul", 2048**2),
        ("convolution", 256 * 56**2),
        *itertools.product(("copy", "add"), (speed.LARGE, speed.SMALL)),
    }
    rows = measured.read("roofline")
    assert len(rows) == len(kinds) * len(threads)
    assert {(row["what"], int(row["elements"]), row["threads"]) for row in rows} == {
        (*kind, count) for kind in kinds for count in threads
    }


@pytest.mark.parametrize("row", measured.read("roofline"), ids=lambda row: f"{row['what']}-{row['elements']}")
def test_stored_rates_are_work_over_time(row):
    elements = int(row["elements"])
    work = {"matmul": 2 * elements**1.5, "convolution": 2 * 9 * 256 * 256 * 56 * 56}
    work |= {"copy": 8 * elements, "add": 12 * elements}  # float32
    assert float(row["per_second"]) == pytest.approx(work[row["what"]] / (1e-6 * float(row["median_us"])), rel=1e-2)
