"""Whole networks from the tables of their papers, one paper a file; each table stands as data at the top of its file.

All take images ``(N, in_channels, H, W)`` with height and width of at least 32 and any batch size, and return logits
``(N, num_classes)``. (In training mode torch's batch norm refuses a single image of 32 by 32: it needs two values.)
:func:`fold_batchnorm` makes a network ready for inference.

In their code no map outlives its use: activations overwrite, and a convolution's result replaces its input by name
before the norm is called, so that memory still in the cache is used again.
"""

from .folding import fold_batchnorm
from .ghostnet import GHOSTNET, GhostNet, ghostnet
from .mobilenet_v1 import MOBILENET_V1, DenseBlock, MobileNetV1, SeparableBlock, mobilenet_v1, mobilenet_v1_dense
from .resnet import RESNET_56, ghost_resnet_56, resnet_56
from .vgg import VGG_16, ghost_vgg_16, vgg_16

__all__ = [
    "GHOSTNET",
    "MOBILENET_V1",
    "RESNET_56",
    "VGG_16",
    "DenseBlock",
    "GhostNet",
    "MobileNetV1",
    "SeparableBlock",
    "fold_batchnorm",
    "ghost_resnet_56",
    "ghost_vgg_16",
    "ghostnet",
    "mobilenet_v1",
    "mobilenet_v1_dense",
    "resnet_56",
    "vgg_16",
]
