"""What one operation costs per image: parameters, multiply-accumulates and memory traffic.

Padding is not told here, so whether a kernel is larger than the padded input cannot be: ``geometry.output_size``
refuses that, where the output size is worked out. Conventions: see the package.
"""

from dataclasses import dataclass, fields
from typing import Any

import sympy

from ..geometry import positive_int


@dataclass(frozen=True)
class Cost:
    """Counts of one operation, or of several added up; each an int or a sympy expression, for one image.

    ``params``: learnable scalars. ``macs``: multiply-accumulates. ``elements_read``, ``elements_written``: scalars
    moved from and to memory. Costs add field by field, ``sum(costs)`` works too: what one operation writes and the
    next one reads is then counted on both sides (no fusion). Chapter: cost_analysis.
    """

    params: Any
    macs: Any
    elements_read: Any
    elements_written: Any

    @property
    def flops(self):
        """Floating-point operations, ``2 * macs``: a multiplication and an addition for each MAC."""
        return 2 * self.macs

    def arithmetic_intensity(self, bytes_per_element=4):
        """FLOPs per byte moved: ``flops / (bytes_per_element * (elements_read + elements_written))``.

        A float if the counts are ints, an exact expression if they hold symbols. ``bytes_per_element`` is 4 for
        float32. Raises ValueError if it is not whole and positive, or if nothing is moved. Chapter: cost_analysis.
        """
        moved = whole_size("bytes_per_element", bytes_per_element) * (self.elements_read + self.elements_written)
        if moved == 0:
            raise ValueError(f"no arithmetic intensity without memory traffic, got {self}")
        return self.flops / moved

    def __add__(self, other):
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Cost)))

    def __radd__(self, other):
        # sum() starts from the int 0
        return self if isinstance(other, int) and other == 0 else NotImplemented


def conv2d(in_channels, out_channels, kernel_size, output_size, groups=1, bias=False, input_size=None):
    """Cost of a 2-D convolution, dense or grouped.

    ``params = C_in/G * C_out * K_h * K_w`` (``+ C_out`` with bias), ``macs = C_in/G * C_out * K_h * K_w * H_out *
    W_out``; reads ``C_in * H_in * W_in + params`` elements, writes ``C_out * H_out * W_out``.

    ``kernel_size``, ``output_size`` and ``input_size``: pixels, one value or a pair (height, width). ``input_size``
    enters the traffic only; left out it is ``output_size``, which is right where stride 1 and padding keep the size.

    Raises ValueError for a number that is not whole and positive, for ``groups`` that do not divide the channels, and
    for a ``bias`` that is not True or False. Source: the Shape and Variables sections of ``torch.nn.Conv2d``;
    MobileNet (arXiv 1704.04861), section 3.1. Chapters: standard_convolution, group_convolution, cost_analysis.
    """
    in_channels, out_channels = whole_size("in_channels", in_channels), whole_size("out_channels", out_channels)
    kernel_height, kernel_width = size_pair("kernel_size", kernel_size)
    out_height, out_width = size_pair("output_size", output_size)
    in_height, in_width = (out_height, out_width) if input_size is None else size_pair("input_size", input_size)
    weights = _connections(in_channels, out_channels, groups) * kernel_height * kernel_width
    params = weights + _bias(bias, out_channels)
    return Cost(
        params=params,
        macs=weights * out_height * out_width,
        elements_read=in_channels * in_height * in_width + params,
        elements_written=out_channels * out_height * out_width,
    )


def conv1d(in_channels, out_channels, kernel_size, output_size, groups=1, bias=False, input_size=None):
    """Cost of a 1-D convolution, dense or grouped: :func:`conv2d` with a kernel and maps of height 1.

    ``params = C_in/G * C_out * K`` (``+ C_out`` with bias), ``macs = C_in/G * C_out * K * L_out``; reads
    ``C_in * L_in + params`` elements, writes ``C_out * L_out``. ``kernel_size``, ``output_size`` and ``input_size`` are
    single values, in positions; ``input_size`` left out is ``output_size`` (stride 1, size kept).

    Raises ValueError as :func:`conv2d` does. Chapter: cost_analysis.
    """
    kernel_size, output_size = whole_size("kernel_size", kernel_size), whole_size("output_size", output_size)
    input_size = output_size if input_size is None else whole_size("input_size", input_size)
    return conv2d(in_channels, out_channels, (1, kernel_size), (1, output_size), groups, bias, (1, input_size))


def depthwise_conv2d(in_channels, kernel_size, output_size, depth_multiplier=1, bias=False, input_size=None):
    """Cost of a depthwise convolution: :func:`conv2d` with ``G = C_in``, ``depth_multiplier`` outputs per channel.

    ``params = C_in * depth_multiplier * K_h * K_w`` (plus one bias per output channel), ``macs`` that times
    ``H_out * W_out``. Sizes, traffic and errors as in :func:`conv2d`. Chapter: depthwise_convolution.
    """
    in_channels = whole_size("in_channels", in_channels)
    out_channels = in_channels * whole_size("depth_multiplier", depth_multiplier)
    return conv2d(in_channels, out_channels, kernel_size, output_size, in_channels, bias, input_size)


def pointwise_conv2d(in_channels, out_channels, output_size, bias=False):
    """Cost of a pointwise convolution, 1x1 at stride 1: channels are mixed, pixels are not.

    ``params = C_in * C_out`` (``+ C_out`` with bias), ``macs = C_in * C_out * H_out * W_out``. ``output_size`` is the
    input size too. Traffic and errors as in :func:`conv2d`. Chapter: pointwise_convolution.
    """
    return conv2d(in_channels, out_channels, 1, output_size, bias=bias)


def depthwise_separable_conv2d(
    in_channels, out_channels, kernel_size, output_size, depth_multiplier=1, bias=False, input_size=None
):
    """Cost of a depthwise convolution and the pointwise convolution after it: the sum of the two, unfused.

    With depth multiplier 1 and no bias ``macs = (C_in * K_h * K_w + C_in * C_out) * H_out * W_out``, which is
    ``1/C_out + 1/(K_h * K_w)`` of the dense convolution's. A stride belongs to the depthwise half, so ``output_size``
    is the output of both halves. Sizes and errors as in :func:`conv2d`; ``bias`` gives both halves their biases.

    Source: MobileNet (arXiv 1704.04861), section 3.1. Chapters: depthwise_separable_convolution, cost_analysis.
    """
    depthwise = depthwise_conv2d(in_channels, kernel_size, output_size, depth_multiplier, bias, input_size)
    middle_channels = whole_size("in_channels", in_channels) * whole_size("depth_multiplier", depth_multiplier)
    return depthwise + pointwise_conv2d(middle_channels, out_channels, output_size, bias)


def ghost_module(in_channels, out_channels, output_size, kernel_size=1, ratio=2, dw_kernel_size=3, input_size=None):
    """Cost of a Ghost module's two convolutions: some maps made densely, the others cheaply from them; no batch norm.

    ``m = ceiling(C_out / ratio)`` intrinsic maps by a ``kernel_size`` convolution, ``(ratio - 1) * m`` more by a
    depthwise one of ``dw_kernel_size`` on those: ``params = C_in * m * K_h * K_w + (ratio - 1) * m * D_h * D_w``,
    ``macs`` that times ``H_out * W_out``. All that is computed counts, also maps beyond ``C_out`` that are sliced off.

    Sizes, traffic and errors as in :func:`conv2d`; ``ratio`` is whole and at least 2.
    Source: GhostNet (arXiv 1911.11907), equations 4 and 5, rounding as in the authors' code. Chapter: ghostnet.
    """
    out_channels, ratio = whole_size("out_channels", out_channels), whole_size("ratio", ratio, minimum=2)
    dw_kernel_size = size_pair("dw_kernel_size", dw_kernel_size)
    if isinstance(out_channels, int) and isinstance(ratio, int):
        intrinsic = -(-out_channels // ratio)
    else:
        intrinsic = sympy.ceiling(out_channels / ratio)
    primary = conv2d(in_channels, intrinsic, kernel_size, output_size, input_size=input_size)
    return primary + depthwise_conv2d(intrinsic, dw_kernel_size, output_size, depth_multiplier=ratio - 1)


def linear(in_features, out_features, bias=False):
    """Cost of a fully connected layer on one vector: ``macs = in_features * out_features``, ``params`` the same.

    With bias ``out_features`` more params. Reads ``in_features + params`` elements, writes ``out_features``.
    Raises ValueError for a number that is not whole and positive. Chapter: cost_analysis.
    """
    in_features, out_features = whole_size("in_features", in_features), whole_size("out_features", out_features)
    macs = in_features * out_features
    params = macs + _bias(bias, out_features)
    return Cost(params, macs, elements_read=in_features + params, elements_written=out_features)


def batch_norm2d(channels, output_size):
    """Cost of a batch norm with scale and shift: ``params = 2 * C`` and, by convention, no MACs.

    Reads its map and the two parameters per channel, ``C * H * W + 2 * C`` elements, and writes ``C * H * W``. Running
    statistics are left out: a trained network folds them into scale and shift. ``output_size``: pixels, one value or a
    pair (height, width). Raises ValueError for a number that is not whole and positive. Chapter: cost_analysis.
    """
    channels = whole_size("channels", channels)
    height, width = size_pair("output_size", output_size)
    elements = channels * height * width
    return Cost(params=2 * channels, macs=0, elements_read=elements + 2 * channels, elements_written=elements)


def whole_size(name, value, minimum=1):
    """The value as an int if it is a number, unchanged if it holds symbols that can still become a whole number."""
    if not isinstance(value, sympy.Expr) or value.is_number:
        return positive_int(name, value, minimum)
    if value.is_integer is False or (value - minimum).is_negative:
        raise ValueError(f"{name} must be a whole number of at least {minimum}, got {value!r}, which cannot be one")
    return value


def size_pair(name, value):
    """``(height, width)`` from one size for both or from a pair of sizes."""
    sides = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(sides) != 2:
        raise ValueError(f"{name} must be one size or a pair (height, width), got {value!r}")
    return whole_size(name, sides[0]), whole_size(name, sides[1])


def _connections(in_channels, out_channels, groups):
    """Pairs of an input and an output channel that a kernel joins: ``C_in * C_out / G``; ints stay ints."""
    groups = whole_size("groups", groups)
    if not isinstance(groups, int):
        return in_channels * out_channels / groups
    # symbols cannot be tested, but each number can, whatever the other one is
    if any(isinstance(channels, int) and channels % groups for channels in (in_channels, out_channels)):
        raise ValueError(
            f"groups must divide in_channels and out_channels: got groups={groups}, "
            f"in_channels={in_channels}, out_channels={out_channels}"
        )
    both = in_channels * out_channels
    return both // groups if isinstance(both, int) else both / groups


def _bias(bias, out_channels):
    """How many biases: one per output channel, or none."""
    if not isinstance(bias, bool):
        raise ValueError(f"bias must be True or False, got {bias!r}")
    return out_channels if bias else 0
