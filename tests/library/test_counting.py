"""Counting numbers: every multiplication and addition is noted once, and the values stay right."""

import numpy as np
import pytest
import torch

from dslib.counting import CountingNumber, Tally, counting_numbers, plain_numbers
from dslib.functional import conv2d_loops


def test_one_operation_is_one_count_and_results_go_on_counting_on_the_same_tally():
    tally, other = Tally(), Tally()
    number = CountingNumber(3.0, tally)
    results = [number * 2, 2 * number, number * CountingNumber(4, other), np.float64(2) * number]
    assert [result.value for result in results] == [6, 6, 12, 6] and all(result.tally is tally for result in results)
    assert (tally.multiplications, tally.additions, tally.operations) == (4, 0, 4)
    results = [number + 2, 0 + number, number + number, np.float64(2) + number, sum(results)]
    assert [result.value for result in results] == [5, 3, 6, 5, 30]
    assert (tally.multiplications, tally.additions, tally.operations) == (4, 4 + 4, 12)
    assert other == Tally(0, 0) and all(result.tally is tally for result in results)


def test_what_is_not_counted_is_refused():
    number = CountingNumber(3, Tally())
    for uncounted in (lambda: number - 1, lambda: 1 - number, lambda: number / 2, lambda: -number, lambda: number**2):
        with pytest.raises(TypeError):
            uncounted()


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_numbers_from_lists_arrays_and_tensors(kind):
    tally = Tally()
    numbers = counting_numbers(kind([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), tally)
    assert plain_numbers(numbers) == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert all(number.tally is tally for row in numbers for number in row)
    assert repr(numbers[1][0]) == "CountingNumber(4.0)"
    assert tally == Tally(multiplications=0, additions=0)  # making numbers costs nothing


def test_the_2304_operations_of_a_4x4_map():
    """4 x 4 x 2 in, 4 maps out, 3 x 3 kernels, padding 1: note 003's example, 2 operations per MAC, without bias."""
    tally = Tally()
    x, weight = np.ones((1, 2, 4, 4)), counting_numbers(np.ones((4, 2, 3, 3)), tally)
    conv2d_loops(x, weight, padding=1)
    assert (tally, tally.operations) == (Tally(multiplications=1152, additions=1152), 2304)
