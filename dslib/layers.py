"""The building blocks with ``torch.nn``: convolutions in groups, in two steps, and with cheap ghost maps.

Arguments have torch's names and order; shapes are ``(N, C, H, W)`` or, in one dimension, ``(N, C, L)``.
``padding=None``, the default, keeps the size at stride 1; it needs an odd kernel (or an even dilation). It may also be
a whole number, a pair (height, width), ``'same'`` or ``'valid'``, as in torch. ``norm`` is called with the channel
count and returns a module; None leaves the norm out. ``activation`` is a name of ``ACTIVATIONS``, a module (used as it
is, not copied), or None for none. Constructors raise ValueError for values that do not fit, with the values in it.
"""

import torch
from torch import nn

from .geometry import check_groups, pair, positive_int, resolve_padding, same_padding, tensorflow_padding

ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "silu": nn.SiLU}


class ConvBNAct(nn.Module):
    """A 2-D convolution, then a norm, then an activation: the usual unit of a convolutional network.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``; weight
    ``(out_channels, in_channels/groups, K_h, K_w)``. Submodules: ``conv``, ``norm``, ``act``.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size=3,
        stride=1,
        padding=None,
        dilation=1,
        groups=1,
        bias=False,
        norm=nn.BatchNorm2d,
        activation="relu",
    ):
        super().__init__()
        self.conv = nn.Conv2d(
            *_conv_arguments(2, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        )
        self.norm = _norm(norm, self.conv.out_channels)
        self.act = activation_module(activation)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class DepthwiseConv2d(nn.Conv2d):
    """A 2-D convolution whose every output sees one input channel: ``groups = in_channels``.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, in_channels * depth_multiplier, H_out, W_out)``; weight
    ``(in_channels * depth_multiplier, 1, K_h, K_w)``. Outputs ``c * depth_multiplier`` and on belong to channel ``c``.
    """

    def __init__(self, in_channels, kernel_size, stride=1, padding=None, dilation=1, bias=False, depth_multiplier=1):
        super().__init__(
            *_depthwise_arguments(2, in_channels, kernel_size, stride, padding, dilation, bias, depth_multiplier)
        )


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution at stride 1, never padded: one linear map over the channels, the same at every pixel.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H, W)``; weight ``(out_channels, in_channels, 1, 1)``.
    """

    def __init__(self, in_channels, out_channels, bias=False):
        super().__init__(*_conv_arguments(2, in_channels, out_channels, bias=bias))


class DepthwiseSeparableConv2d(nn.Module):
    """A depthwise convolution, then a pointwise one, with norm and activation after each step.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``, with
    ``in_channels * depth_multiplier`` channels in between. Submodules: ``depthwise``, ``norm1``, ``act1``,
    ``pointwise``, ``norm2``, ``act2``. Stride, padding and dilation belong to the depthwise step, ``bias`` to both; a
    module given as ``activation`` serves both. With neither norm nor activation the two equal one standard
    convolution. Source: MobileNet (arXiv 1704.04861), figure 3.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size=3,
        stride=1,
        padding=None,
        dilation=1,
        depth_multiplier=1,
        bias=False,
        norm=nn.BatchNorm2d,
        activation="relu",
    ):
        super().__init__()
        self.depthwise = DepthwiseConv2d(in_channels, kernel_size, stride, padding, dilation, bias, depth_multiplier)
        self.norm1 = _norm(norm, self.depthwise.out_channels)
        self.act1 = activation_module(activation)
        self.pointwise = PointwiseConv2d(self.depthwise.out_channels, out_channels, bias)
        self.norm2 = _norm(norm, self.pointwise.out_channels)
        self.act2 = activation_module(activation)

    def forward(self, x):
        x = self.act1(self.norm1(self.depthwise(x)))  # (N, in_channels * depth_multiplier, H_out, W_out)
        return self.act2(self.norm2(self.pointwise(x)))


class DepthwiseSeparableConv1d(nn.Module):
    """:class:`DepthwiseSeparableConv2d` in one dimension: ``(N, in_channels, L)`` to ``(N, out_channels, L_out)``.

    The same submodules, arguments and errors. Source: QANet (arXiv 1804.09541), section 2.2, uses it over words.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size=3,
        stride=1,
        padding=None,
        dilation=1,
        depth_multiplier=1,
        bias=False,
        norm=nn.BatchNorm1d,
        activation="relu",
    ):
        super().__init__()
        self.depthwise = nn.Conv1d(
            *_depthwise_arguments(1, in_channels, kernel_size, stride, padding, dilation, bias, depth_multiplier)
        )
        self.norm1 = _norm(norm, self.depthwise.out_channels)
        self.act1 = activation_module(activation)
        self.pointwise = nn.Conv1d(*_conv_arguments(1, self.depthwise.out_channels, out_channels, bias=bias))
        self.norm2 = _norm(norm, self.pointwise.out_channels)
        self.act2 = activation_module(activation)

    forward = DepthwiseSeparableConv2d.forward


class GhostModule(nn.Module):
    """Few maps made by a standard convolution, the others from those by a cheap depthwise one; both are the output.

    ``m = ceil(out_channels / ratio)`` intrinsic maps come from ``primary_conv`` (kernel ``kernel_size``, ``stride``),
    ``(ratio - 1) * m`` ghost maps from ``cheap_operation`` (depthwise, kernel ``dw_kernel_size``); they are joined and
    cut to ``out_channels``. Each part is convolution, batch norm, activation. Kernels are odd, ``ratio`` is at least 2.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``; names as in the authors' code, so that
    state dicts fit. Source: GhostNet (arXiv 1911.11907), section 3.1 and figure 2.
    """

    def __init__(
        self, in_channels, out_channels, kernel_size=1, ratio=2, dw_kernel_size=3, stride=1, activation="relu"
    ):
        super().__init__()
        self.out_channels = positive_int("out_channels", out_channels)
        ratio = positive_int("ratio", ratio, minimum=2)
        for name, size in (("kernel_size", kernel_size), ("dw_kernel_size", dw_kernel_size)):
            if any(side % 2 == 0 for side in pair(name, size)):
                raise ValueError(f"{name} must be odd, so that padding keeps the size, got {size!r}")
        intrinsic = -(-self.out_channels // ratio)  # rounded up, without floats
        primary = _conv_arguments(2, in_channels, intrinsic, kernel_size, stride)
        cheap = _conv_arguments(2, intrinsic, intrinsic * (ratio - 1), dw_kernel_size, groups=intrinsic)
        self.primary_conv = _conv_norm_act(primary, activation)
        self.cheap_operation = _conv_norm_act(cheap, activation)

    def forward(self, x):
        intrinsic = self.primary_conv(x)  # (N, m, H_out, W_out)
        ghosts = self.cheap_operation(intrinsic)  # (N, (ratio - 1) * m, H_out, W_out)
        return torch.cat([intrinsic, ghosts], dim=1)[:, : self.out_channels]


class TensorFlowPad2d(nn.Module):
    """Zeros around a map as TensorFlow's ``SAME`` has them, for the strided convolution that comes next.

    ``(N, C, H, W)`` grows so that a kernel without padding of its own gives ``(ceil(H/stride), ceil(W/stride))``: the
    zeros are on the right and below first. See :func:`dslib.geometry.tensorflow_padding`.
    """

    def __init__(self, kernel_size, stride):
        super().__init__()
        self.kernel_size, self.stride = pair("kernel_size", kernel_size), pair("stride", stride)

    def forward(self, x):
        rows, columns = map(tensorflow_padding, x.shape[-2:], self.kernel_size, self.stride)
        return nn.functional.pad(x, (*columns, *rows))

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


def add_conv2d(block, name, in_channels, out_channels, kernel_size, stride=1, groups=1, padding="torch"):
    """Append an odd convolution without bias to an ``nn.Sequential``, its output ``ceil(size/stride)``.

    ``padding="torch"`` has as many zeros on all sides. ``"tensorflow"`` differs at strides above 1: then a
    :class:`TensorFlowPad2d` called ``<name>_pad`` comes before the convolution, which is torch's own in either case.
    """
    if padding not in ("torch", "tensorflow"):
        raise ValueError(f"padding must be 'torch' or 'tensorflow', got {padding!r}")
    own = same_padding(kernel_size)
    if padding == "tensorflow" and positive_int("stride", stride) > 1:
        block.add_module(f"{name}_pad", TensorFlowPad2d(kernel_size, stride))
        own = 0
    arguments = _conv_arguments(2, in_channels, out_channels, kernel_size, stride, own, groups=groups)
    block.add_module(name, nn.Conv2d(*arguments))


def activation_module(activation, inplace=False):
    """The module for an activation's name (one of ``ACTIVATIONS``), for a module itself, or for None (the identity).

    ``inplace``: a module made from a name overwrites its input. That saves memory traffic where nothing else reads the
    input: after a batch norm. A given module stays as it is.
    """
    if activation is None:
        return nn.Identity()
    if isinstance(activation, nn.Module):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; known: {', '.join(ACTIVATIONS)}, a module, or None")
    return ACTIVATIONS[activation](inplace=inplace)


def _norm(norm, channels):
    """The norm module for so many channels, or one that does nothing."""
    if norm is None:
        return nn.Identity()
    if isinstance(norm, nn.Module) or not callable(norm):
        raise ValueError(f"norm must be None or take a channel count, as nn.BatchNorm2d does, got {norm!r}")
    module = norm(channels)
    if not isinstance(module, nn.Module):
        raise ValueError(f"norm must return a module for {channels} channels, got {module!r}")
    return module


def _conv_norm_act(conv_arguments, activation):
    """Convolution, batch norm and activation as the entries 0, 1 and 2 of an ``nn.Sequential``."""
    conv = nn.Conv2d(*conv_arguments)
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), activation_module(activation, inplace=True))


def _depthwise_arguments(dims, in_channels, kernel_size, stride, padding, dilation, bias, depth_multiplier):
    """:func:`_conv_arguments` with one group for each input channel."""
    out_channels = positive_int("in_channels", in_channels) * positive_int("depth_multiplier", depth_multiplier)
    return _conv_arguments(dims, in_channels, out_channels, kernel_size, stride, padding, dilation, in_channels, bias)


def _conv_arguments(
    dims, in_channels, out_channels, kernel_size=1, stride=1, padding=None, dilation=1, groups=1, bias=False
):
    """Checked arguments for ``nn.Conv1d`` (``dims`` 1) or ``nn.Conv2d`` (``dims`` 2), in torch's order."""

    def per_axis(name, value, minimum=1):
        return pair(name, value, minimum) if dims == 2 else (positive_int(name, value, minimum),)

    check_groups(in_channels, out_channels, groups)
    if not isinstance(bias, bool):
        raise ValueError(f"bias must be True or False, got {bias!r}")
    kernel_size, stride = per_axis("kernel_size", kernel_size), per_axis("stride", stride)
    dilation = per_axis("dilation", dilation)
    if padding is None:
        padding = tuple(map(same_padding, kernel_size, dilation))
    elif isinstance(padding, str):
        for side, step in zip(kernel_size, stride, strict=True):
            resolve_padding(padding, side, step)  # only to refuse wrong words: torch takes the right ones itself
    else:
        padding = per_axis("padding", padding, minimum=0)
    return int(in_channels), int(out_channels), kernel_size, stride, padding, dilation, int(groups), bias
