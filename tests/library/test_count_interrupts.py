"""count() can be stopped at any line and at any moment, and the model is as it was."""

import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dslib import counting
from dslib.counting import count
from tests.support.counted import Calls, Frozen, counted, state

HERE = str(Path(counting.__file__).parent)


def changes(model, x):
    model.seen[0].add_(1)
    return model.linear(x) * model.config["scale"].sum()


def interrupted_at(line, function):
    """Whether Ctrl-C came: a real signal, when a file of the counter comes to its ``line``-th line."""
    left = [line]

    def trace(frame, event, argument):
        if not frame.f_code.co_filename.startswith(HERE):
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGINT)
        return trace

    sys.settrace(trace)
    try:
        function()
        return False
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)


@pytest.mark.parametrize("kind, step", [("input_size", 7), ("real with gradient", 11)])
def test_an_interrupt_at_any_line_of_the_counter(kind, step):
    model = Calls(changes, config=Frozen(scale=torch.ones(4)), seen=[torch.ones(1)])
    before, line = state(model), 1
    while interrupted_at(line, lambda: counted(model, kind, (2, 8), backward=kind != "input_size")):
        assert state(model) == before, line
        line += step
    assert line > 500
    assert state(model) == before
    others = threading.Thread(target=lambda: counted(model, kind, (2, 8)))
    others.start()
    others.join(10)
    assert not others.is_alive()  # nobody waits for a count that was stopped


def interrupt(*_):
    raise KeyboardInterrupt


# where it comes into a callback of the garbage collector, such as hypothesis's, Python itself drops it with a warning
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_at_any_moment():
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(150)])
    before, came = state(model), 0
    handler = signal.signal(signal.SIGALRM, interrupt)
    try:
        for delay in np.linspace(1e-4, 0.03, 25):
            try:
                signal.setitimer(signal.ITIMER_REAL, delay)
                count(model, input_size=(1, 2))
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                came += 1
            assert state(model) == before
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
    assert came
