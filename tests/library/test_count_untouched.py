"""count() leaves the model, whatever it holds, and every switch of torch's as they were: a copy is what runs."""

import collections
import contextlib
import dataclasses
import functools
import itertools
import operator
import queue
import threading
import types
import weakref

import numpy as np
import pytest
import torch
import torch._dynamo  # so that its stance is there from the beginning
import torch.nn.functional as F
from torch import nn
from torch.fx.immutable_collections import immutable_dict, immutable_list
from torch.utils.flop_counter import FlopCounterMode

from dslib.counting import count
from tests.support.counted import ONE, Calls, Frozen, counted, state, switches

BACKWARD = pytest.mark.parametrize("backward", [False, True])


class Everything(nn.Module):
    """Layers that change their buffers, and odd things that forward changes."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.lstm, self.table = nn.LSTM(4, 4, batch_first=True), nn.Embedding(10, 4, max_norm=0.01)
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.list, self.deque, self.set = [torch.ones(2)], collections.deque([torch.ones(2)]), {1}
        self.space, self.array = types.SimpleNamespace(x=torch.ones(2)), np.ones(3)
        self.generator, self.config = torch.Generator(), Frozen(scale=torch.ones(4), name="frozen")
        self.immutable, self.lock, self.proxy = immutable_list([1]), threading.Lock(), types.MappingProxyType({1: 2})

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
        x = F.dropout(F.relu_(self.norm(self.conv(x))), 0.5) + torch.rand_like(x[:, :1])
        x = x + self.table(torch.zeros(2, dtype=torch.long, device=x.device))[:, :, None, None]
        return self.lstm(self.attention(torch.fft.fft(x).real.flatten(2).mT))[0]


@BACKWARD
@pytest.mark.parametrize("kind", ["input_size", "real", "real with gradient", "meta"])
@pytest.mark.parametrize("training", [False, True])
def test_nothing_changes(kind, backward, training):
    model = Everything().train(training)
    model.conv.weight.grad = torch.full_like(model.conv.weight, 7.0)
    before = state(model)
    report = counted(model, kind, backward=backward)
    assert report.macs > 0 and [entry.operation for entry in report.uncounted][:1] == ["_fft_r2c"]
    assert state(model) == before


# ---- where a model may hold a tensor that forward changes


def refuses(kind):
    """A container of a kind that can be read and not be changed."""

    def refuse(self, *args, **kwargs):
        raise TypeError("frozen")

    names = "__setitem__ __delitem__ update clear pop append extend insert add discard".split()
    return type("Refuses", (kind,), dict.fromkeys(names, refuse))


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    w: torch.Tensor


class OwnState:
    def __init__(self, w):
        self.w = w

    def __getstate__(self):
        return [self.w]

    def __setstate__(self, state):
        self.w = state[0]


class CopiesItself(OwnState):
    def __deepcopy__(self, memo):
        return self


def queued(w):
    waiting = queue.Queue()
    waiting.put(w)
    return waiting


attribute, entry = operator.attrgetter("w"), operator.itemgetter("w")


def first(held):
    return next(iter(held))


def called(held):
    return held()


# {name: (what holds the tensor, how forward gets at it)}
HOLDERS = {
    "attribute": (lambda w: w, lambda held: held),
    "view": (lambda w: w.T, lambda held: held.T),
    "nested": (lambda w: {"a": [(w,)]}, lambda held: held["a"][0][0]),
    "set": (lambda w: {w}, first),
    "key": (lambda w: {w: 1}, first),
    "deque": (lambda w: collections.deque([w], 3), first),
    "UserDict": (lambda w: collections.UserDict(w=w), entry),
    "defaultdict": (lambda w: collections.defaultdict(list, w=w), entry),
    "frozen dict": (lambda w: refuses(dict)(w=w), entry),
    "frozen list": (lambda w: refuses(list)([w]), first),
    "frozen set": (lambda w: refuses(set)([w]), first),
    "diffusers' dict": (lambda w: Frozen(w=w), entry),
    "FX's dict": (lambda w: immutable_dict(w=w), entry),
    "frozen record with slots": (Record, attribute),
    "beside a lock": (lambda w: types.SimpleNamespace(lock=threading.Lock(), w=w), attribute),
    "namedtuple": (lambda w: collections.namedtuple("Pair", "w other")(w, 1), attribute),
    "state of its own": (OwnState, attribute),
    "queue": (queued, lambda held: held.queue[0]),
    "partial": (lambda w: functools.partial(lambda w: w, w), called),
    "bound method": (lambda w: types.SimpleNamespace(w=w).__getattribute__, lambda held: held("w")),
    "optimizer": (lambda w: torch.optim.SGD([nn.Parameter(w)]), lambda held: held.param_groups[0]["params"][0]),
    "data set": (lambda w: torch.utils.data.TensorDataset(w), lambda held: held.tensors[0]),
    "distribution": (lambda w: torch.distributions.Normal(w, 1.0), lambda held: held.loc),
    "read-only mapping": (lambda w: types.MappingProxyType({"w": w}), entry),
    "copies that are itself": (CopiesItself, attribute),
    "closure": (lambda w: lambda: w, called),
    "default argument": (lambda w: lambda given=w: given, called),
    "generator": (lambda w: itertools.repeat(w), next),
    "class": (lambda w: type("Class", (), {"w": w}), attribute),
    "weak reference": (weakref.ref, called),
    "parameters": (lambda w: nn.ParameterList([nn.Parameter(w)]), first),
}


@pytest.mark.parametrize("kind", ["input_size", "real"])
@pytest.mark.parametrize("hold, get", HOLDERS.values(), ids=HOLDERS)
def test_a_tensor_that_forward_changes(hold, get, kind):
    def doubles(model, x):
        with torch.no_grad():
            return model.linear(x) @ get(model.held).mul_(2)

    w = torch.randn(8, 8)
    before, held = w.clone(), hold(w)
    model = Calls(doubles, held=held)
    assert counted(model, kind, (2, 8)).macs == 2 * ONE
    assert torch.equal(w, before) and not w.is_meta
    assert model.held is held and torch.equal(get(held), before)


# ---- what is around


CONTEXTS = {
    "none": contextlib.nullcontext,
    "meta": lambda: torch.device("meta"),
    "inference": torch.inference_mode,
    "no_grad": torch.no_grad,
    "enable_grad": torch.enable_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "fork_rng": lambda: torch.random.fork_rng(devices=[]),
    "another counter": lambda: FlopCounterMode(display=False),
}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
@BACKWARD
def test_inside_of_something_else(context, backward):
    outside, x = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), torch.zeros(2, 4)
    with context():
        for model in (outside, nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))):
            before = switches()
            shapes, real = count(model, input_size=(2, 4), backward=backward), count(model, x, backward=backward)
            assert (shapes.macs, real.macs) == ((3 * 40, 2 * 40) if backward else (40, 40))  # x wants no gradient
            assert shapes.uncounted == real.uncounted == ()
            assert switches() == before


def test_the_user_s_hooks_run_and_stay():
    ran = []
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    model[0].register_forward_hook(lambda *_: ran.append("after"))
    model[1].register_forward_pre_hook(lambda *_: ran.append("before"))
    before = state(model)
    for kind in ("real", "input_size"):
        assert counted(model, kind, (2, 8)).macs == 2 * ONE
    assert ran == ["after", "before"] * 2 and state(model) == before


def test_the_caller_s_tensors_stay_as_they_are():
    x, weight = torch.full((2, 4), -1.0, requires_grad=True), nn.Parameter(torch.ones(5, 4))
    x.register_hook(lambda gradient: pytest.fail("the caller's own hook ran"))
    count(lambda x: F.linear(F.relu(x, inplace=True), weight), x, backward=True)
    assert (x == -1).all() and x.grad is None and weight.grad is None and x.is_leaf and x.requires_grad


@BACKWARD
@pytest.mark.parametrize("of", [lambda m: m.forward, functools.partial, lambda m: functools.partial(m.forward)])
def test_a_method_or_a_partial_of_a_model_leaves_it_alone(of, backward):
    model, x = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), torch.rand(2, 4)
    before = state(model)
    report = count(of(model), input_size=(2, 4), backward=backward)
    assert (report.macs, report.params, report.rows[0].where) == (40 * (3 if backward else 1), 25 + 10, "0")
    count(of(model), x, backward=backward)
    assert state(model) == before


def in_threads(function, number):
    threads = [threading.Thread(target=function) for _ in range(number)]
    for act in (threading.Thread.start, threading.Thread.join):
        for thread in threads:
            act(thread)


def test_a_count_in_a_count_and_counts_in_threads():
    model, inner, reports = nn.Linear(4, 5), [], []
    before = switches()

    def outer(x):
        inner.append(count(model, input_size=(2, 4)).macs)
        return F.linear(x, torch.zeros(3, 4))

    in_threads(lambda: reports.extend(count(outer, torch.zeros(2, 4)).rows[-1].macs for _ in range(5)), 4)
    assert reports == [24] * 20 and inner == [40] * 20 and switches() == before
    # not what an earlier count has left behind
    assert before | {"entered": [0, 0], "modes": [True, False, torch.float32], "fast path": True} == before


def test_threads_of_a_model_are_noted_and_other_models_left_alone():
    def threaded(model, x):
        in_threads(lambda: model.linear(x), 1)
        return model.linear(x)

    report, other = count(Calls(threaded), torch.zeros(2, 8)), nn.Linear(8, 8)
    assert (report.macs, [entry.operation for entry in report.uncounted]) == (ONE, ["Linear in another thread"])
    assert count(lambda x: in_threads(lambda: other(x), 1), torch.zeros(2, 8)).uncounted == ()
