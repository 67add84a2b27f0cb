"""Notebooks that somebody changed in Jupyter or Colab since they were made: noticed, and taken into the text if wanted.

Nothing is lost silently. Each notebook keeps a digest of its cells as they were written. Outputs are not in it: another
run may leave them otherwise, and they can be had again.
"""

import re
from difflib import SequenceMatcher
from pathlib import Path

import jupytext
import nbformat

from tools import exercises
from tools.chapters import CELL_METADATA, links_to_texts, name_of, notebook_of, read_notebook
from tools.staleness import digest
from tools.url import rewrite
from tools.whole_files import write

HEAD = re.compile(r"---\n.*?\n---\n+", re.DOTALL)
CODE = re.compile(r"^```\{(?:code|raw)-cell\}.*?^```$", re.DOTALL | re.MULTILINE)
SET_UP = re.compile(r"git\+https://github\.com/([\w.-]+)/([\w.-]+)")


class CannotTake(ValueError):
    """A notebook's changes cannot be carried into its text by a program."""


def cells_as_text(notebook: nbformat.NotebookNode) -> list[tuple]:
    """What each cell has from the text: kind, words, tags and the like. The repository's address is left out."""
    address = SET_UP.search("\n".join(cell.source for cell in notebook.cells))
    found = []
    for cell in notebook.cells:
        words = rewrite(cell.source, address.groups(), ("OWNER", "REPO")) if address else cell.source
        kept = sorted((key, repr(_plain(cell.metadata[key]))) for key in CELL_METADATA if key in cell.metadata)
        found.append((cell.cell_type, words, str(kept), str(sorted(cell.get("attachments", {})))))
    return found


def _plain(value: object) -> object:
    """Nested plain data, the same whether it comes from YAML or from JSON."""
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def digest_of_cells(notebook: nbformat.NotebookNode) -> str:
    """What a notebook keeps of its cells, to notice a change by hand."""
    return digest(cells_as_text(notebook))


def changed_cells(stored: nbformat.NotebookNode, wanted: nbformat.NotebookNode) -> list[int]:
    """The stored notebook's cells that its text does not have, if it was changed since it was made; else none."""
    have, should = cells_as_text(stored), cells_as_text(wanted)
    if have == should or digest(have) == stored.metadata.get("dslib", {}).get("cells"):
        return []
    blocks = SequenceMatcher(None, should, have, autojunk=False).get_opcodes()
    return [cell for kind, _, _, start, end in blocks if kind != "equal" for cell in range(start, max(end, start + 1))]


def text_changed_too(stored: nbformat.NotebookNode, wanted: nbformat.NotebookNode) -> bool:
    """Whether the text, too, is another one than the notebook was made from."""
    return digest_of_cells(wanted) != stored.metadata.get("dslib", {}).get("cells")


def said(text: Path, stored: nbformat.NotebookNode, wanted: nbformat.NotebookNode) -> str:
    """One line on a notebook that was changed by hand, with the ways on."""
    cells = changed_cells(stored, wanted)
    where = f"cell{'s' if len(cells) > 1 else ''} {', '.join(map(str, cells))}"
    command = ".venv/bin/python -m tools.notebooks"
    if text_changed_too(stored, wanted):
        return (
            f"{name_of(text)} was changed by hand ({where}), and chapters/{text.name} was changed too: carry the"
            f" notebook's changes over by hand, then drop them there: {command} --discard {text.stem}"
        )
    return (
        f"{name_of(text)} was changed by hand ({where}). Take it into the text: {command} --take {text.stem};"
        f" or drop it: {command} --discard {text.stem}"
    )


def take(text: Path) -> None:
    """Write the notebook's cells into its text. What did not change there stays as it is, letter by letter.

    Raises CannotTake, and changes nothing, if the text was changed too, or could not hold the cells exactly.
    """
    old = text.read_text(encoding="utf-8")
    stored, wanted = read_notebook(text), notebook_of(old)
    if stored is None:
        raise CannotTake(f"{name_of(text)} does not exist")
    if changed_cells(stored, wanted) and text_changed_too(stored, wanted):
        raise CannotTake(said(text, stored, wanted))
    new = HEAD.match(old)[0] + _joined(stored, wanted, _chunks(old))
    again = cells_as_text(notebook_of(new))
    for number, cell in enumerate(cells_as_text(stored)):
        if number >= len(again) or again[number] != cell:
            raise CannotTake(f"{name_of(text)}, cell {number}: the text cannot hold it as it is. Change it in the text")
    if exercises.filled_chapter(text, new) != new:
        raise CannotTake(
            f"{name_of(text)}: a stub or a folded solution was changed, which the file of the chapter's exercises"
            " makes. Change it there, and put it back in the notebook"
        )
    write(text, new)


def _chunks(text: str) -> list[str]:
    """The text of each cell, fences and options included."""
    found, end, body = [], 0, text[HEAD.match(text).end() :]
    for code in [*CODE.finditer(body), None]:
        prose = body[end : code.start() if code else None].strip("\n")
        found += [part.strip("\n") for part in re.split(r"^\+\+\+.*$", prose, flags=re.MULTILINE) if part.strip("\n")]
        if code:
            found.append(code[0])
            end = code.end()
    return found


def _joined(stored: nbformat.NotebookNode, wanted: nbformat.NotebookNode, chunks: list[str]) -> str:
    """The stored cells as text, with the old chunk for each cell that is as it was."""
    have, should = cells_as_text(stored), cells_as_text(wanted)
    if len(chunks) != len(should):
        raise CannotTake(f"the text has {len(should)} cells and {len(chunks)} pieces: take the changes over by hand")
    parts = {}
    for kind, i, _, start, end in SequenceMatcher(None, should, have, autojunk=False).get_opcodes():
        for number in range(start, end):
            old = i + number - start if i + number - start < len(chunks) else None
            if kind == "equal":
                parts[number] = chunks[old]
            else:
                parts[number] = _written(
                    stored.cells[number], None if old is None else (wanted.cells[old], chunks[old])
                )
    text = ""
    for number, cell in enumerate(stored.cells):
        follows = number and cell.cell_type == stored.cells[number - 1].cell_type == "markdown"
        text += ("\n\n+++\n\n" if follows else "\n\n" if number else "") + parts[number]
    return text + "\n"


def _written(cell: nbformat.NotebookNode, before: tuple[nbformat.NotebookNode, str] | None) -> str:
    """The cell as text. A code cell with the options of the one before keeps their spelling."""
    if cell.cell_type == "markdown":
        return links_to_texts(cell.source)
    metadata = {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata}
    if before is not None and before[0].cell_type == cell.cell_type == "code" and before[0].source:
        old, chunk = before
        same_options = metadata == {key: old.metadata[key] for key in CELL_METADATA if key in old.metadata}
        if same_options and chunk.endswith(old.source + "\n```"):
            return chunk.removesuffix(old.source + "\n```") + cell.source + "\n```"
    alone = nbformat.from_dict(
        {"cells": [cell | {"metadata": metadata}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    )
    return HEAD.sub("", jupytext.writes(alone, fmt="md:myst"), count=1).strip("\n")
