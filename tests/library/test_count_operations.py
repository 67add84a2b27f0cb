"""Which operations have a price, which by convention none, and which are named as unknown: all of torch.ops.aten."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from dslib.counting import count
from dslib.counting.prices import facts
from dslib.models.ghostnet import SqueezeExcite

devices = pytest.mark.parametrize("device", ["cpu", "meta"])
ones = torch.ones


@torch.library.custom_op("counted::convolve", mutates_args=())
def convolve(x: torch.Tensor, weight: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
    return F.conv2d(x, weight)


@convolve.register_fake
def _(x, weight, scale=1.0):
    return F.conv2d(x, weight)


def run(x):
    return convolve(x, torch.zeros(5, 3, 2, 2, device=x.device), scale=2.0)


IMAGE, GROUPS = ones(2, 4, 8, 6), torch.tensor([4, 16], dtype=torch.int32)
A, EXPERTS, SCALED = ones(16, 16).bfloat16(), ones(2, 16, 32).bfloat16(), ones(16, 32).to(torch.float8_e4m3fn)
# {name: (function, tensors, MACs)}
PRICED = {
    "complex convolution": (nn.Conv2d(3, 6, 3, bias=False, dtype=torch.cfloat), [ones(1, 3, 6, 6) + 0j], 3 * 2592),
    "bilinear": (nn.Bilinear(3, 4, 5), [ones(2, 3), ones(2, 4)], 2 * 5 * (3 * 4 + 4)),
    "bilinear of nothing": (nn.Bilinear(3, 4, 5), [ones(0, 3), ones(0, 4)], 0),
    "outer product": (torch.addr, [ones(3, 4), ones(3), ones(4)], 12),
    "many points": (torch.cdist, [ones(30, 4), ones(40, 4)], 30 * 40 * (4 + 2)),
    "grid": (lambda theta: F.affine_grid(theta, (2, 3, 5, 6), False), [ones(2, 2, 3)], 2 * 5 * 6 * 2 * 3),
    "squeeze and excite": (SqueezeExcite(8), [ones(1, 8, 5, 6)], 2 * 8 * 4),
}
ON_ONE_DEVICE = {
    "direct convolution": (
        lambda x, w: torch.ops.aten.mkldnn_convolution(x, w, None, [0, 0], [1, 1], [1, 1], 2),
        [ones(1, 4, 8, 7), ones(6, 2, 3, 2)],
        6 * 6 * 6 * 2 * 6,
    ),
    "scaled numbers": (
        lambda a, scale: torch._scaled_mm(a, a.mT, scale, scale),
        [SCALED.to("meta"), ones((), device="meta")],
        16 * 16 * 32,
    ),
}
if hasattr(torch, "_grouped_mm"):  # a newer torch
    # each row meets one expert; of two flat matrices each expert sums over a part of the 16
    PRICED["experts"] = torch._grouped_mm, [A, EXPERTS, GROUPS], 16 * 16 * 32
    PRICED["experts, summed"] = torch._grouped_mm, [A, EXPERTS[0], GROUPS], 16 * 16 * 32
if hasattr(torch, "jagged"):
    jagged = torch.nested.nested_tensor([ones(3, 8), ones(5, 8)], layout=torch.jagged)
    ON_ONE_DEVICE["jagged"] = nn.Linear(8, 5), [jagged], (3 + 5) * 8 * 5


@devices
@pytest.mark.parametrize("name", [*PRICED, *ON_ONE_DEVICE])
def test_a_price(name, device):
    function, tensors, macs = (PRICED | ON_ONE_DEVICE)[name]
    report = count(function, *(tensor if name in ON_ONE_DEVICE else tensor.to(device) for tensor in tensors))
    assert (report.macs, report.uncounted) == (macs, ())


# ---- prices of the user's own


@devices
@pytest.mark.parametrize("op", [torch.ops.counted.convolve, torch.ops.counted.convolve.default], ids=["packet", "one"])
def test_a_price_of_the_user_s_own(op, device):
    report = count(
        run,
        ones(1, 3, 7, 6, device=device),
        prices={
            op: lambda out, x, weight, scale: int(scale) * out.numel() * weight[0].numel(),
            torch.ops.aten.zeros: lambda out, *rest, **more: 7,  # in place of a built-in one
        },
    )
    assert [(row.operation, row.macs) for row in report.rows] == [("zeros", 7), ("counted::convolve", 2 * 1800)]
    assert report.uncounted == ()


@pytest.mark.parametrize("found", [-1, 2.5, None, True, "7"], ids=repr)
def test_a_price_that_is_no_number_of_macs_is_refused(found):
    words = rf"the price of counted.convolve must be MACs .*, got {re.escape(repr(found))}"
    with pytest.raises(ValueError, match=words):
        count(run, ones(1, 3, 7, 6), prices={torch.ops.counted.convolve: lambda *args, **options: found})


@pytest.mark.parametrize("op", [F.conv2d, "conv2d", nn.Conv2d], ids=["function", "name", "layer"])
def test_prices_are_for_operations_of_torch(op):
    with pytest.raises(ValueError, match=r"prices must be \{operation of torch.ops: function\}, got"):
        count(run, ones(1, 3, 7, 6), prices={op: lambda *args: 0})


@pytest.mark.parametrize(
    "prices, words",
    [
        ([1], r"prices must be \{operation of torch.ops: function\}, got \[1\]"),
        ({torch.ops.counted.convolve: lambda out: 1}, "the price of counted.convolve raised TypeError: .* takes 1 pos"),
    ],
)
def test_prices_that_cannot_be_called_are_refused(prices, words):
    with pytest.raises(ValueError, match=words):
        count(run, ones(1, 3, 7, 6), prices=prices)


# ---- no MACs by convention, and what is named, never a silent zero


def residual(x):
    return x + x * F.relu(x) * x.mean((2, 3), keepdim=True).sigmoid()


# {name: (function, calls in `other`, calls in `uncounted`)}
WITHOUT_MACS = {
    "batch norm in inference": (nn.BatchNorm2d(4).eval(), {"native_batch_norm": 1}, {}),
    "gates": (nn.Sequential(nn.SiLU(), nn.Hardswish(), nn.GLU(1)), {"silu": 1, "hardswish": 1, "glu": 1}, {}),
    "pooling": (nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)), {"max_pool2d_with_indices": 1, "mean": 1}, {}),
    "norms": (nn.Sequential(nn.GroupNorm(2, 4), nn.LayerNorm(6)), {"native_group_norm": 1, "native_layer_norm": 1}, {}),
    "softmax": (nn.Softmax(1), {"_softmax": 1}, {}),
    "upsampling": (nn.Upsample(scale_factor=2), {"upsample_nearest2d": 1}, {}),
    "scales and residuals": (residual, {"relu": 1, "mul": 2, "mean": 1, "sigmoid": 1, "add": 1}, {}),
    "products by hand": (lambda x: torch.einsum("nchw,nchw->nchw", x, x), {"mul": 1}, {}),
    "there and back": (lambda x: torch.fft.irfft2(torch.fft.rfft2(x)), {}, {"_fft_r2c": 1, "_fft_c2r": 1}),
    "inverse": (lambda x: torch.linalg.inv(x[..., :6, :]), {}, {"linalg_inv_ex": 1}),
    "custom operation": (lambda x: run(x[:, :3]), {}, {"counted::convolve": 1}),
}


@devices
@pytest.mark.parametrize("function, other, unknown", WITHOUT_MACS.values(), ids=WITHOUT_MACS)
def test_what_has_no_macs_or_no_price(function, other, unknown, device):
    report = count(function, torch.rand(IMAGE.shape, device=device))
    assert (report.macs, report.rows) == (0, ()) and report.params == sum(entry.params for entry in report.other)
    for found, expected in ((report.other, other), (report.uncounted, unknown)):
        assert {entry.operation: entry.calls for entry in found} == expected
    assert ("NOT COUNTED, no price known (calls): " in str(report)) == bool(unknown)


def test_elements_and_scalars_of_what_is_no_mac():
    scale, embedding = nn.Parameter(torch.zeros(4, 1, 1)), nn.Embedding(10, 4)
    (entry,) = count(lambda x: scale * x, IMAGE).other
    assert (entry.operation, entry.calls, entry.elements, entry.params) == ("mul", 1, 2 * 4 * 8 * 6, 4)
    for device in ("cpu", "meta"):
        report = count(nn.Sequential(embedding, nn.Linear(4, 5)), torch.zeros(2, dtype=torch.long, device=device))
        assert [(entry.operation, entry.params) for entry in report.other] == [("embedding", 40)]
        assert (report.macs, report.rows[0].params, report.uncounted) == (2 * 20, 25, ())


def test_operators_that_run_functions_are_named():
    def branch(x):
        return torch.cond(x.sum() > 0, lambda x: x @ x, lambda x: x, (x,))

    if not hasattr(TorchDispatchMode, "supports_higher_order_operators"):  # torch 2.6 refuses them by itself
        with pytest.raises(NotImplementedError, match="cond"):
            count(branch, ones(3, 3))
        return
    assert [entry.operation for entry in count(branch, ones(3, 3)).uncounted] == ["cond"]


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning", "ignore:The PyTorch API of nested:UserWarning")
def test_products_of_other_layouts_are_named():
    report = count(torch.matmul, torch.eye(4).to_sparse_csr(), ones(4, 5))
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


def test_nothing_that_multiplies_and_adds_is_free_and_nothing_else_is_unknown():
    kinds = {}
    for name, operation in operations():
        kinds.setdefault(facts(operation).kind, set()).add(name)
    assert len(kinds["free"]) > 250 and len(kinds["other"]) > 500 and len(kinds["unknown"]) < 130
    assert {name for name in kinds["free"] | kinds["other"] if SUSPICIOUS.search(name)} <= HARMLESS
    assert {"_fft_c2c", "linalg_solve_triangular", "_linalg_svd", "slow_conv_transpose2d"} <= kinds["unknown"]
    assert {"mm", "addmm_", "baddbmm", "convolution", "_trilinear"} <= kinds["priced"]
    packets = [getattr(torch.ops.aten, name) for name in NO_MACS]
    found = {op.__name__: {facts(getattr(op, variant)).kind for variant in op.overloads()} for op in packets}
    assert {name: kinds for name, kinds in found.items() if not kinds <= {"free", "other"}} == {}
