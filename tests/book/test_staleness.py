"""What makes a notebook stale: the code and the data that its chapter reaches, and nothing else."""

import ast
import re
import shutil

import pytest

from tests.support.book import ROOT
from tools import staleness
from tools.chapters import chapter_texts, notebook_of
from tools.imports import Imports

FILES = {
    "dslib/__init__.py": '"""A library."""\n',
    "dslib/alone.py": "value = 1\n",
    "dslib/plain.py": "from dslib.deep.below import thing\nused = thing\n",
    "dslib/deep/__init__.py": '"A list."\nfrom .below import thing\nfrom .beside import other\n__all__ = ["other"]\n',
    "dslib/deep/below.py": "from .. import alone\nthing = alone.value\n",
    "dslib/deep/beside.py": "import math\nother = 2\n",
    "dslib/page/__init__.py": "from .view import show\n",
    "dslib/page/view.py": 'def show():\n    return open("look.css"), f"{show}.js"\n',
    "dslib/page/look.css": "a {}\n",
    "dslib/page/look.js": "1\n",
    "dscourse/__init__.py": "",
    "dscourse/measured/__init__.py": "def read(name):\n    return name\n",
    "dscourse/measured/speed.csv": "a\n",
    "dscourse/measured/rates.csv": "a\n",
    "dscourse/quizzes/__init__.py": "def quiz(slug):\n    return slug\n",
    "dscourse/quizzes/one.md": "Text.\n\n```python\nfrom dslib import deep\nx = deep.other\n```\n",
    "dscourse/quizzes/two.md": "Text.\n",
    "dscourse/exercises/__init__.py": "",
    "dscourse/exercises/one.py": "from dslib import plain\nplain.used\n",
    "dscourse/exercises/two.py": "",
}


@pytest.fixture
def small(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Imports(tmp_path)


QUIZZES, MEASURED = "dscourse/quizzes/__init__.py", "dscourse/measured/__init__.py"
DEEP = {"dslib/deep/below.py", "dslib/alone.py"}
VIEW = {"dslib/page/view.py", "dslib/page/look.css"}


@pytest.mark.parametrize(
    "code, names",
    [
        ("import torch\nfrom math import pi", set()),
        ("from dslib import alone\nalone.value", {"dslib/alone.py"}),
        ("from dslib import alone", set()),
        ("import dslib.alone", {"dslib/alone.py"}),
        ("import dslib.alone as a\na.value", {"dslib/alone.py"}),
        ("from dslib.alone import value", {"dslib/alone.py"}),
        ("def f():\n    from dslib.alone import value", {"dslib/alone.py"}),
        ("from dslib import deep\ndeep.thing", DEEP),
        ("from dslib import deep as d\nd.other", {"dslib/deep/beside.py"}),
        ("from dslib.deep import other", {"dslib/deep/beside.py"}),
        ("from dslib import deep\ndeep.beside.other", {"dslib/deep/beside.py"}),
        ("from dslib import deep\ngetattr(deep, 'other')", {*DEEP, "dslib/deep/beside.py"}),
        ("from dslib.deep import *", {*DEEP, "dslib/deep/beside.py"}),
        ("from dslib.plain import used", {*DEEP, "dslib/plain.py"}),
        ("from dslib.page import show", VIEW),
        ("from dscourse import measured\nmeasured.read('speed')", {MEASURED, "dscourse/measured/speed.csv"}),
        ("from dscourse import measured\nmeasured.read(name)", {MEASURED}),
        ("from dscourse import measured\nmeasured.read('speed')\n'rates'", {MEASURED, "dscourse/measured/speed.csv"}),
        (
            "from dscourse import measured\nmap(measured.read, ['rates'])\nmeasured.read('speed')",
            {MEASURED, "dscourse/measured/speed.csv", "dscourse/measured/rates.csv"},
        ),
        ("'speed'", set()),
        (
            "from dscourse.quizzes import quiz\nquiz('one')",
            {QUIZZES, "dscourse/quizzes/one.md", "dslib/deep/beside.py"},
        ),
        ("from dscourse.quizzes import quiz\nquiz('two')", {QUIZZES, "dscourse/quizzes/two.md"}),
        (
            "from dscourse.exercises import one as exercises\nexercises.used",
            {"dscourse/exercises/one.py", "dslib/plain.py", *DEEP},
        ),
    ],
)
def test_code_reaches_what_it_imports_and_the_data_that_it_names(small, code, names):
    assert {path.relative_to(small.root).as_posix() for path in small.reached(ast.parse(code))} == names


@pytest.mark.parametrize(
    "text, same",
    [
        ("# a remark\ndef f(a,\n      b=1): return a  # more", True),
        ('"""Module."""\ndef f(a, b=1):\n    """What f does."""\n    return a', True),
        ("def f(a, b=2):\n    return a", False),
        ("def f(a, b=1):\n    return b", False),
        ('def f(a, b=1):\n    "not its docstring".upper()\n    return a', False),
        ("def f(a, *, b=1):\n    return a", False),
    ],
)
def test_comments_docstrings_and_layout_are_no_code(text, same):
    first = ast.parse("def f(a, b=1):\n    return a")
    assert (staleness._plain(ast.parse(text)) == staleness._plain(first)) == same


def book_reaches(imports):
    """slug -> what the chapter reaches."""
    found = {}
    for text in chapter_texts():
        cells = [c.source for c in notebook_of(text.read_text()).cells if c.cell_type == "code"]
        code = re.sub(r"^\s*%.*", lambda match: match[0].replace("%", "pass  #"), "\n".join(cells), flags=re.MULTILINE)
        found[text.stem] = {path.relative_to(ROOT).as_posix() for path in imports.reached(ast.parse(code))}
    return found


@pytest.fixture(scope="module")
def reaches():
    return book_reaches(Imports(ROOT))


def words_of(slug):
    """All that a chapter's code, its exercises and its quiz say, as text."""
    cells = re.findall(r"^```\{code-cell\}.*?^```$", (ROOT / "chapters" / f"{slug}.md").read_text(), re.DOTALL | re.M)
    files = [file for room in ("exercises", "quizzes") for file in (ROOT / "dscourse" / room).glob(f"{slug}.*")]
    return "\n".join([*cells, *(file.read_text() for file in files)])


def test_a_change_in_ghostnet_makes_exactly_the_chapters_stale_that_name_it(reaches):
    """By the words alone: who says ``models.ghostnet``, or passes ``models`` on as a whole."""
    source = (ROOT / "dslib" / "models" / "ghostnet.py").read_text()
    names = re.findall(r"^(?:def|class) (\w+)|^([A-Z]\w+) =", source, re.MULTILINE)
    said = re.compile(rf"\bmodels\.(?:{'|'.join(filter(None, sum(names, ())))})\b|getattr\(models\b")
    expected = {slug for slug in reaches if said.search(words_of(slug))}
    assert {slug for slug, files in reaches.items() if "dslib/models/ghostnet.py" in files} == expected
    assert 0 < len(expected) < len(reaches)


@pytest.mark.parametrize("folder", ["dscourse/exercises", "dscourse/quizzes"])
def test_a_chapter_reaches_no_exercises_and_no_quiz_of_another(reaches, folder):
    for slug, files in reaches.items():
        stems = {file.rpartition("/")[2].partition(".")[0] for file in files if file.startswith(folder)}
        assert stems & set(reaches) <= {slug}


def test_stored_measurements_are_reached_by_the_chapters_that_read_them(reaches):
    for file in (ROOT / "dscourse" / "measured").glob("*.csv"):
        named = {
            slug
            for slug in reaches
            if re.search(rf"[\"']{file.stem}[\"']", words_of(slug)) and "measured" in words_of(slug)
        }
        name = file.relative_to(ROOT).as_posix()
        assert {slug for slug, files in reaches.items() if name in files} == named, name


def test_a_changed_docstring_of_the_library_changes_no_digest(tmp_path):
    geometry = ROOT / "dslib" / "geometry.py"
    copy = shutil.copy(geometry, tmp_path / "geometry.py")
    copy.write_text(geometry.read_text().replace('"""', '"""In other words: ', 1) + "\n# the end\n")
    assert staleness._digest_of(copy) == staleness._digest_of(geometry)
    copy.write_text(geometry.read_text() + "\nend = 1\n")
    staleness._digest_of.cache_clear()
    assert staleness._digest_of(copy) != staleness._digest_of(geometry)
