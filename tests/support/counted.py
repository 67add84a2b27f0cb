"""What a model holds and how torch's switches stand, as values to compare before and after a count."""

import collections
import copy
import sys
import types

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as torch_module
from torch.nn.parameter import UninitializedTensorMixin
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from dslib.counting import count


def switches():
    hooks = {name: len(held) for name, held in vars(torch_module).items() if name.endswith("_hooks")}
    return {
        "random numbers": torch.get_rng_state().tolist(),
        "modes": [torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()],
        "entered": [len(_get_current_dispatch_mode_stack()), len(_get_current_function_mode_stack())],
        "fast path": torch.backends.mha.get_fastpath_enabled(),
        "hooks": hooks,
        "stance": getattr(getattr(sys.modules.get("torch._dynamo.eval_frame"), "_stance", None), "stance", "default"),
    }


def counted(model, kind, size=(2, 3, 4, 5), **more):
    """``kind``: ``"input_size"``, ``"meta"``, ``"real"``, ``"real with gradient"``."""
    if kind == "input_size":
        return count(model, input_size=size, **more)
    dtype = next((tensor.dtype for tensor in model.parameters()), None) if isinstance(model, nn.Module) else None
    device = "meta" if kind == "meta" else "cpu"
    x = torch.ones(size, device=device, dtype=dtype, requires_grad=kind.endswith("gradient"))
    report = count(model, x, **more)
    assert x.grad is None and x._version == 0
    return report


def plain(held):
    """Anything that a model may hold, as values that can be compared, and the ids of its tensors."""
    if isinstance(held, torch.Tensor) and not isinstance(held, UninitializedTensorMixin):
        grad = held.grad.tolist() if held.is_leaf and held.grad is not None else None
        version = None if held.is_inference() else held._version
        return id(held), str(held.device), held.tolist(), held.requires_grad, version, grad
    if isinstance(held, (dict, types.SimpleNamespace)):
        return [(name, plain(value)) for name, value in (held if isinstance(held, dict) else vars(held)).items()]
    if isinstance(held, (list, tuple, collections.deque)):
        return [plain(value) for value in held]
    if isinstance(held, torch.Generator):
        return held.get_state().tolist()
    return held.tolist() if isinstance(held, np.ndarray) else copy.copy(held) if isinstance(held, set) else id(held)


def state(model):
    """All that could have changed: every attribute of every module, and torch's switches."""
    modules = {name: (type(one), one.training, plain(vars(one))) for name, one in model.named_modules()}
    held = {} if any(map(nn.parameter.is_lazy, model.parameters())) else model.state_dict()  # a scripted model's too
    return modules, list(held), [tensor.tolist() for tensor in held.values()], switches()


class Frozen(collections.OrderedDict):
    """A dict as diffusers has it: once made, it takes no change, and it cannot be copied."""

    def __init__(self, **items):
        super().__init__(**items)
        self.closed = True

    def __setitem__(self, key, value):
        if hasattr(self, "closed"):
            raise TypeError("frozen")
        super().__setitem__(key, value)

    def update(self, *args, **items):
        raise TypeError("frozen")

    clear = pop = update


ONE = 2 * 8 * 8  # MACs of the layer of Calls for two rows


class Calls(nn.Module):
    """``does(self, x)`` as forward, beside a linear layer of 8 to 8 and what else a test gives."""

    def __init__(self, does, **held):
        super().__init__()
        self.linear, self.does = nn.Linear(8, 8, bias=False), does
        for name, value in held.items():
            setattr(self, name, value)

    def forward(self, x):
        return self.does(self, x)
