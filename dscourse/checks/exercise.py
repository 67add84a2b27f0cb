"""An exercise as one object: its solution, cases, oracle, and the wrong answers that many give, each with its hint."""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from . import limit
from .feedback import Feedback, call, failure, name_of, place
from .left import state, told_of_change
from .plain import plain
from .source import changed, solutions
from .values import described, difference

REGISTERED: dict[str, dict[str, "exercise"]] = {}  # slug -> name -> exercise, in the order of the file


@dataclass(eq=False, repr=False)
class exercise:
    """A decorator: it makes of the solution below it a check, ``check_<name>(reader_function)`` in the same module.

    The solution's text stays in its file until a check needs it.

    ``cases``: the arguments of each run; or a function that gives them, where they are costly to build.
    ``oracle(*case)`` is the right answer; it shares no code with the solution. ``fault(answer, *case)``, for answers of
    which many are right, says what is wrong, or ""; it is asked before the oracle, and gets the answer in plain kinds
    (``dscourse.checks.plain``). ``also(reader_function, *first_case)`` looks at a right function once more.
    ``hint`` is what every other wrong answer is told, after the first case that fails.

    ``wrong`` has the hint for each wrong answer. A wrong answer is a change of the solution, ``"old -> new"``, or a new
    expression after its last return. An answer that is the same in all cases is recognized by the oracle. Where
    ``fault`` speaks, the hint is words that it says; the tests look for them.
    """

    cases: Sequence[tuple] | Callable[[], Sequence[tuple]] = ((),)
    oracle: Callable | None = None
    fault: Callable | None = None
    also: Callable | None = None
    hint: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    def __call__(self, solution: Callable) -> Callable:
        """The check that takes the place of the solution."""
        self.name = name = solution.__name__
        self.names = solution.__globals__  # what the solution's text can use
        self.file = Path(self.names["__file__"])
        self.arguments = tuple(inspect.signature(solution).parameters)

        def check(reader_function: Callable) -> Feedback:
            return self.check(reader_function)

        # no functools.wraps: it would keep the solution in __wrapped__, where ?? and help find it
        check.__name__ = check.__qualname__ = f"check_{name}"
        check.__module__ = solution.__module__
        check.__doc__ = f"``{name}{inspect.signature(solution)}``: whether your function is right, and what is not."
        REGISTERED.setdefault(solution.__module__.rpartition(".")[2], {})[name] = self
        self.names[check.__name__] = check
        return check

    @cached_property
    def asked(self) -> Sequence[tuple]:
        """The cases, built when they are needed."""
        return self.cases() if callable(self.cases) else self.cases

    @cached_property
    def right(self) -> list:
        """The oracle's answers."""
        return [plain(self.oracle(*case)) for case in self.asked]

    @cached_property
    def known(self) -> list[tuple[str, list]]:
        """The hint and the answers of each wrong answer."""
        wrong = ((self.changed(change), hint) for change, hint in self.wrong.items())
        return [(hint, [plain(function(*copy.deepcopy(case))) for case in self.asked]) for function, hint in wrong]

    def check(self, function: Callable) -> Feedback:
        """What to tell the reader of the function. Raises TypeError if it is none."""
        if not callable(function):
            found = described(plain(function))
            raise TypeError(f"a check takes the function itself, without (...) after its name; it got {found}")
        answers, changes, name = [], [], name_of(function)

        def run() -> str:
            for case in self.asked:
                given = copy.deepcopy(case)  # the reader's code may change what it gets
                before = state(dict(zip(self.arguments, given, strict=False)))
                answer = plain(function(*given))
                changes.append(told_of_change(before, given, self.arguments))
                answers.append(answer)
            return ""

        stopped = within_time(function, run, lambda: call(function, self.asked[len(answers)]))
        if not stopped and all(answer is None or answer is ... for answer in answers):
            return Feedback(False, f"Not answered yet: {name} returns nothing.")
        if self.fault and (what := within_time(function, lambda: self.said_of(answers), lambda: name)):
            return Feedback(False, f"Not yet. {what}")
        if stopped:
            return Feedback(False, f"{stopped} {self.hint}".strip())
        if self.oracle and (what := self.compared(function, answers)):
            return Feedback(False, f"Not yet. {what}".strip())
        what = next(filter(None, changes), "")
        if self.also and not what:
            what = within_time(function, lambda: self.also(function, *copy.deepcopy(self.asked[0])), lambda: name)
        if what:
            return Feedback(False, f"Not yet. {what}")
        return Feedback(True, f"Right, in all {len(answers)} cases." if len(answers) > 1 else "Right.")

    def said_of(self, answers: Sequence) -> str:
        """The first fault of an answer."""
        pairs = zip(answers, self.asked, strict=False)  # fewer answers if one raised an error
        return next((what for answer, case in pairs if (what := self.fault(answer, *case))), "")

    def compared(self, function: Callable, answers: Sequence) -> str:
        """What to say of answers that differ from the oracle's; "" if none does."""
        told = zip(self.asked, map(difference, answers, self.right), strict=True)
        first = next(((case, what) for case, what in told if what), None)
        if not first:
            return ""
        hints = (hint for hint, wrong in self.known if not any(map(difference, answers, wrong)))
        return next(hints, f"{call(function, first[0])} {first[1]}. {self.hint}")

    def changed(self, change: str | None = None) -> Callable:
        """The solution with a change of its text, as a function; without one, the solution itself."""
        text = solutions(self.file.read_text(encoding="utf-8"))[self.name]
        names = dict(self.names)
        exec(compile(changed(text, change) if change else text, f"<{self.name}>", "exec"), names)
        return names[self.name]


def within_time(function: Callable, look: Callable[[], str], who: Callable[[], str]) -> str:
    """What a look finds that runs the reader's code; or what that code has raised, or that it takes too long."""
    try:
        with limit.time_limit():
            return look()
    except limit.TimeUp as error:
        stopped = f"was stopped after {limit.SECONDS:g} seconds{place(function, error)}"
        return f"{who()} {stopped}. Does every loop in it come to an end?"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever the reader's code does wrong is told, also an exit()
        return f"{who()} {failure(function, error)}."
