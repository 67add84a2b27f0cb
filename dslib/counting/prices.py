"""What one of torch's operations costs in MACs, from the shapes of its tensors; and what is not priced, and why.

Torch runs every layer as a few ``aten`` operations: a convolution of any kind is ``aten.convolution``, a linear layer
``aten.addmm``. A price takes the operation's result and its arguments and returns MACs as an int, or None for a call
that has no MACs by convention. Multiplications by padding zeros count; a transposed convolution applies its whole
kernel at every input position. A product of two complex numbers is one MAC in a matrix product; in a convolution it is
three, as torch splits that into three real ones.
"""

from dataclasses import dataclass
from functools import cache
from math import prod
from numbers import Integral

import torch
from torch._ops import HigherOrderOperator, OpOverload, OpOverloadPacket


def convolution(out, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, *switches):
    """Every number of the output (transposed: of the input) meets the kernel of its group's channels once."""
    return (x if transposed else out).numel() * prod(weight.shape[1:])


def plain_convolution(out, x, weight, *rest, **options):
    """A convolution of one backend, never transposed."""
    return out.numel() * prod(weight.shape[1:])


def convolution_backward(
    out, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, output_mask
):
    """As many MACs as forward for the gradient of the input, and as many for that of the weight, where asked for."""
    forward = (x if transposed else grad).numel() * prod(weight.shape[1:])
    return forward * (output_mask[0] + output_mask[1])


def matmul(out, a, b, *rest, **options):
    """Each number of the result is a sum over the last axis of ``a``."""
    return out.numel() * a.shape[-1]


def dot(out, a, b):
    return a.numel()


def affine_grid(out, theta, size, align_corners):
    """Each coordinate is a sum over the last axis of the matrices."""
    return out.numel() * theta.shape[-1]


def outer(out, start, a, b, **scales):
    """Each number of the result is one product, added to what is there."""
    return out.numel()


def add_matmul(out, start, a, b, **scales):
    return matmul(out, a, b)


def add_batch_matmul(out, start, a, b, **scales):
    """``addbmm`` sums over the batch as well."""
    return out.numel() * a.shape[0] * a.shape[-1]


def grouped_matmul(out, a, b, *rest, **options):
    """Each row of ``a`` meets the one matrix of its group; of two flat matrices the summed axis is what is split."""
    return a.numel() * b.shape[-1] if a.dim() == b.dim() == 2 else matmul(out, a, b)


def trilinear(out, a, b, c, expand_a, expand_b, expand_c, summed, unroll=1):
    """Two products, as torch runs them: the first two tensors, then the third; ``nn.Bilinear`` is N O (I + 1) J."""
    shapes = [list(tensor.shape) for tensor in (a, b, c)]
    for shape, axes in zip(shapes, (expand_a, expand_b, expand_c), strict=True):
        for axis in sorted(axes):
            shape.insert(axis, 1)
    first = [max(sides) for sides in zip(*shapes[:2], strict=True)]
    left = [1 if i in summed and i in expand_c else side for i, side in enumerate(first)]
    return prod(first) + prod(max(sides) for sides in zip(left, shapes[2], strict=True))


def distances(out, a, b, p=2.0, mode=1):
    """With ``p=2`` and more than 25 points torch uses a product of points with two more axes; else no products."""
    by_product = p == 2 and (mode == 1 or mode in (None, 0) and max(a.shape[-2], b.shape[-2]) > 25)
    return out.numel() * (a.shape[-1] + 2) if by_product else None


def attention(out, query, key, value, *rest, **options):
    """Every query meets every key, and every weight a value: masked ones too, which are computed and dropped."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return pairs * (query.shape[-1] + value.shape[-1])


def attention_backward(out, grad, query, key, value, *rest, **options):
    """The weights once more, then the gradients of values, weights, queries and keys."""
    pairs = prod(query.shape[:-1]) * key.shape[-2]
    return pairs * (3 * query.shape[-1] + 2 * value.shape[-1])


def flex_backward(out, query, key, value, *rest, **options):
    return attention_backward(out, None, query, key, value)


def rnn_layer(out, x, input_weight, hidden_weight, *rest):
    """At every step of every sequence one product with the input's weights and one with the hidden state's."""
    return prod(x.shape[:-1]) * (input_weight.numel() + hidden_weight.numel())


def rnn_layer_backward(out, *args):
    """Twice forward, for the inputs and for the weights; that of the first state is among them."""
    return 2 * rnn_layer(out, *args)


def cudnn_rnn(out, x, weights, *rest):
    """All layers and directions in one operation; the matrices among the weights are met at every step."""
    return prod(x.shape[:-1]) * sum(weight.numel() for weight in weights if weight.dim() == 2)


def cudnn_rnn_backward(out, x, weights, *rest):
    return cudnn_rnn(out, x, weights) * (1 + bool(rest[-1][3]))  # the mask says whether the weights want one


# What names in torch.ops.aten, or of an operator that runs functions, have which price; in place (add a "_") the same.
NAMES = {
    convolution: "convolution _convolution convolution_overrideable",
    plain_convolution: """
        conv_depthwise3d _conv_depthwise2d cudnn_convolution cudnn_convolution_relu miopen_convolution
        miopen_convolution_relu miopen_depthwise_convolution mkldnn_convolution _nnpack_spatial_convolution
        _slow_conv2d_forward slow_conv3d_forward slow_conv_dilated2d slow_conv_dilated3d
    """,
    convolution_backward: "convolution_backward convolution_backward_overrideable",
    matmul: """
        bmm _int_mm mkldnn_linear mm mv _scaled_mm _weight_int4pack_mm _weight_int4pack_mm_for_cpu _weight_int8pack_mm
    """,
    grouped_matmul: "_grouped_mm _scaled_grouped_mm",
    add_matmul: "addmm _addmm_activation addmv baddbmm",
    add_batch_matmul: "addbmm",
    dot: "dot vdot",
    outer: "addr",
    affine_grid: "affine_grid_generator",
    trilinear: "_trilinear",
    distances: "_cdist_forward _euclidean_dist",
    attention: """
        flex_attention _scaled_dot_product_attention_math_for_mps _scaled_dot_product_cudnn_attention
        _scaled_dot_product_efficient_attention _scaled_dot_product_flash_attention
        _scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_fused_attention_overrideable
    """,
    attention_backward: """
        _scaled_dot_product_cudnn_attention_backward _scaled_dot_product_efficient_attention_backward
        _scaled_dot_product_flash_attention_backward _scaled_dot_product_flash_attention_for_cpu_backward
        _scaled_dot_product_fused_attention_overrideable_backward
    """,
    flex_backward: "flex_attention_backward",
    rnn_layer: "mkldnn_rnn_layer",
    rnn_layer_backward: "mkldnn_rnn_layer_backward",
    cudnn_rnn: "_cudnn_rnn miopen_rnn",
    cudnn_rnn_backward: "_cudnn_rnn_backward miopen_rnn_backward",
}
PRICES = {name: price for price, names in NAMES.items() for name in names.split()}
GROUPS = {"convolution": 8, "_convolution": 8, "convolution_backward": 9}  # their place among the arguments

OWN = {"aten", "prim", "prims", "higher_order"}  # namespaces of torch's own operations

# No arithmetic: new tensors, copies, other shapes of the same numbers, picking and placing, questions, checks.
FREE = set(
    """
    alias arange as_strided as_strided_scatter _assert_async _assert_scalar _assert_tensor_metadata bernoulli binomial
    block_diag cat cauchy channel_shuffle _chunk_cat clone _coalesce _coalesced col2im complex _conj constant_pad_nd
    _convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo copy _copy_from _copy_from_and_resize
    copy_sparse_to_sparse _cudnn_init_dropout_state _cudnn_rnn_flatten_weight dense_dim detach diag_embed diagonal
    diagonal_scatter _dimI _dimV _efficientzerotensor embedding embedding_dense_backward empty empty_like
    _empty_affine_quantized _empty_per_channel_affine_quantized empty_permuted empty_quantized empty_strided expand
    expand_as exponential eye fft_fftfreq fft_rfftfreq fill _fill_mem_eff_dropout_mask flip from_file full full_like
    _functional_assert_async _functional_assert_scalar _functional_sym_constrain_range
    _functional_sym_constrain_range_for_size _fused_sdp_choice gather geometric _has_same_storage_numel im2col imag
    index index_copy index_fill index_put _index_put_impl index_select int_repr is_coalesced is_pinned is_same_size
    is_set_to isin _jagged_to_padded_dense_forward _lazy_clone lift lift_fresh _linalg_check_errors linspace
    _local_scalar_dense log_normal logspace lu_unpack _make_dep_token _make_per_channel_quantized_tensor
    _make_per_tensor_quantized_tensor masked_fill masked_scatter masked_select max_unpool2d max_unpool3d
    mkldnn_reorder_conv2d_weight mkldnn_reorder_conv3d_weight _mkldnn_reshape _mkldnn_transpose movedim multinomial
    narrow native_channel_shuffle _nested_compute_contiguous_strides_offsets _nested_from_padded
    _nested_from_padded_and_nested_example _nested_from_padded_tensor _nested_get_jagged_dummy _nested_get_lengths
    _nested_get_max_seqlen _nested_get_min_seqlen _nested_get_offsets _nested_get_ragged_idx _nested_select
    _nested_tensor_from_mask _nested_tensor_from_mask_left_aligned _nested_tensor_from_tensor_list _nested_tensor_size
    _nested_tensor_storage_offsets _nested_tensor_strides new_empty new_empty_strided new_full new_ones new_zeros
    _new_zeros_with_same_feature_meta _nnz nonzero nonzero_static normal ones ones_like _pack_padded_sequence
    _padded_dense_to_jagged_forward permute _philox_key_fold_in _philox_key_split _philox_normal _philox_uniform
    _pin_memory pixel_shuffle pixel_unshuffle poisson _print put q_per_channel_axis q_per_channel_scales
    q_per_channel_zero_points q_scale q_zero_point qscheme rand rand_like randint randint_like randn randn_like
    random randperm range real record_stream reflection_pad1d reflection_pad2d reflection_pad3d repeat
    repeat_interleave replication_pad1d replication_pad2d replication_pad3d reshape _reshape _reshape_alias resize
    resize_as resize_as_sparse _resize_output resolve_conj roll rot90 _sample_dirichlet scalar_tensor scatter select
    select_scatter set slice slice_scatter _sparse_broadcast_to _sparse_compressed_tensor_with_dims sparse_coo_tensor
    sparse_compressed_tensor _sparse_coo_tensor_with_dims _sparse_coo_tensor_with_dims_and_tensors sparse_dim
    sparse_mask _sparse_mask_projection sparse_resize sparse_resize_and_clear _spdiags split split_with_sizes squeeze
    stack _stack _standard_gamma sym_constrain_range sym_constrain_range_for_size sym_numel sym_size
    sym_storage_offset sym_stride t take _to_copy _to_dense to_mkldnn to_padded_tensor _to_sparse _to_sparse_bsc
    _to_sparse_bsr _to_sparse_csc _to_sparse_csr transpose tril tril_indices triu triu_indices unbind unfold uniform
    _unique _unique2 unique_consecutive unique_dim unique_dim_consecutive unsafe_chunk _unsafe_index
    _unsafe_index_put _unsafe_masked_index unsafe_split unsafe_split_with_sizes _unsafe_view unsqueeze
    _use_cudnn_ctc_loss _use_miopen_ctc_loss _validate_compressed_sparse_indices view view_as view_as_complex
    view_as_real zero zeros zeros_like
    """.split()
)

# Arithmetic that by convention is no MAC, beside all that torch itself calls pointwise.
OTHER = set(
    """
    adaptive_avg_pool1d adaptive_avg_pool2d _adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool3d
    adaptive_max_pool2d adaptive_max_pool3d _add_relu all allclose amax amin aminmax _aminmax
    _amp_foreach_non_finite_check_and_unscale _amp_update_scale any argmax argmin argsort avg_pool1d avg_pool2d
    avg_pool3d bartlett_window batch_norm batch_norm_backward_elemt batch_norm_backward_reduce batch_norm_elemt
    batch_norm_gather_stats batch_norm_gather_stats_with_counts _batch_norm_no_update batch_norm_stats
    batch_norm_update_stats _batch_norm_with_update binary_cross_entropy binary_cross_entropy_with_logits bincount
    blackman_window bucketize count_nonzero cross_entropy_loss _ctc_loss cudnn_batch_norm _cudnn_ctc_loss
    cudnn_grid_sampler cummax _cummax_helper cummin _cummin_helper cumprod cumsum dequantize _dirichlet_grad dist
    dropout _embedding_bag _embedding_bag_dense _embedding_bag_forward_only embedding_renorm evenly_distribute
    _fake_quantize_learnable_per_channel_affine _fake_quantize_learnable_per_tensor_affine
    fake_quantize_per_channel_affine_cachemask fake_quantize_per_tensor_affine_cachemask
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams floor_divide fractional_max_pool2d fractional_max_pool3d
    _fused_adagrad _fused_adam _fused_adamw _fused_dropout _fused_moving_avg_obs_fq_helper _fused_rms_norm _fused_sgd
    glu glu_jvp glu_backward_jvp grid_sampler_2d _grid_sampler_2d_cpu_fallback grid_sampler_3d hamming_window
    hann_window hash_tensor hardswish histc histogram _histogramdd_bin_edges _histogramdd_from_bin_cts
    _histogramdd_from_bin_tensors huber_loss index_add index_reduce _is_all_true _is_any_true kaiser_window kthvalue
    linalg_cross linalg_vector_norm linalg__powsum log_sigmoid log_sigmoid_forward _log_softmax log_softmax
    logcumsumexp _logcumsumexp logsumexp lp_pool2d __lshift__ _masked_scale _masked_softmax max max_pool2d
    max_pool2d_with_indices max_pool3d_with_indices mean median min miopen_batch_norm miopen_ctc_loss
    mkldnn_adaptive_avg_pool2d mkldnn_max_pool2d mkldnn_max_pool3d mode mse_loss multi_margin_loss
    multilabel_margin_loss multilabel_margin_loss_forward nanmedian nansum native_batch_norm
    _native_batch_norm_legit _native_batch_norm_legit_no_training native_dropout native_group_norm native_layer_norm
    native_norm _nested_sum _nested_tensor_softmax_with_shape nll_loss nll_loss2d nll_loss2d_forward nll_loss_forward
    norm _pdist_forward polar powsum _prelu_kernel prod quantize_per_channel quantize_per_tensor
    quantize_per_tensor_dynamic quantized_batch_norm quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d
    renorm rms_norm rrelu_with_noise __rshift__ _safe_softmax scatter_add scatter_reduce searchsorted segment_reduce
    _segment_reduce smooth_l1_loss soft_margin_loss _softmax softmax _sparse_csr_prod _sparse_csr_sum
    _sparse_log_softmax _sparse_softmax _sparse_sum sort _standard_gamma_grad std std_mean sum _thnn_fused_gru_cell
    _thnn_fused_lstm_cell topk trace _transform_bias_rescale_qkv _unsafe_masked_index_put_accumulate
    upsample_bicubic2d _upsample_bicubic2d_aa upsample_bilinear2d _upsample_bilinear2d_aa _upsample_lanczos2d_aa
    upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d
    _upsample_nearest_exact2d _upsample_nearest_exact3d upsample_trilinear3d var var_mean _weight_norm_interface
    """.split()
)


@dataclass(frozen=True)
class Facts:
    """What is known of an operation. ``kind``: ``"priced"``, ``"free"``, ``"other"`` or ``"unknown"``."""

    name: str  # "convolution"; "mylib::op" if it is not torch's own
    kind: str
    price: object  # a function, or None
    shows: bool  # whether it only gives its first argument another shape, or copies it
    writes: tuple  # (place, name) of the arguments that it changes
    makes: bool  # whether it can be told on which device


@cache
def facts(func):
    """The :class:`Facts` of an operation."""
    name, schema = getattr(func, "overloadpacket", func).__name__.removesuffix("_"), getattr(func, "_schema", None)
    arguments = [] if schema is None else schema.arguments
    price = PRICES.get(name) if func.namespace in ("aten", "higher_order") else None
    return Facts(
        name if func.namespace in OWN else f"{func.namespace}::{name}",
        "priced" if price else _kind(func, name),
        price,
        getattr(func, "is_view", False) or name in ("clone", "_to_copy"),
        tuple((i, one.name) for i, one in enumerate(arguments) if one.alias_info and one.alias_info.is_write),
        any(one.name == "device" for one in arguments),
    )


def _kind(func, name):
    if func.namespace == "profiler":  # marks in a timeline
        return "free"
    if func.namespace not in OWN or isinstance(func, HigherOrderOperator):
        return "unknown"
    names = {name, name.removeprefix("_foreach_").removesuffix("_")}
    for variant in ("_functional", "_impl", "_data", "_backward", "_copy"):  # of one operation
        names |= {name.removesuffix(variant) for name in names}
    if func.is_view or names & FREE or any(one.is_view for one in _variants(names)):
        return "free"
    pointwise = any(torch.Tag.pointwise in one.tags for one in _variants(names))
    return "other" if names & OTHER or pointwise else "unknown"


def _variants(names):
    packets = [getattr(torch.ops.aten, name) for name in names if hasattr(torch.ops.aten, name)]
    return [getattr(packet, variant) for packet in packets for variant in packet.overloads()]


def own_prices(prices):
    """The user's prices, each result checked."""
    for op, price in (prices or {}).items():
        if not isinstance(op, (OpOverload, OpOverloadPacket, HigherOrderOperator)) or not callable(price):
            raise ValueError(f"prices must be {{operation of torch.ops: function}}, got {op!r}: {price!r}")
    return {op: _checked(op, price) for op, price in (prices or {}).items()}


def _checked(op, price):
    def macs(out, *args, **kwargs):
        found = price(out, *args, **kwargs)
        if not isinstance(found, Integral) or isinstance(found, bool) or found < 0:
            raise ValueError(f"the price of {op} must be MACs as a whole number, 0 or more, got {found!r}")
        return int(found)

    return macs
