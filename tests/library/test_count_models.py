"""count() of scripted, traced, compiled, parametrized, lazy and tied models, and of classes that refuse a copy."""

import sys

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from dslib.counting import count
from tests.support.counted import counted, state

BOTH = pytest.mark.parametrize("kind", ["input_size", "real"])
SCRIPT = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.torch.jit:FutureWarning")


@SCRIPT
@BOTH
@pytest.mark.parametrize("way", ["script", "trace", "inside", "fx"])
def test_scripted_and_traced_models(way, kind):
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()).eval()
    x = torch.zeros(1, 3, 8, 8)
    make = {"script": torch.jit.script, "trace": lambda m: torch.jit.trace(m, x), "fx": torch.fx.symbolic_trace}
    other = make[way](model) if way in make else nn.Sequential(torch.jit.script(model), nn.Identity())
    expected = other(x)
    report = counted(other, kind, (1, 3, 8, 8))
    assert (report.macs, report.params, report.uncounted) == (7776, 224, ())
    assert torch.equal(other(x), expected)


@SCRIPT
def test_scripted_models_with_constants_want_real_tensors():
    model = torch.jit.freeze(torch.jit.script(nn.Sequential(nn.Conv2d(3, 8, 3)).eval()))
    with pytest.raises(ValueError, match="holds its weights as constants: pass real tensors"):
        count(model, input_size=(1, 3, 8, 8))
    assert count(model, torch.zeros(1, 3, 8, 8)).macs == 7776


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


@pytest.mark.filterwarnings("ignore:flex_attention called without:UserWarning")
def test_flex_attention_works_afterwards():
    flex = pytest.importorskip("torch.nn.attention.flex_attention", reason="a newer torch").flex_attention
    q = torch.rand(1, 2, 128, 16)
    report = count(flex, q, q, q)
    assert (report.macs, report.uncounted) == (2 * 2 * 128 * 128 * 16, ())
    assert flex(q, q, q).shape == q.shape


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@BOTH
@pytest.mark.parametrize(
    "norm",
    [
        nn.utils.weight_norm,
        nn.utils.spectral_norm,
        parametrizations.weight_norm,
        parametrizations.spectral_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
    ],
)
def test_weights_that_are_worked_out_on_the_way(norm, kind):
    model, x = nn.Sequential(norm(nn.Linear(4, 5))), torch.rand(2, 4)
    model(x)  # the first run in training changes a spectral norm
    expected = model.eval()(x)
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    assert counted(model.train(), kind, (2, 4)).rows[-1].macs == 2 * 20
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before
    assert torch.equal(model.eval()(x), expected)


@BOTH
def test_lazy_layers_stay_lazy(kind):
    model = nn.Sequential(nn.LazyLinear(5), nn.LazyBatchNorm1d(), nn.Linear(5, 2))
    report = counted(model, kind, (2, 4))
    assert (report.macs, report.params) == (2 * 20 + 2 * 10, 25 + 10 + 12)
    assert type(model[0]) is nn.LazyLinear and type(model[1]) is nn.LazyBatchNorm1d
    model.forward = lambda x: x
    with pytest.raises(ValueError, match=r"^0\.weight has no shape yet, and this run gave it none"):
        counted(model, kind, (2, 4))


@BOTH
def test_tied_and_frozen_parameters_stay_tied_and_frozen(kind):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    report = counted(model, kind, (2, 4), backward=True)
    assert (report.params, [row.params for row in report.rows][:2]) == (16 + 8, [20, 4])
    assert model[1].weight is model[0].weight
    assert [parameter.requires_grad for parameter in model.parameters()] == [True, False, True]


@BOTH
def test_marks_on_a_parameter_are_seen(kind):
    class Marked(nn.Linear):
        def forward(self, x):
            return super().forward(x) if self.weight.used else x

    model = Marked(4, 5)
    model.weight.used = True
    assert counted(model, kind, (2, 4)).macs == 40


def past_its_attributes(does):
    model = nn.Sequential(nn.Linear(4, 5))
    model.forward = lambda x: does(model[0], x)
    return model


@BOTH
def test_a_model_that_reaches_past_its_copy_is_refused(kind):
    model = past_its_attributes(lambda layer, x: layer(x))
    before = state(model)
    with pytest.raises(ValueError, match="is handed a tensor of the model itself, not of the copy that is counted"):
        counted(model, kind, (2, 4))
    assert state(model) == before


@BOTH
def test_a_change_of_the_model_s_memory_past_its_copy_is_a_copy_s(kind):
    model = nn.Sequential(nn.Linear(4, 5))
    alias, before = model[0].weight.detach(), model[0].weight.tolist()
    model.forward = lambda x: x @ alias.mul_(2).mT
    assert counted(model, kind, (2, 4)).macs == 2 * 4 * 5
    assert alias.tolist() == model[0].weight.tolist() == before


class Uncopyable(nn.Linear):
    def __deepcopy__(self, memo):
        raise TypeError("not this one")

    def forward(self, x):
        self.weight.data.mul_(2)
        return super().forward(x)


@BOTH
def test_classes_that_refuse_to_be_copied_are_copied_all_the_same(kind):
    for model in (Uncopyable(4, 5), nn.Sequential(Uncopyable(4, 5))):
        model.file, model.held = sys.stdout, [Uncopyable(1, 1)]
        before = state(model)
        report = counted(model, kind, (2, 4))
        assert (report.macs, report.params, state(model)) == (40, 25, before)
