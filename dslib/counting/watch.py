"""Watching torch work: every operation that reaches the dispatcher is priced, set apart, or noted as unknown."""

import sys
import threading
from collections import defaultdict
from functools import cache
from pathlib import Path

import torch
from torch import nn
from torch._ops import HigherOrderOperator
from torch.nn.modules import module as torch_module
from torch.utils._python_dispatch import TorchDispatchMode

from .prices import PRICES, aten, kind_of
from .report import Other, Row
from .shapes import run_without_data
from .tree import tensors

SAME_NUMBERS = {aten.clone, aten._to_copy}  # what they return is as learnable as what they are given
GROUPS = {"convolution": 8, "_convolution": 8, "convolution_backward": 9}  # their place among the arguments
OWN_FOLDERS = (str(Path(torch.__file__).parent), str(Path(__file__).parent))


class Watch(TorchDispatchMode):
    """While it is entered, notes each operation of this thread; nothing is left behind when it is left.

    ``names``: ``{id(module): path}``. ``owners``: ``{id(tensor): path}`` of the modules whose learnable tensors these
    are; with None every ``nn.Parameter`` counts as learnable. ``ledger``: told of every operation, for products by
    hand. ``on_meta``: whatever tensor the code makes is made on the meta device.
    """

    supports_higher_order_operators = True

    def __init__(self, names, owners, ledger=None, on_meta=False):
        super().__init__()
        self.names, self.owners, self.ledger, self.on_meta = names, owners, ledger, on_meta
        self.path, self.rows = [], []
        self.apart = {"other": defaultdict(lambda: [0, 0, 0]), "unknown": defaultdict(lambda: [0, 0, 0])}
        self.read, self.leaves = {}, {}  # learnable tensors met so far; all tensors that could get a gradient
        self.views = {}  # {id(view): (view, the learnable tensor that it shows)}
        self.hooks = []
        self.in_backward = False

    def __enter__(self):
        thread = threading.get_ident()  # hooks are called in all threads, dispatch modes are not

        def entered(module, inputs):
            if threading.get_ident() == thread:
                self.path.append(module)
            elif id(module) in self.names:
                self._set_apart("unknown", f"{type(module).__name__} in another thread", None, 0)

        def left(module, inputs, output):
            if threading.get_ident() == thread:
                self.path.pop()

        self.hooks = [
            torch_module.register_module_forward_pre_hook(entered),
            torch_module.register_module_forward_hook(left, always_call=True),
        ]
        return super().__enter__()

    def __exit__(self, *error):
        for hook in self.hooks:
            hook.remove()
        return super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if isinstance(func, HigherOrderOperator):  # runs functions that it has been given
            out = func(*args, **kwargs)
            self._set_apart("unknown", func.name(), out, 0)
            return out
        price = PRICES.get(func.overloadpacket)
        if price is None and kind_of(func) == "unknown":
            out = self._taken_apart(func, args, kwargs)
            if out is not NotImplemented:
                return out
        if self.on_meta:
            args, kwargs = _moved_to_meta(func, args, kwargs)
            out = run_without_data(func, args, kwargs)
        else:
            out = func(*args, **kwargs)
        among = tensors(args)
        self.leaves |= {id(tensor): tensor for tensor in among if tensor.requires_grad and tensor.is_leaf}
        if (func.is_view or func.overloadpacket in SAME_NUMBERS) and (base := self._learnable(args[0])) is not None:
            for view in tensors(out):
                self.views[id(view)] = view, base  # kept alive, so that no other tensor takes its id
            return out
        params = self._first_read(among)
        if price is not None and all(tensor.layout is torch.strided for tensor in among):
            options = {name: value for name, value in kwargs.items() if name != "out"}
            self._note(func, args, out, price(out, *args, **options), params)
        elif (kind := "unknown" if price is not None else kind_of(func)) != "free" or params:
            name = func.overloadpacket.__name__.removesuffix("_")
            name = name if func.namespace == "aten" else f"{func.namespace}::{name}"
            self._set_apart("other" if kind == "free" else kind, name, out, params)
        if self.ledger is not None:
            self.ledger.see(func, args, out, self)
        return out

    def _taken_apart(self, func, args, kwargs):
        """The result of an operation that is made of others, which are then seen one by one, or NotImplemented."""
        super().__enter__()  # the hooks are there already
        try:
            return func.decompose(*args, **kwargs)
        finally:
            super().__exit__(None, None, None)

    def _set_apart(self, kind, name, out, params):
        elements = sum(tensor.numel() for tensor in tensors([out])[:1])  # the others are statistics, indices
        entry = self.apart[kind][name]
        for index, more in enumerate((1, elements, params)):
            entry[index] += more

    def _note(self, func, args, out, macs, params):
        name = func.overloadpacket.__name__
        groups = args[GROUPS[name]] if name in GROUPS else 1
        among = [arg for arg in args if isinstance(arg, torch.Tensor)]
        shapes = tuple(tuple(tensor.shape) for tensor in among)
        self.rows.append(Row(self.where(among), name, shapes, tuple(tensors(out)[0].shape), groups, macs, params))

    def where(self, read=()):
        """Path of the running module; for code that is no layer of torch's also the line that called."""
        if self.in_backward:  # no module runs: a learnable tensor tells which one it belongs to
            bases = [self._learnable(tensor) for tensor in read]
            names = [self.owners[id(base)] for base in bases if base is not None and self.owners]
            return f"{names[0]} (backward)" if names else "(backward)"
        if not self.path:
            return _call_site()
        module = self.path[-1]
        name = self.names.get(id(module), type(module).__name__) or type(module).__name__
        if type(module).__module__.startswith("torch.nn."):
            return name
        return f"{name} {_call_site()}".rstrip()

    def _learnable(self, tensor):
        """The learnable tensor that this one is or shows, or None."""
        if id(tensor) in self.views:
            return self.views[id(tensor)][1]
        learnable = isinstance(tensor, nn.Parameter) if self.owners is None else id(tensor) in self.owners
        return tensor if learnable else None

    def _first_read(self, among):
        """Learnable scalars in these tensors that no operation has read before; a change of shape reads nothing."""
        fresh = 0
        for tensor in among:
            base = self._learnable(tensor)
            if base is not None and id(base) not in self.read:
                self.read[id(base)] = base
                fresh += base.numel()
        return fresh

    def found(self, kind):
        """The operations set apart, ``"other"`` or ``"unknown"``."""
        return tuple(Other(name, *counts) for name, counts in self.apart[kind].items())


def _moved_to_meta(func, args, kwargs):
    """The arguments of an operation that makes tensors, changed so that it makes them without data."""
    if _takes_device(func):
        kwargs = {**kwargs, "device": "meta"}
    elif func is aten.lift_fresh.default:  # torch.tensor([...])
        args = (args[0].to("meta"),)
    return args, kwargs


@cache
def _takes_device(func):
    return any(argument.name == "device" for argument in func._schema.arguments)


def _call_site():
    """``file.py:line`` of the innermost frame that is neither torch's nor ours; empty if there is none."""
    frame = sys._getframe(1)
    while frame is not None and (
        frame.f_code.co_filename.startswith(OWN_FOLDERS) or frame.f_code.co_filename[0] == "<"
    ):
        frame = frame.f_back
    if frame is None:
        return ""
    file = Path(frame.f_code.co_filename)
    # a notebook's cells are files with names that change from run to run
    return f"{'cell' if 'ipykernel' in file.parent.name else file.name}:{frame.f_lineno}"
