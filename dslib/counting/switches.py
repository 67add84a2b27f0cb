"""Switches of torch's that a count sets, random numbers that a model draws, and how they were before."""

import random
import sys

import numpy as np
import torch
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

COMPILERS = {"torch._dynamo", "torch.nn.attention.flex_attention"}  # modules without which nothing is compiled


class Switches:
    """How torch's switches stand; :meth:`restore` may be called twice, since an interrupt can come into the first."""

    def __init__(self):
        cuda = torch.cuda.is_initialized()
        self.random = torch.get_rng_state(), torch.cuda.get_rng_state_all() if cuda else []
        self.python_s, self.numpy_s = random.getstate(), np.random.get_state()
        self.gradients = torch.is_grad_enabled()
        self.fast_path = torch.backends.mha.get_fastpath_enabled()
        self.modes = [
            (stack, len(stack())) for stack in (_get_current_dispatch_mode_stack, _get_current_function_mode_stack)
        ]
        self.stance = None

    def set(self):
        """Gradients off, and each operation of its own: no fast path for attention, nothing compiled."""
        torch.set_grad_enabled(False)
        torch.backends.mha.set_fastpath_enabled(False)
        if COMPILERS & sys.modules.keys():  # it takes a second to import
            self.stance = torch.compiler.set_stance("force_eager")

    def restore(self):
        for stack, before in self.modes:
            while len(stack()) > before:
                stack()[-1].__exit__(None, None, None)
        if self.stance is not None:
            self.stance.__exit__(None, None, None)
        torch.backends.mha.set_fastpath_enabled(self.fast_path)
        torch.set_grad_enabled(self.gradients)
        random.setstate(self.python_s)
        np.random.set_state(self.numpy_s)
        torch.set_rng_state(self.random[0])
        if self.random[1]:
            torch.cuda.set_rng_state_all(self.random[1])
