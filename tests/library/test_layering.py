"""The tellings of a convolution stay apart: what each module of dslib and dscourse imports, read from its source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dslib

ROOT = Path(dslib.__file__).parent.parent
SOURCES = sorted(path for package in ("dslib", "dscourse") for path in (ROOT / package).rglob("*.py"))

# module: the modules of ours that it imports. A new one needs a line here, and a line that nothing answers to is wrong.
IMPORTS = {
    "dslib": set(),
    "dslib.geometry": set(),
    "dslib.functional": {"dslib.geometry"},
    "dslib.layers": {"dslib.geometry"},
    "dslib.tables": {"dslib.geometry"},
    "dslib.models": {"dslib.layers", "dslib.geometry", "dslib.tables"},
    "dslib.cost": {"dslib.geometry", "dslib.tables"},
    "dslib.counting": set(),
    "dslib.bench": set(),
    "dslib.caffe": {"dslib.cost", "dslib.geometry"},
    "dslib.figures": {"dslib.geometry"},
    "dslib.explorer": {"dslib.cost", "dslib.figures", "dslib.geometry"},
}
# What only the course needs imports any of the library, and of its own package these. The library never imports it.
OF_THE_COURSE = {
    "dscourse": set(),
    "dscourse.checks": set(),
    "dscourse.claims": set(),
    "dscourse.digits": set(),
    "dscourse.exercises": {"dscourse.checks", "dscourse.claims", "dscourse.digits"},
    "dscourse.measured": set(),
    "dscourse.photographs": set(),
    "dscourse.quizzes": set(),
}
WITHOUT_TORCH = [
    "dslib.geometry",
    "dslib.tables",
    "dslib.cost",
    "dslib.caffe",
    "dslib.figures",
    "dslib.explorer",
    "dscourse.measured",
    "dscourse.claims",
]
ABOVE = {"chapters", "tests", "benchmarks", "tools"}  # the repository's folders that use both


def module_of(path):
    """``dslib.layers`` for dslib/layers.py; ``dslib.cost`` for the package dslib/cost and for each file in it."""
    package, *parts = path.relative_to(ROOT).parts
    return package if parts == ["__init__.py"] else f"{package}.{parts[0].removesuffix('.py')}"


def imported(source, package):
    """Full dotted names of all that the source imports, anywhere in it; relative imports counted from ``package``."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(above + ([node.module] if node.module else []))
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


def imported_by(module):
    """What the files of a module import, also inside functions."""
    files = [path for path in SOURCES if module_of(path) == module]
    packages = [".".join(path.relative_to(ROOT).parts[:-1]) for path in files]
    return set().union(*(imported(path.read_text("utf-8"), name) for path, name in zip(files, packages, strict=True)))


def ours(names, module=None):
    """The modules of ours among the names, ``dslib`` for a plain ``import dslib``, without the module itself."""
    inside = [name.split(".") for name in names if name.split(".")[0] in ("dslib", "dscourse")]
    return {".".join(parts[:2]) for parts in inside} - {module}


def test_the_tables_have_every_module_and_no_other():
    assert {module_of(path) for path in SOURCES} == set(IMPORTS) | set(OF_THE_COURSE)


@pytest.mark.parametrize("module", IMPORTS)
def test_a_module_of_the_library_imports_what_the_table_says(module):
    assert ours(imported_by(module), module) == IMPORTS[module]


@pytest.mark.parametrize("module", OF_THE_COURSE)
def test_a_module_of_the_course_imports_the_library_and_what_the_table_says(module):
    found = {name for name in ours(imported_by(module), module) if name.startswith("dscourse")}
    assert found == OF_THE_COURSE[module]


@pytest.mark.parametrize("module", [*IMPORTS, *OF_THE_COURSE])
def test_a_module_imports_nothing_that_uses_both(module):
    assert not {name.split(".")[0] for name in imported_by(module)} & ABOVE


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_module_runs_without_torch(module):
    """Neither in its own source, also inside functions, nor through what it imports in a fresh interpreter."""
    assert "torch" not in {name.split(".")[0] for name in imported_by(module)}
    check = f"import sys, {module}; sys.exit('torch' in sys.modules and 'torch was imported')"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "source, package, found",
    [
        ("import dslib.cost", "dslib", {"dslib.cost"}),
        ("import dslib.cost as c, os", "dslib", {"dslib.cost"}),
        ("from dslib import cost, layers", "dslib", {"dslib.cost", "dslib.layers"}),
        ("from dslib.cost import conv2d", "dscourse", {"dslib.cost"}),
        ("from . import cost", "dslib", {"dslib.cost"}),
        ("from .cost import conv2d", "dslib", {"dslib.cost"}),
        ("from .models.ghostnet import GhostNet", "dslib", {"dslib.models"}),
        ("from ..layers import ConvBNAct", "dslib.models", {"dslib.layers"}),
        ("from . import ghostnet", "dslib.models", {"dslib.models"}),
        ("from dscourse import claims", "dslib", {"dscourse.claims"}),
        ("def f():\n    from .cost import conv2d", "dslib", {"dslib.cost"}),
        ("import torch\nfrom math import gcd", "dslib", set()),
        ("import dslib", "dscourse", {"dslib"}),
        ("import dslibrary.cost", "dslib", set()),
    ],
)
def test_every_kind_of_import_is_seen(source, package, found):
    assert ours(imported(source, package)) == found
