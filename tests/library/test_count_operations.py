"""Which operations have a price, which by convention none, and which are named as unknown: all of torch.ops.aten."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dslib.counting import count
from dslib.counting.prices import facts

devices = pytest.mark.parametrize("device", ["cpu", "meta"])
ones = torch.ones

# {name: (function, tensors, MACs)}
PRICED = {
    "complex convolution": (nn.Conv2d(3, 6, 3, bias=False, dtype=torch.cfloat), [ones(1, 3, 6, 6) + 0j], 3 * 2592),
    "bilinear": (nn.Bilinear(3, 4, 5), [ones(2, 3), ones(2, 4)], 2 * 5 * (3 * 4 + 4)),
    "outer product": (torch.addr, [ones(3, 4), ones(3), ones(4)], 12),
    "many points": (torch.cdist, [ones(30, 4), ones(40, 4)], 30 * 40 * (4 + 2)),
    "grid": (lambda theta: F.affine_grid(theta, (2, 3, 5, 6), False), [ones(2, 2, 3)], 2 * 5 * 6 * 2 * 3),
}


@devices
@pytest.mark.parametrize("function, tensors, macs", PRICED.values(), ids=PRICED)
def test_a_price(function, tensors, macs, device):
    report = count(function, *(tensor.to(device) for tensor in tensors))
    assert (report.macs, report.uncounted) == (macs, ())


def test_a_direct_convolution_of_a_backend():
    x, weight = ones(1, 4, 8, 7), ones(6, 2, 3, 2)
    report = count(torch.ops.aten.mkldnn_convolution, x, weight, None, [0, 0], [1, 1], [1, 1], 2)
    assert (report.macs, report.uncounted) == (6 * 6 * 6 * 2 * 6, ())


@pytest.mark.skipif(not hasattr(torch, "_grouped_mm"), reason="a newer torch")
@devices
def test_a_mixture_of_experts(device):
    a, b = ones(16, 16, dtype=torch.bfloat16, device=device), ones(2, 16, 32, dtype=torch.bfloat16, device=device)
    groups = torch.tensor([4, 16], dtype=torch.int32, device=device)
    assert count(torch._grouped_mm, a, b, groups).macs == 16 * 16 * 32  # each row meets one expert
    assert count(torch._grouped_mm, a, b[0], groups).macs == 16 * 16 * 32  # each expert sums over a part of the 16


def test_a_product_of_scaled_numbers():
    a, scale = ones(16, 32, device="meta").to(torch.float8_e4m3fn), ones((), device="meta")
    assert count(torch._scaled_mm, a, a.mT, scale, scale).macs == 16 * 16 * 32


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_a_recurrent_layer_s_backward(kind):
    """Three times forward; where the steps are seen one by one, without the gradient of the constant first state."""
    layer, x = getattr(nn, kind)(3, 4), ones(5, 2, 3, requires_grad=True)
    forward, first = count(layer, x).macs, 2 * {"RNN": 1, "GRU": 3, "LSTM": 4}[kind] * 4 * 4
    at_once = kind == "LSTM" and torch.backends.mkldnn.is_available()
    assert count(layer, x, backward=True).macs == 3 * forward - (0 if at_once else first)
    assert count(layer, input_size=(5, 2, 3), backward=True).macs == 3 * forward - first


def test_a_nested_tensor():
    if not hasattr(torch, "jagged"):
        pytest.skip("a newer torch")
    x = torch.nested.nested_tensor([ones(3, 8), ones(5, 8)], layout=torch.jagged)
    report = count(nn.Linear(8, 5), x)
    assert (report.macs, report.uncounted) == ((3 + 5) * 8 * 5, ())


# ---- prices of the user's own


@torch.library.custom_op("counted::convolve", mutates_args=())
def convolve(x: torch.Tensor, weight: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    return F.conv2d(x, weight)


@convolve.register_fake
def _(x, weight, scale=1.0):
    return F.conv2d(x, weight)


def run(x):
    return convolve(x, torch.zeros(5, 3, 2, 2, device=x.device), scale=2.0)


@devices
@pytest.mark.parametrize("op", [torch.ops.counted.convolve, torch.ops.counted.convolve.default], ids=["packet", "one"])
def test_a_price_of_the_user_s_own(op, device):
    x = torch.zeros(1, 3, 7, 6, device=device)
    assert [entry.operation for entry in count(run, x).uncounted] == ["counted::convolve"]
    report = count(run, x, prices={op: lambda out, x, weight, scale: int(scale) * out.numel() * weight[0].numel()})
    assert (report.macs, report.rows[0].operation, report.uncounted) == (2 * 1800, "counted::convolve", ())


def test_a_price_in_place_of_a_built_in_one():
    assert count(nn.Linear(4, 5), ones(2, 4), prices={torch.ops.aten.addmm: lambda out, *rest, **more: 7}).macs == 7


@pytest.mark.parametrize("found", [-1, 2.5, None, True, "7"], ids=repr)
def test_a_price_that_is_no_number_of_macs_is_refused(found):
    with pytest.raises(
        ValueError, match=rf"the price of counted.convolve must be MACs .*, got {re.escape(repr(found))}"
    ):
        count(run, torch.zeros(1, 3, 7, 6), prices={torch.ops.counted.convolve: lambda *args, **options: found})


@pytest.mark.parametrize("op", [F.conv2d, "conv2d", nn.Conv2d], ids=repr)
def test_prices_are_for_operations_of_torch(op):
    with pytest.raises(ValueError, match=r"prices must be \{operation of torch.ops: function\}, got"):
        count(run, torch.zeros(1, 3, 7, 6), prices={op: lambda *args: 0})


# ---- named, never a silent zero

UNCOUNTED = {
    "there and back": (lambda x: torch.fft.irfft2(torch.fft.rfft2(x)), {"_fft_r2c": 1, "_fft_c2r": 1}),
    "custom operation": (run, {"counted::convolve": 1}),
    "inverse": (lambda x: torch.linalg.inv(x), {"linalg_inv_ex": 1}),
}


@devices
@pytest.mark.parametrize("function, expected", UNCOUNTED.values(), ids=UNCOUNTED)
def test_what_has_no_price_is_listed(function, expected, device):
    report = count(function, torch.eye(6, device=device).repeat(1, 3, 1, 1))
    assert {entry.operation: entry.calls for entry in report.uncounted} == expected
    assert (report.macs, report.rows) == (0, ()) and "NOT COUNTED, no price known (calls): " in str(report)


def test_operators_that_run_functions_are_named():
    def branch(x):
        return torch.cond(x.sum() > 0, lambda x: x @ x, lambda x: x, (x,))

    if not hasattr(TorchDispatchMode, "supports_higher_order_operators"):  # torch 2.6 refuses them by itself
        with pytest.raises(NotImplementedError, match="cond"):
            count(branch, torch.ones(3, 3))
        return
    assert [entry.operation for entry in count(branch, torch.ones(3, 3)).uncounted] == ["cond"]


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning", "ignore:The PyTorch API of nested:UserWarning")
def test_products_of_other_layouts_are_named():
    report = count(torch.matmul, torch.eye(4).to_sparse_csr(), torch.ones(4, 5))
    assert report.macs == 0 and report.uncounted
    report = count(nn.Linear(8, 5), torch.nested.nested_tensor([ones(3, 8), ones(5, 8)]))
    assert (report.macs, [entry.operation for entry in report.uncounted]) == (0, ["linear"])


# ---- all of aten

NO_MACS = """
    floor_divide repeat_interleave take put index_fill kthvalue mode multinomial polar hann_window _pack_padded_sequence
    _foreach_add_ _foreach_copy_ _foreach_norm fake_quantize_per_tensor_affine_cachemask quantize_per_tensor cumsum
    _fused_adam_ batch_norm_stats upsample_bilinear2d max_pool3d_with_indices nll_loss_backward _thnn_fused_lstm_cell
    _to_sparse as_strided_copy poisson segment_reduce histogram unique_consecutive soft_margin_loss_backward rot90
""".split()
# whose names say that they multiply and add, or might
SUSPICIOUS = re.compile(
    r"mm(_|$)|conv(_|olution|\d|$)|linear(?!1d|2d)|matmul|fft_(c2|r2)|attention|(?<!fused_)(rnn|lstm|gru)(?!_cell|_flatten)|"
    r"solve|cholesky|inv_ex|_qr|eig|svd|slogdet|lstsq|householder|ormqr|matrix_exp|trilinear$|cdist|addr|addm|baddb"
)
HARMLESS = {"mkldnn_reorder_conv2d_weight", "mkldnn_reorder_conv3d_weight", "_cudnn_rnn_flatten_weight"}
HARMLESS |= {"_weight_norm_interface", "upsample_trilinear3d", "upsample_trilinear3d_backward"}
HARMLESS |= {"_weight_norm_interface_backward"}


def operations():
    """``{name: operation}`` of those in aten that torch does not take apart by itself."""
    for full in sorted({name.split(".")[0] for name in torch._C._dispatch_get_all_op_names() if name[:6] == "aten::"}):
        packet = getattr(torch.ops.aten, full.removeprefix("aten::"), None)
        for variant in packet.overloads() if packet is not None else ():
            try:
                if not getattr(packet, variant).has_kernel_for_dispatch_key("CompositeImplicitAutograd"):
                    yield packet.__name__, getattr(packet, variant)
            except RuntimeError:  # for TorchScript only
                pass


@pytest.mark.parametrize("name", NO_MACS)
def test_what_does_no_macs_is_not_named_as_unknown(name):
    packet = getattr(torch.ops.aten, name)
    assert {facts(getattr(packet, variant)).kind for variant in packet.overloads()} <= {"free", "other"}


def test_nothing_that_multiplies_and_adds_is_free():
    kinds = {}
    for name, operation in operations():
        kinds.setdefault(facts(operation).kind, set()).add(name)
    assert len(kinds["free"]) > 250 and len(kinds["other"]) > 500 and len(kinds["unknown"]) < 130
    assert {name for name in kinds["free"] | kinds["other"] if SUSPICIOUS.search(name)} <= HARMLESS
    for name in ("_fft_c2c", "linalg_solve_triangular", "_linalg_svd", "slow_conv_transpose2d", "_sparse_addmm"):
        assert name in kinds["unknown"]
    assert {"mm", "addmm_", "baddbmm", "convolution", "_trilinear"} <= kinds["priced"]


# ---- parameters


@pytest.mark.parametrize("read", [torch.clone, lambda weight: weight.to(torch.bfloat16)])
def test_the_parameters_of_a_copy_are_the_parameters(read):
    class Copied(nn.Linear):
        def forward(self, x):
            return F.linear(x.to(read(self.weight).dtype), read(self.weight))

    report = count(Copied(4, 5, bias=False), input_size=(2, 4), backward=True)
    assert [row.params for row in report.rows] == [20, 0, 0]
    assert "weight (backward)" in [row.where for row in report.rows]


@devices
def test_the_look_up_of_an_embedding_holds_its_parameters(device):
    report = count(nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 5)), torch.zeros(2, dtype=torch.long, device=device))
    assert [(entry.operation, entry.params) for entry in report.other] == [("embedding", 40)]
    assert report.rows[0].params == 25
