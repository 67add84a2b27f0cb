"""Counting what a model or a function does, without changing it."""

import contextlib
from dataclasses import replace
from itertools import chain

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin

from .by_hand import Ledger
from .report import Report
from .watch import Watch

# what torch says, among other words, where a value is asked for that is not there
NO_VALUES = ("meta", "Meta", "same device", "data-dependent", "unallocated storage")


def count(model, *example_inputs, input_size=None, backward=False, elementwise=False, per_image=False):
    """Count the MACs that a model or a function does, exactly, by watching torch run it: a :class:`Report`.

    Either ``example_inputs`` are given, what the model is to be called with, or ``input_size``: a shape, batch
    included, or a list of shapes. With ``input_size`` nothing is computed and no memory is needed: the model runs on
    torch's meta device, with shapes alone. Example inputs on the meta device do the same; others are really run.

    ``backward``: count forward and backward, for the gradients of all parameters and inputs that require them (those
    made from ``input_size`` do). ``elementwise``: find convolutions written by hand as well, multiplications whose
    products are summed, in a column of their own; the chapter says by which rule.
    ``per_image``: divide all counts by the first axis of the first input.

    Control flow counts as it ran. The model, its gradients, buffers, hooks and mode, and torch's random numbers stay as
    they are, also if the model raises. What a function does outside torch (numpy, plain Python) is not seen.

    Raises ValueError for a model that is no callable, for inputs given twice or not at all, for sizes that are not
    whole and positive, for a model that must see values on the meta device, and for counts that do not divide by the
    images. Chapter: counting_in_practice.
    """
    if not callable(model):
        raise ValueError(f"model must be a torch module or a function, got {model!r}")
    inputs = _inputs(model, example_inputs, input_size, backward)
    on_meta = any(isinstance(x, torch.Tensor) and x.is_meta for x in inputs)
    modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
    places = _stand_ins(modules, on_meta)
    watch = _watch(modules, places, elementwise, on_meta)
    with _untouched(), _replaced(places), torch.set_grad_enabled(backward):
        copies = [x.clone() if isinstance(x, torch.Tensor) else x for x in inputs]  # a model may work in place
        try:
            with watch:
                out = model(*copies)
                if backward:
                    _backward(out, watch, [*(place[-1] for place in places), *inputs])
        except (NotImplementedError, RuntimeError, TypeError) as error:
            if on_meta and any(word in str(error) for word in NO_VALUES):
                raise ValueError(
                    f"the model needs values where there are shapes only: {error}; pass real tensors instead of "
                    "input_size or meta tensors"
                ) from error
            raise
    learnable = {id(place[-1]): place[-1] for place in places if isinstance(place[-1], nn.Parameter)}
    params = sum(tensor.numel() for tensor in (learnable if modules else watch.read).values())
    rows = watch.ledger.settled(watch.rows) if elementwise else watch.rows
    report = Report(tuple(rows), watch.found("other"), watch.found("unknown"), params)
    return _per_image(report, inputs) if per_image else report


def _watch(modules, places, elementwise, on_meta):
    """A Watch that knows the names of the model's modules and parameters; a function has none."""
    ledger = Ledger() if elementwise else None
    if not modules:
        return Watch({}, None, ledger, on_meta)
    names = {id(module): path for path, module in modules.items()}
    parameters = {id(new): path for _, _, path, _, new in reversed(places) if isinstance(new, nn.Parameter)}
    return Watch(names, parameters, ledger, on_meta)


def _inputs(model, example_inputs, input_size, backward):
    """The inputs to call with, those from ``input_size`` made without data."""
    if (input_size is None) == (not example_inputs):
        raise ValueError(
            f"pass example inputs or input_size, one of the two, got {len(example_inputs)} and {input_size}"
        )
    if input_size is None:
        # aliases, so that no gradient is written to the caller's tensors
        return [
            x.detach().requires_grad_(x.requires_grad) if isinstance(x, torch.Tensor) else x for x in example_inputs
        ]
    shapes = input_size if isinstance(input_size, (list, tuple)) else [input_size]
    if not all(isinstance(shape, (list, tuple)) for shape in shapes):
        shapes = [shapes]
    for shape in shapes or [()]:
        if not shape or any(not isinstance(side, int) or isinstance(side, bool) or side < 1 for side in shape):
            raise ValueError(f"input_size must be a shape of whole, positive sizes or a list of such, got {input_size}")
    state = chain(model.parameters(), model.buffers()) if isinstance(model, nn.Module) else ()
    dtype = next((tensor.dtype for tensor in state if tensor.is_floating_point()), torch.get_default_dtype())
    return [torch.empty(shape, dtype=dtype, device="meta", requires_grad=backward) for shape in shapes]


def _stand_ins(modules, on_meta):
    """``[(module, name in it, path, its tensor, the stand-in)]`` for all parameters and buffers of a model.

    A parameter's stand-in is an alias, so that gradients are written elsewhere, a buffer's a copy; on the meta device
    both are shapes alone. A tied tensor has one stand-in for all its places.
    """
    places, made = [], {}
    for path, module in modules.items():
        for name, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if tensor is None:
                continue
            place = f"{path}.{name}" if path else name
            if isinstance(tensor, UninitializedTensorMixin):
                raise ValueError(f"{place} has no shape yet: run the model once before it is counted")
            if id(tensor) not in made:
                made[id(tensor)] = _stand_in(tensor, on_meta)
            places.append((module, name, place, tensor, made[id(tensor)]))
    return places


def _stand_in(tensor, on_meta):
    learnable = isinstance(tensor, nn.Parameter)
    if on_meta:
        other = torch.empty_like(tensor, device="meta")
    else:
        other = tensor.detach() if learnable else tensor.detach().clone()
    return nn.Parameter(other, tensor.requires_grad) if learnable else other


@contextlib.contextmanager
def _replaced(places):
    """The stand-ins in the places of the model's own tensors, which come back in the end whatever happens."""
    try:
        for module, name, _, _, stand_in in places:
            _put(module, name, stand_in)
        yield
    finally:
        for module, name, _, tensor, _ in places:
            _put(module, name, tensor)


def _put(module, name, tensor):
    if type(module).__setattr__ is nn.Module.__setattr__:
        registered = module._parameters if isinstance(tensor, nn.Parameter) else module._buffers
        registered[name] = tensor  # five times as fast
    else:
        setattr(module, name, tensor)  # an RNN keeps its weights in a list as well


@contextlib.contextmanager
def _untouched():
    """Leave torch's random numbers and switches as they are."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        # the fast path is one operation for a whole attention layer: its parts could not be seen
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast_path)


def _backward(out, watch, leaves):
    """Run the gradients of all outputs, for all leaves that want one; they are thrown away."""
    watch.in_backward = True
    outputs = [tensor for tensor in _tensors(out) if tensor.requires_grad]
    wanted = {id(leaf): leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.requires_grad}
    wanted |= watch.leaves  # a function's parameters are known once it has run
    if not outputs or not wanted:
        raise ValueError("backward=True needs an output that depends on a tensor with requires_grad")
    torch.autograd.grad(outputs, list(wanted.values()), [torch.ones_like(o) for o in outputs], allow_unused=True)


def _tensors(out):
    """The tensors in nested tuples, lists and dicts."""
    if isinstance(out, torch.Tensor):
        yield out
    elif isinstance(out, (tuple, list)):
        for part in out:
            yield from _tensors(part)
    elif isinstance(out, dict):
        yield from _tensors(list(out.values()))


def _per_image(report, inputs):
    """The report with all counts divided by the size of the batch."""
    images = next((x.shape[0] for x in inputs if isinstance(x, torch.Tensor) and x.dim()), 1)
    numbers = [number for row in report.rows for number in (row.macs, row.by_hand_macs)]
    if any(number % images for number in numbers):
        raise ValueError(f"counts do not divide by a batch of {images}: pass one image")
    rows = [replace(r, macs=r.macs // images, by_hand_macs=r.by_hand_macs // images) for r in report.rows]
    return replace(report, rows=tuple(rows), images=images)
