"""The commands behind the Makefile: what they notice, what they keep, what they say."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from tests.support.book import ROOT

CHAPTER = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A small chapter

```{code-cell} ipython3
1 + 1
```
"""
TOC = """format: jb-book
root: chapters/intro
parts:
  - caption: All
    chapters:
      - file: chapters/small.ipynb
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A book of one executed chapter."""
    root = tmp_path_factory.mktemp("book")
    for folder in ("chapters", "dslib", "tools"):
        (root / folder).mkdir()
    (root / "dscourse" / "checks").mkdir(parents=True)
    used = ["tools/notebooks.py", "tools/exercises.py", "dscourse/__init__.py", "dscourse/checks/__init__.py"]
    for file in [*used, "dscourse/checks/source.py"]:
        shutil.copy(ROOT / file, root / file)
    (root / "_toc.yml").write_text(TOC)
    (root / "_config.yml").write_text("html: {baseurl: https://example.org/book/}\n")
    (root / "dslib" / "cost.py").write_text("price = 1\n")
    (root / "chapters" / "small.md").write_text(CHAPTER)
    assert "executed" in notebooks(root).stdout
    return root


@pytest.fixture
def book(built, tmp_path):
    return shutil.copytree(built, tmp_path / "book")


def notebooks(root, *arguments):
    command = [sys.executable, root / "tools" / "notebooks.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def stored(root):
    return nbformat.read(root / "chapters" / "small.ipynb", as_version=4)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_executed_chapter_is_up_to_date_and_the_same_when_run_again(book):
    assert notebooks(book, "--check").returncode == 0
    assert "[1/1] small ... up to date" in notebooks(book).stdout
    before = (book / "chapters" / "small.ipynb").read_bytes()
    assert "executed" in notebooks(book, "--all").stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "2"


def test_changed_prose_keeps_the_outputs(book):
    edit(book / "chapters" / "small.md", "small chapter", "short chapter")
    assert "differs from its text from cell 0 on" in notebooks(book, "--check").stdout
    assert "prose updated" in notebooks(book).stdout
    assert stored(book).cells[0].source == "# A short chapter"
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "2"
    assert notebooks(book, "--check").returncode == 0


@pytest.mark.parametrize(
    ("name", "old", "new"), [("chapters/small.md", "1 + 1", "1 + 2"), ("dslib/cost.py", "price = 1", "price = 2")]
)
def test_changed_code_or_library_is_executed_again(book, name, old, new):
    edit(book / name, old, new)
    done = notebooks(book, "--check")
    assert done.returncode == 1 and "was executed with other code, or with another dslib" in done.stdout
    assert "executed" in notebooks(book).stdout
    assert notebooks(book, "--check").returncode == 0


def test_a_notebook_edited_or_emptied_by_hand_is_noticed(book):
    edit(book / "chapters" / "small.ipynb", '"1 + 1"', '"1 + 3"')
    assert "differs from its text from cell 1 on" in notebooks(book, "--check").stdout
    edit(book / "chapters" / "small.ipynb", '"execution_count": 1', '"execution_count": null')
    assert "never executed" in notebooks(book, "--check").stdout


def test_a_failing_cell_leaves_the_stored_notebook_as_it_was(book):
    before = (book / "chapters" / "small.ipynb").read_bytes()
    edit(book / "chapters" / "small.md", "1 + 1", "1 / 0")
    done = notebooks(book)
    assert done.returncode == 1 and "ZeroDivisionError" in done.stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before


def test_an_unknown_chapter_is_named(book):
    done = notebooks(book, "smal")
    assert done.returncode == 2 and "no such chapter in _toc.yml: smal" in done.stderr


def beside_other_frameworks(book):
    """The book with its chapter among those of the other environment, which is not there yet, and to be executed."""
    edit(book / "tools" / "notebooks.py", '{"across_frameworks"}', '{"small"}')
    edit(book / "chapters" / "small.md", "1 + 1", "import os\nos.environ['FRAMEWORKS']")


def test_a_chapter_that_needs_the_other_environment_says_how_to_make_it(book):
    before = (book / "chapters" / "small.ipynb").read_bytes()
    beside_other_frameworks(book)
    done = notebooks(book)
    assert done.returncode == 1 and done.stderr == ""
    assert "small ... needs the other frameworks: make .venv-frameworks/installed\n" in done.stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before
    assert "was executed with other code" in notebooks(book, "--check").stdout  # needs no environment


def test_a_chapter_that_needs_the_other_environment_is_executed_by_its_python(book):
    beside_other_frameworks(book)
    python = book / ".venv-frameworks" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nFRAMEWORKS=here exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert "small ... executed" in notebooks(book).stdout
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "'here'"
    assert notebooks(book, "--check").returncode == 0


def find_python(**environment):
    return subprocess.run(
        ["sh", ROOT / "tools" / "find_python.sh"], env=os.environ | environment, capture_output=True, text=True
    )


def test_a_python_is_found():
    assert find_python(PYTHON=sys.executable).stdout.strip() == sys.executable


def fake_python(folder, version, has_venv):
    path = folder / "python"
    path.write_text(f'#!/bin/sh\ncase "$2" in *version*) echo {version} ;; *) exit {0 if has_venv else 1} ;; esac\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("version", "has_venv", "word"), [("3.10", True, "3.10"), ("3.14", True, "3.14"), ("3.12", False, "python3-venv")]
)
def test_an_unsuitable_python_is_named_in_one_line(tmp_path, version, has_venv, word):
    done = find_python(PYTHON=fake_python(tmp_path, version, has_venv))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and word in done.stderr


def test_a_missing_python_is_named_in_one_line():
    done = find_python(PYTHON="no-such-python")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "no-such-python" in done.stderr


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


@pytest.fixture
def with_exercise(book):
    text = book / "chapters" / "small.md"
    text.write_text(text.read_text().replace("1 + 1", "from dslib import exercises") + EXERCISE)
    (book / "dslib" / "__init__.py").write_text("")
    (book / "dslib" / "exercises.py").write_text("def check_added(function):\n    return function(1, 2) == 3\n")
    (book / "dscourse" / "exercises").mkdir()
    (book / "dscourse" / "exercises" / "small.py").write_text(SOLUTIONS)
    return book


def test_stub_and_folded_solution_are_made_from_the_solution(with_exercise, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(with_exercise))
    assert "differ from its solutions" not in notebooks(with_exercise).stdout
    stub, solution = stored(with_exercise).cells[3].source, stored(with_exercise).cells[4].source
    call = "exercises.check_added(added)"
    assert stub == f"def added(first, second=0):\n    ...  # exercise 1: replace the dots\n\n\n{call}"
    assert (
        "```python\ndef added(first, second=0):\n    # as on paper\n    return math.fsum([first, second])\n```"
        in solution
    )
    assert notebooks(with_exercise, "--check").returncode == 0


def test_changed_solution_is_noticed_and_carried_into_the_chapter(with_exercise, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(with_exercise))
    notebooks(with_exercise)
    edit(with_exercise / "dscourse" / "exercises" / "small.py", "second=0", "second")
    assert "exercises differ from its solutions" in notebooks(with_exercise, "--check").stdout
    notebooks(with_exercise)
    assert "def added(first, second):" in (with_exercise / "chapters" / "small.md").read_text()
    assert notebooks(with_exercise, "--check").returncode == 0


def test_exercise_without_solution_is_refused_and_nothing_is_changed(with_exercise):
    edit(with_exercise / "dscourse" / "exercises" / "small.py", "def added", "def summed")
    before = (with_exercise / "chapters" / "small.md").read_text()
    done = notebooks(with_exercise)
    assert done.returncode != 0 and "['added']" in done.stdout and "['summed']" in done.stdout
    assert (with_exercise / "chapters" / "small.md").read_text() == before


def test_links_to_texts_become_addresses_of_the_site(book):
    (book / "chapters" / "words.md").write_text("# Words\n")
    with (book / "chapters" / "small.md").open("a") as text:
        text.write("\n[one](words.md#first), [two](words.md), [three](small.md), [four](small.ipynb)\n")
    notebooks(book)
    links = (
        "[one](https://example.org/book/chapters/words.html#first), [two](https://example.org/book/chapters/words.html)"
    )
    assert stored(book).cells[-1].source.endswith(f"{links}, [three](small.md), [four](small.ipynb)")
    assert notebooks(book, "--check").returncode == 0


@pytest.mark.parametrize("tag", ["hide-input", "remove-input"])
def test_folded_cell_is_folded_in_colab_and_jupyter(book, tag):
    edit(book / "chapters" / "small.md", "ipython3\n1 + 1", f"ipython3\n:tags: [{tag}]\n\n1 + 1")
    notebooks(book)
    assert stored(book).cells[1].metadata["cellView"] == "form"
    assert stored(book).cells[1].metadata["jupyter"] == {"source_hidden": True}
