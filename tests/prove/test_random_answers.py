"""Random awkward values, each to a random tenth of the checks. None raises, and none is taken for a right answer."""

import random

import pytest

from tests.course.test_awkward_answers import fault_of
from tests.course.test_exercises import EXERCISES
from tests.support.awkward import awkward

HOW_MANY = 1000


@pytest.mark.parametrize("number", range(HOW_MANY))
def test_no_check_raises_for_a_random_value(number):
    for exercise in random.Random(number).sample(EXERCISES, -(-len(EXERCISES) // 10)):
        value = awkward(random.Random(number))  # made anew: a check may have used a generator up
        assert not (what := fault_of(exercise, value)), what
