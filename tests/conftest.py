"""Fixtures that several test files share."""

import matplotlib
import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def close_figures():
    """Every test starts and ends without open figures and with matplotlib's own settings."""
    with matplotlib.rc_context():
        yield
    plt.close("all")


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """A git repository of this working tree, from which notebooks install dslib."""
    from tests.support.from_nothing import clone_of_this_tree  # here: the library's tests run where nbclient is not

    return clone_of_this_tree(tmp_path_factory.mktemp("repository"))
