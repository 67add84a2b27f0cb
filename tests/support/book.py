"""Where the book's chapters are and what is in them: the reading that several tests of the book share."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
PAGES = [TOC["root"]] + [entry["file"] for part in TOC["parts"] for entry in part["chapters"]]
NOTEBOOKS = [ROOT / page for page in PAGES if page.endswith(".ipynb")]
REFERENCE = [entry["file"] for part in TOC["parts"] if part["caption"] == "Reference" for entry in part["chapters"]]
CHAPTERS = [path for path in NOTEBOOKS if path.relative_to(ROOT).as_posix() not in REFERENCE]
SLUGS = [path.stem for path in CHAPTERS]

SOLUTION = re.compile(r"<summary>Solution</summary>\s+```python\n(.*?)```", re.DOTALL)
HINT = re.compile(r"<summary>Hint</summary>\n\n(.*?)\n\n</details>", re.DOTALL)


@cache
def read(path: Path) -> nbformat.NotebookNode:
    """The stored notebook, read once for all tests: they do not change it."""
    return nbformat.read(path, as_version=4)


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
