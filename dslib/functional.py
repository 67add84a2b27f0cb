"""Convolutions by hand: what a convolution is, in loops first, then as windows and one ``einsum`` each.

No function here calls a convolution of torch's. Tensors go in and out, gradients flow through, any float dtype works.
Shapes are torch's: images ``(N, C_in, H, W)`` or one image ``(C_in, H, W)``, and so is the result; weights
``(C_out, C_in/groups, K_h, K_w)``, a bias ``(C_out,)``. As in torch the kernel is not flipped: strictly this is
cross-correlation. ``stride``, ``padding`` and ``dilation`` are in pixels: one whole number for both axes, or a pair
``(height, width)``. ``padding`` may also be ``'valid'`` (none) or ``'same'`` (keeps the size at stride 1; an even
kernel's odd pixel goes to the bottom and right). Values that do not fit raise ValueError with the values in it.
"""

import torch

from .geometry import pair, positive_int, slide

_IMAGES = ("N, C_in, H, W", "C_in, H, W")
_SEQUENCES = ("N, C_in, L", "C_in, L")
_WEIGHT, _WEIGHT_1D = "C_out, C_in/groups, K_h, K_w", "C_out, C_in/groups, K"


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """The definition of a 2-D convolution as seven loops: slow, and nothing left out.

    ``y[n][o][i][j] = bias[o] + sum over c, k_h, k_w of
    x_padded[n][first + c][i*s_h + k_h*d_h][j*s_w + k_w*d_w] * weight[o][c][k_h][k_w]``
    where ``first`` is the first input channel of the group that ``o`` belongs to.

    ``x`` is a batch ``(N, C_in, H, W)``, the result ``(N, C_out, H_out, W_out)``. Operands may be nested lists or
    arrays of anything that adds and multiplies (the result is nested lists), or torch tensors (the result is one).
    Every output costs exactly ``C_in/groups * K_h * K_w`` multiplications and as many additions, zeros of the padding
    included, and one addition more where there is a bias. To count them, let the weights be counting numbers: the
    zeros of the padding are plain zeros. Source: the formula in ``torch.nn.Conv2d``'s documentation.
    """
    tensors = isinstance(x, torch.Tensor)
    _check_rank("x", _shape(x), _IMAGES[0])
    _check_operands(x, weight, bias, positive_int("groups", groups), tensors=tensors)
    (N, C_in, H, W), (C_out, _, K_h, K_w) = _shape(x), _shape(weight)
    positive_int("batch size", N)
    (H_out, W_out), (s_h, s_w), frame, (d_h, d_w) = slide((H, W), (K_h, K_w), stride, padding, dilation)
    x_padded = [[_framed(channel, W, *frame) for channel in image] for image in x]

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
    if not tensors:
        return y
    numbers = [number for image in y for channel in image for row in channel for number in row]
    return torch.stack(numbers).reshape(N, C_out, H_out, W_out)


def windows(x, kernel_size, stride=1, padding=0, dilation=1):
    """Every window of an image that a kernel meets: a view, which repeats pixels without copying them.

    ``windows(x, ...)[n, c, h, w, i, j] = x_padded[n, c, h*s_h + i*d_h, w*s_w + j*d_w]``: pixel (i, j) of the window
    for output (h, w), in shape ``(N, C_in, H_out, W_out, K_h, K_w)``, or without the ``N``.
    """
    _check_tensors(x=x)
    _check_rank("x", x.shape, *_IMAGES)
    K_h, K_w = pair("kernel_size", kernel_size)
    _, (s_h, s_w), (rows, columns), (d_h, d_w) = slide(x.shape[-2:], (K_h, K_w), stride, padding, dilation)
    x_padded = torch.nn.functional.pad(x, (*columns, *rows))
    spread_out = x_padded.unfold(-2, d_h * (K_h - 1) + 1, s_h).unfold(-2, d_w * (K_w - 1) + 1, s_w)
    return spread_out[..., ::d_h, ::d_w]


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 2-D convolution: each output adds up its windows times its kernels, over the channels of its group.

    ``y[n, g, o, h, w] = sum over c, i, j of windows[n, g, c, h, w, i, j] * weight[g, o, c, i, j]``, where the channels
    are split into ``g``, the group, and ``c`` or ``o``, the channel in it; then the bias is added.

    ``einsum`` writes the windows out and multiplies matrices (im2col): ``K_h * K_w`` times the memory of the input at
    stride 1. Source: Chellapilla, Puri and Simard 2006; names and semantics of ``torch.nn.functional.conv2d``.
    """
    _check_operands(x, weight, bias, positive_int("groups", groups))
    seen = windows(x, weight.shape[2:], stride, padding, dilation).unflatten(-5, (groups, -1))
    y = torch.einsum("...gchwij,gocij->...gohw", seen, weight.unflatten(0, (groups, -1)))
    return _add_bias(y.flatten(-4, -3), bias)


def depthwise_conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """A depthwise convolution: every input channel has its own ``m`` kernels and meets no other channel.

    ``y[n, c*m + q, h, w] = sum over i, j of windows[n, c, h, w, i, j] * weight[c*m + q, 0, i, j]``, plus the bias.

    ``weight`` is ``(C_in*m, 1, K_h, K_w)`` with any depth multiplier ``m``, as in ``torch.nn.Conv2d`` with
    ``groups=C_in``. Source: Howard et al. 2017 (MobileNets, arXiv 1704.04861), equation 3, for ``m = 1``.
    """
    _check_operands(x, weight, bias, "depthwise")
    kernels = weight.squeeze(1).unflatten(0, (x.shape[-3], -1))  # (C_in, m, K_h, K_w)
    y = torch.einsum("...chwij,cmij->...cmhw", windows(x, weight.shape[2:], stride, padding, dilation), kernels)
    return _add_bias(y.flatten(-4, -3), bias)


def pointwise_conv2d(x, weight, bias=None):
    """A 1x1 convolution: one matrix product over the channels, the same at every pixel.

    ``y[n, o, h, w] = sum over c of x[n, c, h, w] * weight[o, c, 0, 0]``, plus the bias.

    ``weight`` is ``(C_out, C_in, 1, 1)``. Source: Lin, Chen and Yan 2013 (Network in Network, arXiv 1312.4400).
    """
    _check_operands(x, weight, bias)
    if weight.shape[2:] != (1, 1):
        raise ValueError(f"a pointwise kernel is 1x1, got weight of shape {tuple(weight.shape)}")
    return _add_bias(torch.einsum("...chw,oc->...ohw", x, weight[:, :, 0, 0]), bias)


def depthwise_separable_conv2d(x, depthwise_weight, pointwise_weight, stride=1, padding=0, dilation=1):
    """A depthwise separable convolution: depthwise looks around in each channel, pointwise then mixes the channels.

    ``depthwise_weight`` is ``(C_in*m, 1, K_h, K_w)``, ``pointwise_weight`` ``(C_out, C_in*m, 1, 1)``. Only the
    depthwise step is strided, padded and dilated. There is no bias, norm or activation: with nothing in between the
    two steps equal one convolution with :func:`separable_weight`. Source: Howard et al. 2017 (MobileNets, arXiv
    1704.04861), section 3.1.
    """
    _check_halves(depthwise_weight, pointwise_weight)
    _check_operands(x, depthwise_weight, groups="depthwise", name="depthwise_weight")
    return pointwise_conv2d(depthwise_conv2d(x, depthwise_weight, None, stride, padding, dilation), pointwise_weight)


def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """A 1-D convolution: a 2-D convolution over an image of height 1.

    ``x`` is ``(N, C_in, L)`` or ``(C_in, L)``, ``weight`` ``(C_out, C_in/groups, K)``; the result is
    ``(N, C_out, L_out)`` or without the ``N``. Stride, padding and dilation are steps along the sequence.
    """
    _check_operands(x, weight, bias, positive_int("groups", groups), dims=1)
    padding = padding if isinstance(padding, str) else (0, padding)
    x, weight = x.unsqueeze(-2), weight.unsqueeze(-2)
    return conv2d(x, weight, bias, (1, stride), padding, (1, dilation), groups).squeeze(-2)


def depthwise_separable_conv1d(x, depthwise_weight, pointwise_weight, stride=1, padding=0, dilation=1):
    """A depthwise separable convolution along a sequence: two :func:`conv1d`, the first with a group for each channel.

    ``x`` is ``(N, C_in, L)`` or ``(C_in, L)``, ``depthwise_weight`` ``(C_in*m, 1, K)``, ``pointwise_weight``
    ``(C_out, C_in*m, 1)``. Source: Yu et al. 2018 (QANet, arXiv 1804.09541), section 2.2.
    """
    _check_halves(depthwise_weight, pointwise_weight)
    _check_operands(x, depthwise_weight, groups="depthwise", name="depthwise_weight", dims=1)
    middle = conv1d(x, depthwise_weight, None, stride, padding, dilation, groups=x.shape[-2])
    return conv1d(middle, pointwise_weight)


def ghost_features(x, primary_weight, cheap_weight, out_channels=None, stride=1, padding=0):
    """The maps of a Ghost module: a few from a standard convolution, the rest drawn cheaply from those few.

    ``intrinsic = conv2d(x, primary_weight)``, ``ghosts = depthwise_conv2d(intrinsic, cheap_weight)``; the result is
    the intrinsic maps, then the ghosts, cut to the first ``out_channels`` maps if that is given.

    ``primary_weight`` is ``(m, C_in, K_h, K_w)``, ``cheap_weight`` ``(m*(s-1), 1, d_h, d_w)``, so there are ``m*s``
    maps. Stride and padding are those of the standard convolution; the cheap one keeps the size. There is no norm and
    no activation. Source: Han et al. 2020 (GhostNet, arXiv 1911.11907), section 3.1; the cut: the authors' code.
    """
    _check_operands(x, primary_weight, name="primary_weight")
    intrinsic = conv2d(x, primary_weight, None, stride, padding)
    _check_operands(intrinsic, cheap_weight, groups="depthwise", name="cheap_weight")
    maps = torch.cat([intrinsic, depthwise_conv2d(intrinsic, cheap_weight, padding="same")], dim=-3)
    if out_channels is None:
        return maps
    if positive_int("out_channels", out_channels) > maps.shape[-3]:
        raise ValueError(f"out_channels={out_channels} is more than the {maps.shape[-3]} maps that there are")
    return maps.narrow(-3, 0, out_channels)


def dense_weight(weight, groups):
    """A grouped weight with its zeros written out: the groups as blocks on the diagonal.

    ``W[o, first + c] = weight[o, c]`` where ``first`` is the first input channel of the group of ``o``.

    The result is ``(C_out, C_in, K_h, K_w)``; a 1-D weight without ``K_h`` works too.
    """
    _check_tensors(weight=weight)
    _check_rank("weight", weight.shape, _WEIGHT, _WEIGHT_1D)
    C_out, group_channels, *kernel_size = weight.shape
    C_in = group_channels * positive_int("groups", groups)
    if not C_in * C_out:
        raise ValueError(f"weight must have channels, got shape {tuple(weight.shape)}")
    if C_out % groups:
        raise ValueError(f"groups must divide the {C_out} output channels of weight, got groups={groups}")
    dense = weight.new_zeros(groups, C_out // groups, groups, group_channels, *kernel_size)
    g = torch.arange(groups)
    dense[g, :, g] = weight.unflatten(0, (groups, -1))  # output group g reads input group g
    return dense.reshape(C_out, C_in, *kernel_size)


def separable_weight(depthwise_weight, pointwise_weight, depth_multiplier=1):
    """The weight of the one convolution that a depthwise and a pointwise step, one after the other, equal.

    ``W[o, c] = sum over q of pointwise_weight[o, c*m + q] * depthwise_weight[c*m + q]`` with ``m = depth_multiplier``.

    The result is ``(C_out, C_in, K_h, K_w)``; 1-D weights without ``K_h`` work too. ``depth_multiplier`` must be given,
    because the two shapes hold only the product ``C_in*m``: ten kernels may belong to ten channels or, with 2, to five.
    """
    _check_halves(depthwise_weight, pointwise_weight)
    middle_channels = len(depthwise_weight)
    if middle_channels % positive_int("depth_multiplier", depth_multiplier):
        raise ValueError(f"depth_multiplier={depth_multiplier} does not divide the {middle_channels} depthwise kernels")
    kernels = depthwise_weight.squeeze(1).unflatten(0, (-1, depth_multiplier))  # (C_in, m, K_h, K_w)
    mixing = pointwise_weight.flatten(1).unflatten(1, (-1, depth_multiplier))  # (C_out, C_in, m)
    return torch.einsum("ocm,cm...->oc...", mixing, kernels)


def _check_operands(x, weight, bias=None, groups=None, name="weight", tensors=True, dims=2):
    """Do image, weight and bias fit together? ``groups``: a number, "depthwise", or None if the caller takes none."""
    if tensors:
        _check_tensors(x=x, **{name: weight}, **({} if bias is None else {"bias": bias}))
    x_shape, weight_shape = _shape(x), _shape(weight)
    _check_rank("x", x_shape, *(_IMAGES if dims == 2 else _SEQUENCES))
    _check_rank(name, weight_shape, _WEIGHT if dims == 2 else _WEIGHT_1D)
    in_channels, (out_channels, group_channels, *_) = x_shape[-1 - dims], weight_shape
    if not in_channels:
        raise ValueError(f"x must have at least one channel, got shape {x_shape}")
    told = f" and groups={groups}" if isinstance(groups, int) else ""
    if told and (in_channels % groups or out_channels % groups):
        both = f"the {in_channels} channels of x and the {out_channels} of {name}"
        raise ValueError(f"groups must divide {both}, got groups={groups}")
    divisor, first = (in_channels, f"{in_channels}*m") if groups == "depthwise" else (1, "C_out")
    groups = {"depthwise": in_channels, None: 1}.get(groups, groups)
    if not out_channels or out_channels % divisor or group_channels * groups != in_channels:
        wanted = f"({first}, {in_channels // groups}, {'K_h, K_w' if dims == 2 else 'K'})"
        raise ValueError(f"{name} must have shape {wanted} for {in_channels} channels{told}, got {weight_shape}")
    if bias is not None and _shape(bias) != (out_channels,):
        raise ValueError(f"bias must have shape ({out_channels},), one number per output channel, got {_shape(bias)}")


def _check_halves(depthwise_weight, pointwise_weight):
    """Does the pointwise weight read what the depthwise weight writes? Both may be 2-D or both 1-D."""
    _check_tensors(depthwise_weight=depthwise_weight, pointwise_weight=pointwise_weight)
    depthwise, pointwise = tuple(depthwise_weight.shape), tuple(pointwise_weight.shape)
    reads = depthwise[:1] + (1,) * len(depthwise[2:])
    if len(depthwise) not in (3, 4) or depthwise[1] != 1 or pointwise[1:] != reads or not depthwise[0] * pointwise[0]:
        raise ValueError(
            "depthwise_weight must have shape (C_in*m, 1, K_h, K_w) and pointwise_weight (C_out, C_in*m, 1, 1), "
            f"or both one axis less in 1-D; got {depthwise} and {pointwise}"
        )


def _check_tensors(**tensors):
    """Every argument must be a torch tensor, all of one dtype and on one device."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"{name} must be a torch tensor, got {type(tensor).__name__}")
    for what in ("dtype", "device"):
        found = {name: str(getattr(tensor, what)) for name, tensor in tensors.items()}
        if len(set(found.values())) > 1:
            raise ValueError(f"all tensors must have one {what}, got {found}")


def _check_rank(name, shape, *layouts):
    """The shape must have as many axes as one of the layouts, such as "N, C_in, L", names."""
    if len(shape) not in [layout.count(",") + 1 for layout in layouts]:
        raise ValueError(f"{name} must have shape ({') or ('.join(layouts)}), got {tuple(shape)}")


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


def _framed(channel, width, rows, columns):
    """One map as rows of numbers, with a frame of plain zeros around it."""
    (top, bottom), (left, right) = rows, columns
    empty = [0] * (left + width + right)
    return [empty] * top + [[0] * left + list(row) + [0] * right for row in channel] + [empty] * bottom


def _add_bias(y, bias):
    return y if bias is None else y + bias.reshape(-1, 1, 1)
