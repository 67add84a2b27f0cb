"""Models that keep, make or change things while they run, in threads or in unusual modes: after a count as before."""

import copy
import functools
import threading
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dslib.counting import count


class Held(nn.Module):
    """Two layers, and whatever ``change`` does to them while they run."""

    def __init__(self, change):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.positions, self.cache, self.seen = None, {}, [1]
        self.change = change

    def forward(self, x):
        self.change(self, x)
        return self.norm(self.conv(x)) + (0 if self.positions is None else self.positions)


def keep_in_a_dict(model, x):
    model.cache["x"] = x
    model.seen.append(x)
    del model.seen[0]


CHANGES = {
    "an attribute": lambda model, x: setattr(model, "positions", torch.arange(2.0, device=x.device)),
    "state": lambda model, x: setattr(model, "state", x),
    "a dict and a list": keep_in_a_dict,
    "a layer": lambda model, x: setattr(model, "late", nn.Linear(3, 4)),
    "a parameter": lambda model, x: setattr(model, "late", nn.Parameter(torch.zeros(3))),
    "a parameter put anew": lambda model, x: setattr(model.conv, "weight", nn.Parameter(model.conv.weight + 1)),
    "a buffer": lambda model, x: model.register_buffer("late", torch.zeros(3)),
    "a hook": lambda model, x: model.conv.register_forward_hook(lambda *_: None),
    "another mode": lambda model, x: model.eval(),
    "frozen": lambda model, x: model.conv.requires_grad_(False),
    "something less": lambda model, x: delattr(model, "cache"),
}


@pytest.mark.parametrize("kind", [{"input_size": (2, 3, 4, 4)}, {}], ids=["input_size", "real"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_model_does_to_itself_is_undone(change, kind):
    model = Held(change)
    attributes = {path: dict(vars(module)) for path, module in model.named_modules()}
    inside = {(path, name): copy.copy(held) for path in attributes for name, held in attributes[path].items()}
    x = torch.rand(2, 3, 4, 4)
    assert count(model, *([] if kind else [x]), **kind).macs == 2 * 4 * 4 * 27
    for path, module in model.named_modules():
        assert list(vars(module)) == list(attributes[path])
        for name, held in vars(module).items():
            assert held is attributes[path][name]
            if isinstance(held, (dict, list)):
                assert held == inside[path, name]
    assert all(parameter.requires_grad and not parameter.is_meta for parameter in model.parameters())
    assert model(x).shape == (2, 4, 2, 2)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("norm", [nn.utils.weight_norm, nn.utils.spectral_norm])
def test_weights_that_are_worked_out_on_the_way(norm):
    model, x = norm(nn.Linear(4, 5)), torch.rand(2, 4)
    model(x)
    model.eval()
    expected = model(x)
    for arguments in ({"input_size": (2, 4)}, {}):
        report = count(model, *([] if arguments else [x]), **arguments)
        assert report.rows[-1].macs == 2 * 20
        assert torch.equal(model(x), expected)


@pytest.mark.parametrize("arguments", [{"input_size": (2, 4)}, {}])
def test_tensors_that_are_plain_attributes(arguments):
    class Scaled(nn.Linear):
        scale = None

        def forward(self, x):
            self.scale += 1
            return super().forward(x * self.scale)

    model = Scaled(4, 5)
    model.scale = torch.ones(4)
    assert count(model, *([] if arguments else [torch.zeros(2, 4)]), **arguments).macs == 40
    assert model.scale.tolist() == [1] * 4


def test_marks_on_a_parameter_are_seen():
    class Marked(nn.Linear):
        def forward(self, x):
            return super().forward(x) if self.weight.used else x

    model = Marked(4, 5)
    model.weight.used = True
    assert count(model, input_size=(2, 4)).macs == 40


# ---- what is called


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(
    "of", [lambda m: m.forward, lambda m: functools.partial(m), lambda m: functools.partial(m.forward)]
)
def test_a_method_or_a_partial_of_a_model_leaves_it_alone(of, backward):
    model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
    report = count(of(model), input_size=(2, 4), backward=backward)
    assert (report.macs, report.params) == (40 * (3 if backward else 1), 25 + 10)
    assert report.rows[0].where == "0"
    count(of(model), torch.rand(2, 4), backward=backward)
    assert model[1].num_batches_tracked == 0 and model[0].weight.grad is None


def test_keyword_arguments_through_a_partial():
    def product(a, b, times):
        return (a @ b).repeat(times, 1) @ b

    assert count(functools.partial(product, times=3), input_size=[(2, 4), (4, 4)]).macs == 32 + 3 * 32


@dataclass
class Output:
    last: torch.Tensor
    name: str = "output"


@pytest.mark.parametrize(
    "wrap", [Output, lambda y: {"a": [y]}, lambda y: (None, [y, 3])], ids=["dataclass", "dict", "tuple"]
)
def test_backward_from_any_output(wrap):
    linear = nn.Linear(4, 5)
    x = torch.zeros(2, 4, requires_grad=True)
    assert count(lambda x: wrap(linear(x)), x, backward=True).macs == 3 * 40


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_inputs_in_dicts_and_lists(device):
    def function(batch, more):
        batch["x"].add_(1)
        return batch["x"] @ more[0][0]

    batch, more = {"x": torch.ones(6, 4, device=device)}, [(torch.ones(4, 5, device=device), "name")]
    report = count(function, batch, more, per_image=True)
    assert (report.macs, report.images) == (20, 6)
    assert count(function, batch, more).macs == 120
    assert batch["x"]._version == 0


def test_per_image_needs_an_image():
    with pytest.raises(ValueError, match="per_image needs an input with an axis"):
        count(lambda n: torch.zeros(n, n) @ torch.zeros(n), 3, per_image=True)


# ---- modes and threads


@pytest.mark.parametrize("backward", [False, True])
def test_in_inference_mode(backward):
    with torch.inference_mode():
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5))
        assert count(model, input_size=(2, 4), backward=backward).macs == 40 * (3 if backward else 1)
        assert count(model, torch.rand(2, 4), backward=backward).macs == 40 * (2 if backward else 1)
        assert torch.is_inference_mode_enabled()


def test_counts_in_several_threads():
    model, reports = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval(), []
    expected = count(model, input_size=(1, 3, 4))
    run = lambda: reports.extend(count(model, input_size=(1, 3, 4)) for _ in range(5))  # noqa: E731
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports == [expected] * 20
    assert torch.backends.mha.get_fastpath_enabled()


def in_a_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_threads_of_a_model_are_noted():
    class Threaded(nn.Sequential):
        def forward(self, x):
            in_a_thread(lambda: self[0](x))
            return self[1](x)

    report = count(Threaded(nn.Linear(4, 5), nn.Linear(4, 3)), torch.zeros(2, 4))
    assert report.macs == 24
    assert [entry.operation for entry in report.uncounted] == ["Linear in another thread"]


def test_other_models_in_other_threads_are_left_alone():
    other = nn.Linear(4, 5)

    def function(x):
        in_a_thread(lambda: other(x))
        return F.linear(x, torch.zeros(3, 4))

    assert count(function, torch.zeros(2, 4)).uncounted == ()


# ---- named, never a silent zero


def test_operators_that_run_functions_are_named():
    def branch(x):
        return torch.cond(x.sum() > 0, lambda x: x @ x, lambda x: x, (x,))

    if not hasattr(TorchDispatchMode, "supports_higher_order_operators"):  # torch 2.6 refuses them by itself
        with pytest.raises(NotImplementedError, match="cond"):
            count(branch, torch.ones(3, 3))
        return
    report = count(branch, torch.ones(3, 3))
    assert [entry.operation for entry in report.uncounted] == ["cond"]


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")
def test_sparse_products_are_named():
    report = count(torch.matmul, torch.eye(4).to_sparse_csr(), torch.ones(4, 5))
    assert report.macs == 0 and report.uncounted


@pytest.mark.parametrize("read", [torch.clone, lambda weight: weight.to(torch.bfloat16)])
def test_the_parameters_of_a_copy_are_the_parameters(read):
    class Copied(nn.Linear):
        def forward(self, x):
            return F.linear(x.to(read(self.weight).dtype), read(self.weight))

    report = count(Copied(4, 5, bias=False), input_size=(2, 4), backward=True)
    assert [row.params for row in report.rows] == [20, 0, 0]
    assert "weight (backward)" in [row.where for row in report.rows]


def test_the_look_up_of_an_embedding_holds_its_parameters():
    report = count(nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 5)), torch.zeros(2, dtype=torch.long, device="meta"))
    assert [(entry.operation, entry.params) for entry in report.other] == [("embedding", 40)]
    assert report.rows[0].params == 25


def test_limits_of_finding_products_by_hand():
    taps = [0.5, 0.25]
    assert count(lambda x: x[:-1] * taps[0] + x[1:] * taps[1], torch.ones(5), elementwise=True).by_hand_macs == 0
    norm = nn.RMSNorm(6, elementwise_affine=False)
    assert count(lambda x: x * (x * x).mean(-1, keepdim=True), torch.ones(2, 6), elementwise=True).by_hand_macs == 12
    assert count(norm, torch.ones(2, 6)).macs == 0


@pytest.mark.parametrize("model", [nn.ReLU, nn.Linear])
def test_a_class_is_no_model(model):
    with pytest.raises(ValueError, match="model must be a torch module or a function, got <class"):
        count(model, input_size=(2, 4))


def test_an_input_that_torch_cannot_address_is_refused():
    with pytest.raises(ValueError, match="input_size has more numbers than torch can address"):
        count(nn.ReLU(), input_size=(2**40, 2**40))
