"""count() of layers, products, attention and recurrent layers; forward and backward, on the CPU and with shapes alone.

Every number is worked out by hand: an output pixel times the kernel of its group, a result times the axis summed over.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib.counting import count, prices

# torch warns of a copy it makes; how many warnings come depends on which test runs first
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'", "ignore:LSTM with projections")
devices = pytest.mark.parametrize("device", ["cpu", "meta"])
zeros = torch.zeros

# {name: (layer, input, MACs)}
CONVOLUTIONS = {
    "1-D": (nn.Conv1d(3, 5, 4, stride=3), (2, 3, 17), 2 * 5 * 5 * 3 * 4),
    "1-D depthwise": (nn.Conv1d(6, 6, 3, padding=1, groups=6), (2, 6, 9), 2 * 6 * 9 * 3),
    "2-D": (nn.Conv2d(3, 5, (3, 2), padding=(1, 0), bias=False), (2, 3, 7, 6), 2 * 5 * (7 * 5) * 3 * (3 * 2)),
    "all at once": (nn.Conv2d(12, 18, (5, 3), (2, 3), (2, 0), (1, 2), 6), (2, 12, 17, 21), 2 * 18 * (9 * 6) * 2 * 15),
    "2-D depthwise": (nn.Conv2d(256, 256, 3, stride=2, groups=256), (1, 256, 9, 12), 256 * (4 * 5) * 9),
    "depth multiplier 3": (nn.Conv2d(4, 12, 3, groups=4), (1, 4, 6, 5), 12 * (4 * 3) * 9),
    "3-D": (nn.Conv3d(2, 3, (3, 2, 1), stride=(1, 2, 1)), (2, 2, 5, 6, 4), 2 * 3 * (3 * 3 * 4) * 2 * (3 * 2 * 1)),
    "3-D depthwise": (nn.Conv3d(4, 8, 2, groups=4, bias=False), (1, 4, 3, 4, 5), 8 * (2 * 3 * 4) * 8),
    "1-D same, even kernel": (nn.Conv1d(3, 5, 4, padding="same"), (2, 3, 9), 2 * 5 * 9 * 3 * 4),
    "reflect": (nn.Conv2d(3, 5, 3, padding=1, padding_mode="reflect"), (1, 3, 7, 6), 5 * (7 * 6) * 3 * 9),
    "circular": (nn.Conv1d(4, 4, 4, padding="same", padding_mode="circular", groups=4), (2, 4, 9), 2 * 4 * 9 * 4),
    # transposed: (C_out / groups) * K multiplications at every position of the input
    "transposed 1-D": (nn.ConvTranspose1d(3, 5, 4, stride=3), (2, 3, 7), 2 * 3 * 7 * 5 * 4),
    "transposed 2-D": (nn.ConvTranspose2d(3, 5, (3, 2), 2, 1, 1), (2, 3, 7, 6), 2 * 3 * (7 * 6) * 5 * (3 * 2)),
    "transposed, grouped": (nn.ConvTranspose2d(6, 9, 3, 2, groups=3, dilation=2), (1, 6, 5, 4), 6 * 20 * 3 * 9),
    "transposed depthwise": (nn.ConvTranspose2d(4, 4, 4, 2, 1, groups=4), (1, 4, 5, 6), 4 * (5 * 6) * 16),
    "transposed, multiplier 2": (nn.ConvTranspose2d(3, 6, 2, 2, groups=3), (1, 3, 5, 6), 3 * (5 * 6) * 2 * 4),
    "transposed 3-D": (nn.ConvTranspose3d(2, 4, 2, 2, groups=2), (1, 2, 3, 2, 4), 2 * (3 * 2 * 4) * 2 * 8),
}


@devices
@pytest.mark.parametrize("layer, size, macs", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_a_convolution_batched_unbatched_and_backward(layer, size, macs, device):
    """Backward: the gradient of the input and that of the weight, each as many MACs as forward."""
    x = zeros(size, device=device, requires_grad=True)
    report = count(layer, x)
    params = sum(parameter.numel() for parameter in layer.parameters())
    assert (report.macs, report.flops, report.params, report.uncounted) == (macs, 2 * macs, params, ())
    assert sum(row.params for row in report.rows) == params
    output = tuple(layer(zeros(size)).shape)
    assert {(row.where, row.operation, row.output, row.groups) for row in report.rows} == {
        (type(layer).__name__, "convolution", output, layer.groups)
    }
    alone = count(layer, zeros(size[1:], device=device))
    assert (alone.macs * size[0], alone.params) == (macs, params)
    both = count(layer, x, backward=True)
    assert (both.macs, both.params, both.uncounted) == (3 * macs, params, ())
    assert {row.groups for row in both.rows if row.operation == "convolution_backward"} == {layer.groups}
    assert sum(row.macs for row in both.rows if not row.where.endswith("(backward)")) == macs
    constant = count(layer, zeros(size, device=device), backward=True)
    assert constant.macs == 2 * macs and constant.rows[-1].where == "weight (backward)"


def einsum(equation):
    return lambda *factors: torch.einsum(equation, *factors)


def unfolded(groups, product):
    """A convolution of a kernel of 3 by 2 as columns and a product; backward the columns' part is for the weight."""

    def function(x, weight):  # (N, C, H, W), (groups, C_out / groups, C / groups * K)
        return product(weight, F.unfold(x, (3, 2)).unflatten(1, (groups, -1)))

    return function, [(2, 4, 7, 6), (groups, 8 // groups, 4 // groups * 6)], 2 * 8 * (5 * 5) * (4 // groups) * 6


CELL = 3 * 4 + 4 * 4  # from 3 numbers and a state of 4 to the next state
# {name: (function, shapes, MACs and, where it is not three times that, of forward and backward)}
# The gradient of a vector's partner is an outer product: multiplications and no sum, unless torch makes it a matrix.
PRODUCTS = {
    "conv1d": (lambda x, w: F.conv1d(x, w, padding="same", groups=2), [(2, 4, 9), (4, 2, 3)], 2 * 4 * 9 * 2 * 3),
    "conv2d": (lambda x, w: F.conv2d(x, w, groups=3), [(1, 3, 5, 4), (6, 1, 3, 2)], 6 * (3 * 3) * 6),
    "conv3d": (F.conv3d, [(1, 2, 3, 4, 5), (5, 2, 1, 2, 3)], 5 * (3 * 3 * 3) * 2 * 6),
    "torch.conv2d": (lambda x, w: torch.conv2d(x, w, stride=2), [(1, 3, 7, 6), (5, 3, 2, 2)], 5 * (3 * 3) * 3 * 4),
    "convolution": (
        lambda *xw: torch.convolution(*xw, None, [1], [0], [1], False, [0], 1),
        [(1, 3, 7), (2, 3, 2)],
        36 * 2,
    ),
    "conv_transpose2d": (
        lambda x, w: F.conv_transpose2d(x, w, None, 2, 0, 0, 4),
        [(1, 4, 5, 6), (4, 1, 3, 3)],
        120 * 9,
    ),
    "unfold and matmul": unfolded(2, torch.matmul),
    "unfold and einsum": unfolded(4, lambda w, columns: torch.einsum("ngkl,gok->ngol", columns, w)),
    "linear": (F.linear, [(2, 3, 4), (5, 4), (5,)], 6 * 5 * 4),
    "nn.Linear of a vector": (nn.Linear(4, 7), [(4,)], 28),
    "nn.Linear": (nn.Linear(4, 7), [(3, 4)], 3 * 28),
    "nn.Linear without bias": (nn.Linear(4, 7, bias=False), [(2, 3, 4)], 6 * 28),
    "nn.Linear, four axes": (nn.Linear(4, 7), [(2, 3, 5, 4)], 30 * 28),
    "matmul 1, 1": (torch.matmul, [(4,), (4,)], 4, 4),
    "matmul 1, 2": (torch.matmul, [(4,), (4, 5)], 5 * 4),
    "matmul 2, 1": (torch.matmul, [(3, 4), (4,)], 3 * 4, 2 * 12),
    "matmul 2, 2": (torch.matmul, [(3, 4), (4, 5)], 3 * 5 * 4),
    "matmul 1, 3": (torch.matmul, [(4,), (2, 4, 5)], 2 * 5 * 4, 2 * 40),
    "matmul 3, 1": (torch.matmul, [(2, 3, 4), (4,)], 2 * 3 * 4, 2 * 24),
    "matmul 2, 3": (torch.matmul, [(3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "matmul 3, 2": (torch.matmul, [(2, 3, 4), (4, 5)], 2 * 3 * 5 * 4),
    "matmul 4, 3, broadcast": (torch.matmul, [(2, 1, 3, 4), (7, 4, 5)], 2 * 7 * 3 * 5 * 4),
    "matmul 4, 4": (torch.matmul, [(2, 7, 3, 4), (2, 7, 4, 5)], 2 * 7 * 3 * 5 * 4),
    "mm": (torch.mm, [(3, 4), (4, 5)], 3 * 5 * 4),
    "mv": (torch.mv, [(3, 4), (4,)], 3 * 4, 2 * 12),
    "dot": (torch.dot, [(4,), (4,)], 4, 4),
    "vdot": (torch.vdot, [(4,), (4,)], 4, 4),
    "inner": (torch.inner, [(3, 4), (5, 4)], 3 * 5 * 4),
    "tensordot": (lambda a, b: torch.tensordot(a, b, dims=2), [(2, 3, 4), (3, 4, 5)], 2 * 5 * 12),
    "multi_dot": (lambda *abc: torch.linalg.multi_dot(abc), [(2, 3), (3, 4), (4, 5)], 2 * 4 * 3 + 2 * 5 * 4),
    "bmm": (torch.bmm, [(2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "addmm": (torch.addmm, [(3, 5), (3, 4), (4, 5)], 3 * 5 * 4),
    "addmm, scaled": (lambda *t: torch.addmm(*t, beta=2, alpha=3), [(5,), (3, 4), (4, 5)], 3 * 5 * 4),
    "addmm, in place": (lambda c, a, b: c.addmm_(a, b), [(3, 5), (3, 4), (4, 5)], 3 * 5 * 4),
    "addmv": (torch.addmv, [(3,), (3, 4), (4,)], 3 * 4, 2 * 12),
    "addmv, in place": (lambda c, a, b: c.addmv_(a, b), [(3,), (3, 4), (4,)], 3 * 4, 2 * 12),
    "baddbmm": (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "baddbmm, in place": (lambda c, a, b: c.baddbmm_(a, b), [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "addbmm sums over the batch": (torch.addbmm, [(3, 5), (2, 3, 4), (2, 4, 5)], 3 * 5 * 2 * 4),
    "addbmm, in place": (lambda c, a, b: c.addbmm_(a, b), [(3, 5), (2, 3, 4), (2, 4, 5)], 3 * 5 * 2 * 4),
    "vmap": (torch.vmap(torch.mv), [(6, 3, 4), (6, 4)], 6 * 3 * 4, 3 * 72),
    "ij,jk->ik": (einsum("ij,jk->ik"), [(3, 4), (4, 5)], 3 * 5 * 4),
    "bhid,bhjd->bhij": (einsum("bhid,bhjd->bhij"), [(2, 3, 4, 5), (2, 3, 6, 5)], 2 * 3 * 4 * 6 * 5),
    "nchw,oc->nohw": (einsum("nchw,oc->nohw"), [(2, 3, 4, 5), (7, 3)], 2 * 7 * 20 * 3),
    "nckl,ock->nol": (einsum("nckl,ock->nol"), [(2, 3, 4, 5), (7, 3, 4)], 2 * 7 * 5 * 12),
    "nckl,ck->ncl": (einsum("nckl,ck->ncl"), [(2, 3, 4, 5), (3, 4)], 2 * 3 * 5 * 4),
    "ij,ij->": (einsum("ij,ij->"), [(3, 4), (3, 4)], 12),
    "ij,ij->i": (einsum("ij,ij->i"), [(3, 4), (3, 4)], 12),
    "ij,jk,kl->il": (einsum("ij,jk,kl->il"), [(2, 3), (3, 4), (4, 5)], 2 * 4 * 3 + 2 * 5 * 4),
    "ij,ij->ij": (einsum("ij,ij->ij"), [(3, 4), (3, 4)], 0),
    "i,j->ij": (einsum("i,j->ij"), [(3,), (4,)], 0),
    "ij->i": (einsum("ij->i"), [(3, 4)], 0),
    "LSTMCell": (nn.LSTMCell(3, 4), [(2, 3)], 2 * 4 * CELL, None),
    "GRUCell": (nn.GRUCell(3, 4), [(2, 3)], 2 * 3 * CELL, None),
    "LSTM with a projection": (nn.LSTM(3, 4, proj_size=2), [(5, 2, 3)], 5 * 2 * (4 * (3 * 4 + 2 * 4) + 4 * 2), None),
    "out": (lambda a, b: torch.mm(a, b, out=torch.empty(3, 5, device=a.device)), [(3, 4), (4, 5)], 60, None),
}


@devices
@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_forward_and_backward(name, device):
    function, shapes, macs, *both = PRODUCTS[name]
    params = sum(held.numel() for held in function.parameters()) if isinstance(function, nn.Module) else 0
    report = count(function, *(zeros(shape, device=device) for shape in shapes))
    assert (report.macs, report.params, report.uncounted) == (macs, params, ())
    assert sum(entry.params for entry in [*report.rows, *report.other]) == params
    if both != [None]:
        tensors = [zeros(shape, device=device, requires_grad=True) for shape in shapes]
        report = count(function, *tensors, backward=True)
        assert (report.macs, report.uncounted) == ((both or [3 * macs])[0], ())


# ---- attention: every query meets every key, and every weight a value


def attention(**options):
    return lambda query, key, value: F.scaled_dot_product_attention(query, key, value, **options)


def masked(query, key, value):
    mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def projected(heads, training):
    """Four projections of 8 to 8, and the attention, the same for any number of heads; batch 2, 5 positions."""
    layer = nn.MultiheadAttention(8, heads, batch_first=True).train(training)
    return layer, *[(2, 5, 8)] * 3, 4 * (2 * 5 * 8 * 8) + 2 * 5 * 5 * (8 + 8)


QUERY, KEY, PAIRS = (2, 3, 5, 8), (2, 3, 7, 8), 2 * 3 * 5 * 7
# {name: (function, shape of query, key and value, MACs)}; batch 2, 3 heads, 5 queries, 7 keys
ATTENTION = {
    "plain": (attention(), QUERY, KEY, KEY, PAIRS * (8 + 8)),
    "values of another size": (attention(), QUERY, KEY, (2, 3, 7, 6), PAIRS * (8 + 6)),
    "three axes": (attention(), QUERY[1:], KEY[1:], KEY[1:], PAIRS // 2 * 16),
    "masked": (masked, QUERY, KEY, KEY, PAIRS * 16),
    "causal": (attention(is_causal=True), QUERY, QUERY, QUERY, 2 * 3 * 5 * 5 * 16),
    "dropout": (attention(dropout_p=0.5), QUERY, KEY, KEY, PAIRS * 16),
    "grouped queries": (attention(enable_gqa=True), (2, 6, 5, 8), KEY, KEY, 2 * PAIRS * 16),
    "one head": projected(1, False),
    "four heads": projected(4, False),
    "in training": projected(2, True),
}


@devices
@pytest.mark.parametrize("function, query, key, value, macs", ATTENTION.values(), ids=ATTENTION)
def test_attention(function, query, key, value, macs, device):
    report = count(function, *(zeros(shape, device=device) for shape in (query, key, value)))
    assert (report.macs, report.uncounted) == (macs, ())
    assert report.params == (4 * (8 * 8 + 8) if isinstance(function, nn.Module) else 0)


def test_attention_s_backward():
    """As products, twice forward; in one operation the weights are computed once more: that is what ran."""
    forward, again = PAIRS * (8 + 8), PAIRS * 8
    for device, expected in (("meta", 3 * forward), ("cpu", 3 * forward + again)):
        tensors = [zeros(shape, device=device, requires_grad=True) for shape in (QUERY, KEY, KEY)]
        assert count(attention(), *tensors, backward=True).macs == expected
    # Only a GPU runs values of another size in one operation. Two products forward; backward one again, and four more.
    query, key, value = zeros(QUERY), zeros(KEY), zeros(2, 3, 7, 6)
    assert prices.attention(None, query, key, value) == PAIRS * 8 + PAIRS * 6
    assert prices.attention_backward(None, None, query, key, value) == 3 * PAIRS * 8 + 2 * PAIRS * 6


@devices
@pytest.mark.parametrize("training", [False, True])
def test_transformer_encoder_layer(training, device):
    """torch's fast path is one operation for all of it; the count sees its parts."""
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True).train(training)
    report = count(layer, zeros(2, 5, 8, device=device))
    macs = projected(2, training)[-1] + 2 * (2 * 5 * 8 * 16)
    assert (report.macs, report.uncounted) == (macs, ())
    assert report.params == 4 * (8 * 8 + 8) + (8 * 16 + 16) + (16 * 8 + 8) + 2 * 16
    assert {row.where for row in report.rows} == {"self_attn", "linear1", "linear2"}
    assert count(layer, input_size=(2, 5, 8), backward=True).macs == 3 * macs


# ---- recurrent layers: at each of 5 steps of 2 sequences, 3 numbers in, a state of 4

PER_STEP = {"RNN": 1, "GRU": 3, "LSTM": 4}  # matrices for the input, and as many for the state


@devices
@pytest.mark.parametrize("kind", PER_STEP)
@pytest.mark.parametrize("depth, directions", [(1, 1), (2, 1), (2, 2)])
def test_a_recurrent_layer(kind, depth, directions, device):
    layer = getattr(nn, kind)(3, 4, num_layers=depth, bidirectional=directions == 2)
    report = count(layer, zeros(5, 2, 3, device=device))
    features = [3, 4 * directions][:depth]
    matrices = sum(directions * PER_STEP[kind] * (size * 4 + 4 * 4) for size in features)
    assert (report.macs, report.uncounted) == (5 * 2 * matrices, ())
    assert report.params == matrices + depth * directions * PER_STEP[kind] * 2 * 4


@pytest.mark.parametrize("kind", PER_STEP)
def test_a_recurrent_layer_s_backward(kind):
    """Three times forward; where the steps are seen one by one, without the gradient of the constant first state."""
    layer, x = getattr(nn, kind)(3, 4), zeros(5, 2, 3, requires_grad=True)
    forward, first = count(layer, x).macs, 2 * PER_STEP[kind] * 4 * 4
    at_once = kind == "LSTM" and torch.backends.mkldnn.is_available()
    assert count(layer, x, backward=True).macs == 3 * forward - (0 if at_once else first)
    assert count(layer, input_size=(5, 2, 3), backward=True).macs == 3 * forward - first


# ---- what is learnt, and what wants a gradient


@pytest.mark.parametrize("frozen, expected", [((), 6 - 1), ((0,), 4 - 1), ((1,), 5 - 1), ((0, 1), None)])
def test_frozen_parameters_cost_no_backward(frozen, expected):
    """Two layers of equal cost, an input without gradient: forward 2, then what has to be found."""
    model = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1))
    for index in frozen:
        model[index].requires_grad_(False)
    x, one = zeros(1, 4, 5, 6), 4 * 30 * 36
    if expected is None:
        with pytest.raises(ValueError, match="backward=True needs an output that depends on a tensor with requires_gr"):
            count(model, x, backward=True)
        assert count(model, input_size=x.shape, backward=True).macs == 4 * one  # through both, to the input
    else:
        assert count(model, x, backward=True).macs == expected * one


@pytest.mark.parametrize("function", [lambda x: x.detach(), lambda x: zeros(3), lambda x: 5])
def test_what_has_no_gradient_is_refused(function):
    with pytest.raises(ValueError, match="backward=True needs an output that depends on a tensor with requires_grad"):
        count(function, zeros(3, requires_grad=True), backward=True)


def test_only_the_bias_to_learn():
    layer = nn.Conv2d(3, 5, 2)
    layer.weight.requires_grad_(False)
    assert count(layer, zeros(1, 3, 7, 6), backward=True).macs == 5 * 30 * 12


def test_a_function_s_parameters_are_those_that_it_reads():
    parts, unread = [nn.Parameter(zeros(2, 3, 2, 2)), nn.Parameter(zeros(3, 3, 2, 2))], nn.Parameter(zeros(9))
    x, forward = zeros(1, 3, 7, 6), 5 * (6 * 5) * 12

    def function(x):
        return F.conv2d(x, torch.cat(parts)) + unread.shape[0]

    report = count(function, x, backward=True)
    assert (report.macs, report.params) == (2 * forward, 60)
    assert count(function, x.requires_grad_(), backward=True).macs == 3 * forward
    constant = torch.cat(parts).detach()
    assert count(lambda x: F.conv2d(x, constant), x, backward=True).macs == 2 * forward


def test_outputs_in_lists_and_dicts_are_all_followed():
    weights = [nn.Parameter(zeros(4, 5)) for _ in range(3)]

    def function(x):
        one, two, three = (x @ weight for weight in weights)
        return {"one": one, "more": [(two, None), three.detach()], "x": 3}

    assert count(function, zeros(2, 4), backward=True).macs == (2 + 2 + 1) * 40


def test_gradients_are_recorded_for_backward_only():
    seen, layer = [], nn.Linear(4, 5)
    layer.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    for around in (torch.no_grad, torch.enable_grad):
        with around():
            assert count(layer, zeros(2, 4)).macs == 40
            assert count(layer, zeros(2, 4), backward=True).macs == 80
    assert seen == [False, True] * 2


def test_a_recurrent_layer_in_one_operation():
    """As a GPU runs an LSTM: 5 steps of 2 sequences meet both matrices of each layer, and no bias."""
    weights = [zeros(28, 4), zeros(28, 7), zeros(28), zeros(28), zeros(28, 7), zeros(28, 7), zeros(28), zeros(28)]
    assert prices.cudnn_rnn(None, zeros(5, 2, 4), weights) == 5 * 2 * 28 * (4 + 7 + 7 + 7)
