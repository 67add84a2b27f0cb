"""What every self-check does: run the reader's function on several cases and say in words what is wrong with it."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dscourse.checks.feedback import Feedback, call, failure, name_of
from dscourse.checks.values import difference


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that many give: ``answer(*case)`` is what they get, ``hint`` what they are told."""

    answer: Callable
    hint: str


def examine(
    reader_function: Callable,
    cases: Sequence[tuple],
    truth: Callable,
    mistakes: Sequence[Mistake] = (),
    hint: str = "",
) -> Feedback:
    """Compare ``reader_function(*case)`` with ``truth(*case)`` for every case.

    An answer that is wrong everywhere in the way of one of the ``mistakes`` gets that one's hint. Any other wrong
    answer gets the first case that it fails, and the general ``hint``. Raises TypeError if it is not given a function.
    """

    def faults(answers):
        for mistake in mistakes:
            if not any(difference(a, mistake.answer(*case)) for a, case in zip(answers, cases, strict=True)):
                return [mistake.hint]
        pairs = list(zip(cases, (difference(a, truth(*c)) for a, c in zip(answers, cases, strict=True)), strict=True))
        return [f"{call(reader_function, case)} {what}. {hint}" for case, what in pairs if what]

    return judge(reader_function, cases, faults, hint)


def inspect(reader_function: Callable, cases: Sequence[tuple], fault: Callable, hint: str = "") -> Feedback:
    """For answers of which many are right: ``fault(answer, *case)`` says what is wrong with one, "" if nothing is.

    What it says is a sentence, or several. Raises TypeError if it is not given a function.
    """

    def faults(answers):
        return [what for answer, case in zip(answers, cases, strict=True) if (what := fault(answer, *case))]

    return judge(reader_function, cases, faults, hint)


def judge(reader_function: Callable, cases: Sequence[tuple], faults: Callable, hint: str) -> Feedback:
    """Run the function on the cases, and tell the first of the ``faults(answers)``, if there are any."""
    if not callable(reader_function):
        raise TypeError(f"a check takes the function itself, without (...) after its name; it got {reader_function!r}")
    answers = []
    for case in cases:
        try:
            answers.append(reader_function(*copy.deepcopy(case)))  # a copy: the reader's code may change what it gets
        except Exception as error:  # whatever the reader's code does wrong is told, like any other mistake
            return Feedback(False, f"{call(reader_function, case)} {failure(reader_function, error)}. {hint}".strip())
    if all(answer is None or answer is ... for answer in answers):
        return Feedback(False, f"Not answered yet: {name_of(reader_function)} returns nothing.")
    if found := faults(answers):
        return Feedback(False, f"Not yet. {found[0]}".strip())
    return Feedback(True, f"Right, in all {len(cases)} cases." if len(cases) > 1 else "Right.")
