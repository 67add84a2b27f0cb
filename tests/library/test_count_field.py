"""Models as people write them, odd ones too: the right number or one clear line, and nothing of theirs is changed."""

import collections
import contextlib
import dataclasses
import functools
import itertools
import queue
import threading
import types
import weakref

import pytest
import torch
from torch import nn
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack
from torch.utils.checkpoint import checkpoint

from dslib.counting import count

pytestmark = pytest.mark.filterwarnings(r"ignore:`torch\.jit|.*LeafSpec")  # by torch, of itself
both = pytest.mark.parametrize("real", [False, True], ids=["shapes", "real"])
REFUSED = "is handed a tensor of the model itself, not of the copy that is counted"


def counted(model, size, real, **more):
    return count(model, torch.randn(size), **more) if real else count(model, input_size=size, **more)


@pytest.fixture(autouse=True)
def torch_is_left_as_it_was():
    def switches():
        modes = _get_current_dispatch_mode_stack(), _get_current_function_mode_stack()
        return [*map(len, modes), torch.is_grad_enabled(), torch.is_inference_mode_enabled()]

    before = switches()
    yield
    assert switches() == before


# ---- where a model may hold a tensor that forward changes


class Frozen:
    """Mixed into a container: it can be read and not be changed."""

    def _refuse(self, *args, **kwargs):
        raise TypeError("frozen")

    __setitem__ = __delitem__ = update = clear = pop = append = extend = insert = add = discard = _refuse


class FrozenDict(Frozen, dict):
    pass


class FrozenList(Frozen, list):
    pass


class FrozenSet(Frozen, set):
    pass


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    w: torch.Tensor


Pair = collections.namedtuple("Pair", "w other")


class Locked:
    def __init__(self, w):
        self.lock, self.w, self.last = threading.Lock(), w, threading.Condition()


class OwnState:
    def __init__(self, w):
        self.w = w

    def __getstate__(self):
        return [self.w]

    def __setstate__(self, state):
        self.w = state[0]


class CopiesItself:
    def __init__(self, w):
        self.w = w

    def __deepcopy__(self, memo):
        return self


def queued(w):
    waiting = queue.Queue()
    waiting.put(w)
    return waiting


def attribute(holder):
    return holder.w


# {name: (what holds the tensor, how forward gets at it)}
HOLDERS = {
    "attribute": (lambda w: w, lambda held: held),
    "view": (lambda w: w.T, lambda held: held),
    "nested": (lambda w: {"a": [(w,)]}, lambda held: held["a"][0][0]),
    "set": (lambda w: {w}, lambda held: next(iter(held))),
    "key": (lambda w: {w: 1}, lambda held: next(iter(held))),
    "deque": (lambda w: collections.deque([w], 3), lambda held: held[0]),
    "UserDict": (lambda w: collections.UserDict(w=w), lambda held: held["w"]),
    "defaultdict": (lambda w: collections.defaultdict(list, w=w), lambda held: held["w"]),
    "frozen dict": (lambda w: FrozenDict(w=w), lambda held: held["w"]),
    "frozen list": (lambda w: FrozenList([w]), lambda held: held[0]),
    "frozen set": (lambda w: FrozenSet([w]), lambda held: next(iter(held))),
    "frozen record with slots": (Record, attribute),
    "namedtuple": (lambda w: Pair(w, 1), attribute),
    "beside a lock": (Locked, attribute),
    "state of its own": (OwnState, attribute),
    "queue": (queued, lambda held: held.queue[0]),
    "partial": (lambda w: functools.partial(lambda w: w, w), lambda held: held()),
    "bound method": (lambda w: types.SimpleNamespace(w=w).__getattribute__, lambda held: held("w")),
    "optimizer": (lambda w: torch.optim.SGD([nn.Parameter(w)]), lambda held: held.param_groups[0]["params"][0]),
    "data set": (lambda w: torch.utils.data.TensorDataset(w), lambda held: held.tensors[0]),
    "distribution": (lambda w: torch.distributions.Normal(w, 1.0), lambda held: held.loc),
    "read-only mapping": (lambda w: types.MappingProxyType({"w": w}), lambda held: held["w"]),
    "copies that are itself": (CopiesItself, attribute),
    "closure": (lambda w: lambda: w, lambda held: held()),
    "default argument": (lambda w: lambda given=w: given, lambda held: held()),
    "generator": (lambda w: itertools.repeat(w), next),
    "class": (lambda w: type("Class", (), {"w": w}), attribute),
    "weak reference": (weakref.ref, lambda held: held()),
    "parameters": (lambda w: nn.ParameterList([nn.Parameter(w)]), lambda held: held[0]),
}


class Changes(nn.Module):
    """Doubles a tensor in place, wherever it is held, and multiplies by it."""

    def __init__(self, held, get):
        super().__init__()
        self.linear, self.held, self.get = nn.Linear(8, 8, bias=False), held, get

    def forward(self, x):
        with torch.no_grad():
            w = self.get(self.held).mul_(2)
        return self.linear(x) @ w


@both
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_tensor_that_forward_changes(holder, real):
    hold, get = HOLDERS[holder]
    w = torch.randn(8, 8)
    before = w.clone()
    model = Changes(hold(w), get)
    held = model.held
    assert counted(model, (2, 8), real).macs == 2 * 2 * 8 * 8
    assert torch.equal(w, before) and not w.is_meta
    assert model.held is held and torch.equal(get(held), before if holder != "view" else before.T)


# ---- models that reach themselves


class Reaches(nn.Module):
    """``reach`` gets the model when it is made and returns what forward calls on its input."""

    def __init__(self, reach):
        super().__init__()
        self.linear = nn.Linear(8, 4, bias=False)
        self.parent, self.cycle = [self], {"me": self}
        self.run = reach(self)

    def forward(self, x):
        return (self.run if callable(self.run) else self.linear)(x)


def wrapped(model):
    @functools.wraps(model.linear.forward)
    def call(x):
        return model.linear(x)

    return call


REACHES = {
    "a list": lambda model: None,
    "its own method": lambda model: model.linear.forward,
    "a partial": lambda model: functools.partial(type(model.linear).forward, model.linear),
    "a closure": wrapped,
    "a lambda over a weight": lambda model: (lambda w: lambda x: x @ w.mul_(2).T)(model.linear.weight),
    "a weak reference": lambda model: (lambda me: lambda x: me().linear(x))(weakref.ref(model)),
    "a weak proxy": lambda model: (lambda me: lambda x: me.linear(x))(weakref.proxy(model)),
}


@both
@pytest.mark.parametrize("way", REACHES)
def test_a_model_that_reaches_itself(way, real):
    model = Reaches(REACHES[way])
    before = model.linear.weight.detach().clone()
    try:
        assert counted(model, (2, 8), real).macs == 2 * 8 * 4
    except ValueError as error:
        assert REFUSED in str(error) and "\n" not in str(error)
    assert torch.equal(model.linear.weight, before) and model.parent[0] is model


# ---- kinds of models, with their MACs


class Calls(nn.Module):
    """``function(self, x)`` as forward, beside a linear layer of 8 to 8."""

    def __init__(self, function):
        super().__init__()
        self.linear, self.function = nn.Linear(8, 8, bias=False), function
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return self.function(self, x)


class Product(torch.autograd.Function):
    """A matrix product with a backward pass of its own."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return grad @ w.T, x.T @ grad


class Grows(nn.Module):
    """Changes its own structure while it runs."""

    def __init__(self):
        super().__init__()
        self.linear, self.old = nn.Linear(8, 8, bias=False), nn.Identity()

    def forward(self, x):
        y = self.linear(x)
        self.more, self.linear = nn.Linear(2, 2), nn.Identity()
        self.register_buffer("seen", torch.ones(3))
        del self.old
        self.train(not self.training)
        return y


class FlatParameter(nn.Module):
    """Its weight is a view of one flat parameter, as sharded training keeps it."""

    def __init__(self):
        super().__init__()
        self.flat = nn.Parameter(torch.randn(80))
        self.w = self.flat[:64].view(8, 8)

    def forward(self, x):
        return x @ self.w


def twice(model, x):
    return torch.func.functional_call(model.linear, {"weight": 2 * model.linear.weight}, (x,))


def constants(model, x):
    sizes = torch.tensor([3, 5])
    left, right = model.linear(x * model.scale.item()).split(sizes.tolist(), 1)
    steps = [step.item() for step in torch.linspace(0, 1, 3)]
    return left[:, : sizes[0]] * steps[1] if sizes.sum() == 8 else right


def network():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 4)).eval()


ONE = 2 * 8 * 8  # MACs of the linear layer for two rows
NETWORK = 3 * 8 * 9 * 36 + 8 * 36 * 4
IMAGE = (1, 3, 8, 8)
# {name: (model, size of the input, MACs)}
KINDS = {
    "functional call": (lambda: Calls(twice), (2, 8), ONE),
    "vmap": (lambda: Calls(lambda model, x: torch.func.vmap(model.linear)(x)), (2, 8), ONE),
    "Jacobian times a vector": (
        lambda: Calls(lambda model, x: torch.func.jvp(model.linear, (x,), (x,))[1]),
        (2, 8),
        3 * ONE,  # the weight has a tangent too, of zeros
    ),
    "gradient inside": (
        lambda: Calls(lambda model, x: torch.func.grad(lambda v: model.linear(v).sum())(x)),
        (2, 8),
        2 * ONE,
    ),
    "constants": (lambda: Calls(constants), (2, 8), ONE),
    "changes its structure": (Grows, (2, 8), ONE),
    "flat parameter": (FlatParameter, (2, 8), ONE),
    "half": (lambda: nn.Linear(8, 8, dtype=torch.float16).half(), None, ONE),
    "bfloat16": (lambda: nn.Linear(8, 8, dtype=torch.bfloat16), None, ONE),
    "data parallel": (lambda: nn.DataParallel(network()), IMAGE, NETWORK),
    "compiled": (lambda: torch.compile(network(), backend="eager"), IMAGE, NETWORK),
    "compiled inside": (lambda: nn.Sequential(torch.compile(network(), backend="eager")), IMAGE, NETWORK),
    "FX graph": (lambda: torch.fx.symbolic_trace(network()), IMAGE, NETWORK),
    "exported": (lambda: torch.export.export(network(), (torch.randn(IMAGE),)).module(), IMAGE, NETWORK),
    "traced": (lambda: torch.jit.trace(network(), torch.randn(IMAGE)), IMAGE, NETWORK),
    "scripted inside": (lambda: nn.Sequential(torch.jit.script(network())), IMAGE, NETWORK),
}


@both
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_model(kind, real):
    make, size, macs = KINDS[kind]
    model = make()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if size is None:
        dtype, size = next(model.parameters()).dtype, (2, 8)
        report = count(model, torch.zeros(size, dtype=dtype, device="cpu" if real else "meta"))
    else:
        report = counted(model, size, real)
    assert (report.macs, report.uncounted) == (macs, ())
    after = model.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    model(torch.zeros(size, dtype=next(model.parameters()).dtype))


@both
@pytest.mark.parametrize(
    "function",
    [
        lambda model, x: Product.apply(x, model.linear.weight),
        lambda model, x: checkpoint(model.linear, x, use_reentrant=False),  # stops before it multiplies again
        lambda model, x: model.linear(x),
    ],
    ids=["own backward", "checkpoint", "linear"],
)
def test_backward(function, real):
    model, fired = Calls(function), []
    model.linear.weight.register_hook(fired.append)
    x = torch.randn(2, 8, requires_grad=True)
    report = count(model, x, backward=True) if real else count(model, input_size=(2, 8), backward=True)
    assert report.macs == 3 * ONE
    assert model.linear.weight.grad is None and x.grad is None and not fired


# ---- where count is called


@both
@pytest.mark.parametrize(
    "context",
    [
        lambda: torch.device("meta"),
        torch.inference_mode,
        torch.no_grad,
        lambda: torch.autocast("cpu", torch.bfloat16),
        lambda: torch.random.fork_rng(devices=[]),
        lambda: torch.utils.flop_counter.FlopCounterMode(display=False),
        contextlib.nullcontext,
    ],
    ids=["meta", "inference", "no_grad", "autocast", "fork_rng", "another counter", "none"],
)
def test_inside_of_something_else(context, real):
    model, x = network(), torch.randn(IMAGE)
    with context():
        report = count(model, x) if real else count(model, input_size=IMAGE)
    assert (report.macs, report.uncounted) == (NETWORK, ())


def test_a_module_that_gives_itself_for_its_copy_is_refused():
    model = nn.Sequential(type("Itself", (nn.Linear,), {"__deepcopy__": lambda self, memo: self})(8, 8))
    with pytest.raises(ValueError, match="a module of it gives itself for its copy"):
        count(model, input_size=(2, 8))
    assert not model[0]._forward_pre_hooks


@both
@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError, OSError, AssertionError, KeyError],
)
def test_an_error_of_the_models_own_is_passed_on(error, real):
    def fails(model, x):
        model.linear(x)
        raise error("mine")

    model = Calls(fails)
    before = list(map(id, model.parameters()))
    with pytest.raises(error, match="mine"):
        counted(model, (2, 8), real)
    assert list(map(id, model.parameters())) == before and not next(model.parameters()).is_meta
