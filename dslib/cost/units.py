"""Units of a few layers, priced as one: their convolutions added up, unfused and without norms."""

import sympy

from .checks import whole, whole_pair
from .operations import conv2d, depthwise_conv2d, pointwise_conv2d


def depthwise_separable_conv2d(
    in_channels, out_channels, kernel_size, output_size, depth_multiplier=1, bias=False, input_size=None
):
    """Cost of a depthwise convolution and the pointwise convolution after it.

    With depth multiplier 1 and no bias ``macs = (C_in * K_h * K_w + C_in * C_out) * H_out * W_out``, which is
    ``1/C_out + 1/(K_h * K_w)`` of the standard convolution's. A stride belongs to the depthwise half, so
    ``output_size`` is the output of both halves; ``bias`` gives both their biases.

    Source: MobileNet (arXiv 1704.04861), section 3.1.
    """
    depthwise = depthwise_conv2d(in_channels, kernel_size, output_size, depth_multiplier, bias, input_size)
    middle_channels = whole("in_channels", in_channels) * whole("depth_multiplier", depth_multiplier)
    return depthwise + pointwise_conv2d(middle_channels, out_channels, output_size, bias)


def ghost_module(in_channels, out_channels, kernel_size, output_size, ratio=2, dw_kernel_size=3, input_size=None):
    """Cost of a Ghost module's two convolutions: a standard one makes some maps, a cheap one the others from them.

    ``m = ceiling(C_out / ratio)`` intrinsic maps by a ``kernel_size`` convolution, ``(ratio - 1) * m`` more by a
    depthwise one of ``dw_kernel_size`` on those: ``params = C_in * m * K_h * K_w + (ratio - 1) * m * D_h * D_w``,
    ``macs`` that times ``H_out * W_out``. All that is computed counts, also maps beyond ``C_out`` that are cut off.

    Source: GhostNet (arXiv 1911.11907), equations 4 and 5, rounding as in the authors' code.
    """
    out_channels, ratio = whole("out_channels", out_channels), whole("ratio", ratio, minimum=2)
    dw_kernel_size = whole_pair("dw_kernel_size", dw_kernel_size)
    whole_numbers = isinstance(out_channels, int) and isinstance(ratio, int)
    intrinsic = -(-out_channels // ratio) if whole_numbers else sympy.ceiling(out_channels / ratio)
    primary = conv2d(in_channels, intrinsic, kernel_size, output_size, input_size=input_size)
    return primary + depthwise_conv2d(intrinsic, dw_kernel_size, output_size, depth_multiplier=ratio - 1)
