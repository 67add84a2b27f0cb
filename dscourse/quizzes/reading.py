"""Quizzes read from text: CONTRIBUTING.md shows how one is written."""

import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from string import Formatter

from .showing import Option, Question, Quiz

FOLDER = Path(__file__).parent
MARKS = {
    "heading": r"## +(.+)",
    "right": r"- \[[xX]\] +(.+)",
    "wrong": r"- \[ \] +(.+)",
    "feedback": r"> ?(.*)",
    "python": r"```python()",
    "unknown": r"(#.*|```.*|[-+*] ?\[.*|[-+*] .*)",  # looks like Markdown's lists, headings or blocks
    "text": r"(.*)",
}


def quiz(slug: str) -> Quiz:
    """The quiz of a chapter, read from its file of text. At the end of a notebook's cell it shows itself.

    A mistake in the text raises ValueError, which says on which line of which file, and what to do.
    """
    file = FOLDER / f"{slug}.md"
    if not file.exists():
        there = ", ".join(sorted(other.stem for other in FOLDER.glob("*.md")))
        raise ValueError(f"no quiz is called {slug!r}: write dscourse/quizzes/{slug}.md, or take one of {there}")
    return read(file)


@dataclass
class Piece:
    """A heading, a block of Python, a question, an option or a feedback, and where in which file it begins."""

    file: Path
    line: int
    kind: str
    text: str

    def error(self, what: str) -> ValueError:
        return ValueError(f"{'/'.join(self.file.parts[-3:])}, line {self.line}: {what}")

    def run(self, names: dict):
        """Run a block of Python. The empty lines before it let an exception name the line of the file."""
        exec(compile("\n" * self.line + self.text, self.file, "exec"), names)

    def filled(self, names: dict) -> str:
        """The text with the values of its slots; ``&nbsp;`` is a space at which no line breaks."""
        try:
            parts = list(Formatter().parse(self.text.replace("&nbsp;", "\u00a0")))
        except ValueError as error:
            raise self.error(f"{error}: a brace that the reader should see is written twice, {{{{ or }}}}") from error
        filled = ""
        for words, slot, format_spec, conversion in parts:
            filled += words
            if slot is not None:
                try:
                    filled += format(Formatter().convert_field(eval(slot, names), conversion), format_spec)
                except Exception as error:
                    told = f"the slot of {slot!r} gives {type(error).__name__}: {error}"
                    raise self.error(f"{told}. It sees the Python at the top and below its heading") from error
        return filled


def read(file: Path) -> Quiz:
    """The quiz in a file. Each question sees what the Python at the top defines, and nothing of the other questions."""
    sections: list[list[Piece]] = [[]]
    for piece in pieces(file):
        if piece.kind == "heading":
            sections.append([])
        sections[-1].append(piece)
    top, *questions = sections
    names: dict = {}
    for piece in top:
        if piece.kind != "python":
            raise piece.error("only Python may stand above the first heading: begin a question with `## Its name`")
        piece.run(names)
    if not questions:
        raise Piece(file, 1, "text", "").error("no question is here: begin one with `## Its name`")
    return Quiz(tuple(question(*section, names=dict(names)) for section in questions))


def pieces(file: Path) -> list[Piece]:
    """The pieces of a file in order. A line without a mark goes on with the piece of the line above it."""
    found: list[Piece] = []
    in_block = goes_on = False
    for line, row in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if in_block:
            in_block = row.strip() != "```"
            found[-1].text += f"{row}\n" if in_block else ""
            continue
        matches = ((kind, re.fullmatch(mark, row.strip())) for kind, mark in MARKS.items())
        kind, text = next((kind, match[1]) for kind, match in matches if match)
        if kind == "unknown":
            known = "`## Name`, ```python, `- [x] right option`, `- [ ] wrong option`, `> feedback`"
            raise Piece(file, line, kind, text).error(f"{text!r} is none of a quiz's marks: {known}")
        if goes_on and (kind == "text" or kind == found[-1].kind == "feedback"):
            found[-1].text = f"{found[-1].text} {text}".strip()
        elif row.strip():
            found.append(Piece(file, line, kind, text))
        in_block, goes_on = kind == "python", bool(row.strip()) and kind not in ("python", "heading")
    if in_block:
        raise found[-1].error("this block of Python has no end: write ``` below it")
    return found


def question(heading: Piece, *below: Piece, names: dict) -> Question:
    """The question below a heading: perhaps Python, then a paragraph that asks, then the options."""
    if below and below[0].kind == "python":
        below[0].run(names)
        below = below[1:]
    if not below or below[0].kind != "text":
        raise heading.error("nothing is asked below this heading: write the question there, above its options")
    options = options_of(below[1:], names)
    right = sum(option.right for option in options)
    if right != 1 or len(options) < 2:
        raise heading.error(f"{right} of {len(options)} options are right: give at least two, one of them `- [x]`")
    return Question(below[0].filled(names), options)


def options_of(pieces: tuple[Piece, ...], names: dict) -> tuple[Option, ...]:
    """The options among the pieces, each with the feedback that follows it."""
    found: dict[str, Option] = {}
    for piece, after in zip_longest(pieces[::2], pieces[1::2]):
        if piece.kind not in ("right", "wrong"):
            raise piece.error(f"here comes an option, `- [x]` or `- [ ]`, and no {piece.kind}: {piece.text[:50]!r}")
        if after is None or after.kind != "feedback" or not after.text:
            raise piece.error("this option has no feedback: write `  > ` below it, and what speaks for or against it")
        option = Option(piece.filled(names), after.filled(names), piece.kind == "right")
        if option.text in found:
            raise piece.error(f"{option.text!r} is an option already: give two options that differ, once computed")
        found[option.text] = option
    return tuple(found.values())
