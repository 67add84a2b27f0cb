"""The wheel: all of dslib and dscourse that git knows, and nothing else."""

import subprocess
import sys
import zipfile

import pytest

PACKAGES = ("dslib", "dscourse")
LEFT_OUT = "ruff.toml"  # settings for who edits the files


@pytest.fixture(scope="module")
def wheel(clone, tmp_path_factory):
    """The names in the wheel that pip builds from a clean copy, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, *"-m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir".split(), folder, clone]
    subprocess.run(build, check=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as file:
        return file.namelist()


def test_wheel_has_the_packages_files_and_nothing_else(clone, wheel):
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=clone, capture_output=True, text=True, check=True)
    expected = {name for name in listed.stdout.splitlines() if not name.endswith(LEFT_OUT)}
    assert {name.partition("/")[0] for name in expected} == set(PACKAGES)
    packed = {name for name in wheel if ".dist-info/" not in name}
    assert sorted(packed - expected) == [], "in the wheel and not in git"
    assert sorted(expected - packed) == [], "in git and not in the wheel: see package-data in pyproject.toml"
