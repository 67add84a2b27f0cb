"""The figures that papers print stand in tests/support/published.py alone, and are compared digit for digit."""

import re
from pathlib import Path

import pytest

from tests.support import published
from tests.support.published import is_cut, rounds

TESTS = Path(__file__).parent.parent


def kept():
    """{figure: name of the table that holds it}"""
    found, open_ = {}, [(value, name) for name, value in vars(published).items() if name.isupper()]
    while open_:
        value, name = open_.pop()
        if isinstance(value, str):
            found |= {value: name} if re.fullmatch(r"[\d.]+", value) else {}
        elif isinstance(value, (dict, list, tuple)):
            open_ += [(part, name) for part in (value.values() if isinstance(value, dict) else value)]
    return found


def repeated(text, figures):
    """(line, figure) of each figure in a text; of fewer than four digits only those in millions."""
    ends = {
        figure: r"(?![\w,]|\.\d)" if sum(map(str.isdigit, figure)) >= 4 else r"(?= ?M\b| million)" for figure in figures
    }
    pattern = r"(?<![\w.,])(" + "|".join(re.escape(figure) + end for figure, end in ends.items()) + ")"
    for number, line in enumerate(text.splitlines(), start=1):
        yield from ((number, found[1]) for found in re.finditer(pattern, line))


def test_no_printed_figure_is_repeated_in_a_test():
    figures = kept()
    faults = [
        f"tests/{path.relative_to(TESTS)}, line {line}: {figure} is in published.{figures[figure]}; take it from there"
        for path in sorted(TESTS.rglob("*.py"))
        if path != Path(published.__file__)
        for line, figure in repeated(path.read_text(encoding="utf-8"), figures)
    ]
    assert not faults, "\n" + "\n".join(faults)


def test_a_repeated_figure_is_seen_as_a_number_and_in_words():
    text = "assert x == 12.34\n# 17 M, 17.5 M, 0.7 million\n112.34 + 12.345 + 12_34\nsize = 17, 0.7"
    assert list(repeated(text, ["12.34", "17", "0.7"])) == [(1, "12.34"), (2, "17"), (2, "0.7")]
    assert {"MOBILENET_TABLE_2", "GHOSTNET_TABLE_7", "RESNEXT_TABLE_1"} <= set(kept().values())


@pytest.mark.parametrize(
    "printed, exact, unit, as_rounded, as_cut",
    [
        ("13", 12_500_000, 10**6, True, False),  # a half goes up
        ("12", 12_500_000, 10**6, False, True),
        ("12", 12_499_999, 10**6, True, False),  # rounding is the better explanation of what is also cut off
        ("12", 13_000_000, 10**6, False, False),
        ("1.30", 1_304, 1000, True, False),  # as exact as it is printed
        ("1.3", 1_349, 1000, True, False),
        ("1.30", 1_349, 1000, False, False),
        ("15e2", 1_549_000_000, 10**6, True, False),
    ],
)
def test_a_figure_is_as_exact_as_its_digits(printed, exact, unit, as_rounded, as_cut):
    assert (rounds(printed, exact, unit), is_cut(printed, exact, unit)) == (as_rounded, as_cut)
