"""What one of torch's operations costs in MACs, from the shapes of its tensors; and what is not priced, and why.

Torch runs every layer as a few ``aten`` operations: a convolution of any kind is ``aten.convolution``, a linear layer
``aten.addmm``. A price takes the operation's result and its arguments and returns MACs as an int, or None for a call
that has no MACs by convention. Multiplications by padding zeros count; a transposed convolution applies its whole
kernel at every input position. A product of two complex numbers is one MAC in a matrix product; in a convolution it is
three, as torch splits that into three real ones.
"""

import fnmatch
from dataclasses import dataclass
from functools import cache
from math import prod
from numbers import Integral

import torch
from torch._ops import HigherOrderOperator, OpOverload, OpOverloadPacket


def convolution(out, x, weight, bias, stride, padding, dilation, transposed, output_padding, groups, *switches):
    """Every number of the output (transposed: of the input) meets the kernel of its group's channels once."""
    return (x if transposed else out).numel() * prod(weight.shape[1:])


def convolution_backward(
    out, grad, x, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, output_mask
):
    """As many MACs as forward for the gradient of the input, and as many for that of the weight, where asked for."""
    return (x if transposed else grad).numel() * prod(weight.shape[1:]) * (output_mask[0] + output_mask[1])


def matmul(out, a, *rest, **options):
    """Each number of the result is a sum over the last axis of ``a``."""
    return out.numel() * a.shape[-1]


def grouped_matmul(out, a, b, *rest, **options):
    """Each row of ``a`` meets the one matrix of its group; of two flat matrices the summed axis is what is split."""
    return a.numel() * b.shape[-1] if a.dim() == b.dim() == 2 else matmul(out, a)


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
    return prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1])


def attention_backward(out, grad, query, key, value, *rest, **options):
    """The weights once more, then the gradients of values, weights, queries and keys."""
    return prod(query.shape[:-1]) * key.shape[-2] * (3 * query.shape[-1] + 2 * value.shape[-1])


def rnn_layer(out, x, input_weight, hidden_weight, *rest):
    """At every step of every sequence one product with the input's weights and one with the hidden state's."""
    return prod(x.shape[:-1]) * (input_weight.numel() + hidden_weight.numel())


def cudnn_rnn(out, x, weights, *rest):
    """All layers and directions in one operation; the matrices among the weights are met at every step."""
    return prod(x.shape[:-1]) * sum(weight.numel() for weight in weights if weight.dim() == 2)


# {patterns of names in torch.ops.aten, or of operators that run functions, without a "_" at the end: price}
PRICES = {
    "convolution _convolution convolution_overrideable": convolution,
    "convolution_backward convolution_backward_overrideable": convolution_backward,
    """_conv_depthwise2d conv_depthwise3d cudnn_convolution cudnn_convolution_relu miopen_convolution mkldnn_convolution
    miopen_convolution_relu miopen_depthwise_convolution _nnpack_spatial_convolution _slow_conv2d_forward
    slow_conv3d_forward slow_conv_dilated?d""": lambda out, x, weight, *rest: out.numel() * prod(weight.shape[1:]),
    "mm bmm mv _int_mm _scaled_mm mkldnn_linear _weight_int?pack_mm _weight_int4pack_mm_for_cpu": matmul,
    "addmm addmv baddbmm _addmm_activation": lambda out, start, a, b, **scales: matmul(out, a),
    "addbmm": lambda out, start, a, b, **scales: matmul(out, a) * a.shape[0],  # sums over the batch as well
    "_grouped_mm _scaled_grouped_mm": grouped_matmul,
    "dot vdot": lambda out, a, b: a.numel(),
    "addr": lambda out, start, a, b, **scales: out.numel(),  # one product, added to what is there
    "affine_grid_generator": matmul,  # each coordinate is a sum over the last axis of the matrices
    "_trilinear": trilinear,
    "_cdist_forward _euclidean_dist": distances,
    "_scaled_dot_product_*_backward": attention_backward,
    "_scaled_dot_product_*attention* flex_attention": attention,
    "flex_attention_backward": lambda out, *args, **options: attention_backward(out, None, *args),
    "mkldnn_rnn_layer": rnn_layer,
    "mkldnn_rnn_layer_backward": lambda out, *args: 2 * rnn_layer(out, *args),  # with that of the first state
    "_cudnn_rnn miopen_rnn": cudnn_rnn,
    # twice forward, if the mask says that the weights want a gradient
    "_cudnn_rnn_backward miopen_rnn_backward": lambda out, *args: cudnn_rnn(out, *args) * (1 + args[-1][3]),
}
GROUPS = {"convolution": 8, "_convolution": 8, "convolution_backward": 9}  # their place among the arguments
OWN = {"aten", "prim", "prims", "higher_order"}  # namespaces of torch's own operations

# No arithmetic: new tensors, copies, other shapes of the same numbers, picking and placing, questions, checks.
FREE = """
    alias arange as_strided* *assert_* bernoulli binomial block_diag cat cauchy *channel_shuffle _chunk_cat clone
    _coalesce* col2im complex _conj constant_pad_nd _convert_indices_* copy _copy_from* copy_sparse_to_sparse
    _cudnn_init_dropout_state _cudnn_rnn_flatten_weight dense_dim detach diag_embed diagonal* _dim? _efficientzerotensor
    embedding embedding_dense empty* _empty_* expand* exponential eye fft_*freq fill _fill_mem_eff_dropout_mask flip
    from_file full full_like *sym_constrain_range* _fused_sdp_choice gather geometric _has_same_storage_numel im2col
    imag index index_copy index_fill *index_put index_select int_repr is_* isin *padded_dense* _lazy_clone lift*
    _linalg_check_errors linspace _local_scalar_dense log_normal logspace lu_unpack _make_* masked_fill masked_scatter
    masked_select max_unpool?d mkldnn_reorder_* _mkldnn_reshape _mkldnn_transpose movedim multinomial narrow
    _nested_compute_* _nested_from_* _nested_get_* _nested_select _nested_tensor_from_* _nested_tensor_s[it]* new_*
    _new_zeros* _nnz nonzero* normal ones ones_like _pack_padded_sequence permute _philox_* _pin_memory pixel_* poisson
    _print put q_* qscheme rand rand_like randint* randn* random randperm range real record_stream reflection_pad?d
    repeat* replication_pad?d *reshape* resize* _resize_output resolve_conj roll rot90 _sample_dirichlet scalar_tensor
    scatter select* set slice* _sparse_broadcast_to *sparse_co*_tensor* sparse_dim *sparse_mask* sparse_resize* _spdiags
    split* squeeze stack _stack _standard_gamma sym_* t take _to_copy _to_dense to_mkldnn to_padded_tensor _to_sparse
    _to_sparse_??? transpose tril* triu* unbind unfold uniform _unique* unique_* unsafe_chunk unsafe_split*
    _unsafe_index _unsafe_masked_index _unsafe_view unsqueeze _use_*_ctc_loss _validate_* view* zero zeros zeros_like
""".split()

# Arithmetic that by convention is no MAC, beside all that torch itself calls pointwise.
OTHER = """
    adaptive_*_pool?d _adaptive_*_pool?d _add_relu all allclose amax amin aminmax _aminmax _amp_* any argmax argmin
    argsort avg_pool?d batch_norm* _batch_norm_* binary_cross_entropy* bincount bucketize count_nonzero
    cross_entropy_loss _ctc_loss cudnn_batch_norm _cudnn_ctc_loss cudnn_grid_sampler cummax _cummax_helper cummin
    _cummin_helper cumprod cumsum dequantize _dirichlet_grad dist dropout _embedding_bag _embedding_bag_dense
    _embedding_bag_forward_only embedding_renorm *fake_quantize_* floor_divide fractional_max_pool?d _fused_ada*
    _fused_dropout _fused_moving_avg_* _fused_rms_norm _fused_sgd glu* grid_sampler_?d _grid_sampler_* *_window
    hardswish hash_tensor hist* _histogramdd_* huber_loss index_add index_reduce _is_a* kthvalue linalg_cross
    linalg__powsum linalg_vector_norm log_sigmoid* _log_softmax log_softmax *logcumsumexp logsumexp __?shift_
    _masked_scale _masked_softmax max max_pool?d* mean median min miopen_batch_norm miopen_ctc_loss mkldnn_*_pool?d mode
    mse_loss multi_margin_loss multilabel_margin_loss* nanmedian nansum native_*norm _native_batch_norm* native_dropout
    _nested_sum _nested_tensor_softmax_* nll_loss* norm _pdist_forward polar powsum _prelu_kernel prod quantize_per_*
    quantized_batch_norm quantized_max_pool?d renorm rms_norm rrelu_with_noise _safe_softmax scatter_add scatter_reduce
    searchsorted segment_reduce _segment_reduce smooth_l1_loss soft_margin_loss _softmax softmax _sparse_csr_prod
    _sparse_csr_sum _sparse_*softmax _sparse_sum sort _standard_gamma_grad std std_mean sum _thnn_fused_*_cell topk
    trace _transform_bias_rescale_qkv _unsafe_masked_index_put_accumulate upsample_* _upsample_* var var_mean
    _weight_norm_interface
""".split()


@dataclass(frozen=True)
class Facts:
    """What is known of an operation. ``kind``: ``"priced"``, ``"free"``, ``"other"`` or ``"unknown"``."""

    name: str  # "convolution"; "mylib::op" if it is not torch's own
    kind: str
    price: object  # a function, or None
    shows: bool  # whether it only gives its first argument another shape, or copies it
    writes: tuple  # (place, name) of the arguments that it changes
    makes: bool  # whether it can be told on which device
    makes_memory: bool  # whether what it returns is no view of its arguments


@cache
def facts(func):
    """The :class:`Facts` of an operation."""
    name = getattr(func, "overloadpacket", func).__name__.removesuffix("_")
    arguments = func._schema.arguments if hasattr(func, "_schema") else []
    priced = func.namespace in ("aten", "higher_order")
    price = next((price for names, price in PRICES.items() if priced and _matches({name}, names.split())), None)
    return Facts(
        name if func.namespace in OWN else f"{func.namespace}::{name}",
        "priced" if price else _kind(func, name),
        price,
        getattr(func, "is_view", False) or name in ("clone", "_to_copy"),
        tuple((i, one.name) for i, one in enumerate(arguments) if one.alias_info and one.alias_info.is_write),
        any(one.name == "device" for one in arguments),
        not hasattr(func, "_schema") or not any(one.alias_info for one in func._schema.returns),
    )


def _kind(func, name):
    if func.namespace == "profiler":  # marks in a timeline
        return "free"
    if func.namespace not in OWN or isinstance(func, HigherOrderOperator):
        return "unknown"
    names = {name, name.removeprefix("_foreach_").removesuffix("_")}
    for variant in ("_functional", "_impl", "_data", "_backward", "_copy"):  # of one operation
        names |= {name.removesuffix(variant) for name in names}
    packets = [getattr(torch.ops.aten, name) for name in names if hasattr(torch.ops.aten, name)]
    variants = [getattr(packet, one) for packet in packets for one in packet.overloads()]
    if func.is_view or _matches(names, FREE) or any(one.is_view for one in variants):
        return "free"
    pointwise = any(torch.Tag.pointwise in one.tags for one in variants)
    return "other" if pointwise or _matches(names, OTHER) else "unknown"


def _matches(names, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)


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
