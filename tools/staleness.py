"""Whether a notebook's outputs are still those of its code, and if not, what changed.

A notebook is stale if its own code changed, or the code or a data file that it reaches (``tools/imports.py``). Comments
and docstrings of modules don't count, nor does the repository's address in the set-up cell. What it was made from is
kept in its metadata, with a short digest of each: so a message can say which file changed.
"""

import ast
import hashlib
import re
from functools import cache
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from tools.chapters import ROOT, code_cells
from tools.imports import Imports

OWN_CODE = "its own code"
ADDRESS = re.compile(r"(git\+https://github\.com/)[\w.-]+/[\w.-]+")
SAID = 3  # of many changed files, that many are named


def digest(thing: object) -> str:
    """A few letters that stand for the text, the bytes or the plain data."""
    data = thing if isinstance(thing, bytes) else repr(thing).encode()
    return hashlib.sha256(data).hexdigest()[:12]


def made_from(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """All that the notebook's outputs depend on, by name, with a digest of each."""
    cells = [cell.source for cell in code_cells(notebook)]
    files = _imports().reached(ast.Module([statement for cell in cells for statement in _statements(cell)], []))
    own = {OWN_CODE: digest([ADDRESS.sub(r"\1OWNER/REPO", cell) for cell in cells])}
    return own | {path.relative_to(ROOT).as_posix(): _digest_of(path) for path in sorted(files)}


def _statements(cell: str) -> list[ast.stmt]:
    """The cell's code, ``%pip`` and its kind as calls; nothing if it is no Python, which its execution will tell."""
    try:
        return ast.parse(TransformerManager().transform_cell(cell)).body
    except SyntaxError:
        return []


def changes(stored: nbformat.NotebookNode, wanted: nbformat.NotebookNode) -> list[str]:
    """What the stored outputs were made from that is no longer so, in words; empty if nothing."""
    before, now = (notebook.metadata.get("dslib", {}).get("made_from", {}) for notebook in (stored, wanted))
    if not before:
        return ["it does not say what it was made from"]
    found = [f"{name} changed" for name in now if name in before and before[name] != now[name]]
    found += [f"{name} is used now" for name in now if name not in before]
    found += [f"{name} is used no longer" for name in before if name not in now]
    if len(found) > SAID:
        found = [*found[:SAID], f"{len(found) - SAID} more"]
    if stored.metadata["dslib"].get("outputs") != digest_of_outputs(stored):
        found.append("its outputs changed")
    return found


def digest_of_outputs(notebook: nbformat.NotebookNode) -> str:
    """A digest of what the cells show, without what an editor or another run may write differently."""
    shown = [[_shown(output) for output in cell.outputs] for cell in code_cells(notebook) if _compared(cell)]
    return digest([len(code_cells(notebook)), shown])


def _compared(cell: nbformat.NotebookNode) -> bool:
    return "nbval-ignore-output" not in cell.metadata.get("tags", [])


def _shown(output: nbformat.NotebookNode) -> list:
    data = {kind: value for kind, value in output.get("data", {}).items() if kind != "image/png"}
    return [sorted(data.items()), *(output.get(key) for key in ("name", "text", "ename", "evalue"))]


@cache
def _imports() -> Imports:
    return Imports(ROOT)


@cache
def _digest_of(path: Path) -> str:
    """Of a Python file its code alone counts, of any other every byte."""
    data = path.read_bytes()
    return digest(_plain(ast.parse(data)) if path.suffix == ".py" else data)


def _plain(node: object) -> object:
    """Code as nested tuples that every version of Python makes alike, without docstrings; comments are gone already."""
    if isinstance(node, list):
        return tuple(map(_plain, node))
    if not isinstance(node, ast.AST):
        return node
    fields = {name: value for name, value in ast.iter_fields(node) if value is not None and value != []}
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node):
        fields["body"] = node.body[1:]
    if isinstance(node, ast.JoinedStr):  # Python 3.12 puts empty texts into f-strings
        fields["values"] = [part for part in node.values if getattr(part, "value", None) != ""]
    return (type(node).__name__, *((name, _plain(value)) for name, value in fields.items()))
