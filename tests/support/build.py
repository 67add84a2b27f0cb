"""Building the site for the tests that read its pages, where it is not there."""

import subprocess
import sys
import time
from pathlib import Path

from tests.support.book import ROOT
from tests.support.site import HTML


def build_if_missing() -> None:
    """Build the site where there is none. One process builds; others, which start at the same time, wait for it."""
    if (HTML / "index.html").exists():  # Jupyter Book writes it last
        return
    lock = ROOT / "_build" / "by-tests"
    lock.parent.mkdir(exist_ok=True)
    try:
        lock.mkdir()
    except FileExistsError:
        _wait_for(lock)
        return
    try:
        build = [Path(sys.executable).with_name("jupyter-book"), "build", "."]
        done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"the site cannot be built: {done.stderr[-2000:]}"
    finally:
        lock.rmdir()


def _wait_for(lock: Path) -> None:
    limit = time.monotonic() + 300
    while lock.exists():
        assert time.monotonic() < limit, f"{lock} is left over from another run: remove it"
        time.sleep(0.5)
    assert (HTML / "index.html").exists(), "the site could not be built: `make book` says why"
