"""Each notebook from nothing, among the oldest packages that dslib's floors admit."""

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.support.from_nothing import LEFT_IN, check_notebook, empty_folder, installed
from tools.environments import admitted, python_of

PYTHON = python_of("floors")


@pytest.mark.parametrize("path", LEFT_IN, ids=[path.stem for path in LEFT_IN])
def test_notebook_runs_from_nothing(path, clone, tmp_path, monkeypatch):
    check_notebook(path, PYTHON, empty_folder(PYTHON, clone, tmp_path, monkeypatch))


def test_environment_has_the_floors():
    have = installed(PYTHON)
    requirements = [Requirement(line) for line in admitted()]
    floors = {r.name: next(iter(r.specifier)) for r in requirements if not r.marker or r.marker.evaluate()}
    assert {"torch", "numpy", "matplotlib", "sympy", "pandas", "scikit-learn"} <= set(floors)
    for name, floor in floors.items():
        assert floor.operator == ">=" and Version(Version(have[name]).public) == Version(floor.version), name
