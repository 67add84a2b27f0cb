"""The book's exercises: the stub fails, the solution passes, and every typical wrong answer gets a hint of its own."""

import ast
import importlib
import inspect
import re

import matplotlib
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from dscourse import exercises
from dscourse.exercises import feedback
from dslib import models
from tests.support.book import CHAPTERS, ROOT, SLUGS, code_cells, exercises_of, prose, read

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)


def source_of(slug):
    return (ROOT / "chapters" / "solutions" / f"{slug}.py").read_text()


def functions_of(slug):
    """The solutions of a chapter: name -> text of the function."""
    lines = source_of(slug).splitlines(keepends=True)
    nodes = [node for node in ast.parse(source_of(slug)).body if isinstance(node, ast.FunctionDef)]
    return {node.name: "".join(lines[node.lineno - 1 : node.end_lineno]) for node in nodes}


def wrong_answers(slug):
    return importlib.import_module(f"tests.course.wrong_answers.{slug}").WRONG


def defined(slug, name, function):
    """The function of that name, with the imports of the chapter's file of solutions above it."""
    top = source_of(slug).partition("\n\n\ndef ")[0]
    names = {}
    exec(compile(f"{top}\n\n\n{function}", f"{slug}: {name}", "exec"), names)
    return names[name]


def check(name):
    return getattr(exercises, f"check_{name}")


ALL = [(slug, name) for slug in SLUGS for name in functions_of(slug)]
every_exercise = pytest.mark.parametrize("slug, name", ALL, ids=[name for _, name in ALL])
TYPICAL = [
    pytest.param(slug, name, *answer, id=f"{name}-{answer[2]}")
    for slug in SLUGS
    for name, answers in wrong_answers(slug).items()
    for answer in answers
]


@chapter
def test_chapter_has_exercises_with_hints_and_solutions(path):
    found = exercises_of(path)
    assert len(found) >= 4
    assert [exercise.number for exercise in found] == list(range(1, len(found) + 1))
    assert [exercise.name for exercise in found] == list(functions_of(path.stem)) == list(wrong_answers(path.stem))
    for exercise in found:
        assert len(exercise.text.split()) >= 5 and len(exercise.hint.split()) >= 5, exercise
        assert all(len(line) <= 79 for line in exercise.solution.splitlines()), exercise.solution


@chapter
def test_stubs_and_folded_solutions_come_from_the_file_of_solutions(path):
    """The reader's function has the solution's name and arguments, and the folded text is the solution."""
    for exercise in exercises_of(path):
        solution = functions_of(path.stem)[exercise.name]
        assert exercise.solution == solution
        (stub, call) = ast.parse(exercise.stub).body
        assert ast.unparse(stub.args) == ast.unparse(ast.parse(solution).body[0].args)
        assert ast.unparse(stub.body[-1]) == "..."
        assert ast.unparse(call) == f"exercises.check_{exercise.name}({exercise.name})"


@chapter
def test_stub_fails_and_folded_solution_passes_after_the_set_up_cell_alone(path):
    matplotlib.use("agg")
    set_up = TransformerManager().transform_cell(code_cells(read(path))[0].source)  # %pip is no plain Python
    for exercise in exercises_of(path):
        names = {}
        exec(compile(set_up, f"{path.name}, set-up", "exec"), names)
        stub, call = exercise.stub.rsplit("\n\n", maxsplit=1)
        exec(stub, names)
        told = eval(call, names)
        assert not told and told.message.startswith(f"Not answered yet: {exercise.name}")
        exec(compile(exercise.solution, f"{path.name}, solution {exercise.number}", "exec"), names)
        told = eval(call, names)
        assert told and told.message.startswith("Right"), told


@pytest.mark.parametrize("slug, name, old, new, hint", TYPICAL)
def test_typical_wrong_answer_gets_its_hint(slug, name, old, new, hint):
    solution = functions_of(slug)[name]
    assert old in solution, f"{old!r} is not in the solution"
    told = check(name)(defined(slug, name, solution.replace(old, new)))
    assert not told and "raised" not in told.message
    assert hint in told.message, told


@every_exercise
def test_wrong_answers_get_different_hints_and_reach_every_mistake(slug, name, monkeypatch):
    prepared, module = [], inspect.getmodule(check(name))

    def watched(reader_function, cases, truth, mistakes=(), hint=""):
        prepared[:] = [mistake.hint for mistake in mistakes]
        return feedback.examine(reader_function, cases, truth, mistakes, hint)

    if hasattr(module, "examine"):
        monkeypatch.setattr(module, "examine", watched)
    answers = wrong_answers(slug)[name]
    solution = functions_of(slug)[name]
    messages = [check(name)(defined(slug, name, solution.replace(old, new))).message for old, new, _ in answers]
    assert len(answers) >= 2 and len(set(messages)) == len(messages)
    unreached = [hint for hint in prepared if not any(hint in message for message in messages)]
    assert not unreached, "no wrong answer in tests/wrong_answers gets this hint"


@every_exercise
def test_check_tells_what_the_readers_code_raised(slug, name):
    def lost(*arguments):
        return {}["nothing"]

    told = check(name)(lost)
    assert not told and "raised KeyError: 'nothing'" in told.message and "{}[" in told.message


@every_exercise
def test_check_survives_any_answer(slug, name):
    for nonsense in ("text", -1, [], {}, object(), float("nan"), True):
        told = check(name)(lambda *arguments, nonsense=nonsense: nonsense)
        assert not told and len(told.message) > 10


@every_exercise
def test_check_wants_a_function(slug, name):
    with pytest.raises(TypeError, match="it got 14"):
        check(name)(14)


def test_every_check_belongs_to_an_exercise_and_says_where():
    assert [name for name in exercises.__all__ if name.startswith("check_")] == sorted(
        (f"check_{name}" for _, name in ALL), key=exercises.__all__.index
    )
    for slug, name in ALL:
        assert check(name).__module__ == f"dscourse.exercises.{slug}"
        assert check(name).__doc__.startswith(f"``{name}("), check(name).__doc__


def test_a_wrong_check_would_be_seen():
    """The tests above are able to fail: a check that takes every answer for right lets the stub pass."""
    assert feedback.judge(lambda: 1, [()], lambda answers: [], "")
    assert not feedback.judge(lambda: None, [()], lambda answers: [], "")


@chapter
def test_every_objective_has_an_exercise_and_every_exercise_an_objective(path):
    head = read(path).cells[0].source
    rows = re.findall(r"^\| (.+?) \| ([\d, ]+) \|$", head.partition("**After this chapter you can**")[2], re.MULTILINE)
    tested = [int(number) for _, numbers in rows for number in numbers.split(", ")]
    assert len(rows) >= 3 and all(len(objective.split()) >= 4 for objective, _ in rows)
    assert sorted(set(tested)) == list(range(1, len(exercises_of(path)) + 1))


@chapter
def test_nothing_of_the_solution_stands_in_the_chapter_before_it(path):
    """No cell of the chapter defines the function that an exercise asks for."""
    cells = [cell.source for cell in code_cells(read(path))]
    for exercise in exercises_of(path):
        assert sum(bool(re.search(rf"def {exercise.name}\(", cell)) for cell in cells) == 1
    assert prose(read(path)).count("<summary>Solution</summary>") == len(exercises_of(path))


def test_examples_in_the_texts_hold():
    """Where a text, a hint or a remark says that `call(...)` is `value`, the solutions give that value."""
    found = 0
    for path in CHAPTERS:
        names = {"models": models}
        for exercise in exercises_of(path):
            names[exercise.name] = defined(path.stem, exercise.name, exercise.solution)
        text = " ".join(prose(read(path)).split("## Exercises")[1].split())
        for example, value in re.findall(r"`([^`]+\([^`]*)` is `([^`]+)`", text):
            assert eval(example, dict(names)) == eval(value), f"{path.stem}: {example}"
            found += 1
    assert found >= 15
