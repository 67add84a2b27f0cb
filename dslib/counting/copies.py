"""A copy of a model to count on, so that nothing happens to the model itself; on the meta device one without data."""

import copy
import copyreg
import io
import weakref
from collections import OrderedDict
from itertools import pairwise

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin
from torch.overrides import TorchFunctionMode

from .tree import PLAIN, place, tensors
from .values import SMALL

CONTAINERS = (OrderedDict, dict, list, set)  # what is filled past the methods of a subclass
PLAIN_CONTAINERS = (dict, list, tuple, set)  # they refuse nothing themselves
EMPTY = {OrderedDict, dict, set}  # most of a module's attributes are such, with nothing inside
STATE = torch.get_rng_state().numel()  # bytes


class Copier(TorchFunctionMode):
    """Copies that hold stand-ins for all tensors, wherever they are held: clones, or shapes alone on the meta device.

    ``values``: of small tensors on the meta device, pairs of the stand-in and a clone. ``originals``: ids of all
    tensors that a model was copied from.
    """

    def __init__(self, on_meta):
        super().__init__()
        self.on_meta, self.values, self.originals = on_meta, [], set()
        self.kept = {}  # {id of an original: what takes its place}, through all tries
        self.alive = []  # originals whose ids nothing else may take
        self.twins = []  # modules, each with its copy, which is filled later
        self.shared = None  # while inputs are copied: memory of which two of them show the same part
        self.storages = {}  # {id of an original's memory: its copy}, since several tensors may show one
        self.stand_in = self._held

    def model(self, model, modules):
        """A copy of a model and of all its modules; a function has none, and stays what it is."""
        scripted = set()
        for module in modules:
            if isinstance(module, torch.jit.ScriptModule):
                if "prim::mkldnn" in str(getattr(module, "graph", "")):
                    raise ValueError("torch.jit.optimize_for_inference hides what this model does: count it before")
                if module not in scripted and self.on_meta:
                    self.kept[id(module)] = _without_data(module)
                scripted |= set(module.modules())
                self.originals |= {id(held) for held in [*module.parameters(), *module.buffers()]}
            else:
                self._begin(module)
        twin, self.kept = self._thing(model)
        if modules:
            self.originals |= {number for number, other in self.kept.items() if isinstance(other, torch.Tensor)}
        return twin

    def _begin(self, module):
        """An empty copy of a module, and its parameters with all their marks, which deepcopy would lose."""
        for tensor in [*module._parameters.values(), *module._buffers.values()]:
            if isinstance(tensor, (nn.Parameter, UninitializedTensorMixin)) and id(tensor) not in self.kept:
                self.kept[id(tensor)] = self._parameter(tensor)
        if _is_plain(module):
            twin = self.kept[id(module)] = object.__new__(type(module))
            # what wraps it may ask for its mode before the rest of it is there
            vars(twin).update((name, held) for name, held in vars(module).items() if type(held) in PLAIN)
            self.twins.append((module, twin))

    def _fill(self, module, twin, memo):
        """Copy all attributes: what deepcopy would do, past methods of the module's own, and in half the time."""
        attributes = vars(twin)
        for name, held in vars(module).items():
            kind = type(held)
            if kind not in PLAIN:  # those are there
                attributes[name] = kind() if kind in EMPTY and not held else copy.deepcopy(held, memo)
        for name in copyreg._slotnames(type(module)):
            if hasattr(module, name):
                object.__setattr__(twin, name, copy.deepcopy(getattr(module, name), memo))
        if module._compiled_call_impl is not None:
            del twin._compiled_call_impl
        if isinstance(twin, nn.RNNBase):  # nothing copies weak references
            twin._flat_weight_refs = [None if held is None else weakref.ref(held) for held in twin._flat_weights]

    def inputs(self, inputs):
        """Copies of the inputs; one that is given twice, or that the model holds, stays one."""
        self.stand_in, self.twins = self._input, []
        self.shared = _shown_twice(tensors(inputs))  # of other memory only the part that is given, not a whole array
        return self._thing(inputs)[0]

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.__deepcopy__:
            tensor, memo = args
            if id(tensor) not in memo:
                memo[id(tensor)] = self.stand_in(tensor)
            return memo[id(tensor)]
        if func is torch.Tensor.clone:  # a parameter's own __deepcopy__ calls it
            return self.stand_in(args[0])
        return func(*args, **(kwargs or {}))

    def _thing(self, thing):
        """A deep copy of anything, and its memo; what raises on the way is replaced or shared, and all is retried."""
        while True:
            memo = dict(self.kept)
            try:
                with self:
                    for module, twin in self.twins:
                        self._fill(module, twin, memo)
                    return copy.deepcopy(thing, memo), memo
            except Exception as error:  # a class may raise anything here
                stubborn = _refused(error)
                if id(stubborn) in self.kept or type(stubborn) in PLAIN_CONTAINERS:
                    raise ValueError(f"the model cannot be copied: {type(error).__name__}: {error}") from error
            self.alive.append(stubborn)
            self.kept[id(stubborn)] = stubborn  # also inside itself
            self.kept[id(stubborn)] = self._filled(stubborn)

    def _held(self, tensor):
        """The stand-in of a tensor that a model holds; the state of a generator must stay what it is."""
        state = tensor.dtype is torch.uint8 and tensor.dim() == 1 and len(tensor) <= STATE
        other = self._alike(tensor, self.on_meta and not state)
        if other.is_meta and not tensor.is_meta and tensor.numel() <= SMALL:
            self.values.append((other, self._alike(tensor, on_meta=False)))
        return other.requires_grad_() if tensor.requires_grad and tensor.is_leaf else other

    def _alike(self, tensor, on_meta):
        """A tensor of the same strides on a copy of its memory, the same copy for all that show this memory."""
        shown = place(tensor)
        apart = self.shared is not None and shown not in self.shared and (shown, on_meta) not in self.storages
        if shown is None or apart:
            return tensor.detach().to("meta") if on_meta and not tensor.is_meta else tensor.detach().clone()
        if (shown, on_meta) not in self.storages:
            theirs = tensor.untyped_storage()
            empty = torch.empty(len(theirs), dtype=torch.uint8, device="meta").untyped_storage() if on_meta else None
            self.storages[shown, on_meta] = theirs.clone() if empty is None else empty
        copied = self.storages[shown, on_meta]
        layout = tensor.storage_offset(), tensor.shape, tensor.stride()
        return torch.empty(0, dtype=tensor.dtype, device=copied.device).set_(copied, *layout)

    def _input(self, tensor):
        """The stand-in of an input: no leaf, if it wants a gradient, since a model may work in place."""
        leaf = self._held(tensor).requires_grad_(tensor.requires_grad)
        with torch.enable_grad():
            return leaf.clone() if leaf.requires_grad else leaf

    def _parameter(self, tensor):
        """A parameter's stand-in keeps its class and the marks that its owner has put on it."""
        if isinstance(tensor, UninitializedTensorMixin):
            device = "meta" if self.on_meta else tensor.device
            return type(tensor)(requires_grad=tensor.requires_grad, device=device, dtype=tensor.data.dtype)
        held = self._held(tensor)
        other = nn.Parameter(held, tensor.requires_grad)
        self.values += [(other, numbers) for shapes, numbers in self.values[-1:] if shapes is held]
        if type(tensor) is not nn.Parameter and type(other) is nn.Parameter:
            other.__class__ = type(tensor)
        vars(other).update(vars(tensor))
        return other

    def _filled(self, thing):
        """A copy made past the methods of a class that refuses; what is not of Python, such as a lock, is shared."""
        if isinstance(thing, torch.Generator):  # the oldest torch cannot copy it in another way
            return thing.clone_state()
        kind = next((kind for kind in CONTAINERS if isinstance(thing, kind)), object)
        try:
            other = kind.__new__(type(thing))
            held = vars(thing)
        except TypeError:
            return thing
        self.kept[id(thing)] = other
        vars(other).update(self._thing(dict(held))[0])
        if kind in (dict, OrderedDict):
            for key, value in self._thing(dict(thing))[0].items():
                kind.__setitem__(other, key, value)
        elif kind is not object:
            (list.extend if kind is list else set.update)(other, self._thing(list(thing))[0])
        return other


def _shown_twice(inputs):
    """The memory of which two inputs show the same numbers: what is written to one is read from the other."""
    spans = {}
    for x in {id(x): x for x in inputs}.values():
        if place(x) is not None and x.numel():
            last = sum((side - 1) * step for side, step in zip(x.shape, x.stride(), strict=True))
            spans.setdefault(place(x), []).append((x.storage_offset(), x.storage_offset() + last))
    pairs = {shown: pairwise(sorted(found)) for shown, found in spans.items()}
    return {shown for shown, found in pairs.items() if any(start <= end for (_, end), (start, _) in found)}


def _is_plain(module):
    """Whether a module is what its attributes are: its class does not say how to copy it."""
    kind = type(module)
    silent = (kind.__reduce_ex__, kind.__reduce__) == (object.__reduce_ex__, object.__reduce__)
    return silent and not hasattr(kind, "__deepcopy__") and not isinstance(module, CONTAINERS)


def _refused(error):
    """What was being copied when this was raised: the argument of the innermost call of ``deepcopy``."""
    trace, thing = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code is copy.deepcopy.__code__:
            thing = trace.tb_frame.f_locals["x"]
        trace = trace.tb_next
    return thing


def _without_data(scripted):
    file = io.BytesIO()
    torch.jit.save(scripted, file)
    file.seek(0)
    try:
        return torch.jit.load(file, map_location="meta")
    except RuntimeError as error:
        raise ValueError("this scripted model holds its weights as constants: pass real tensors") from error
