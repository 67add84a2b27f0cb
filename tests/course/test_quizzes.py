"""The quizzes: one in each chapter, its numbers computed, every option answered, readable without a kernel."""

import ast
import re
import subprocess
import sys
import tomllib
from string import Formatter

import pytest
from bs4 import BeautifulSoup

from dscourse.quizzes import quiz, reading
from dscourse.quizzes.showing import Option, Question, Quiz
from tests.support.book import CORE_CHAPTERS, LEAST_QUESTIONS, ROOT, SLUGS, code_cells, read

WRITTEN = [slug for slug in SLUGS if (reading.FOLDER / f"{slug}.md").exists()]
LARGEST_GIVEN = 4096  # a question's sizes are small; a larger number is a result, and results are computed
GOOD = """```python
c_in, c_out = 3, 8
```

## Kernels

How many kernels?

- [x] {c_in * c_out}
  > A kernel for each pair.
- [ ] {c_in + c_out}
  > Channels are not added.
"""
every_quiz = pytest.mark.parametrize("slug", WRITTEN)


def where(slug):
    return f"dscourse/quizzes/{slug}.md"


def quiz_of(text, folder):
    (folder / "some.md").write_text(text, encoding="utf-8")
    return reading.read(folder / "some.md")


@pytest.mark.parametrize("slug", [path.stem for path in CORE_CHAPTERS])
def test_chapter_of_the_core_book_has_questions_enough(slug):
    assert slug in WRITTEN, f"write {where(slug)}: a chapter ends with a quiz, CONTRIBUTING shows how"
    found = len(quiz(slug).questions)
    assert LEAST_QUESTIONS <= found <= 5, (
        f"{where(slug)} has {found} questions, and a chapter asks {LEAST_QUESTIONS} to 5"
    )


@every_quiz
def test_chapter_shows_its_quiz(slug):
    shown = [cell for cell in code_cells(read(ROOT / "chapters" / f"{slug}.ipynb")) if cell.source.startswith("quiz(")]
    assert [cell.source for cell in shown] == [f'quiz("{slug}")'], f'chapters/{slug}.md: write quiz("{slug}") in a cell'
    (output,) = shown[0].outputs
    assert shown[0].metadata["cellView"] == "form"
    changed = f"{where(slug)} has changed since the notebook was made: make notebooks"
    assert output.data["text/html"] == quiz(slug)._repr_html_(), changed
    assert output.data["text/plain"] == repr(quiz(slug)), changed


@every_quiz
def test_questions_have_options_that_are_all_answered(slug):
    questions = quiz(slug).questions
    for question in questions:
        told = f"{where(slug)}, {question.text!r}: "
        found = len(question.options)
        assert 3 <= found <= 5, f"{told}{found} options; give 3 to 5"
        for option in question.options:
            assert len(option.feedback.split()) >= 4, f"{told}say more than {option.feedback!r} about {option.text!r}"
        different = len({option.feedback for option in question.options})
        assert different == found, f"{told}two options are told the same; say what each gets wrong"
    places = {[option.right for option in question.options].index(True) for question in questions}
    assert len(places) > 1, f"{where(slug)}: the right answer always has the same place; move one"


@every_quiz
def test_numbers_are_computed(slug):
    """No result is typed: words hold single digits, and Python holds the small sizes that a question gives."""
    for piece in reading.pieces(reading.FOLDER / f"{slug}.md"):
        told = f"{where(slug)}, line {piece.line}: "
        slots = [] if piece.kind == "python" else list(Formatter().parse(piece.text))
        texts = [words for words, *_ in slots]
        for code in [slot for _, slot, *_ in slots if slot] or [piece.text] * (piece.kind == "python"):
            constants = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
            texts += [value for value in constants if isinstance(value, str)]
            results = [value for value in constants if isinstance(value, (int, float)) and value > LARGEST_GIVEN]
            assert not results, f"{told}{results} look like results; compute them"
        typed = re.findall(r"(?<![\w.-])\d[\d.,]*\d", " ".join(texts))
        assert not typed, f"{told}{typed} stands in the text; give it a name in the block of Python, and a slot"


@every_quiz
def test_quiz_needs_neither_script_nor_network(slug):
    page = BeautifulSoup(quiz(slug)._repr_html_(), "html.parser")
    assert not page.find_all(["script", "img", "link", "iframe"]) and "url(" not in str(page)
    for group, question in zip(page.select("[role=group]"), quiz(slug).questions, strict=True):
        options = group.find_all("details")
        assert [bool(o.find("summary").get_text(strip=True)) for o in options] == [True] * len(question.options)
        words = [option.find("b").get_text() for option in options]
        assert words == ["✓ Right." if option.right else "✗ No." for option in question.options]
        assert not any(option.has_attr("open") for option in options)


def test_text_is_escaped_and_marked_up():
    question = Question("Is C_out < K^2 in `a_b^2`?", (Option("a < b", "x & y", right=True), Option("no", "z", False)))
    shown = Quiz((question,))._repr_html_()
    assert "Is C<sub>out</sub> &lt; K<sup>2</sup> in <code>a_b^2</code>?" in shown
    assert "<summary>a &lt; b</summary>" in shown and "x &amp; y" in shown


def test_text_becomes_a_quiz(tmp_path):
    right, wrong = Option("24", "A kernel for each pair.", True), Option("11", "Channels are not added.", False)
    assert quiz_of(GOOD, tmp_path) == Quiz((Question("How many kernels?", (right, wrong)),))


@pytest.mark.parametrize(
    "written, shown",
    [
        ("{c_in**6:,}", "729"),
        ("{c_in / c_out:.2f}", "0.38"),
        ('{"K"!r}', "'K'"),
        ('{", ".join(map(str, [c_in, c_out][::-1]))}', "8, 3"),
        ("{{c_in}} of {{}}", "{c_in} of {}"),
        ("m&nbsp;=&nbsp;{c_in}", "m\u00a0=\u00a03"),
        ("a line\n      goes on", "a line goes on"),
    ],
)
def test_slots_and_lines_of_an_option(written, shown, tmp_path):
    options = quiz_of(GOOD.replace("{c_in * c_out}", written), tmp_path).questions[0].options
    assert options[0].text == shown


def test_long_questions_and_feedback_go_on_in_the_next_line(tmp_path):
    longer = GOOD.replace("How many", "How\nmany").replace("> A kernel for", "> A kernel\n  >\n  > for")
    closer = longer.replace("Kernels\n\n", "Kernels\n").replace("[x]", "[X]")
    assert quiz_of(closer, tmp_path) == quiz_of(GOOD, tmp_path)
    assert quiz_of(longer, tmp_path) == quiz_of(GOOD, tmp_path)


def test_each_question_has_python_of_its_own(tmp_path):
    """It sees the block at the top, may give a name another value, and leaves the next question as it was."""
    second = GOOD[GOOD.index("## ") :]
    own = second.replace("How many", "```python\nc_in = 5\n```\n\nHow many")
    first, last = quiz_of(GOOD.partition("## ")[0] + own + second, tmp_path).questions
    assert [first.options[0].text, last.options[0].text] == ["40", "24"]


@pytest.mark.parametrize(
    "old, new, line, told",
    [
        ("- [x]", "- [ ]", 5, "0 of 2 options are right: give at least two, one of them `- [x]`"),
        ("- [ ]", "- [x]", 5, "2 of 2 options are right: give at least two, one of them `- [x]`"),
        ("- [ ] {c_in + c_out}\n  > Channels are not added.\n", "", 5, "1 of 1 options are right: give at least two"),
        ("c_in + c_out}", "c_out * c_in}", 11, "'24' is an option already: give two options that differ"),
        ("  > Channels are not added.\n", "", 11, "this option has no feedback: write `  > ` below it"),
        ("  > Channels are not added.\n", "  >\n", 11, "this option has no feedback: write `  > ` below it"),
        ("  > A kernel for each pair.\n", "", 9, "this option has no feedback: write `  > ` below it"),
        ("{c_in + c_out}", "{c_in + out}", 11, "the slot of 'c_in + out' gives NameError: name 'out' is not defined"),
        ("{c_in + c_out}", "{c_in +}", 11, "the slot of 'c_in +' gives SyntaxError"),
        ("{c_in + c_out}", "{}", 11, "the slot of '' gives SyntaxError"),
        ("{c_in + c_out}", "{c_in:w}", 11, "the slot of 'c_in' gives ValueError: Unknown format code 'w'"),
        ("{c_in + c_out}", "{c_in", 11, "a brace that the reader should see is written twice, {{ or }}"),
        ("not added", "{not} added", 12, "the slot of 'not' gives SyntaxError"),
        ("How many", "{how} many", 7, "the slot of 'how' gives NameError"),
        ("How many kernels?\n", "", 5, "nothing is asked below this heading: write the question there"),
        ("added.\n", "added.\n\n## More\n", 14, "nothing is asked below this heading: write the question there"),
        ("## Kernels\n", "", 6, "only Python may stand above the first heading: begin a question with `## Its name`"),
        (
            "added.\n",
            "added.\n\nA new line\n",
            14,
            "here comes an option, `- [x]` or `- [ ]`, and no text: 'A new line'",
        ),
        ("kernels?\n", "kernels?\n\n  > Think.\n", 9, "and no feedback: 'Think.'"),
        ("- [ ]", "- []", 11, "'- [] {c_in + c_out}' is none of a quiz's marks: `## Name`, ```python, `- [x]"),
        ("- [ ]", "-", 11, "is none of a quiz's marks"),
        ("- [ ]", "-[ ]", 11, "is none of a quiz's marks"),
        ("## Kernels", "# Kernels", 5, "'# Kernels' is none of a quiz's marks"),
        ("```python", "```py", 1, "'```py' is none of a quiz's marks"),
        ("8\n```\n", "8\n", 1, "this block of Python has no end: write ``` below it"),
        (GOOD, "", 1, "no question is here: begin one with `## Its name`"),
    ],
)
def test_mistakes_are_told_with_their_line(old, new, line, told, tmp_path):
    folder = tmp_path / "dscourse" / "quizzes"
    folder.mkdir(parents=True)
    assert old in GOOD
    with pytest.raises(ValueError) as error:
        quiz_of(GOOD.replace(old, new, 1), folder)
    assert str(error.value).startswith(f"dscourse/quizzes/some.md, line {line}: ")
    assert told in str(error.value)


def test_exception_in_python_names_the_line_of_the_file(tmp_path):
    with pytest.raises(ZeroDivisionError) as error:
        quiz_of(GOOD.replace("c_in, c_out = 3, 8", "c_in = 3\nc_out = 8 / 0"), tmp_path)
    last = error.traceback[-1]
    assert (last.path, last.lineno + 1) == (tmp_path / "some.md", 3)  # pytest counts lines from 0


def test_unknown_quiz_is_told_with_those_that_there_are():
    with pytest.raises(ValueError, match=r"'convolution': write dscourse/quizzes/convolution\.md, or .*standard_conv"):
        quiz("convolution")


def test_quizzes_are_found_in_the_wheel():
    """A text that the package leaves out would be missing in Colab only."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["dscourse"]
    there = {file for pattern in listed for file in (ROOT / "dscourse").glob(pattern)}
    left_out = set(reading.FOLDER.glob("*.md")) - there
    assert WRITTEN and not left_out, f"pyproject.toml, package-data: add a pattern for {sorted(left_out)}"


def test_package_imports_nothing_of_a_chapter():
    """A chapter's quiz must not load the others' libraries."""
    check = (
        "import sys, dscourse.quizzes; sys.exit(any(m.partition('.')[0] in ('dslib', 'torch') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
