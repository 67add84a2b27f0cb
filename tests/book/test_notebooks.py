"""`make notebooks`: what is executed, what is kept, what is said."""

import sys

import nbformat
import pytest

from tests.support.small_book import CHAPTER, edit, run, store, stored


def text_of(book):
    return book / "chapters" / "small.md"


def test_an_executed_chapter_is_up_to_date_and_the_same_when_run_again(book):
    assert run(book, "notebooks", "--check").returncode == 0
    assert "[1/1] small ... up to date" in run(book, "notebooks").stdout
    before = (book / "chapters" / "small.ipynb").read_bytes()
    assert "executed" in run(book, "notebooks", "--all").stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "2"


def test_changed_prose_keeps_the_outputs(book):
    edit(text_of(book), "small chapter", "short chapter")
    done = run(book, "notebooks", "--check")
    assert done.returncode == 1 and "chapters/small.ipynb is not what its text makes" in done.stdout
    assert "prose updated" in run(book, "notebooks").stdout
    assert stored(book).cells[0].source == "# A short chapter"
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "2"
    assert run(book, "notebooks", "--check").returncode == 0


def test_changed_code_is_executed_again(book):
    edit(text_of(book), "1 + 1", "1 + 2")
    done = run(book, "notebooks", "--check")
    assert done.returncode == 1
    assert done.stdout == "chapters/small.ipynb is stale: its own code changed; run make notebooks\n"
    assert "executed" in run(book, "notebooks").stdout
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "3"
    assert run(book, "notebooks", "--check").returncode == 0


def test_a_file_that_the_chapter_reaches_is_named_when_it_changes(book):
    edit(text_of(book), "1 + 1", "from dslib import geometry\ngeometry.output_size(4, 3)")
    run(book, "notebooks")
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "2"
    geometry = book / "dslib" / "geometry.py"
    geometry.write_text("# a remark\n" + geometry.read_text())
    assert run(book, "notebooks", "--check").returncode == 0
    geometry.write_text(geometry.read_text() + "\n\ndef output_size(*sizes):\n    return 7\n")
    done = run(book, "notebooks", "--check")
    assert done.stdout == "chapters/small.ipynb is stale: dslib/geometry.py changed; run make notebooks\n"
    run(book, "notebooks")
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "7"


def with_set_up_cell(book):
    line = '# set-up\nnever = "git+https://github.com/OWNER/REPO"\n1 + 1'
    edit(text_of(book), "1 + 1", line)
    run(book, "notebooks")


@pytest.mark.parametrize("way", ["the text alone", "notebook as well"])
def test_another_address_costs_no_execution(book, way):
    with_set_up_cell(book)
    notebook = stored(book)
    notebook.cells[1].outputs[0]["metadata"]["from"] = "the first run"
    store(book, notebook)
    edit(text_of(book), "OWNER/REPO", "ada/book")
    edit(book / "_config.yml", "OWNER", "ada")
    if way == "notebook as well":
        edit(book / "chapters" / "small.ipynb", "OWNER/REPO", "ada/book")
    done = run(book, "notebooks")
    assert "prose updated" in done.stdout, done.stdout + done.stderr
    assert "ada/book" in stored(book).cells[1].source
    assert stored(book).cells[1].outputs[0]["metadata"] == {"from": "the first run"}
    assert run(book, "notebooks", "--check").returncode == 0


def test_a_failing_cell_leaves_the_stored_notebook_as_it_was(book):
    before = (book / "chapters" / "small.ipynb").read_bytes()
    edit(text_of(book), "1 + 1", "1 / 0")
    done = run(book, "notebooks")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before
    assert not list(book.rglob("*.new"))


def test_an_unknown_chapter_is_named_beside_those_that_are_there(book):
    done = run(book, "notebooks", "smal")
    assert done.returncode == 2 and "no such chapter in _toc.yml: smal; there are: small" in done.stderr


def beside_other_frameworks(book):
    """The chapter asks for an environment of its own, which is not there yet, and has to be executed."""
    edit(text_of(book), "  name: python3\n", "  name: python3\nenvironment: frameworks\n")
    edit(text_of(book), "1 + 1", "import os\nos.environ['FRAMEWORKS']")


def test_a_chapter_that_needs_the_other_environment_says_how_to_make_it(book):
    before = (book / "chapters" / "small.ipynb").read_bytes()
    assert run(book, "notebooks", "--environments").stdout == "\n"
    beside_other_frameworks(book)
    assert run(book, "notebooks", "--environments").stdout == "frameworks\n"
    done = run(book, "notebooks")
    assert done.returncode == 1 and done.stderr == ""
    assert "small ... needs another environment: make .venv-frameworks/installed\n" in done.stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before
    assert "is stale: its own code changed" in run(book, "notebooks", "--check").stdout  # needs no environment


def test_a_chapter_that_needs_the_other_environment_is_executed_by_its_python(book):
    beside_other_frameworks(book)
    python = book / ".venv-frameworks" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nFRAMEWORKS=here exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    assert "small ... executed" in run(book, "notebooks").stdout
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "'here'"
    assert run(book, "notebooks", "--environments").stdout == "\n"  # not stale: none is asked for
    edit(text_of(book), "One word", "Two words")
    assert run(book, "notebooks", "--environments").stdout == "\n"


def test_links_to_texts_become_addresses_of_the_site(book):
    links = "[one](words.md#first), [two](words.md), [three](small.md), [four](small.ipynb)"
    edit(text_of(book), "Another cell.", links)
    run(book, "notebooks")
    words = "https://OWNER.github.io/REPO/chapters/words.html"
    assert (
        stored(book).cells[3].source == f"[one]({words}#first), [two]({words}), [three](small.md), [four](small.ipynb)"
    )
    assert run(book, "notebooks", "--check").returncode == 0


@pytest.mark.parametrize("tag", ["hide-input", "remove-input"])
def test_folded_cell_is_folded_in_colab_and_jupyter(book, tag):
    edit(text_of(book), "  - hide-input", f"  - {tag}")
    run(book, "notebooks")
    assert stored(book).cells[4].metadata["cellView"] == "form"
    assert stored(book).cells[4].metadata["jupyter"] == {"source_hidden": True}
    assert [cell.id for cell in stored(book).cells] == [f"cell-00{number}" for number in range(5)]


def test_every_stored_notebook_can_be_read_by_jupyter(book):
    nbformat.validate(stored(book))
    assert CHAPTER.count("code-cell") == len([c for c in stored(book).cells if c.cell_type == "code"])


def test_code_that_is_no_python_is_told_and_changes_nothing(book):
    before = (book / "chapters" / "small.ipynb").read_bytes()
    edit(text_of(book), "1 + 1", "1 +")
    done = run(book, "notebooks")
    assert done.returncode == 1 and "SyntaxError" in done.stdout
    assert (book / "chapters" / "small.ipynb").read_bytes() == before


def test_a_reached_file_that_is_no_python_is_named(book):
    edit(text_of(book), "1 + 1", "from dslib.geometry import output_size")
    (book / "dslib" / "geometry.py").write_text("def output_size(:\n")
    done = run(book, "notebooks")
    assert done.returncode == 1 and done.stdout.count("\n") == 1 and "geometry.py, line 1" in done.stdout
