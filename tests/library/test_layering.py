"""The tellings of a convolution stay apart: what each module of dslib may import, read from its source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dslib

FOLDER = Path(dslib.__file__).parent

# module -> the modules of dslib that it may import; a new module needs a line here
MAY_IMPORT = {
    "__init__": set(),
    "geometry": set(),
    "functional": {"geometry"},
    "layers": {"geometry"},
    "tables": set(),
    "models": {"layers", "tables", "geometry"},
    "cost": {"geometry", "tables"},
    "counting": set(),
    "figures": {"geometry"},
    "explorer": {"cost", "geometry"},
    "exercises": {
        "functional",
        "layers",
        "models",
        "cost",
        "geometry",
        "counting",
        "bench",
        "claims",
        "caffe",
        "digits",
    },
    "quizzes": {"cost", "geometry", "models", "claims", "measured", "bench"},
    "bench": set(),
    "measured": set(),
    "claims": set(),
    "fused": {"geometry"},
    "digits": {"layers"},
    "caffe": {"cost"},
}
WITHOUT_TORCH = {"__init__", "geometry", "tables", "cost", "figures", "explorer", "measured", "claims"}
NEVER = {"chapters", "tests", "benchmarks", "tools"}  # the repository's folders that use dslib


def name_of(path):
    """``layers`` for dslib/layers.py; ``cost`` for the package dslib/cost and for each file in it."""
    return path.relative_to(FOLDER).parts[0].removesuffix(".py")


def imported(source, package="dslib"):
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


def imported_by(path):
    package = ".".join(("dslib", *path.relative_to(FOLDER).parts[:-1]))
    return imported(path.read_text(encoding="utf-8"), package)


def of_dslib(names):
    """The modules of dslib among the names, as the table calls them; ``__init__`` for a plain ``import dslib``."""
    inside = [name.split(".") for name in names if name.split(".")[0] == "dslib"]
    return {parts[1] if len(parts) > 1 else "__init__" for parts in inside}


SOURCES = sorted(FOLDER.rglob("*.py"))


def label(path):
    return path.relative_to(FOLDER).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_module_imports_only_what_the_table_allows(path):
    assert name_of(path) in MAY_IMPORT, f"{label(path)} is not in the table: say there what it may import"
    found = of_dslib(imported_by(path)) - {name_of(path)}
    assert found <= MAY_IMPORT[name_of(path)], f"{label(path)} imports {found}"


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_module_imports_nothing_that_uses_dslib(path):
    assert not {name.split(".")[0] for name in imported_by(path)} & NEVER


@pytest.mark.parametrize("path", [path for path in SOURCES if name_of(path) in WITHOUT_TORCH], ids=label)
def test_module_runs_without_torch(path):
    """Neither in its own source, also inside functions, nor through what it imports in a fresh interpreter."""
    assert "torch" not in {name.split(".")[0] for name in imported_by(path)}
    module = "dslib" if path.name == "__init__.py" else f"dslib.{name_of(path)}"
    check = f"import sys, {module}; sys.exit('torch' in sys.modules and 'torch was imported')"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_three_tellings_are_there():
    """Guards the tests above against an empty folder, and against a table line that nothing answers to."""
    assert {"geometry", "functional", "layers", "cost", "figures"} <= {name_of(path) for path in SOURCES}


@pytest.mark.parametrize(
    "source, found",
    [
        ("import dslib.cost", {"cost"}),
        ("import dslib.cost as c, os", {"cost"}),
        ("from dslib import cost, layers", {"cost", "layers"}),
        ("from dslib.cost import conv2d", {"cost"}),
        ("from . import cost", {"cost"}),
        ("from .cost import conv2d", {"cost"}),
        ("from .models.ghostnet import GhostNet", {"models"}),
        ("def f():\n    from .cost import conv2d", {"cost"}),
        ("import torch\nfrom math import gcd", set()),
        ("import dslib", {"__init__"}),
        ("import dslibrary.cost", set()),
    ],
)
def test_every_kind_of_import_is_seen(source, found):
    assert of_dslib(imported(source)) == found


def test_relative_imports_count_from_their_package():
    assert imported("from ..layers import ConvBNAct", "dslib.models") == {"dslib.layers.ConvBNAct"}
    assert imported("from . import ghostnet", "dslib.models") == {"dslib.models.ghostnet"}
