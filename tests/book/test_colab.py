"""Each notebook from nothing, as Colab runs it: among the packages that Colab has, in its versions."""

import pytest
from packaging.requirements import Requirement

from tests.support.book import ROOT
from tests.support.from_nothing import LEFT_IN, check_notebook, empty_folder, environment, installed


@pytest.mark.parametrize("path", LEFT_IN, ids=[path.stem for path in LEFT_IN])
def test_notebook_runs_from_nothing(path, clone, tmp_path, monkeypatch):
    python = environment(".venv-colab")
    check_notebook(path, python, empty_folder(python, clone, tmp_path, monkeypatch))


def test_environment_has_what_the_list_says():
    have = installed(environment(".venv-colab"))
    lines = [line.partition("#")[0] for line in (ROOT / "requirements-colab.txt").read_text().splitlines()]
    listed = [Requirement(line) for line in lines if line.strip()]
    listed = [item for item in listed if not item.marker or item.marker.evaluate()]
    assert {"torch", "numpy", "matplotlib", "ipython", "pip"} <= {item.name for item in listed}
    for item in listed:
        assert item.specifier.contains(have[item.name.replace("_", "-")]), item
