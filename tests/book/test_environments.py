"""What is installed where, and what is said before: on a pretended pip, which fetches nothing."""

import platform
import subprocess
import sys

import pytest

from tools import environments
from tools.environments import Environment

PYPI = "torch (2.15.0)\nAvailable versions: 2.15.0, 2.13.0, 2.6.0\n  LATEST:    2.15.0"
BOTH = "torch (2.15.0)\nAvailable versions: 2.15.0+cpu, 2.15.0, 2.13.0+cpu, 2.13.0, 2.6.0\n  LATEST:    2.15.0"


@pytest.fixture
def linux(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.mark.parametrize(
    ("listing", "torch", "cuda"),
    [
        (PYPI, "torch==2.13.0", True),
        (PYPI, "torch==2.6", True),
        (PYPI, "torch", True),
        (BOTH, "torch==2.13.0", False),
        (BOTH, "torch==2.6", True),
        (BOTH, "torch", False),
        (PYPI, "torchvision==0.28.0", False),
        (PYPI, "torch==2.1", False),  # not there: pip itself will say so
        ("", "torch==2.13.0", False),  # offline
    ],
)
def test_the_cuda_build_is_seen_before_it_is_fetched(linux, monkeypatch, listing, torch, cuda):
    monkeypatch.setattr(environments, "run", lambda *command: listing)
    assert environments.takes_cuda("python", ["numpy==2.4.6", torch]) is cuda


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "aarch64"), ("win32", "x86_64")])
def test_elsewhere_torch_comes_without_cuda(monkeypatch, system, machine):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(environments, "run", lambda *command: PYPI)
    assert not environments.takes_cuda("python", ["torch==2.13.0"])


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """An empty folder for environments, and the commands that would fill it."""
    commands = []

    def run(command, **_):
        commands.append([str(part) for part in command[1:3]])
        if command[2] == "venv":
            (command[3] / "bin").mkdir(parents=True)

    monkeypatch.setattr(environments, "ROOT", tmp_path)
    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(environments, "version_of", lambda python: "3.11.7")
    monkeypatch.setattr(environments, "takes_cuda", lambda python, requirements: "torch==2.13.0" in requirements)
    return commands


def test_an_environment_is_made_once_and_again_when_its_packages_change(calls, capsys):
    environments.make("small", Environment("numpy alone", "0.1 GB", lambda: ["numpy==2.4.6"]))
    assert calls == [["-m", "venv"], ["-m", "pip"]]
    said = capsys.readouterr().out
    assert said == ".venv-small: numpy alone; by pip, for Python 3.11.7, 0.1 GB on disk\n"
    environments.make("small", Environment("numpy alone", "0.1 GB", lambda: ["numpy==2.4.6"]))
    assert len(calls) == 2 and capsys.readouterr().out == ""
    environments.make("small", Environment("with torch", "1.1 GB", lambda: ["numpy==2.4.6", "torch==2.13.0"]))
    assert len(calls) == 4
    assert "CUDA build of torch: 4 GB more" in (said := capsys.readouterr().out) and "PIP_EXTRA_INDEX_URL" in said


def test_a_python_that_is_not_there_gives_way_to_the_one_that_runs():
    assert environments.find_python("2.6") == environments.find_python(None) == sys.executable


def test_floors_are_those_of_the_project_and_our_runners():
    floors = environments.floors()
    assert {"torch==2.6", "pandas==2.2.3", "numpy==1.26; python_version < '3.13'"} <= set(floors)
    assert {"ipykernel", "nbclient", "pytest", "pytest-xdist", "pyyaml"} <= {line.partition("==")[0] for line in floors}
    assert not any(">=" in line.partition(";")[0] for line in floors)


def test_another_torch_replaces_ours_and_its_sympy():
    lines = environments.another("2.15.0").requirements()
    assert lines[-1] == "torch==2.15.0" and not any(line.startswith(("torch==2.13", "sympy")) for line in lines)
    assert environments.another("newest").requirements()[-1] == "torch"
    assert environments.another("pinned").requirements() == environments.lines_of("requirements.txt")
