"""One Chromium for all tests of the book that a process runs."""

import contextlib

import pytest

from tests.support.browser import chromium


@pytest.fixture(scope="session")
def browser():
    with contextlib.ExitStack() as stack:
        try:
            found, why = stack.enter_context(chromium()), ""
        except RuntimeError as error:
            found, why = None, str(error)
        if not found:
            pytest.fail(why, pytrace=False)  # one line, and nothing of how it was found out
        yield found
