"""What a size may be: a positive whole number, or an expression in symbols that can still become one."""

import sympy

from ..geometry import positive_int


def symbolic(value):
    """Whether the value holds symbols, so that it is not yet a number."""
    return isinstance(value, sympy.Expr) and not value.is_number


def whole(name, value, minimum=1):
    """The value as an int if it is a number, unchanged if it holds symbols that can still become a whole number."""
    if not symbolic(value):
        return positive_int(name, value, minimum)
    if value.is_integer is False or (value - minimum).is_negative:
        raise ValueError(f"{name} must be a whole number of at least {minimum}, got {value!r}, which cannot be one")
    return value


def whole_pair(name, value):
    """``(height, width)`` from one size for both or from a pair of sizes."""
    sides = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(sides) != 2:
        raise ValueError(f"{name} must be one size or a pair (height, width), got {value!r}")
    return whole(name, sides[0]), whole(name, sides[1])


def connections(in_channels, out_channels, groups):
    """Pairs of an input and an output channel that a kernel joins: ``C_in * C_out / G``; ints stay ints."""
    groups = whole("groups", groups)
    # symbols cannot be tested, but each number can, whatever the other one is
    numbers = [channels for channels in (in_channels, out_channels) if isinstance(channels, int)]
    if isinstance(groups, int) and any(number % groups for number in numbers):
        raise ValueError(
            f"groups must divide in_channels and out_channels: got groups={groups}, "
            f"in_channels={in_channels}, out_channels={out_channels}"
        )
    both = in_channels * out_channels
    return both // groups if isinstance(both, int) and isinstance(groups, int) else both / groups


def biases(bias, out_channels):
    """How many biases: one per output channel, or none."""
    if not isinstance(bias, bool):
        raise ValueError(f"bias must be True or False, got {bias!r}")
    return out_channels if bias else 0
