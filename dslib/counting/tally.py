"""Numbers that write down every multiplication and addition they take part in."""

from dataclasses import dataclass


@dataclass
class Tally:
    """How many multiplications and additions were done so far."""

    multiplications: int = 0
    additions: int = 0

    @property
    def operations(self):
        """Multiplications and additions together, two for every multiply-accumulate."""
        return self.multiplications + self.additions


class CountingNumber:
    """A number that notes each multiplication and addition it takes part in on the tally it carries.

    ``value`` is the plain number, ``tally`` the shared :class:`Tally`; the result of an operation is a counting number
    on the same tally. The other operand may be plain: ``0 + w``, ``2.0 * w``. An operation between two counting
    numbers counts once, on the left one's tally. There is no other arithmetic: subtracting or dividing raises
    TypeError rather than go uncounted.
    """

    def __init__(self, value, tally):
        self.value = value
        self.tally = tally

    def __mul__(self, other):
        self.tally.multiplications += 1
        return CountingNumber(self.value * _plain(other), self.tally)

    def __add__(self, other):
        self.tally.additions += 1
        return CountingNumber(self.value + _plain(other), self.tally)

    __rmul__ = __mul__
    __radd__ = __add__

    def __repr__(self):
        return f"CountingNumber({self.value!r})"


def counting_numbers(values, tally):
    """Nested lists of counting numbers on one tally, from a number, nested lists, an array or a tensor."""
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, (list, tuple)):
        return [counting_numbers(row, tally) for row in values]
    return CountingNumber(values, tally)


def plain_numbers(values):
    """The values of nested lists of counting numbers, in the same nesting: :func:`counting_numbers` undone."""
    if isinstance(values, list):
        return [plain_numbers(row) for row in values]
    return _plain(values)


def _plain(number):
    return number.value if isinstance(number, CountingNumber) else number
