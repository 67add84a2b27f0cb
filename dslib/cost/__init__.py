"""What convolutions, units and whole networks cost per image, as algebra: parameters, MACs and memory traffic.

Every size of a layer or a unit may be a whole number or a sympy expression, mixed at will. Whole numbers give exact
ints, never floats; symbols give an expression that turns into the same int once numbers are put in (sympy cannot know,
though, whether ``groups`` will divide them). In a network the channels and the input size may be symbols; ``Network``
says what is rounded then and what is not. Nothing here runs a convolution or builds a network.

Conventions. A MAC is one multiply-accumulate of a convolution or a fully connected layer; multiplications by padding
zeros are counted, bias and batch norm are not. FLOPs are twice the MACs. What the MobileNet and GhostNet papers
call Mult-Adds or FLOPs are MACs. Traffic is what has to move with a perfect cache: the whole input and every
parameter are read once, every output is written once. The batch is left out: all counts are for one image.

A size that does not fit raises ValueError.

Symbols: ``C_in``, ``C_out`` channels, ``K_h``, ``K_w`` kernel, ``H_out``, ``W_out`` output size in pixels, ``G``
groups. Stride, padding and dilation cost nothing themselves: they act through the output size.

``operations`` prices one layer, ``units`` a few layers that belong together, ``network`` keeps count through a whole
network, ``networks`` prices the networks of this book from their tables. Derived in the chapter ``cost_analysis``.
"""

from .network import Network, Row
from .networks import ghostnet, mobilenet_v1, mobilenet_v1_dense, resnet_56, vgg_16
from .operations import (
    Cost,
    batch_norm2d,
    conv1d,
    conv2d,
    depthwise_conv2d,
    depthwise_separable_conv2d,
    ghost_module,
    linear,
    pointwise_conv2d,
)
from .units import bottleneck, shufflenet_unit

__all__ = [
    "Cost",
    "Network",
    "Row",
    "batch_norm2d",
    "bottleneck",
    "conv1d",
    "conv2d",
    "depthwise_conv2d",
    "depthwise_separable_conv2d",
    "ghost_module",
    "ghostnet",
    "linear",
    "mobilenet_v1",
    "mobilenet_v1_dense",
    "pointwise_conv2d",
    "resnet_56",
    "shufflenet_unit",
    "vgg_16",
]
