"""count() leaves the model, whatever it holds, and every switch of torch's as they were: a copy is what runs."""

import collections
import functools
import os
import signal
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
import torch
import torch._dynamo  # so that its stance is there from the beginning
import torch.nn.functional as F
from torch import nn
from torch.fx.immutable_collections import immutable_list

from dslib import counting
from dslib.counting import count
from tests.support.counted import SWITCHES, Frozen, counted, state

KINDS = pytest.mark.parametrize("kind", ["input_size", "real", "real with gradient", "meta"])
BACKWARD = pytest.mark.parametrize("backward", [False, True])


class Everything(nn.Module):
    """Layers that change their buffers, hold odd things, and do to themselves what a test tells them."""

    def __init__(self, change=lambda model, x: None):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.lstm, self.table = nn.LSTM(4, 4, batch_first=True), nn.Embedding(10, 4, max_norm=0.01)
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.list, self.deque, self.set = [torch.ones(2)], collections.deque([torch.ones(2)]), {1}
        self.space, self.array = types.SimpleNamespace(x=torch.ones(2)), np.ones(3)
        self.generator, self.config = torch.Generator(), Frozen(scale=torch.ones(4), name="frozen")
        self.immutable, self.lock, self.proxy = immutable_list([1]), threading.Lock(), types.MappingProxyType({1: 2})
        self.change = change

    def forward(self, x):
        with torch.no_grad():
            self.conv.weight.mul_(0.5)
        self.seen += 1
        for held in (self.list[0], self.deque[0], self.space.x, self.config["scale"]):
            held.add_(1)
        self.set.add(2)
        self.array += 1
        self.list.append(torch.rand(2, generator=self.generator))
        assert list(self.config) == ["scale", "name"] and self.config.closed and self.proxy[1] == 2
        self.change(self, x)
        x = F.dropout(F.relu_(self.norm(self.conv(x))), 0.5) + torch.rand_like(x[:, :1])
        x = x + self.table(torch.zeros(2, dtype=torch.long, device=x.device))[:, :, None, None]
        return self.lstm(self.attention(torch.fft.fft(x).real.flatten(2).mT))[0]


@BACKWARD
@KINDS
@pytest.mark.parametrize("training", [False, True])
def test_nothing_changes(kind, backward, training):
    model = Everything().train(training)
    model.conv.weight.grad = torch.full_like(model.conv.weight, 7.0)
    before = state(model)
    report = counted(model, kind, backward=backward)
    assert report.macs > 0 and [entry.operation for entry in report.uncounted][:1] == ["_fft_r2c"]
    assert state(model) == before


def stop(model, x):
    raise KeyError("stop here")


CHANGES = {
    "an attribute": lambda model, x: setattr(model, "positions", x),
    "a layer": lambda model, x: setattr(model, "late", nn.Linear(3, 4)),
    "a parameter put anew": lambda model, x: setattr(model.conv, "weight", nn.Parameter(model.conv.weight + 1)),
    "a buffer": lambda model, x: model.register_buffer("late", torch.zeros(3)),
    "a hook": lambda model, x: model.conv.register_forward_hook(lambda *_: None),
    "another mode": lambda model, x: model.eval(),
    "frozen": lambda model, x: model.conv.requires_grad_(False),
    "something less": lambda model, x: delattr(model, "seen"),
    "an error": stop,
    "an error of torch's": lambda model, x: x @ x,
}


@pytest.mark.parametrize("kind", ["input_size", "real"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_a_model_does_to_itself_is_done_to_the_copy(name, kind):
    model = Everything(CHANGES[name])
    before = state(model)
    if "error" in name:
        with pytest.raises(KeyError if name == "an error" else ValueError):
            counted(model, kind)
    else:
        assert counted(model, kind).macs > 0
    assert state(model) == before


# ---- interrupts

HERE = str(Path(counting.__file__).parent)


class Small(nn.Module):
    """All kinds of things to copy in a few lines' time."""

    def __init__(self):
        super().__init__()
        self.conv, self.config, self.seen = nn.Conv2d(3, 4, 3, bias=False), Frozen(scale=torch.ones(4)), [torch.ones(1)]

    def forward(self, x):
        self.seen[0].add_(1)
        return self.conv(x) * self.config["scale"].sum()


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
    model = Small()
    before, line = state(model), 1
    while interrupted_at(line, lambda: counted(model, kind, (1, 3, 4, 5), backward=kind != "input_size")):
        assert state(model) == before, line
        line += step
    assert line > 500
    assert state(model) == before
    others = threading.Thread(target=lambda: counted(model, kind, (1, 3, 4, 5)))
    others.start()
    others.join(10)
    assert not others.is_alive()  # nobody waits for a count that was stopped


def test_a_signal_at_any_moment():
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(300)])
    before, came = state(model), 0
    for delay in np.linspace(1e-4, 0.05, 25):
        try:
            signal.setitimer(signal.ITIMER_REAL, delay)
            count(model, input_size=(1, 4))
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            came += 1
        assert state(model) == before
    assert came


@pytest.fixture(autouse=True)
def _alarms_interrupt():
    def interrupt(*_):
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, handler)


# ---- what is around


def test_training_goes_on_as_if_nothing_was_counted():
    """A step of SGD with a count between forward and backward."""
    weights = []
    for between in (lambda model: None, lambda model: count(model, input_size=(1, 3, 5, 5), backward=True)):
        model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 2))
        for index, parameter in enumerate(model.parameters()):
            nn.init.constant_(parameter, 0.1 * (index + 1))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loss = model(torch.arange(75.0).reshape(1, 3, 5, 5)).square().sum()
        between(model)
        loss.backward()
        optimizer.step()
        weights.append([tensor.tolist() for tensor in model.state_dict().values()])
    assert weights[0] == weights[1]


def test_the_user_s_hooks_run_and_stay():
    ran = []
    model = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3))
    model[0].register_forward_hook(lambda module, args, output: ran.append("after"))
    model[1].register_forward_pre_hook(lambda module, args: ran.append("before"))
    assert count(model, torch.zeros(2, 4)).macs == 2 * (20 + 15)
    count(model, input_size=(2, 4))
    assert ran == ["after", "before"] * 2
    assert (len(model[0]._forward_hooks), len(model[1]._forward_pre_hooks)) == (1, 1)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
@BACKWARD
def test_the_mode_around_stays(mode, backward):
    with mode():
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
        before = state(model)[1]
        assert count(model, input_size=(2, 4), backward=backward).macs == 40 * (3 if backward else 1)
        assert count(model, torch.rand(2, 4), backward=backward).macs == 40 * (2 if backward else 1)
        assert state(model)[1]["gradients"] == before["gradients"]
        assert torch.is_inference_mode_enabled() == before["inference mode"]


def test_the_caller_s_tensors_stay_as_they_are():
    x, weight = torch.full((2, 4), -1.0, requires_grad=True), nn.Parameter(torch.ones(5, 4))
    x.register_hook(lambda gradient: pytest.fail("the caller's own hook ran"))
    count(lambda x: F.linear(F.relu(x, inplace=True), weight), x, backward=True)
    assert (x == -1).all() and x.grad is None and weight.grad is None and x.is_leaf and x.requires_grad


@BACKWARD
@pytest.mark.parametrize("of", [lambda m: m.forward, functools.partial, lambda m: functools.partial(m.forward)])
def test_a_method_or_a_partial_of_a_model_leaves_it_alone(of, backward):
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
    report = count(of(model), input_size=(2, 4), backward=backward)
    assert (report.macs, report.params, report.rows[0].where) == (40 * (3 if backward else 1), 25 + 10, "0")
    count(of(model), torch.rand(2, 4), backward=backward)
    assert model[1].num_batches_tracked == 0 and model[0].weight.grad is None


def test_a_count_in_a_count_and_counts_in_threads():
    model, inner = nn.Linear(4, 5), []

    def outer(x):
        inner.append(count(model, input_size=(2, 4)))
        return F.linear(x, torch.zeros(3, 4))

    reports = []
    run = lambda: reports.extend(count(outer, torch.zeros(2, 4)).rows[-1].macs for _ in range(5))  # noqa: E731
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in [*threads]:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports == [24] * 20 and {report.macs for report in inner} == {40}
    assert SWITCHES["modes"]() == [0, 0] and torch.backends.mha.get_fastpath_enabled()


def in_a_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_threads_of_a_model_are_noted_and_other_models_left_alone():
    other = nn.Linear(4, 5)

    class Threaded(nn.Sequential):
        def forward(self, x):
            in_a_thread(lambda: self[0](x))
            return self[1](x)

    report = count(Threaded(nn.Linear(4, 5), nn.Linear(4, 3)), torch.zeros(2, 4))
    assert (report.macs, [entry.operation for entry in report.uncounted]) == (24, ["Linear in another thread"])
    assert count(lambda x: in_a_thread(lambda: other(x)), torch.zeros(2, 4)).uncounted == ()
