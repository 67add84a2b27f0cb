"""What one of torch's operations costs in MACs, from the shapes of its tensors; and what is not priced, and why.

Torch runs every layer as a few ``aten`` operations: a convolution of any kind is ``aten.convolution``, a linear layer
``aten.addmm``. A price takes the operation's arguments and its result and returns MACs as an int. Multiplications by
padding zeros count; a transposed convolution applies its whole kernel at every input position. A product of two complex
numbers is one MAC in a matrix product; in a convolution it is three, as torch splits that into three real ones.
"""

from functools import cache
from math import prod

import torch

aten = torch.ops.aten


def convolution(out, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, *switches):
    """Every number of the output (transposed: of the input) meets the kernel of its group's channels once."""
    return (x if transposed else out).numel() * prod(weight.shape[1:])


def convolution_backward(
    out, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, output_mask
):
    """As many MACs as forward for the gradient of the input, and as many for that of the weight, where asked for."""
    forward = (x if transposed else grad).numel() * prod(weight.shape[1:])
    return forward * (output_mask[0] + output_mask[1])


def matmul(out, a, b):
    """Each number of the result is a sum over the last axis of ``a``."""
    return out.numel() * a.shape[-1]


def dot(out, a, b):
    return a.numel()


def add_matmul(out, start, a, b, **scales):
    return matmul(out, a, b)


def add_batch_matmul(out, start, a, b, **scales):
    """``addbmm`` sums over the batch as well."""
    return out.numel() * a.shape[0] * a.shape[-1]


def attention(out, query, key, value, *rest, **options):
    """Every query meets every key, and every weight a value: masked ones too, which are computed and dropped."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return pairs * (query.shape[-1] + value.shape[-1])


def attention_backward(out, grad, query, key, value, *rest, **options):
    """The weights once more, then the gradients of values, weights, queries and keys."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return pairs * (3 * query.shape[-1] + 2 * value.shape[-1])


def rnn_layer(out, x, input_weight, hidden_weight, *rest):
    """At every step of every sequence one product with the input's weights and one with the hidden state's."""
    return prod(x.shape[:-1]) * (input_weight.numel() + hidden_weight.numel())


PRICES = {
    aten.convolution: convolution,
    aten._convolution: convolution,  # in traced models
    aten.convolution_backward: convolution_backward,
    aten.mm: matmul,
    aten.bmm: matmul,
    aten._int_mm: matmul,
    aten.mv: matmul,
    aten.dot: dot,
    aten.vdot: dot,
    aten.addmm: add_matmul,
    aten.addmv: add_matmul,
    aten.baddbmm: add_matmul,
    aten.addbmm: add_batch_matmul,
    **dict.fromkeys([aten.addmm_, aten.addmv_, aten.baddbmm_], add_matmul),
    aten.addbmm_: add_batch_matmul,
    aten.mkldnn_rnn_layer: rnn_layer,
    aten._scaled_dot_product_flash_attention_for_cpu: attention,
    aten._scaled_dot_product_flash_attention: attention,
    aten._scaled_dot_product_efficient_attention: attention,
    aten._scaled_dot_product_cudnn_attention: attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: attention_backward,
    aten._scaled_dot_product_flash_attention_backward: attention_backward,
    aten._scaled_dot_product_efficient_attention_backward: attention_backward,
    aten._scaled_dot_product_cudnn_attention_backward: attention_backward,
}

# No arithmetic: new tensors, copies, other shapes of the same numbers, picking and placing.
FREE = """
    alias arange as_strided bernoulli cat channel_shuffle clone col2im constant_pad_nd copy _copy_from detach diagonal
    embedding empty empty_like empty_permuted empty_strided expand expand_as fill flip full full_like gather im2col
    index index_copy index_put index_select is_same_size isin lift_fresh lift_fresh_copy masked_fill masked_scatter
    masked_select movedim native_channel_shuffle narrow new_empty new_empty_strided new_full new_ones new_zeros normal
    ones ones_like permute pixel_shuffle pixel_unshuffle rand rand_like randint randn randn_like randperm
    reflection_pad1d reflection_pad2d reflection_pad3d repeat replication_pad1d replication_pad2d replication_pad3d
    reshape _reshape_alias resize roll scalar_tensor scatter select select_backward select_scatter slice slice_backward
    slice_scatter split split_with_sizes squeeze stack t to _to_copy transpose tril tril_indices triu triu_indices
    unbind unfold unfold_backward unfold_copy uniform unsqueeze _unsafe_index _unsafe_view view view_as zero zeros
    zeros_like _conj _local_scalar_dense nonzero set _efficientzerotensor new_empty random exponential
    _fused_sdp_choice sym_size sym_numel sym_stride sym_storage_offset embedding_dense_backward _pin_memory
    unsafe_chunk unsafe_split unsafe_split_with_sizes max_unpool2d view_as_real view_as_complex
    diag_embed _unique2 unique_dim _linalg_check_errors _has_same_storage_numel max_unpool3d
    real imag is_pinned eye linspace logspace complex resolve_conj
""".split()

# Arithmetic that by convention is no MAC, beside all that torch itself calls pointwise.
OTHER = """
    adaptive_avg_pool1d _adaptive_avg_pool2d adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d
    adaptive_max_pool3d all amax amin aminmax any argmax argmin argsort avg_pool1d avg_pool2d avg_pool3d batch_norm
    bincount cudnn_batch_norm cumprod cumsum dropout fractional_max_pool2d grid_sampler_2d grid_sampler_3d
    index_add _log_softmax log_softmax logcumsumexp logsumexp lp_pool2d max max_pool2d_with_indices
    max_pool3d_with_indices mean median min miopen_batch_norm native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training native_dropout native_group_norm native_layer_norm norm nll_loss2d_forward
    nll_loss_forward nll_loss2d_backward nll_loss_backward prod _safe_softmax _softmax scatter_add scatter_reduce
    softmax sort std std_mean sum topk upsample_bicubic2d upsample_bilinear2d _upsample_bilinear2d_aa upsample_linear1d
    upsample_nearest1d upsample_nearest2d upsample_nearest3d upsample_trilinear3d var var_mean linalg_vector_norm
    _log_softmax_backward_data _softmax_backward_data native_dropout_backward native_layer_norm_backward _fused_rms_norm
    _batch_norm_with_update batch_norm_backward max_pool2d_with_indices_backward mse_loss smooth_l1_loss
    _prelu_kernel rrelu_with_noise cross_entropy_loss bucketize searchsorted histc cummax cummin renorm trace
    native_batch_norm_backward native_group_norm_backward evenly_distribute_backward rms_norm hardswish glu
    _weight_norm_interface binary_cross_entropy binary_cross_entropy_with_logits huber_loss multi_margin_loss
    multilabel_margin_loss_forward _ctc_loss _embedding_bag _embedding_bag_forward_only _upsample_bicubic2d_aa
""".split()


@cache
def kind_of(func):
    """``"free"``, ``"other"`` or ``"unknown"`` for an operation that has no price."""
    name = func.overloadpacket.__name__
    if func.namespace == "profiler":  # marks in a timeline
        return "free"
    if func.namespace not in ("aten", "prim", "prims"):
        return "unknown"
    plain = name.removesuffix("_").removesuffix("_backward")
    if func.is_view or name in FREE or plain in FREE:
        return "free"
    if name in OTHER or plain in OTHER or torch.Tag.pointwise in func.tags or _pointwise(plain):
        return "other"
    return "unknown"


def _pointwise(name):
    """Whether torch says of any variant of the operation that it works number by number."""
    packet = getattr(aten, name, None)
    return packet is not None and any(torch.Tag.pointwise in getattr(packet, o).tags for o in packet.overloads())
