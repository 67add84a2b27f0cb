"""The commands behind the Makefile: what they find, what they say."""

import os
import subprocess
import sys

import pytest

from tests.support.book import ROOT


def find_python(**environment):
    return subprocess.run(
        ["sh", ROOT / "tools" / "find_python.sh"], env=os.environ | environment, capture_output=True, text=True
    )


def test_a_python_is_found():
    assert find_python(PYTHON=sys.executable).stdout.strip() == sys.executable


def fake_python(folder, version, has_venv):
    path = folder / "python"
    path.write_text(f'#!/bin/sh\ncase "$2" in *version*) echo {version} ;; *) exit {0 if has_venv else 1} ;; esac\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("version", "has_venv", "word"), [("3.10", True, "3.10"), ("3.14", True, "3.14"), ("3.12", False, "python3-venv")]
)
def test_an_unsuitable_python_is_named_in_one_line(tmp_path, version, has_venv, word):
    done = find_python(PYTHON=fake_python(tmp_path, version, has_venv))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and word in done.stderr


def test_a_missing_python_is_named_in_one_line():
    done = find_python(PYTHON="no-such-python")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "no-such-python" in done.stderr
