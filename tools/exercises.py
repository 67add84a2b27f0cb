"""The exercises of a chapter, made from their solutions.

``dscourse/exercises/<slug>.py`` holds a solution for each exercise. In the chapter's text, the cell that calls
``exercises.check_<name>(<name>)`` gets that function's head above the call, and the folded solution below it gets the
whole function. ``tools/notebooks.py`` does so before it makes the notebook.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

from dscourse.checks.source import solutions

PAGE = 68  # letters of code that fit on a page of the site
FOLDER = Path(__file__).resolve().parent.parent / "dscourse" / "exercises"
EXERCISE = re.compile(
    r"(```\{code-cell\} ipython3\n)(?P<stub>(?:(?!```).)*?exercises\.check_(?P<name>\w+)\((?P=name)\)\n)"
    r"(?P<between>```\n(?:(?!```).)*?<summary>Solution</summary>\n\n```python\n)(?P<solution>(?:(?!```).)*?)(?=```\n)",
    re.DOTALL,
)


class UnequalExercises(ValueError):
    """A chapter and its file of exercises do not have the same exercises."""


def for_the_page(source: str) -> dict[str, str]:
    """The solutions of a file of exercises, name -> text, laid out in lines that fit on the page."""
    found = solutions(source)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", f"--line-length={PAGE}", "-"]
    formatted = subprocess.run(command, input="\n\n\n".join(found.values()), capture_output=True, text=True, check=True)
    return solutions(formatted.stdout)


def head(solution: str) -> str:
    """The function's head, with its docstring if it has one. A comment above the first statement is not in it."""
    (node,) = ast.parse(solution).body
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = solution.splitlines()[: body[0].lineno - 1]
    return re.sub(r"(\n +#[^\n]*)+$", "", "\n".join(lines))


def stub(name: str, solution: str, number: int) -> str:
    """What the reader starts from: the function's head, dots to replace, and the call of the check."""
    return f"{head(solution)}\n    ...  # exercise {number}: replace the dots\n\n\nexercises.check_{name}({name})\n"


def filled(text: str, source: str) -> str:
    """The chapter's text with every stub and every folded solution as the file of exercises has them.

    Raises UnequalExercises if the chapter asks for a solution that is not there, or does not use one that is.
    """
    found = for_the_page(source)
    names = [match["name"] for match in EXERCISE.finditer(text)]
    if names != list(found):
        raise UnequalExercises(f"the text has the exercises {names}, the file of exercises {list(found)}")
    number = iter(range(1, len(names) + 1))

    def fill(match: re.Match) -> str:
        name, solution = match["name"], found[match["name"]]
        return match[1] + stub(name, solution, next(number)) + match["between"] + solution + "\n"

    return EXERCISE.sub(fill, text)


def filled_chapter(text: Path, words: str | None = None) -> str:
    """The text of ``chapters/<slug>.md``, or other words for it, with its exercises filled in."""
    source = FOLDER / f"{text.stem}.py"
    return filled(words or text.read_text(), source.read_text() if source.exists() else "")
