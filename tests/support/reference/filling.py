"""Numbers for the weights of a model, the same on every machine: tools/reference.py and the tests both use them.

A number is a residue of whole numbers, divided once: nothing is random and nothing depends on how a machine rounds.
"""

import math

import torch

PRIME = 65521
# Variance of a convolution's weights times its inputs, chosen so that logits are of size 1 and differ from image to
# image, some ReLU6 reach their 6 and most gates are neither 0 nor 1: then each part of a network has its say.
GAINS = {"mobilenetv1": 40 / 12, "ghostnet": 6.5 / 12, "tf": 40 / 12}  # by the first word of timm's name


def numbers(shape, salt):
    """A float64 tensor of numbers from -1/2 to 1/2, another one for each ``salt``."""
    count = torch.arange(1, math.prod(shape) + 1)
    return ((count * (count + salt) % PRIME) / torch.tensor(PRIME, dtype=torch.float64) - 0.5).reshape(shape)


def filled(model, name):
    """The model itself, in float64 and evaluation mode, filled key by key of its state dict.

    The ``name`` is timm's, such as ``ghostnet_100``. Norms scale by about 1, with statistics that are not trivial.
    """
    gain = GAINS[name.split("_")[0]]
    model.double().eval()
    state = model.state_dict()
    for salt, (key, tensor) in enumerate(state.items()):
        if tensor.is_floating_point():
            number = numbers(tensor.shape, salt)
            if tensor.dim() > 1:
                number *= math.sqrt(12 * gain / math.prod(tensor.shape[1:]))
            elif key.endswith("running_var") or key.endswith("weight"):
                number = 1 + number / 2
            tensor.copy_(number)
    return model


def images():
    """Two images of odd, unequal sides."""
    return 4 * numbers((2, 3, 65, 97), salt=1)
