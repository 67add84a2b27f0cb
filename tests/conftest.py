"""Fixtures that several test files share."""

import contextlib

import matplotlib
import matplotlib.pyplot as plt
import pytest

from tools.browser import chromium


@pytest.fixture
def close_figures():
    """Every test starts and ends without open figures and with matplotlib's own settings."""
    with matplotlib.rc_context():
        yield
    plt.close("all")


def pytest_collection_modifyitems(items):
    """The longest file first: two processes then end at about the same time."""
    items.sort(key=lambda item: item.path.name != "test_site.py")


@pytest.fixture(scope="session")
def built_site():
    """The site, built first where it is missing."""
    from tests.support.build import build_if_missing  # here: the library's tests run where Jupyter Book is not

    build_if_missing()


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """A git repository of this working tree, from which notebooks install dslib."""
    from tests.support.from_nothing import clone_of_this_tree  # here: the library's tests run where nbclient is not

    return clone_of_this_tree(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="session")
def browser():
    """One Chromium for all that a process runs."""
    with contextlib.ExitStack() as stack:
        try:
            found, why = stack.enter_context(chromium()), ""
        except RuntimeError as error:
            found, why = None, str(error)
        if not found:
            pytest.fail(why, pytrace=False)  # one line, and nothing of how it was found out
        yield found
