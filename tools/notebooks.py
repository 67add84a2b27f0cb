"""Chapters from text to executed notebook, with the same bytes every time.

With Python from .venv, `python -m tools.notebooks` and:

    [SLUG ...]       bring notebooks up to date with their texts and with what they reach
    --all            execute all of them again (after a change of versions)
    --check          change nothing; say which are not up to date, exit 1 if any
    --environments   the other environments that stale chapters need, one a line
    --take SLUG      write a notebook that was changed by hand into its text
    --discard SLUG   drop what was changed by hand in the notebook

``chapters/<slug>.md`` is what you edit; ``chapters/<slug>.ipynb`` is made from it. A chapter is executed when its code
changed, or code or data that it reaches (``tools/staleness.py``). A change of prose alone keeps the outputs.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError

from tools import by_hand, exercises, staleness
from tools.chapters import (
    chapter_texts,
    code_cells,
    environment_of,
    name_of,
    notebook_of,
    read_notebook,
    write_notebook,
)
from tools.execution import EnvironmentMissing, execute
from tools.whole_files import write


@dataclass
class Chapter:
    """A chapter's text with its exercises filled in, the notebook that it makes, and the one that is stored."""

    text: Path
    filled: str
    wanted: nbformat.NotebookNode
    stored: nbformat.NotebookNode | None

    @property
    def changed_by_hand(self) -> str:
        """One line if the stored notebook was changed by hand since it was made, else nothing."""
        if self.stored is None or not by_hand.changed_cells(self.stored, self.wanted):
            return ""
        return by_hand.said(self.text, self.stored, self.wanted)

    @property
    def stale(self) -> str:
        """Why the chapter has to be executed, in one line; nothing if its stored outputs are true."""
        if self.stored is None:
            return f"{name_of(self.text)} does not exist; run make notebooks"
        changes = ", ".join(staleness.changes(self.stored, self.wanted))
        return f"{name_of(self.text)} is stale: {changes}; run make notebooks" if changes else ""

    @property
    def current(self) -> bool:
        """Whether the stored file is, letter by letter, what would be written without executing."""
        same_text = self.filled == self.text.read_text(encoding="utf-8")
        written = self.text.with_suffix(".ipynb").read_text(encoding="utf-8")
        return same_text and written == nbformat.writes(self.with_stored_outputs()) + "\n"

    def with_stored_outputs(self) -> nbformat.NotebookNode:
        """The wanted notebook with the outputs that are stored."""
        for cell, old in zip(code_cells(self.wanted), code_cells(self.stored), strict=True):
            cell.outputs = old.outputs
        return self._finished()

    def executed(self) -> nbformat.NotebookNode:
        """The wanted notebook with the outputs of a fresh run."""
        execute(self.wanted, environment_of(self.text))
        return self._finished()

    def _finished(self) -> nbformat.NotebookNode:
        full = [cell for cell in code_cells(self.wanted) if cell.source.strip()]
        for number, cell in enumerate(full, start=1):
            cell.execution_count = number
        self.wanted.metadata["dslib"]["outputs"] = staleness.digest_of_outputs(self.wanted)
        return self.wanted


def look_at(text: Path) -> Chapter:
    """Read a chapter. Raises UnequalExercises if its text and its file of exercises do not fit together."""
    filled = exercises.filled_chapter(text)
    wanted = notebook_of(filled)
    wanted.metadata["dslib"] = {"made_from": staleness.made_from(wanted), "cells": by_hand.digest_of_cells(wanted)}
    return Chapter(text, filled, wanted, read_notebook(text))


def update(chapter: Chapter, again: bool = False) -> str:
    """Bring one notebook up to date, exercises in its text included; returns what was done, in words."""
    if chapter.filled != chapter.text.read_text(encoding="utf-8"):
        write(chapter.text, chapter.filled)
    if again or chapter.stale:
        write_notebook(chapter.executed(), chapter.text)
        return "executed"
    if chapter.current:
        return "up to date"
    write_notebook(chapter.with_stored_outputs(), chapter.text)
    return "prose updated"


def look_at_all(texts: list[Path], discard: bool = False) -> list[Chapter] | None:
    """Read the chapters; None, after a line for each, if some cannot be brought up to date without losing something.

    With ``discard``, what was changed by hand in notebooks is let go.
    """
    chapters, refused = [], []
    for text in texts:
        try:
            chapters.append(look_at(text))
        except (exercises.UnequalExercises, SyntaxError) as error:
            refused.append(f"chapters/{text.name}: {error}")
    if not discard:
        refused += [chapter.changed_by_hand for chapter in chapters if chapter.changed_by_hand]
    for line in refused:
        print(line)
    return None if refused else chapters


def update_all(chapters: list[Chapter], again: bool = False) -> int:
    """Update one chapter after the other with a progress line for each; 1 if any failed."""
    failed = 0
    for number, chapter in enumerate(chapters, start=1):
        print(f"[{number}/{len(chapters)}] {chapter.text.stem} ... ", end="", flush=True)
        start = time.perf_counter()
        try:
            done = update(chapter, again)
        except EnvironmentMissing as error:
            failed += 1
            print(error)
        except CellExecutionError as error:
            failed += 1
            print(f"failed; the stored notebook is left as it was\n{error}")
        else:
            print(f"{done}, {time.perf_counter() - start:.1f} s")
    return int(failed > 0)


def check(texts: list[Path]) -> int:
    """Say what keeps a stored notebook from being its text, executed with today's code; 1 if anything does."""
    chapters = look_at_all(texts)
    if chapters is None:
        return 1
    wrong = [
        c.stale or f"{name_of(c.text)} is not what its text makes; run make notebooks"
        for c in chapters
        if c.stale or not c.current
    ]
    print(*(wrong or [f"{len(texts)} notebooks are their texts, executed with this code"]), sep="\n")
    return int(bool(wrong))


def environments(texts: list[Path]) -> list[str]:
    """The names of other environments that stale chapters ask for."""
    found = set()
    for text in texts:
        try:
            found |= {environment_of(text)} if environment_of(text) and look_at(text).stale else set()
        except (exercises.UnequalExercises, SyntaxError):
            pass  # told when the notebooks are brought up to date
    return sorted(found)


def take(texts: list[Path]) -> int:
    """Write notebooks that were changed by hand into their texts."""
    for text in texts:
        try:
            by_hand.take(text)
        except (by_hand.CannotTake, exercises.UnequalExercises) as error:
            print(error)
            return 1
        print(f"chapters/{text.name} has what the notebook has; make notebooks brings the notebook up to date")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", metavar="SLUG", help="chapters to look at (default: all)")
    for way in ("all", "check", "environments", "take", "discard"):
        parser.add_argument(f"--{way}", action="store_true")
    given = parser.parse_args()
    there = [text.stem for text in chapter_texts()]
    if unknown := sorted(set(given.slugs) - set(there)):
        parser.error(f"no such chapter in _toc.yml: {', '.join(unknown)}; there are: {', '.join(there)}")
    if (given.take or given.discard) and not given.slugs:
        parser.error("--take and --discard need the chapter's slug")
    texts = [text for text in chapter_texts() if not given.slugs or text.stem in given.slugs]
    if given.environments:
        print(*environments(texts), sep="\n")
        return 0
    if given.check or given.take:
        return check(texts) if given.check else take(texts)
    chapters = look_at_all(texts, given.discard)
    return 1 if chapters is None else update_all(chapters, given.all)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; finished chapters are stored, the others are as they were")
