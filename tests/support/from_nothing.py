"""Running a notebook from nothing: its exact bytes, in an empty folder, where torch is installed and dslib is not."""

import json
import os
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient

from tests.support import figures_alike
from tests.support.book import NOTEBOOKS, ROOT, code_cells, read
from tools.chapters import environment_of

# Installs other frameworks, gigabytes, from the network. `make test` runs it where they are installed instead.
LEFT_IN = [path for path in NOTEBOOKS if environment_of(path.with_suffix(".md")) is None]
# What nbval leaves out as well, and the number of pixels in no picture.
NOT_COMPARED = {"metadata", "traceback", "output_type", "name", "execution_count", "image/png"}
PIPS_NOTE = "Note: you may need to restart the kernel to use updated packages.\n"


def environment(name: str) -> Path:
    """The Python of an environment that `make test` makes."""
    python = ROOT / name / "bin" / "python"
    assert python.exists(), f"no {name}: make {name}/installed"
    return python


def installed(python: Path) -> dict[str, str]:
    """The packages of an environment and their versions."""
    listing = subprocess.run([python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True)
    return {row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(listing.stdout)}


def clone_of_this_tree(clone: Path) -> Path:
    """A git repository of the files as they are in this working tree, committed or not."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in (name for name in names if (ROOT / name).is_file()):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone / name)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], [*author, "commit", "-q", "-m", "as it is"]):
        subprocess.run(["git", *command], cwd=clone, check=True)
    return clone


def empty_folder(python: Path, clone: Path, folder: Path, monkeypatch) -> Path:
    """An empty folder, a kernel named colab, no dslib, and a git for which the repository's address is the clone."""
    subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "dslib"], check=True, capture_output=True)
    kernel = folder / "jupyter" / "kernels" / "colab" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "like Colab", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{clone}.insteadOf")
    address = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", address)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (folder / "content").mkdir()
    return folder / "content"


def shown(cell) -> dict[str, list]:
    """What nbval compares of a cell: each kind of output, in order; streams as one text."""
    found = defaultdict(list)
    for output in cell.outputs:
        if output.output_type == "stream":
            found[output.name] = ["".join([*found[output.name], output.text])]
            continue
        for key, value in (output | output.get("data", {})).items():
            if key != "data" and key not in NOT_COMPARED:
                found[key].append(value)
    return dict(found)


def check_outputs(notebook, stored) -> None:
    """Every cell shows what is stored: the same text, and figures that are alike.

    The first one, which installs, is quiet; IPython's own %pip adds a note, Colab's does not.
    """
    assert "".join(map(str, shown(code_cells(notebook)[0]).get("stdout", []))) in ("", PIPS_NOTE)
    assert not set(shown(code_cells(notebook)[0])) - {"stdout"}
    for cell, old in zip(code_cells(notebook)[1:], code_cells(stored)[1:], strict=True):
        if "nbval-ignore-output" in old.metadata.get("tags", []):
            continue
        new, expected = shown(cell), shown(old)
        figures = zip(new.pop("image/svg+xml", []), expected.pop("image/svg+xml", []), strict=True)
        assert new == expected, cell.source
        for figure, old_figure in figures:
            assert figures_alike.differences(old_figure, figure) == [], cell.source


def check_notebook(path: Path, python: Path, folder: Path) -> None:
    """Run the notebook in the folder; it shows what is stored, and pip has added dslib and nothing else."""
    before = installed(python)
    assert "dslib" not in before and "torch" in before and os.listdir(folder) == []
    notebook = nbformat.reads(path.read_text(), as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=120, kernel_name="colab", resources=resources).execute()
    check_outputs(notebook, read(path))
    after = installed(python)
    assert after.pop("dslib"), "the set-up cell did not install dslib"
    assert after == before, "the set-up cell changed another package"
