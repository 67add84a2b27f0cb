"""What a model holds and how torch's switches stand, as values to compare before and after a count."""

import collections
import copy
import sys
import types

import numpy as np
import torch
from torch.nn.modules import module as torch_module
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from dslib.counting import count

SWITCHES = {
    "random numbers": lambda: torch.get_rng_state().tolist(),
    "gradients": torch.is_grad_enabled,
    "inference mode": torch.is_inference_mode_enabled,
    "fast path": torch.backends.mha.get_fastpath_enabled,
    "default type": torch.get_default_dtype,
    "global hooks": lambda: {name: len(held) for name, held in vars(torch_module).items() if name.endswith("_hooks")},
    "modes": lambda: [len(_get_current_dispatch_mode_stack()), len(_get_current_function_mode_stack())],
    "stance": lambda: getattr(sys.modules.get("torch._dynamo.eval_frame"), "_stance", None),
}


def counted(model, kind, size=(2, 3, 4, 5), **more):
    if kind == "input_size":
        return count(model, input_size=size, **more)
    x = torch.ones(size, device="meta" if kind == "meta" else "cpu", requires_grad=kind.endswith("gradient"))
    report = count(model, x, **more)
    assert x.grad is None and x._version == 0
    return report


def plain(held):
    """Anything that a model may hold, as values that can be compared, and the ids of its tensors."""
    if isinstance(held, torch.Tensor):
        grad = None if held.grad is None else held.grad.tolist()
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
    modules = {name: (module.training, plain(vars(module))) for name, module in model.named_modules()}
    return modules, {name: read() for name, read in SWITCHES.items()}


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
