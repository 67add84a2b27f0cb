"""Other tensors in the places of a model's own while it is counted; afterwards all is as before."""

import contextlib
from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.parameter import UninitializedTensorMixin

from .tree import PLAIN

SETTINGS = PLAIN | {dict, OrderedDict, tuple}  # what most attributes are: looked at first, for speed


@dataclass
class Place:
    """Where a model holds a tensor: the module, the name in it, the whole path, and what stands there meanwhile."""

    module: nn.Module
    name: str
    path: str
    stand_in: torch.Tensor

    @property
    def learnable(self):
        return isinstance(self.stand_in, nn.Parameter)


@contextlib.contextmanager
def standing_in(modules, on_meta):
    """While it is entered, stand-ins are in the places of all tensors that the modules hold; yields the places.

    ``modules``: ``{path: module}``. A parameter's stand-in is an alias, so that gradients are written elsewhere, any
    other tensor's a copy; on the meta device both are shapes alone. A tied tensor has one stand-in for all its places.
    In the end the modules hold what they held, whatever the model has stored, replaced or registered.
    """
    held = [what_is_held(module) for module in modules.values()]
    try:
        places = list(_places(modules, on_meta))
        for place in places:
            _put(place)
        yield places
    finally:
        for state in held:
            _hold_again(*state)


def what_is_held(module):
    """The attributes of a module, and what is in those that are dicts or lists: its parameters, hooks, submodules."""
    attributes = vars(module)
    containers = [held for held in attributes.values() if isinstance(held, (dict, list))]
    filled = [(held, held.copy()) for held in containers if held]
    return attributes, attributes.copy(), filled, [held for held in containers if not held]


def _hold_again(attributes, before, filled, empty):
    attributes.clear()
    attributes.update(before)
    for held in empty:
        if held:
            held.clear()
    for held, inside in filled:
        held.clear()
        (held.update if isinstance(held, dict) else held.extend)(inside)


def _places(modules, on_meta):
    made = {}
    for path, module in modules.items():
        attributes = [(name, held) for name, held in vars(module).items() if type(held) not in SETTINGS]
        plain = {name: held for name, held in attributes if isinstance(held, torch.Tensor)}
        for name, tensor in [*module._parameters.items(), *module._buffers.items(), *plain.items()]:
            if tensor is None:
                continue
            place = f"{path}.{name}" if path else name
            if isinstance(tensor, UninitializedTensorMixin):
                raise ValueError(f"{place} has no shape yet: run the model once before it is counted")
            if id(tensor) not in made:
                made[id(tensor)] = _stand_in(tensor, on_meta)
            yield Place(module, name, place, made[id(tensor)])


def _stand_in(tensor, on_meta):
    learnable = isinstance(tensor, nn.Parameter)
    if on_meta:
        other = torch.empty_like(tensor, device="meta")
    elif learnable and not tensor.is_inference():
        other = tensor.detach()
    else:
        other = tensor.detach().clone()
    if not learnable:
        return other
    parameter = nn.Parameter(other, tensor.requires_grad)
    if tensor.__dict__:
        parameter.__dict__.update(tensor.__dict__)  # marks that the owner has put on it
    return parameter


def _put(place):
    module, name, stand_in = place.module, place.name, place.stand_in
    if type(module).__setattr__ is not nn.Module.__setattr__:
        setattr(module, name, stand_in)  # an RNN keeps its weights in a list as well
    elif place.learnable:
        module._parameters[name] = stand_in  # five times as fast
    elif name in module._buffers:
        module._buffers[name] = stand_in
    else:
        vars(module)[name] = stand_in
