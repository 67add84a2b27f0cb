"""Where the book's chapters are and what is in them: the reading that several tests of the book share."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [TOC["root"]] + [entry["file"] for part in TOC["parts"] for entry in part["chapters"]]
NOTEBOOKS = [ROOT / page for page in PAGES if page.endswith(".ipynb")]
REFERENCE = [entry["file"] for part in TOC["parts"] if part["caption"] == "Reference" for entry in part["chapters"]]
CHAPTERS = [path for path in NOTEBOOKS if path.relative_to(ROOT).as_posix() not in REFERENCE]
SLUGS = [path.stem for path in CHAPTERS]

# The chapters of the core book, which are held to the minima below. Chapters that are added are held to the form alone.
CORE = [
    "standard_convolution",
    "group_convolution",
    "depthwise_convolution",
    "pointwise_convolution",
    "depthwise_separable_convolution",
    "cost_analysis",
    "mobilenet_v1",
    "ghostnet",
    "counting_in_practice",
    "theory_and_silicon",
    "accuracy",
    "across_frameworks",
    "claims_checked",
]
CORE_CHAPTERS = [path for path in CHAPTERS if path.stem in CORE]
LEAST_EXERCISES, LEAST_OBJECTIVES, LEAST_QUESTIONS = 4, 3, 3  # CONTRIBUTING.md has the same numbers
LETTERS = 79  # of a line of code, at most
WORDS_OF_ALT = 12  # of the text that stands for a figure, at least

SOLUTION = re.compile(r"<summary>Solution</summary>\s+```python\n(.*?)```", re.DOTALL)
HINT = re.compile(r"<summary>Hint</summary>\n\n(.*?)\n\n</details>", re.DOTALL)


@cache
def read(path: Path) -> nbformat.NotebookNode:
    """The stored notebook, read once for all tests: they do not change it."""
    return nbformat.read(path, as_version=4)


def place(path: Path, words: str) -> str:
    """Where the words begin in the chapter's text, to be said in a message: ``chapters/x.md, line 40``."""
    text, first = path.with_suffix(".md"), words.splitlines()[0] if words else ""
    lines = [number for number, line in enumerate(text.read_text().splitlines(), 1) if first and first in line]
    return f"chapters/{text.name}" + (f", line {lines[0]}" if lines else "")


def tell(wrong: list[str]) -> None:
    """Fail with these messages as one list, and with nothing else; pass if there are none."""
    if wrong:
        pytest.fail("\n".join(["", *wrong]), pytrace=False)


def in_book(slug: str) -> pytest.MarkDecorator:
    """For tests of one page: they are left out where it is dropped from _toc.yml."""
    there = slug in {Path(page).stem for page in PAGES}
    return pytest.mark.skipif(not there, reason=f"{slug} is not in _toc.yml")


def prose(notebook: nbformat.NotebookNode) -> str:
    """All Markdown of a notebook."""
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@dataclass(frozen=True)
class Exercise:
    """An exercise as it stands in a notebook: its text, the stub's cell, hint and solution below it."""

    number: int
    name: str
    text: str
    stub: str
    hint: str
    solution: str


def exercises_of(path: Path) -> list[Exercise]:
    """The exercises of a chapter, in order."""
    cells = read(path).cells
    found = []
    for before, cell, after in zip(cells, cells[1:], cells[2:], strict=False):
        call = re.search(r"^exercises\.check_(\w+)\(\1\)$", cell.source, re.MULTILINE)
        if cell.cell_type == "code" and call:
            number, text = re.findall(r"^\*\*(\d+)\.\*\* (.*)", before.source, re.MULTILINE | re.DOTALL)[-1]
            (hint,), (solution,) = HINT.findall(after.source), SOLUTION.findall(after.source)
            found.append(Exercise(int(number), call[1], text, cell.source, hint, solution))
    return found
