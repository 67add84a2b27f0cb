"""What one of torch's operations costs in MACs, from the shapes of its tensors; and what is not priced, and why.

Torch runs every layer as a few ``aten`` operations: a convolution of any kind is ``aten.convolution``, a linear layer
``aten.addmm``. A price takes the operation's result and its arguments and returns MACs as an int, or None for a call
that has no MACs by convention. Multiplications by padding zeros count; a transposed convolution applies its whole
kernel at every input position. A product of two complex numbers is one MAC in a matrix product; in a convolution it is
three, as torch splits that into three real ones.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from math import prod
from numbers import Integral
from pathlib import Path

import torch
from torch._ops import HigherOrderOperator, OpOverload, OpOverloadPacket

from .tree import tensors


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
    first = torch.broadcast_shapes(*shapes[:2])
    left = [1 if i in summed and i in expand_c else side for i, side in enumerate(first)]
    return prod(first) + prod(torch.broadcast_shapes(left, shapes[2]))


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

# {pattern of names: "free", as new tensors, copies, picking and placing are, or "other", arithmetic that by convention
# is no MAC}, beside all that torch itself calls a view or pointwise
with Path(__file__).with_name("conventions.csv").open(encoding="utf-8") as file:
    CONVENTIONS = dict(list(csv.reader(file))[1:])


@dataclass(frozen=True)
class Facts:
    """What is known of an operation. ``kind``: ``"priced"``, ``"free"``, ``"other"`` or ``"unknown"``."""

    name: str  # "convolution"; "mylib::op" if it is not torch's own
    kind: str
    price: object  # a function, or None
    shows: bool  # whether it only gives its first argument another shape, or copies it
    writes: tuple  # (place, name) of the arguments that it may change
    makes: bool  # whether it can be told on which device
    makes_memory: bool  # whether it returns something, and no view of its arguments

    def written(self, args, kwargs):
        """The tensors among the arguments that it may change."""
        return tensors([args[i] if i < len(args) else kwargs.get(name) for i, name in self.writes])


@cache
def facts(func):
    """The :class:`Facts` of an operation."""
    name = getattr(func, "overloadpacket", func).__name__.removesuffix("_")
    arguments, returned = (func._schema.arguments, func._schema.returns) if hasattr(func, "_schema") else ([], [])
    price = _first({name}, PRICES) if func.namespace in ("aten", "higher_order") else None
    return Facts(
        name if func.namespace in OWN else f"{func.namespace}::{name}",
        "priced" if price else _kind(func, name),
        price,
        getattr(func, "is_view", False) or name in ("clone", "_to_copy"),
        tuple((i, one.name) for i, one in enumerate(arguments) if _is_written(one)),
        any(one.name == "device" for one in arguments),
        len(returned) > 0 and not any(one.alias_info for one in returned),
    )


def _is_written(argument):
    running = argument.name in ("running_mean", "running_var")  # batch norms do not all say so
    return running or argument.alias_info is not None and argument.alias_info.is_write


def _kind(func, name):
    if func.namespace == "profiler":  # marks in a timeline
        return "free"
    if func.namespace not in OWN or isinstance(func, HigherOrderOperator):
        return "unknown"
    names = {name, name.removeprefix("_foreach_").removesuffix("_")}
    for variant in ("_functional", "_impl", "_data", "_backward", "_copy"):  # of one operation
        names |= {name.removesuffix(variant) for name in names}
    packets = [getattr(torch.ops.aten, name) for name in names if hasattr(torch.ops.aten, name)]
    variants = [func, *(getattr(packet, one) for packet in packets for one in packet.overloads())]
    if any(one.is_view for one in variants):
        return "free"
    pointwise = any(torch.Tag.pointwise in one.tags for one in variants[1:])
    return _first(names, CONVENTIONS) or ("other" if pointwise else "unknown")


def _first(names, table):
    """What the table has for the first of its patterns that one of the names fits, or None."""
    for patterns, found in table.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns.split() for name in names):
            return found
    return None


def own_prices(prices):
    """The user's prices, each result checked."""
    if not isinstance(prices or {}, Mapping):
        raise ValueError(f"prices must be {{operation of torch.ops: function}}, got {prices!r}")
    for op, price in (prices or {}).items():
        if not isinstance(op, (OpOverload, OpOverloadPacket, HigherOrderOperator)) or not callable(price):
            raise ValueError(f"prices must be {{operation of torch.ops: function}}, got {op!r}: {price!r}")
    return {op: _checked(op, price) for op, price in (prices or {}).items()}


def _checked(op, price):
    def macs(out, *args, **kwargs):
        try:
            found = price(out, *args, **kwargs)
        except Exception as error:  # the user's function may raise anything
            raise ValueError(f"the price of {op} raised {type(error).__name__}: {error}") from error
        if not isinstance(found, Integral) or isinstance(found, bool) or found < 0:
            raise ValueError(f"the price of {op} must be MACs as a whole number, 0 or more, got {found!r}")
        return int(found)

    return macs
