"""What a check does with the reader's function: run it, recognize mistakes, say what is wrong; and in what time."""

import json
import signal
import time
from threading import Thread

import pytest
import torch

from dscourse.checks import limit
from dscourse.checks.exercise import REGISTERED, exercise
from dscourse.checks.source import changed, solutions

CASES = [(2, 3), (5, 4)]


@exercise(
    cases=CASES,
    oracle=lambda a, b: sum(a for _ in range(b)),
    hint="Multiply.",
    wrong={"a * b -> a + b": "You add.", "a": "first", "1 * a": "second"},
)
def product(a, b):
    return a * b


check_product = product  # what the decorator returns, and what it calls it in this module


def told(function, **more):
    """What the check of an exercise like ``product`` says, with something changed."""
    made = exercise(**{"cases": CASES, "oracle": lambda a, b: a * b, "hint": "Multiply."} | more)
    return made(product_by_hand)(function)


def product_by_hand(a, b):
    return b * a


def test_right_answer_passes_and_says_in_how_many_cases():
    right = check_product(lambda a, b: b * a)
    assert right and right.passed and right.message == "Right, in all 2 cases."
    assert told(lambda a, b: 6, cases=[(2, 3)]).message == "Right."


def test_first_failed_case_is_shown_as_a_call():
    def product(a, b):
        return 6

    assert check_product(product).message == "Not yet. product(5, 4) gives 6, it should give 20. Multiply."


def test_mistake_is_told_only_to_those_who_make_it_everywhere():
    assert check_product(lambda a, b: a + b).message == "Not yet. You add."
    assert "You add" not in check_product(lambda a, b: a + b if a == 2 else 0).message


def test_first_of_several_fitting_mistakes_is_told():
    assert check_product(lambda a, b: a).message == "Not yet. first"


def test_mistake_that_nobody_thought_of_gets_the_general_hint():
    assert check_product(lambda a, b: a * b * b).message.endswith("gives 18, it should give 6. Multiply.")


@pytest.mark.parametrize("nothing", [None, ...])
def test_stub_is_unanswered_not_wrong(nothing):
    def product(a, b):
        return nothing

    assert check_product(product).message == "Not answered yet: product returns nothing."


def test_answer_that_is_missing_in_some_cases_is_wrong():
    assert "gives None, it should give 20" in check_product(lambda a, b: 6 if a == 2 else None).message


def test_what_the_code_raises_is_told_with_its_line():
    def product(a, b):
        share = a / 0
        return share

    message = check_product(product).message
    assert message == 'product(2, 3) raised ZeroDivisionError: division by zero at "share = a / 0". Multiply.'


def test_line_is_the_readers_even_if_a_library_raises():
    def product(a, b):
        return json.loads("no number") * b

    assert 'at "return json.loads("no number") * b"' in check_product(product).message


def test_wrong_number_of_arguments_is_told():
    assert "raised TypeError" in check_product(lambda a: a).message


def test_code_that_ends_the_program_is_told():
    assert "raised SystemExit: 3" in check_product(lambda a, b: exit(3)).message


def test_interruption_is_no_answer():
    def interrupted(a, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_product(interrupted)


def test_a_function_that_changes_its_arguments_is_told_if_its_answers_are_right():
    def doubled(values):
        values.append(1)
        return 3

    assert told(doubled, cases=[([1],)], oracle=lambda values: 4).message.endswith(
        "gives 3, it should give 4. Multiply."
    )
    assert "afterwards a is not what it was" in told(doubled, cases=[([1],)], oracle=lambda values: 3).message


def test_no_function_is_refused_with_what_was_given():
    with pytest.raises(TypeError, match=r"without \(\.\.\.\) after its name; it got 6"):
        check_product(6)


def test_reader_cannot_change_the_cases():
    cases = [(torch.ones(2),), ([1, 1],)]

    def spoiled(values):
        values[0] = 7
        return 0

    told(spoiled, cases=cases, oracle=lambda values: 1)
    assert cases[0][0].tolist() == [1, 1] == cases[1][0]


def test_cases_may_be_built_by_a_function_when_they_are_needed():
    built = []

    def cases():
        built.append(1)
        return [(3,), (4,)]

    check = exercise(cases=cases, oracle=lambda size: size)(product_by_hand)
    assert not built
    assert check(lambda size: size).message == "Right, in all 2 cases." and built


def test_fault_says_what_is_wrong_with_an_answer_and_is_asked_before_the_oracle():
    def fault(answer, a, b):
        return "" if answer > a else f"{answer} is not more than {a}."

    assert told(lambda a, b: a + 1, fault=fault, oracle=None)
    assert told(lambda a, b: 4, fault=fault).message == "Not yet. 4 is not more than 5."
    assert told(lambda a, b: a + 1, fault=fault).message.startswith("Not yet. <lambda>(2, 3) gives 3")


def test_fault_of_an_earlier_case_is_told_before_the_error_of_a_later_one():
    message = told(lambda a, b: [0, 1][a - 2], fault=lambda answer, a, b: f"{answer} is nothing.").message
    assert message == "Not yet. 0 is nothing."


def test_what_is_left_behind_is_looked_at_after_a_right_answer_alone():
    assert told(lambda a, b: a * b, also=lambda function, a, b: f"Left: {a}, {b}.").message == "Not yet. Left: 2, 3."
    assert told(lambda a, b: a * b, also=lambda function, a, b: "")
    assert "Left" not in told(lambda a, b: 0, also=lambda function, a, b: "Left.").message


def endless(a, b):
    while True:
        a += 1


def test_an_endless_loop_is_told_not_waited_for(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.2)
    start = time.monotonic()
    message = check_product(endless).message
    assert time.monotonic() - start < 5
    assert message.startswith("endless(2, 3) was stopped after 0.2 seconds at ")
    assert message.endswith("Does every loop in it come to an end? Multiply.")


def test_an_endless_loop_is_told_even_if_it_catches_errors_and_if_it_shows_only_later(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.2)

    def stubborn(a, b):
        while True:
            try:
                a += 1
            except Exception:
                continue

    assert "was stopped" in check_product(stubborn).message
    for look in ({"also": lambda function, a, b: endless(a, b)}, {"fault": lambda answer, a, b: endless(a, b)}):
        message = told(lambda a, b: a * b, **look).message
        assert message.startswith("Not yet. <lambda> was stopped after 0.2 seconds at ")


def test_a_value_that_takes_forever_to_look_at_is_told(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.2)
    endless_value = type("EndlessValue", (), {"__array__": lambda *_, **__: endless(1, 1)})
    assert "was stopped after 0.2 seconds" in check_product(lambda a, b: endless_value()).message


def test_the_oracle_may_take_longer_than_the_limit(monkeypatch):
    monkeypatch.setattr(limit, "SECONDS", 0.05)
    assert told(lambda a, b: 1, oracle=lambda a, b: time.sleep(0.1) or 1)


def test_an_alarm_that_was_set_before_rings_when_it_should():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    try:
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 1.0)
        assert told(lambda a, b: time.sleep(0.1) or a * b) and not rung
        time.sleep(1.2)
        assert len(rung) == 1 and rung[0] - start > 0.9  # and not anew after the check
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_check_works_outside_the_main_thread_without_a_limit():
    found = []
    thread = Thread(target=lambda: found.append(check_product(lambda a, b: a * b)))
    thread.start()
    thread.join()
    assert found[0].passed


def test_change_replaces_all_occurrences_or_the_last_return():
    text = "def f(a):\n    if a:\n        return a\n    return (\n        a +\n        1\n    )"
    assert changed(text, "a) -> b)") == text.replace("a)", "b)")
    assert changed(text, "a -> b") == text.replace("a", "b")
    assert changed(text, "2") == "def f(a):\n    if a:\n        return a\n    return (\n        2\n    )"
    with pytest.raises(ValueError, match="'c' is not in the solution"):
        changed(text, "c -> d")
    with pytest.raises(ValueError, match="no return in the solution"):
        changed("def f():\n    pass", "1")


def test_solutions_are_the_functions_below_exercise():
    source = (
        "import os\n\n\n@cache\ndef helper():\n    pass\n\n\n@exercise(\n    cases=[()],\n)\ndef f():\n    return 1\n"
    )
    assert solutions(source) == {"f": "def f():\n    return 1"}


def test_exercise_is_registered_under_its_file_and_name():
    assert "product" in REGISTERED["test_checks"]
    assert product is globals()["check_product"] and product.__doc__.startswith("``product(a, b)``")
