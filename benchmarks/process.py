"""A Python process of its own for what must not disturb the others, or must not be disturbed."""

import contextlib
import multiprocessing
import os
import signal
import traceback


class Worker:
    """A fresh Python process that builds one function and then calls it when asked.

    ``Worker(build, *arguments)`` starts it; there ``build(*arguments)`` must return the function. Calling the worker
    calls that function and returns its result. So a library's threads, settings and memory stay its own, and a peer
    that is idle uses no processor. ``environment`` is set while the process starts: some libraries read it only then.

    ``build``, arguments and results must be picklable: ``build`` stands at the top of a file. RuntimeError carries what
    was raised there, the traceback included. Close it, or use it in a ``with`` block.
    """

    def __init__(self, build, *arguments, environment=None):
        context = multiprocessing.get_context("spawn")  # a fork would inherit threads that are not there
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, build, arguments), daemon=True)
        with _environment(environment or {}):
            self._process.start()
        theirs.close()
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def __call__(self, *arguments):
        self._pipe.send(arguments)
        return self._answer()

    def _answer(self):
        try:
            problem, result = self._pipe.recv()
        except EOFError:
            self._process.join()
            raise RuntimeError(f"the process ended with exit code {self._process.exitcode}") from None
        if problem:
            raise RuntimeError(problem)
        return result

    def close(self):
        """End the process, also in the middle of a call."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _serve(pipe, build, arguments):
    """What runs in the process: build, then answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks; it ends this one
    problem, function = _tried(build, arguments)
    pipe.send((problem, None))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while not problem:
            pipe.send(_tried(function, pipe.recv()))


def _tried(function, arguments):
    """What went wrong, in words, and what came out; one of the two is empty."""
    try:
        return "", function(*arguments)
    except Exception:
        return traceback.format_exc(), None


@contextlib.contextmanager
def _environment(values):
    """Environment variables for a moment: a process takes over those that it finds when it is started."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
