"""count() leaves the model, its gradients, buffers, hooks and mode, and every global of torch's as they were."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules import module as torch_module
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from dslib import models
from dslib.counting import count


class Everything(nn.Module):
    """A convolution, a norm with buffers, dropout, attention, an LSTM, an fft; can raise at its end."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.attention = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        self.lstm = nn.LSTM(4, 4, batch_first=True)
        self.register_buffer("seen", torch.zeros(()), persistent=False)
        self.raises = False

    def forward(self, x):
        self.seen += 1
        x = F.relu_(self.norm(self.conv(x)))
        x = F.dropout(x, 0.5) + torch.rand_like(x)
        x = torch.fft.fft(x).real.flatten(2).mT
        x = self.lstm(self.attention(x))[0]
        if self.raises:
            raise KeyError("stop here")
        return x


GLOBALS = {
    "random numbers": lambda: torch.get_rng_state().tolist(),
    "grad mode": torch.is_grad_enabled,
    "inference mode": torch.is_inference_mode_enabled,
    "fast path": torch.backends.mha.get_fastpath_enabled,
    "default type": torch.get_default_dtype,
    "default device": torch.get_default_device,
    "global hooks": lambda: [
        len(getattr(torch_module, name))
        for name in (
            "_global_forward_hooks",
            "_global_forward_pre_hooks",
            "_global_forward_hooks_always_called",
            "_global_backward_hooks",
        )
    ],
    "dispatch modes": lambda: len(_get_current_dispatch_mode_stack()),
}


def state(model):
    """All that could have changed, in values and in objects."""
    own = [
        (name, id(tensor), id(tensor.grad), tensor.detach().clone().tolist(), tensor.requires_grad, tensor._version)
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]
    ]
    gradients = [None if tensor.grad is None else tensor.grad.tolist() for tensor in model.parameters()]
    modules = [
        (name, module.training, [len(getattr(module, hooks)) for hooks in vars(module) if hooks.endswith("_hooks")])
        for name, module in model.named_modules()
    ]
    flat = [id(tensor) for module in model.modules() for tensor in getattr(module, "_flat_weights", [])]
    names = [list(vars(module)) for module in model.modules()]
    persistent = list(model.state_dict())
    return own, gradients, modules, flat, names, persistent, {name: read() for name, read in GLOBALS.items()}


options = pytest.mark.parametrize("backward", [False, True])
inputs = pytest.mark.parametrize("kind", ["input_size", "real", "real with gradient", "meta"])


def counted(model, kind, **more):
    if kind == "input_size":
        return count(model, input_size=(2, 3, 4, 5), **more)
    x = torch.ones(2, 3, 4, 5, device="meta" if kind == "meta" else "cpu", requires_grad=kind.endswith("gradient"))
    report = count(model, x, **more)
    assert x.grad is None and x._version == 0
    return report


@options
@inputs
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("elementwise", [False, True])
def test_nothing_changes(kind, backward, training, elementwise):
    model = Everything().train(training)
    model.norm.train(True)  # its buffers would change
    model.conv.weight.grad = torch.full_like(model.conv.weight, 7.0)
    before = state(model)
    report = counted(model, kind, backward=backward, elementwise=elementwise)
    assert report.macs > 0 and report.uncounted
    assert state(model) == before


@options
@inputs
def test_nothing_changes_when_the_model_raises(kind, backward):
    model = Everything()
    model.raises = True
    before = state(model)
    with pytest.raises(KeyError, match="stop here"):
        counted(model, kind, backward=backward)
    assert state(model) == before


@pytest.mark.parametrize("error", ["values", "shape"])
def test_nothing_changes_when_torch_raises(error):
    class Raises(Everything):
        def forward(self, x):
            super().forward(x)
            return x if error == "values" and x.sum() > 0 else x @ x.mT.mT

    model = Raises()
    before = state(model)
    with pytest.raises(ValueError if error == "values" else RuntimeError):
        count(model, input_size=(2, 3, 4, 5))
    assert state(model) == before


@pytest.mark.parametrize("arguments", [{"input_size": (0, 3)}, {}], ids=repr)
def test_nothing_changes_when_the_arguments_are_refused(arguments):
    model = Everything()
    before = state(model)
    with pytest.raises(ValueError):
        count(model, **arguments)
    assert state(model) == before


def test_the_model_still_computes_the_same():
    model, x = Everything().eval(), torch.rand(2, 3, 4, 5)

    def outcome():
        torch.manual_seed(3)
        return model(x).sum()

    expected = outcome()
    for kind in ("input_size", "real", "meta"):
        counted(model, kind, backward=True)
        assert torch.equal(outcome(), expected)


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
    everywhere = torch_module.register_module_forward_hook(lambda *_: ran.append("everywhere"))
    try:
        assert count(model, torch.zeros(2, 4)).macs == 2 * (20 + 15)
        count(model, input_size=(2, 4))
        assert len(torch_module._global_forward_hooks) == 1
    finally:
        everywhere.remove()
    assert ran == ["everywhere", "after", "before", "everywhere", "everywhere"] * 2
    assert (len(model[0]._forward_hooks), len(model[1]._forward_pre_hooks)) == (1, 1)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_the_grad_mode_around_stays(mode):
    model = nn.Linear(4, 5)
    with mode():
        before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        assert count(model, torch.zeros(2, 4)).macs == 40
        assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before


@pytest.mark.parametrize("enabled", [False, True])
def test_the_fast_path_is_put_back(enabled):
    torch.backends.mha.set_fastpath_enabled(enabled)
    try:
        assert count(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval(), input_size=(1, 3, 4)).macs > 0
        assert torch.backends.mha.get_fastpath_enabled() is enabled
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


def test_tied_and_frozen_parameters_stay_tied_and_frozen():
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    model[0].bias.requires_grad_(False)
    count(model, input_size=(2, 4), backward=True)
    count(model, torch.zeros(2, 4), backward=True)
    assert model[1].weight is model[0].weight
    assert [parameter.requires_grad for parameter in model.parameters()] == [True, False, True]


def test_the_caller_s_tensors_stay_as_they_are():
    x, weight = torch.full((2, 4), -1.0, requires_grad=True), nn.Parameter(torch.ones(5, 4))
    x.register_hook(lambda gradient: pytest.fail("the caller's own hook ran"))
    count(lambda x: F.linear(F.relu(x, inplace=True), weight), x, backward=True)
    assert (x == -1).all() and x.grad is None and weight.grad is None and x.is_leaf and x.requires_grad


def test_a_count_in_a_count():
    inner = []

    def outer(x):
        inner.append(count(nn.Linear(4, 5), input_size=(2, 4)))
        return F.linear(x, torch.zeros(3, 4))

    report = count(outer, torch.zeros(2, 4))
    assert inner[0].macs == 40
    assert report.rows[-1].macs == 24
    assert GLOBALS["global hooks"]() == [0, 0, 0, 0] and GLOBALS["dispatch modes"]() == 0


def test_a_model_that_catches_its_own_errors_keeps_its_places():
    class Catches(nn.Module):
        def __init__(self):
            super().__init__()
            self.good, self.bad = nn.Conv2d(3, 5, 2), nn.Conv2d(4, 5, 2)

        def forward(self, x):
            try:
                self.bad(x)
            except RuntimeError:
                return F.linear(self.good(x), torch.zeros(2, 5))

    for arguments in ({"input_size": (1, 3, 7, 6)}, {}):
        report = count(Catches(), *([] if arguments else [torch.zeros(1, 3, 7, 6)]), **arguments)
        assert [(row.where.split()[0], row.macs) for row in report.rows] == [("good", 1800), ("Catches", 5 * 6 * 2 * 5)]


def test_a_network_of_the_book_stays_as_it_is():
    model = models.ghostnet().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    count(model, torch.rand(2, 3, 32, 32), backward=True)
    count(model, input_size=(2, 3, 32, 32))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
