"""count() of matrix products, einsum, attention, recurrent layers and convolutions made of products."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib.counting import count, prices

devices = pytest.mark.parametrize("device", ["cpu", "meta"])

# {name: (function, shapes, MACs)}: every number of the result is a sum over the axis that vanishes
PRODUCTS = {
    "matmul 1, 1": (torch.matmul, [(4,), (4,)], 4),
    "matmul 1, 2": (torch.matmul, [(4,), (4, 5)], 5 * 4),
    "matmul 2, 1": (torch.matmul, [(3, 4), (4,)], 3 * 4),
    "matmul 2, 2": (torch.matmul, [(3, 4), (4, 5)], 3 * 5 * 4),
    "matmul 1, 3": (torch.matmul, [(4,), (2, 4, 5)], 2 * 5 * 4),
    "matmul 3, 1": (torch.matmul, [(2, 3, 4), (4,)], 2 * 3 * 4),
    "matmul 2, 3": (torch.matmul, [(3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "matmul 3, 2": (torch.matmul, [(2, 3, 4), (4, 5)], 2 * 3 * 5 * 4),
    "matmul 3, 3": (torch.matmul, [(2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "matmul 4, 1": (torch.matmul, [(2, 7, 3, 4), (4,)], 2 * 7 * 3 * 4),
    "matmul 4, 2": (torch.matmul, [(2, 7, 3, 4), (4, 5)], 2 * 7 * 3 * 5 * 4),
    "matmul 4, 3, broadcast": (torch.matmul, [(2, 1, 3, 4), (7, 4, 5)], 2 * 7 * 3 * 5 * 4),
    "matmul 4, 4": (torch.matmul, [(2, 7, 3, 4), (2, 7, 4, 5)], 2 * 7 * 3 * 5 * 4),
    "@": (lambda a, b: a @ b, [(3, 4), (4, 5)], 3 * 5 * 4),
    "mm": (torch.mm, [(3, 4), (4, 5)], 3 * 5 * 4),
    "mm, out": (lambda a, b: torch.mm(a, b, out=torch.empty(3, 5, device=a.device)), [(3, 4), (4, 5)], 3 * 5 * 4),
    "mv": (torch.mv, [(3, 4), (4,)], 3 * 4),
    "dot": (torch.dot, [(4,), (4,)], 4),
    "vdot": (torch.vdot, [(4,), (4,)], 4),
    "inner": (torch.inner, [(3, 4), (5, 4)], 3 * 5 * 4),
    "tensordot": (lambda a, b: torch.tensordot(a, b, dims=2), [(2, 3, 4), (3, 4, 5)], 2 * 5 * 12),
    "multi_dot": (lambda *abc: torch.linalg.multi_dot(abc), [(2, 3), (3, 4), (4, 5)], 2 * 4 * 3 + 2 * 5 * 4),
    "bmm": (torch.bmm, [(2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "addmm": (torch.addmm, [(3, 5), (3, 4), (4, 5)], 3 * 5 * 4),
    "addmm, scaled": (lambda *t: torch.addmm(*t, beta=2, alpha=3), [(5,), (3, 4), (4, 5)], 3 * 5 * 4),
    "addmm, in place": (lambda c, a, b: c.addmm_(a, b), [(3, 5), (3, 4), (4, 5)], 3 * 5 * 4),
    "addmv": (torch.addmv, [(3,), (3, 4), (4,)], 3 * 4),
    "addmv, in place": (lambda c, a, b: c.addmv_(a, b), [(3,), (3, 4), (4,)], 3 * 4),
    "baddbmm": (torch.baddbmm, [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "baddbmm, in place": (lambda c, a, b: c.baddbmm_(a, b), [(2, 3, 5), (2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4),
    "addbmm sums over the batch": (torch.addbmm, [(3, 5), (2, 3, 4), (2, 4, 5)], 3 * 5 * 2 * 4),
    "addbmm, in place": (lambda c, a, b: c.addbmm_(a, b), [(3, 5), (2, 3, 4), (2, 4, 5)], 3 * 5 * 2 * 4),
    "vmap": (torch.vmap(torch.mv), [(6, 3, 4), (6, 4)], 6 * 3 * 4),
}


@devices
@pytest.mark.parametrize("function, shapes, macs", PRODUCTS.values(), ids=PRODUCTS)
def test_a_matrix_product(function, shapes, macs, device):
    report = count(function, *(torch.zeros(shape, device=device) for shape in shapes))
    assert (report.macs, report.params, report.uncounted) == (macs, 0, ())


# {equation: (shapes, MACs, multiplications left elementwise)}
EINSUMS = {
    "ij,jk->ik": ([(3, 4), (4, 5)], 3 * 5 * 4, 0),
    "bij,bjk->bik": ([(2, 3, 4), (2, 4, 5)], 2 * 3 * 5 * 4, 0),
    "bhid,bhjd->bhij": ([(2, 3, 4, 5), (2, 3, 6, 5)], 2 * 3 * 4 * 6 * 5, 0),
    "nchw,oc->nohw": ([(2, 3, 4, 5), (7, 3)], 2 * 7 * 20 * 3, 0),
    "nckl,ock->nol": ([(2, 3, 4, 5), (7, 3, 4)], 2 * 7 * 5 * 12, 0),
    "nckl,ck->ncl": ([(2, 3, 4, 5), (3, 4)], 2 * 3 * 5 * 4, 0),
    "ij,ij->": ([(3, 4), (3, 4)], 12, 0),
    "ij,ij->i": ([(3, 4), (3, 4)], 12, 0),
    "ij,jk,kl->il": ([(2, 3), (3, 4), (4, 5)], 2 * 4 * 3 + 2 * 5 * 4, 0),
    "ij,ij->ij": ([(3, 4), (3, 4)], 0, 1),
    "i,j->ij": ([(3,), (4,)], 0, 1),
    "ij->ji": ([(3, 4)], 0, 0),
    "ij->i": ([(3, 4)], 0, 0),
}


@devices
@pytest.mark.parametrize("equation", EINSUMS)
def test_einsum(equation, device):
    shapes, macs, multiplications = EINSUMS[equation]
    tensors = [torch.zeros(shape, device=device) for shape in shapes]
    report = count(lambda *factors: torch.einsum(equation, *factors), *tensors)
    assert (report.macs, report.uncounted) == (macs, ())
    assert sum(entry.calls for entry in report.other if entry.operation == "mul") == multiplications


@devices
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_a_convolution_of_unfold_and_a_product(groups, device):
    out_channels = 8
    weight = nn.Parameter(torch.zeros(out_channels, 4 // groups, 3, 2, device=device))

    def by_einsum(x):
        columns = F.unfold(x, (3, 2)).unflatten(1, (groups, -1))  # (N, groups, C_in/groups * K, L)
        return torch.einsum("ngkl,gok->ngol", columns, weight.reshape(groups, out_channels // groups, -1))

    def by_matmul(x):
        columns = F.unfold(x, (3, 2)).unflatten(1, (groups, -1))
        return weight.reshape(groups, out_channels // groups, -1) @ columns

    x = torch.zeros(2, 4, 7, 6, device=device)
    macs = 2 * out_channels * (5 * 5) * (4 // groups) * 6
    for function in (by_einsum, by_matmul, lambda x: F.conv2d(x, weight, groups=groups)):
        report = count(function, x)
        assert (report.macs, report.params) == (macs, weight.numel())


# ---- attention: every query meets every key, and every weight a value


def attention(**options):
    return lambda query, key, value: F.scaled_dot_product_attention(query, key, value, **options)


def masked(query, key, value):
    mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device)
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


# {name: (function, shape of query, key and value, MACs)}; batch 2, 3 heads, 5 queries, 7 keys
ATTENTION = {
    "plain": (attention(), (2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 8), 2 * 3 * 5 * 7 * (8 + 8)),
    "values of another size": (attention(), (2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 6), 2 * 3 * 5 * 7 * (8 + 6)),
    "three axes": (attention(), (3, 5, 8), (3, 7, 8), (3, 7, 8), 3 * 5 * 7 * 16),
    "masked": (masked, (2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 8), 2 * 3 * 5 * 7 * 16),
    "causal": (attention(is_causal=True), (2, 3, 5, 8), (2, 3, 5, 8), (2, 3, 5, 8), 2 * 3 * 5 * 5 * 16),
    "dropout": (attention(dropout_p=0.5), (2, 3, 5, 8), (2, 3, 7, 8), (2, 3, 7, 8), 2 * 3 * 5 * 7 * 16),
    "grouped queries": (attention(enable_gqa=True), (2, 6, 5, 8), (2, 3, 7, 8), (2, 3, 7, 8), 2 * 6 * 5 * 7 * 16),
}


@devices
@pytest.mark.parametrize("function, query, key, value, macs", ATTENTION.values(), ids=ATTENTION)
def test_scaled_dot_product_attention(function, query, key, value, macs, device):
    report = count(function, *(torch.zeros(shape, device=device) for shape in (query, key, value)))
    assert (report.macs, report.uncounted) == (macs, ())


def test_one_operation_for_values_of_another_size():
    """Only a GPU runs this one: its price alone. Two products forward; backward one of them again, and four more."""
    query, key, value = torch.zeros(2, 3, 5, 8), torch.zeros(2, 3, 7, 8), torch.zeros(2, 3, 7, 6)
    pairs = 2 * 3 * 5 * 7
    assert prices.attention(None, query, key, value) == pairs * 8 + pairs * 6
    assert prices.attention_backward(None, None, query, key, value) == 3 * pairs * 8 + 2 * pairs * 6


@devices
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_multihead_attention(heads, training, device):
    """Four projections of 8 to 8, and the attention, the same for any number of heads; batch 2, 5 positions."""
    layer = nn.MultiheadAttention(8, heads, batch_first=True).train(training)
    x = torch.zeros(2, 5, 8, device=device)
    report = count(layer, x, x, x)
    assert report.macs == 4 * (2 * 5 * 8 * 8) + 2 * 5 * 5 * (8 + 8)
    assert report.params == 4 * (8 * 8 + 8)
    assert (layer.training, report.uncounted) == (training, ())


@devices
@pytest.mark.parametrize("training", [False, True])
def test_transformer_encoder_layer(training, device):
    """torch's fast path is one operation for all of it; the count sees its parts."""
    layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True).train(training)
    report = count(layer, torch.zeros(2, 5, 8, device=device))
    attention_macs = 4 * (2 * 5 * 8 * 8) + 2 * 5 * 5 * (8 + 8)
    assert report.macs == attention_macs + 2 * (2 * 5 * 8 * 16)
    assert report.params == 4 * (8 * 8 + 8) + (8 * 16 + 16) + (16 * 8 + 8) + 2 * 16
    assert {row.where for row in report.rows} == {"self_attn", "linear1", "linear2"}
    assert report.uncounted == ()


# ---- recurrent layers: at each of 5 steps of 2 sequences, 3 numbers in, a state of 4

PER_STEP = {"RNN": 1, "GRU": 3, "LSTM": 4}  # matrices for the input, and as many for the state


@devices
@pytest.mark.parametrize("kind", PER_STEP)
@pytest.mark.parametrize("options, layers", [({}, [3]), ({"num_layers": 2}, [3, 4])], ids=["one", "two"])
@pytest.mark.parametrize("directions", [1, 2])
def test_a_recurrent_layer(kind, options, layers, directions, device):
    layer = getattr(nn, kind)(3, 4, bidirectional=directions == 2, **options)
    report = count(layer, torch.zeros(5, 2, 3, device=device))
    features = [layers[0], *(size * directions for size in layers[1:])]
    matrices = sum(directions * PER_STEP[kind] * (size * 4 + 4 * 4) for size in features)
    assert report.macs == 5 * 2 * matrices
    assert report.params == matrices + len(features) * directions * PER_STEP[kind] * 2 * 4
    assert report.uncounted == ()


@devices
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_an_lstm_with_a_projection(device):
    report = count(nn.LSTM(3, 4, proj_size=2), torch.zeros(5, 2, 3, device=device))
    assert (report.macs, report.uncounted) == (5 * 2 * (4 * (3 * 4 + 2 * 4) + 4 * 2), ())


@devices
def test_recurrent_cells(device):
    x = torch.zeros(2, 3, device=device)
    assert count(nn.LSTMCell(3, 4), x).macs == 2 * 4 * (3 * 4 + 4 * 4)
    assert count(nn.GRUCell(3, 4), x).macs == 2 * 3 * (3 * 4 + 4 * 4)
