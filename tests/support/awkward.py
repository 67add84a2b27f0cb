"""Values of kinds that careless or playful code returns. A random source chooses the kind and what surrounds it."""

import collections
import decimal
import fractions
import itertools
import types
import warnings

import numpy as np
import pandas as pd
import sympy
import torch
from torch import nn

from dslib import cost

SHAPES = [
    (1, 3, 3, 3),
    (3, 1, 3, 3),
    (2, 3, 3, 3),
    (12, 1, 3, 3),
    (1, 12, 1, 1),
    (3, 3, 1, 1),
    (2, 3, 4),
    (4,),
    (1,),
    (),
]
SPECIAL = ["__repr__", "__str__", "__eq__", "__hash__", "__bool__", "__len__", "__iter__", "__getitem__", "__array__"]
SPECIAL += ["__float__", "__int__", "__index__", "__add__", "__sub__", "__lt__", "__contains__", "__reduce__"]
BASES = [object, int, float, str, bytes, list, tuple, dict, set, Exception]


def leave(*_):
    raise SystemExit("left")


def fail(*_):
    raise RuntimeError("no")


def spoiled(rng):
    """An instance of a subclass, some of whose methods raise or lie."""
    answers = [leave, fail, lambda *_: True, lambda *_: "lie", lambda *_: itertools.count(), lambda *_: -1]
    methods = {name: rng.choice(answers) for name in rng.sample(SPECIAL, rng.randint(1, 6))}
    if rng.random() < 0.3:
        methods["__class__"] = property(rng.choice([leave, fail, lambda _: dict]))
    if rng.random() < 0.3:
        methods["__getattr__"] = rng.choice([leave, fail])
    return type("Spoiled", (rng.choice(BASES),), methods)()


def itself(rng):
    value = rng.choice([[], {}])
    value.append(value) if isinstance(value, list) else value.update(it=value)
    return value


def nested(rng, depth=50_000):
    value = 1
    for _ in range(depth):
        value = [value] if depth % 2 else (value,)
    return value


def tensor(rng, **how):
    how = {"fill_value": rng.choice([float("nan"), float("inf"), -1e30, 0.0, 1e-30, 7.5])} | how
    return torch.full(rng.choice(SHAPES), **how)


def poisoned(rng):
    """A tensor of a shape that a check asks for, with one number that is none."""
    value = torch.zeros(rng.choice(SHAPES[:-1]), dtype=rng.choice([torch.half, torch.float, torch.double]))
    value.view(-1)[0] = rng.choice([float("nan"), float("inf"), -float("inf")])
    return value


class Other(torch.Tensor):
    """A tensor with which nothing can be done."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        raise RuntimeError("not with me")


class Broken(nn.Module):
    """A module that fails wherever it is asked."""

    def forward(self, x):
        raise SystemExit

    __repr__ = fail


KINDS = [
    spoiled,
    spoiled,
    spoiled,
    itself,
    nested,
    poisoned,
    tensor,
    lambda rng: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    lambda rng: torch.quantize_per_tensor(torch.ones(rng.choice(SHAPES)), 0.1, 0, torch.quint8),
    lambda rng: np.ones((2, 2)).view(np.matrix),
    lambda rng: tensor(rng, dtype=torch.cfloat),
    lambda rng: tensor(rng, device="meta"),
    lambda rng: tensor(rng, requires_grad=True) * 2,
    lambda rng: tensor(rng, dtype=torch.bfloat16),
    lambda rng: tensor(rng, fill_value=1, dtype=torch.uint8),
    lambda rng: tensor(rng, fill_value=True),
    lambda rng: torch.ones(rng.choice(SHAPES)).to_sparse(),
    lambda rng: torch.ones(4, 4).to_sparse_csr(),
    lambda rng: torch.ones(2, 3).to_mkldnn(),
    lambda rng: torch.zeros(0, rng.randint(0, 3)),
    lambda rng: torch.zeros(1).expand(10 ** rng.randint(3, 6), 10**6),
    lambda rng: torch.Tensor._make_subclass(Other, torch.ones(2)),
    lambda rng: torch.Size([2, 3]),
    lambda rng: torch.float32,
    lambda rng: nn.Parameter(tensor(rng), requires_grad=False),
    lambda rng: nn.LazyConv2d(3, 3).weight,
    lambda rng: nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(5, 2, 1)),
    lambda rng: rng.choice([Broken, nn.Identity, nn.Flatten])(),
    lambda rng: nn.LSTM(3, 3),
    lambda rng: rng.choice([cost.Network, cost.Cost]),
    lambda rng: cost.Network(3, rng.choice([8, 224])),
    lambda rng: cost.Network(sympy.Symbol("c"), sympy.Symbol("s")),
    lambda rng: cost.conv2d(3, 4, 3, 5),
    lambda rng: np.array([{}, None, "a"], dtype=object).reshape(rng.choice([(3,), (3, 1), (1, 3, 1)])),
    lambda rng: np.full(rng.choice(SHAPES), "a"),
    lambda rng: np.full(rng.choice(SHAPES), None),
    lambda rng: np.full(rng.choice(SHAPES), np.nan, dtype=rng.choice(["f2", "f4", "f8", "g", "c8"])),
    lambda rng: np.broadcast_to(1.0, (10**6, 10**6)),
    lambda rng: np.ma.masked_all((2, 3)),
    lambda rng: np.ma.masked,
    lambda rng: np.zeros(2, dtype="i4,f4"),
    lambda rng: np.array(["2020", "NaT"], dtype="M8[D]"),
    lambda rng: np.array([2**64 - 1], dtype="u8"),
    lambda rng: np.ones((3, 4))[::-1, ::2],
    lambda rng: rng.choice([np.int8, np.uint64, np.float16, np.longdouble, np.bool_, np.str_, np.bytes_])(1),
    lambda rng: np.void(b"abc"),
    lambda rng: rng.choice([sympy.zoo, sympy.nan, sympy.oo, sympy.I, sympy.pi, sympy.true, sympy.EmptySet]),
    lambda rng: sympy.Symbol("x") + rng.randint(0, 5),
    lambda rng: sympy.Add(sympy.Integer(1), sympy.Symbol("x"), evaluate=False),
    lambda rng: sympy.Integral(sympy.Symbol("x"), sympy.Symbol("x")),
    lambda rng: sympy.Matrix([[1, sympy.Symbol("x")]]),
    lambda rng: sympy.Pow(sympy.Integer(10), sympy.Integer(10**6), evaluate=False),
    lambda rng: rng.choice([1, -1]) * 10 ** rng.choice([400, 5000]),
    lambda rng: rng.choice([float("nan"), float("inf"), -0.0, 1e308, 5e-324]),
    lambda rng: complex(rng.random(), float("nan")),
    lambda rng: decimal.Decimal(rng.choice(["NaN", "sNaN", "Infinity", "1e999999999", "0.1"])),
    lambda rng: fractions.Fraction(rng.choice([1, 10**400]), 3),
    lambda rng: (
        rng.choice(["a", "{", '"', "lost", "right?", "layer {", "\0", "é\ud800", "a\nb"]) * rng.choice([1, 10**6])
    ),
    lambda rng: bytes(rng.choice([0, 5, 10**6])),
    lambda rng: bytearray(5),
    lambda rng: memoryview(b"ab"),
    lambda rng: rng.choice([range(0), range(5), range(10**20), range(10**9)]),
    lambda rng: (n for n in range(3)),
    lambda rng: itertools.count(),
    lambda rng: itertools.repeat([]),
    lambda rng: map(fail, [1]),
    lambda rng: {1: 2}.keys(),
    lambda rng: {1: itertools.count()}.items(),
    lambda rng: collections.deque([1]),
    lambda rng: collections.defaultdict(fail),
    lambda rng: collections.Counter("abc"),
    lambda rng: types.SimpleNamespace(shape=(3, 1, 3, 3)),
    lambda rng: types.MappingProxyType({1: 2}),
    lambda rng: rng.choice([frozenset([frozenset()]), {1, 2}, set()]),
    lambda rng: rng.choice([int, type, len, np, warnings, fail, leave, print, NotImplemented, ValueError("no")]),
    lambda rng: pd.DataFrame({"a": [1, None], "b": ["x", []]}),
    lambda rng: pd.Series(range(3)),
    lambda rng: pd.NA,
    lambda rng: pd.NaT,
    lambda rng: [0.0] * 10**5,
    lambda rng: dict.fromkeys(range(10**5)),
]


def awkward(rng):
    """A value of one of these kinds, alone or inside others."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some kinds are deprecated, or new
        return surrounded(rng, rng.choice(KINDS)(rng))


def surrounded(rng, value):
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3])):
        value = rng.choice(AROUND)(rng, value)
    return value


def in_an_array(rng, value):
    array = np.empty(2, dtype=object)
    array[1] = value
    return array.reshape(rng.choice([2, (2, 1), (1, 1, 2)]))


AROUND = [
    lambda rng, value: [value],
    lambda rng, value: (value,) * rng.randint(1, 5),
    lambda rng, value: (torch.ones(rng.choice(SHAPES)), value),
    lambda rng, value: [value, rng.choice(KINDS)(rng)],
    lambda rng, value: [[value] * 3] * 3,
    lambda rng, value: {rng.choice(["MACs", "dense", "pair", 0]): value},
    lambda rng, value: dict.fromkeys(rng.choice([["MACs", "parameters", "left out"], ["dense", "pair"]]), value),
    lambda rng, value: (each for each in [value]),
    lambda rng, value: {"a": value}.values(),
    in_an_array,
    lambda rng, value: types.SimpleNamespace(value=value),
]
