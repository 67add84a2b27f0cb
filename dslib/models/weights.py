"""Published weights, from files and from other frameworks' names, into a network of torch's."""

import os
import pickle
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

WRAPPERS = ("state_dict", "model_state_dict", "model", "ema")  # the first one that a checkpoint has, or its only one
PREFIXES = ("module.", "model.")  # what DataParallel, and modules that hold the network, put before each name
COUNTER = "num_batches_tracked"  # of a batch norm in training; old files and other frameworks lack it
# What the last word of a name says the numbers are, in torch's words and in those of Keras, TensorFlow and JAX.
ROLES = {
    **dict.fromkeys(("weight", "weights", "gamma", "scale"), "weight"),
    **dict.fromkeys(("bias", "biases", "beta", "offset"), "bias"),
    **dict.fromkeys(("running_mean", "moving_mean"), "running_mean"),
    **dict.fromkeys(("running_var", "moving_variance"), "running_var"),
}


def load_weights(model, path_or_state_dict, by_order=False):
    """Load weights that were trained elsewhere into a model, all or nothing, and return the model.

    ``model = models.load_weights(models.ghostnet(), "state_dict_73.98.pth").eval()``

    Files: ``.safetensors``, ``.npz``, or what ``torch.save`` wrote, read without running code in it. Checkpoints are
    unwrapped (``{"state_dict": ...}``), and prefixes such as ``module.`` dropped. Values may be arrays. Names must
    agree, or with ``by_order`` the order of the shapes. Raises ValueError with the first differences.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch module, got {type(model).__name__}")
    own = _without_prefixes(model.state_dict())
    if any(tensor.is_meta or nn.parameter.is_lazy(tensor) for tensor in own.values()):
        raise ValueError("model has no numbers yet (device meta, or lazy): build it on a device, or run it once")
    weights = _numbers(_under_own_names(own, _without_prefixes(_unwrapped(path_or_state_dict))))
    if by_order:
        weights = _in_order(own, weights)
    _check(own, weights)
    with torch.no_grad():
        for name, tensor in own.items():  # state_dict gives the model's own tensors
            if (
                name in weights and weights[name].shape == tensor.shape
            ):  # a counter may be missing or have another shape
                tensor.copy_(weights[name])
    return model


def _unwrapped(weights):
    """The dictionary that holds the weights: read, if a path was given, and out of its checkpoint."""
    if isinstance(weights, (str, os.PathLike)):
        weights = _read(weights)
    for _ in WRAPPERS:  # one in another, but not without end
        inside = weights if isinstance(weights, Mapping) else {}
        weights = next((inside[key] for key in WRAPPERS if isinstance(inside.get(key), (Mapping, nn.Module))), weights)
    inside = (
        {key: value for key, value in weights.items() if _holds_tensors(value)} if isinstance(weights, Mapping) else {}
    )
    if len(inside) > 1:
        raise ValueError(
            f"the checkpoint has several dictionaries of weights: {_few(list(map(str, inside)))}: pass one of them"
        )
    weights = next(iter(inside.values()), weights)
    if isinstance(weights, nn.Module):
        raise ValueError(f"weights are a whole model, {type(weights).__name__}: pass its state_dict()")
    if not isinstance(weights, Mapping) or not weights:
        what = "an empty dictionary" if isinstance(weights, Mapping) else type(weights).__name__
        raise ValueError(f"path_or_state_dict must be a path or a dictionary of names and tensors, got {what}")
    return weights


def _holds_tensors(value):
    return isinstance(value, Mapping) and any(
        isinstance(inside, (torch.Tensor, np.ndarray)) for inside in value.values()
    )


def _read(path):
    """What a file of weights holds. Nothing in it is run."""
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise ValueError(f"there is no file {path!r}")
    if path.endswith(".safetensors"):
        try:
            from safetensors.torch import load_file
        except ImportError:
            raise ValueError(f"{path!r} needs a package to be read: pip install safetensors") from None
        read = load_file
    else:
        read = _numpy_load if path.endswith(".npz") else _torch_load
    try:
        return read(path)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path!r} is no file of torch's, or holds more than tensors, such as a whole model, and reading it could "
            "run code: save state_dict() alone, or, if you trust it, pass torch.load(path, weights_only=False)"
        ) from None
    except Exception as error:  # whatever a damaged file leads to
        if "TorchScript" in str(error):
            raise ValueError(
                f"{path!r} is a program (TorchScript): if you trust it, pass torch.jit.load(path).state_dict()"
            ) from None
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:150]
        raise ValueError(f"{path!r} can't be read as weights, {reason}") from None


def _torch_load(path):
    return torch.load(path, map_location="cpu", weights_only=True)


def _numpy_load(path):
    with np.load(path) as file:
        return dict(file)


def _without_prefixes(weights):
    """The same tensors under the network's own names: what wrappers put before them, or beside them, is dropped."""
    odd = [key for key in weights if not isinstance(key, str)]
    if odd:
        raise ValueError(f"weights must have names, got the key {odd[0]!r}")
    weights = {key: value for key, value in weights.items() if key != "n_averaged" and not key.endswith("_extra_state")}
    plain = {key.replace("_orig_mod.", ""): value for key, value in weights.items()}
    if len(plain) < len(weights):
        raise ValueError("names are ambiguous: some differ in _orig_mod. alone")
    weights = plain
    for prefix in PREFIXES * 2:  # each may be around the other
        if weights and all(key.startswith(prefix) for key in weights):
            weights = {key.removeprefix(prefix): value for key, value in weights.items()}
    return weights


def _under_own_names(own, weights):
    """The same weights, without what stands before each of the model's names: ``net.``, say, with a loss beside it."""
    needed = [name for name in own if not name.endswith(COUNTER)] or [""]
    before = {key.removesuffix(needed[0]) for key in weights if f".{key}".endswith(f".{needed[0]}")}
    fit = sorted(prefix for prefix in before if all(prefix + name in weights for name in needed))
    if len(fit) > 1:
        raise ValueError(f"names are ambiguous: they fit under {_few(list(map(repr, fit)))}: pass one of them")
    plain = {key.removeprefix(fit[0]): value for key, value in weights.items()} if fit else weights
    return plain if len(plain) == len(weights) else weights


def _numbers(weights):
    """The same weights as tensors: they may be arrays of numpy's, or anything that numpy reads as one."""
    found, odd = {}, []
    for name, value in weights.items():
        if not isinstance(value, torch.Tensor) and hasattr(value, "__array__"):
            array = np.asarray(value)
            if array.dtype.kind in "fiu" and array.itemsize <= 8:
                value = torch.from_numpy(array.astype(array.dtype.newbyteorder("=")))  # a copy: torch wants to write
        dense = isinstance(value, torch.Tensor) and value.layout is torch.strided and not value.is_meta
        if dense and (value.is_floating_point() or name.endswith(COUNTER)):
            found[name] = value
        else:
            odd.append(f"{name} is {_kind(value)}")
    if odd:
        raise ValueError(
            f"all weights must be dense tensors of floats; {len(odd)} of {len(weights)} are not: {_few(odd)}"
        )
    return found


def _kind(value):
    kind = type(value).__name__ + (f" of {value.dtype}" if hasattr(value, "dtype") else "")
    return f"{kind}, {value.layout}, {value.device}" if isinstance(value, torch.Tensor) else kind


def _in_order(own, weights):
    """The weights under the model's names, the first to the first, counters left out."""
    names, given = ([name for name in state if not name.endswith(COUNTER)] for state in (own, weights))
    pairs = list(zip(names, given, strict=False))
    differ = [
        f"{number}: {theirs} {_shape(weights[theirs])} for {name} {_shape(own[name])}"
        for number, (name, theirs) in enumerate(pairs, start=1)
        if own[name].shape != weights[theirs].shape
    ]
    if len(names) != len(given) or differ:
        raise ValueError(
            f"the order does not fit: {len(given)} tensors for the model's {len(names)}, {len(differ)} of another shape"
            + (f": {_few(differ)}" if differ else "")
        )
    crossed = [f"{theirs} for {name}" for name, theirs in pairs if _role(theirs) not in (None, _role(name))]
    if crossed:  # of one shape, so nothing else would tell
        raise ValueError(
            f"the order is ambiguous: shapes fit, but names say otherwise in {len(crossed)}: {_few(crossed)}"
        )
    return {name: weights[theirs] for name, theirs in pairs}


def _role(name):
    return ROLES.get(name.split(":")[0].replace("/", ".").rpartition(".")[2])


def _check(own, weights):
    """Are these the model's names and shapes? Counters may be missing or left over."""
    needed, given = ({name for name in state if not name.endswith(COUNTER)} for state in (own, weights))
    faults = {
        "missing": [name for name in own if name in needed - given],
        "unexpected": [name for name in weights if name in given - needed],
        "of another shape": [
            f"{name} {_shape(weights[name])} for {_shape(own[name])}"
            for name in own
            if name in needed & given and own[name].shape != weights[name].shape
        ],
    }
    if any(faults.values()):
        told = "; ".join(f"{len(names)} {fault}: {_few(names)}" for fault, names in faults.items() if names)
        hint = (
            ""
            if needed & given or len(needed) != len(given)
            else "; no name agrees: if the order does, by_order=True loads them"
        )
        raise ValueError(f"weights do not fit the model's {len(needed)}: {told}{hint}")
    negative = [name for name in sorted(needed) if name.endswith("running_var") and (weights[name].float() < 0).any()]
    if negative:
        raise ValueError(
            f"a variance is never negative, {len(negative)} are: {_few(negative)}: are means in their place?"
        )


def _shape(tensor):
    return "x".join(map(str, tensor.shape)) or "scalar"


def _few(names, most=3):
    """The first few names, long ones cut, and how many more there are."""
    shown = [name if len(name) <= 100 else f"{name[:97]}..." for name in names[:most]]
    return ", ".join(shown) + (f", and {len(names) - most} more" if len(names) > most else "")
