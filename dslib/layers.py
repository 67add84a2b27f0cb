"""The building blocks with ``torch.nn``: convolutions in groups, in two halves, and with cheap ghost maps.

Arguments have torch's names and order; shapes are ``(N, C, H, W)`` or, in one dimension, ``(N, C, L)``.
``padding=None``, the default, keeps the size at stride 1; it needs an odd kernel (or an even dilation) and raises
ValueError for others. It may also be a whole number, a pair (height, width), ``'same'`` or ``'valid'``, as in torch.
Constructors raise ValueError for sizes that are not whole and positive and for groups that do not divide the channels;
``forward`` raises it for an input that is no tensor or has another rank or channel count, and for a kernel larger than
the padded input.
"""

import torch
from torch import fx, nn

from .geometry import check_groups, output_size_padded, pair, positive_int, resolve_padding, same_padding

ACTIVATIONS = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "hardswish": nn.Hardswish,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "identity": nn.Identity,
}


class ConvBNAct(nn.Module):
    """A 2-D convolution, then a norm, then an activation: the usual unit of a convolutional network.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``; weight
    ``(out_channels, in_channels/groups, K_h, K_w)``. Submodules: ``conv``, ``norm``, ``act``.

    ``norm`` is called with the channel count and returns a module; None leaves the norm out. ``activation`` is a name
    of ``ACTIVATIONS``, a module (used as it is, not copied), or None for none. Raises ValueError as the module
    ``layers`` says, and for an unknown activation. Chapter: standard_convolution.
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
            **_conv_arguments(2, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        )
        self.norm = _norm(norm, self.conv.out_channels)
        self.act = activation_module(activation)

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        _check_input(self.conv, x)
        return self.act(self.norm(self.conv(x)))


class DepthwiseConv2d(nn.Conv2d):
    """A 2-D convolution whose every output sees one input channel: ``groups = in_channels``.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, in_channels * depth_multiplier, H_out, W_out)``; weight
    ``(in_channels * depth_multiplier, 1, K_h, K_w)``. Outputs ``c * depth_multiplier`` and on belong to channel ``c``.
    Raises ValueError as the module ``layers`` says. Chapter: depthwise_convolution.
    """

    def __init__(self, in_channels, kernel_size, stride=1, padding=None, dilation=1, bias=False, depth_multiplier=1):
        out_channels = _depthwise_channels(in_channels, depth_multiplier)
        super().__init__(
            **_conv_arguments(2, in_channels, out_channels, kernel_size, stride, padding, dilation, in_channels, bias)
        )

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        _check_input(self, x)
        return super().forward(x)


class DepthwiseConv1d(nn.Conv1d):
    """:class:`DepthwiseConv2d` in one dimension: ``(N, C, L)`` to ``(N, C * depth_multiplier, L_out)``.

    Weight ``(C * depth_multiplier, 1, K)``. Raises ValueError as the module ``layers`` says.
    Chapter: depthwise_convolution.
    """

    def __init__(self, in_channels, kernel_size, stride=1, padding=None, dilation=1, bias=False, depth_multiplier=1):
        out_channels = _depthwise_channels(in_channels, depth_multiplier)
        super().__init__(
            **_conv_arguments(1, in_channels, out_channels, kernel_size, stride, padding, dilation, in_channels, bias)
        )

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        _check_input(self, x)
        return super().forward(x)


class PointwiseConv2d(nn.Conv2d):
    """A 1x1 convolution at stride 1, never padded: one linear map over the channels, the same at every pixel.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H, W)``; weight ``(out_channels, in_channels, 1, 1)``.
    Raises ValueError as the module ``layers`` says. Chapter: pointwise_convolution.
    """

    def __init__(self, in_channels, out_channels, bias=False):
        super().__init__(**_conv_arguments(2, in_channels, out_channels, bias=bias))

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        _check_input(self, x)
        return super().forward(x)


class PointwiseConv1d(nn.Conv1d):
    """:class:`PointwiseConv2d` in one dimension: ``(N, in_channels, L)`` to ``(N, out_channels, L)``.

    Weight ``(out_channels, in_channels, 1)``. Raises ValueError as the module ``layers`` says.
    Chapter: pointwise_convolution.
    """

    def __init__(self, in_channels, out_channels, bias=False):
        super().__init__(**_conv_arguments(1, in_channels, out_channels, bias=bias))

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        _check_input(self, x)
        return super().forward(x)


class DepthwiseSeparableConv2d(nn.Module):
    """A depthwise convolution, then a pointwise one, with norm and activation after each half.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``, with
    ``in_channels * depth_multiplier`` channels in between. Submodules: ``depthwise``, ``norm1``, ``act1``,
    ``pointwise``, ``norm2``, ``act2``. Stride, padding and dilation belong to the depthwise half; the pointwise half
    is never padded. ``bias`` is for both halves.

    ``norm`` and ``activation`` as in :class:`ConvBNAct`; a module given as ``activation`` serves both halves. With
    neither (None, None) the pair is one dense convolution. Raises ValueError as the module ``layers`` says.
    Source: MobileNet (arXiv 1704.04861), figure 3. Chapter: depthwise_separable_convolution.
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
        """Apply the layer to ``x``; shapes and errors as above."""
        x = self.act1(self.norm1(self.depthwise(x)))  # (N, in_channels * depth_multiplier, H_out, W_out)
        return self.act2(self.norm2(self.pointwise(x)))


class DepthwiseSeparableConv1d(nn.Module):
    """:class:`DepthwiseSeparableConv2d` in one dimension: ``(N, in_channels, L)`` to ``(N, out_channels, L_out)``.

    The same submodules, arguments and errors. Source: QANet (arXiv 1804.09541), section 2.2, uses one-dimensional
    separable convolutions over words. Chapter: depthwise_separable_convolution.
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
        self.depthwise = DepthwiseConv1d(in_channels, kernel_size, stride, padding, dilation, bias, depth_multiplier)
        self.norm1 = _norm(norm, self.depthwise.out_channels)
        self.act1 = activation_module(activation)
        self.pointwise = PointwiseConv1d(self.depthwise.out_channels, out_channels, bias)
        self.norm2 = _norm(norm, self.pointwise.out_channels)
        self.act2 = activation_module(activation)

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        x = self.act1(self.norm1(self.depthwise(x)))  # (N, in_channels * depth_multiplier, L_out)
        return self.act2(self.norm2(self.pointwise(x)))


class GhostModule(nn.Module):
    """Few maps made by a convolution, the others from those by a cheap depthwise one; both kinds are the output.

    ``m = ceil(out_channels / ratio)`` intrinsic maps come from ``primary_conv`` (kernel ``kernel_size``, ``stride``),
    ``(ratio - 1) * m`` ghost maps from ``cheap_operation`` (depthwise, kernel ``dw_kernel_size``); they are joined and
    cut to ``out_channels``. Each part is a convolution, a batch norm and the activation, in this order, as in the
    authors' code, so that state dicts fit. Kernels are odd; both convolutions are padded to keep the size at stride 1.

    Shapes: ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. ``activation`` as in
    :class:`ConvBNAct`. Raises ValueError as the module ``layers`` says, and for a ``ratio`` under 2.
    Source: GhostNet (arXiv 1911.11907), section 3.1 and figure 2. Chapter: ghostnet.
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
        self.surplus = intrinsic * ratio > self.out_channels
        primary = _conv_arguments(2, in_channels, intrinsic, kernel_size, stride)
        cheap = _conv_arguments(2, intrinsic, intrinsic * (ratio - 1), dw_kernel_size, groups=intrinsic)
        self.primary_conv = _conv_norm_act(primary, activation)
        self.cheap_operation = _conv_norm_act(cheap, activation)

    def forward(self, x):
        """Apply the layer to ``x``; shapes and errors as above."""
        _check_input(self.primary_conv[0], x)
        intrinsic = self.primary_conv(x)  # (N, m, H_out, W_out)
        ghosts = self.cheap_operation(intrinsic)  # (N, (ratio - 1) * m, H_out, W_out)
        maps = torch.cat([intrinsic, ghosts], dim=1)
        return maps[:, : self.out_channels] if self.surplus else maps


def _conv_norm_act(conv_arguments, activation):
    """Convolution, batch norm and activation as the entries 0, 1 and 2 of an ``nn.Sequential``."""
    conv = nn.Conv2d(**conv_arguments)
    return nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels), activation_module(activation, inplace=True))


def _norm(norm, channels):
    """The norm module for so many channels, or one that does nothing."""
    if norm is None:
        return nn.Identity()
    if isinstance(norm, nn.Module) or not callable(norm):
        raise ValueError(f"norm must be None or take a channel count, as nn.BatchNorm2d does, got {norm!r}")
    return norm(channels)


def activation_module(activation, inplace=False):
    """The module for an activation's name (one of ``ACTIVATIONS``), for a module itself, or for None (the identity).

    ``inplace``: a module made from a name overwrites its input, if it can. That saves memory traffic where nothing else
    reads the input: after a batch norm. A given module stays as it is.
    Raises ValueError for any other ``activation``. Chapter: standard_convolution.
    """
    if activation is None:
        return nn.Identity()
    if isinstance(activation, nn.Module):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}; known: {', '.join(ACTIVATIONS)}, a module, or None")
    module = ACTIVATIONS[activation]()
    if inplace and hasattr(module, "inplace"):
        module.inplace = True
    return module


def _depthwise_channels(in_channels, depth_multiplier):
    """Output channels of a depthwise convolution."""
    return positive_int("in_channels", in_channels) * positive_int("depth_multiplier", depth_multiplier)


def _conv_arguments(
    dims, in_channels, out_channels, kernel_size=1, stride=1, padding=None, dilation=1, groups=1, bias=False
):
    """Checked keyword arguments for ``nn.Conv1d`` (``dims`` 1) or ``nn.Conv2d`` (``dims`` 2), one number per axis."""
    check_groups(in_channels, out_channels, groups)
    if not isinstance(bias, bool):
        raise ValueError(f"bias must be True or False, got {bias!r}")
    kernel_size = _per_axis(dims, "kernel_size", kernel_size)
    stride = _per_axis(dims, "stride", stride)
    dilation = _per_axis(dims, "dilation", dilation)
    if padding is None:
        padding = tuple(map(same_padding, kernel_size, dilation))
    elif isinstance(padding, str):
        for axis in range(dims):  # only to refuse wrong words: torch takes the right ones itself
            resolve_padding(padding, kernel_size[axis], stride[axis], dilation[axis])
    else:
        padding = _per_axis(dims, "padding", padding, minimum=0)
    return {
        "in_channels": int(in_channels),
        "out_channels": int(out_channels),
        "kernel_size": kernel_size,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": int(groups),
        "bias": bias,
    }


def _per_axis(dims, name, value, minimum=1):
    """One whole number per spatial axis."""
    return pair(name, value, minimum) if dims == 2 else (positive_int(name, value, minimum),)


def _check_input(conv, x):
    """Refuse what the convolution cannot take: another rank, other channels, maps smaller than the kernel."""
    if isinstance(x, fx.Proxy):
        return  # torch.fx reads the code with a stand-in that has no shape
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"input must be a torch tensor, got {type(x).__name__}")
    batch_and_channels, sizes = x.shape[:2], x.shape[2:]
    dims = len(conv.kernel_size)
    if len(sizes) != dims or batch_and_channels[1] != conv.in_channels:
        shape = ("N", str(conv.in_channels)) + (("L",) if dims == 1 else ("H", "W"))
        raise ValueError(f"input must have shape ({', '.join(shape)}), got {tuple(x.shape)}")
    for axis, size in enumerate(sizes):
        kernel_size, stride, dilation = conv.kernel_size[axis], conv.stride[axis], conv.dilation[axis]
        if size > dilation * (kernel_size - 1):
            continue  # fits without its padding: the usual case, and soon known
        padding = conv.padding if isinstance(conv.padding, str) else conv.padding[axis]
        before_after = resolve_padding(padding, kernel_size, stride, dilation)
        output_size_padded(size, kernel_size, stride, before_after, dilation)
