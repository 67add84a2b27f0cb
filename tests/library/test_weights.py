"""Weights that were trained elsewhere: unwrapped, renamed, put in order, or refused in one short line."""

import builtins
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from dslib import models, tables
from dslib.models import load_weights
from tests.support.reference.filling import filled


def network(num_classes=5):
    return models.mobilenet_v1(0.25, num_classes, rows=tables.MOBILENET_V1[:2])


@pytest.fixture
def trained():
    """A state dict that no fresh network has, of float32."""
    return filled(network(), "mobilenetv1_100").float().state_dict()


def renamed(state):
    """The same numbers in the same order under names that tell nothing."""
    return {f"layer{number}.{key.rpartition('.')[2]}": value for number, (key, value) in enumerate(state.items())}


def without_counters(state):
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


def assert_loaded(model, state):
    own = model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in state.items()) and own.keys() >= state.keys()


# ---- what is loaded

WRAPPED = {
    "as it is": lambda state: state,
    "state_dict": lambda state: {"state_dict": state, "epoch": 3, "optimizer": {"lr": 0.1}},
    "model": lambda state: {"model": state, "args": object()},
    "ema": lambda state: {"ema": state},
    "the plain one before the average": lambda state: {"ema": {}, "model": state},
    "twice": lambda state: {"model": {"state_dict": state}},
    "module.": lambda state: {f"module.{key}": value for key, value in state.items()},
    "compiled": lambda state: {f"_orig_mod.{key}": value for key, value in state.items()},
    "compiled inside": lambda state: {key.replace("blocks.", "blocks._orig_mod."): v for key, v in state.items()},
    "another module that held the network": lambda state: {f"net.backbone.{key}": v for key, v in state.items()},
    "the only dictionary of weights": lambda state: {"net": state, "acc": 94.1, "optimizer": {"state": {}}},
    "all at once": lambda state: {"state_dict": {f"model.module._orig_mod.{key}": v for key, v in state.items()}},
    "an average of weights": lambda state: (
        {"n_averaged": torch.tensor(7)} | {f"module.{k}": v for k, v in state.items()}
    ),
    "arrays": lambda state: {key: value.numpy() for key, value in state.items()},
    "arrays that cannot be written": lambda state: {key: frozen(value.numpy()) for key, value in state.items()},
    "arrays of another byte order": lambda state: {
        key: value.numpy().astype(value.numpy().dtype.newbyteorder()) for key, value in state.items()
    },
    "parameters": lambda state: {k: nn.Parameter(v, v.is_floating_point()) for k, v in state.items()},
    "without counters": without_counters,
    "with what a module keeps besides": lambda state: state | {"blocks._extra_state": {"version": 1}},
    "another order": lambda state: dict(sorted(state.items(), reverse=True)),
}


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_wrappers_and_prefixes_are_taken_off(trained, wrap):
    model = network()
    assert load_weights(model, wrap(trained)) is model
    assert_loaded(model, without_counters(trained))


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        lambda model: nn.Sequential(OrderedDict(_orig_mod=model)),  # as torch.compile does
        lambda model: nn.Sequential(OrderedDict(model=model)),
    ],
    ids=["parallel", "compiled", "inside"],
)
def test_a_model_may_be_wrapped_as_well(trained, wrap):
    model = network()
    load_weights(wrap(model), trained)
    assert_loaded(model, trained)


def test_names_that_begin_like_a_prefix_are_kept():
    built = [nn.Sequential(OrderedDict(model=nn.Linear(2, 3))) for _ in range(2)]
    load_weights(built[0], built[1].state_dict())
    assert_loaded(*[built[0], built[1].state_dict()])


def test_other_precisions_are_converted(trained):
    model = load_weights(network().half(), {key: value.double() for key, value in trained.items()})
    assert_loaded(model, {key: value.half() if value.dim() else value for key, value in trained.items()})


def test_gradients_and_the_tensors_themselves_stay(trained):
    model = network()
    weight = model.classifier.weight
    load_weights(model, trained)
    assert model.classifier.weight is weight and weight.requires_grad and weight.is_leaf


@pytest.mark.parametrize("change", [renamed, lambda state: without_counters(renamed(state))])
def test_in_order(trained, change):
    model = load_weights(network(), change(trained), by_order=True)
    assert_loaded(model, without_counters(trained))


def test_in_the_order_and_the_words_of_keras(trained):
    words = {"running_mean": "moving_mean", "running_var": "moving_variance"}
    of_norm = {"weight": "gamma", "bias": "beta"}
    given = {}
    for number, (key, value) in enumerate(without_counters(trained).items()):
        last = key.rpartition(".")[2]
        last = words.get(last) or (of_norm[last] if "bn" in key else last)
        given[f"layer_{number}/{last}:0"] = value.numpy()
    assert_loaded(load_weights(network(), given, by_order=True), without_counters(trained))


@pytest.mark.parametrize("name", ["weights.pth", "weights.pth.tar", "weights.bin"])
def test_from_a_file(trained, tmp_path, name):
    torch.save({"state_dict": trained}, tmp_path / name)
    for path in (tmp_path / name, str(tmp_path / name)):
        assert_loaded(load_weights(network(), path), trained)


def test_from_a_file_of_arrays(trained, tmp_path):
    np.savez(tmp_path / "weights.npz", **{key: value.numpy() for key, value in trained.items()})
    assert_loaded(load_weights(network(), tmp_path / "weights.npz"), trained)


def test_safetensors_without_the_package(trained, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("safetensors"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    (tmp_path / "w.safetensors").touch()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match="w.safetensors' needs a package to be read: pip install safetensors"):
        load_weights(network(), tmp_path / "w.safetensors")


# ---- what is refused: one short line, and the model as it was


def changed(state, **others):
    return {key.replace("__", "."): value for key, value in (state | others).items()}


def broken(state):
    """As many tensors of the same shapes, but in one norm scale and shift have changed places."""
    keys = list(renamed(without_counters(state)).items())
    keys[1], keys[2] = keys[2], keys[1]
    return dict(keys)


def with_last_words(state, **words):
    """The same shapes in the same order, where others of the numbers come first, as their names say."""
    other = dict(zip(words, reversed(words), strict=True))
    given = {}
    for place, key in enumerate(without_counters(state)):
        before, _, last = key.rpartition(".")
        of_norm = "bn" in before and last in words
        given[f"{place}/{words.get(last, last)}"] = state[f"{before}.{other[last]}" if of_norm else key]
    return given


def inside_itself(state):
    found = {}
    found["model"] = found
    return found


SHAPES = "the order does not fit: 26 tensors for the model's 27, "
BAD = {
    "no file": (lambda s: "nowhere.pth", {}, "there is no file 'nowhere.pth'"),
    "a folder": (lambda s: "/", {}, "there is no file '/'"),
    "empty": (lambda s: {}, {}, "a path or a dictionary of names and tensors, got an empty dictionary"),
    "nothing": (lambda s: None, {}, "a path or a dictionary of names and tensors, got NoneType"),
    "a list": (lambda s: list(s.values()), {}, "a path or a dictionary of names and tensors, got list"),
    "a model": (lambda s: network(), {}, r"a whole model, MobileNetV1: pass its state_dict\(\)"),
    "a model inside": (lambda s: {"model": network()}, {}, r"a whole model, MobileNetV1: pass its state_dict\(\)"),
    "no tensors": (lambda s: {"a": 1, "b": "text"}, {}, "2 of 2 are not: a is int, b is str"),
    "text": (lambda s: {"w": np.array(["x"])}, {}, "1 of 1 are not: w is ndarray of <U1"),
    "whole numbers": (
        lambda s: changed(s, classifier__weight=torch.ones(5, 32, dtype=torch.int8)),
        {},
        "classifier.weight is Tensor of torch.int8",
    ),
    "names that are none": (lambda s: {0: torch.ones(1)}, {}, "weights must have names, got the key 0"),
    "missing": (lambda s: dict(list(s.items())[1:]), {}, "the model's 27: 1 missing: conv_stem.weight$"),
    "two of one name": (
        lambda s: changed(s, **{"_orig_mod.classifier.bias": torch.ones(5)}),
        {},
        "names are ambiguous: some differ in _orig_mod. alone",
    ),
    "itself inside": (inside_itself, {}, "1 of 1 are not: model is dict"),
    "sparse": (
        lambda s: changed(s, classifier__weight=torch.ones(5, 32).to_sparse()),
        {},
        "dense tensors of floats; 1 of 32 are not: classifier.weight is Tensor of torch.float32, torch.sparse_coo",
    ),
    "without numbers": (
        lambda s: changed(s, classifier__weight=torch.ones(5, 32, device="meta")),
        {},
        "1 of [0-9]+ are not: classifier.weight is Tensor of torch.float32, torch.strided, meta",
    ),
    "nothing that agrees": (lambda s: {"a": torch.ones(2)}, {}, "27 missing: .*; 1 unexpected: a$"),
    "unexpected": (lambda s: changed(s, more=torch.ones(2)), {}, "the model's 27: 1 unexpected: more$"),
    "another shape": (
        lambda s: changed(s, classifier__bias=torch.ones(1000)),
        {},
        "the model's 27: 1 of another shape: classifier.bias 1000 for 5$",
    ),
    "other names": (renamed, {}, "27 missing: .*, and 24 more; 27 unexpected: .* by_order=True loads them"),
    "one too few": (
        lambda s: dict(list(renamed(without_counters(s)).items())[:-1]),
        {"by_order": True},
        SHAPES + "0 of another shape$",
    ),
    "one lost": (
        lambda s: dict(list(renamed(without_counters(s)).items())[1:]),
        {"by_order": True},
        SHAPES + "[0-9]+ of another shape: 1: layer1.weight 8 for conv_stem.weight 8x3x3x3, ",
    ),
    "two of one shape in another order": (
        broken,
        {"by_order": True},
        "ambiguous: shapes fit, but names say otherwise in 2: layer2.bias for bn1.weight, layer1.weight for bn1.bias$",
    ),
    "a loss beside the network": (
        lambda state: {f"net.{key}": v for key, v in state.items()} | {"criterion.weight": torch.ones(5)},
        {},
        "weights do not fit the model's 27: 1 unexpected: criterion.weight$",
    ),
    "two networks": (
        lambda state: {f"{who}.{key}": v for who in ("teacher", "student") for key, v in state.items()},
        {},
        "names are ambiguous: they fit under 'student.', 'teacher.': pass one of them$",
    ),
    "two dictionaries": (
        lambda state: {"generator": state, "discriminator": state},
        {},
        "the checkpoint has several dictionaries of weights: generator, discriminator: pass one of them$",
    ),
    "variances before means": (
        lambda state: with_last_words(state, running_mean="variance", running_var="mean"),
        {"by_order": True},
        r"a variance is never negative, 5 are: blocks.0.0.bn1.running_var, .*: are means in their place\?$",
    ),
    "offsets before scales": (
        lambda state: with_last_words(state, weight="offset", bias="scale"),
        {"by_order": True},
        "names say otherwise in 17: 0/offset for conv_stem.weight, 1/offset for bn1.weight, 2/scale for bn1.bias, ",
    ),
}


@pytest.mark.parametrize("given, settings, told", BAD.values(), ids=BAD)
def test_what_does_not_fit_is_refused_in_one_short_line(trained, given, settings, told):
    model = network()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=told) as error:
        load_weights(model, given(trained), **settings)
    assert "\n" not in str(error.value) and len(str(error.value)) < 500
    assert_loaded(model, before)


def test_a_network_of_other_names_is_refused_in_a_short_line():
    """All of GhostNet's names for MobileNetV1's: thousands of letters in torch's own message."""
    with pytest.raises(ValueError) as error:
        load_weights(models.mobilenet_v1(), models.ghostnet().state_dict())
    assert "missing: " in str(error.value) and len(str(error.value)) < 600


def test_long_names_are_cut(trained):
    with pytest.raises(ValueError) as error:
        load_weights(network(), {f"{'x' * 5000}{key}": value for key, value in trained.items()})
    assert len(str(error.value)) < 900


class Whole(nn.Linear):
    """A model saved whole: only its own code can read it."""


@pytest.mark.parametrize("what", [Whole(2, 2), {"state_dict": {}, "args": Whole}])
def test_files_that_would_run_code_are_refused(what, tmp_path):
    torch.save(what, tmp_path / "whole.pth")
    with pytest.raises(ValueError, match=r"whole.pth' .*holds more than tensors.* save state_dict\(\) alone"):
        load_weights(network(), tmp_path / "whole.pth")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x89HDF\r\n", b"version https://git-lfs", b"hello"])
def test_files_of_other_kinds_are_refused(content, tmp_path):
    (tmp_path / "other.pth").write_bytes(content)
    with pytest.raises(ValueError, match="other.pth'") as error:
        load_weights(network(), tmp_path / "other.pth")
    assert "\n" not in str(error.value) and len(str(error.value)) < 500


@pytest.mark.filterwarnings("ignore:.*TorchScript")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_program_is_told_from_weights(tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "program.pt")
    with pytest.raises(ValueError, match=r"program.pt' is a program .* pass torch.jit.load\(path\).state_dict\(\)$"):
        load_weights(network(), tmp_path / "program.pt")


def test_models_that_hold_no_numbers_are_refused(trained):
    with torch.device("meta"):
        without_numbers = network()
    for model in (without_numbers, nn.LazyLinear(3)):
        with pytest.raises(ValueError, match="model has no numbers yet"):
            load_weights(model, trained)
    with pytest.raises(ValueError, match="model must be a torch module, got OrderedDict"):
        load_weights(trained, model)


def test_what_is_loaded_is_what_the_network_computes_with():
    x = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
    source, model = network().eval(), network().eval()
    with torch.inference_mode():
        assert (model(x) - source(x)).abs().max() > 1e-3
        assert torch.equal(load_weights(model, source.state_dict())(x), source(x))
