"""What convolutions, units and whole networks cost per image, as algebra: parameters, MACs and memory traffic.

Every size of a layer or a unit may be a whole number or a sympy expression, mixed at will. Whole numbers give exact
ints, never floats; symbols give an expression that turns into the same int once numbers are put in. A size that does
not fit raises ValueError. Nothing here runs a convolution or builds a network.

A MAC is one multiply-accumulate of a convolution or a fully connected layer; multiplications by padding zeros are
counted, bias and batch norm are not. FLOPs are twice the MACs. What the MobileNet and GhostNet papers call Mult-Adds or
FLOPs are MACs. Traffic is what has to move with a perfect cache: the whole input and every parameter are read once,
every output is written once. All counts are for one image.

Arguments come in one order: ``in_channels, out_channels, kernel_size, output_size``, then what has a default. Kernel,
output and input sizes are pixels, one value or a pair (height, width). Stride, padding and dilation cost nothing
themselves: they act through the output size. ``input_size`` enters the traffic only; left out it is ``output_size``,
which is right where stride 1 and padding keep the size. In the formulas ``C_in``, ``C_out`` are channels, ``K_h``,
``K_w`` the kernel, ``H_out``, ``W_out`` the output size, ``G`` groups.
"""

from .network import Network, Row, Rows
from .networks import (
    efficientnet_lite0,
    ghost_resnet_56_cifar,
    ghost_vgg_16_cifar,
    ghostnet,
    mobilenet_v1,
    mobilenet_v1_standard,
    resnet_56_cifar,
    vgg_16_cifar,
)
from .operations import Cost, batch_norm2d, conv1d, conv2d, depthwise_conv2d, linear, pointwise_conv2d
from .units import depthwise_separable_conv2d, ghost_module
