"""Counting what a model or a function does, on a copy of it."""

import contextlib
import dis
import functools
import re
import threading
import traceback
import warnings
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from dataclasses import replace
from math import prod
from numbers import Integral

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin

from .copies import Copier
from .foreign import Foreign
from .prices import own_prices
from .report import Report, rows_with_shares
from .switches import Switches
from .tree import tensors
from .values import Values
from .watch import Watch

# what torch says, among other words, where a value is asked for that is not there
NO_VALUES = re.compile(
    r"[Mm]eta (tensor|device|kernel)|on the same device|data-dependent|unallocated storage|fake impl|data-independent"
)


class OneAtATime(contextlib.ContextDecorator):
    """Counts set switches of torch's and put them back. All in C, so that no interrupt comes between."""

    lock = threading.RLock()
    __enter__, __exit__ = lock.__enter__, lock.__exit__


@OneAtATime()
@torch.inference_mode(False)
def count(model, *example_inputs, input_size=None, backward=False, per_image=False, prices=None):
    """Count the MACs that a model or a function does, exactly, by watching torch run it: a :class:`Report`.

    A copy of the model is run on the example inputs, its tensors are held twice meanwhile. What it shares with the
    world, such as a list that a hook fills, is not copied, and a *function* is run as it is. Keyword arguments go in
    with ``functools.partial``. Control flow counts as it ran; what is done outside torch (numpy) is not seen.

    - ``input_size``: a shape, batch included, or a list of shapes, instead of inputs. Then the model runs on torch's
      meta device: on shapes alone, without memory. Example inputs that are there do the same, such as integers
      ``torch.zeros(1, 128, dtype=torch.long, device="meta")``.
    - ``backward``: count forward and backward, for all parameters and inputs that require gradients (those made from
      ``input_size`` do). What counts is what ran: attention on the CPU 2.5 times forward, on the meta device twice;
      a convolution of complex numbers as the three real ones that torch makes of it.
    - ``per_image``: divide the MACs by the first axis of the first input.
    - ``prices``: ``{operation: function}`` for operations of your own or in place of a built-in price. The function
      gets the result and then the arguments of each call, and returns its MACs::

        count(model, x, prices={torch.ops.torchvision.deform_conv2d: lambda out, x, weight, *rest: ...})

    Raises ValueError for a model that is no callable, returns before anything ran, or reaches past its copy; for inputs
    and sizes that do not fit; for values needed on the meta device; for counts that do not divide by the images.
    """
    _check_model(model)
    prices = own_prices(prices)
    if input_size is not None and example_inputs:
        raise ValueError(f"pass example inputs or input_size, not both, got {len(example_inputs)} and {input_size}")
    shapes = None if input_size is None else _shapes(input_size)
    before = Switches()
    try:
        try:
            before.set()
            return _counted(model, example_inputs, shapes, bool(backward), bool(per_image), prices)
        finally:
            before.restore()
    finally:
        before.restore()  # an interrupt may have come into the first


def _check_model(model):
    if isinstance(model, Mapping):
        raise ValueError(
            f"model must be a torch module or a function, got a {type(model).__name__} of {len(model)} entries: if it "
            "is a state dict or a checkpoint, build the model, load it, and pass the model"
        )
    if not callable(model) or isinstance(model, type):
        said = repr(model)
        said = said if len(said) < 80 else f"{said[:60]}..."
        raise ValueError(f"model must be a torch module or a function, got {' '.join(said.split())}")


def _shapes(input_size):
    """A list of shapes from one or several, as plain integers."""
    kinds = (list, tuple, np.ndarray)
    given = input_size if isinstance(input_size, kinds) else [input_size]
    several = len(given) and all(isinstance(shape, kinds) for shape in given)
    shapes = [list(shape) for shape in (given if several else [given])]
    sides = [side for shape in shapes for side in shape]
    if not any(shapes) or any(not isinstance(s, Integral) or isinstance(s, bool) or s < 1 for s in sides):
        raise ValueError(f"input_size must be a shape of whole, positive sizes or a list of such, got {input_size}")
    if any(prod(map(int, shape)) >= 2**63 for shape in shapes):
        raise ValueError(f"input_size has more numbers than torch can address: {input_size}")
    return [[int(side) for side in shape] for shape in shapes]


def _counted(model, inputs, shapes, backward, per_image, prices):
    """The report on a copy of the model and of the inputs, or on meta tensors of the shapes."""
    owner, given = _parts(model)
    state = [*owner.parameters(), *owner.buffers()] if owner is not None else []
    if shapes is not None:
        dtype = next((x.dtype for x in state if x.is_floating_point() or x.is_complex()), torch.get_default_dtype())
        inputs = tuple(torch.empty(shape, dtype=dtype, device="meta", requires_grad=backward) for shape in shapes)
    copier = Copier(on_meta=any(x.is_meta for x in [*tensors(inputs), *tensors(given), *state]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # how torch copies is no matter of the user's
        twin = copier.model(model, owner.modules() if owner is not None else ())
        copies = copier.inputs(inputs)
    watch = _watch(owner, _parts(twin)[0], copier, copies, prices)
    try:
        out = watch.watch(twin, copies, backward)
        for later in _to_come(out):
            getattr(later, "close", tuple)()  # or a coroutine warns that nobody waits for it
            ran = "nothing ran" if later is out else "not everything ran"
            raise ValueError(f"{ran}: {type(later).__name__} is returned, and what it would do is still to come")
        if backward:
            watch.backward(out)
    except Exception as error:
        if (explained := _explained(error, watch, inputs)) is None:
            raise
        raise ValueError(explained) from error
    return _report(watch, tensors(copies), per_image)


def _parts(model):
    """The module that is called, also through a method of its or a partial (None: a function), and given arguments."""
    given = []
    while isinstance(model, functools.partial):
        given += [*model.args, *model.keywords.values()]
        model = model.func
    model = getattr(model, "__self__", model)
    return model if isinstance(model, nn.Module) else None, given


def _watch(owner, twin, copier, inputs, prices):
    """A Watch that knows the modules of the copy and their learnable tensors; a function has neither."""
    if owner is None:
        foreign = Foreign()
        return Watch({}, None, (), foreign, prices, Values(foreign, copier.values) if copier.on_meta else None)
    if not set(owner.modules()).isdisjoint(twin.modules()):
        raise ValueError("the model cannot be copied: a module of it gives itself for its copy")
    names = {id(module): _written(path) for path, module in twin.named_modules()}
    learnable = {_written(path): tensor for path, tensor in twin.named_parameters()}
    held = [*copier.kept.values(), *twin.parameters(), *twin.buffers(), *tensors(inputs), *tensors(copier.values)]
    foreign = Foreign(x for x in held if isinstance(x, torch.Tensor))
    values = Values(foreign, copier.values) if copier.on_meta else None
    watch = Watch(names, learnable, copier.originals, foreign, prices, values)
    for module in twin.modules():
        if not isinstance(module, torch.jit.ScriptModule):
            module.register_forward_pre_hook(watch.elsewhere)
    return watch


def _to_come(out):
    """What is returned, at any depth, before it has run."""
    if isinstance(out, (Iterator, AsyncIterator, Awaitable)):
        yield out
    elif isinstance(out, (tuple, list, dict)):
        for held in out.values() if isinstance(out, dict) else out:
            yield from _to_come(held)


def _written(path):
    """The path without the wrapper of ``torch.compile``."""
    return ".".join(part for part in path.split(".") if part != "_orig_mod")


def _explained(error, watch, inputs):
    """What the user can do about an error, or None for one of the model's own, which is passed on."""
    said = str(error).split("\nException raised from")[0].strip()
    if not inputs and isinstance(error, TypeError) and "missing" in said:
        return f"pass example inputs or input_size: {said}"
    sizes = inputs[0] if len(inputs) == 1 else inputs
    if isinstance(sizes, (tuple, list)) and sizes and all(type(side) is int for side in sizes):
        return f"the model was called with whole numbers: did you mean input_size={tuple(sizes)}?"
    ran, call = watch.failed
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    is_torch_s = isinstance(error, (RuntimeError, TypeError, ValueError)) and _is_torch_s(error)
    if watch.values is not None and NO_VALUES.search(said) and (ran is error or is_torch_s):
        first = re.split(r"\.\s|\n", said)[0]  # torch's own advice does not help here
        return f"the model needs values where there are shapes only: {first}; pass real tensors instead"
    if ran is error:
        return f"{call}: {said}"
    running = [watch.names[key] for frame in frames if (key := id(frame.f_locals.get("self"))) in watch.names]
    in_torch = frames[-1].f_code.co_filename.startswith(torch.__path__[0])  # and not in what the user has written
    return f"{running[-1]}: {said}" if is_torch_s and in_torch and running and running[-1] else None


def _is_torch_s(error):
    """Whether torch raised it: no ``raise`` of Python's was the last to run, or one in torch's own files."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    in_c = code.co_code[trace.tb_lasti] != dis.opmap["RAISE_VARARGS"]
    return in_c or code.co_filename.startswith(torch.__path__[0])


def _report(watch, inputs, per_image):
    for path, tensor in (watch.learnable or {}).items():
        if isinstance(tensor, UninitializedTensorMixin):
            raise ValueError(f"{path} has no shape yet, and this run gave it none")
    held = {path: tensor.numel() for path, tensor in (watch.learnable or {}).items()}
    params = sum(held.values()) if held else sum(tensor.numel() for tensor in watch.read.values())
    report = Report(rows_with_shares(watch.rows), watch.found("other"), watch.found("unknown"), params, held=held)
    return _per_image(report, inputs) if per_image else report


def _per_image(report, inputs):
    """The report with its MACs divided by the size of the batch."""
    first = next((x for x in inputs if x.dim() > x.is_floating_point()), None)
    if first is None:
        raise ValueError("per_image needs an input with an axis of images, got none")
    if (images := len(first)) == 0:
        raise ValueError(f"per_image needs images, got a batch of none: {tuple(first.shape)}")
    batches = [row.inputs[0][0] for row in report.rows if row.operation == "convolution"]
    if any(number % images for number in [*batches, *(row.macs for row in report.rows)]):
        raise ValueError(f"counts do not divide by a batch of {images}: pass one image, with its axis of images")
    rows = [replace(row, macs=row.macs // images) for row in report.rows]
    return replace(report, rows=tuple(rows), images=images)
