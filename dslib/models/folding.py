"""Batch norm folded into the convolutions before it: the same function with fewer steps."""

import copy
from collections import Counter

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ..layers import DepthwiseConv2d, PointwiseConv2d

# Exact types: a subclass may do more than convolve or normalize (timm's BatchNormAct2d also activates).
CONVOLUTIONS = (nn.Conv2d, DepthwiseConv2d, PointwiseConv2d)


def fold_batchnorm(model):
    """A copy of the model for inference, with each batch norm right after a convolution folded into it.

    ``weight' = weight * g`` and ``bias' = beta + (bias - running_mean) * g`` per output channel, where
    ``g = gamma / sqrt(running_var + eps)``; the batch norm becomes ``nn.Identity``. A convolution that something else
    reads too, that is used twice or that has hooks stays as it is; so does such a norm.

    Raises ValueError for a model in training mode (it would not use the running statistics) and for one that
    ``torch.fx`` cannot trace, with the reason.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch module, got {model!r:.100}")
    training = [name or type(model).__name__ for name, module in model.named_modules() if module.training]
    if training:
        raise ValueError(f"model must be in evaluation mode, call eval() first: {training[0]} is in training mode")
    folded = _copied(model)
    for conv, norm in _foldable_pairs(folded):
        conv.weight, conv.bias = fuse_conv_bn_weights(
            conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
        )
        conv.bias.requires_grad = conv.weight.requires_grad  # torch leaves a new bias out of training
        for name in [name for name, module in folded.named_modules(remove_duplicate=False) if module is norm]:
            folded.set_submodule(name, nn.Identity().eval())
    return folded


def _copied(model):
    """A copy of the model. torch copies no computed tensors: those that hooks will compute again get plain copies."""
    held = [value for module in model.modules() for value in vars(module).values() if isinstance(value, torch.Tensor)]
    try:
        return copy.deepcopy(model, {id(value): value.detach().clone() for value in held if not value.is_leaf})
    except Exception as error:  # whatever the model holds besides: locks, open files
        raise ValueError(f"{type(model).__name__} cannot be copied: {error}") from error


class _Tracer(fx.Tracer):
    """Reads the model's code down to torch's modules and to those of any origin that contain no others."""

    proxy_buffer_attributes = True  # so that code that reads a norm's statistics is seen to use the norm

    def is_leaf_module(self, module, name):
        return next(module.children(), None) is None or super().is_leaf_module(module, name)


def _foldable_pairs(model):
    """Each convolution with the batch norm that alone reads its output, both called once and without hooks."""
    try:
        nodes = _Tracer().trace(model).nodes
    except Exception as error:  # whatever the model's own code raises when run with a stand-in for its input
        raise ValueError(f"torch.fx cannot trace {type(model).__name__}: {error}") from error
    uses = Counter(_module_name(node) for node in nodes)
    called_once = {}
    for node in nodes:
        if node.op == "call_module" and uses[node.target] == 1:
            module = model.get_submodule(node.target)
            # a hook must go on seeing what it sees, and a forward set on the module itself does something else
            if not module._forward_hooks and not module._forward_pre_hooks and "forward" not in vars(module):
                called_once[node] = module
    for node, norm in called_once.items():
        if type(norm) is not nn.BatchNorm2d or norm.running_mean is None or not node.args:
            continue
        conv = called_once.get(node.args[0])
        if type(conv) in CONVOLUTIONS and len(node.args[0].users) == 1:
            yield conv, norm


def _module_name(node):
    """The module that a step of the traced model calls, or whose parameter it reads."""
    return node.target.rpartition(".")[0] if node.op == "get_attr" else node.target
