"""What one operation costs per image: parameters, multiply-accumulates and memory traffic."""

from dataclasses import dataclass, fields
from typing import Any

from .checks import biases, connections, whole, whole_pair


@dataclass(frozen=True)
class Cost:
    """Counts of one operation, or of several added up; each an int or a sympy expression, for one image.

    ``params``: learnable scalars. ``macs``: multiply-accumulates. ``elements_read``, ``elements_written``: scalars
    moved from and to memory. Costs add field by field, ``sum(costs)`` works too: what one operation writes and the
    next one reads is then counted on both sides (no fusion).
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
        float32. Raises ValueError if it is not whole and positive, or if nothing is moved.
        """
        moved = whole("bytes_per_element", bytes_per_element) * (self.elements_read + self.elements_written)
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
    """Cost of a 2-D convolution, standard or grouped.

    ``params = C_in/G * C_out * K_h * K_w`` (``+ C_out`` with bias), ``macs = C_in/G * C_out * K_h * K_w * H_out *
    W_out``; reads ``C_in * H_in * W_in + params`` elements, writes ``C_out * H_out * W_out``.

    Raises ValueError also for ``groups`` that do not divide the channels. Source: the Shape and Variables sections of
    ``torch.nn.Conv2d``; MobileNet (arXiv 1704.04861), section 3.1.
    """
    in_channels, out_channels = whole("in_channels", in_channels), whole("out_channels", out_channels)
    kernel_height, kernel_width = whole_pair("kernel_size", kernel_size)
    out_height, out_width = whole_pair("output_size", output_size)
    in_height, in_width = (out_height, out_width) if input_size is None else whole_pair("input_size", input_size)
    weights = connections(in_channels, out_channels, groups) * kernel_height * kernel_width
    params = weights + biases(bias, out_channels)
    return Cost(
        params=params,
        macs=weights * out_height * out_width,
        elements_read=in_channels * in_height * in_width + params,
        elements_written=out_channels * out_height * out_width,
    )


def conv1d(in_channels, out_channels, kernel_size, output_size, groups=1, bias=False, input_size=None):
    """Cost of a 1-D convolution: :func:`conv2d` with a kernel and maps of height 1.

    ``params = C_in/G * C_out * K`` (``+ C_out`` with bias), ``macs = C_in/G * C_out * K * L_out``. ``kernel_size``,
    ``output_size`` and ``input_size`` are single values, in positions.
    """
    kernel_size, output_size = whole("kernel_size", kernel_size), whole("output_size", output_size)
    input_size = output_size if input_size is None else whole("input_size", input_size)
    return conv2d(in_channels, out_channels, (1, kernel_size), (1, output_size), groups, bias, (1, input_size))


def depthwise_conv2d(in_channels, kernel_size, output_size, depth_multiplier=1, bias=False, input_size=None):
    """Cost of a depthwise convolution: :func:`conv2d` with ``G = C_in``, ``depth_multiplier`` outputs per channel.

    ``params = C_in * depth_multiplier * K_h * K_w`` (plus one bias per output channel), ``macs`` that times
    ``H_out * W_out``.
    """
    in_channels = whole("in_channels", in_channels)
    out_channels = in_channels * whole("depth_multiplier", depth_multiplier)
    return conv2d(in_channels, out_channels, kernel_size, output_size, in_channels, bias, input_size)


def pointwise_conv2d(in_channels, out_channels, output_size, bias=False):
    """Cost of a pointwise convolution, 1x1 at stride 1: channels are mixed, pixels are not.

    ``params = C_in * C_out`` (``+ C_out`` with bias), ``macs = C_in * C_out * H_out * W_out``. ``output_size`` is the
    input size too.
    """
    return conv2d(in_channels, out_channels, 1, output_size, bias=bias)


def linear(in_features, out_features, bias=True):
    """Cost of a fully connected layer on one vector: ``macs = in_features * out_features``.

    ``params`` are as many, and ``out_features`` more with bias. Reads ``in_features + params`` elements, writes
    ``out_features``.
    """
    in_features, out_features = whole("in_features", in_features), whole("out_features", out_features)
    macs = in_features * out_features
    params = macs + biases(bias, out_features)
    return Cost(params, macs, elements_read=in_features + params, elements_written=out_features)


def batch_norm2d(channels, output_size):
    """Cost of a batch norm with scale and shift: ``params = 2 * C`` and, by convention, no MACs.

    Reads its map and the two parameters per channel, ``C * H * W + 2 * C`` elements, and writes ``C * H * W``. Running
    statistics are left out: a trained network folds them into scale and shift.
    """
    channels = whole("channels", channels)
    height, width = whole_pair("output_size", output_size)
    elements = channels * height * width
    return Cost(params=2 * channels, macs=0, elements_read=elements + 2 * channels, elements_written=elements)
