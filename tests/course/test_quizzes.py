"""The quizzes: one in each chapter, its numbers computed, every option answered, readable without a kernel."""

import ast
import re

import pytest
from bs4 import BeautifulSoup

from dscourse import quizzes
from dscourse.quizzes import Option, Question, Quiz
from tests.support.book import CHAPTERS, ROOT, SLUGS, code_cells, read

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)
LARGEST_GIVEN = 4096  # a question's sizes are small; a larger number is a result, and results are computed


def quiz_of(path):
    return getattr(quizzes, path.stem)()


@chapter
def test_chapter_shows_its_quiz(path):
    shown = [cell for cell in code_cells(read(path)) if cell.source == f"quizzes.{path.stem}()"]
    (output,) = shown[0].outputs
    assert len(shown) == 1 and shown[0].metadata["cellView"] == "form"
    assert output.data["text/html"] == quiz_of(path)._repr_html_()
    assert output.data["text/plain"] == repr(quiz_of(path))


@chapter
def test_quiz_has_questions_with_options_that_are_all_answered(path):
    questions = quiz_of(path).questions
    assert 3 <= len(questions) <= 5
    for question in questions:
        assert 3 <= len(question.options) <= 5
        assert all(len(option.feedback.split()) >= 4 for option in question.options), question
        assert len({option.feedback for option in question.options}) == len(question.options)
    places = {[option.right for option in question.options].index(True) for question in questions}
    assert len(places) > 1, "the right answer always stands at the same place"


@chapter
def test_numbers_of_the_quiz_are_computed(path):
    tree = ast.parse((ROOT / "dslib" / "quizzes" / f"{path.stem}.py").read_text())
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if hasattr(node, "body") and isinstance(node, (ast.Module, ast.FunctionDef))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in docstrings:
            typed = re.findall(r"(?<![\w.-])\d[\d.,]*\d", node.value)
            assert not typed, f"{typed} stands in the text {node.value!r}"
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            assert node.value <= LARGEST_GIVEN, f"{node.value} looks like a result"


@chapter
def test_quiz_needs_neither_script_nor_network(path):
    page = BeautifulSoup(quiz_of(path)._repr_html_(), "html.parser")
    assert not page.find_all(["script", "img", "link", "iframe"]) and "url(" not in str(page)
    for group, question in zip(page.select("[role=group]"), quiz_of(path).questions, strict=True):
        options = group.find_all("details")
        assert [bool(o.find("summary").get_text(strip=True)) for o in options] == [True] * len(question.options)
        words = [option.find("b").get_text() for option in options]
        assert words == ["✓ Right." if option.right else "✗ No." for option in question.options]
        assert not any(option.has_attr("open") for option in options)


def test_question_must_have_one_right_answer():
    yes, no = Option("1", "so it is", right=True), Option("2", "not so")
    for options in [
        (no,),
        (yes,),
        (no, Option("3", "nor this")),
        (yes, Option("4", "this too", right=True)),
        (yes, no, no),
    ]:
        with pytest.raises(ValueError, match="How many"):
            Question("How many?", options)
    assert Quiz((Question("How many?", (yes, no)),))


def test_text_is_escaped_and_marked_up():
    question = Question("Is C_out < K^2 in `a_b^2`?", (Option("a < b", "x & y", right=True), Option("no", "z")))
    shown = Quiz((question,))._repr_html_()
    assert "Is C<sub>out</sub> &lt; K<sup>2</sup> in <code>a_b^2</code>?" in shown
    assert "<summary>a &lt; b</summary>" in shown and "x &amp; y" in shown
