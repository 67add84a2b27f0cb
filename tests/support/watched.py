"""What torch itself shows of a model: the params, MACs, channels and size of every layer, as it runs."""

import torch
from torch.utils.flop_counter import FlopCounterMode


def watched(model, x):
    """``{module: (params, macs, output channels, output size)}`` of all layers with parameters, in running order."""
    seen = {}

    def hook_for(name):
        def hook(leaf, inputs, output):
            params = sum(parameter.numel() for parameter in leaf.parameters())
            with FlopCounterMode(display=False) as counter:
                leaf.forward(*inputs)
            seen[name] = params, counter.get_total_flops() // 2, output.shape[1], tuple(output.shape[2:]) or (1, 1)

        return hook

    leaves = {
        name: leaf for name, leaf in model.named_modules() if not list(leaf.children()) and list(leaf.parameters())
    }
    hooks = [leaf.register_forward_hook(hook_for(name)) for name, leaf in leaves.items()]
    with torch.no_grad():
        model.eval()(x)
    for hook in hooks:
        hook.remove()
    return seen
