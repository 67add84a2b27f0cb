"""Each notebook as Colab runs it: its exact bytes, in an empty folder, where torch is installed and dslib is not."""

import json
import os
import shutil
import subprocess

import nbformat
import pytest
import yaml
from book import NOTEBOOKS, ROOT, code_cells, read
from nbclient import NotebookClient

PYTHON = ROOT / ".venv-colab" / "bin" / "python"  # `make test` makes it from requirements.txt
# Installs other frameworks, gigabytes, from the network. `make test` runs it where they are installed instead.
LEFT_OUT = {"across_frameworks"}
IN_COLAB = [path for path in NOTEBOOKS if path.stem not in LEFT_OUT]


def installed() -> dict[str, str]:
    """The packages of Colab's stand-in and their versions."""
    listing = subprocess.run([PYTHON, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True)
    return {row["name"]: row["version"] for row in json.loads(listing.stdout)}


def shown(cell) -> list:
    """What a reader sees below the cell."""
    streams = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return [streams] + [output.data for output in cell.outputs if "data" in output]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository of the files as they are in this working tree, committed or not."""
    clone = tmp_path_factory.mktemp("repository")
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in (name for name in names if (ROOT / name).is_file()):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone / name)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "as it is"]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    return clone


@pytest.fixture
def folder(repository, tmp_path, monkeypatch):
    """An empty folder, a kernel named colab, and a git for which the repository's address leads to the clone."""
    assert PYTHON.exists(), "no .venv-colab: `make test` makes it"
    subprocess.run([PYTHON, "-m", "pip", "uninstall", "-q", "-y", "dslib"], check=True, capture_output=True)
    kernel = tmp_path / "jupyter" / "kernels" / "colab" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "like Colab", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{repository}.insteadOf")
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", address)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "content").mkdir()
    return tmp_path / "content"


@pytest.mark.parametrize("path", IN_COLAB, ids=[path.stem for path in IN_COLAB])
def test_notebook_runs_from_nothing(path, folder):
    before = installed()
    assert "dslib" not in before and "torch" in before and os.listdir(folder) == []
    notebook = nbformat.reads(path.read_text(), as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="colab", resources=resources).execute()
    for cell, stored in zip(code_cells(notebook)[1:], code_cells(read(path))[1:], strict=True):
        if "nbval-ignore-output" not in stored.metadata.get("tags", []):
            assert shown(cell) == shown(stored), cell.source
    after = installed()
    assert after.pop("dslib"), "the set-up cell did not install dslib"
    assert after == before, "the set-up cell changed another package"
