"""The text of a chapter's solutions, read from its file of exercises, and that text with a change.

It imports nothing of ours and no torch: ``tools/exercises.py`` fills the chapters from it.
"""

import ast


def solutions(source: str) -> dict[str, str]:
    """The functions below ``@exercise(...)`` in a file of exercises: name -> text, without the decorator."""
    lines = source.splitlines()
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    found = [node for node in functions if any(map(is_exercise, node.decorator_list))]
    found = found or functions  # solutions alone, as they are laid out for the page
    return {node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in found}


def is_exercise(decorator: ast.expr) -> bool:
    """Whether the decorator is ``@exercise(...)``."""
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", None) == "exercise"


def changed(text: str, change: str) -> str:
    """The text after a change: ``"old -> new"``, wherever the old text occurs; else the change is a new last return.

    Raises ValueError if the text has nothing to change.
    """
    old, arrow, new = change.partition(" -> ")
    if arrow:
        if old not in text:
            raise ValueError(f"{old!r} is not in the solution:\n{text}")
        return text.replace(old, new)
    returns = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Return)]
    if not returns:
        raise ValueError(f"there is no return in the solution:\n{text}")
    last = max(returns, key=lambda node: node.lineno).value
    lines = text.splitlines()
    before = [*lines[: last.lineno - 1], lines[last.lineno - 1][: last.col_offset]]
    after = [lines[last.end_lineno - 1][last.end_col_offset :], *lines[last.end_lineno :]]
    return "\n".join(before) + change + "\n".join(after)
