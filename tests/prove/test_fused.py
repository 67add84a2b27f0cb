"""The fused kernel in Triton's interpreter, on the CPU, against torch's convolutions and those by hand.

The environment chooses Triton's interpreter or its compiler for a whole process, so the kernel runs in processes of its
own. Triton must be installed: `make prove` runs this file where it is.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from benchmarks import fused
from dslib import functional

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")


def run(script, *arguments, **environment):
    """Run the script in a process of its own; what it printed. If it fails, so does the test."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRITON_")}
    environment = inherited | environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- cases ---------------------------------------------------------------------------------------------------------


def randn(*shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def case(x_shape, kernel_size=(3, 3), C_out=4, m=1, biases=False, block_sizes=(16, 16, 16), seed=0, **settings):
    """Arguments of the fused function, by name, with random numbers in the tensors."""
    C_mid = x_shape[-3] * m
    arguments = {
        "x": randn(*x_shape, seed=seed),
        "depthwise_weight": randn(C_mid, 1, *kernel_size, seed=seed + 1),
        "pointwise_weight": randn(C_out, C_mid, 1, 1, seed=seed + 2),
    }
    if biases:
        arguments |= {"depthwise_bias": randn(C_mid, seed=seed + 3), "pointwise_bias": randn(C_out, seed=seed + 4)}
    return arguments | settings | ({"block_sizes": block_sizes} if block_sizes else {})


def drawn(seed):
    """A legal case, drawn from the settings where convolutions go wrong."""
    draw = random.Random(seed)
    kernel_size, dilation = draw.choices(range(1, 5), k=2), draw.choices((1, 2, 3), k=2)
    padding = draw.choice(["same", "valid", draw.choices(range(3), k=2)])
    stride = [1, 1] if padding == "same" else draw.choices((1, 2, 3), k=2)
    size = [d * (k - 1) + 1 + draw.randrange(4) for k, d in zip(kernel_size, dilation, strict=True)]
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "block_sizes": draw.choices((16, 32), k=3)}
    settings |= {name: draw.choice([None, "relu"]) for name in ("activation_between", "activation")}
    channels = {"C_out": draw.randint(1, 40), "m": draw.randint(1, 3), "biases": draw.random() < 0.5}
    return case((draw.randint(1, 2), draw.randint(1, 20), *size), kernel_size, seed=10 * seed, **channels, **settings)


def changed(arguments, change, *names):
    """The case with the named tensors changed, or all of them."""
    tensors = {name: value for name, value in arguments.items() if isinstance(value, torch.Tensor)}
    return arguments | {name: change(value) for name, value in tensors.items() if name in names or not names}


def spread(tensor):
    """The same numbers, two apart in memory."""
    return torch.stack([tensor, tensor], dim=-1)[..., 0]


RELUS = {"activation_between": "relu", "activation": "relu"}
BLOCK = {"padding": 1, "biases": True, **RELUS}  # as in MobileNetV1, norms folded
FIRST = torch.tensor([0])
MOBILENET = case((2, 24, 7, 5), C_out=40, **BLOCK)
CASES = {
    "blocks filled exactly": case((1, 16, 4, 4), C_out=16, padding=1),
    "one too many for a block": case((1, 17, 1, 17), C_out=17, padding=1),
    "default blocks": case((2, 33, 5, 5), C_out=130, padding=1, block_sizes=None),
    "MobileNetV1": MOBILENET,
    "MobileNetV1, stride 2": MOBILENET | {"stride": 2},
    "ReLU between alone": case((1, 3, 4, 4), activation_between="relu"),
    "ReLU at the end alone": case((1, 3, 4, 4), activation="relu"),
    "bias between alone": case((1, 3, 4, 4), biases=True) | {"pointwise_bias": None},
    "bias at the end alone": case((1, 3, 4, 4), biases=True) | {"depthwise_bias": None},
    "one image": case((5, 6, 7), padding=1, stride=2, biases=True),
    "depth multiplier 3": case((1, 7, 5, 6), m=3, C_out=18, padding=1),
    "even kernel, same": case((1, 2, 5, 8), (2, 4), padding="same", dilation=(3, 1)),
    "kernel in padding only": case((1, 1, 1, 1), (1, 1), C_out=1, padding=(2, 1)),
    "empty batch": case((0, 3, 4, 4)),
    "channels_last": changed(MOBILENET, lambda x: x.to(memory_format=torch.channels_last), "x"),
    "every second pixel": changed(case((2, 3, 9, 12), padding=1), lambda x: x[:, :, ::2, ::2], "x"),
    "one image, twice": changed(case((1, 3, 5, 6), padding=1), lambda x: x.expand(2, -1, -1, -1), "x"),
    "spread in memory": changed(MOBILENET, spread),
    "not a number": changed(case((1, 2, 3, 6), padding=1, **RELUS), lambda x: x.index_fill(3, FIRST, torch.nan), "x"),
    "float16": changed(MOBILENET, torch.Tensor.half),
} | {f"drawn {seed}": drawn(seed) for seed in range(16)}

# In float16, 2048 + 0.5 is 2048: a sum kept in float16 loses the half, wherever it is kept.
LOST = torch.tensor([2048, 0.5, -2048])
LOST_BETWEEN = {"x": torch.ones(1, 1, 1, 3), "depthwise_weight": LOST.reshape(1, 1, 1, 3)}
LOST_AT_THE_END = {"x": torch.ones(1, 48, 1, 1), "depthwise_weight": torch.ones(48, 1, 1, 1)}
LOST_WEIGHTS = (LOST[:, None] * torch.eye(1, 16)).reshape(1, 48, 1, 1)  # in three blocks of 16
HALVES_LOST = {
    "between": LOST_BETWEEN | {"pointwise_weight": torch.ones(1, 1, 1, 1), "block_sizes": (16, 16, 16)},
    "at the end": LOST_AT_THE_END | {"pointwise_weight": LOST_WEIGHTS, "block_sizes": (16, 16, 16)},
}

# A GPU that reads outside a tensor stops, or reads what lies there: each load must stay inside one of the arguments.
INTERPRET = """
import sys, torch
from triton.runtime.interpreter import interpreter_builder
from benchmarks import fused

def note_spans(*arguments, **_):
    tensors = [argument for argument in arguments if isinstance(argument, torch.Tensor)]
    last = [sum((size - 1) * stride for size, stride in zip(t.shape, t.stride())) for t in tensors]
    spans[:] = [(t.data_ptr(), t.data_ptr() + offset * t.element_size()) for t, offset in zip(tensors, last)]

def load(pointers, mask, *rest):
    read = pointers.data[mask.data]
    assert not read.size or any(first <= read.min() and read.max() <= last for first, last in spans), "read outside"
    return unwatched_load(pointers, mask, *rest)

spans, unwatched_load = [], interpreter_builder.create_masked_load
interpreter_builder.create_masked_load = load
fused._kernel.add_pre_run_hook(note_spans)
cases = torch.load(sys.argv[1])
torch.save({name: fused.depthwise_separable_conv2d(**arguments) for name, arguments in cases.items()}, sys.argv[2])
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What the kernel makes of each case, in the interpreter: all in one process, which takes seconds to start."""
    folder = tmp_path_factory.mktemp("fused")
    torch.save(CASES | {name: changed(value, torch.Tensor.half) for name, value in HALVES_LOST.items()}, folder / "in")
    run(INTERPRET, folder / "in", folder / "out", TRITON_INTERPRET="1")
    return torch.load(folder / "out")


# -- values --------------------------------------------------------------------------------------------------------


def by_torch(x, depthwise_weight, depthwise_bias, **settings):
    return F.conv2d(x, depthwise_weight, depthwise_bias, groups=x.shape[-3], **settings)


PAIRS = {
    "torch": (by_torch, F.conv2d),
    "by hand": (lambda x, weight, bias, **settings: functional.depthwise_conv2d(x, weight, bias, **settings),
                functional.pointwise_conv2d),
}  # fmt: skip


def expected(depthwise, pointwise, arguments):
    """The two halves one after the other, in float64, with the dtype of x between them and at the end."""
    activate = {None: lambda y: y, "relu": torch.relu}
    given = {"stride": 1, "padding": 0, "dilation": 1} | arguments
    settings = {name: given[name] for name in ("stride", "padding", "dilation")}
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    double = changed(arguments, torch.Tensor.double)
    y = depthwise(double["x"], double["depthwise_weight"], double.get("depthwise_bias"), **settings)
    y = activate[given.get("activation_between")](y).to(given["x"].dtype).double()
    y = pointwise(y, double["pointwise_weight"], double.get("pointwise_bias"))
    return activate[given.get("activation")](y).to(given["x"].dtype)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", CASES)
def test_equals_the_two_halves(results, name, pair):
    tolerance = {torch.float32: 2e-5, torch.float16: 4e-3}[CASES[name]["x"].dtype]
    y = expected(*PAIRS[pair], CASES[name])
    torch.testing.assert_close(results[name], y, rtol=tolerance, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("name", HALVES_LOST)
def test_sums_of_float16_are_kept_in_float32(results, name):
    assert results[name].dtype == torch.float16
    assert results[name].flatten().tolist() == [0.5]


def test_not_a_number_stays_one(results):
    """Guards the comparison with torch: the case has such numbers before its ReLUs, and others."""
    y = results["not a number"]
    assert y.isnan().any() and not y.isnan().all()


def test_output_has_the_layout_of_the_input(results):
    assert results["channels_last"].is_contiguous(memory_format=torch.channels_last)
    assert not results["channels_last"].is_contiguous()
    assert results["MobileNetV1"].is_contiguous()


# -- the compiled kernel -------------------------------------------------------------------------------------------

# What the interpreter takes, the compiler may refuse; and it needs no GPU to compile for one. Here the kernel is as in
# MobileNetV1: 3x3, biases, ReLUs, channels_last (whose channels are 1 apart).
COMPILE = """
import json, sys, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from benchmarks import fused
known = dict(M=1, K_h=3, K_w=3, RELU_BETWEEN=True, RELU=True, x_c=1, y_c=1)
known |= dict(BLOCK_PIXELS=32, BLOCK_MID=32, BLOCK_OUT=128)
names = fused._kernel.arg_names
types = {name: f"*{sys.argv[1]}" if name in names[:6] else "constexpr" if name in known else "i32" for name in names}
source = ASTSource(fused._kernel, types, {(names.index(name),): value for name, value in known.items()})
compiled = triton.compile(source, target=GPUTarget("cuda", 80, 32))
print(json.dumps({"operations": compiled.asm["ttir"], "instructions": compiled.asm["ptx"]}))
"""


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def compiled(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compiled")  # so that no earlier kernel is found in Triton's cache
    return json.loads(run(COMPILE, request.param, TRITON_CACHE_DIR=str(folder)))


def test_compiles_for_a_gpu_and_writes_to_memory_once(compiled):
    """The output is stored, and nothing else: no map between the halves."""
    assert compiled["operations"].count("tt.store") == 1
    assert compiled["operations"].count("tt.dot") == 1


def test_float32_is_not_rounded_to_tf32(compiled):
    assert "fma.rn.f32" in compiled["instructions"]
    assert "tf32" not in compiled["instructions"]


# -- errors --------------------------------------------------------------------------------------------------------

GOOD = case((1, 4, 5, 5), C_out=6, m=2, biases=True)
BAD = [
    ({"x": [1.0]}, "x must be a torch tensor, got list"),
    ({"pointwise_bias": 1}, "pointwise_bias must be a torch tensor, got int"),
    ({"x": torch.zeros(1, 4, 5, 5, requires_grad=True)}, r"x wants a gradient and the kernel has none.*no_grad"),
    ({"x": GOOD["x"].double()}, "must be float32, or all float16.*float64"),
    (changed(GOOD, torch.Tensor.double), "must be float32, or all float16.*float64"),
    ({"depthwise_bias": GOOD["depthwise_bias"].half()}, "must be float32, or all float16.*float16"),
    ({"x": GOOD["x"].to("meta")}, "one device.*meta.*cpu"),
    ({"x": torch.zeros(4, 5)}, r"x must have shape .*got \(4, 5\)"),
    ({"depthwise_weight": torch.zeros(8, 2, 3, 3)}, r"depthwise_weight must .*got \(8, 2, 3, 3\)"),
    ({"depthwise_weight": torch.zeros(8, 1, 3)}, r"depthwise_weight must .*got \(8, 1, 3\)"),
    ({"depthwise_weight": torch.zeros(9, 1, 3, 3)}, "in_channels=4, out_channels=9"),
    ({"x": torch.zeros(1, 0, 5, 5)}, "in_channels must be at least 1"),
    ({"pointwise_weight": torch.zeros(6, 4, 1, 1)}, r"\(C_out, 8, 1, 1\), got \(6, 4, 1, 1\)"),
    ({"pointwise_weight": torch.zeros(6, 8, 3, 3)}, r"\(C_out, 8, 1, 1\), got \(6, 8, 3, 3\)"),
    ({"pointwise_weight": torch.zeros(6, 8)}, r"\(C_out, 8, 1, 1\), got \(6, 8\)"),
    ({"pointwise_weight": torch.zeros(0, 8, 1, 1), "pointwise_bias": None}, "out_channels must be at least 1"),
    ({"depthwise_bias": torch.zeros(4)}, r"depthwise_bias must have shape \(8,\), got \(4,\)"),
    ({"pointwise_bias": torch.zeros(8)}, r"pointwise_bias must have shape \(6,\), got \(8,\)"),
    ({"stride": 0}, "stride must be at least 1"),
    ({"stride": (1, 2, 3)}, r"stride must be one whole number or a pair.*\(1, 2, 3\)"),
    ({"padding": -1}, "padding must be at least 0, got -1"),
    ({"padding": "same", "stride": 2}, "padding='same' needs stride 1, got stride 2"),
    ({"dilation": 1.5}, "dilation must be a whole number, got 1.5"),
    ({"dilation": 3}, "kernel larger than the padded input.*spans 7 pixels"),
    ({"activation_between": "relu6"}, "activation_between must be None or 'relu', got 'relu6'"),
    ({"activation": True}, "activation must be None or 'relu', got True"),
    ({"block_sizes": 64}, "block_sizes must be .*got 64"),
    ({"block_sizes": (16, 16)}, r"block_sizes must be .*got \(16, 16\)"),
    ({"block_sizes": (16, 48, 16)}, r"powers of two, got \(16, 48, 16\)"),
    ({"block_sizes": (16, 8, 16)}, "block size must be at least 16, got 8"),
]


@pytest.mark.parametrize("bad, message", BAD, ids=[message for _, message in BAD])
def test_bad_arguments_raise(bad, message):
    with pytest.raises(ValueError, match=message):
        fused.depthwise_separable_conv2d(**GOOD | bad)


@pytest.mark.parametrize(
    "size, C_out, stride, message",
    [(2**14, 8, 1, f"{2**28} and {2**31}"), (2**16, 1, 16, f"{2**32} and {2**24}")],
    ids=["output", "input"],
)
def test_more_elements_than_32_bits_count_raise(size, C_out, stride, message):
    shapes = (1, 1, size, size), (1, 1, 1, 1), (C_out, 1, 1, 1)
    with pytest.raises(ValueError, match=message):
        fused.depthwise_separable_conv2d(*(torch.empty(shape, device="meta") for shape in shapes), stride)


TRY = """
import sys, torch
if sys.argv[1] == "without": sys.modules["triton"] = None  # an import of it fails
from benchmarks import fused
weights = torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1)
try: fused.depthwise_separable_conv2d(torch.ones(1, 1, 2, 2), *weights)
except Exception as error: print(type(error).__name__, error)
"""


def test_without_triton_a_call_says_what_to_install():
    printed = run(TRY, "without")
    assert printed.startswith("ModuleNotFoundError") and "pip install triton" in printed


def test_cpu_tensors_need_the_interpreter():
    printed = run(TRY, "with")
    assert printed.startswith("ValueError x is on cpu") and "TRITON_INTERPRET=1" in printed
