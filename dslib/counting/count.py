"""Counting what a model or a function does, without changing it."""

import contextlib
import functools
import re
import threading
from dataclasses import replace
from itertools import chain
from math import prod

import torch
from torch import nn

from .by_hand import Ledger
from .report import Report, with_shares
from .stand_ins import standing_in
from .tree import mapped, tensors
from .watch import Watch

# what torch says, among other words, where a value is asked for that is not there
NO_VALUES = re.compile(r"(\b|_)[Mm]eta\b|on the same device|data-dependent|unallocated storage|fake impl|'indices'")
ONE_AT_A_TIME = threading.RLock()  # switches of torch's are set and put back


def count(model, *example_inputs, input_size=None, backward=False, elementwise=False, per_image=False):
    """Count the MACs that a model or a function does, exactly, by watching torch run it: a :class:`Report`.

    Either ``example_inputs`` are given, what the model is to be called with, or ``input_size``: a shape, batch
    included, or a list of shapes. With ``input_size`` nothing is computed and no memory is needed: the model runs on
    torch's meta device, with shapes alone. Example inputs on the meta device do the same, for a model that wants
    integers ``torch.zeros(1, 128, dtype=torch.long, device="meta")``; others are really run. Keyword arguments go in
    with ``functools.partial(model, mask=...)``.

    ``backward``: count forward and backward, for the gradients of all parameters and inputs that require them (those
    made from ``input_size`` do); without it gradients are off. ``elementwise``: find convolutions written by hand as
    well, multiplications whose products are summed, in a column of their own (the chapter on counting says how).
    ``per_image``: divide the MACs by the first axis of the first input.

    Control flow counts as it ran. What a model holds, its gradients, buffers, hooks and mode, and torch's random
    numbers stay as they are, also if it raises, and also if one of its methods is counted; what another function
    changes is changed. What is done outside torch (numpy, plain Python) is not seen, and threads of the model's own are
    only noted. Counts run one at a time.

    Raises ValueError for a model that is no callable, for inputs given twice or not at all, for sizes that are not
    whole and positive, for a model that must see values on the meta device, and for counts that do not divide by the
    images.
    """
    if not callable(model) or isinstance(model, type):
        raise ValueError(f"model must be a torch module or a function, got {model!r}")
    owner = _owner(model)
    inputs = _inputs(owner, example_inputs, input_size, backward)
    on_meta = any(x.is_meta for x in tensors(inputs))
    modules = dict(owner.named_modules()) if owner is not None else {}
    with ONE_AT_A_TIME, _untouched(backward), standing_in(modules, on_meta) as places:
        watch = _watch(modules, places, elementwise, on_meta)
        copies = mapped(torch.clone, inputs)  # a model may work in place
        try:
            with watch:
                out = model(*copies)
                if backward:
                    _backward(out, watch, [*(place.stand_in for place in places), *tensors(inputs)])
        except (NotImplementedError, RuntimeError, TypeError) as error:
            if on_meta and NO_VALUES.search(str(error)):
                raise ValueError(
                    f"the model needs values where there are shapes only: {error}; pass real tensors instead of "
                    "input_size or meta tensors"
                ) from error
            raise
    learnable = {id(place.stand_in): place.stand_in for place in places if place.learnable}
    params = sum(tensor.numel() for tensor in (learnable if modules else watch.read).values())
    rows = watch.ledger.settled(watch.rows) if elementwise else watch.rows
    report = Report(with_shares(rows), watch.found("other"), watch.found("unknown"), params)
    return _per_image(report, tensors(inputs)) if per_image else report


def _owner(model):
    """The module that is called, also through a method of its or a partial; None where a function is."""
    while isinstance(model, functools.partial):
        model = model.func
    model = getattr(model, "__self__", model)
    return model if isinstance(model, nn.Module) else None


def _watch(modules, places, elementwise, on_meta):
    """A Watch that knows the names of the model's modules and whose its parameters are; a function has none."""
    ledger = Ledger() if elementwise else None
    if not modules:
        return Watch({}, None, ledger, on_meta)
    names = {id(module): path for path, module in modules.items()}
    owners = {id(p.stand_in): p.path.rpartition(".")[0] or p.name for p in reversed(places) if p.learnable}
    return Watch(names, owners, ledger, on_meta)


def _inputs(owner, example_inputs, input_size, backward):
    """The inputs to call with, those from ``input_size`` made without data."""
    if (input_size is None) == (not example_inputs):
        raise ValueError(
            f"pass example inputs or input_size, one of the two, got {len(example_inputs)} and {input_size}"
        )
    if input_size is None:
        # aliases, so that no gradient is written to the caller's tensors
        return mapped(lambda x: x.detach().requires_grad_(x.requires_grad), example_inputs)
    shapes = input_size if isinstance(input_size, (list, tuple)) else [input_size]
    if not all(isinstance(shape, (list, tuple)) for shape in shapes):
        shapes = [shapes]
    for shape in shapes or [()]:
        if not shape or any(not isinstance(side, int) or isinstance(side, bool) or side < 1 for side in shape):
            raise ValueError(f"input_size must be a shape of whole, positive sizes or a list of such, got {input_size}")
        if prod(shape) >= 2**63:
            raise ValueError(f"input_size has more numbers than torch can address: {input_size}")
    state = chain(owner.parameters(), owner.buffers()) if owner is not None else ()
    dtype = next((tensor.dtype for tensor in state if tensor.is_floating_point()), torch.get_default_dtype())
    return [torch.empty(shape, dtype=dtype, device="meta", requires_grad=backward) for shape in shapes]


@contextlib.contextmanager
def _untouched(backward):
    """Leave torch's random numbers and switches as they are; gradients are on if they are to be counted."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    inference = torch.inference_mode(False)
    with torch.random.fork_rng(devices=devices), inference, torch.set_grad_enabled(backward):
        # the fast path is one operation for a whole attention layer: its parts could not be seen
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast_path)


def _backward(out, watch, leaves):
    """Run the gradients of all outputs, for all leaves that want one; they are thrown away."""
    watch.in_backward = True
    outputs = [tensor for tensor in tensors([out]) if tensor.requires_grad]
    wanted = {id(leaf): leaf for leaf in leaves if leaf.requires_grad}
    wanted |= watch.leaves  # a function's parameters are known once it has run
    if not outputs or not wanted:
        raise ValueError("backward=True needs an output that depends on a tensor with requires_grad")
    torch.autograd.grad(outputs, list(wanted.values()), [torch.ones_like(o) for o in outputs], allow_unused=True)


def _per_image(report, inputs):
    """The report with its MACs divided by the size of the batch."""
    images = next((x.shape[0] for x in inputs if x.dim()), None)
    if images is None:
        raise ValueError("per_image needs an input with an axis of images, got none")
    numbers = [number for row in report.rows for number in (row.macs, row.by_hand_macs)]
    if any(number % images for number in numbers):
        raise ValueError(f"counts do not divide by a batch of {images}: pass one image")
    rows = [replace(r, macs=r.macs // images, by_hand_macs=r.by_hand_macs // images) for r in report.rows]
    return replace(report, rows=tuple(rows), images=images)
