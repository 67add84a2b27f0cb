"""count() of models as people write them: scripted, compiled, lazy, tied ..., and such as reach past their copy."""

import functools
import sys
import weakref

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

from dslib.counting import count
from tests.support.counted import ONE, Calls, counted, state

pytestmark = pytest.mark.filterwarnings(r"ignore:`torch\.jit|.*LeafSpec|.*weight_norm")  # by torch, of itself
BOTH = pytest.mark.parametrize("kind", ["input_size", "real"])
REFUSED = "is handed a tensor of the model itself, not of the copy that is counted"
IMAGE, NETWORK = (1, 3, 8, 8), 3 * 8 * 9 * 36 + 8 * 36 * 4  # an input of network(), and its MACs


def network():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 6 * 6, 4)).eval()


def also(change):
    """A model that does something to itself and then runs its layer."""
    return lambda: Calls(lambda model, x: (change(model, x), model.linear(x))[1], seen=torch.zeros(3))


def normed(norm):
    """A linear layer whose weight is worked out on the way; the first run in training changes a spectral norm."""

    def make():
        model = nn.Sequential(norm(nn.Linear(8, 8)))
        model(torch.rand(2, 8))
        return model

    return make


def reaching(reach):
    """A model that holds itself, and forward calls what ``reach`` makes of it."""

    def make():
        model = Calls(lambda model, x: model.run(x))
        model.run, model.parent, model.cycle = reach(model), [model], {"me": model}
        return model

    return make


def tied():
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    model[2] = model[1]
    return model


def flat():
    """Its weight is a view of one flat parameter, as sharded training keeps it."""
    parameter = nn.Parameter(torch.randn(80))
    return Calls(lambda model, x: x @ model.w, flat=parameter, w=parameter[:64].view(8, 8))


def marked():
    model = Calls(lambda model, x: model.linear(x) if model.linear.weight.used else x)
    model.linear.weight.used = True
    return model


def constants(model, x):
    sizes = torch.tensor([3, 5])
    left, right = model.linear(x * model.scale.item()).split(sizes.tolist(), 1)
    steps = [step.item() for step in torch.linspace(0, 1, 3)]
    return left[:, : sizes[0]] * steps[1] if sizes.sum() == 8 else right


class Uncopyable(nn.Linear):
    def __deepcopy__(self, memo):
        raise TypeError("not this one")

    def forward(self, x):
        self.weight.data.mul_(2)
        return super().forward(x)


def uncopyable():
    model = Uncopyable(8, 8)
    model.file, model.held = sys.stdout, [Uncopyable(1, 1)]
    return model


def functional(function):
    return lambda: Calls(lambda model, x: function(model.linear, x))


CHANGES = {
    "an attribute": lambda model, x: setattr(model, "positions", x),
    "a layer": lambda model, x: setattr(model, "late", nn.Linear(3, 4)),
    "a layer in another's place": lambda model, x: setattr(model, "linear", nn.Linear(8, 8)),
    "a parameter put anew": lambda model, x: setattr(model.linear, "weight", nn.Parameter(model.linear.weight + 1)),
    "a buffer": lambda model, x: model.register_buffer("late", torch.zeros(3)),
    "a hook": lambda model, x: model.linear.register_forward_hook(lambda *_: None),
    "another mode": lambda model, x: model.eval(),
    "frozen": lambda model, x: model.linear.requires_grad_(False),
    "something less": lambda model, x: delattr(model, "seen"),
}
FUNCTIONAL = {
    "functional call": lambda layer, x: torch.func.functional_call(layer, {"weight": 2 * layer.weight}, (x,)),
    "vmap": lambda layer, x: torch.func.vmap(layer)(x),
    "gradient": lambda layer, x: torch.func.grad(lambda v: layer(v).sum())(x),
    "tangent": lambda layer, x: torch.func.jvp(layer, (x,), (x,))[1],
}
POWER = 3 * 64 + 8  # a spectral norm in training: three products of the weight and a vector, and one of two vectors
# {name: (model, MACs)}; all but networks take two rows of 8 numbers
MODELS = {name: (also(change), ONE) for name, change in CHANGES.items()}
MODELS |= {name: (functional(function), ONE) for name, function in FUNCTIONAL.items()}
MODELS |= {
    "gradient": (functional(FUNCTIONAL["gradient"]), 2 * ONE),
    "tangent": (functional(FUNCTIONAL["tangent"]), 3 * ONE),  # the weight has one too, of zeros
    "marks on a parameter": (marked, ONE),
    "tied, shared and frozen": (tied, 3 * ONE),
    "flat parameter": (flat, ONE),
    "lazy": (lambda: nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.Linear(8, 4)), ONE + ONE // 2),
    "no copy wanted": (uncopyable, ONE),
    "no copy wanted inside": (lambda: nn.Sequential(uncopyable()), ONE),
    "weight norm, old": (normed(nn.utils.weight_norm), ONE),
    "weight norm": (normed(parametrizations.weight_norm), ONE),
    "spectral norm, old": (normed(nn.utils.spectral_norm), ONE + POWER),
    "spectral norm": (normed(parametrizations.spectral_norm), ONE + POWER),
    "pruned": (normed(lambda layer: prune.l1_unstructured(layer, "weight", 0.5)), ONE),
    "half": (lambda: nn.Linear(8, 8).half(), ONE),
    "bfloat16": (lambda: nn.Linear(8, 8, dtype=torch.bfloat16), ONE),
    "constants": (lambda: Calls(constants, scale=nn.Parameter(torch.tensor(2.0))), ONE),
    "reached by its own method": (reaching(lambda model: model.linear.forward), ONE),
    "reached by a partial": (reaching(lambda model: functools.partial(nn.Linear.forward, model.linear)), ONE),
    "data parallel": (lambda: nn.DataParallel(network()), NETWORK),
    "compiled inside": (lambda: nn.Sequential(torch.compile(network(), backend="eager")), NETWORK),
    "FX graph": (lambda: torch.fx.symbolic_trace(network()), NETWORK),
    "exported": (lambda: torch.export.export(network(), (torch.randn(IMAGE),)).module(), NETWORK),
    "scripted": (lambda: torch.jit.script(network()), NETWORK),
    "scripted inside": (lambda: nn.Sequential(torch.jit.script(network())), NETWORK),
    "traced": (lambda: torch.jit.trace(nn.Linear(8, 8), torch.randn(2, 8)), ONE),  # torch 2.6 traces no conv for meta
}


@BOTH
@pytest.mark.parametrize("make, macs", MODELS.values(), ids=MODELS)
def test_a_model_that_is_counted_is_untouched(make, macs, kind):
    model, size = make(), IMAGE if macs == NETWORK else (2, 8)
    before = state(model)
    report = counted(model, kind, size)
    assert (report.macs, report.uncounted) == (macs, ())
    assert state(model) == before
    model(torch.ones(size, dtype=next(model.parameters()).dtype))  # it runs as before


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


PASSES = {
    "linear": lambda model, x: model.linear(x),
    "of its own": lambda model, x: Product.apply(x, model.linear.weight),
    "checkpoint": lambda model, x: checkpoint(model.linear, x, use_reentrant=False),  # stops before it multiplies again
}


@pytest.mark.parametrize("kind", ["input_size", "real with gradient"])
@pytest.mark.parametrize("does", PASSES.values(), ids=PASSES)
def test_a_backward_pass_leaves_no_gradients(does, kind):
    model = Calls(does)
    model.linear.weight.register_hook(lambda gradient: pytest.fail("the user's own hook ran"))
    before = state(model)
    assert counted(model, kind, (2, 8), backward=True).macs == 3 * ONE
    assert state(model) == before


def test_scripted_models_with_constants_want_real_tensors():
    model = torch.jit.freeze(torch.jit.script(network()))
    with pytest.raises(ValueError, match="holds its weights as constants: pass real tensors"):
        count(model, input_size=IMAGE)
    assert count(model, torch.zeros(IMAGE)).macs == NETWORK


def test_compiled_models_stay_compiled():
    runs = []

    def backend(graph, inputs):
        return lambda *args: runs.append(1) or graph(*args)

    model, x = torch.compile(nn.Sequential(nn.Linear(4, 5)), backend=backend), torch.zeros(2, 4)
    model(x)
    for kind in ("real", "input_size"):
        report = counted(model, kind, (2, 4))
        assert ([row.where for row in report.rows], report.macs, report.uncounted) == (["0"], 40, ())
    assert len(runs) == 1
    model(x), model(x)
    assert len(runs) == 3
    torch.compiler.reset()


@pytest.mark.skipif(
    not hasattr(TorchDispatchMode, "supports_higher_order_operators"), reason="torch shows it to no mode"
)
@pytest.mark.filterwarnings("ignore:flex_attention called without:UserWarning")
def test_flex_attention_works_afterwards():
    from torch.nn.attention.flex_attention import flex_attention as flex

    q = torch.rand(1, 2, 128, 16)
    report = count(flex, q, q, q)
    assert (report.macs, report.uncounted) == (2 * 2 * 128 * 128 * 16, ())
    assert flex(q, q, q).shape == q.shape


@BOTH
def test_what_stays_lazy_is_refused(kind):
    model = MODELS["lazy"][0]()
    report = counted(model, kind, (2, 8))
    assert report.params == 8 * 8 + 8 + 2 * 8 + 8 * 4 + 4
    model.forward = lambda x: x
    with pytest.raises(ValueError, match=r"^0\.weight has no shape yet, and this run gave it none"):
        counted(model, kind, (2, 8))


# ---- refused, and errors


PAST = {
    "a closure": reaching(lambda model: functools.wraps(model.linear.forward)(lambda x: model.linear(x))),
    "a lambda over a weight": reaching(lambda model: (lambda w: lambda x: x @ w.mul_(2).T)(model.linear.weight)),
    "a weak reference": reaching(lambda model: (lambda me: lambda x: me().linear(x))(weakref.ref(model))),
    "a weak proxy": reaching(lambda model: (lambda me: lambda x: me.linear(x))(weakref.proxy(model))),
}


@BOTH
@pytest.mark.parametrize("make", PAST.values(), ids=PAST)
def test_a_model_that_reaches_past_its_copy_is_refused(make, kind):
    model = make()
    before = state(model)
    with pytest.raises(ValueError, match=REFUSED) as error:
        counted(model, kind, (2, 8))
    assert state(model) == before and "\n" not in str(error.value)


def test_a_module_that_gives_itself_for_its_copy_is_refused():
    model = nn.Sequential(type("Itself", (nn.Linear,), {"__deepcopy__": lambda self, memo: self})(8, 8))
    before = state(model)
    with pytest.raises(ValueError, match="a module of it gives itself for its copy"):
        count(model, input_size=(2, 8))
    assert state(model) == before


ERRORS = [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError, OSError, AssertionError, KeyError]
ERRORS = [error("mine") for error in ERRORS] + [RuntimeError("meta-learning rate too high"), TypeError("meta")]


@BOTH
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_an_error_of_the_model_s_own_is_passed_on(error, kind):
    def fails(model, x):
        model.linear(x)
        raise error

    model = Calls(fails)
    before = state(model)
    with pytest.raises(type(error)) as raised:
        counted(model, kind, (2, 8))
    assert raised.value is error and state(model) == before


@BOTH
def test_a_change_of_the_model_s_memory_past_its_copy_is_a_copy_s(kind):
    model = nn.Sequential(nn.Linear(4, 5))
    alias, before = model[0].weight.detach(), model[0].weight.tolist()
    model.forward = lambda x: x @ alias.mul_(2).mT
    assert counted(model, kind, (2, 4)).macs == 2 * 4 * 5
    assert alias.tolist() == model[0].weight.tolist() == before
