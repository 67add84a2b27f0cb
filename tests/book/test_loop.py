"""`make page`, `make book` and `make check`: what they build, what stops them, and how little they say."""

import shutil

import pytest

from tests.support.small_book import edit, make, run, stored


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = make(tmp_path_factory.mktemp("book"))
    done = run(root, "book", "small")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture
def book(built, tmp_path):
    return shutil.copytree(built, tmp_path / "book")


def html(book, page):
    return book / "_build" / "html" / "chapters" / f"{page}.html"


def test_page_after_a_changed_sentence_is_built_alone_and_nothing_is_executed(book):
    assert html(book, "small").is_file() and not html(book, "words").exists()
    edit(book / "chapters" / "small.md", "One word.", "Two words.")
    done = run(book, "book", "small")
    assert "small ... prose updated" in done.stdout and done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "_build/html/chapters/small.html" and done.stdout.count("\n") == 2
    assert "Two words." in html(book, "small").read_text()


def test_page_after_changed_code_is_executed(book):
    edit(book / "chapters" / "small.md", "1 + 1", "40 + 2")
    assert "small ... executed" in run(book, "book", "small").stdout
    assert "42" in html(book, "small").read_text()


def test_unknown_page_is_named_beside_those_that_are_there(book):
    done = run(book, "book", "smal")
    assert done.returncode == 1 and done.stdout == "no page is called 'smal'; there are: intro, small\n"


def test_book_carries_prose_and_says_where_it_is(book):
    edit(book / "chapters" / "small.md", "One word.", "Two words.")
    done = run(book, "book")
    assert done.stdout == "small: prose updated\n_build/html/index.html\n" and done.stderr == "", done.stderr
    assert "Two words." in html(book, "small").read_text()


def test_book_stops_at_stale_code_and_at_changes_by_hand(book):
    before = stored(book)
    edit(book / "chapters" / "small.md", "1 + 1", "1 + 2")
    done = run(book, "book")
    assert done.returncode == 1
    assert done.stdout == "chapters/small.ipynb is stale: its own code changed; run make notebooks\n"
    assert stored(book) == before
    edit(book / "chapters" / "small.md", "1 + 2", "1 + 1")
    edit(book / "chapters" / "small.ipynb", "One word.", "Two words.")
    done = run(book, "book")
    assert done.returncode == 1 and done.stdout.count("\n") == 1 and "changed by hand" in done.stdout


def test_what_the_builder_says_is_shown_if_it_fails(book):
    edit(book / "_toc.yml", "chapters/intro", "chapters/introduction")
    done = run(book, "book")
    assert done.returncode == 1 and "introduction" in done.stderr
    assert done.stdout.endswith("the build failed; its log: _build/log.txt\n")


CONFIG = """[tool.pytest.ini_options]
markers = ["slow"]
[tool.ruff]
include = ["more.py"]
"""
FAULTS = {"format": "x=1\n", "lint": "import os\n", "library": ""}


@pytest.mark.parametrize("broken", [None, *FAULTS])
def test_check_fails_for_all_but_stale_notebooks(book, broken):
    edit(book / "chapters" / "small.md", "1 + 1", "1 + 2")
    (book / "pyproject.toml").write_text(CONFIG)
    (book / "more.py").write_text(FAULTS.get(broken, ""))
    (book / "tests" / "library").mkdir(parents=True)
    tests = f"import pytest\n\n\ndef test_one():\n    assert {broken != 'library'}\n"
    tests += "\n\n@pytest.mark.slow\ndef test_two():\n    assert False\n"
    (book / "tests" / "library" / "test_one.py").write_text(tests)
    done = run(book, "check")
    lines = done.stdout.splitlines()
    assert done.returncode == int(broken is not None), done.stdout
    verdicts = {
        line.split()[-1]: line.split()[0]
        for line in lines
        if line.startswith(("passed ", "FAILED ")) and " s  " in line
    }
    assert verdicts == {name: "FAILED" if name == broken else "passed" for name in FAULTS}
    assert lines[-2] == "chapters/small.ipynb is stale: its own code changed; run make notebooks"
