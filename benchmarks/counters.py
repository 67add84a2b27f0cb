"""Eight tools that count operations, each called in its own way and cleaned up after."""

import contextlib
import copy
import importlib.metadata
import io
import logging
import os
import warnings
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

# Each of these takes a model that is ready and an input, and returns a tuple of numbers.


def by_torch(model, x):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(x)
    return (counter.get_total_flops(),)


def by_fvcore(model, x):
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return (analysis.total(),)


def by_ptflops(backend):
    def call(model, x):
        from ptflops import get_model_complexity_info

        settings = {"as_strings": False, "print_per_layer_stat": False, "backend": backend}
        macs, _ = get_model_complexity_info(model, tuple(x.shape[1:]), input_constructor=lambda _: x, **settings)
        if macs is None:
            raise RuntimeError("ptflops gave no number; the reason is in its log")
        return (macs,)

    return call


def by_thop(model, x):
    from thop import profile

    return (profile(model, (x,), verbose=False)[0],)


def by_torchinfo(model, x):
    from torchinfo import summary

    return (summary(model, input_data=x, device=x.device, verbose=0).total_mult_adds,)


def by_calflops(model, x):
    from calflops import calculate_flops

    if next(model.parameters(), None) is None:  # it asks a parameter for the device
        model.register_parameter("unused", nn.Parameter(torch.zeros(1)))
    settings = {"print_results": False, "print_detailed": False, "output_as_string": False}
    flops, macs, _ = calculate_flops(model, args=[x], **settings)
    return macs, flops


def by_deepspeed(model, x):
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    from deepspeed.profiling.flops_profiler import get_model_profile

    flops, macs, _ = get_model_profile(model, args=[x], print_profile=False, as_string=False, warm_up=0)
    return macs, flops


def by_torchprofile(model, x):
    from torchprofile import profile_macs

    return (profile_macs(model, x),)


@dataclass
class Tool:
    """A counter: the package whose version counts, and what it prints: how many of each number make a MAC."""

    package: str
    call: callable
    per_mac: dict

    @property
    def version(self):
        return importlib.metadata.version(self.package)


TOOLS = (
    Tool("torch", by_torch, {"FlopCounterMode": 2}),
    Tool("fvcore", by_fvcore, {"fvcore": 1}),  # its "flop" is a MAC
    Tool("ptflops", by_ptflops("pytorch"), {"ptflops": 1}),
    Tool("ptflops", by_ptflops("aten"), {"ptflops, aten": 1}),
    Tool("thop", by_thop, {"thop": 1}),
    Tool("torchinfo", by_torchinfo, {"torchinfo": 1}),
    Tool("calflops", by_calflops, {"calflops: MACs": 1, "calflops: FLOPs": 2}),
    Tool("deepspeed", by_deepspeed, {"deepspeed: MACs": 1, "deepspeed: FLOPs": 2}),
    Tool("torchprofile", by_torchprofile, {"torchprofile": 1}),
)


def count_once(tool, model, input_size):
    """The tool's numbers by name, ``{"calflops: MACs": 216, ...}``, for a copy of the model in evaluation mode."""
    model, x, before = copy.deepcopy(model).eval(), torch.randn(input_size), torch_functions()
    with quiet(), torch.no_grad():
        numbers = tool.call(model, x)
    take_back(before)
    return {name: int(number) for name, number in zip(tool.per_mac, numbers, strict=True)}


@contextlib.contextmanager
def quiet():
    """No output, no warnings, no log: the tools have much to say."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            with contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
    finally:
        logging.disable(logging.NOTSET)


OWNERS = (torch, torch.functional, F, torch.Tensor)


def torch_functions():
    return [dict(vars(owner)) for owner in OWNERS]


def take_back(before):
    """Put torch's functions back where a tool has left its own, or the next tool would count with them."""
    for owner, old in zip(OWNERS, before, strict=True):
        for name, value in dict(vars(owner)).items():
            if name in old and value is not old[name]:
                setattr(owner, name, old[name])
            elif name not in old and owner is torch.Tensor:  # its function is in the class below torch.Tensor
                delattr(owner, name)
