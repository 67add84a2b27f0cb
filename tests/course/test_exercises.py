"""The book's exercises, whatever their chapters: the stub fails, the solution passes, each wrong answer gets its hint.

``dscourse/exercises/<slug>.py`` has all of an exercise but its text; what an author promises there is tested here.
"""

import ast
import importlib
import inspect
import pydoc
import re

import matplotlib
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.oinspect import Inspector

from dscourse.checks.exercise import REGISTERED
from dscourse.checks.feedback import call
from dscourse.checks.source import solutions
from dslib import tables
from tests.support.book import (
    CHAPTERS,
    CORE,
    LEAST_EXERCISES,
    LEAST_OBJECTIVES,
    ROOT,
    SLUGS,
    code_cells,
    exercises_of,
    place,
    prose,
    read,
)
from tools.exercises import PAGE, for_the_page

MODULES = {path.stem: importlib.import_module(f"dscourse.exercises.{path.stem}") for path in CHAPTERS}
EXERCISES = [exercise for slug in MODULES for exercise in REGISTERED[slug].values()]
CHANGES = [
    pytest.param(exercise, change, hint, id=f"{exercise.name}-{number}")
    for exercise in EXERCISES
    for number, (change, hint) in enumerate(exercise.wrong.items(), start=1)
]
LEAST_WRONG = 2  # of an exercise; CONTRIBUTING names it

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=[exercise.name for exercise in EXERCISES])
every_change = pytest.mark.parametrize("exercise, change, hint", CHANGES)


def check_of(exercise):
    return exercise.names[f"check_{exercise.name}"]


def source_of(path):
    return (ROOT / "dscourse" / "exercises" / f"{path.stem}.py").read_text()


@chapter
def test_chapter_asks_for_its_exercises_in_their_order(path):
    found, file = exercises_of(path), f"dscourse/exercises/{path.stem}.py"
    names = list(REGISTERED[path.stem])
    assert [exercise.name for exercise in found] == names, f"chapters/{path.stem}.md and {file} differ"
    assert [exercise.number for exercise in found] == list(range(1, len(names) + 1))
    if path.stem in CORE:
        assert len(names) >= LEAST_EXERCISES, f"{file}: {len(names)} exercises, the least is {LEAST_EXERCISES}"
    for exercise in found:
        for part, text in (("text", exercise.text), ("hint", exercise.hint)):
            assert len(text.split()) >= 5, (
                f"chapters/{path.stem}.md, exercise {exercise.number}: its {part} needs five words or more"
            )


@chapter
def test_stubs_and_folded_solutions_come_from_the_file_of_exercises(path):
    """The reader's function has the solution's name and arguments, and the folded text is the solution."""
    laid_out = for_the_page(source_of(path))
    for exercise in exercises_of(path):
        assert exercise.solution.rstrip() == laid_out[exercise.name], f"chapters/{path.stem}.md: make notebooks"
        (stub, call) = ast.parse(exercise.stub).body
        assert ast.unparse(stub.args) == ast.unparse(ast.parse(exercise.solution).body[0].args)
        assert ast.unparse(stub.body[-1]) == "..."
        assert ast.unparse(call) == f"exercises.check_{exercise.name}({exercise.name})"
        for line in exercise.solution.splitlines():
            where = f"dscourse/exercises/{path.stem}.py, {exercise.name}"
            assert len(line) <= PAGE, f"{where}: {len(line)} letters, {PAGE} fit on the page: {line}"


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


@every_exercise
def test_exercise_can_fail_and_has_wrong_answers(exercise):
    where = f"{exercise.file.name}, {exercise.name}"
    assert exercise.oracle or exercise.fault, f"{where}: give it an oracle, or a fault where many answers are right"
    found = len(exercise.wrong)
    assert found >= LEAST_WRONG, (
        f"{where} has {found} wrong answers, the least is {LEAST_WRONG}: which will readers give?"
    )


@every_change
def test_wrong_answer_gets_its_own_hint(exercise, change, hint):
    """Its text is found, it raises in no case, and no hint that comes earlier is taken for it."""
    told = check_of(exercise)(exercise.changed(change))
    assert not told, f"{change} is a right answer"
    assert "raised" not in told.message and "was stopped" not in told.message, told.message
    if exercise.fault:
        assert hint in told.message, told.message
    else:
        assert told.message == f"Not yet. {hint}"


@pytest.mark.parametrize("exercise", [e for e in EXERCISES if e.oracle and len(e.asked) > 1], ids=lambda e: e.name)
def test_answer_that_is_wrong_in_the_last_case_alone_gets_the_general_hint(exercise):
    """A mistake is told only to those who make it everywhere."""
    cases, solution, count = exercise.asked, exercise.changed(), iter(range(1000))
    nonsense = object()

    def answer(*case):
        return nonsense if next(count) == len(cases) - 1 else solution(*case)

    answer.__name__ = exercise.name
    told = check_of(exercise)(answer)
    faulty = exercise.fault and exercise.fault(nonsense, *cases[-1])
    assert told.message.startswith(f"Not yet. {faulty or call(answer, cases[-1])}")
    assert faulty or told.message.endswith(exercise.hint)


@every_exercise
def test_check_tells_what_the_readers_code_raised(exercise):
    def lost(*arguments):
        return {}["nothing"]

    told = check_of(exercise)(lost)
    assert not told and "raised KeyError: 'nothing'" in told.message and "{}[" in told.message


@every_exercise
def test_check_wants_a_function(exercise):
    with pytest.raises(TypeError, match="it got 14"):
        check_of(exercise)(14)


@every_exercise
def test_no_solution_is_seen_by_looking_at_the_check(exercise):
    """Neither by what a name in a notebook shows, nor by help, ?? or the source."""
    check = check_of(exercise)
    shown = Inspector(theme_name="nocolor").info(check, detail_level=1)  # what ?? shows
    looks = [
        repr(check),
        pydoc.render_doc(check),
        str(vars(check)),
        str(dir(check)),
        str(shown),
        inspect.getsource(check),
    ]
    body = solutions(exercise.file.read_text())[exercise.name].partition(":\n")[2]
    lines = [line.strip() for line in body.splitlines() if len(line.strip()) > 8]
    for look in looks:
        assert not [line for line in lines if line in look]
    assert f"check_{exercise.name}" in looks[0] and exercise.name in looks[1]
    assert exercise.names[exercise.name] is check, "the module itself keeps the solution's function"


@chapter
def test_every_objective_has_an_exercise_and_every_exercise_an_objective(path):
    head = read(path).cells[0].source
    rows = re.findall(r"^\| (.+?) \| ([\d, ]+) \|$", head.partition("**After this chapter you can**")[2], re.MULTILINE)
    tested = [int(number) for _, numbers in rows for number in numbers.split(", ")]
    if path.stem in CORE:
        where = place(path, "**After this chapter")
        assert len(rows) >= LEAST_OBJECTIVES, f"{where}: {len(rows)} objectives, the least is {LEAST_OBJECTIVES}"
    for objective, _ in rows:
        assert len(objective.split()) >= 4, f"chapters/{path.stem}.md: say more than {objective!r}"
    missing = set(range(1, len(exercises_of(path)) + 1)) ^ set(tested)
    assert not missing, f"chapters/{path.stem}.md: exercises {sorted(missing)} are in no objective, or not there"


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
        names = {"tables": tables} | {e.name: e.changed() for e in REGISTERED[path.stem].values()}
        text = " ".join(prose(read(path)).split("## Exercises")[1].split())
        for example, value in re.findall(r"`([^`]+\([^`]*)` is `([^`]+)`", text):
            assert eval(example, dict(names)) == eval(value), f"{path.stem}: {example}"
            found += 1
    assert found >= len(CHAPTERS)
