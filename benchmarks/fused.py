"""A depthwise separable convolution as one GPU kernel: the maps between its halves never travel through memory.

Two kernels, one for each half, write ``N * C_in*m * H_out * W_out`` intermediate elements to memory and read them back.
The kernel here, written in Triton, works out a tile of them where it needs it, in registers. What that costs: each
block of output channels works the tile out anew, ``ceil(C_out / block)`` times in all. Any layout will do; the kernel
is made for channels_last, where the channels that neighbouring threads read are neighbours in memory.

It runs on CUDA GPUs. Where the environment says ``TRITON_INTERPRET=1`` before this module is imported, Triton's
interpreter runs the same code on CPU tensors: slow, and good for tests. How fast the kernel is, only a GPU can say.
Without Triton this module can be imported, and a call says what to install.
"""

from math import prod

import torch

from dslib.geometry import check_groups, output_size_padded, pair, positive_int, resolve_padding

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None

_DTYPES = (torch.float32, torch.float16)
_LARGEST_OFFSET = 2**31 - 2**20  # the kernel counts in 32 bits, and a block may begin just below


def depthwise_separable_conv2d(
    x,
    depthwise_weight,
    pointwise_weight,
    stride=1,
    padding=0,
    dilation=1,
    depthwise_bias=None,
    pointwise_bias=None,
    activation_between=None,
    activation=None,
    block_sizes=(32, 32, 128),
):
    """A depthwise separable convolution in one kernel launch, with a bias and a ReLU after each half if wanted.

    ``y = activation(pointwise(activation_between(depthwise(x))))``: the function of the same name in
    ``dslib.functional``, and with biases and ReLUs a block of MobileNetV1 whose norms are folded into its weights.

    ``x`` is ``(N, C_in, H, W)`` or ``(C_in, H, W)``, ``depthwise_weight`` ``(C_in*m, 1, K_h, K_w)``,
    ``pointwise_weight`` ``(C_out, C_in*m, 1, 1)``, the biases ``(C_in*m,)`` and ``(C_out,)``; the result is
    ``(N, C_out, H_out, W_out)`` or without the ``N``, in channels_last where ``x`` is. Stride, padding (in pixels,
    ``'same'`` or ``'valid'``) and dilation concern the depthwise half alone. All tensors are float32, or all float16:
    then sums are kept in float32, and the maps between the halves are rounded to float16 as two kernels round them.
    ``activation_between`` and ``activation`` are None or ``'relu'``. One program computes ``block_sizes[0]`` output
    pixels of ``block_sizes[2]`` channels, from ``block_sizes[1]`` depthwise channels at a time; each is a power of two
    of at least 16. They change the speed alone.

    Forward only. Raises ValueError for tensors that do not fit together, are not of one such dtype and on one device,
    or want a gradient, for CPU tensors outside the interpreter, and for other values than those named;
    ModuleNotFoundError without Triton. Source: the two halves, Howard et al. 2017 (MobileNets, arXiv 1704.04861),
    section 3.1; the fusion, Triton's tutorial on matrix products.
    """
    tensors = {"x": x, "depthwise_weight": depthwise_weight, "pointwise_weight": pointwise_weight}
    biases = {"depthwise_bias": depthwise_bias, "pointwise_bias": pointwise_bias}
    _check_tensors(tensors | {name: bias for name, bias in biases.items() if bias is not None})
    _check_shapes(**tensors, **biases)
    _check_choices(block_sizes, activation_between=activation_between, activation=activation)
    images = x if x.dim() == 4 else x.unsqueeze(0)
    (N, C_in, *size), (C_mid, _, *kernel_size), C_out = images.shape, depthwise_weight.shape, pointwise_weight.shape[0]
    output_size, settings = _sizes(size, kernel_size, stride, padding, dilation)
    pixels = N * prod(output_size)
    _check_offsets(images, pixels * C_out)
    _check_can_run(x)

    channels_last = images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()
    layout = torch.channels_last if channels_last else torch.contiguous_format
    y = torch.empty((N, C_out, *output_size), dtype=x.dtype, device=x.device, memory_format=layout)
    # the kernel finds neighbours in x and y by strides, and takes the small tensors to lie in order
    parameters = (depthwise_weight, depthwise_bias, pointwise_weight, pointwise_bias)
    parameters = [None if parameter is None else parameter.contiguous() for parameter in parameters]
    programs = triton.cdiv(pixels, block_sizes[0]) * triton.cdiv(C_out, block_sizes[2])
    if programs:  # an empty batch needs none, and a GPU refuses to start none
        with torch.cuda.device_of(x):  # Triton launches on the current GPU, x may be on another one
            _kernel[(programs,)](
                *(images, *parameters, y, *images.stride(), *y.stride()),
                *(pixels, C_mid, C_out, *size, *output_size, *settings),
                *(C_mid // C_in, *kernel_size, activation_between == "relu", activation == "relu", *block_sizes),
                enable_fp_fusion=True,  # a multiplication and its addition in one instruction, in any version of Triton
            )
    return y if x.dim() == 4 else y.squeeze(0)


if triton is not None:

    @triton.jit
    def _kernel(
        x, depthwise_weight, depthwise_bias, pointwise_weight, pointwise_bias, y,
        x_n, x_c, x_h, x_w, y_n, y_c, y_h, y_w,  # strides: how far apart neighbours lie along each axis, in any layout
        pixels, C_mid, C_out, H, W, H_out, W_out,
        s_h, s_w, top, left, d_h, d_w,
        M: tl.constexpr, K_h: tl.constexpr, K_w: tl.constexpr, RELU_BETWEEN: tl.constexpr, RELU: tl.constexpr,
        BLOCK_PIXELS: tl.constexpr, BLOCK_MID: tl.constexpr, BLOCK_OUT: tl.constexpr,
    ):  # fmt: skip
        """One program: ``BLOCK_PIXELS`` output pixels, of any images and rows, times ``BLOCK_OUT`` output channels."""
        # Neighbouring programs share their pixels, so that all but one of them find these in the cache.
        out_blocks = tl.cdiv(C_out, BLOCK_OUT)
        pixel = tl.program_id(0) // out_blocks * BLOCK_PIXELS + tl.arange(0, BLOCK_PIXELS)
        o = tl.program_id(0) % out_blocks * BLOCK_OUT + tl.arange(0, BLOCK_OUT)
        n, i, j = pixel // (H_out * W_out), pixel // W_out % H_out, pixel % W_out

        total = tl.zeros((BLOCK_PIXELS, BLOCK_OUT), dtype=tl.float32)
        for first in range(0, C_mid, BLOCK_MID):
            c = first + tl.arange(0, BLOCK_MID)
            between = tl.zeros((BLOCK_PIXELS, BLOCK_MID), dtype=tl.float32)  # a tile of the maps that are never written
            for k_h in range(K_h):
                for k_w in tl.static_range(K_w):  # unrolled, so that a row's loads are all on their way at once
                    row, column = i * s_h + k_h * d_h - top, j * s_w + k_w * d_w - left
                    inside = (pixel < pixels) & (row >= 0) & (row < H) & (column >= 0) & (column < W)  # else padding
                    x_tile = x + (n * x_n + row * x_h + column * x_w)[:, None] + (c // M * x_c)[None, :]
                    values = tl.load(x_tile, mask=inside[:, None] & (c < C_mid)[None, :], other=0.0)
                    tap = tl.load(depthwise_weight + c * (K_h * K_w) + k_h * K_w + k_w, mask=c < C_mid, other=0.0)
                    between += values.to(tl.float32) * tap.to(tl.float32)[None, :]
            if depthwise_bias is not None:
                between += tl.load(depthwise_bias + c, mask=c < C_mid, other=0.0).to(tl.float32)[None, :]
            if RELU_BETWEEN:
                between = tl.where(between < 0, 0.0, between)  # unlike tl.maximum, keeps NaN, as torch's ReLU does
            mixing_tile = pointwise_weight + o[None, :] * C_mid + c[:, None]  # transposed: (BLOCK_MID, BLOCK_OUT)
            mixing = tl.load(mixing_tile, mask=(c < C_mid)[:, None] & (o < C_out)[None, :], other=0.0)
            # "ieee": in float32 the default would round both sides to TF32's 10 bits
            total = tl.dot(between.to(mixing.dtype), mixing, total, input_precision="ieee")

        if pointwise_bias is not None:
            total += tl.load(pointwise_bias + o, mask=o < C_out, other=0.0).to(tl.float32)[None, :]
        if RELU:
            total = tl.where(total < 0, 0.0, total)
        y_tile = y + (n * y_n + i * y_h + j * y_w)[:, None] + (o * y_c)[None, :]
        tl.store(y_tile, total.to(y.dtype.element_ty), mask=(pixel < pixels)[:, None] & (o < C_out)[None, :])


def _sizes(size, kernel_size, stride, padding, dilation):
    """``(H_out, W_out)``, and what the kernel needs to know of the settings: stride, padding before, dilation."""
    stride, dilation = pair("stride", stride), pair("dilation", dilation)
    paddings = (padding, padding) if isinstance(padding, str) else pair("padding", padding, minimum=0)
    paddings = tuple(map(resolve_padding, paddings, kernel_size, stride, dilation))
    output_size = tuple(map(output_size_padded, size, kernel_size, stride, paddings, dilation))
    return output_size, (*stride, *(before for before, _ in paddings), *dilation)


def _check_tensors(tensors):
    """All must be tensors of one dtype that the kernel knows, on one device, and no gradient may be expected."""
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise ValueError(f"{name} must be a torch tensor, got {type(tensor).__name__}")
        if torch.is_grad_enabled() and tensor.requires_grad:
            raise ValueError(f"{name} wants a gradient and the kernel has none: call it under torch.no_grad()")
    dtypes = {name: str(tensor.dtype) for name, tensor in tensors.items()}
    if len(set(dtypes.values())) > 1 or tensors["x"].dtype not in _DTYPES:
        raise ValueError(f"all tensors must be float32, or all float16, got {dtypes}")
    devices = {name: str(tensor.device) for name, tensor in tensors.items()}
    if len(set(devices.values())) > 1:
        raise ValueError(f"all tensors must be on one device, got {devices}")


def _check_shapes(x, depthwise_weight, pointwise_weight, depthwise_bias, pointwise_bias):
    """The ranks must be right, and the channels must go from x through both halves to the output."""
    if x.dim() not in (3, 4):
        raise ValueError(f"x must have shape (N, C_in, H, W) or (C_in, H, W), got {tuple(x.shape)}")
    if depthwise_weight.dim() != 4 or depthwise_weight.shape[1] != 1:
        raise ValueError(f"depthwise_weight must have shape (C_in*m, 1, K_h, K_w), got {tuple(depthwise_weight.shape)}")
    C_in, C_mid = x.shape[-3], depthwise_weight.shape[0]
    check_groups(C_in, C_mid, groups=C_in)
    if pointwise_weight.dim() != 4 or pointwise_weight.shape[1:] != (C_mid, 1, 1):
        raise ValueError(
            f"pointwise_weight must have shape (C_out, {C_mid}, 1, 1), got {tuple(pointwise_weight.shape)}"
        )
    C_out = positive_int("out_channels", pointwise_weight.shape[0])
    for name, bias, channels in (("depthwise_bias", depthwise_bias, C_mid), ("pointwise_bias", pointwise_bias, C_out)):
        if bias is not None and bias.shape != (channels,):
            raise ValueError(f"{name} must have shape ({channels},), got {tuple(bias.shape)}")


def _check_choices(block_sizes, **activations):
    for name, activation in activations.items():
        if activation not in (None, "relu"):
            raise ValueError(f"{name} must be None or 'relu', got {activation!r}")
    if not isinstance(block_sizes, (tuple, list)) or len(block_sizes) != 3:
        raise ValueError(f"block_sizes must be (pixels, depthwise channels, output channels), got {block_sizes!r}")
    for size in block_sizes:
        if positive_int("block size", size, minimum=16) & (size - 1):  # a power of two has one bit
            raise ValueError(f"block sizes must be powers of two, got {block_sizes!r}")


def _check_offsets(images, elements):
    """No element of the input or output may lie farther from the first than 32 bits tell."""
    last = sum((size - 1) * stride for size, stride in zip(images.shape, images.stride(), strict=True))
    if max(last, elements) > _LARGEST_OFFSET:
        raise ValueError(f"input and output may span {_LARGEST_OFFSET} elements each, got {last + 1} and {elements}")


def _check_can_run(x):
    if triton is None:
        raise ModuleNotFoundError("the fused kernel needs Triton, which has wheels for Linux: pip install triton")
    if isinstance(_kernel, triton.JITFunction) and not x.is_cuda:
        raise ValueError(
            f"x is on {x.device}, and the kernel runs on CUDA GPUs; set TRITON_INTERPRET=1 before benchmarks.fused is "
            "imported to run it slowly on the CPU"
        )
