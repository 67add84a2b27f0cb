"""What eight tools print for the same networks and layers.

    python -m benchmarks.counting             a quarter of a minute; writes dscourse/measured/counting.csv
    python -m benchmarks.counting --dry-run   the same, and says what has changed instead of writing

The tools are not installed with the book. Into an environment of their own, where the book's requirements are:

    pip install --no-deps -r benchmarks/requirements-counting.txt

``number`` is what the tool prints; ``per_mac`` of it make a MAC; ``closed_form_macs`` are the MACs by a formula that
shares no code with any counter. Three networks are counted, one of them as timm writes it too; then single layers; then
layers that multiply and accumulate nothing, where the number is what the tool adds for them; and a depthwise
convolution written from shifts, products and sums. All on the CPU, in float32, forward only.
"""

import argparse
import sys
from dataclasses import dataclass

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.counters import TOOLS, count_once, quiet
from benchmarks.machine import machine
from benchmarks.record import write
from dscourse import measured
from dslib import cost, models
from tools.reference import import_timm

IMAGE = (1, 3, 224, 224)
MAPS = (1, 12, 20, 28)  # what the single layers get: 12 maps of 20 x 28
DEPTHWISE = (1, 256, 14, 14)


@dataclass
class Case:
    """What is counted, with its MACs by a closed form, for one image."""

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
    grouped = Call(lambda x, weight: F.conv2d(x, weight, padding=1, groups=4), (24, channels // 4, 3, 3))
    yield "F.conv2d, groups=4", grouped, 24 * (channels // 4) * 3 * 3 * pixels
    same = nn.Conv2d(channels, 16, 4, padding="same", bias=False)
    yield "Conv2d, padding='same'", same, 16 * channels * 4 * 4 * pixels
    # A transposed convolution multiplies each number of its input by each weight of a kernel; the output's size,
    # here twice as high and twice as wide, does not matter.
    strided = {"stride": 2, "padding": 1, "output_padding": 1, "bias": False}
    yield "ConvTranspose2d, stride 2", nn.ConvTranspose2d(channels, 8, 3, **strided), channels * 8 * 3 * 3 * pixels
    depthwise = nn.ConvTranspose2d(channels, channels, 3, groups=channels, **strided)
    yield "ConvTranspose2d, depthwise", depthwise, channels * 3 * 3 * pixels
    conv1d = nn.Sequential(nn.Flatten(2), nn.Conv1d(channels, 6, 7, padding=6, dilation=2, bias=False))
    yield "Conv1d, dilation 2", conv1d, 6 * channels * 7 * pixels
    conv3d = nn.Sequential(nn.Unflatten(1, (channels // 4, 4)), nn.Conv3d(channels // 4, 5, 3, padding=1, bias=False))
    yield "Conv3d", conv3d, 5 * (channels // 4) * 3**3 * 4 * pixels
    yield "x @ y", Call(lambda x: x @ x.mT), channels * height * width * height
    yield "torch.matmul", Call(lambda x: torch.matmul(x, x.mT)), channels * height * width * height
    einsum = Call(lambda x, weight: torch.einsum("bchw,oc->bohw", x, weight), (7, channels))
    yield "einsum", einsum, 7 * channels * pixels
    # as many heads as channels; queries times keys, then the weights of attention times the values
    attention = Call(lambda x: F.scaled_dot_product_attention(x, x, x))
    yield "scaled_dot_product_attention", attention, 2 * channels * height * height * width


def other_layers():
    """Name and layer for ``MAPS``; none of them multiplies and accumulates, so each costs 0 MACs."""
    yield "BatchNorm2d", nn.BatchNorm2d(MAPS[1])
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


def networks():
    """The networks among what is counted."""
    timm = import_timm()
    from torchvision.models import resnet50  # after timm: see there

    mobilenet_macs = cost.mobilenet_v1().total.macs
    yield Case("MobileNetV1", models.mobilenet_v1(), IMAGE, mobilenet_macs)
    yield Case("MobileNetV1, timm", timm.create_model("mobilenetv1_100"), IMAGE, mobilenet_macs)
    yield Case("GhostNet", models.ghostnet(), IMAGE, cost.ghostnet().total.macs)
    yield Case("ResNet-50", resnet50(), IMAGE, resnet50_macs())


def cases():
    """All that is counted."""
    yield from networks()
    for name, layer, macs in mac_layers():
        yield Case(name, layer, MAPS, macs)
    for name, layer in other_layers():
        yield Case(name, layer, MAPS, 0)
    _, channels, height, width = MAPS
    yield Case("bias of Conv2d", nn.Conv2d(channels, channels, 1), MAPS, channels**2 * height * width)
    _, channels, height, width = DEPTHWISE
    by_hand = Call(depthwise_by_hand, (channels, 3, 3))
    yield Case("depthwise by hand", by_hand, DEPTHWISE, channels * 3 * 3 * height * width)


def rows():
    """A row for each case and each number that a tool prints."""
    with quiet():
        counted = list(cases())
    for case in counted:
        print(f"{case.name}: {case.macs:,} MACs", flush=True)
        for tool in TOOLS:
            for name, number in count_once(tool, case.model, case.input_size).items():
                row = {"case": case.name, "closed_form_macs": case.macs, "tool": name, "version": tool.version}
                yield row | {"number": number, "per_mac": tool.per_mac[name]}


def changes(found):
    """The rows whose number is not the stored one, with both."""
    key = ["case", "tool"]
    both = pd.DataFrame(found).merge(measured.read("counting"), on=key, how="outer", suffixes=("", "_stored"))
    return both[both["number"] != both["number_stored"]][[*key, "version", "number", "version_stored", "number_stored"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry-run", action="store_true", help="compare with what is stored and write nothing")
    dry_run = parser.parse_args().dry_run
    torch.manual_seed(0)
    conditions = machine() | {"command": "python -m benchmarks.counting"}
    found = [row | conditions for row in rows()]
    if not dry_run:
        print(f"written: {write('counting', found)}")
    elif len(changed := changes(found)):
        print(f"{len(changed)} numbers have changed:", changed.to_string(index=False), sep="\n")
    else:
        print(f"all {len(found)} numbers are the stored ones")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nstopped; nothing was written")
