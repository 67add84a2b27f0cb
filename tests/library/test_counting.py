"""Counting numbers: every multiplication and addition is noted once, and the values stay right."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib.counting import CountingNumber, Tally, counting_numbers, plain_numbers
from dslib.functional import conv2d_loops


def test_one_operation_is_one_count():
    tally = Tally()
    number = CountingNumber(3.0, tally)
    results = [number * 2, 2 * number, number * number, np.float64(2) * number]
    assert [result.value for result in results] == [6, 6, 9, 6]
    assert (tally.multiplications, tally.additions, tally.operations) == (4, 0, 4)
    results = [number + 2, 0 + number, number + number, np.float64(2) + number]
    assert [result.value for result in results] == [5, 3, 6, 5]
    assert (tally.multiplications, tally.additions, tally.operations) == (4, 4, 8)


def test_results_go_on_counting_on_the_same_tally():
    tally, other = Tally(), Tally()
    product = CountingNumber(3, tally) * CountingNumber(4, other)
    total = sum([product, product])  # 0 + product + product
    assert total.value == 24
    assert total.tally is tally
    assert (tally.multiplications, tally.additions) == (1, 2)
    assert other == Tally(0, 0)


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
    assert tally == Tally(multiplications=1152, additions=1152)
    assert tally.operations == 2304


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    batch=st.integers(1, 2),
    groups=st.integers(1, 3),
    group_channels=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    kernel_size=pairs,
    stride=pairs,
    dilation=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    has_bias=st.booleans(),
)
def test_loops_do_exactly_the_operations_of_the_closed_form(
    batch, groups, group_channels, kernel_size, stride, dilation, padding, has_bias
):
    per_group_in, per_group_out = group_channels
    x = torch.ones(batch, groups * per_group_in, 7, 8, dtype=torch.float64)
    weight = torch.ones(groups * per_group_out, per_group_in, *kernel_size, dtype=torch.float64)
    bias = torch.ones(groups * per_group_out, dtype=torch.float64) if has_bias else None
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    expected = torch.nn.functional.conv2d(x, weight, bias, **arguments)
    macs = expected.numel() * per_group_in * kernel_size[0] * kernel_size[1]

    tally = Tally()
    biases = None if bias is None else bias.tolist()
    y = conv2d_loops(x.tolist(), counting_numbers(weight, tally), biases, **arguments)
    assert tally.multiplications == macs
    assert tally.additions == macs + (expected.numel() if has_bias else 0)
    torch.testing.assert_close(torch.tensor(plain_numbers(y), dtype=torch.float64), expected)
