"""Each notebook from nothing, as Colab runs it: among the packages that Colab has, in its versions."""

import subprocess
from copy import deepcopy

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement

from tests.support.book import NOTEBOOKS, ROOT, read
from tests.support.from_nothing import LEFT_IN, check_notebook, check_outputs, empty_folder, installed
from tools.environments import lines_of, python_of

PYTHON = python_of("colab")
NOT_IN_COLAB = ("onnx", "onnxscript", "onnxruntime", "paddle", "jax", "tensorflow", "keras")
OLD_SETUP = 'from setuptools import setup\nsetup(name="dslib", version="0.1.0", packages=["dslib"])\n'


def pip(*arguments):
    subprocess.run([PYTHON, "-m", "pip", *arguments], check=True, capture_output=True)


def execute(notebook, folder):
    NotebookClient(notebook, timeout=300, kernel_name="colab", resources={"metadata": {"path": str(folder)}}).execute()


@pytest.mark.parametrize("path", LEFT_IN, ids=[path.stem for path in LEFT_IN])
def test_notebook_runs_from_nothing(path, clone, tmp_path, monkeypatch):
    check_notebook(path, PYTHON, empty_folder(PYTHON, clone, tmp_path, monkeypatch))


def test_environment_has_what_the_list_says():
    have = installed(PYTHON)
    listed = [Requirement(line) for line in lines_of("requirements-colab.txt")]
    assert {"torch", "numpy", "matplotlib", "pandas", "ipython", "pip"} <= {item.name for item in listed}
    for item in listed:
        assert item.specifier.contains(have[item.name.replace("_", "-")]), item


def test_an_old_dslib_without_the_course_is_brought_up_to_date(clone, tmp_path, monkeypatch):
    folder = empty_folder(PYTHON, clone, tmp_path, monkeypatch)
    (tmp_path / "old" / "dslib").mkdir(parents=True)
    (tmp_path / "old" / "dslib" / "__init__.py").touch()
    (tmp_path / "old" / "setup.py").write_text(OLD_SETUP)
    pip("install", "--no-deps", "--no-index", "--no-build-isolation", tmp_path / "old")
    assert installed(PYTHON)["dslib"] == "0.1.0"
    notebook = deepcopy(read(NOTEBOOKS[0]))
    del notebook.cells[1 + next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code") :]
    execute(notebook, folder)
    assert installed(PYTHON)["dslib"] != "0.1.0"


def test_caffe_is_read_though_colab_has_opencv_5(clone, tmp_path, monkeypatch):
    """All cells up to Caffe's last, where the three OpenCV packages are, of which version 5 was installed last.

    The chapter's other tools are empty modules: this is not about them, and they would be gigabytes.
    """
    pip("install", "--no-deps", "--force-reinstall", "opencv-python-headless==5.0.0.93")
    folder = empty_folder(PYTHON, clone, tmp_path, monkeypatch)
    (tmp_path / "empty").mkdir()
    for name in NOT_IN_COLAB:
        (tmp_path / "empty" / f"{name}.py").write_text("__version__ = 'none'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "empty"))
    before = installed(PYTHON)

    stored = deepcopy(read(ROOT / "chapters" / "across_frameworks.ipynb"))
    last = next(i for i, cell in enumerate(stored.cells) if "## PaddlePaddle:" in cell.source)
    del stored.cells[last:]
    notebook = nbformat.from_dict(deepcopy(stored))
    execute(notebook, folder)
    check_outputs(notebook, stored)
    assert (folder / "opencv4" / "cv2").is_dir()
    after = installed(PYTHON)
    assert after.pop("dslib") and after == before
