"""Comparing what a reader's function gave with what it should give, and saying the difference in words."""

import math
import numbers

import numpy as np
import sympy
import torch

SHORT = 12  # elements of a list or an array that are shown one by one


def difference(found, expected) -> str:
    """What is wrong with ``found``, in words; empty if nothing is.

    Whole numbers, words and truth values are compared exactly. Floats may differ by a millionth of their size, arrays
    of floats by a hundred thousandth: different orders of adding are right alike. Formulas are equal if their
    difference simplifies to 0.
    """
    if isinstance(expected, (torch.Tensor, np.ndarray)):
        return difference_of_arrays(found, torch.as_tensor(expected))
    if isinstance(expected, (tuple, list)):
        return difference_of_lists(found, expected)
    if isinstance(expected, dict):
        return difference_of_dicts(found, expected)
    if same(found, expected):
        return ""
    one, other = described(found), described(expected)
    if one == other:  # 113.778 and 113.777778 look alike when they are written shortly
        one, other = repr(found), repr(expected)
    return f"gives {one}, it should give {other}"


def same(found, expected) -> bool:
    """Whether two single values are equal, in the sense that their kind asks for."""
    if isinstance(found, (torch.Tensor, np.ndarray)) and torch.as_tensor(found).numel() == 1:
        found = found.item()
    if isinstance(expected, (bool, np.bool_)):
        return isinstance(found, (bool, np.bool_)) and bool(found) == bool(expected)
    if isinstance(expected, sympy.Expr):
        return isinstance(found, (sympy.Expr, numbers.Number)) and sympy.simplify(found - expected) == 0
    if isinstance(found, sympy.Expr) and found.is_number:
        found = float(found)
    if isinstance(expected, numbers.Rational):
        return isinstance(found, numbers.Number) and not isinstance(found, bool) and found == expected
    if isinstance(expected, numbers.Real):
        number = isinstance(found, numbers.Real) and not isinstance(found, bool)
        return number and math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-12)
    return type(found) is type(expected) and found == expected


def difference_of_arrays(found, expected: torch.Tensor) -> str:
    """The same for tensors and arrays; nested lists of numbers are taken too."""
    try:
        array = torch.as_tensor(found).detach()
    except (TypeError, ValueError, RuntimeError):
        return f"gives {described(found)}, it should give an array of shape {tuple(expected.shape)}"
    if array.shape != expected.shape:
        return f"has the shape {tuple(array.shape)}, it should have {tuple(expected.shape)}"
    array, expected = array.to(torch.float64), expected.detach()
    whole = not expected.is_floating_point()
    expected = expected.to(torch.float64)
    equal = array == expected if whole else torch.isclose(array, expected, rtol=1e-5, atol=1e-6)
    if equal.all():
        return ""
    place = (~equal).nonzero()[0].tolist()
    given, wanted = (described(values[tuple(place)].item()) for values in (array, expected))
    return f"has {given} at {place}, it should have {wanted}"


def difference_of_lists(found, expected) -> str:
    """The same for tuples and lists, which may stand for each other."""
    if isinstance(found, (torch.Tensor, np.ndarray)) and found.ndim == 1:
        found = found.tolist()
    if not isinstance(found, (tuple, list)) or len(found) != len(expected):
        return f"gives {described(found)}, it should give {described(expected)}"
    return difference_of_entries(dict(enumerate(found)), dict(enumerate(expected)))


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
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = torch.as_tensor(value).detach()
        sizes = "x".join(str(length) for length in array.shape)
        return described(array.tolist()) if 0 < array.numel() <= SHORT else f"<array {sizes}>"
    if isinstance(value, (list, tuple)):
        entries = [described(entry, "") for entry in value[:SHORT]] + ["..."] * (len(value) > SHORT)
        listed = ", ".join(entries)
        return f"[{listed}]" if isinstance(value, list) else f"({listed}{',' * (len(value) == 1)})"
    if isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_)):
        return f"{int(value):{thousands}}" if abs(value) >= 10_000 else str(int(value))
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    return repr(value)
