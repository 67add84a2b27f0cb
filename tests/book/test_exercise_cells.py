"""An exercise's stub and its folded solution in a chapter are made from one solution."""

import pytest

from tests.support.small_book import CHAPTER, edit, make, run, store, stored

EXERCISE = """
**1.** Add two numbers, and say what you get.

```{code-cell} ipython3
exercises.check_added(added)
```

<details>
<summary>Hint</summary>

There is a sign for it.

</details>

<details>
<summary>Solution</summary>

```python
```

</details>
"""
SOLUTIONS = '''"""Exercises."""

import math


@exercise(hint="Add.")
def added(first, second=0):
    # as on paper
    return math.fsum([first, second])
'''


CHECKS = "class exercises:\n    def check_added(function):\n        return function(1, 2) == 3"


@pytest.fixture
def with_exercise(tmp_path):
    book = make(tmp_path / "book", CHAPTER.replace("1 + 1", CHECKS) + EXERCISE)
    (book / "dscourse" / "exercises" / "small.py").write_text(SOLUTIONS)
    return book


def test_stub_and_folded_solution_are_made_from_the_solution(with_exercise):
    assert "executed" in run(with_exercise, "notebooks").stdout
    stub, solution = stored(with_exercise).cells[6].source, stored(with_exercise).cells[7].source
    call = "exercises.check_added(added)"
    assert stub == f"def added(first, second=0):\n    ...  # exercise 1: replace the dots\n\n\n{call}"
    assert (
        "```python\ndef added(first, second=0):\n    # as on paper\n    return math.fsum([first, second])\n```"
        in solution
    )
    assert run(with_exercise, "notebooks", "--check").returncode == 0


def test_changed_solution_is_noticed_and_carried_into_the_chapter(with_exercise):
    run(with_exercise, "notebooks")
    edit(with_exercise / "dscourse" / "exercises" / "small.py", "second=0", "second")
    assert run(with_exercise, "notebooks", "--check").returncode == 1
    run(with_exercise, "notebooks")
    assert "def added(first, second):" in (with_exercise / "chapters" / "small.md").read_text()
    assert run(with_exercise, "notebooks", "--check").returncode == 0


def test_exercise_without_solution_is_refused_and_nothing_is_changed(with_exercise):
    edit(with_exercise / "dscourse" / "exercises" / "small.py", "def added", "def summed")
    before = (with_exercise / "chapters" / "small.md").read_text()
    done = run(with_exercise, "notebooks")
    assert done.returncode != 0 and "['added']" in done.stdout and "['summed']" in done.stdout
    assert (with_exercise / "chapters" / "small.md").read_text() == before


def test_a_stub_that_was_changed_by_hand_is_not_taken(with_exercise):
    run(with_exercise, "notebooks")
    notebook = stored(with_exercise)
    notebook.cells[6].source = notebook.cells[6].source.replace("...", "return first + second")
    store(with_exercise, notebook)
    before = (with_exercise / "chapters" / "small.md").read_text()
    done = run(with_exercise, "notebooks", "--take", "small")
    assert done.returncode == 1 and "a stub or a folded solution was changed" in done.stdout
    assert (with_exercise / "chapters" / "small.md").read_text() == before
