"""Whatever a reader's function gives becomes plain, and arguments that it has changed are noticed."""

import decimal
import itertools

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from dscourse.checks.left import state, told_of_change
from dscourse.checks.plain import ROOM, Odd, plain
from dscourse.checks.watch import by_hand, without_groups
from dslib import cost, functional

itself = [1]
itself.append(itself)


@pytest.mark.parametrize(
    "value, kind, shown",
    [
        (np.bool_(True), bool, "True"),
        (sympy.true, bool, "True"),
        (np.int64(3), int, "3"),
        (torch.tensor(3), int, "3"),
        (sympy.Integer(3), int, "3"),
        (sympy.sqrt(4) / 3, float, "0.6666666666666666"),
        (np.array(0.5), float, "0.5"),
        (sympy.oo, float, "inf"),
        (np.str_("a"), str, "'a'"),
        (torch.Size([2, 3]), tuple, "(2, 3)"),
        (range(2), list, "[0, 1]"),
        ({1: np.int8(2)}.values(), list, "[2]"),
        (np.array([1, None]), list, "[1, None]"),
        (np.array([[1, 2]], dtype="u2"), torch.Tensor, "tensor([[1, 2]])"),
        (nn.Parameter(torch.ones(1)), torch.Tensor, "tensor([1.], dtype=torch.float64)"),
        (np.ma.array([1, 2]), torch.Tensor, "tensor([1, 2])"),
        (torch.empty(3, device="meta"), Odd, "tensor(..., device='meta', size=(3,))"),
        (torch.ones(1, dtype=torch.cfloat), list, "[(1+0j)]"),
        (np.broadcast_to(0, (10**6, 10**6)), Odd, "<array of shape (1000000, 1000000)>"),
        (torch.ones(1).expand(10**6, 10**6), Odd, "<Tensor of shape (1000000, 1000000)>"),
        (range(10**20), Odd, "range(0, 100000000000000000000)"),
        (itself, list, "[1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [...]]]]]]]]]]]]"),
        (decimal.Decimal("sNaN"), Odd, "Decimal('sNaN')"),
        (decimal.Decimal("1e999999999"), float, "inf"),
        (sympy.zoo, Odd, "zoo"),
        (10**5000, Odd, "<a whole number of about 5,000 digits>"),
        (np.array([2**64 - 1], dtype="u8"), Odd, "array([18446744073709551615], dtype=uint64)"),
    ],
    ids=itertools.count(),
)
def test_value_becomes_plain(value, kind, shown):
    assert (type(plain(value)), repr(plain(value))) == (kind, shown)


@pytest.mark.parametrize("value", [[0] * (ROOM + 1), np.ma.array([1, 2], mask=[True, False])], ids="12")
def test_what_is_too_long_or_has_holes_is_odd_and_its_words_are_cut(value):
    assert isinstance(plain(value), Odd) and len(repr(plain(value))) < 130


@pytest.mark.parametrize(
    "name", ["__repr__", "__class__", "__array__", "__iter__", "__len__", "__eq__", "__hash__", "__bool__"]
)
@pytest.mark.parametrize("base", [object, int, float, str, list, dict, set, np.ndarray])
def test_a_value_with_methods_that_exit_is_not_looked_at_by_them(name, base):
    def leave(*_):
        raise SystemExit

    spoiled = type("Spoiled", (base,), {name: property(leave) if name == "__class__" else leave})
    value = spoiled((2,)) if base is np.ndarray else spoiled()
    assert type(plain(value)) in {Odd, base, torch.Tensor} - {object}


@pytest.mark.parametrize("base, content", [(list, [1, 2]), (tuple, (1, 2)), (set, {1, 2}), (dict, {1: 2}), (str, "ab")])
def test_what_is_inside_counts_not_what_a_subclass_says(base, content):
    lies = dict.fromkeys(["__iter__", "items", "__len__", "__str__"], lambda self: iter([9]))
    found = plain(type("Lying", (base,), lies)(content))
    assert type(found) is base and found == content


@pytest.mark.parametrize("value", [None, ..., nn.ReLU(), cost.Network(3, 8)], ids=["none", "dots", "module", "network"])
def test_what_some_check_asks_for_stays(value):
    assert plain(value) is value


def leave_alone(model):
    model(torch.ones(1, 3, 4, 4))


def hook(model):
    model[0].register_forward_hook(lambda *_: None)


@pytest.mark.parametrize(
    "change, place",
    [
        (leave_alone, ""),
        (lambda model: model.train().eval(), ""),
        (hook, "model.0._forward_hooks"),
        (lambda model: model[1].train(), "model.1.training"),
        (lambda model: setattr(model[0], "forward", print), "model.0.forward"),
        (lambda model: model.requires_grad_(False), "model.0.weight.requires_grad"),
        (lambda model: nn.init.zeros_(model[0].bias), "model.0.bias"),
        (lambda model: model[1].running_mean.add_(1), "model.1.running_mean"),
        (lambda model: model.append(nn.ReLU()), "model.2"),
        (lambda model: setattr(model, "0", nn.Identity()), "model.0"),
        (lambda model: model.to("meta"), "one of the arguments"),
    ],
)
def test_change_of_a_model_is_named(change, place):
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)).eval()
    before = state({"model": model})
    change(model)
    told = told_of_change(before, [model], ["model"])
    assert f"afterwards {place} is not what it was" in told if place else told == ""


@pytest.mark.parametrize("change", [list.reverse, list.pop, lambda values: values[1].mul_(2)])
def test_change_of_a_list_is_named(change):
    values = [3, torch.ones(2)]
    before = state({"values": values})
    assert told_of_change(before, [values], ["values"]) == ""
    change(values)
    assert "afterwards values is not what it was" in told_of_change(before, [values], ["values"])


MAPS, WEIGHT = torch.ones(1, 4, 5, 5), torch.ones(4, 1, 3, 3)


@pytest.mark.parametrize(
    "function, who",
    [
        (lambda maps, weight: (maps[:, :, :3, :3] * weight[:, 0]).sum(), None),
        (lambda maps, weight: torch.einsum("nchw,cohw->c", maps[:, :, :3, :3], weight), None),
        (lambda maps, weight: torch.conv2d(maps, weight, groups=4), "torch's convolution"),
        (lambda maps, weight: nn.Conv2d(4, 4, 3, groups=4)(maps), "torch's convolution"),
        (lambda maps, weight: torch.conv_transpose2d(maps, weight, groups=4), "torch's convolution"),
        (lambda maps, weight: functional.depthwise_conv2d(maps, weight), "functional.depthwise_conv2d"),
        (lambda maps, weight: functional.conv2d(maps, weight, groups=4), "functional.conv2d"),
    ],
)
def test_convolution_that_does_the_work_is_named(function, who):
    assert (who in by_hand(function, MAPS, WEIGHT)) if who else by_hand(function, MAPS, WEIGHT) == ""


def test_only_groups_are_named_where_standard_convolutions_may_run():
    whole = functional.dense_weight(WEIGHT, 4)
    assert without_groups(functional.conv2d, MAPS, whole) == without_groups(torch.conv2d, MAPS, whole) == ""
    assert "functional.conv2d makes the groups" in without_groups(functional.conv2d, MAPS, WEIGHT, None, 1, 0, 1, 4)
    assert "torch's convolution makes the groups" in without_groups(torch.conv2d, MAPS, WEIGHT, None, 1, 0, 1, 4)
