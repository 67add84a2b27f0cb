"""Convolutions by hand: what a convolution is, in loops first and then in tensor arithmetic.

No function here calls a convolution of torch's. Tensors go in and out, gradients flow through, any float dtype works.
Shapes are torch's: images ``(N, C_in, H, W)`` or one image ``(C_in, H, W)``, weights
``(C_out, C_in/groups, K_h, K_w)``. As in torch the kernel is not flipped: strictly this is cross-correlation.
Strides, paddings and dilations are in pixels: one whole number for both axes, or a pair ``(height, width)``.
Values that do not fit together raise ValueError with the values in it.
"""

from typing import NamedTuple

import torch

from .geometry import check_groups, output_size_padded, pair, positive_int, resolve_padding

_IMAGES = ("N, C_in, H, W", "C_in, H, W")
_SEQUENCES = ("N, C_in, L", "C_in, L")


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The definition of a 2-D convolution as seven loops: slow, and nothing left out.

    ``y[n][o][i][j] = bias[o] + sum over c, k_h, k_w of
    x_padded[n][first + c][i*s_h + k_h*d_h][j*s_w + k_w*d_w] * weight[o][c][k_h][k_w]``
    where ``first`` is the first input channel of the group that ``o`` belongs to.

    ``x`` is ``(N, C_in, H, W)``, ``weight`` ``(C_out, C_in/groups, K_h, K_w)``, ``bias`` ``(C_out,)``; the result is
    ``(N, C_out, H_out, W_out)``. They may be nested lists or arrays of anything that adds and multiplies (the result
    is nested lists), or torch tensors (the result is a tensor). ``padding`` is in pixels, or ``'same'`` or ``'valid'``.
    Every output costs exactly ``C_in/groups * K_h * K_w`` multiplications and as many additions, zeros of the padding
    included, and one addition more where there is a bias. To count them, let the weights be counting numbers: the
    zeros of the padding are plain zeros.

    Raises ValueError as :func:`conv2d` does, and for a single image: put it in a batch of one.
    Source: the formula in ``torch.nn.Conv2d``'s documentation. Chapter: standard_convolution.
    """
    _check_batch(x, weight, bias)
    sizes = _sizes(x, weight, bias, stride, padding, dilation, groups)
    (N, C_in, _, _), (C_out, _, K_h, K_w), (H_out, W_out) = _shape(x), _shape(weight), sizes.output_size
    (s_h, s_w), (d_h, d_w) = sizes.stride, sizes.dilation
    x_padded = _zero_padded_lists(x, sizes.padding)

    y = [[[[0] * W_out for _ in range(H_out)] for _ in range(C_out)] for _ in range(N)]
    for n in range(N):
        for o in range(C_out):
            first = o // (C_out // groups) * (C_in // groups)  # where the input channels of o's group begin
            for i in range(H_out):
                for j in range(W_out):
                    total = 0
                    for c in range(C_in // groups):
                        for k_h in range(K_h):
                            for k_w in range(K_w):
                                pixel = x_padded[n][first + c][i * s_h + k_h * d_h][j * s_w + k_w * d_w]
                                total += pixel * weight[o][c][k_h][k_w]
                    y[n][o][i][j] = total if bias is None else total + bias[o]
    return _stack(y) if isinstance(x, torch.Tensor) else y


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 2-D convolution as one matrix product per group, over patches laid out as columns (im2col).

    ``y[n, o] = bias[o] + sum over c, k_h, k_w of weight[o, c, k_h, k_w] * shifted_x[n, first + c]``,
    the same sum as :func:`conv2d_loops`, for all pixels at once: ``shifted_x`` is the padded input as the kernel's
    tap ``(k_h, k_w)`` sees it, and ``first`` the first input channel of the group of ``o``.

    ``x`` is ``(N, C_in, H, W)`` or ``(C_in, H, W)``, ``weight`` ``(C_out, C_in/groups, K_h, K_w)``, ``bias``
    ``(C_out,)``; the result is ``(N, C_out, H_out, W_out)`` or ``(C_out, H_out, W_out)``. ``padding`` is in pixels, or
    ``'valid'`` (none), or ``'same'`` (keeps the size at stride 1; an even kernel's odd pixel goes to the bottom and
    right). The columns take ``K_h * K_w`` times the memory of the input (at stride 1).

    Raises ValueError for wrong ranks, mixed dtypes, channels that do not match the weight, groups that do not divide
    the channels, a bias that is not one number per output channel, a kernel larger than the padded input, and sizes
    that are not whole numbers or are too small. Source: Chellapilla, Puri and Simard 2006 (im2col); names and
    semantics of ``torch.nn.functional.conv2d``. Chapters: standard_convolution, group_convolution.
    """
    _check_tensors(x=x, weight=weight, bias=bias)
    sizes = _sizes(x, weight, bias, stride, padding, dilation, groups)
    *batch, C_in, _, _ = x.shape
    C_out, (H_out, W_out) = weight.shape[0], sizes.output_size
    columns = torch.stack(_shifted_views(x, sizes), dim=-3)  # (N, C_in, K_h*K_w, H_out, W_out)
    columns = columns.reshape(*batch, groups, C_in // groups * columns.shape[-3], H_out * W_out)
    rows = weight.reshape(groups, C_out // groups, -1)  # one row of C_in/groups * K_h * K_w per output channel
    y = (rows @ columns).reshape(*batch, C_out, H_out, W_out)
    return _add_bias(y, bias)


def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 1-D convolution: a 2-D convolution over an image of height 1.

    ``y[n, o, i] = bias[o] + sum over c, k of x_padded[n, first + c, i*stride + k*dilation] * weight[o, c, k]``.

    ``x`` is ``(N, C_in, L)`` or ``(C_in, L)``, ``weight`` ``(C_out, C_in/groups, K)``, ``bias`` ``(C_out,)``; the
    result is ``(N, C_out, L_out)`` or ``(C_out, L_out)``. Stride, padding (or ``'same'``, ``'valid'``) and dilation
    are whole numbers, in steps along the sequence.

    Raises ValueError as :func:`conv2d` does. Source: ``torch.nn.functional.conv1d``.
    Chapter: depthwise_separable_convolution.
    """
    _check_tensors(x=x, weight=weight, bias=bias)
    _check_rank("x", x.shape, *_SEQUENCES)
    _check_rank("weight", weight.shape, "C_out, C_in/groups, K")
    flat = _settings_of_height_1(stride, padding, dilation)
    return conv2d(x.unsqueeze(-2), weight.unsqueeze(-2), bias, *flat, groups).squeeze(-2)


def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """A depthwise convolution: every input channel has its own ``m`` kernels and meets no other channel.

    ``y[n, c*m + j] = bias[c*m + j] + sum over k_h, k_w of weight[c*m + j, 0, k_h, k_w] * shifted_x[n, c]``:
    ``K_h * K_w`` passes, each of which adds the whole input, shifted and weighted.

    ``x`` is ``(N, C_in, H, W)`` or ``(C_in, H, W)``, ``weight`` ``(C_in*m, 1, K_h, K_w)`` with any depth multiplier
    ``m``, ``bias`` ``(C_in*m,)``; the result is ``(N, C_in*m, H_out, W_out)`` or without the ``N``. Output channel
    ``c*m + j`` reads input channel ``c``, as in ``torch.nn.Conv2d`` with ``groups=C_in``. Padding as in :func:`conv2d`.

    Raises ValueError as :func:`conv2d` with ``groups=C_in`` does. Source: Howard et al. 2017 (MobileNets,
    arXiv 1704.04861), equation 3, for ``m = 1``. Chapter: depthwise_convolution.
    """
    _check_tensors(x=x, weight=weight, bias=bias)
    _check_rank("x", x.shape, *_IMAGES)
    *batch, C_in, _, _ = x.shape
    sizes = _sizes(x, weight, bias, stride, padding, dilation, groups=C_in)
    kernels = weight.reshape(C_in, weight.shape[0] // C_in, -1, 1, 1)  # (C_in, m, K_h*K_w, 1, 1)
    y = x.new_zeros(*batch, *kernels.shape[:2], *sizes.output_size)  # (N, C_in, m, H_out, W_out)
    for k, view in enumerate(_shifted_views(x, sizes)):
        y.addcmul_(view.unsqueeze(-3), kernels[:, :, k])  # in place: about half the time of y + view * kernel
    return _add_bias(y.flatten(-4, -3), bias)


def pointwise_conv2d(x, weight, bias=None):
    """A 1x1 convolution: one matrix product over the channels, the same at every pixel.

    ``y[n, o, i, j] = bias[o] + sum over c of weight[o, c, 0, 0] * x[n, c, i, j]``.

    ``x`` is ``(N, C_in, H, W)`` or ``(C_in, H, W)``, ``weight`` ``(C_out, C_in, 1, 1)``, ``bias`` ``(C_out,)``; the
    result is ``(N, C_out, H, W)`` or ``(C_out, H, W)``.

    Raises ValueError as :func:`conv2d` does, and for a kernel that is not 1x1. Source: Lin, Chen and Yan 2013
    (Network in Network, arXiv 1312.4400). Chapter: pointwise_convolution.
    """
    _check_tensors(x=x, weight=weight, bias=bias)
    _sizes(x, weight, bias, stride=1, padding=0, dilation=1, groups=1)
    if weight.shape[2:] != (1, 1):
        raise ValueError(f"a pointwise kernel is 1x1, got weight of shape {tuple(weight.shape)}")
    y = weight.flatten(1) @ x.flatten(-2)  # (C_out, C_in) @ (N, C_in, H*W)
    return _add_bias(y.unflatten(-1, x.shape[-2:]), bias)


def depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, stride=1, padding=0, dilation=1):
    """A depthwise separable convolution: depthwise looks around in each channel, pointwise then mixes the channels.

    ``y = pointwise_conv2d(depthwise_conv2d(x, depthwise_weight, None, stride, padding, dilation), pointwise_weight)``.

    ``x`` is ``(N, C_in, H, W)`` or ``(C_in, H, W)``, ``depthwise_weight`` ``(C_in*m, 1, K_h, K_w)``,
    ``pointwise_weight`` ``(C_out, C_in*m, 1, 1)``; the result is ``(N, C_out, H_out, W_out)`` or without the ``N``.
    Only the depthwise half is strided, padded (in pixels, ``'same'`` or ``'valid'``) and dilated. There is no bias,
    norm or activation: with nothing between the halves the pair equals the dense kernel of :func:`separable_weight`.

    Raises ValueError as the two halves do. Source: Howard et al. 2017 (MobileNets, arXiv 1704.04861), section 3.1.
    Chapter: depthwise_separable_convolution.
    """
    _check_tensors(x=x, depthwise_weight=depthwise_weight, pointwise_weight=pointwise_weight)
    _check_halves(depthwise_weight, pointwise_weight, "C_in*m, 1, K_h, K_w")
    return pointwise_conv2d(depthwise_conv2d(x, depthwise_weight, None, stride, padding, dilation), pointwise_weight)


def depthwise_separable_conv1d(x, depthwise_weight, pointwise_weight, stride=1, padding=0, dilation=1):
    """A depthwise separable convolution along a sequence, as QANet uses it: the 2-D one at height 1.

    ``y[n, o, i] = sum over c, j, k of pointwise_weight[o, c*m + j, 0] * depthwise_weight[c*m + j, 0, k]
    * x_padded[n, c, i*stride + k*dilation]``.

    ``x`` is ``(N, C_in, L)`` or ``(C_in, L)``, ``depthwise_weight`` ``(C_in*m, 1, K)``, ``pointwise_weight``
    ``(C_out, C_in*m, 1)``; the result is ``(N, C_out, L_out)`` or ``(C_out, L_out)``. Stride, padding (or ``'same'``,
    ``'valid'``) and dilation are whole numbers, in steps along the sequence, and concern the depthwise half alone.

    Raises ValueError as the two halves do. Source: Yu et al. 2018 (QANet, arXiv 1804.09541), section 2.2.
    Chapter: depthwise_separable_convolution.
    """
    _check_tensors(x=x, depthwise_weight=depthwise_weight, pointwise_weight=pointwise_weight)
    _check_rank("x", x.shape, *_SEQUENCES)
    _check_halves(depthwise_weight, pointwise_weight, "C_in*m, 1, K")
    weights = depthwise_weight.unsqueeze(-2), pointwise_weight.unsqueeze(-2)
    flat = _settings_of_height_1(stride, padding, dilation)
    return depthwise_separable_conv2d(x.unsqueeze(-2), *weights, *flat).squeeze(-2)


def ghost_features(x, primary_weight, cheap_weight, out_channels=None, stride=1, padding=0):
    """The maps of a Ghost module: a few from a full convolution, the rest drawn cheaply from those few.

    ``intrinsic = conv2d(x, primary_weight)``, ``ghosts = depthwise_conv2d(intrinsic, cheap_weight)``; the result is
    the intrinsic maps, then the ghosts, cut to the first ``out_channels`` maps if that is given.

    ``x`` is ``(N, C_in, H, W)`` or ``(C_in, H, W)``, ``primary_weight`` ``(C_intrinsic, C_in, K_h, K_w)``,
    ``cheap_weight`` ``(C_intrinsic*(s-1), 1, d_h, d_w)`` for a ratio ``s`` of at least 2; the result is
    ``(N, C_intrinsic*s, H_out, W_out)``, or with ``out_channels`` maps, or without the ``N``. Stride and padding (in
    pixels, ``'same'`` or ``'valid'``) are those of the full convolution; the cheap one keeps the size.
    There is no norm and no activation.

    Raises ValueError as the two convolutions do, and for more ``out_channels`` than there are maps.
    Source: Han et al. 2020 (GhostNet, arXiv 1911.11907), section 3.1 and, for the cut, the authors' code.
    Chapter: ghostnet.
    """
    _check_tensors(x=x, primary_weight=primary_weight, cheap_weight=cheap_weight)
    intrinsic = conv2d(x, primary_weight, None, stride, padding)
    ghosts = depthwise_conv2d(intrinsic, cheap_weight, padding="same")
    maps = torch.cat([intrinsic, ghosts], dim=-3)
    if out_channels is None:
        return maps
    if positive_int("out_channels", out_channels) > maps.shape[-3]:
        raise ValueError(f"out_channels={out_channels} is more than the {maps.shape[-3]} maps that there are")
    return maps.narrow(-3, 0, out_channels)


def dense_weight(weight, groups):
    """The dense kernel that a grouped kernel equals: its groups as blocks on the diagonal, zeros elsewhere.

    ``W[o, first + c] = weight[o, c]`` where ``first`` is the first input channel of the group of ``o``.

    ``weight`` is ``(C_out, C_in/groups, K_h, K_w)``, the result ``(C_out, C_in, K_h, K_w)``; a 1-D kernel without
    ``K_h`` works too.

    Raises ValueError if ``groups`` does not divide ``C_out`` or the rank is wrong. Chapter: group_convolution.
    """
    _check_tensors(weight=weight)
    _check_rank("weight", weight.shape, "C_out, C_in/groups, K_h, K_w", "C_out, C_in/groups, K")
    C_out, group_channels, *kernel_size = weight.shape
    C_in = group_channels * positive_int("groups", groups)
    check_groups(C_in, C_out, groups)
    blocks = weight.reshape(groups, C_out // groups, group_channels, *kernel_size)
    dense = weight.new_zeros(groups, C_out // groups, groups, group_channels, *kernel_size)
    for g in range(groups):
        dense[g, :, g] = blocks[g]  # output group g reads input group g
    return dense.reshape(C_out, C_in, *kernel_size)


def separable_weight(depthwise_weight, pointwise_weight, depth_multiplier=1):
    """The dense kernel that a depthwise and a pointwise convolution, one after the other, equal.

    ``W[o, c] = sum over j of pointwise_weight[o, c*m + j] * depthwise_weight[c*m + j]`` with ``m = depth_multiplier``:
    for each pair of channels at most ``m`` kernels mixed, and every ``o`` mixes the same ones.

    ``depthwise_weight`` is ``(C_in*m, 1, K_h, K_w)``, ``pointwise_weight`` ``(C_out, C_in*m, 1, 1)``, the result
    ``(C_out, C_in, K_h, K_w)``; 1-D kernels without ``K_h`` work too. ``depth_multiplier`` must be told, because the
    two shapes hold only the product ``C_in*m``: ten kernels may belong to ten channels or, with 2, to five.

    Raises ValueError if the ranks or channels of the two do not fit, or ``depth_multiplier`` does not divide
    ``C_in*m``. Chapter: depthwise_separable_convolution.
    """
    _check_tensors(depthwise_weight=depthwise_weight, pointwise_weight=pointwise_weight)
    _check_halves(depthwise_weight, pointwise_weight, "C_in*m, 1, K_h, K_w", "C_in*m, 1, K")
    middle_channels, _, *kernel_size = depthwise_weight.shape
    if middle_channels % positive_int("depth_multiplier", depth_multiplier):
        raise ValueError(f"depth_multiplier={depth_multiplier} does not divide the {middle_channels} depthwise kernels")
    C_in, C_out = middle_channels // depth_multiplier, pointwise_weight.shape[0]
    kernels = depthwise_weight.reshape(C_in, depth_multiplier, *kernel_size)  # (C_in, m, K_h, K_w)
    mixing = pointwise_weight.reshape(C_out, C_in, depth_multiplier)
    return torch.einsum("ocj,cj...->oc...", mixing, kernels)


class _Sizes(NamedTuple):
    """The checked settings of one 2-D convolution; every pair is (height, width)."""

    output_size: tuple[int, int]
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
    dilation: tuple[int, int]


def _sizes(x, weight, bias, stride, padding, dilation, groups):
    """Check everything but the dtypes and work out the output's size; x and weight may be tensors or nested lists."""
    x_shape, weight_shape = _shape(x), _shape(weight)
    _check_rank("x", x_shape, *_IMAGES)
    _check_rank("weight", weight_shape, "C_out, C_in/groups, K_h, K_w")
    in_channels, *input_size = x_shape[-3:]
    out_channels, group_channels, *kernel_size = weight_shape
    check_groups(in_channels, out_channels, groups)
    if group_channels * groups != in_channels:
        raise ValueError(
            f"weight has {group_channels} input channels per group, x has {in_channels} channels and groups={groups}"
        )
    if bias is not None and _shape(bias) != (out_channels,):
        raise ValueError(f"bias must have shape ({out_channels},), one number per output channel, got {_shape(bias)}")
    stride, dilation = pair("stride", stride), pair("dilation", dilation)
    paddings = (padding, padding) if isinstance(padding, str) else pair("padding", padding, minimum=0)
    padding = tuple(map(resolve_padding, paddings, kernel_size, stride, dilation))
    output_size = tuple(map(output_size_padded, input_size, kernel_size, stride, padding, dilation))
    return _Sizes(output_size, tuple(kernel_size), stride, padding, dilation)


def _settings_of_height_1(stride, padding, dilation):
    """The 2-D stride, padding and dilation of a 1-D convolution: they act along the width alone."""
    return (1, stride), padding if isinstance(padding, str) else (0, padding), (1, dilation)


def _shape(values):
    """The shape of a tensor, an array or nested lists; the lists must be rectangular."""
    if hasattr(values, "shape"):
        return tuple(values.shape)
    if not isinstance(values, (list, tuple)):
        return ()  # a number, of whatever kind
    inner = {_shape(row) for row in values}
    if len(inner) > 1:
        raise ValueError(f"nested lists must be rectangular, got rows of shapes {sorted(inner)}")
    return len(values), *(inner.pop() if inner else ())


def _shifted_views(x, sizes):
    """The padded input as each kernel tap sees it: K_h*K_w views, each (N, C_in, H_out, W_out)."""
    (top, bottom), (left, right) = sizes.padding
    *leading, H, W = x.shape
    x_padded = x.new_zeros(*leading, top + H + bottom, left + W + right)
    x_padded[..., top : top + H, left : left + W] = x
    (K_h, K_w), (d_h, d_w), (s_h, s_w) = sizes.kernel_size, sizes.dilation, sizes.stride
    H_out, W_out = sizes.output_size
    # One copy per kernel column: at stride 1 a whole map is then one run of memory, and small maps go twice as fast.
    shifted = [x_padded[..., j : j + W_out * s_w : s_w].contiguous() for j in range(0, K_w * d_w, d_w)]
    return [columns[..., i : i + H_out * s_h : s_h, :] for i in range(0, K_h * d_h, d_h) for columns in shifted]


def _zero_padded_lists(x, padding):
    """A batch (N, C_in, H, W) as nested lists with a frame of zeros around each map."""
    (top, bottom), (left, right) = padding
    width = left + _shape(x)[-1] + right

    def framed(channel):
        rows = [[0] * left + list(row) + [0] * right for row in channel]
        return [[0] * width for _ in range(top)] + rows + [[0] * width for _ in range(bottom)]

    return [[framed(channel) for channel in image] for image in x]


def _stack(nested):
    """One tensor from nested lists of scalar tensors; gradients flow back to each."""
    return torch.stack([_stack(row) for row in nested]) if isinstance(nested, list) else nested


def _add_bias(y, bias):
    return y if bias is None else y + bias.reshape(-1, 1, 1)


def _check_tensors(**tensors):
    """Every argument must be a torch tensor, all of one dtype; a bias may be None."""
    given = {name: tensor for name, tensor in tensors.items() if tensor is not None or name != "bias"}
    for name, tensor in given.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"{name} must be a torch tensor, got {type(tensor).__name__}")
    dtypes = {name: str(tensor.dtype) for name, tensor in given.items()}
    if len(set(dtypes.values())) > 1:
        raise ValueError(f"all tensors must have one dtype, got {dtypes}")


def _check_rank(name, shape, *layouts):
    """The shape must have as many axes as one of the layouts, such as "N, C_in, L", names."""
    if len(shape) not in [layout.count(",") + 1 for layout in layouts]:
        raise ValueError(f"{name} must have shape ({') or ('.join(layouts)}), got {tuple(shape)}")


def _check_batch(x, weight, bias):
    """What the loops need besides fitting sizes: a batch with an image in it, and all tensors if one is."""
    if isinstance(x, torch.Tensor):
        _check_tensors(x=x, weight=weight, bias=bias)
    _check_rank("x", _shape(x), "N, C_in, H, W")
    positive_int("batch size", _shape(x)[0])


def _check_halves(depthwise_weight, pointwise_weight, *layouts):
    """The depthwise kernel must have one of the layouts, and the pointwise kernel must read what it writes."""
    depthwise, pointwise = tuple(depthwise_weight.shape), tuple(pointwise_weight.shape)
    _check_rank("depthwise_weight", depthwise, *layouts)
    if depthwise[1] != 1:
        raise ValueError(f"depthwise_weight must have 1 input channel per group, got {depthwise[1]} in {depthwise}")
    expected = (depthwise[0], *[1] * len(depthwise[2:]))
    if pointwise[1:] != expected:
        raise ValueError(
            f"pointwise_weight must have shape (C_out, {', '.join(map(str, expected))}) to read the outputs of "
            f"depthwise_weight {depthwise}, got {pointwise}"
        )
