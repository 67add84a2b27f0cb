"""How fast separable convolutions are: layers, whole networks, and what the machine could do.

    python -m benchmarks.speed              some six minutes; writes speed.csv, networks.csv and roofline.csv
    python -m benchmarks.speed --quick      a minute or two, few layers and calls; writes nothing
    python -m benchmarks.speed --device cuda

The files go to ``dscourse/measured/``, where the chapter theory_and_silicon reads them; those of a GPU are called
``speed_cuda.csv`` and so on, with the same columns. Ctrl-C stops it, and then nothing is written.

Beside the book's requirements the networks need a C++ compiler, for ``torch.compile``, and

    pip install --no-deps -r benchmarks/requirements-speed.txt

What is missing is said at the beginning. A full run does not start without it, a quick one goes on.

``speed``: a dense 3x3 convolution, a depthwise one, a pointwise one and the pair, as many channels out as in, stride 1,
for channels x sizes x layouts x batches. The four take turns, each time with a call that is not timed before the one
that is; a row holds the median and the quartiles in microseconds. ``memory``: ``kept``, the C library does not give
memory back to the operating system, so that a time does not depend on what was measured before; or ``fresh``, for a few
layers, one after the other in a process of their own with the library as it comes; ``fresh, kept`` is the same with
memory kept. ``faults``: pages that the system had to provide in one call. On a GPU the pair is also compiled and fused
(``benchmarks.fused``), in float32 and float16, and times are taken between marks in the GPU's queue.

``networks``: MobileNetV1, its dense twin and GhostNet, one image of 224x224, random weights. Every ``way`` has a
process of its own (a thread pool that waits by spinning would slow the others); they take turns, call by call, after
one call that is not timed. All must give the same result.

``roofline``: FLOPs per second of a matrix product and of a large dense convolution, bytes per second of copies and
sums of large and of small arrays.
"""

import argparse
import contextlib
import functools
import importlib.metadata
import importlib.util
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from torch import nn

from benchmarks.machine import machine, page_faults
from benchmarks.process import Worker
from benchmarks.record import write
from benchmarks.roofline import add_rate, convolution_rate, copy_rate, matmul_rate
from dslib import bench, models

CHANNELS, SIZES, BATCHES = (16, 32, 64, 128, 256, 512), (7, 14, 28, 56, 112), (1, 8)
MOST_MACS = {"cpu": 8e9, "cuda": 200e9}  # of the dense layer: larger ones take too long
QUICK = {"CHANNELS": (16, 128), "SIZES": (7, 28, 112)}
# seconds of timed calls for one combination, and how many calls there are at least and at most
SWEEP, QUICK_SWEEP = (0.4, 7, 201), (0.1, 3, 21)
ROUNDS, QUICK_ROUNDS = 15, 3
# For glibc's malloc: never give memory back. Other C libraries ignore it.
KEPT = {"MALLOC_TRIM_THRESHOLD_": str(2**40), "MALLOC_MMAP_THRESHOLD_": str(2**40)}
NETWORKS = {
    "mobilenet_v1": models.mobilenet_v1,
    "mobilenet_v1_standard": models.mobilenet_v1_standard,
    "ghostnet": models.ghostnet,
}
TOGETHER = "channels_last, folded, kept"
WAYS = {  # what is done to the eager network
    "cpu": ("eager", "channels_last", "folded", "kept", TOGETHER, "compiled", "onnxruntime"),
    "cuda": ("eager", "channels_last", "folded", "compiled", "channels_last, folded, compiled"),
}
DTYPES = {"cpu": ("float32",), "cuda": ("float32", "float16")}
SAME = {"float32": 1e-4, "float16": 2e-2}  # the largest difference of two ways, over the size of the result
FRESH = (64, 56), (128, 56), (32, 112)  # channels, size: measured with memory as it comes
COMPILED_SIZES = (14, 56)  # on a GPU: compiling takes seconds each time
SETTING = ("channels", "size", "batch", "layout", "dtype", "threads", "memory", "layer", "way")
LARGE, SMALL = 2**26, 2**18  # elements: 256 MiB and 1 MiB of float32


def missing(device):
    """What the full run lacks, in words."""
    if device == "cuda":
        if not torch.cuda.is_available():
            yield "a GPU that torch can use"
        if importlib.util.find_spec("triton") is None:
            yield "triton"
        return
    for name in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(name) is None:
            yield f"{name}: pip install --no-deps -r benchmarks/requirements-speed.txt"
    if not cpp_compiler():
        yield "a C++ compiler, for torch.compile"


def ready(device):
    """Settings of a process that measures: multiply float32 as float32, and let cuDNN choose by trying."""
    torch.manual_seed(0)
    if device == "cuda":
        torch.backends.cuda.matmul.fp32_precision = "ieee"
        torch.backends.cudnn.conv.fp32_precision = "ieee"
        torch.backends.cudnn.benchmark = True


def microseconds(timing):
    values = {"median_us": timing.median, "q1_us": timing.q1, "q3_us": timing.q3}
    return {name: f"{1e6 * value:.2f}" for name, value in values.items()} | {"calls": timing.calls}


def show(words):
    """Progress: one line that the next one replaces, or lines where the output is a file."""
    print(f"\r\033[K{words}" if sys.stdout.isatty() else words, end="" if sys.stdout.isatty() else "\n", flush=True)


# Layers.


def layer_measurer(device, threads, memory, calls):
    """In a worker: the function that measures one combination."""
    ready(device)
    torch.set_num_threads(threads)
    seconds, at_least, at_most = calls

    def rows(channels, size, batch, layout, dtype):
        functions = ways_of_layers(channels, size, batch, layout, device, dtype)
        # in turns; where memory is fresh one after the other, or each would find what another has left
        groups = [{key: functions[key]} for key in functions] if "fresh" in memory else [functions]
        for group in groups:
            timings = bench.measure(group, seconds, at_least, at_most, stopwatch=bench.stopwatch_for(device))
            for (layer, way), timing in timings.items():
                faults = page_faults(functions[layer, way]) if device == "cpu" else ""
                yield {"layer": layer, "way": way} | microseconds(timing) | {"faults": faults}

    def measured(*combination):
        with torch.inference_mode():
            return list(rows(*combination))

    return measured


def ways_of_layers(channels, size, batch, layout, device, dtype):
    """The four convolutions by (layer, way); on a GPU the pair fused too, and for some sizes compiled."""
    tensors = bench.inputs(channels, size, batch, layout, device, getattr(torch, dtype))
    ways = {(layer, "eager"): function for layer, function in bench.convolutions(**tensors).items()}
    if device != "cuda":
        return ways
    from benchmarks import fused

    halves = tensors["x"], tensors["depthwise"], tensors["pointwise"]
    ways["pair", "fused"] = lambda: fused.depthwise_separable_conv2d(*halves, padding=1)
    if size in COMPILED_SIZES:
        torch._dynamo.reset()  # or torch would stop compiling for new sizes after some
        ways["pair", "compiled"] = torch.compile(ways["pair", "eager"], dynamic=False)
    expected = ways["pair", "eager"]()
    for (layer, way), function in ways.items():
        if layer == "pair" and not difference(function(), expected) < SAME[dtype]:
            raise RuntimeError(f"pair, {way}: another result, for {channels, size, batch, layout, dtype}")
    return ways


def difference(found, expected):
    """The size of the difference over the size of what was expected; both as float64 numbers on the CPU."""
    found, expected = (torch.as_tensor(it).to("cpu", torch.float64) for it in (found, expected))
    return ((found - expected).norm() / expected.norm()).item()


def combinations(device, channels, sizes):
    """(channels, size, batch, layout, dtype), from few numbers to many."""
    every = itertools.product(channels, sizes, BATCHES, bench.LAYOUTS, DTYPES[device])
    fitting = [c for c in every if c[2] * (3 * c[0] * c[1]) ** 2 <= MOST_MACS[device]]
    return sorted(fitting, key=lambda c: c[2] * c[0] * c[1] ** 2)


def sweep(device, quick):
    channels, sizes = (QUICK["CHANNELS"], QUICK["SIZES"]) if quick else (CHANNELS, SIZES)
    every = combinations(device, channels, sizes)
    single = [combination for combination in every if combination[2] == 1]
    cores = os.cpu_count()
    parts = [(1, "kept", every)]  # threads, memory, combinations
    if device == "cpu":
        fresh = [c for c in single if c[:2] in FRESH]
        parts += [(cores, "kept", single)] * (cores > 1)
        parts += [(1, memory, [c]) for c in fresh for memory in ("fresh", "fresh, kept")]
    done, total = 0, sum(len(part) for *_, part in parts)
    for threads, memory, part in parts:  # a process for each
        calls, environment = QUICK_SWEEP if quick else SWEEP, KEPT if "kept" in memory else {}
        with Worker(layer_measurer, device, threads, memory, calls, environment=environment) as worker:
            if memory == "kept":
                worker(*part[0])  # a new process is slow at first
            for combination in part:
                done += 1
                show(f"[{done}/{total}] {threads} threads, memory {memory}, {combination}")
                names = ("channels", "size", "batch", "layout", "dtype")
                setting = dict(zip(names, combination, strict=True)) | {"threads": threads, "memory": memory}
                for row in worker(*combination):
                    yield {"device": device} | setting | row


# Networks.


def network_caller(device, dtype, threads, way, folder):
    """In a worker: ``call(network, what)`` gives the ``"output"`` for one image, or the ``"seconds"`` of a call."""
    ready(device)
    torch.set_num_threads(threads)
    image = torch.randn(1, 3, 224, 224).to(device, getattr(torch, dtype))
    runs = {name: runner(build(), image, way, threads, Path(folder)) for name, build in NETWORKS.items()}
    stopwatch = bench.stopwatch_for(device)

    def call(network, what):
        with torch.inference_mode():
            output = runs[network]()  # not timed: the others have emptied the caches
            return stopwatch(runs[network]) if what == "seconds" else torch.as_tensor(output).float().cpu().numpy()

    return call


def runner(model, image, way, threads, folder):
    """The network as a function without arguments, made ready in this way."""
    model = settled(model).to(image.device, image.dtype)
    if way == "onnxruntime":
        return onnx_runner(model, image, threads, folder)
    if "folded" in way:
        model = models.fold_batchnorm(model)
    if "channels_last" in way:
        model, image = (it.to(memory_format=torch.channels_last) for it in (model, image))
    if "compiled" in way:
        model = torch.compile(model)
    return lambda: model(image)


def settled(model):
    """The model in evaluation mode, its norms with the statistics of one batch: numbers stay of ordinary size."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.randn(2, 3, 224, 224))
    return model.eval()


def onnx_runner(model, image, threads, folder):
    import onnxruntime

    path = folder / f"{os.getpid()}.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on checks in the model's code that the file will not have
        torch.onnx.export(model, (image,), path, dynamo=False, input_names=["image"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"image": image.numpy()})[0]


def networks(device, quick, ways):
    rounds = QUICK_ROUNDS if quick else ROUNDS
    for dtype, threads in itertools.product(DTYPES[device], [1] if device == "cuda" else sorted({1, os.cpu_count()})):
        with contextlib.ExitStack() as stack:
            calls = {}
            for way in ways:
                show(f"networks, {dtype}, {threads} threads: preparing {way}")
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                environment = KEPT if "kept" in way else {}
                worker = Worker(network_caller, device, dtype, threads, way, folder, environment=environment)
                stack.enter_context(worker)
                calls |= {(name, way): functools.partial(worker, name) for name in NETWORKS}
            check_outputs(calls, dtype)
            show(f"networks, {dtype}, {threads} threads: {rounds} rounds")
            timings = bench.measure(
                calls, 0, rounds, rounds, warm_up=1, untimed=0, stopwatch=lambda call: call("seconds")
            )
        for (name, way), timing in timings.items():
            setting = {"device": device, "dtype": dtype, "threads": threads, "network": name, "way": way}
            yield setting | {"programs": programs(way)} | microseconds(timing)


def programs(way):
    """What a way runs on besides torch, with versions."""
    if way == "onnxruntime":
        return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("onnxruntime", "onnx"))
    if "compiled" in way and (compiler := cpp_compiler()):
        return subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return ""


def cpp_compiler():
    """The C++ compiler that ``torch.compile`` will find on this machine, if there is one."""
    return next(filter(None, map(shutil.which, ("g++", "clang++", "c++"))), None)


def check_outputs(calls, dtype):
    """Every way must give what the eager network gives."""
    for (name, way), call in calls.items():
        expected, found = (c("output") for c in (calls[name, "eager"], call))
        if not difference(found, expected) < SAME[dtype]:
            raise RuntimeError(f"{name}, {way}: another result than eager's, by {difference(found, expected):.2g}")


# The machine at its best.


def roofs(device, dtype, quick):
    """What is measured, the unit of its amount, elements, and the rate."""
    settings = {"device": device, "dtype": getattr(torch, dtype)}
    how = {"seconds": 0.2 if quick else 1.0, "at_least": 3 if quick else 7}
    side = 2048 if device == "cpu" else 8192
    channels, size = (256, 56) if device == "cpu" else (512, 112)
    yield "matmul", "FLOPs", side * side, matmul_rate(side, **settings, **how)
    yield "convolution", "FLOPs", channels * size**2, convolution_rate(channels, size, **settings, **how)
    for elements in (LARGE, SMALL):
        yield "copy", "bytes", elements, copy_rate(elements, **settings, **how)
        yield "add", "bytes", elements, add_rate(elements, **settings, **how)


def roofline(device, quick):
    for dtype, threads in itertools.product(DTYPES[device], [1] if device == "cuda" else sorted({1, os.cpu_count()})):
        show(f"roofline, {dtype}, {threads} threads")
        with bench.threads(threads):
            for what, unit, elements, rate in roofs(device, dtype, quick):
                setting = {"device": device, "dtype": dtype, "threads": threads, "what": what, "elements": elements}
                yield setting | {"unit": unit, "per_second": f"{rate.per_second:.4g}"} | microseconds(rate.timing)


def summary(tables):
    """What a person who waited wants to see: how much faster the pair is, by layout, and the networks."""
    medians = {tuple(row[key] for key in SETTING): float(row["median_us"]) for row in tables["speed"]}
    for layout in bench.LAYOUTS:
        ratios = [
            medians[(*key[:-2], "dense", "eager")] / time
            for key, time in medians.items()
            if key[-3:] == ("kept", "pair", "eager") and key[3] == layout
        ]
        print(f"pair over dense, {layout}: {min(ratios):.2f} to {max(ratios):.2f} times as fast, {len(ratios)} layers")
    for row in tables["networks"]:
        print(
            f"{row['threads']:>2} threads {row['network']:<20} {row['way']:<36} {float(row['median_us']) / 1e3:8.2f} ms"
        )
    for row in tables["roofline"]:
        rate = float(row["per_second"]) / 1e9
        print(
            f"{row['threads']:>2} threads {row['what']:<7} {row['elements']:>9,} elements {rate:8.1f} G{row['unit']}/s"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few layers and calls, no file")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    arguments = parser.parse_args()
    device, quick = arguments.device, arguments.quick
    lacking = list(missing(device))
    for name in lacking:
        print("missing:", name)
    if lacking and (device == "cuda" or not quick):
        sys.exit("a full run needs them")
    ways = [way for way in WAYS[device] if way != "onnxruntime" or not any("onnx" in name for name in lacking)]
    ways = [way for way in ways if way != "compiled" or not any("compiler" in name for name in lacking)]
    ready(device)
    conditions = machine() | {"command": " ".join(["python -m benchmarks.speed", *sys.argv[1:]])}
    print(", ".join(f"{name} {value}" for name, value in conditions.items()))
    measured = {
        "roofline": roofline(device, quick),
        "speed": sweep(device, quick),
        "networks": networks(device, quick, ways),
    }
    tables = {name: [row | conditions for row in rows] for name, rows in measured.items()}
    show("")
    summary(tables)
    if not quick:
        for name, rows in tables.items():
            name = name if device == "cpu" else f"{name}_{device}"
            print(f"written: {write(name, rows)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
