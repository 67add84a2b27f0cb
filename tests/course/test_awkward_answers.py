"""No check raises for what a reader's function returns or does, whatever it is; ``make prove`` tries many more."""

import asyncio
import random
import sys
import traceback
import warnings

import pytest
from torch import nn

from dscourse.checks.feedback import first_of
from dslib import cost
from tests.course.test_exercises import check_of, every_exercise
from tests.support.awkward import awkward

HOW_MANY = 20  # values for each check


def fault_of(exercise, value) -> str:
    """What is wrong with what the check says of a function that returns the value. Words, since pytest shows values."""
    try:
        told = check_of(exercise)(lambda *arguments: value)
    except BaseException:
        return f"{exercise.name}:\n{traceback.format_exc()}"
    runs = issubclass(type(value), (nn.Module, cost.Network))  # when it is looked at, and may then raise
    faults = {
        "is taken for right": told.passed and exercise.name != "counterexample",  # it takes any of many numbers
        "has no hint": len(told.message) < 20,
        "is no short hint": len(told.message) > 1500,
        "raises": "<lambda> raised" in told.message and not runs,
        "is slow": "was stopped" in told.message,
    }
    return first_of({f"{exercise.name}, an answer {what}: {told.message}": found for what, found in faults.items()})


@every_exercise
def test_no_check_raises_for_an_awkward_value(exercise):
    rng = random.Random(exercise.name)
    for _ in range(HOW_MANY):
        assert not (what := fault_of(exercise, awkward(rng))), what


class Silent(Exception):
    def __str__(self):
        raise ValueError


class Ending(BaseException):
    pass


def warn():
    warnings.warn("careful", stacklevel=1)
    return 5


def deeper():
    return deeper()


def fall(error):
    raise error


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: sys.exit(), "raised SystemExit"),
        (lambda: fall(Silent), "raised Silent"),
        (lambda: fall(Ending("now")), "raised Ending: now"),
        (lambda: fall(asyncio.CancelledError), "raised CancelledError"),
        (lambda: fall(GeneratorExit), "raised GeneratorExit"),
        (lambda: fall(StopIteration), "raised StopIteration"),
        (lambda: fall(ExceptionGroup("both", [KeyError(1), ValueError()])), "raised ExceptionGroup"),
        (lambda: fall(ValueError("long " * 10**5)), "long  ..."),
        (deeper, "raised RecursionError"),
        (print, "Not answered yet"),
        (warn, "gives 5"),
    ],
)
def test_what_a_function_does_is_told(act, words, recwarn):
    from tests.course.test_checks import check_product

    told = check_product(lambda a, b: act())
    assert not told and words in told.message and len(told.message) < 1000
