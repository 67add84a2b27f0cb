"""Checks of the exercises in the chapter counting_in_practice."""

from itertools import product
from math import prod

import torch
from torch import nn

from dscourse.checks.inputs import whole_numbers
from dscourse.checks.values import described
from dslib import cost, counting, functional

from .feedback import Feedback, Mistake, examine, inspect


def check_layer_operations(reader_function) -> Feedback:
    """``layer_operations(in_channels, out_channels, kernel_size, out_size, groups)``: (multiplications, additions)."""

    def counted(c_in, c_out, k, side, groups):  # by numbers that note each operation, not by a formula
        tally = counting.Tally()
        weight, bias = (
            counting.counting_numbers(torch.ones(*shape), tally) for shape in ((c_out, c_in // groups, k, k), (c_out,))
        )
        maps = torch.ones(1, c_in, side + k - 1, side + k - 1).tolist()
        functional.conv2d_loops(maps, weight, bias, groups=groups)
        return tally.multiplications, tally.additions

    def layer(c_in, c_out, k, side, groups=1):  # MACs and numbers that are written
        return cost.conv2d(c_in, c_out, k, side, groups).macs, c_out * side**2

    def with_biases(*case):
        macs, written = layer(*case)
        return macs + written, macs + written

    def bias_for_each_map(c_in, c_out, k, side, groups):
        macs, _ = layer(c_in, c_out, k, side, groups)
        return macs, macs + c_out

    def bias_for_each_kernel(c_in, c_out, k, side, groups):
        macs, written = layer(c_in, c_out, k, side, groups)
        return macs, macs + written * c_in // groups

    return examine(
        reader_function,
        cases=[(2, 3, 3, 2, 1), (4, 6, 3, 3, 2), (6, 6, 2, 2, 6)],
        truth=counted,
        mistakes=[
            Mistake(
                with_biases, "You count the biases among the multiplications. A bias is added and multiplies nothing."
            ),
            Mistake(
                lambda c_in, c_out, k, side, groups: (layer(c_in, c_out, k, side)[0], sum(layer(c_in, c_out, k, side))),
                "The groups are not used: an output number reads the C_in / groups channels of its own group.",
            ),
            Mistake(
                lambda *case: (layer(*case)[0],) * 2,
                "There are as many additions here as multiplications: either the biases are missing, or your sums "
                "start from their first product. Here they start from 0.",
            ),
            Mistake(bias_for_each_map, "You add one bias for each map. It is added to every number of its map."),
            Mistake(
                bias_for_each_kernel,
                "You add a bias for every kernel. The kernels of a filter give one sum, and the sum gets one bias.",
            ),
        ],
        hint="How many numbers does the layer write, and how many products are in each?",
    )


def check_training_step_macs(reader_function) -> Feedback:
    """``training_step_macs(forward)``: MACs of a training step, from the layers' forward MACs in running order."""
    steps = {}  # by watching both passes of real networks
    with torch.device("meta"):
        for layers, shape in [
            ((nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 1)), (3, 9, 9)),
            ((nn.Conv2d(1, 4, 5, stride=2), nn.Flatten(), nn.Linear(64, 10)), (1, 12, 12)),
            ((nn.Conv2d(2, 6, 3),), (2, 7, 7)),
        ]:
            model, image = nn.Sequential(*layers), torch.empty(1, *shape)  # the image wants no gradient
            forward = tuple(row.macs for row in counting.count(model, image).rows)
            steps[forward] = counting.count(model, image, backward=True).macs
    return examine(
        reader_function,
        cases=[(list(forward),) for forward in steps],
        truth=lambda forward: steps[tuple(forward)],
        mistakes=[
            Mistake(
                lambda forward: 3 * sum(forward),
                "Nearly: this takes the gradient of the image too, and no weight needs that one.",
            ),
            Mistake(
                lambda forward: 2 * sum(forward),
                "Twice the forward pass is too little: it is the forward pass with one of the two gradients, or both "
                "gradients without the forward pass.",
            ),
            Mistake(
                lambda forward: 2 * sum(forward) - forward[0],
                "The image's gradient is left out, and that is right. But of forward pass, gradients of the weights "
                "and gradients of the inputs you have two. A step takes all three.",
            ),
            Mistake(
                lambda forward: 3 * sum(forward) - forward[-1],
                "The layer that needs no gradient of its input is the one that reads the image: the first.",
            ),
            Mistake(
                lambda forward: 3 * sum(forward) - 2 * forward[0],
                "The first layer is left out of the backward pass. It needs no gradient of its input, but its weights "
                "need theirs.",
            ),
            Mistake(sum, "This is the forward pass. Training also works out gradients, of the weights and the inputs."),
        ],
        hint="Each product runs forward once, then for the gradient of its weight and, if needed, of its input.",
    )


def named(name: str, *layers: nn.Module) -> nn.Sequential:
    """The layers one after the other, in evaluation mode; feedback calls them by the name."""
    model = nn.Sequential(*layers).eval()
    model.__name__ = name
    return model


class Spectrum(nn.Module):
    """A layer that ends in an operation for which ``count`` has no price."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return torch.fft.fft2(self.layer(x)).abs()


def check_reported_count(reader_function) -> Feedback:
    """``reported_count(model, size)``: a dictionary, ``"MACs"`` of one image, ``"parameters"``, ``"left out"``."""
    with torch.random.fork_rng(devices=[]):  # layers draw their weights
        normed = [nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AvgPool2d(2)]
        plain = [nn.Conv2d(2, 6, 3), nn.Conv2d(6, 6, 3, groups=6), nn.ReLU()]
        cases = [
            (named("network_with_norm", *normed), (1, 3, 8, 8)),
            (named("network_without_norm", *plain), (5, 2, 9, 7)),
            (named("network_with_fft", Spectrum()), (2, 3, 4, 4)),
        ]

    def report(model, size, **other):
        found = counting.count(model, input_size=size, per_image=True)
        left_out = sorted(entry.operation for entry in found.other + found.uncounted)
        return {"MACs": found.macs, "parameters": found.params, "left out": left_out} | other

    def names(model, size, kind):
        return sorted(entry.operation for entry in getattr(counting.count(model, input_size=size), kind))

    def in_running_order(model, size):
        found = counting.count(model, input_size=size)
        return [entry.operation for entry in found.other + found.uncounted]

    return examine(
        reader_function,
        cases,
        truth=report,
        mistakes=[
            Mistake(
                lambda model, size: report(model, size, MACs=size[0] * report(model, size)["MACs"]),
                "These are the MACs of the whole batch, whose size is size[0]. Report those of one image.",
            ),
            Mistake(
                lambda model, size: report(model, size, MACs=2 * report(model, size)["MACs"]),
                "These are FLOPs: the report's macs are half as many.",
            ),
            Mistake(
                lambda model, size: report(
                    model, size, parameters=sum(row.params for row in counting.count(model, input_size=size).rows)
                ),
                "The rows have the layers with MACs only. Norms have parameters too: take those of the whole report.",
            ),
            Mistake(
                lambda model, size: report(
                    model, size, parameters=sum(values.numel() for values in model.state_dict().values())
                ),
                "You count the running statistics of the norm. They are stored with the parameters, but not learned.",
            ),
            Mistake(
                lambda model, size: report(model, size, **{"left out": names(model, size, "other")}),
                "What has no price is missing. A reader must be told of report.uncounted first of all.",
            ),
            Mistake(
                lambda model, size: report(model, size, **{"left out": names(model, size, "uncounted")}),
                "Norms, activations and pools are left out too, by convention: they are in report.other.",
            ),
            Mistake(
                lambda model, size: report(model, size, **{"left out": in_running_order(model, size)}),
                "The right names, in the order in which they ran. Put them in alphabetical order.",
            ),
        ],
        hint="All of it is in the report of counting.count(model, input_size=size).",
    )


def check_rules_that_fit(reader_function) -> Feedback:
    """``rules_that_fit(printed, parts)``: all rules (MACs, biases, norm elements, norm parameters) that fit."""
    layer, elements = cost.conv2d(16, 32, 3, output_size=20), 32 * 20**2
    normed = (layer.macs, elements, elements, cost.batch_norm2d(32, 20).params)
    bare = (cost.conv2d(8, 4, 5, output_size=10).macs, 4 * 10**2, 0, 0)

    def printed_by(rule, *networks):
        return [sum(times * part for times, part in zip(rule, network, strict=True)) for network in networks]

    def is_rule(rule):
        return isinstance(rule, (tuple, list)) and len(rule) == 4 and all(isinstance(times, int) for times in rule)

    def fault(rules, printed, parts):
        if not isinstance(rules, (list, tuple, set)) or not all(is_rule(rule) for rule in rules):
            return "Return a list of rules, each a tuple of four whole numbers."
        rules = [tuple(rule) for rule in rules]
        allowed = set(product((1, 2), (0, 1), range(5), (0, 1)))
        right = {rule for rule in allowed if printed_by(rule, *parts) == list(printed)}
        missing = right - set(rules)
        for rule in rules:
            sums = printed_by(rule, *parts)
            if rule in allowed - right and any(a == b for a, b in zip(sums, printed, strict=True)):
                return f"{rule} gives the number of one of the networks and not of the others. A rule must fit all."
            if rule in allowed - right:
                return f"{rule} gives {described(sums)}, and the tool printed {described(printed)}."
            if rule not in allowed:
                return f"{rule} is outside the limits: MACs 1 or 2, biases and parameters 0 or 1, elements 0 to 4."
        if any(rule[0] == 2 for rule in missing):
            return "A rule with doubled MACs is missing: some tools print FLOPs."
        if any(rule[2] == 4 for rule in missing):
            return "A rule is missing that takes each element of the norm four times, as some tools do."
        return (
            f"For {described(printed)} a rule is missing: different rules can give the same number." if missing else ""
        )

    tools = [(1, 1, 0, 0), (1, 0, 4, 0), (1, 0, 0, 1)]
    cases = [(printed_by(rule, normed), [normed]) for rule in tools]
    return inspect(reader_function, [*cases, (printed_by((2, 1, 2, 0), normed, bare), [normed, bare])], fault)


def check_hidden_pointwise(reader_function) -> Feedback:
    """``hidden_pointwise(maps, weight)``: ``(N, C_in, H, W)`` by ``(C_out, C_in)``, with no priced operation."""
    cases = [
        (whole_numbers(1, 3, 4, 5).double(), whole_numbers(2, 3, seed=1).double()),
        (whole_numbers(2, 4, 3, 2, seed=2).double(), whole_numbers(4, 4, seed=3).double()),
    ]
    told = examine(
        reader_function,
        cases,
        truth=lambda maps, weight: functional.pointwise_conv2d(maps, weight[:, :, None, None]),
        mistakes=[
            Mistake(
                lambda maps, weight: maps[:, None] * weight[:, :, None, None],
                "These are the products. Each output map is their sum over the input channels.",
            ),
            Mistake(
                lambda maps, weight: (maps[:, None] * weight[:, :, None, None]).sum(1),
                "You add up over the output channels. Each output map is a sum over the input channels.",
            ),
            Mistake(
                lambda maps, weight: (maps[:, None] * weight[:, :, None, None]).mean(2),
                "A mean is the sum divided by the number of channels. A convolution only adds up.",
            ),
        ],
        hint="Output map o is the sum over c of weight[o, c] times input map c.",
    )
    seen = counting.count(reader_function, *cases[0]).macs if told else 0
    return Feedback(False, STILL_SEEN.format(seen)) if seen else told


STILL_SEEN = (
    "Not yet. The maps are right, but a tool that watches torch still sees {} MACs: convolutions, einsum, matmul and @ "
    "become operations that have a price. Which operations have none?"
)


def check_count_modules(reader_function) -> Feedback:
    """``count_modules(model, x)``: MACs of all calls of ``nn.Conv2d`` and ``nn.Linear``, of the whole batch."""

    def rows(model, x):  # of modules: a call of F.conv2d stands under a line of code
        modules = dict(model.named_modules())
        return [row for row in counting.count(model, x).rows if row.where in modules]

    def macs(model, x):
        return sum(row.macs for row in rows(model, x))

    def convolution(row):
        return row.operation == "convolution"

    def by_inputs(row):
        return row.macs * prod(row.inputs[0][2:]) // prod(row.output[2:]) if convolution(row) else row.macs

    def with_square_kernel(row):
        height, width = row.inputs[1][2:] if convolution(row) else (1, 1)
        return row.macs * height // width

    def one_vector(row):
        return row.macs if convolution(row) else row.macs // row.output[0]

    told = examine(
        reader_function,
        small_models(),
        truth=macs,
        mistakes=[
            Mistake(lambda model, x: 2 * macs(model, x), "These are FLOPs, two for each MAC."),
            Mistake(
                lambda model, x: counting.count(model, x).macs,
                "You count a call of F.conv2d too. A counter that waits for nn.Conv2d and nn.Linear does not see it.",
            ),
            Mistake(
                lambda model, x: sum(row.macs for row in rows(model, x) if "." not in row.where),
                "Modules inside other modules are missed. model.children() has the outer ones, model.modules() all.",
            ),
            Mistake(
                lambda model, x: sum(r.macs + prod(r.output) * (len(r.inputs) == 3) for r in rows(model, x)),
                "You count the biases. They are additions without a multiplication, so no MACs.",
            ),
            Mistake(
                lambda model, x: sum(row.macs * row.groups for row in rows(model, x)),
                "The groups are forgotten. module.in_channels counts all channels; a filter reads those of its group, "
                "and its weights say how many.",
            ),
            Mistake(
                lambda model, x: sum(with_square_kernel(row) for row in rows(model, x)),
                "You square one side of the kernel. A kernel may be 3 by 5: its weight has both sides in its shape.",
            ),
            Mistake(
                lambda model, x: sum(by_inputs(row) for row in rows(model, x)),
                "You take the positions from a convolution's input. A weight is used once at each position of the "
                "output.",
            ),
            Mistake(
                lambda model, x: sum({row.where: row.macs for row in rows(model, x)}.values()),
                "Each module is counted once. The same module may be called twice: count calls, not modules.",
            ),
            Mistake(
                lambda model, x: sum(one_vector(row) for row in rows(model, x)),
                "A linear layer is counted for one vector. It works on every row that comes in: look at the output.",
            ),
            Mistake(
                lambda model, x: sum(row.macs for row in rows(model, x) if convolution(row)),
                "nn.Linear is not counted.",
            ),
            Mistake(
                lambda model, x: macs(model, x) // len(x),
                "These are the MACs of one image. The whole batch passes, and each of its images takes them.",
            ),
        ],
        hint="Each number of a layer's output is a sum of as many products as one filter, or one row, has weights.",
    )
    left = what_is_left(reader_function) if told else ""
    return Feedback(False, left) if left else told


HOOK_LEFT = (
    "Not yet. The numbers are right, but your hooks are still on the model, and run whenever it is called again. Keep "
    "what register_forward_hook gives, and call its remove()."
)
MODE_LEFT = (
    "Not yet. The numbers are right, but the model came in training mode and is left in evaluation mode. Leave it as "
    "it was."
)


class Block(nn.Module):
    """A layer inside a module, and a convolution that is called as a function."""

    def __init__(self):
        super().__init__()
        self.layer, self.weight = nn.Conv2d(3, 4, 1), nn.Parameter(torch.ones(2, 4, 3, 3))

    def forward(self, x):
        return nn.functional.conv2d(self.layer(x), self.weight)


def small_models() -> list[tuple]:
    """Models with inputs: groups and a batch; a module used twice; rows of vectors; nested; convolution to linear."""
    with torch.random.fork_rng(devices=[]):  # layers draw their weights
        shared = nn.Conv2d(4, 4, 3, padding=1)
        end = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 7)]
        return [
            (named("grouped_layer", nn.Conv2d(8, 16, (3, 5), stride=2, groups=4)), torch.ones(2, 8, 12, 10)),
            (named("one_layer_used_twice", shared, shared), torch.ones(1, 4, 5, 6)),
            (named("linear_on_rows", nn.Linear(12, 5)), torch.ones(1, 3, 4, 12)),
            (named("modules_in_modules", Block(), nn.Sequential(nn.Conv2d(2, 5, 1))), torch.ones(2, 3, 6, 4)),
            (named("small_network", nn.Conv2d(3, 6, 5, 2, bias=False), *end), torch.ones(2, 3, 9, 8)),
        ]


def what_is_left(reader_function) -> str:
    """What is wrong with a model after the function has counted it: hooks, another mode; "" if nothing is."""
    model, x = small_models()[-1]
    model.train()
    reader_function(model, x)
    if any(module._forward_hooks or module._forward_pre_hooks for module in model.modules()):
        return HOOK_LEFT
    return "" if all(module.training for module in model.modules()) else MODE_LEFT
