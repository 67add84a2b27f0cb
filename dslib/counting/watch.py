"""Watching torch work: every operation that reaches the dispatcher is priced, set apart, or noted as unknown."""

import sys
import threading
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode

from .prices import GROUPS, facts
from .report import Other
from .tree import tensors

DENSE = {torch.strided, torch._mkldnn}  # layouts whose shapes say what is multiplied
OWN_FOLDERS = (str(Path(torch.__file__).parent), str(Path(__file__).parent), "<")


class Watch(TorchDispatchMode):
    """While it is entered, notes each operation of this thread.

    ``names``: ``{id(module): path}``. ``learnable``: ``{path: tensor}``; with None every ``nn.Parameter`` is learnable.
    ``originals``: ids of tensors that must stay untouched. ``foreign``: the :class:`Foreign` that keeps writes from
    what else is not the count's. ``prices``: the user's own. ``values``: the :class:`Values` where there are shapes
    only, else None.
    """

    supports_higher_order_operators = True

    @classmethod
    def _should_skip_dynamo(cls):
        return False  # skipping takes a second at first and some time at every call; nothing is compiled in a count

    def __init__(self, names, learnable, originals, foreign, prices, values):
        super().__init__()
        self.names, self.learnable, self.originals = names, learnable, originals
        self.foreign, self.prices, self.values = foreign, prices, values
        self.owners = {id(held): path.rpartition(".")[0] or path for path, held in (learnable or {}).items()}
        self.rows, self.apart = [], {}  # apart: {("other" or "unknown", operation): [calls, elements, params]}
        self.read = {}  # {id: learnable tensor met so far}
        self.views = {}  # {id(view): (view, the learnable tensor that it shows)}
        self.met = {}  # {id(operation): (operation, its facts)}
        self.failed = None, ""  # the last error of an operation, and what it was
        self.in_backward, self.thread = False, threading.get_ident()

    def watch(self, model, inputs, backward):
        """What the model returns while it is watched."""
        with torch.set_grad_enabled(backward), self:
            return model(*inputs)

    def backward(self, out):
        """Run the gradients of all outputs for all leaves that want one; they are thrown away."""
        self.in_backward = True
        outputs = [tensor for tensor in tensors([out]) if tensor.requires_grad]
        if not outputs:
            raise ValueError("backward=True needs an output that depends on a tensor with requires_grad")
        with self:
            ones = [torch.ones_like(output) for output in outputs]
            torch.autograd.grad(outputs, _leaves(outputs), ones, allow_unused=True)

    def __exit__(self, *error):
        while (mode := _get_current_dispatch_mode()) not in (self, None):  # the model has left one open
            mode.__exit__(None, None, None)
        super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if any(hasattr(kind, "__tensor_flatten__") for kind in types):
            return NotImplemented  # a tensor that is made of others, such as a nested one: what it does to them is seen
        among = tensors(args) + tensors(kwargs.values()) if kwargs else tensors(args)
        known = self._known(func, among)
        if known.kind == "unknown" and hasattr(func, "decompose") and not any(tensor.is_nested for tensor in among):
            with self:  # an operation that is made of others: they are seen one by one
                out = func.decompose(*args, **kwargs)
            if out is not NotImplemented:
                return out
        out = self._run(func, known, args, kwargs, among)
        if known.shows and (base := self._base(args[0])) is not None:  # nothing is read yet
            self.views |= {id(view): (view, base) for view in tensors([out])}
            return out
        params = self._first_read(among)
        kwargs.pop("out", None)
        macs = known.price and known.price(out, *args, **kwargs)
        if macs is not None:
            self._row(known.name, args, out, macs, params)
        elif known.kind != "free" or params:
            self._set_apart("unknown" if known.kind == "unknown" else "other", known.name, out, params)
        return out

    def _known(self, func, among):
        """The facts of an operation, with the user's price if there is one, without torch's for sparse and the like."""
        if id(func) not in self.met:  # an operation's own hash takes longer than all the rest
            own = self.prices.get(func) or self.prices.get(getattr(func, "overloadpacket", None))
            self.met[id(func)] = func, replace(facts(func), price=own, kind="own") if own else facts(func)
        known = self.met[id(func)][1]
        if known.kind == "priced" and any(tensor.layout not in DENSE or tensor.is_nested for tensor in among):
            return replace(known, price=None, kind="unknown")
        return known

    def _run(self, func, known, args, kwargs, among):
        """What the operation returns; it is stopped before it runs if it is handed a tensor of the original."""
        if any(id(tensor) in self.originals for tensor in among):
            raise ValueError(
                f"{known.name} is handed a tensor of the model itself, not of the copy that is counted: forward "
                "reaches the model past its own attributes (a closure, a global, a method that was compiled, something "
                "that cannot be copied); count a function instead, such as lambda x: model(x): it is run as it is"
            )
        try:
            if known.name == "convolution" and (misfit := _misfit(*args)):
                raise ValueError(misfit)
            with_values = self.values is not None and not isinstance(func, HigherOrderOperator)
            return (self.values if with_values else self.foreign).run(func, known, args, kwargs)
        except Exception as error:
            self.failed = error, f"{self.where(among)[1]}: {_call(known.name, among)}"
            raise

    def _set_apart(self, kind, name, out, params):
        elements = sum(tensor.numel() for tensor in tensors([out])[:1])  # the others are statistics, indices
        before = self.apart.get((kind, name), (0, 0, 0))
        self.apart[kind, name] = [a + b for a, b in zip(before, (1, elements, params), strict=True)]

    def _row(self, name, args, out, macs, params):
        groups = args[GROUPS[name]] if name in GROUPS else 1
        among = [arg for arg in args if isinstance(arg, torch.Tensor)]
        output = next((tuple(tensor.shape) for tensor in tensors([out])), ())
        module, where = self.where(among)
        self.rows.append((where, name, tuple(tuple(x.shape) for x in among), output, groups, macs, params, module))

    def where(self, read=()):
        """Path of the running module, and the same with the line that called for code that is no layer of torch's."""
        if self.in_backward:  # no module runs: a learnable tensor tells which one it belongs to
            name = next((self.owners[id(base)] for base in map(self._base, read) if id(base) in self.owners), "")
            return name, f"{name} (backward)".lstrip()
        module, line = _caller()
        path = self.names.get(id(module), "")
        name = path or ("" if module is None else type(module).__name__)
        forward = getattr(type(module), "forward", None)  # a class derived from a layer may have torch's
        written_in = str(getattr(forward, "__module__", ""))
        is_torch_s = written_in.startswith("torch.nn.") and forward is not nn.Module.forward
        return path, name if is_torch_s else f"{name} {line}".strip()

    def _base(self, tensor):
        """The learnable tensor that this one is or shows, or None."""
        if id(tensor) in self.views:
            return self.views[id(tensor)][1]
        learnable = isinstance(tensor, nn.Parameter) if self.learnable is None else id(tensor) in self.owners
        return tensor if learnable else None

    def _first_read(self, among):
        """Learnable scalars in these tensors that no operation has read before."""
        bases = {id(base): base for base in map(self._base, among) if base is not None and id(base) not in self.read}
        self.read |= bases
        return sum(base.numel() for base in bases.values())

    def elsewhere(self, module, inputs):
        """A hook before each module: what runs in another thread is not seen, and said so."""
        if threading.get_ident() != self.thread:
            self._set_apart("unknown", f"{type(module).__name__} in another thread", None, 0)

    def found(self, kind):
        """The operations set apart, ``"other"`` or ``"unknown"``."""
        return tuple(Other(name, *counts) for (of, name), counts in self.apart.items() if of == kind)


def _leaves(outputs):
    """The tensors that the gradients of these flow to: where the graph that torch has drawn ends."""
    leaves, seen = {id(output): output for output in outputs if output.is_leaf}, set()
    ahead = [output.grad_fn for output in outputs]
    while ahead:
        node = ahead.pop()
        if node is not None and node not in seen:
            seen.add(node)
            ahead += [following for following, _ in node.next_functions]
            if hasattr(node, "variable"):
                leaves[id(node.variable)] = node.variable
    return list(leaves.values())


def _caller():
    """The innermost module that runs, and ``file.py:line`` of the innermost frame that is neither torch's nor ours."""
    frame, module, line, inside = sys._getframe(2), None, "", True
    while frame is not None and (not line or module is None and inside):
        code = frame.f_code
        inside = inside and code is not Watch.watch.__code__  # further out is whoever counts
        if module is None and inside and code.co_varnames[:1] == ("self",):
            found = frame.f_locals.get("self")
            module = found if isinstance(found, nn.Module) else None
        if not line and not code.co_filename.startswith(OWN_FOLDERS):
            file = Path(code.co_filename)
            # a notebook's cells are files with names that change from run to run
            line = f"{'cell' if 'ipykernel' in file.parent.name else file.name}:{frame.f_lineno}"
        frame = frame.f_back
    return module, line


def _call(name, among):
    return f"{name} of {', '.join('x'.join(map(str, tensor.shape)) or 'a number' for tensor in among)}"


def _misfit(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, *switches):
    """What is wrong with the channels of a convolution; on the meta device torch does not say, or not how many."""
    takes = weight.shape[0] if transposed else weight.shape[1] * groups
    fits = x.dim() < 2 or x.shape[1] == takes
    return "" if fits else f"the layer takes {takes} channels and gets {x.shape[1]}"
