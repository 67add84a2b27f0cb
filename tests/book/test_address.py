"""The repository's address: the same everywhere, set everywhere by one command, and brought to Colab by a branch."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tests.support.book import ROOT
from tools import colab, url

NAME = r"([A-Za-z0-9_.-]*[A-Za-z0-9_-])"
# Every form in which this repository names itself. Addresses of other repositories on GitHub have none of them.
FORMS = [
    rf"colab\.research\.google\.com/github/{NAME}/{NAME}/blob/",
    rf"git\+https://github\.com/{NAME}/{NAME}",
    rf"^\s*(?:url|repository-code|Repository)\s?[:=] \"?https://github\.com/{NAME}/{NAME}",
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


def git(*arguments, cwd):
    who = ["-c", "user.name=A reader", "-c", "user.email=reader@localhost"]
    return subprocess.run(["git", *who, *arguments], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def fork(tmp_path):
    """The files that carry the address and the tools, in a git repository whose origin is a fork on GitHub."""
    root = tmp_path / "fork"
    for path in (path for pattern in CARRIERS for path in ROOT.glob(pattern)):
        (root / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, root / path.relative_to(ROOT))
    shutil.copytree(ROOT / "chapters" / "images", root / "chapters" / "images")
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    git("init", "--quiet", cwd=root)
    git("remote", "add", "origin", "https://github.com/ada-l/sep.conv_book.git", cwd=root)
    git("add", ".", cwd=root)
    git("commit", "--quiet", "-m", "as it was forked", cwd=root)
    return root


def set_url(root, *arguments):
    """The command, in a Python without any package: it needs no environment."""
    command = [sys.executable, "-S", "-m", "tools.url", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def contents(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".git" not in path.parts}


def test_all_places_name_one_address():
    found = addresses(ROOT)
    assert len(found) == 1, f"one address everywhere (make url sets it), found {found}"
    (files,) = found.values()
    every_chapter = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("chapters/*.ipynb")}
    assert {"README.md", "CITATION.cff", "pyproject.toml", "_config.yml", *every_chapter} <= files


def test_command_without_an_address_takes_origins(fork):
    done = set_url(fork)
    assert done.returncode == 0 and "ada-l/sep.conv_book" in done.stdout, done
    assert list(addresses(fork)) == [("ada-l", "sep.conv_book")]
    assert "already ada-l/sep.conv_book" in set_url(fork).stdout


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/ada/book",
        "https://github.com/ada/book.git",
        "https://token@github.com/ada/book.git",
        "git@github.com:ada/book.git",
        "ssh://git@github.com/ada/book",
    ],
)
def test_every_form_of_an_address_on_github_is_read(address):
    assert url.split(address) == ("ada", "book")


@pytest.mark.parametrize("origin", ["https://example.org/a/b.git", "/home/ada/book", None])
def test_origin_elsewhere_changes_nothing_and_is_no_failure(fork, origin):
    git("remote", *(["set-url", "origin", origin] if origin else ["remove", "origin"]), cwd=fork)
    before = contents(fork)
    done = set_url(fork)
    assert done.returncode == 0 and "not on GitHub" in done.stdout and (origin or "no remote") in done.stdout
    assert {path: data for path, data in contents(fork).items() if "__pycache__" not in path.parts} == before


@pytest.mark.parametrize("address", ["github.com/a/b", "https://github.com/a", "https://example.org/a/b", "a b"])
def test_wrong_address_is_named_and_changes_nothing(fork, address):
    before = contents(fork)
    done = set_url(fork, address)
    assert done.returncode == 2 and repr(address) in done.stderr
    assert {path: data for path, data in contents(fork).items() if "__pycache__" not in path.parts} == before


@pytest.mark.parametrize(
    "new, site",
    [
        (("ada", "sep-two"), "https://ada.github.io/sep-two/"),
        (("ada", "ada.github.io"), "https://ada.github.io/"),  # a user's own site has no folder
        (("Ada", "ada.GitHub.io"), "https://Ada.github.io/"),
    ],
)
def test_site_follows_from_the_address_and_every_change_can_be_undone(new, site):
    text = "https://ada.github.io/sep/x https://github.com/ada/sep https://github.com/ada/sep-tools git+https://github.com/ada/sep.git"
    there = url.rewrite(text, ("ada", "sep"), new)
    assert site + "x" in there and "/".join(new) + ".git" in there and "https://github.com/ada/sep-tools" in there
    assert url.rewrite(there, new, ("ada", "sep")) == text


def test_branch_for_colab_holds_the_notebooks_as_they_are_on_disk(fork, tmp_path):
    """A fork's first run: the address set in the checkout, notebooks pushed, main and the index left alone."""
    git("init", "--quiet", "--bare", "elsewhere.git", cwd=tmp_path)
    set_url(fork)
    head, status = git("rev-parse", "HEAD", cwd=fork), git("status", "--porcelain", cwd=fork)
    remote = str(tmp_path / "elsewhere.git")
    assert colab.push(remote, fork)
    assert (git("rev-parse", "HEAD", cwd=fork), git("status", "--porcelain", cwd=fork)) == (head, status)
    assert git("branch", "--format=%(refname:short)", cwd=remote) == "colab"
    there = git("ls-tree", "-r", "--name-only", "colab", cwd=remote).splitlines()
    here = [path for folder in ("*.ipynb", "images/*") for path in (fork / "chapters").glob(folder)]
    assert sorted(there) == sorted(path.relative_to(fork).as_posix() for path in here)
    notebook = git("show", "colab:chapters/standard_convolution.ipynb", cwd=remote)
    assert notebook == (fork / "chapters" / "standard_convolution.ipynb").read_text().strip()
    assert "git+https://github.com/ada-l/sep.conv_book" in notebook
    before = git("rev-parse", "colab", cwd=remote)
    assert not colab.push(remote, fork) and git("rev-parse", "colab", cwd=remote) == before
    (fork / "chapters" / "standard_convolution.ipynb").write_text("{}\n")
    assert colab.push(remote, fork) and git("rev-list", "--count", "colab", cwd=remote) == "1"


def test_failed_push_says_so_and_fails(fork, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(colab, "ROOT", fork)
    assert colab.main(str(tmp_path / "nowhere.git")) == 1
    assert "the branch colab is as it was" in capsys.readouterr().err


def test_buttons_open_the_branch_that_the_workflow_pushes():
    assert yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["branch"] == colab.BRANCH
    for path in ROOT.glob("chapters/*.ipynb"):
        button = f"/blob/{colab.BRANCH}/chapters/{path.name})"
        assert button in path.read_text(), f"{path.name}: its Colab badge must end in {button}"


def test_workflow_calls_the_commands_of_the_makefile_and_leaves_main_alone():
    text = (ROOT / ".github" / "workflows" / "book.yml").read_text()
    workflow = yaml.safe_load(text)
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {command.split()[1] for command in commands} <= set(targets)
    assert all(command.startswith("make ") for command in commands) and "commit" not in " ".join(commands)
    site = [step["run"] for step in workflow["jobs"]["site"]["steps"] if "run" in step]
    assert site == ['make url URL="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"', "make book", "make colab"]
    assert workflow["jobs"]["site"]["needs"] == "test"
