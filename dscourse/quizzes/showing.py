"""How a quiz looks: plain HTML, no script.

An option is a ``<details>`` element: its summary is the option, what it folds is the feedback. So it works with the
keyboard and a screen reader, in Jupyter, Colab and on the site, and the site opens it on paper.
"""

import html
import re
from dataclasses import dataclass

LOOKS = """
.dslib-quiz{font:16px/1.5 system-ui,sans-serif;color:inherit}
.dslib-quiz .ask{margin:1rem 0 .4rem;font-weight:600}
.dslib-quiz details{margin:.3rem 0;padding:.3rem .8rem;border:1px solid #8a8a8a;border-left-width:4px;
border-radius:.25rem}
.dslib-quiz summary{min-height:1.6em;cursor:pointer;font-weight:400}
.dslib-quiz summary:focus-visible{outline:3px solid #4c9be8;outline-offset:2px}
.dslib-quiz details p{margin:.3rem 0 .2rem}
@media print{.dslib-quiz .ask{break-after:avoid}.dslib-quiz details{break-inside:avoid}}
.dslib-quiz details.right[open]{border-left-color:#2a9d6a}
.dslib-quiz details.wrong[open]{border-left-color:#d2603a}
"""


@dataclass(frozen=True)
class Option:
    """One answer to choose, what to tell whoever chooses it, and whether it is right."""

    text: str
    feedback: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question with its options, of which one is right."""

    text: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Quiz:
    """Questions that are shown one below the other."""

    questions: tuple[Question, ...]

    def _repr_html_(self) -> str:
        shown = "".join(question_html(number, question) for number, question in enumerate(self.questions, start=1))
        return f'<div class="dslib-quiz"><style>{LOOKS}</style>{shown}</div>'

    def __repr__(self) -> str:
        lines = []
        for number, question in enumerate(self.questions, start=1):
            lines += [f"{number}. {question.text}", *(f"   ( ) {option.text}" for option in question.options)]
        return "\n".join(lines)


def question_html(number: int, question: Question) -> str:
    """A question as a group with a name, for those who cannot see where it begins and ends."""
    options = "".join(option_html(option) for option in question.options)
    ask = f'<p class="ask">{number}. {marked_up(question.text)}</p>'
    return f'<div role="group" aria-label="Question {number}">{ask}{options}</div>'


def option_html(option: Option) -> str:
    """An option; its first word when opened says whether it is right, so that no colour is needed."""
    kind, word = ("right", "✓ Right.") if option.right else ("wrong", "✗ No.")
    feedback = f"<p><b>{word}</b> {marked_up(option.feedback)}</p>"
    return f'<details class="{kind}"><summary>{marked_up(option.text)}</summary>{feedback}</details>'


def marked_up(text: str) -> str:
    """Plain text as HTML: `code` in backticks, C_out with its index below, K^2 with its power above."""
    pieces = re.split(r"`([^`]+)`", html.escape(text, quote=False))
    for place, piece in enumerate(pieces):
        if place % 2:
            pieces[place] = f"<code>{piece}</code>"
        else:
            piece = re.sub(r"\b([A-Z])_(\w+)", r"\1<sub>\2</sub>", piece)
            pieces[place] = re.sub(r"\^(\w+)", r"<sup>\1</sup>", piece)
    return "".join(pieces)
