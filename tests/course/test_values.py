"""What the self-checks say: values compared exactly or with tolerance, and every difference put into words."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch

from dscourse.checks.feedback import Feedback
from dscourse.checks.inputs import whole_numbers
from dscourse.checks.plain import plain
from dscourse.checks.values import as_whole, described, difference

n = sympy.symbols("n")


class TwinOf:
    """It looks like another value, and is none."""

    def __init__(self, words):
        self.words = words

    def __repr__(self):
        return self.words


EQUAL = [
    (832, 832),
    (832.0, 832),
    (np.int64(832), 832),
    (torch.tensor(832), 832),
    (0.1 + 0.2, 0.3),
    (torch.tensor(0.5), 0.5),
    (Fraction(1, 9), 1 / 9),
    (Decimal("0.3"), 0.3),
    (Decimal(832), 832),
    (sympy.Integer(832), 832),
    (sum([0.1] * 10), 1),
    (np.float32(0.1), 0.1),
    (sympy.Rational(1, 9), 1 / 9),
    (sympy.sqrt(2), 2**0.5),
    (True, True),
    (np.bool_(False), False),
    ("right", "right"),
    ((3, 4), [3, 4]),
    (torch.Size([2, 3]), (2, 3)),
    ([(1, 2.0)], [(1, 2)]),
    (torch.tensor([3, 4]), (3, 4)),
    (np.array([3.0, 4.0]), [3, 4]),
    ({"a": 1}, {"a": 1}),
    (range(3), [0, 1, 2]),
    ({"a": 1, "b": 2}.keys(), ["a", "b"]),
    (np.array(["a", "b"]), ["a", "b"]),
    (torch.tensor([[2, 1], [3, 4]]), ((2, 1), (3, 4))),
    ((np.int64(3), torch.tensor(4)), (3, 4)),
    (torch.ones(2, 3), torch.ones(2, 3).double()),
    (torch.ones(2, 3).int(), torch.ones(2, 3)),
    (np.ones((2, 3)), torch.ones(2, 3)),
    ([[1, 2], [3, 4]], torch.tensor([[1, 2], [3, 4]])),
    ([torch.ones(3), np.ones(3)], torch.ones(2, 3)),
    (torch.tensor([1 + 1e-7]).double(), torch.ones(1).long()),
    (torch.ones(2, requires_grad=True), torch.ones(2)),
]
UNEQUAL = [
    (831, 832, "gives 831, it should give 832"),
    (832.0001, 832, "gives 832"),
    (1408, 832, "gives 1408, it should give 832"),
    (sympy.sqrt(2), 1.4, "it should give 1.4"),
    (n, 1.4, "gives n"),
    (torch.ones(5, 3, 3), (1, 2), "gives <array 5x3x3>, it should give (1, 2)"),
    (True, 1, "gives True, it should give 1"),
    (1, True, "gives 1, it should give True"),
    (False, True, "gives False, it should give True"),
    (None, 832, "gives None"),
    ("832", 832, "gives '832'"),
    (float("nan"), 0.5, "gives nan"),
    (0.11111, 1 / 9, "it should give 0.111111"),
    (1e9 + 0.5, 10**9, "gives 1,000,000,000.5, it should give 1,000,000,000"),
    (10**400, 832, "gives <a whole number of about 400 digits>, it should give 832"),
    ("wrong", "right", "gives 'wrong'"),
    (832, "right", "gives 832"),
    ((3, 4, 5), (3, 4), "gives (3, 4, 5), it should give (3, 4)"),
    ((3, 5), (3, 4), "at [1] gives 5, it should give 4"),
    (7, (3, 4), "gives 7, it should give (3, 4)"),
    ({"a": 2}, {"a": 1}, "at ['a'] gives 2"),
    ({"b": 1}, {"a": 1}, "keys ['a']"),
    ([(1, 2), (3, 5)], [(1, 2), (3, 4)], "at [1][1] gives 5, it should give 4"),
    ({"a": [1, 2]}, {"a": [1, 3]}, "at ['a'][1] gives 2"),
    (({1, 2},), ([1, 2],), "at [0] gives {1, 2}, it should give [1, 2]"),
    (113.778, 1024 / 9, "gives 113.778, it should give 113.77777777777777"),
    (n, 832, "gives n, it should give 832"),
    (TwinOf("832"), 832, "gives 832, of another kind, it should give 832"),
    (torch.ones(2, 3), torch.ones(3, 2), "has the shape (2, 3), it should have (3, 2)"),
    (torch.tensor([[1, 2], [3, 5]]), torch.tensor([[1, 2], [3, 4]]), "has 5 at [1, 1], it should have 4"),
    (torch.tensor([1.0001]), torch.ones(1), "has 1.0001 at [0]"),
    (torch.tensor([float("nan")]), torch.ones(1), "has nan at [0]"),
    ("text", torch.ones(1), "it should give an array of shape (1,)"),
    (len, torch.ones(1), "it should give an array"),
    ([[1], [2, 3]], torch.ones(2, 2), "it should give an array"),
    ([1, [2]], [1, 2], "at [1] gives [2], it should give 2"),
]


@pytest.mark.parametrize("found, expected", EQUAL, ids=repr)
def test_equal_values_differ_in_nothing(found, expected):
    assert difference(plain(found), plain(expected)) == ""


@pytest.mark.parametrize("found, expected, words", UNEQUAL, ids=repr)
def test_difference_is_named(found, expected, words):
    assert words in difference(plain(found), plain(expected))


@pytest.mark.parametrize(
    "value, words",
    [
        (9999, "9999"),
        (10_000, "10,000"),
        (-1_234_567, "-1,234,567"),
        (0.1234567, "0.123457"),
        ((3,), "(3,)"),
        ((17_496, 3528), "(17496, 3528)"),
        (list(range(600)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]"),
        ([1, (2.5, "a")], "[1, (2.5, 'a')]"),
        (True, "True"),
        (torch.arange(4).reshape(2, 2), "[[0, 1], [2, 3]]"),
        (torch.zeros(1, 2, 8, 8), "<array 1x2x8x8>"),
        (np.float64(2.5), "2.5"),
        (None, "None"),
        (10**30, "1e+30"),
        ("x" * 10**6, "'" + "x" * 119 + " ..."),
    ],
)
def test_values_are_described_shortly(value, words):
    assert described(plain(value)) == words


@pytest.mark.parametrize("found, whole", [((1, 2.0, 3 + 1e-12), [1, 2, 3]), ([1.5], []), ([float("nan")], []), (7, [])])
def test_whole_numbers_are_taken_out_of_lists(found, whole):
    assert as_whole(plain(found)) == whole


def test_feedback_is_shown_in_short_lines():
    shown = repr(Feedback(False, "word " * 60))
    assert max(map(len, shown.splitlines())) <= 79 and len(shown.splitlines()) == 4


def test_whole_numbers_are_the_same_for_a_seed_and_leave_the_global_state_alone():
    state = torch.random.get_rng_state()
    first, again, other = whole_numbers(3, 4, 5), whole_numbers(3, 4, 5), whole_numbers(3, 4, 5, seed=1)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (3, 4, 5) and set(first.unique().tolist()) == {-4, -3, -2, -1, 1, 2, 3, 4}
    assert torch.equal(torch.random.get_rng_state(), state)
