"""The steps of `make test` and `make prove`: all of them run, and the end says what happened."""

import sys
from pathlib import Path

import pytest

from tests.support.book import NOTEBOOKS, ROOT
from tools import prove, steps

PASSES = [sys.executable, "-c", "print('..\\n2 passed, 1 skipped in 0.12s')"]
FAILS = [sys.executable, "-c", "print('F\\n=== 1 failed, 2 passed in 62.10s (0:01:02) ==='); raise SystemExit(1)"]
SILENT = [sys.executable, "-c", ""]


@pytest.mark.parametrize(("commands", "status"), [([PASSES, SILENT], 0), ([FAILS, PASSES], 1), ([PASSES, FAILS], 1)])
def test_every_step_runs_and_one_that_fails_fails_all(capfdbinary, commands, status):
    assert steps.run_all([(f"step {number}", command) for number, command in enumerate(commands)]) == status
    table = capfdbinary.readouterr().out.decode().rpartition("===")[2]
    for number, command in enumerate(commands):
        verdict = "FAILED" if command is FAILS else "passed"
        assert any(line.startswith(verdict) and line.endswith(f"step {number}") for line in table.splitlines())


def test_the_last_lines_are_pytests_own(capfdbinary):
    steps.run_all([("library", PASSES), ("format", SILENT), ("chapters", FAILS)])
    assert capfdbinary.readouterr().out.decode().splitlines()[-2:] == [
        "library: 2 passed, 1 skipped in 0.12s",
        "chapters: 1 failed, 2 passed in 62.10s (0:01:02)",
    ]


def test_every_notebook_is_executed_in_one_environment():
    everywhere = steps.chapters() + steps.chapters("frameworks")
    assert sorted(everywhere) == sorted(path.relative_to(ROOT).as_posix() for path in NOTEBOOKS)
    assert steps.chapters("frameworks") == ["chapters/across_frameworks.ipynb"]


def test_every_test_that_plain_pytest_leaves_out_is_run_by_a_part():
    words = {word for part in prove.PARTS.values() for _, command in part for word in command}
    assert {path.relative_to(ROOT).as_posix() for path in Path(ROOT, "tests", "prove").glob("test_*.py")} <= words


def test_an_unknown_part_is_named():
    with pytest.raises(SystemExit, match="no such part: colob; there are colab, floors"):
        prove.main(["colob"])
