"""All that a reader or an author could break, in one environment: what `make test` runs. Under five minutes."""

import shutil
import sys

from tools import browser
from tools.steps import BUILD, NBVAL, ROOT, chapters, pytest, run_all

# The build comes before the tests, which read its pages.
STEPS = [
    ("format", [sys.executable, "-m", "ruff", "format", "--check", "."]),
    ("lint", [sys.executable, "-m", "ruff", "check", "."]),
    ("notebooks are their texts", [sys.executable, "-m", "tools.notebooks", "--check"]),
    ("strict build", BUILD),
    ("library, course, book, pages in a browser", pytest("tests")),
    ("notebooks against their outputs", pytest(*NBVAL, *chapters())),
]

if __name__ == "__main__":
    try:
        print("browser:", browser.get())
        shutil.rmtree(ROOT / "_build", ignore_errors=True)  # a stale page must not pass for a built one
        sys.exit(run_all(STEPS))
    except RuntimeError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("interrupted")
