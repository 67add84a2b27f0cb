"""The exercises of a chapter, made from their solutions.

``chapters/solutions/<slug>.py`` holds a function for each exercise. In the chapter's text, the cell that calls
``exercises.check_<name>(<name>)`` gets that function's head above the call, and the folded solution below it gets the
whole function. ``tools/notebooks.py`` does so before it makes the notebook.
"""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "chapters" / "solutions"

# A stub's cell, all up to its solution, the solution's code.
EXERCISE = re.compile(
    r"(```\{code-cell\} ipython3\n)(?P<stub>(?:(?!```).)*?exercises\.check_(?P<name>\w+)\((?P=name)\)\n)"
    r"(?P<between>```\n(?:(?!```).)*?<summary>Solution</summary>\n\n```python\n)(?P<solution>(?:(?!```).)*?)(?=```\n)",
    re.DOTALL,
)


class UnequalExercises(ValueError):
    """A chapter and its file of solutions do not have the same exercises."""


@dataclass(frozen=True)
class Solution:
    """A function that solves an exercise: its name, its head with the docstring, and its whole text."""

    name: str
    head: str
    text: str


def solutions(source: str) -> dict[str, Solution]:
    """The functions of a file of solutions, by name."""
    lines = source.splitlines()
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            head = "\n".join(lines[node.lineno - 1 : body[0].lineno - 1])
            # a comment above the first statement belongs to the solution
            head = re.sub(r"(\n +#[^\n]*)+$", "", head)
            found[node.name] = Solution(node.name, head, "\n".join(lines[node.lineno - 1 : node.end_lineno]))
    return found


def stub(solution: Solution, number: int) -> str:
    """What the reader starts from: the function's head, dots to replace, and the call of the check."""
    call = f"exercises.check_{solution.name}({solution.name})"
    return f"{solution.head}\n    ...  # exercise {number}: replace the dots\n\n\n{call}\n"


def filled(text: str, source: str) -> str:
    """The chapter's text with every stub and every folded solution as the file of solutions has them.

    Raises UnequalExercises if the chapter asks for a solution that is not there, or does not use one that is.
    """
    functions = solutions(source)
    names = [match["name"] for match in EXERCISE.finditer(text)]
    if names != list(functions):
        raise UnequalExercises(f"the text has the exercises {names}, the file of solutions {list(functions)}")
    number = iter(range(1, len(names) + 1))

    def fill(match: re.Match) -> str:
        solution = functions[match["name"]]
        return match[1] + stub(solution, next(number)) + match["between"] + solution.text + "\n"

    return EXERCISE.sub(fill, text)


def filled_chapter(text: Path) -> str:
    """The text of ``chapters/<slug>.md`` with its exercises filled in; as it is if it has none."""
    source = FOLDER / f"{text.stem}.py"
    return filled(text.read_text(), source.read_text() if source.exists() else "")
