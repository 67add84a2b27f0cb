"""A time limit for the reader's code: an endless loop is told, not waited for."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 10.0


class TimeUp(BaseException):
    """The reader's code took too long. Like KeyboardInterrupt, ``except Exception`` in that code does not catch it."""


@contextmanager
def time_limit() -> Iterator[None]:
    """Raise TimeUp in what runs inside after ``SECONDS``; without a limit on Windows and outside the main thread.

    An alarm that was set before is set again afterwards, for what is left of its time.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_):
        raise TimeUp

    start = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    left, again = signal.setitimer(signal.ITIMER_REAL, SECONDS, SECONDS)  # again, if the code swallows the first
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 1e-6), again)
