"""dslib.bench: calls counted and clocks faked; no test asks how long anything takes."""

import itertools
import time

import numpy as np
import pytest
import torch

from dslib import bench, functional


def named(*names):
    return {name: lambda name=name: name for name in names}


def clock(*seconds):
    """A stopwatch that calls the function and says these times, over and over."""
    left = itertools.cycle(seconds)
    return lambda function: (function(), next(left))[1]


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
    stopwatch = clock(9.0, 9.0, 1.0, 2.0, 3.0, 4.0)  # a b | a b | b a
    found = bench.measure(named("a", "b"), seconds=0, at_least=2, warm_up=1, stopwatch=stopwatch)
    assert {name: it.seconds for name, it in found.items()} == {"a": (1.0, 4.0), "b": (2.0, 3.0)}


@pytest.mark.parametrize(
    "seconds, at_least, at_most, rounds",
    [(0, 5, 20, 5), (1e9, 5, 20, 20), (12.0, 1, 100, 6), (12.5, 1, 100, 7), (12.0, 9, 100, 9), (0, 1, 1, 1)],
)
def test_measure_ends_by_rounds_or_by_seconds(seconds, at_least, at_most, rounds):
    found = bench.measure(named("a", "b"), seconds, at_least, at_most, stopwatch=clock(1.0))  # a round takes 2
    assert {it.calls for it in found.values()} == {rounds}


@pytest.mark.parametrize(
    "functions, settings, values",
    [
        ({}, {}, r"\[\], 7, 201, 2, 1"),
        (named("a"), {"at_least": 0}, "0, 201"),
        (named("a"), {"at_least": 5, "at_most": 4}, "5, 4"),
        (named("a"), {"warm_up": -1}, "-1, 1"),
        (named("a"), {"untimed": -1}, "2, -1"),
    ],
)
def test_measure_refuses_what_it_cannot_do(functions, settings, values):
    with pytest.raises(ValueError, match=f"needs functions, 1.*{values}"):
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


def test_gpu_is_waited_for_before_and_after_the_call(monkeypatch):
    log = []

    class FakeEvent:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            log.append("mark")

        def synchronize(self):
            log.append("wait")

        def elapsed_time(self, other):
            return 3.0  # milliseconds

    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: log.append("synchronize"))
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


@pytest.mark.parametrize("settings, value", [({"layout": "nhwc"}, "'nhwc'"), ({"kernel_size": 4}, "4")])
def test_inputs_refuses_what_it_does_not_know(settings, value):
    with pytest.raises(ValueError, match=f"got.*{value}"):
        bench.inputs(8, 8, **settings)


def test_attainable_is_the_lower_roof():
    assert bench.attainable(0.5, 100, 20) == 10  # memory
    assert bench.attainable(5, 100, 20) == bench.attainable(50, 100, 20) == 100  # arithmetic
    for bad in ((0, 1, 1), (1, -1, 1), (1, 1, 0)):
        with pytest.raises(ValueError, match="positive, got {}, {}, {}".format(*bad)):
            bench.attainable(*bad)
