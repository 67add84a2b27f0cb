"""The repository's address: the same everywhere, and set everywhere by one command."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.support.book import ROOT

NAME = r"([A-Za-z0-9_.-]*[A-Za-z0-9_-])"
# Every form in which this repository names itself. Addresses of other repositories on GitHub have none of them.
FORMS = [
    rf"colab\.research\.google\.com/github/{NAME}/{NAME}/blob/",
    rf"git\+https://github\.com/{NAME}/{NAME}",
    rf"^\s*(?:url|repository-code|Repository)\s?[:=] \"?https://github\.com/{NAME}/{NAME}",
    rf"https://github\.com/{NAME}/{NAME}/actions",
    rf"https://{NAME}\.github\.io/{NAME}",
]
CARRIERS = ["README.md", "CITATION.cff", "pyproject.toml", "_config.yml", "chapters/*.md", "chapters/*.ipynb"]


def addresses(root):
    """``{(owner, repository): files}`` for every place below ``root`` that names the repository's own address."""
    found = {}
    for path in (path for pattern in CARRIERS for path in root.glob(pattern)):
        for form in FORMS:
            for match in re.findall(form, path.read_text(), re.MULTILINE):
                found.setdefault(match, set()).add(path.relative_to(root).as_posix())
    return found


@pytest.fixture
def copy(tmp_path):
    for path in (path for pattern in CARRIERS for path in ROOT.glob(pattern) if path.suffix != ".ipynb"):
        (tmp_path / path.relative_to(ROOT)).parent.mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    return tmp_path


def set_url(root, url):
    return subprocess.run([sys.executable, root / "tools" / "url.py", url], capture_output=True, text=True)


def test_all_places_name_one_address():
    found = addresses(ROOT)
    assert len(found) == 1, found
    (files,) = found.values()
    assert {
        "README.md",
        "CITATION.cff",
        "pyproject.toml",
        "_config.yml",
        "chapters/standard_convolution.ipynb",
    } <= files


def test_the_command_sets_every_place(copy):
    before = addresses(copy)
    assert set_url(copy, "https://github.com/ada-l/sep.conv_book").returncode == 0
    assert addresses(copy) == {("ada-l", "sep.conv_book"): next(iter(before.values()))}
    assert set_url(copy, "https://github.com/ada-l/sep").returncode == 0
    assert list(addresses(copy)) == [("ada-l", "sep")]


@pytest.mark.parametrize("url", ["", "github.com/a/b", "https://github.com/a", "https://example.org/a/b"])
def test_a_wrong_address_is_named_and_changes_nothing(copy, url):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    done = set_url(copy, url)
    assert done.returncode == 2 and repr(url) in done.stderr
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
