"""A notebook that was changed by hand: noticed, and taken into the text or dropped, as the author says."""

import nbformat
import pytest

from tests.support.book import ROOT
from tests.support.small_book import CHAPTER, edit, run, store, stored
from tools import by_hand
from tools.chapters import chapter_texts, notebook_of


def text_of(book):
    return (book / "chapters" / "small.md").read_text()


def change(book, cell, source):
    notebook = stored(book)
    notebook.cells[cell].source = source
    store(book, notebook)


def bytes_of(book):
    return {path: path.read_bytes() for path in (book / "chapters").iterdir()}


def test_a_change_by_hand_stops_the_command_and_nothing_is_lost(book):
    change(book, 2, "Two words.")
    before = bytes_of(book)
    for arguments in ([], ["--all"], ["--check"]):
        done = run(book, "notebooks", *arguments)
        assert done.returncode == 1 and done.stdout.count("\n") == 1
        assert "chapters/small.ipynb was changed by hand (cell 2)" in done.stdout
        assert "--take small" in done.stdout and "--discard small" in done.stdout
    assert bytes_of(book) == before


def test_taken_prose_keeps_every_other_letter_of_the_text(book):
    change(book, 2, "Two words. See [words](https://OWNER.github.io/REPO/chapters/words.html#first).")
    assert run(book, "notebooks", "--take", "small").returncode == 0
    assert text_of(book) == CHAPTER.replace("One word. See", "Two words. See")
    assert "prose updated" in run(book, "notebooks").stdout
    assert run(book, "notebooks", "--check").returncode == 0
    assert [cell.id for cell in stored(book).cells] == [f"cell-00{number}" for number in range(5)]


def test_taken_code_is_executed(book):
    change(book, 1, "2 + 2")
    change(book, 4, 'print("folded")')
    assert run(book, "notebooks", "--take", "small").returncode == 0
    assert text_of(book) == CHAPTER.replace("1 + 1", "2 + 2").replace("fold me", "folded")
    assert "executed" in run(book, "notebooks").stdout
    assert stored(book).cells[1].outputs[0]["data"]["text/plain"] == "4"


def test_new_removed_and_tagged_cells_are_taken(book):
    notebook = stored(book)
    notebook.cells[1].metadata = {"tags": ["hide-input"], "collapsed": True, "cellView": "form"}
    del notebook.cells[3]
    notebook.cells[3:3] = [nbformat.v4.new_code_cell("x = 5"), nbformat.v4.new_markdown_cell("New.\n\nWords.")]
    notebook.cells.append(nbformat.v4.new_raw_cell("raw"))
    store(book, notebook)
    assert run(book, "notebooks", "--take", "small").returncode == 0
    cells = notebook_of(text_of(book)).cells
    assert [(c.cell_type, c.source) for c in cells][1:] == [
        ("code", "1 + 1"),
        ("markdown", "One word. See [words](words.md#first)."),
        ("code", "x = 5"),
        ("markdown", "New.\n\nWords."),
        ("code", 'print("fold me")'),
        ("raw", "raw"),
    ]
    assert cells[1].metadata["tags"] == ["hide-input"]
    assert "executed" in run(book, "notebooks").stdout


def test_discarded_changes_are_gone_and_the_outputs_true(book):
    before = bytes_of(book)
    notebook = stored(book)
    notebook.cells[1].source = "5 + 5"
    notebook.cells[1].outputs[0]["data"]["text/plain"] = "10"
    store(book, notebook)
    assert "executed" in run(book, "notebooks", "--discard", "small").stdout
    assert bytes_of(book) == before


def test_changes_on_both_sides_are_said_and_neither_is_lost(book):
    change(book, 2, "Two words.")
    edit(book / "chapters" / "small.md", "Another cell", "An other cell")
    before = bytes_of(book)
    for arguments in ([], ["--take", "small"]):
        done = run(book, "notebooks", *arguments)
        assert done.returncode == 1 and done.stdout.count("\n") == 1
        assert "by hand (cell" in done.stdout and "chapters/small.md was changed too" in done.stdout
    assert bytes_of(book) == before
    assert "prose updated" in run(book, "notebooks", "--discard", "small").stdout
    assert "An other cell." in stored(book).cells[3].source


def test_the_same_change_on_both_sides_is_no_conflict(book):
    change(book, 3, "Last cell.")
    edit(book / "chapters" / "small.md", "Another cell.", "Last cell.")
    assert "prose updated" in run(book, "notebooks").stdout


def test_another_run_in_jupyter_is_no_change_by_hand_and_its_noise_goes(book):
    before = bytes_of(book)
    notebook = stored(book)
    notebook.metadata["language_info"]["version"] = "3.99"
    for number, cell in enumerate(notebook.cells):
        cell.id = f"other{number}"
        if cell.cell_type == "code":
            cell.execution_count += 7
            cell.metadata["execution"] = {"iopub.status.busy": "2026"}
    store(book, notebook)
    assert run(book, "notebooks", "--check").returncode == 1
    assert "prose updated" in run(book, "notebooks").stdout
    assert bytes_of(book) == before


@pytest.mark.parametrize("outputs", [[], [nbformat.v4.new_output("stream", text="3\n")]])
def test_other_outputs_are_made_again(book, outputs):
    before = bytes_of(book)
    notebook = stored(book)
    notebook.cells[1].outputs = outputs
    store(book, notebook)
    assert "is stale: its outputs changed" in run(book, "notebooks", "--check").stdout
    assert "executed" in run(book, "notebooks").stdout
    assert bytes_of(book) == before


def test_what_the_text_cannot_hold_is_refused(book):
    notebook = stored(book)
    notebook.cells[2].attachments = {"pasted.png": {"image/png": "AAAA"}}
    store(book, notebook)
    before = bytes_of(book)
    done = run(book, "notebooks", "--take", "small")
    assert done.returncode == 1 and "cell 2: the text cannot hold it" in done.stdout
    assert bytes_of(book) == before


@pytest.mark.parametrize("text", chapter_texts(), ids=lambda text: text.stem)
def test_every_chapter_of_the_book_survives_being_taken_apart(text):
    """Taken without a change, a text stays as it is, letter by letter."""
    words = text.read_text()
    notebook = notebook_of(words)
    head = by_hand.HEAD.match(words)[0]
    assert head + by_hand._joined(notebook, notebook, by_hand._chunks(words)) == words.rstrip("\n") + "\n"


def test_the_texts_are_those_of_this_repository():
    assert all(text.is_relative_to(ROOT) for text in chapter_texts())
