"""Prices in symbols, which become the same whole numbers once numbers are put in; and every size that is refused."""

import dataclasses
import inspect

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib import cost
from dslib.cost import Cost

FIELDS = [field.name for field in dataclasses.fields(Cost)]


def symbols(names):
    return sympy.symbols(names, positive=True, integer=True)


def equal(left, right):
    return sympy.simplify(left - right) == 0


# ---- symbols: the same formula, put in later


@st.composite
def calls(draw):
    """A function of dslib.cost with whole-number arguments that fit."""
    number = st.integers(1, 40)
    side = st.one_of(number, st.tuples(number, number))
    groups = draw(st.integers(1, 6))
    arguments = dict(
        in_channels=groups * draw(number),
        out_channels=groups * draw(number),
        in_features=draw(number),
        out_features=draw(number),
        channels=draw(number),
        kernel_size=draw(side),
        output_size=draw(side),
        input_size=draw(st.one_of(st.none(), side)),
        groups=groups,
        depth_multiplier=draw(st.integers(1, 4)),
        ratio=draw(st.integers(2, 6)),
        dw_kernel_size=draw(side),
        bias=draw(st.booleans()),
    )
    function = draw(st.sampled_from(FUNCTIONS))
    arguments = {name: arguments[name] for name in inspect.signature(function).parameters}
    if function is cost.conv1d:  # one axis, no pairs
        arguments |= {name: draw(number) for name in ("kernel_size", "output_size", "input_size")}
    return function, arguments


FUNCTIONS = [
    cost.conv2d,
    cost.conv1d,
    cost.depthwise_conv2d,
    cost.pointwise_conv2d,
    cost.depthwise_separable_conv2d,
    cost.ghost_module,
    cost.linear,
    cost.batch_norm2d,
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(calls(), st.data())
def test_symbols_become_the_same_ints(call, data):
    """Any part of the arguments may be symbols, plain or known to be positive integers, the rest whole numbers."""
    function, arguments = call
    numbers = function(**arguments)
    assert all(type(getattr(numbers, name)) is int for name in FIELDS)

    known = data.draw(st.sampled_from([{}, dict(positive=True, integer=True)]))
    values = {}

    def veil(name, value):
        if value is None or isinstance(value, bool) or not data.draw(st.booleans()):
            return value
        if isinstance(value, tuple):
            return tuple(veil(f"{name}_{axis}", part) for axis, part in enumerate(value))
        values[sympy.Symbol(name, **known)] = value
        return sympy.Symbol(name, **known)

    expressions = function(**{name: veil(name, value) for name, value in arguments.items()})
    for name in FIELDS:
        result = sympy.sympify(getattr(expressions, name)).subs(values)
        assert result.is_Integer and result == getattr(numbers, name), (name, result)


def test_the_share_of_the_separable_layer_is_one_over_n_plus_one_over_k_squared():
    C, N, K, H, W = symbols("C N K H W")
    pair, dense = cost.depthwise_separable_conv2d(C, N, K, (H, W)), cost.conv2d(C, N, K, (H, W))
    assert equal(pair.macs / dense.macs, 1 / N + 1 / K**2)
    assert equal(pair.params / dense.params, 1 / N + 1 / K**2)
    split = cost.pointwise_conv2d(C, N, H).macs / cost.depthwise_conv2d(C, K, H).macs
    assert equal(split, N / K**2)
    in_one = cost.conv1d(C, C, K, W, groups=C) + cost.conv1d(C, N, 1, W)
    assert equal(in_one.macs / cost.conv1d(C, N, K, W).macs, 1 / N + 1 / K)


def test_groups_divide_the_weights_and_depthwise_is_the_last_step():
    C, m, K, H, G = symbols("C m K H G")
    assert equal(cost.conv2d(C, m, K, H, groups=G).macs, cost.conv2d(C, m, K, H).macs / G)
    assert cost.depthwise_conv2d(C, K, H, m).macs == C * m * K**2 * H**2
    assert cost.conv2d(C, C, K, H, groups=C) == cost.depthwise_conv2d(C, K, H)


def test_the_speed_up_of_a_ghost_module():
    c, m, s, k, d, H = symbols("c m s k d H")
    ghost, standard = cost.ghost_module(c, s * m, k, H, s, d), cost.conv2d(c, s * m, k, H)
    assert equal(standard.macs / ghost.macs, s * c * k**2 / (c * k**2 + (s - 1) * d**2))
    assert equal(standard.params / ghost.params, s * c * k**2 / (c * k**2 + (s - 1) * d**2))
    # once seven maps are rounded up to nine: 7 * 10 * 9 products where 3 * 10 * 9 + 6 * 9 were
    rounded = cost.ghost_module(10, 7, 3, 14, ratio=3)
    assert sympy.Rational(cost.conv2d(10, 7, 3, 14).macs, rounded.macs) == sympy.Rational(630, 270 + 54)


def test_bias_and_norm_in_symbols():
    C, N, K, H, W, h, w = symbols("C N K H W h w")
    bare, biased = cost.conv2d(C, N, K, (H, W)), cost.conv2d(C, N, K, (H, W), bias=True)
    assert biased.params - bare.params == N and biased.macs == bare.macs
    assert equal(biased.elements_read - bare.elements_read, N) and biased.elements_written == N * H * W
    assert cost.conv2d(C, N, 1, (H, W), input_size=(h, w)).elements_read == C * h * w + C * N
    norm = cost.batch_norm2d(C, (H, W))
    assert norm == Cost(2 * C, 0, C * H * W + 2 * C, C * H * W)


def test_arithmetic_intensity_in_symbols():
    C, H = symbols("C H")
    assert sympy.limit(cost.depthwise_conv2d(C, 3, H).arithmetic_intensity(), H, sympy.oo) == sympy.Rational(9, 4)
    b = symbols("b")
    assert equal(cost.conv2d(C, C, 3, H).arithmetic_intensity(b), 18 * C * H**2 / (b * (2 * H**2 + 9 * C)))


# ---- kinds of numbers


def test_every_integer_type_gives_exact_ints():
    big = 10**6
    expected = cost.conv2d(big, big, 3, big)
    assert expected.macs == 9 * 10**24  # beyond 64 bits: numpy must not have done the arithmetic
    for kind in (np.int64, np.int32, sympy.Integer):
        got = cost.conv2d(kind(big), kind(big), kind(3), (kind(big), big), groups=kind(1))
        assert got == expected and all(type(getattr(got, name)) is int for name in FIELDS)
    pair = cost.depthwise_separable_conv2d(np.int32(big), 1, 1, 1, depth_multiplier=np.int32(big))
    assert pair == cost.depthwise_separable_conv2d(big, 1, 1, 1, depth_multiplier=big)


def test_ceiling_vanishes_where_the_ratio_divides():
    c, m, n, s = symbols("c m n s")
    assert not cost.ghost_module(c, s * m, 1, 7, ratio=s).macs.has(sympy.ceiling)
    assert cost.ghost_module(c, n, 1, 7, ratio=s).macs.has(sympy.ceiling)


# ---- refusals

free = sympy.Symbol("free")
half, minus_one = sympy.Rational(1, 2), sympy.Integer(-1)
BAD_NUMBERS = [0, -3, 2.0, 1.5, True, "3", None, half, minus_one, sympy.Float(2), sympy.pi, sympy.oo, (3, 3, 3)]
BAD_NUMBERS += [sympy.Symbol("half", integer=False), sympy.Symbol("debt", negative=True)]


@pytest.mark.parametrize("bad", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_bad_numbers_are_refused_by_name_and_value(function, bad):
    """Each argument in turn, among numbers and among symbols; None alone is fine where it is the default."""
    parameters = inspect.signature(function).parameters
    for fine in (6, free):
        good = {name: fine for name in parameters if name not in ("bias", "groups")}
        function(**good)
        for name in [name for name in parameters if name != "bias"]:
            if name == "input_size" and bad is None:
                continue
            with pytest.raises(ValueError) as error:
                function(**good | {name: bad})
            assert name in str(error.value) and repr(bad) in str(error.value)


@pytest.mark.parametrize("name", ["kernel_size", "output_size", "input_size"])
def test_both_members_of_a_pair_are_checked(name):
    good = dict(in_channels=4, out_channels=4, kernel_size=3, output_size=5)
    for pair in [(0, 3), (3, 0), (free, -1), (2.5, free), (3,), ()]:
        with pytest.raises(ValueError, match=name):
            cost.conv2d(**good | {name: pair})
    assert cost.conv2d(**good | {name: [3, 3]}) == cost.conv2d(**good | {name: (3, 3)})


@pytest.mark.parametrize("in_channels, out_channels", [(6, 9), (9, 6), (6, free), (free, 6), (2, 2)])
def test_groups_must_divide(in_channels, out_channels):
    groups = 4
    with pytest.raises(ValueError) as error:
        cost.conv2d(in_channels, out_channels, 3, 14, groups)
    told = [f"groups={groups}", f"in_channels={in_channels}", f"out_channels={out_channels}"]
    assert all(part in str(error.value) for part in told)


@pytest.mark.parametrize("bias", [1, 14, None, free])
def test_a_bias_that_is_not_a_bool_is_refused(bias):
    """The slip it catches: pointwise_conv2d(32, 64, 3, 14), as if a kernel size came first."""
    with pytest.raises(ValueError, match=f"bias .*{bias}"):
        cost.pointwise_conv2d(32, 64, 3, bias)
    with pytest.raises(ValueError, match=f"bias .*{bias}"):
        cost.linear(3, 4, bias)


def test_a_ratio_of_one_makes_no_ghosts_and_is_refused():
    with pytest.raises(ValueError, match="ratio must be at least 2, got 1"):
        cost.ghost_module(4, 8, 1, 14, ratio=1)
