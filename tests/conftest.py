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
