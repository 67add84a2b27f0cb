"""Which files of dslib and dscourse some code reaches, read from its source without running it.

A file is reached if the code imports it, directly or through other files. A package whose ``__init__`` only lists names
of its files is looked through: ``models.mobilenet_v1`` reaches the file that defines ``mobilenet_v1``, not the others.
Code that uses such a package in a way that names nothing (``getattr(models, name)``) reaches all of it.

A data file is reached if a string in the code is its name, with or without the suffix, and the code reaches a module in
the same folder: ``measured.read("speed")`` reaches ``dscourse/measured/speed.csv``. If all that the code passes to
functions of that folder are such strings, no others count. Fenced Python in a Markdown file counts as its code.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

PACKAGES = ("dslib", "dscourse")
FENCED = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Use(NamedTuple):
    """A name that code takes from a module; None: all that the module has."""

    module: str
    name: str | None


@dataclass(frozen=True)
class Code:
    """Parsed code: what it takes by imports, its strings, and whether it only lists what others have."""

    uses: frozenset[Use]
    words: frozenset[object]
    passed: dict[str, frozenset[object] | None]  # module -> texts passed to it; None: something else was passed too
    only_lists: bool


class Imports:
    """What is imported below the folder ``root``. Each file is read once."""

    def __init__(self, root: Path):
        self.root = root
        self._codes: dict[Path, Code] = {}

    @cached_property
    def data(self) -> list[Path]:
        """The files in the packages that are no Python."""
        files = (file for package in PACKAGES for file in (self.root / package).rglob("*") if file.is_file())
        return [file for file in files if file.suffix not in (".py", ".pyc")]

    def reached(self, code: ast.Module) -> set[Path]:
        """Every file, of code or data, that the outputs of the code may depend on."""
        found: set[Path] = set()
        todo = [(self._parsed(code, None), None)]
        while todo:
            code, file = todo.pop()
            near = self._imported(code)
            folders = {path.parent for path in near} | ({file.parent} if file else set())
            named = {path for path in self.data if path.parent in folders and self._names(code, file, path)}
            todo += [(self._code(path), path) for path in (near | named) - found]
            found |= near | named
        return found

    def _names(self, code: Code, file: Path | None, data: Path) -> bool:
        """Whether a string in the code, which is in ``file``, is the name of a data file."""
        passed = [texts for module, texts in code.passed.items() if self._path(module).parent == data.parent]
        only = passed and None not in passed and (file is None or file.parent != data.parent)
        return bool({data.name, data.stem} & (frozenset().union(*passed) if only else code.words))

    def _imported(self, code: Code) -> set[Path]:
        """The Python files that the code reaches by imports alone."""
        found, seen, todo = set(), set(), list(code.uses)
        while todo:
            use = todo.pop()
            path = self._path(use.module)
            if use in seen or path is None:
                continue
            seen.add(use)
            if "." in use.module:  # the packages above it run first
                todo.append(Use(use.module.rpartition(".")[0], ""))
            if not self._code(path).only_lists:
                found.add(path)
                todo += self._code(path).uses
            elif use.name != "":
                todo += self._listed(use, path)
        return found

    def _listed(self, use: Use, path: Path) -> list[Use]:
        """Where a package that only lists names has this one from; all its files if it is not there to be found."""
        sources = [taken for taken in self._code(path).uses if use.name and taken.name == use.name]
        if use.name and self._path(f"{use.module}.{use.name}"):
            sources = [Use(f"{use.module}.{use.name}", None)]
        inside = (Use(f"{use.module}.{file.stem}", None) for file in path.parent.iterdir() if file != path)
        return sources or [module for module in inside if self._path(module.module)]

    def _parsed(self, tree: ast.Module, file: Path | None) -> Code:
        modules, names = {}, {}  # what a name in the code stands for: a module, or a name in one
        uses = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    taken = self._taken(self._absolute(node, file), alias.name)
                    if taken.name is None and alias.name != "*":
                        modules[alias.asname or alias.name] = taken.module
                    else:
                        uses.add(taken)
                        names[alias.asname or alias.name] = taken.module
            elif isinstance(node, ast.Import):
                modules |= {alias.asname: alias.name for alias in node.names if alias.asname}
                uses |= {Use(alias.name, None) for alias in node.names if not alias.asname}
        words = frozenset(node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        ours = {name: module for name, module in (modules | names).items() if self._path(module)}
        lists = file is not None and file.name == "__init__.py" and all(map(_is_listing, tree.body))
        return Code(frozenset(uses | _names_used(tree, modules)), words, _passed(tree, ours), lists)

    def _taken(self, module: str, name: str) -> Use:
        """What ``from module import name`` takes: a module as a whole, or a name from one."""
        if name == "*":
            return Use(module, None)
        return Use(f"{module}.{name}", None) if self._path(f"{module}.{name}") else Use(module, name)

    def _absolute(self, node: ast.ImportFrom, file: Path | None) -> str:
        """The full name of the module after ``from``."""
        if not node.level or file is None:
            return node.module or ""
        folder = file.parents[node.level - 1].relative_to(self.root)
        return ".".join([*folder.parts, *([node.module] if node.module else [])])

    def _path(self, module: str) -> Path | None:
        """The module's file; None if it is none of ours."""
        if module.partition(".")[0] not in PACKAGES:
            return None
        stem = self.root.joinpath(*module.split("."))
        return next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)

    def _code(self, path: Path) -> Code:
        """The file's code; a data file has none, but for what is fenced in Markdown."""
        if path not in self._codes:
            text = path.read_text(encoding="utf-8") if path.suffix in (".py", ".md") else ""
            tree = ast.parse("\n".join(FENCED.findall(text)) if path.suffix == ".md" else text, str(path))
            self._codes[path] = self._parsed(tree, path)
        return self._codes[path]


def _is_listing(statement: ast.stmt) -> bool:
    """Whether the statement is an import, a text or ``__all__``."""
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]) == "__all__"
    return isinstance(statement, (ast.Import, ast.ImportFrom)) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _names_used(tree: ast.Module, modules: dict[str, str]) -> set[Use]:
    """``{Use("dslib.cost", "conv2d")}`` for ``cost.conv2d``, given ``{"cost": "dslib.cost"}``."""
    found, owners = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add(Use(modules[node.value.id], node.attr))
            owners.add(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node not in owners and node.id in modules and isinstance(node.ctx, ast.Load):
            found.add(Use(modules[node.id], None))
    return found


def _passed(tree: ast.Module, modules: dict[str, str]) -> dict[str, frozenset[object] | None]:
    """What the functions of each module are called with, if that is text alone; else None."""
    loads = Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    calls = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            name = ast.unparse(node.func).partition(".")[0]
            if name in modules:
                calls.setdefault(name, []).append([*node.args, *(keyword.value for keyword in node.keywords)])
    found = {}
    for name, lists in calls.items():
        given = [value for values in lists for value in values]
        plain = len(lists) == loads[name] and all(isinstance(value, ast.Constant) for value in given)
        texts = frozenset(value.value for value in given) if plain else None
        before = found.get(modules[name], frozenset())
        found[modules[name]] = None if texts is None or before is None else before | texts
    return found
