"""`make chapter`: every file that a new chapter needs, green from the start; or nothing."""

import os
import subprocess
import sys

import pytest

from tests.support.from_nothing import clone_of_this_tree
from tests.support.small_book import run
from tools import chapter

SLUG = "some_new_idea"


def listing(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in ("chapters", "dscourse", ".")
        for path in (root.glob("*") if folder == "." else (root / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return clone_of_this_tree(tmp_path_factory.mktemp("copy"))


@pytest.mark.parametrize("slug", ["", "Idea", "my-idea", "1_idea", "class", "standard_convolution", "intro"])
def test_a_bad_slug_or_one_that_exists_is_refused_in_a_line(copy, slug):
    before = listing(copy)
    done = run(copy, "chapter", slug)
    assert done.returncode == 1 and done.stdout.count("\n") == 1 and done.stderr == ""
    assert listing(copy) == before


def test_a_new_chapter_is_executed_and_passes_every_test_that_it_is_held_to(copy):
    before = listing(copy)
    done = run(copy, "chapter", SLUG)
    assert done.returncode == 0 and f"{SLUG} ... executed" in done.stdout, done.stdout + done.stderr
    own = {
        f"chapters/{SLUG}.md",
        f"chapters/{SLUG}.ipynb",
        f"dscourse/exercises/{SLUG}.py",
        f"dscourse/quizzes/{SLUG}.md",
    }
    changed = {name for name, text in listing(copy).items() if before.get(name) != text}
    assert changed == own | {"_toc.yml", "README.md", "chapters/intro.md"}
    tests = ["test_book.py", "test_path.py", "test_links.py"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        f"{SLUG} or kernel_count or links or tables",
    ]
    command += [
        *(f"tests/book/{name}" for name in tests),
        "tests/course/test_exercises.py",
        "tests/course/test_quizzes.py",
    ]
    held = subprocess.run(command, cwd=copy, env=os.environ | {"PYTHONPATH": str(copy)}, capture_output=True, text=True)
    assert held.returncode == 0, held.stdout
    ruff = [sys.executable, "-m", "ruff"]
    for way in (["format", "--check"], ["check"]):
        subprocess.run([*ruff, *way, f"dscourse/exercises/{SLUG}.py"], cwd=copy, check=True, capture_output=True)
    assert run(copy, "notebooks", "--check", SLUG).returncode == 0
    assert run(copy, "chapter", SLUG).returncode == 1  # it is there now


def test_all_files_are_written_or_none(tmp_path, monkeypatch):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("before")

    def interrupted(path, text, write=chapter.write):
        if path.name == "last":
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(chapter, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        chapter.write_all({old: "after", new: "text", tmp_path / "last": "text"})
    assert old.read_text() == "before" and sorted(path.name for path in tmp_path.iterdir()) == ["old"]
