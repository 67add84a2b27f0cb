"""Comparing what a reader's function gave with what it should give, and saying the difference in words.

Both are plain (:mod:`dscourse.checks.plain`). What is described may also be an argument of a case.
"""

import math

import torch

from .plain import Odd, cut, words_of

SHORT = 12  # elements of a list or an array that are shown one by one


def difference(found, expected) -> str:
    """What is wrong with ``found``, in words; empty if nothing is.

    Whole numbers, words and truth values are compared exactly, but 0.1 added ten times is 1. Floats may differ by a
    millionth of their size, arrays by a hundred thousandth: different orders of adding are right alike.
    """
    if isinstance(expected, torch.Tensor):
        return difference_of_arrays(found, expected.double())
    if isinstance(expected, (tuple, list)):
        return difference_of_lists(found, expected)
    if isinstance(expected, dict):
        return difference_of_dicts(found, expected)
    if same(found, expected):
        return ""
    one, other = described(found), described(expected)
    if one == other:  # 113.778 and 113.777778 look alike when they are written shortly
        one, other = (f"{one}, of another kind" if isinstance(found, Odd) else repr(found)), repr(expected)
    return f"gives {one}, it should give {other}"


def same(found, expected) -> bool:
    """Whether two single values are equal, in the sense that their kind asks for."""
    if isinstance(found, torch.Tensor) and found.numel() == 1:
        found = found.item()
    if type(found) not in (int, float) or type(expected) not in (int, float):
        return type(found) is type(expected) and found == expected
    if type(expected) is int:
        return found == expected or type(found) is float and math.isclose(found, expected, rel_tol=1e-10, abs_tol=1e-12)
    return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-12)


def as_array(found) -> torch.Tensor:
    """Tensors and nested lists of numbers as one tensor of float64; anything else as an empty one, ``(0,)``."""
    if type(found) in (int, float):
        return torch.tensor(float(found), dtype=torch.float64)
    if isinstance(found, (tuple, list)) and found:
        parts = list(map(as_array, found))
        return torch.stack(parts) if len({part.shape for part in parts}) == 1 else torch.empty(0)
    return found.double() if isinstance(found, torch.Tensor) else torch.empty(0)


def fault_of_array(array: torch.Tensor, shape: tuple, words: str) -> str:
    """What is wrong with the shape or the numbers of an array; ``words`` say what the shape means."""
    if array.shape != shape:
        return f"It should be a tensor of shape {shape}: {words}."
    return "" if array.isfinite().all() else "Some of its numbers are not finite: nan or inf stands among them."


def as_whole(found) -> list[int]:
    """The whole numbers in a list, tuple or tensor of one axis; floats such as 2.0 are taken. Else an empty list."""
    found = found.tolist() if isinstance(found, torch.Tensor) else found
    if not isinstance(found, (list, tuple)):
        return []
    whole = [round(n) for n in found if type(n) in (int, float) and math.isfinite(n) and same(n, round(n))]
    return whole if len(whole) == len(found) else []


def difference_of_arrays(found, expected: torch.Tensor) -> str:
    """The same for arrays."""
    array = as_array(found)
    if array.shape != expected.shape:
        if array.shape == (0,):
            return f"gives {described(found)}, it should give an array of shape {tuple(expected.shape)}"
        return f"has the shape {tuple(array.shape)}, it should have {tuple(expected.shape)}"
    equal = torch.isclose(array, expected, rtol=1e-5, atol=1e-6)
    if equal.all():
        return ""
    place = (~equal).nonzero()[0].tolist()
    given, wanted = (described(values[tuple(place)].item()) for values in (array, expected))
    return f"has {given} at {place}, it should have {wanted}"


def difference_of_lists(found, expected) -> str:
    """The same for tuples and lists, which may stand for each other."""
    entries = found.tolist() if isinstance(found, torch.Tensor) else found
    if not isinstance(entries, (tuple, list)) or len(entries) != len(expected):
        return f"gives {described(found)}, it should give {described(expected)}"
    return difference_of_entries(dict(enumerate(entries)), dict(enumerate(expected)))


def difference_of_dicts(found, expected: dict) -> str:
    """The same for dictionaries, in the order of the expected keys."""
    if not isinstance(found, dict) or set(found) != set(expected):
        return f"gives {described(found)}, it should give a dictionary with the keys {list(expected)}"
    return difference_of_entries(found, expected)


def difference_of_entries(found: dict, expected: dict) -> str:
    """The first entry that differs, and how: ``at [0][1] gives 5``."""
    for place, value in expected.items():
        if what := difference(found[place], value):
            return f"at [{place!r}]{what.removeprefix('at ') if what.startswith('at [') else f' {what}'}"
    return ""


def described(value, thousands: str = ",") -> str:
    """A value as it is shown in feedback: short, numbers with their thousands marked, but not among commas."""
    if isinstance(value, torch.Tensor):
        sizes = "x".join(map(str, value.shape))
        return described(value.tolist()) if 0 < value.numel() <= SHORT else f"<array {sizes}>"
    if isinstance(value, (list, tuple)):
        entries = [described(entry, "") for entry in value[:SHORT]] + ["..."] * (len(value) > SHORT)
        listed = cut(", ".join(entries))
        return f"[{listed}]" if isinstance(value, list) else f"({listed}{',' * (len(value) == 1)})"
    if isinstance(value, float) or type(value) is int and abs(value) > 10**20:
        return f"{float(value):{f'{thousands}.12g' if abs(value) >= 10_000 else '.6g'}}"
    if type(value) is int:
        return f"{value:{thousands if abs(value) >= 10_000 else ''}}"
    return words_of(value, lambda value: getattr(value, "__name__", None) or repr(value))
