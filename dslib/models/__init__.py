"""Whole networks with torch, walked from the tables of their papers: one paper a file, the tables in ``tables``.

All take images ``(N, in_channels, H, W)``, made for 224x224 pixels or, in VGG's case, for CIFAR's 32x32, and return
logits ``(N, num_classes)``. Weights are random until :func:`load_weights` brings published ones. ``rows`` takes another
table, or part of one. Arguments that do not fit raise ValueError. :func:`fold_batchnorm` makes a network ready for
inference.

Where data just flow from step to step the modules are an ``nn.Sequential`` whose entries have names. No map outlives
its use there: activations overwrite, each result replaces the one before it, and memory in the cache is used again.
"""

from .efficientnet_lite import efficientnet_lite0
from .folding import fold_batchnorm
from .ghostnet import ghostnet
from .mobilenet_v1 import mobilenet_v1, mobilenet_v1_standard
from .vgg import ghost_vgg_16_cifar, vgg_16_cifar
from .weights import load_weights
