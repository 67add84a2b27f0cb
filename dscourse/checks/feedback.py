"""What a check tells the reader, in words."""

import textwrap
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from .plain import cut, safely
from .values import described

WIDTH = 79  # letters in a line below the cell


@dataclass(frozen=True)
class Feedback:
    """What a check tells the reader. It is true if the answer is right: ``assert check_...(reader_function)``."""

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return textwrap.fill(self.message, WIDTH)


def first_of(faults: dict[str, bool]) -> str:
    """The words of the first fault that is there, or ""."""
    return next((words for words, is_there in faults.items() if is_there), "")


def name_of(function: Callable) -> str:
    """The function's name, as the reader wrote it."""
    return getattr(function, "__name__", type(function).__name__)


def call(function: Callable, case: tuple) -> str:
    """The call that was made, as one would type it: ``output_side(7, 3, 1, 0, 1)``."""
    return f"{name_of(function)}({', '.join(described(argument) for argument in case)})"


def place(function: Callable, error: BaseException) -> str:
    """The line of the reader's code where the error arose, with ``at`` before it; empty if it is not known."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    lines = [frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file and frame.line]
    return f' at "{lines[-1]}"' if lines else ""


def failure(function: Callable, error: BaseException) -> str:
    """What the reader's code raised, and the line of it where that happened."""
    said = safely(str, error, lambda error: "")
    return f"raised {type(error).__name__}: {cut(said, 600)}{place(function, error)}".rstrip(".")
