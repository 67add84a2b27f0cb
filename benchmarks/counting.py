"""What each counter says of the same networks, and how long it takes to say it.

``python benchmarks/counting.py`` takes some four minutes, prints two tables and writes them to
``benchmarks/results/``: ``counting.csv``, the numbers, and ``counting_times.csv``, the times. ``--quick`` takes a
minute and writes nothing. Ctrl-C stops it, and then nothing is written either.

The peers are not installed with the book. Into an environment of their own, where torch and dslib are:

    pip install --no-deps -r benchmarks/requirements-counting.txt

A peer that is missing or breaks keeps its rows, with the reason.

Numbers. Each stands beside a closed form, written here or in ``dslib.cost``, that shares no code with any counter.
``ratio`` is the number over the closed form, the factor of two undone where the tool counts multiplications and
additions. Four networks are counted whole, two of them as timm writes them too. Then come single layers (``layer``);
layers that multiply and accumulate nothing (``other``: the difference is what the tool adds for them, ``per_element``
the same for one element of the input, ``convention`` the sum of it all); a convolution by hand, where ours is asked
for such; and a depthwise layer forward and backward, where calflops multiplies its forward number by three.
``left_behind`` is what the tool did not take back: functions of torch that it replaced, attributes and hooks of the
model.

Times. One call on a fresh copy of the model, without gradients: on the ``cpu`` with real numbers, and on torch's
``meta`` device, to which a peer's model was moved before the clock started; ours gets the ordinary model and the size
of the input. The calls of a round come in a new order each round; a row holds the median of the rounds. Imports and a
first call are not timed. ``exact_on``: on how many of the four networks the tool is exact on this device. float32,
one thread.
"""

import argparse
import contextlib
import copy
import gc
import importlib.metadata
import io
import logging
import math
import os
import random
import statistics
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from record import machine, write
from torch import nn

from dslib import cost, models

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from reference import import_timm  # noqa: E402

ROUNDS, QUICK_ROUNDS = 11, 2
TARGET = 2  # times as fast as the fastest peer that is exact
IMAGE = (1, 3, 224, 224)
MAPS = (1, 12, 20, 28)  # what the single layers get: 12 maps of 20 x 28
DEPTHWISE = (1, 256, 14, 14)
OURS = "dslib.counting"


# Networks and layers, with their MACs.


@dataclass
class Case:
    """What is counted: ``macs`` is the closed form, per image, forward only unless the kind is ``backward``."""

    kind: str
    name: str
    model: nn.Module
    input_size: tuple
    macs: int


class Call(nn.Module):
    """``function(x, *weights)`` as a module: a layer that is written in ``forward`` and has no module of its own."""

    def __init__(self, function, *shapes):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList([torch.randn(shape) for shape in shapes])

    def forward(self, x):
        return self.function(x, *self.weights)


class Reshaped(nn.Module):
    """``layer`` on the same numbers in another shape."""

    def __init__(self, layer, *shape):
        super().__init__()
        self.layer = layer
        self.shape = shape

    def forward(self, x):
        return self.layer(x.reshape(self.shape))


class Layers(nn.Module):
    """Every layer on the same input, side by side."""

    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        return tuple(layer(x) for layer in self.layers)


def depthwise_by_hand(x, weight):
    """``weight`` (C, K, K), an odd K, stride 1: a sum of shifted maps, each times one number per channel."""
    kernel, (height, width) = weight.shape[-1], x.shape[-2:]
    x = F.pad(x, [kernel // 2] * 4)
    total = 0
    for i in range(kernel):
        for j in range(kernel):
            total = total + x[:, :, i : i + height, j : j + width] * weight[:, i, j, None, None]
    return total


def mac_layers():
    """Name, layer for ``MAPS``, MACs. No layer has a bias, so that a tool that counts it is not held wrong."""
    _, channels, height, width = MAPS
    pixels = height * width
    yield (
        "F.conv2d, groups=4",
        Call(lambda x, weight: F.conv2d(x, weight, padding=1, groups=4), (24, channels // 4, 3, 3)),
        24 * (channels // 4) * 3 * 3 * pixels,
    )
    same = nn.Conv2d(channels, 16, 4, padding="same", bias=False)
    yield "Conv2d, padding='same'", same, 16 * channels * 4 * 4 * pixels
    # A transposed convolution multiplies each number of its input by each weight of a kernel; the output's size,
    # here twice as high and twice as wide, does not matter.
    yield (
        "ConvTranspose2d, stride 2",
        nn.ConvTranspose2d(channels, 8, 3, stride=2, padding=1, output_padding=1, bias=False),
        channels * 8 * 3 * 3 * pixels,
    )
    yield (
        "ConvTranspose2d, depthwise",
        nn.ConvTranspose2d(channels, channels, 3, stride=2, padding=1, output_padding=1, groups=channels, bias=False),
        channels * 3 * 3 * pixels,
    )
    conv1d = nn.Conv1d(channels, 6, 7, padding=6, dilation=2, bias=False)
    yield "Conv1d, dilation 2", Reshaped(conv1d, 1, channels, pixels), 6 * channels * 7 * pixels
    conv3d = nn.Conv3d(channels // 4, 5, 3, padding=1, bias=False)
    yield "Conv3d", Reshaped(conv3d, 1, channels // 4, 4, height, width), 5 * (channels // 4) * 3**3 * 4 * pixels
    yield "x @ y", Call(lambda x: x @ x.mT), channels * height * width * height
    yield "torch.matmul", Call(lambda x: torch.matmul(x, x.mT)), channels * height * width * height
    yield (
        "einsum",
        Call(lambda x, weight: torch.einsum("bchw,oc->bohw", x, weight), (7, channels)),
        7 * channels * pixels,
    )
    yield (  # as many heads as channels; queries times keys, then the weights of attention times the values
        "scaled_dot_product_attention",
        Call(lambda x: F.scaled_dot_product_attention(x, x, x)),
        2 * channels * height * height * width,
    )


def other_layers():
    """Name and layer for ``MAPS``; none of them multiplies and accumulates, so each costs 0 MACs."""
    channels = MAPS[1]
    yield "BatchNorm2d", nn.BatchNorm2d(channels)
    yield "ReLU", nn.ReLU()
    yield "ReLU6", nn.ReLU6()
    yield "Hardsigmoid", nn.Hardsigmoid()
    yield "AdaptiveAvgPool2d(1)", nn.AdaptiveAvgPool2d(1)
    yield "MaxPool2d(2)", nn.MaxPool2d(2)
    yield "x.mean((2, 3))", Call(lambda x: x.mean((2, 3)))
    yield "x + x", Call(lambda x: x + x)
    yield "x * x", Call(lambda x: x * x)


def resnet50_macs(size=224):
    """Convolutions and the last layer of ResNet-50 as torchvision has it, with the stride in the 3x3 convolutions."""
    side, channels = size // 2, 64
    macs = 7 * 7 * 3 * 64 * side**2
    side //= 2  # the max pool
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            inside, side = side, side // 2 if block == 0 and width > 64 else side
            macs += channels * width * inside**2 + (9 * width * width + width * 4 * width) * side**2
            if block == 0:
                macs += channels * 4 * width * side**2  # the shortcut
            channels = 4 * width
    return macs + channels * 1000


def cases():
    """All that is counted; the kind ``network`` is timed too."""
    timm = import_timm()
    from torchvision.models import resnet50  # after timm: see there

    mobilenet_macs = cost.mobilenet_v1().total.macs
    ghostnet_macs = cost.ghostnet().total.macs
    layers = list(mac_layers())
    yield Case("network", "mobilenet_v1", models.mobilenet_v1(), IMAGE, mobilenet_macs)
    yield Case("network", "ghostnet", models.ghostnet(), IMAGE, ghostnet_macs)
    yield Case("network", "resnet50", resnet50(), IMAGE, resnet50_macs())
    whole = Layers(copy.deepcopy([layer for _, layer, _ in layers]))
    yield Case("network", "layers", whole, MAPS, sum(macs for *_, macs in layers))
    yield Case("timm's", "mobilenet_v1", timm.create_model("mobilenetv1_100"), IMAGE, mobilenet_macs)
    yield Case("timm's", "ghostnet", timm.create_model("ghostnet_100"), IMAGE, ghostnet_macs)
    for name, layer, macs in layers:
        yield Case("layer", name, layer, MAPS, macs)
    for name, layer in other_layers():
        yield Case("other", name, layer, MAPS, 0)
    biased = nn.Conv2d(MAPS[1], MAPS[1], 1)
    yield Case("other", "bias of Conv2d", biased, MAPS, MAPS[1] ** 2 * MAPS[2] * MAPS[3])
    channels, macs = DEPTHWISE[1], math.prod(DEPTHWISE) * 3 * 3
    yield Case("by hand", "depthwise 3x3", Call(depthwise_by_hand, (channels, 3, 3)), DEPTHWISE, macs)
    # Backward: as many for the gradient of the input, as many for the gradient of the weight.
    depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
    yield Case("backward", "depthwise 3x3", depthwise, DEPTHWISE, 3 * macs)


# Counters. Each takes a case, its model ready, an input on the same device; it returns a tuple of numbers.


def by_us(case, model, x):
    from dslib.counting import count

    ways = {"by hand": {"elementwise": True}, "backward": {"backward": True}}.get(case.kind, {})
    report = count(model, input_size=tuple(x.shape), **ways) if x.is_meta else count(model, x, **ways)
    return (report.macs + report.by_hand_macs,)  # the second is 0 unless it was asked for


def by_torch(case, model, x):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        y = model(x)
        if case.kind == "backward":
            y.sum().backward()
    return (counter.get_total_flops(),)


def by_fvcore(case, model, x):
    from fvcore.nn import FlopCountAnalysis

    forward_only(case)
    analysis = FlopCountAnalysis(model, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return (analysis.total(),)


def by_ptflops(backend):
    def call(case, model, x):
        from ptflops import get_model_complexity_info

        forward_only(case)
        settings = {"as_strings": False, "print_per_layer_stat": False, "backend": backend}
        macs, _ = get_model_complexity_info(model, tuple(x.shape[1:]), input_constructor=lambda _: x, **settings)
        if macs is None:
            raise RuntimeError("no number; the reason is in its log")
        return (macs,)

    return call


def by_thop(case, model, x):
    from thop import profile

    forward_only(case)
    return (profile(model, (x,), verbose=False)[0],)


def by_torchinfo(case, model, x):
    from torchinfo import summary

    forward_only(case)
    return (summary(model, input_data=x, device=x.device, verbose=0).total_mult_adds,)


def by_calflops(case, model, x):
    from calflops import calculate_flops

    if next(model.parameters(), None) is None:  # it asks a parameter for the device
        model.register_parameter("unused", nn.Parameter(torch.zeros(1, device=x.device)))
    settings = {"print_results": False, "print_detailed": False, "output_as_string": False}
    settings["include_backPropagation"] = case.kind == "backward"
    flops, macs, _ = calculate_flops(model, args=[x], **settings)
    return macs, flops


def by_deepspeed(case, model, x):
    os.environ.setdefault("DS_ACCELERATOR", "cpu")
    from deepspeed.profiling.flops_profiler import get_model_profile

    forward_only(case)
    flops, macs, _ = get_model_profile(model, args=[x], print_profile=False, as_string=False, warm_up=0)
    return macs, flops


def by_torchprofile(case, model, x):
    from torchprofile import profile_macs

    forward_only(case)
    return (profile_macs(model, x),)


def forward_only(case):
    if case.kind == "backward":
        raise NotImplementedError("counts forward only")


@dataclass
class Tool:
    """A counter: the package whose version counts, and how many of each of its numbers make a MAC."""

    name: str
    package: str
    call: callable
    per_mac: dict


TOOLS = (
    Tool(OURS, "dslib", by_us, {"macs": 1}),
    Tool("torch FlopCounterMode", "torch", by_torch, {"flops": 2}),
    Tool("fvcore", "fvcore", by_fvcore, {"flops": 1}),  # its "flop" is a MAC
    Tool("ptflops (pytorch)", "ptflops", by_ptflops("pytorch"), {"macs": 1}),
    Tool("ptflops (aten)", "ptflops", by_ptflops("aten"), {"macs": 1}),
    Tool("thop", "thop", by_thop, {"macs": 1}),
    Tool("torchinfo", "torchinfo", by_torchinfo, {"mult_adds": 1}),
    Tool("calflops", "calflops", by_calflops, {"macs": 1, "flops": 2}),
    Tool("deepspeed", "deepspeed", by_deepspeed, {"macs": 1, "flops": 2}),
    Tool("torchprofile", "torchprofile", by_torchprofile, {"macs": 1}),
)


# One count, and what it leaves.


@contextlib.contextmanager
def quiet():
    """No output, no warnings, no log: the peers have much to say."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            with contextlib.redirect_stderr(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
    finally:
        logging.disable(logging.NOTSET)


OWNERS = (torch, torch.functional, F, torch.Tensor)


def torch_functions():
    return [dict(vars(owner)) for owner in OWNERS]


def take_back(before):
    """Put torch's functions back where a peer has left its own, so that the next one counts torch's; how many."""
    replaced = 0
    for owner, old in zip(OWNERS, before, strict=True):
        for name, value in dict(vars(owner)).items():
            if name in old and value is not old[name]:
                setattr(owner, name, old[name])
                replaced += 1
            elif name not in old and owner is torch.Tensor:  # it stood in the class below torch.Tensor
                replaced += value is not getattr(torch._C.TensorBase, name, None)
                delattr(owner, name)
    return replaced


def belongings(model):
    """How many attributes, buffers and hooks the modules have."""
    return sum(
        len(vars(module)) + len(module._buffers) + len(module._forward_hooks) + len(module._forward_pre_hooks)
        for module in model.modules()
    )


def count_once(tool, case, device):
    """Its numbers or an exception, its seconds, what it left behind; on a copy of the model."""
    model = copy.deepcopy(case.model).eval()
    backward = case.kind == "backward"
    ours = tool.name == OURS
    if not ours:
        model.to(device)
    x = torch.randn(case.input_size).to(device).requires_grad_(backward)
    before, had = torch_functions(), belongings(model)
    gc.collect()
    with quiet(), torch.set_grad_enabled(backward):
        start = time.perf_counter()
        try:
            result = tool.call(case, model, x)
        except Exception as error:  # a peer may raise anything: it becomes its row
            result = error
        seconds = time.perf_counter() - start
    replaced, added = take_back(before), belongings(model) - had
    left = [f"{replaced} in torch"] * (replaced > 0) + [f"{added} in the model"] * (added > 0)
    return result, seconds, ", ".join(left)


# Rows.


def biases(case):
    """How many biases are added in one forward pass: one for each output of a layer that has a bias."""
    added = []
    model = copy.deepcopy(case.model).eval()
    for module in model.modules():
        if getattr(module, "bias", None) is not None and isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(lambda module, inputs, output: added.append(output.numel()))
    with torch.no_grad():
        model(torch.randn(case.input_size))
    return sum(added)


def verdict(case, number, per_mac):
    if number == per_mac * case.macs:
        return "exact"
    if case.kind == "other":
        return "counts it"
    if number == 0:
        return "counts nothing"
    if number == per_mac * case.macs + biases(case):
        return "exact, with bias"
    return f"{100 * (number / per_mac / case.macs - 1):+.4g} %"


def row_of(tool, case, device, name, result, left):
    per_mac = tool.per_mac[name]
    row = {"kind": case.kind, "case": case.name, "tool": tool.name, "version": version(tool), "device": device}
    row |= {"number_is": name, "number": "", "per_mac": per_mac, "closed_form_macs": case.macs, "difference": ""}
    row |= {"ratio": "", "per_element": "", "verdict": "", "left_behind": left}
    if isinstance(result, Exception):
        reason = " ".join(str(result).split())
        return row | {"verdict": f"{type(result).__name__}: {reason[:90]}"}
    number = result[list(tool.per_mac).index(name)]
    number = int(number) if number == int(number) else number
    difference = number - per_mac * case.macs
    row |= {"number": number, "difference": difference, "verdict": verdict(case, number, per_mac)}
    if case.kind == "other":
        return row | {"per_element": f"{difference / math.prod(case.input_size):.4g}"}
    return row | {"ratio": f"{number / per_mac / case.macs:.6f}"}


def version(tool):
    try:
        return importlib.metadata.version(tool.package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def conventions(rows):
    """What a number of a tool is, ``{(tool, number_is): text}``, as the layers without MACs have shown it."""
    found = {}
    for row in rows:
        if row["kind"] == "other" and row["device"] == "cpu" and row["number"] != "":
            terms = found.setdefault((row["tool"], row["number_is"]), [f"{row['per_mac']} x MAC"])
            per_channel = row["difference"] / MAPS[1]
            if per_channel >= MAPS[2] * MAPS[3]:
                terms.append(f"{float(row['per_element']):.3g} x {row['case']}")
            elif per_channel:  # as many for maps of any size
                terms.append(f"{per_channel:.3g} x channels of {row['case']}")
    return {key: " + ".join(terms) for key, terms in found.items()}


def print_rows(rows):
    heads = ("tool", "device", "number_is", "number", "ratio", "per_element", "verdict", "left_behind")
    widths = (22, 6, 9, 13, 9, 11, 40, 30)
    title = None
    for row in rows:
        if (row["kind"], row["case"]) != title:
            title = row["kind"], row["case"]
            print(f"\n{row['kind']}: {row['case']}, {row['closed_form_macs']:,} MACs")
        cells = (f"{row[head]!s:<{width}.{width}}" for head, width in zip(heads, widths, strict=True))
        print("  " + " ".join(cells).rstrip())


def count_all(all_cases):
    """The rows of ``counting.csv``; this is also the call before the clock runs."""
    rows = []
    for number, case in enumerate(all_cases, start=1):
        print(f"\rcounting {number} of {len(all_cases)}", end="", flush=True)
        for tool in TOOLS:
            for device in ("cpu", "meta"):
                result, _, left = count_once(tool, case, device)
                rows += [row_of(tool, case, device, name, result, left) for name in tool.per_mac]
    print()
    texts = conventions(rows)
    return [row | {"convention": texts.get((row["tool"], row["number_is"]), "")} for row in rows]


def time_all(networks, rows, rounds):
    """The rows of ``counting_times.csv``: what counted at all, in turns."""
    verdicts = {}
    for row in rows:
        if row["kind"] == "network" and row["number"] != "":
            key = row["tool"], row["case"], row["device"]
            if not verdicts.get(key, "").startswith("exact"):  # the better one of a tool's two numbers
                verdicts[key] = row["verdict"] if row["verdict"].startswith("exact") else "not exact"
    exact_on = Counter((tool, device) for (tool, _, device), word in verdicts.items() if word.startswith("exact"))
    tools, by_name = {tool.name: tool for tool in TOOLS}, {case.name: case for case in networks}
    seconds = {key: [] for key in verdicts}
    for done in range(1, rounds + 1):
        print(f"\rround {done} of {rounds}", end="", flush=True)
        for tool, case, device in random.Random(done).sample(list(verdicts), len(verdicts)):
            seconds[tool, case, device].append(count_once(tools[tool], by_name[case], device)[1])
    print()
    return [
        {
            "case": case,
            "tool": tool,
            "version": version(tools[tool]),
            "device": device,
            "median_ms": f"{1e3 * statistics.median(times):.2f}",
            "min_ms": f"{1e3 * min(times):.2f}",
            "rounds": rounds,
            "verdict": verdicts[tool, case, device],
            "exact_on": exact_on[tool, device],
        }
        for (tool, case, device), times in seconds.items()
    ]


def print_times(times):
    """For each network all times, and our faster way over the fastest peer that is exact there, and on all four."""
    for case in dict.fromkeys(row["case"] for row in times):
        rows = sorted((row for row in times if row["case"] == case), key=lambda row: float(row["median_ms"]))
        print(f"\n{case}: ms, median (minimum)")
        for row in rows:
            time_ms = f"{row['median_ms']:>9} ({row['min_ms']:>8})"
            print(
                f"  {row['tool']:<22} {row['device']:<5} {time_ms}  {row['verdict']}, on {row['exact_on']} of 4 exact"
            )
        exact = [row for row in rows if row["verdict"].startswith("exact")]
        ours = next((row for row in exact if row["tool"] == OURS), None)
        for least, where in ((1, "here"), (4, "on all four")):
            peer = next((row for row in exact if row["tool"] != OURS and row["exact_on"] >= least), None)
            if ours and peer:
                ratio = float(peer["median_ms"]) / float(ours["median_ms"])
                print(
                    f"  {ratio:.2f} times the speed of the fastest peer exact {where} ({peer['tool']}), target {TARGET}"
                )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds, no file")
    rounds = QUICK_ROUNDS if parser.parse_args().quick else ROUNDS
    torch.set_num_threads(1)
    torch.manual_seed(0)
    conditions = machine()
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    with quiet():
        all_cases = list(cases())
    gc.freeze()
    rows = count_all(all_cases)
    print_rows(rows)
    print("\nwhat a number is, with the elements of which layers")
    for tool, name, text in dict.fromkeys((row["tool"], row["number_is"], row["convention"]) for row in rows):
        print(f"  {tool:<22} {name:<9} {text}")
    times = time_all([case for case in all_cases if case.kind == "network"], rows, rounds)
    print_times(times)
    if rounds == ROUNDS:
        print(f"written: {write('counting', [row | conditions for row in rows])}")
        print(f"written: {write('counting_times', [row | conditions for row in times])}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
