"""The exercises of the chapter on counting in practice."""

import functools
from itertools import product

import torch
from torch import nn

from dscourse.checks.exercise import exercise
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.left import CHANGED
from dscourse.checks.values import as_whole, described
from dslib import cost, counting, functional


def counted_operations(c_in, c_out, k, side, groups):
    """By numbers that note each operation, not by a formula."""
    tally = counting.Tally()
    weight = counting.counting_numbers(torch.ones(c_out, c_in // groups, k, k), tally)
    bias = counting.counting_numbers(torch.ones(c_out), tally)
    maps = torch.ones(1, c_in, side + k - 1, side + k - 1).tolist()
    functional.conv2d_loops(maps, weight, bias, groups=groups)
    return tally.multiplications, tally.additions


@exercise(
    cases=[(2, 3, 3, 2, 1), (4, 6, 3, 3, 2), (6, 6, 2, 2, 6)],
    oracle=counted_operations,
    hint="How many numbers does the layer write, and how many products are in each?",
    wrong={
        "numbers * (products + 1), numbers * (products + 1)": "You count the biases among the multiplications. A bias "
        "is added and multiplies nothing.",
        " // groups -> ": "The groups are not used: an output number reads the channels of its own group.",
        "numbers * products, numbers * products": "There are as many additions here as multiplications: either the "
        "biases are missing, or your sums start from their first product. Here they start from 0.",
        "numbers * products, numbers * products + out_channels": "You add one bias for each map, not for each number.",
    },
)
def layer_operations(in_channels, out_channels, kernel_size, out_size, groups):
    numbers = out_channels * out_size**2  # that the layer writes
    products = in_channels // groups * kernel_size**2  # in each
    # to each of them the bias is added as well
    return numbers * products, numbers * (products + 1)


@functools.cache
def training_steps():
    """MACs of a step by the layers' forward MACs, from watching both passes of real networks."""
    steps = {}
    with torch.device("meta"):
        for layers, shape in [
            ((nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 1)), (3, 9, 9)),
            ((nn.Conv2d(1, 4, 5, stride=2), nn.Flatten(), nn.Linear(64, 10)), (1, 12, 12)),
            ((nn.Conv2d(2, 6, 3),), (2, 7, 7)),
        ]:
            model, image = nn.Sequential(*layers), torch.empty(1, *shape)  # the image wants no gradient
            forward = tuple(row.macs for row in counting.count(model, image).rows)
            steps[forward] = counting.count(model, image, backward=True).macs
    return steps


@exercise(
    cases=lambda: [(list(forward),) for forward in training_steps()],
    oracle=lambda forward: training_steps()[tuple(forward)],
    hint="Each product runs forward once, then for the gradient of its weight and, if needed, of its input.",
    wrong={
        "[1:] -> ": "Nearly: this takes the gradient of the image too, and no weight needs that one.",
        "2 * sum(forward)": "Twice the forward pass is too little: it is the forward pass with one of the two "
        "gradients, or both gradients without the forward pass.",
        "[1:] -> [:-1]": "The layer that needs no gradient of its input is the one that reads the image: the first.",
        "sum(forward)": "This is the forward pass. Training also works out gradients, of the weights and the inputs.",
    },
)
def training_step_macs(forward):
    weights = sum(forward)  # for the gradients of the weights
    inputs = sum(forward[1:])  # the image's is not needed
    return sum(forward) + weights + inputs


def named(name, *layers):
    """The layers one after the other, in evaluation mode; feedback calls them by the name."""
    model = nn.Sequential(*layers).eval()
    model.__name__ = name
    return model


class Spectrum(nn.Conv2d):
    """A layer that ends in an operation for which ``count`` has no price."""

    def forward(self, x):
        return torch.fft.fft2(super().forward(x)).abs()


def networks_to_report():
    with torch.random.fork_rng(devices=[]):  # layers draw their weights
        normed = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2)]
        plain = [nn.Conv2d(2, 6, 3), nn.Conv2d(6, 6, 3, groups=6), nn.ReLU()]
        return [
            (named("network_with_norm", *normed), (1, 3, 8, 8)),
            (named("network_without_norm", *plain), (5, 2, 9, 7)),
            (named("network_with_fft", Spectrum(3, 4, 1)), (2, 3, 4, 4)),
        ]


def full_report(model, size):
    found = counting.count(model, input_size=size, per_image=True)
    left_out = sorted(entry.operation for entry in found.other + found.uncounted)
    return {"MACs": found.macs, "parameters": found.params, "left out": left_out}


@exercise(
    cases=networks_to_report,
    oracle=full_report,
    hint="All of it is in the report of counting.count(model, input_size=size).",
    wrong={
        " // size[0] -> ": "These are the MACs of the whole batch, whose size is size[0]. Report those of one image.",
        "report.macs -> report.flops": "These are FLOPs: the report's macs are half as many.",
        "report.params -> sum(row.params for row in report.rows)": "The rows have the layers with MACs only. Norms "
        "have parameters too: take those of the whole report.",
        " + report.uncounted -> ": "What has no price is missing. Tell of report.uncounted first of all.",
        "report.other +  -> ": "Norms, activations and pools are left out too, see report.other.",
        "sorted -> list": "The right names, in the order in which they ran. Put them in alphabetical order.",
    },
)
def reported_count(model, size):
    report = counting.count(model, input_size=size)
    left_out = report.other + report.uncounted
    return {
        "MACs": report.macs // size[0],
        "parameters": report.params,
        "left out": sorted(entry.operation for entry in left_out),
    }


def printed_by(rule, *networks):
    return [sum(times * part for times, part in zip(rule, network, strict=True)) for network in networks]


def fault_of_rules(found, printed, parts):
    rules = [tuple(as_whole(rule)) for rule in found] if isinstance(found, (list, tuple, set, torch.Tensor)) else [()]
    if any(len(rule) != 4 for rule in rules):
        return "Return a list of rules, each a tuple of four whole numbers."
    if len(rules) > len(set(rules)):
        return f"A rule stands twice in your list: {next(rule for rule in rules if rules.count(rule) > 1)}."
    allowed = set(product((1, 2), (0, 1), range(5), (0, 1)))
    right = {rule for rule in allowed if printed_by(rule, *parts) == list(printed)}
    for rule in rules:
        sums = printed_by(rule, *parts)
        if rule not in allowed:
            return (
                f"{described(rule)} is outside the limits: MACs 1 or 2, biases and parameters 0 or 1, elements 0 to 4."
            )
        if rule not in right and any(a == b for a, b in zip(sums, printed, strict=True)):
            return f"{rule} gives the number of one of the networks and not of the others. A rule must fit all."
        if rule not in right:
            return f"{rule} gives {described(sums)}, and the tool printed {described(printed)}."
    missing = right - set(rules)
    if any(rule[0] == 2 for rule in missing):
        return "A rule with doubled MACs is missing: some tools print FLOPs."
    if any(rule[2] == 4 for rule in missing):
        return "A rule is missing that takes each element of the norm four times, as some tools do."
    return f"For {described(printed)} a rule is missing: different rules can give the same number." if missing else ""


MACS, WRITTEN = cost.conv2d(16, 32, 3, output_size=20).macs, 32 * 20**2
NORMED = (MACS, WRITTEN, WRITTEN, cost.batch_norm2d(32, 20).params)
BARE = (cost.conv2d(8, 4, 5, output_size=10).macs, 4 * 10**2, 0, 0)


@exercise(
    cases=[
        *((printed_by(rule, NORMED), [NORMED]) for rule in [(1, 1, 0, 0), (1, 0, 4, 0), (1, 0, 0, 1)]),
        (printed_by((2, 1, 2, 0), NORMED, BARE), [NORMED, BARE]),
        ([120, 110], [(100, 20, 10, 0), (100, 10, 20, 0)]),  # (1, 0, 1, 0) has the same sum
    ],
    fault=fault_of_rules,
    wrong={
        "(1, 2) -> (1,)": "doubled MACs",
        "range(5) -> range(4)": "four times",
        "(1, 2), (0, 1) -> (1, 2), range(3)": "outside the limits",
        "(1, 2), (0, 1) -> (1, 2), (0,)": "different rules",
        "numbers == printed -> numbers[0] == printed[0]": "must fit all",
        "numbers == printed -> sum(numbers) == sum(printed)": "the tool printed",
        "numbers == printed -> True": "the tool printed",
        "(m, b, e, p) -> [m, b, e]": "tuple of four",
        "found * 2": "stands twice",
    },
)
def rules_that_fit(printed, parts):
    found = []
    for m, b, e, p in product((1, 2), (0, 1), range(5), (0, 1)):
        numbers = []
        for macs, biases, elements, params in parts:
            numbers.append(m * macs + b * biases + e * elements + p * params)
        if numbers == printed:
            found.append((m, b, e, p))
    return found


STILL_SEEN = (
    "The maps are right, but a tool that watches torch still sees {} MACs: convolutions, einsum, matmul and @ become "
    "operations that have a price. Which operations have none?"
)
MAPS_AND_WEIGHTS = [
    (whole_numbers(1, 3, 4, 5).double(), whole_numbers(2, 3, seed=1).double()),
    (whole_numbers(2, 4, 3, 2, seed=2).double(), whole_numbers(4, 4, seed=3).double()),
]


def still_seen(function, maps, weight):
    seen = counting.count(function, maps, weight).macs
    return STILL_SEEN.format(seen) if seen else ""


@exercise(
    cases=MAPS_AND_WEIGHTS,
    oracle=lambda maps, weight: functional.pointwise_conv2d(maps, weight[:, :, None, None]),
    also=still_seen,
    hint="Output map o is the sum over c of weight[o, c] times input map c.",
    wrong={
        "products": "These are the products. Each output map is their sum over the input channels.",
        "products.sum(1)": "You add up over the output channels. Each output map is a sum over the input channels.",
        "products.mean(2)": "A mean is the sum divided by the number of channels. A convolution only adds up.",
        'torch.einsum("nchw,oc->nohw", maps, weight)': STILL_SEEN.format(3 * 2 * 4 * 5),
    },
)
def hidden_pointwise(maps, weight):
    # axes: images, output channels, input channels, height, width
    products = maps[:, None] * weight[:, :, None, None]
    return products.sum(2)


class Convolution(nn.Conv2d):
    """A class of a reader's own."""


class Block(nn.Sequential):
    """Layers, and after them a convolution of 4 to 2 channels that is called as a function."""

    def forward(self, x):
        return nn.functional.conv2d(super().forward(x), torch.ones(2, 4, 3, 3))


def small_models():
    """Models with inputs: groups and a batch; a module used twice; rows of vectors; nested; convolution to linear."""
    with torch.random.fork_rng(devices=[]):  # layers draw their weights
        shared = nn.Conv2d(4, 4, 3, padding=1)
        end = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 7)]
        return [
            (named("grouped_layer", nn.Conv2d(8, 16, (3, 5), stride=2, groups=4)), torch.ones(2, 8, 12, 10)),
            (named("one_layer_used_twice", shared, shared), torch.ones(1, 4, 5, 6)),
            (named("linear_on_rows", nn.Linear(12, 5)), torch.ones(1, 3, 4, 12)),
            (
                named("modules_in_modules", Block(nn.Conv2d(3, 4, 1)), nn.Sequential(Convolution(2, 5, 1))),
                torch.ones(2, 3, 6, 4),
            ),
            (named("small_network", nn.Conv2d(3, 6, 5, 2, bias=False), *end).train(), torch.ones(2, 3, 9, 8)),
        ]


def macs_of_modules(model, x):
    modules = dict(model.named_modules())  # a call of F.conv2d stands under a line of code
    return sum(row.macs for row in counting.count(model, x).rows if row.where in modules)


@exercise(
    cases=small_models,
    oracle=macs_of_modules,
    hint="Each number of a layer's output is a sum of as many products as one filter, or one row, has weights.",
    wrong={
        "2 * sum(found)": "These are FLOPs, two for each MAC.",
        "counting.count(model, x).macs": "You count a call of F.conv2d too. A counter that waits for nn.Conv2d and "
        "nn.Linear does not see it.",
        "model.modules() -> model.children()": "Modules inside other modules are missed. model.children() has the "
        "outer ones, model.modules() all.",
        "module.weight[0].numel() -> (module.weight[0].numel() + (module.bias is not None))": "You count the biases. "
        "They are additions without a multiplication, so no MACs.",
        "[0].numel() -> [0].numel() * getattr(module, 'groups', 1)": "The groups are forgotten. module.in_channels "
        "counts all channels; a filter reads those of its group, and its weights say how many.",
        "module.weight[0].numel() -> "
        "len(module.weight[0]) * getattr(module, 'kernel_size', [1])[0] ** 2": "You square one side of the kernel. A "
        "kernel may be 3 by 5: its weight has both sides in its shape.",
        "found.append -> module._forward_hooks.clear()\n        found.append": "Each module is counted once. The same "
        "module may be called twice: count calls, not modules.",
        "output.numel() -> (output.numel() if module.weight.ndim == 4 else len(module.weight))": "A linear layer is "
        "counted for one vector. It works on every row that comes in: look at the output.",
        "isinstance(module,  -> (type(module) in ": "A class derived from nn.Conv2d is missed: isinstance finds it.",
        "(nn.Conv2d, nn.Linear) -> nn.Conv2d": "nn.Linear is not counted.",
        "sum(found) // len(x)": "These are the MACs of one image. The whole batch passes, and each takes them.",
        "hook.remove() -> pass": CHANGED.format("model.0._forward_hooks"),
        "found, hooks -> model.eval()\n    found, hooks": CHANGED.format("model.training"),
        "found, hooks -> model.requires_grad_(False)\n    found, hooks": CHANGED.format("model.0.weight.requires_grad"),
        "found, hooks -> model.forward = model.forward\n    found, hooks": CHANGED.format("model.forward"),
        "model(x) -> model(x)\n            next(model.parameters()).zero_()": CHANGED.format("model.0.weight"),
    },
)
def count_modules(model, x):
    found, hooks = [], []

    def add(module, inputs, output):
        found.append(output.numel() * module.weight[0].numel())

    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            hooks.append(module.register_forward_hook(add))
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(found)
