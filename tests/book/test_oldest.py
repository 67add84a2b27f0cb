"""Each notebook from nothing, among the oldest packages that dslib's floors admit."""

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.book import ROOT
from tests.support.from_nothing import LEFT_IN, check_notebook, empty_folder, environment, installed


@pytest.mark.parametrize("path", LEFT_IN, ids=[path.stem for path in LEFT_IN])
def test_notebook_runs_from_nothing(path, clone, tmp_path, monkeypatch):
    python = environment(".venv-oldest")
    check_notebook(path, python, empty_folder(python, clone, tmp_path, monkeypatch))


def test_environment_has_the_floors():
    have = installed(environment(".venv-oldest"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = [Requirement(line) for line in project["dependencies"]]
    floors = {r.name: next(iter(r.specifier)) for r in requirements if not r.marker or r.marker.evaluate()}
    assert {"torch", "numpy", "matplotlib", "sympy"} <= set(floors)
    for name, floor in floors.items():
        assert floor.operator == ">=" and Version(Version(have[name]).public) == Version(floor.version), name
