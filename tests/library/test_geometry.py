"""Sizes, padding and groups against what torch's own layers do with the same arguments."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dslib import geometry

properties = settings(max_examples=100, deadline=None, derandomize=True)
sides = st.integers(1, 12)
small = st.integers(1, 5)


def torch_output_length(length, kernel_size, **arguments):
    """The length torch makes of a sequence of that length."""
    x, weight = torch.zeros(1, 1, length), torch.zeros(1, 1, kernel_size)
    return torch.nn.functional.conv1d(x, weight, **arguments).shape[-1]


@properties
@given(size=sides, kernel_size=small, stride=small, padding=st.integers(0, 4), dilation=small)
def test_output_size_is_what_torch_makes_or_refuses(size, kernel_size, stride, padding, dilation):
    arguments = {"stride": stride, "padding": padding, "dilation": dilation}
    try:
        expected = torch_output_length(size, kernel_size, **arguments)
    except RuntimeError:
        with pytest.raises(ValueError, match=f"kernel_size {kernel_size} with dilation {dilation}"):
            geometry.output_size(size, kernel_size, **arguments)
    else:
        assert geometry.output_size(size, kernel_size, **arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((7, 3, 2, 1), 4), ((8, 3, 2, 1), 4), ((5, 3, 1, 0, 2), 1), ((4, 4), 1), ((100, 3), 98), ((224, 3, 2, 1), 112)],
)
def test_output_size_counted_by_hand(arguments, expected):
    assert geometry.output_size(*arguments) == expected


@properties
@given(size=sides, kernel_size=st.integers(1, 7), stride=small, dilation=st.integers(1, 3))
def test_tensorflow_padding_is_the_least_that_gives_the_quotient_rounded_up(size, kernel_size, stride, dilation):
    """By trying one zero more and one more: the closed form in the docstring is not repeated."""
    extent, wanted = dilation * (kernel_size - 1) + 1, math.ceil(size / stride)
    least = next(n for n in range(99) if len(range(0, size + n - extent + 1, stride)) >= wanted)
    before, after = geometry.tensorflow_padding(size, kernel_size, stride, dilation)
    assert (before + after, after - before) == (least, least % 2)


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
def test_odd_kernels_leave_the_same_size_in_tensorflow_and_in_torch(kernel_size):
    for size, stride in itertools.product(range(1, 60), (1, 2, 3, 4)):
        padding = geometry.tensorflow_padding(size, kernel_size, stride)
        made = geometry.output_size_padded(size, kernel_size, stride, padding, 1)
        assert made == geometry.output_size(size, kernel_size, stride, kernel_size // 2) == math.ceil(size / stride)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: geometry.output_size_padded(7, 3, 1, 1, 1), r"padding must be two whole numbers .* got 1$"),
        (lambda: geometry.output_size_padded(7, 3, 1, (1, 1, 1), 1), r"\(before, after\), got \(1, 1, 1\)"),
        (lambda: geometry.output_size_padded(7, 3, 1, (-1, 0), 1), "padding must be at least 0, got -1"),
        (lambda: geometry.slide((7, 7, 7), 3), r"input size must be .* got \(7, 7, 7\)"),
        (lambda: geometry.scaled_channels(32, 1e308), r"width_multiplier must be below 32, got 1e\+308$"),
        (lambda: geometry.scaled_channels(32, 1, minimum="8"), "minimum must be a whole number, got '8'$"),
        (lambda: geometry.scaled_channels(32, 224), "below 32, got 224: did you mean input_size=224.*"),
        (lambda: geometry.scaled_channels(32, 10**400), r"width_multiplier must be a positive, finite .* got 1000+$"),
        (lambda: geometry.make_divisible(10**400, 4), r"value must be a positive, finite .* got 1000+$"),
        (lambda: geometry.share("dropout", 1.5), "dropout must be a number from 0 to 1, got 1.5"),
        (lambda: geometry.share("dropout", True), "dropout must be a number from 0 to 1, got True"),
    ],
)
def test_numbers_that_nothing_can_be_made_of(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert len(str(error.value)) < 150


def test_a_size_alone_is_a_square():
    assert geometry.slide(7, 3, 2) == geometry.slide((7, 7), (3, 3), (2, 2))


def test_tensorflow_padding_counted_by_hand():
    assert geometry.tensorflow_padding(224, 3, 2) == (0, 1)  # windows from 0 to 222: the last one lacks a pixel
    assert geometry.tensorflow_padding(225, 3, 2) == (1, 1)
    assert geometry.tensorflow_padding(224, 5, 2) == (1, 2)
    assert geometry.tensorflow_padding(7, 3) == geometry.split_same_padding(3) == (1, 1)
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        geometry.tensorflow_padding(0, 3)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@properties
@given(size=st.integers(2, 12), kernel_size=st.integers(1, 6), dilation=st.integers(1, 3))
def test_same_padding_is_torchs_and_puts_the_odd_pixel_where_torch_does(size, kernel_size, dilation):
    before, after = geometry.resolve_padding("same", kernel_size, 1, dilation)
    x = torch.arange(1.0, size + 1).reshape(1, 1, size)
    weight = 10.0 ** torch.arange(kernel_size).reshape(1, 1, -1)  # every tap leaves its own digit
    expected = torch.nn.functional.conv1d(x, weight, padding="same", dilation=dilation)
    padded = torch.cat([torch.zeros(1, 1, before), x, torch.zeros(1, 1, after)], dim=-1)
    torch.testing.assert_close(torch.nn.functional.conv1d(padded, weight, dilation=dilation), expected)
    assert geometry.output_size_padded(size, kernel_size, 1, (before, after), dilation) == expected.shape[-1] == size
    assert geometry.split_same_padding(kernel_size, dilation) == (before, after)


@properties
@given(size=sides, kernel_size=st.integers(1, 7), dilation=st.integers(1, 3))
def test_symmetric_same_padding_keeps_the_size_in_torch(size, kernel_size, dilation):
    assume((kernel_size - 1) * dilation % 2 == 0)
    padding = geometry.same_padding(kernel_size, dilation)
    assert torch_output_length(size, kernel_size, padding=padding, dilation=dilation) == size


@pytest.mark.parametrize(("kernel_size", "dilation", "needed"), [(2, 1, 1), (4, 1, 3), (4, 3, 9)])
def test_no_symmetric_same_padding(kernel_size, dilation, needed):
    message = f"kernel_size {kernel_size} with dilation {dilation} needs {needed} pixels"
    with pytest.raises(ValueError, match=message):
        geometry.same_padding(kernel_size, dilation)


def test_valid_and_whole_number_padding():
    assert geometry.resolve_padding("valid", 5, stride=3) == (0, 0)
    assert geometry.resolve_padding(2, 5, stride=3) == (2, 2)


@pytest.mark.parametrize(
    ("padding", "stride", "message"),
    [
        ("same", 2, "needs stride 1, got stride 2"),
        ("full", 1, "got 'full'"),
        (-1, 1, "at least 0, got -1"),
        (0.5, 1, "got 0.5"),
        (None, 1, "got None"),
    ],
)
def test_padding_that_is_refused(padding, stride, message):
    with pytest.raises(ValueError, match=message):
        geometry.resolve_padding(padding, 3, stride)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"size": 0}, "input size must be at least 1, got 0"),
        ({"size": 7.0}, "input size must be a whole number, got 7.0"),
        ({"kernel_size": 0}, "kernel_size must be at least 1, got 0"),
        ({"kernel_size": "3"}, "kernel_size must be a whole number, got '3'"),
        ({"stride": 0}, "stride must be at least 1, got 0"),
        ({"stride": True}, "stride must be a whole number, got True"),
        ({"padding": -2}, "padding must be at least 0, got -2"),
        ({"padding": 0.5}, "padding must be a whole number, got 0.5"),
        ({"dilation": 0}, "dilation must be at least 1, got 0"),
        ({"size": 2, "padding": 1, "dilation": 2}, "spans 5 pixels, the input has 2 and 4 with padding"),
    ],
)
def test_output_size_errors_name_the_value(changed, message):
    good = {"size": 7, "kernel_size": 3, "stride": 1, "padding": 0, "dilation": 1}
    assert geometry.output_size(**good) == 5
    with pytest.raises(ValueError, match=message):
        geometry.output_size(**good | changed)


def test_pair_from_one_number_or_two():
    assert geometry.pair("stride", 3) == (3, 3)
    assert geometry.pair("stride", [1, 2]) == (1, 2)
    assert geometry.pair("padding", (0, 4), minimum=0) == (0, 4)


@pytest.mark.parametrize(
    ("value", "message"),
    [((1, 2, 3), r"\(1, 2, 3\)"), ((1,), r"\(1,\)"), ((1, 0), "got 0"), ((0.5, 1), "got 0.5"), (None, "got None")],
)
def test_pair_errors_name_the_value(value, message):
    with pytest.raises(ValueError, match=f"stride .*{message}"):
        geometry.pair("stride", value)


@properties
@given(
    size=st.tuples(sides, sides),
    kernel_size=st.tuples(small, small),
    stride=st.one_of(small, st.tuples(small, small)),
    padding=st.one_of(st.integers(0, 4), st.tuples(st.integers(0, 4), st.integers(0, 4))),
    dilation=st.one_of(small, st.tuples(small, small)),
)
def test_a_slide_has_torchs_output_size_or_is_refused(size, kernel_size, stride, padding, dilation):
    arguments = {"stride": stride, "padding": padding, "dilation": dilation}
    try:
        y = torch.nn.functional.conv2d(torch.zeros(1, 1, *size), torch.zeros(1, 1, *kernel_size), **arguments)
    except RuntimeError:
        with pytest.raises(ValueError, match="kernel larger than the padded input"):
            geometry.slide(size, kernel_size, **arguments)
    else:
        assert geometry.slide(size, kernel_size, **arguments)[0] == y.shape[2:]


def test_a_slide_tells_one_number_for_each_axis_and_side():
    """torch's 'same' puts the odd pixel of an even kernel behind: below, and to the right."""
    assert geometry.slide((9, 7), (4, 3), padding="same", dilation=(1, 2)) == ((9, 7), (1, 1), ((1, 2), (2, 2)), (1, 2))
    assert geometry.slide((9, 7), (3, 3), (2, 1), (0, 4)) == ((4, 13), (2, 1), ((0, 0), (4, 4)), (1, 1))


def torch_accepts(in_channels, out_channels, groups):
    try:
        torch.nn.Conv2d(in_channels, out_channels, 1, groups=groups)
    except ValueError:
        return False
    return True


@properties
@given(in_channels=sides, out_channels=sides)
def test_legal_groups_are_those_that_torch_accepts(in_channels, out_channels):
    candidates = range(1, max(in_channels, out_channels) + 2)
    expected = [groups for groups in candidates if torch_accepts(in_channels, out_channels, groups)]
    assert geometry.legal_groups(in_channels, out_channels) == expected
    for groups in set(candidates) - set(expected):
        message = f"groups={groups}, in_channels={in_channels}, out_channels={out_channels}"
        with pytest.raises(ValueError, match=message):
            geometry.check_groups(in_channels, out_channels, groups)


def test_check_groups_accepts_what_divides_both():
    for groups in (1, 2, 3, 6):
        geometry.check_groups(6, 12, groups)


@pytest.mark.parametrize(
    ("channels", "message"),
    [((0, 4, 1), "in_channels must be at least 1, got 0"), ((4, 2.5, 1), "got 2.5"), ((4, 4, 0), "groups .* got 0")],
)
def test_channel_counts_must_be_whole_and_positive(channels, message):
    with pytest.raises(ValueError, match=message):
        geometry.check_groups(*channels)


@pytest.mark.parametrize(
    ("channels", "message"),
    [((0, 4), "in_channels .* got 0"), ((4, -1), "out_channels .* got -1"), ((4.0, 4), "in_channels .* got 4.0")],
)
def test_legal_groups_errors_name_the_value(channels, message):
    with pytest.raises(ValueError, match=message):
        geometry.legal_groups(*channels)


@pytest.mark.parametrize("value", [True, np.True_, torch.tensor(True)])
def test_true_is_no_size(value):
    with pytest.raises(ValueError, match="size must be a whole number, got .*True"):
        geometry.positive_int("size", value)


@pytest.mark.parametrize("value", [3, np.int64(3), torch.tensor(3)])
def test_any_integer_type_is_a_size_and_comes_back_as_an_int(value):
    assert type(geometry.positive_int("size", value)) is int
    assert geometry.positive_int("size", value) == 3
    assert geometry.positive_int("padding", value * 0, minimum=0) == 0


@pytest.mark.parametrize(
    ("channels", "width_multiplier", "scaled"),
    [
        (32, 0.75, 24),
        (32, 0.25, 8),
        (32, 0.2, 8),
        (64, 0.3, 19),
        (32, 0.55, 17),
        (64, Fraction(1, 3), 21),
        (1024, 1, 1024),
        (32, 2, 64),
    ],
)
def test_scaled_channels_are_cut_to_whole_ones_and_never_under_8(channels, width_multiplier, scaled):
    assert geometry.scaled_channels(channels, width_multiplier) == scaled


@properties
@given(st.integers(1, 3000), st.integers(1, 16))
def test_make_divisible_is_the_nearest_multiple_that_keeps_nine_tenths(tenths, divisor):
    """Found by looking at every multiple; the value is ``tenths / 10``, so that halves and 0.9 are met exactly."""
    value = Fraction(tenths, 10)
    multiples = [divisor * times for times in range(1, 400)]
    nearest = min(multiples, key=lambda multiple: (abs(multiple - value), -multiple))
    if nearest < Fraction(9, 10) * value:
        nearest += divisor
    assert geometry.make_divisible(value, divisor) == nearest


@pytest.mark.parametrize(
    ("value", "divisible"), [(16 * 1.3, 20), (18, 20), (30, 32), (50, 52), (1, 4), (13.9, 16), (10, 12), (13.3, 12)]
)
def test_make_divisible_by_4(value, divisible):
    """The channels of GhostNet: 18, 30 and 50 are in the middle and go up; 13.9 would lose over a tenth at 12."""
    assert geometry.make_divisible(value, 4) == divisible


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), True, "1.0", None, 1j])
def test_multipliers_are_positive_numbers(bad):
    with pytest.raises(ValueError) as error:
        geometry.scaled_channels(32, bad)
    assert "width_multiplier" in str(error.value) and repr(bad) in str(error.value)
    with pytest.raises(ValueError) as error:
        geometry.make_divisible(bad, 4)
    assert "value" in str(error.value) and repr(bad) in str(error.value)


def test_what_is_scaled_and_what_divides_are_whole():
    with pytest.raises(ValueError, match="channels .*1.5"):
        geometry.scaled_channels(1.5, 1)
    with pytest.raises(ValueError, match="divisor .*0"):
        geometry.make_divisible(16, 0)
