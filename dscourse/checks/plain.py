"""What a reader's function gives, made of a few kinds that are safe to look at.

Past :func:`plain` there are None, dots, truth values, int, float, str, list, tuple, dict, set, torch's tensors of
float64, int64 or bool, modules and ``cost.Network``. All else is :class:`Odd`. So no check meets a value that raises,
lies, never ends or fills the memory when it is looked at.
"""

import functools
import itertools
import numbers
import operator
import types
from collections.abc import Callable, Iterable, KeysView, ValuesView
from decimal import Decimal

import numpy as np
import sympy
import torch
from sympy.logic.boolalg import BooleanAtom
from torch import nn

from dslib import cost

from .limit import TimeUp

ROOM = 2**16  # single values in an answer: hundreds of times those of any right one
LETTERS = 120  # of a value in feedback
BITS = 1000  # of a whole number: a longer one is no float


class Odd:
    """In the place of a value of no kind that an exercise asks for. Only words are left of it."""

    def __init__(self, words: str):
        self.words = words

    def __repr__(self) -> str:
        return self.words


def safely(look: Callable, value, otherwise: Callable):
    """``look(value)``; whatever that raises, also an ``exit()``, leads to ``otherwise(value)``."""
    try:
        return look(value)
    except (KeyboardInterrupt, TimeUp):
        raise
    except BaseException:
        return otherwise(value)


def cut(words: str, most: int = LETTERS) -> str:
    """The words, or as many of them as feedback has room for."""
    return words if len(words) <= most else words[:most] + " ..."


def words_of(value, how: Callable = repr) -> str:
    """The value's own words in one short line; its type if it has none."""
    words = safely(lambda value: " ".join(str.split(how(value)[: 9 * LETTERS])), value, lambda value: "")
    return cut(words or f"<{type.__repr__(type(value)).split(chr(39))[1]}>")


def plain(value, room: int = ROOM):
    """The value in plain kinds; a container shares its room out among its entries, so its depth has an end too."""
    return safely(lambda value: kind.dispatch(type(value))(value, room), value, lambda value: Odd(words_of(value)))


def entries(values: Iterable, room: int) -> list:
    """The first entries, plain. Raises ValueError for more than there is room for."""
    taken = list(itertools.islice(values, room + 1))
    if len(taken) > room:
        raise ValueError(f"more than {room} entries")
    return [plain(value, room // (len(taken) + 1)) for value in taken]


@functools.singledispatch
def kind(value, room: int):
    """How a value of a type becomes plain. Here: of a type that nobody named, such as a data frame."""
    return plain(np.asarray(value), room) if hasattr(type(value), "__array__") else Odd(words_of(value))


for unchanged in (type(None), types.EllipsisType, nn.Module, cost.Network):
    kind.register(unchanged, lambda value, room: value)
for truth in (bool, BooleanAtom):
    kind.register(truth, lambda value, room: bool(value))
for real in (numbers.Real, Decimal, sympy.Expr):
    kind.register(real, lambda value, room: float(value))
for views in (range, KeysView, ValuesView):
    kind.register(views, lambda value, room: entries(value, room))
# the methods of list itself, and so on: a reader's subclass may have others
kind.register(str, lambda value, room: str.__str__(value)[:ROOM])
kind.register(list, lambda value, room: entries(list.__iter__(value), room))
kind.register(tuple, lambda value, room: tuple(entries(tuple.__iter__(value), room)))
kind.register(set, lambda value, room: set(entries(set.__iter__(value), room)))
kind.register(dict, lambda value, room: dict(entries(dict.items(value), room)))


@kind.register(numbers.Integral)
def _(value, room):
    whole = operator.index(value)
    if (bits := whole.bit_length()) > BITS:
        return Odd(f"<a whole number of about {bits * 0.30103:,.0f} digits>")
    return whole


@kind.register(torch.Tensor)
def _(value, room):
    if type(value) not in (torch.Tensor, nn.Parameter) or value.numel() > room:
        return Odd(f"<{type(value).__name__} of shape {tuple(value.shape)}>")
    values = value.detach()
    return kind((values.double() if values.is_floating_point() else values).numpy(force=True), room)


@kind.register(np.ndarray)
def _(value, room):
    if np.ndarray.size.__get__(value) > room:
        return Odd(f"<array of shape {np.shape(value)}>")
    values = np.array(value)  # a copy in the usual order, of no subclass
    if np.ma.is_masked(value):
        raise ValueError("an array with holes")
    if values.ndim == 0 or values.dtype.kind not in "biuf":
        return plain(values.tolist(), room // 2)
    dtype = {"b": torch.bool, "f": torch.float64}.get(values.dtype.kind, torch.int64)
    return torch.tensor(values.tolist(), dtype=dtype).view(values.shape)
