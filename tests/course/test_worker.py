"""A process of its own. What it runs is here: a fresh process imports this file, which therefore imports little."""

import os

import pytest

from benchmarks.process import Worker


def adder(start):
    if start is None:
        raise KeyError("no start")
    total = [start]

    def add(number):
        total[0] += number
        return total[0], os.getpid(), os.environ.get("OF_THE_WORKER")

    return add


def ender():
    return lambda: os._exit(3)


def test_worker_builds_once_in_another_process_and_answers_again_and_again():
    with Worker(adder, 10) as worker:
        (first, process, _), (second, again, _) = worker(1), worker(2)
    assert (first, second) == (11, 13)
    assert process == again != os.getpid()


@pytest.mark.parametrize("before", [None, "before"])
def test_worker_has_its_own_environment_and_leaves_ours(monkeypatch, before):
    if before:
        monkeypatch.setenv("OF_THE_WORKER", before)
    with Worker(adder, 0, environment={"OF_THE_WORKER": "yes"}) as worker:
        assert (worker(0)[2], os.environ.get("OF_THE_WORKER")) == ("yes", before)


def test_what_a_worker_raises_is_told_and_it_goes_on():
    with Worker(adder, 1) as worker:
        with pytest.raises(RuntimeError, match="TypeError"):
            worker("a")
        assert worker(1)[0] == 2
    with pytest.raises(RuntimeError, match="KeyError: 'no start'"):
        Worker(adder, None)


def test_worker_that_ends_or_is_closed_leaves_no_process():
    with Worker(ender) as worker:
        with pytest.raises(RuntimeError, match="exit code 3"):
            worker()
        process = worker._process
    assert not process.is_alive()
    with Worker(adder, 1) as worker:
        process = worker._process
        assert process.is_alive()
    assert not process.is_alive()
