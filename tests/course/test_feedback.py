"""What the self-checks say: values compared exactly or with tolerance, and every difference put into words."""

import json
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch

from dscourse.exercises.feedback import Feedback, Mistake, examine, inspect
from dscourse.exercises.inputs import whole_numbers
from dscourse.exercises.values import described, difference

n = sympy.symbols("n")

EQUAL = [
    (832, 832),
    (832.0, 832),
    (np.int64(832), 832),
    (torch.tensor(832), 832),
    (0.1 + 0.2, 0.3),
    (torch.tensor(0.5), 0.5),
    (Fraction(1, 9), Fraction(1, 9)),
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
    ((n + 1) ** 2, n**2 + 2 * n + 1),
    (torch.ones(2, 3), torch.ones(2, 3).double()),
    (torch.ones(2, 3).int(), torch.ones(2, 3)),
    (np.ones((2, 3)), torch.ones(2, 3)),
    ([[1, 2], [3, 4]], torch.tensor([[1, 2], [3, 4]])),
    (torch.tensor([1 + 1e-7]).double(), torch.ones(1)),
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
    (1 / 9, Fraction(1, 9), "it should give Fraction(1, 9)"),
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
    (n + 2, n + 1, "gives n + 2"),
    ("n", n, "gives 'n'"),
    (torch.ones(2, 3), torch.ones(3, 2), "has the shape (2, 3), it should have (3, 2)"),
    (torch.tensor([[1, 2], [3, 5]]), torch.tensor([[1, 2], [3, 4]]), "has 5 at [1, 1], it should have 4"),
    (torch.tensor([1.0001]), torch.ones(1), "has 1.0001 at [0]"),
    (torch.tensor([1.0000001]).double(), torch.ones(1).long(), "has 1 at [0]"),
    (torch.tensor([float("nan")]), torch.ones(1), "has nan at [0]"),
    ("text", torch.ones(1), "it should give an array of shape (1,)"),
    (len, torch.ones(1), "it should give an array"),
    ([[1], [2, 3]], torch.ones(2, 2), "it should give an array"),
    ([1, [2]], [1, 2], "at [1] gives [2], it should give 2"),
]


@pytest.mark.parametrize("found, expected", EQUAL, ids=repr)
def test_equal_values_differ_in_nothing(found, expected):
    assert difference(found, expected) == ""


@pytest.mark.parametrize("found, expected, words", UNEQUAL, ids=repr)
def test_difference_is_named(found, expected, words):
    assert words in difference(found, expected)


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
        (difference, "difference"),
    ],
)
def test_values_are_described_shortly(value, words):
    assert described(value) == words


CASES = [(2, 3), (5, 4)]


def examined(function, **more):
    return examine(function, CASES, lambda a, b: a * b, **more)


def test_right_answer_passes_and_says_in_how_many_cases():
    told = examined(lambda a, b: b * a)
    assert told and told.passed and told.message == "Right, in all 2 cases."
    assert examine(lambda: 3, [()], lambda: 3).message == "Right."


def test_first_failed_case_is_shown_as_a_call():
    def product(a, b):
        return 6

    assert examined(product, hint="Multiply.").message == (
        "Not yet. product(5, 4) gives 6, it should give 20. Multiply."
    )


def test_mistake_is_told_only_to_those_who_make_it_everywhere():
    mistake = Mistake(lambda a, b: a + b, "You add.")
    assert examined(lambda a, b: a + b, mistakes=[mistake]).message == "Not yet. You add."
    assert "You add" not in examined(lambda a, b: a + b if a == 2 else 0, mistakes=[mistake]).message
    assert examined(lambda a, b: a * b, mistakes=[mistake])


def test_first_of_several_fitting_mistakes_is_told():
    mistakes = [Mistake(lambda a, b: a, "first"), Mistake(lambda a, b: a, "second")]
    assert examined(lambda a, b: a, mistakes=mistakes).message == "Not yet. first"


@pytest.mark.parametrize("nothing", [None, ...])
def test_stub_is_unanswered_not_wrong(nothing):
    def product(a, b):
        return nothing

    assert examined(product).message == "Not answered yet: product returns nothing."


def test_answer_that_is_missing_in_some_cases_is_wrong():
    assert "gives None, it should give 20" in examined(lambda a, b: 6 if a == 2 else None).message


def test_what_the_code_raises_is_told_with_its_line():
    def product(a, b):
        share = a / 0
        return share

    told = examined(product, hint="Multiply.").message
    assert told == 'product(2, 3) raised ZeroDivisionError: division by zero at "share = a / 0". Multiply.'


def test_line_is_the_readers_even_if_a_library_raises():
    def product(a, b):
        return json.loads("no number") * b

    assert 'at "return json.loads("no number") * b"' in examined(product).message


def test_wrong_number_of_arguments_is_told():
    assert "raised TypeError" in examined(lambda a: a).message


def test_interruption_is_no_answer():
    def interrupted(a, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examined(interrupted)


def test_no_function_is_refused_with_what_was_given():
    with pytest.raises(TypeError, match=r"without \(\.\.\.\) after its name; it got 6"):
        examined(6)


def test_reader_cannot_change_the_cases():
    cases = [(torch.ones(2),), ([1, 1],)]

    def spoiled(values):
        values[0] = 7
        return 0

    examine(spoiled, cases, lambda values: 1)
    assert cases[0][0].tolist() == [1, 1] == cases[1][0]


def test_inspect_asks_of_each_answer_what_is_wrong_with_it():
    def fault(answer, size):
        return "" if answer > size else f"{answer} is not more than {size}."

    assert inspect(lambda size: size + 1, [(3,), (4,)], fault)
    told = inspect(lambda size: 4, [(3,), (4,)], fault)
    assert not told and told.message == "Not yet. 4 is not more than 4."


def test_feedback_is_shown_in_short_lines():
    shown = repr(Feedback(False, "word " * 60))
    assert max(map(len, shown.splitlines())) <= 79 and len(shown.splitlines()) == 4


def test_whole_numbers_are_the_same_for_a_seed_and_leave_the_global_state_alone():
    state = torch.random.get_rng_state()
    first, again, other = whole_numbers(3, 4, 5), whole_numbers(3, 4, 5), whole_numbers(3, 4, 5, seed=1)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (3, 4, 5) and set(first.unique().tolist()) == {-4, -3, -2, -1, 1, 2, 3, 4}
    assert torch.equal(torch.random.get_rng_state(), state)
