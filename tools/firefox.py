"""Firefox, for `make prove`: the one that is installed, or Debian's, as root or with a sudo that asks for no password.

python -m tools.firefox
"""

import shutil
import sys

from tools.browser import by_apt, succeeds

NAMES = ("firefox-esr", "firefox")
NONE = "the pages are proved in Firefox too, and none could be found or installed: install firefox-esr or firefox"


def find() -> str | None:
    """The first Firefox that starts; None if there is none."""
    paths = filter(None, map(shutil.which, NAMES))
    return next((path for path in paths if succeeds(path, "--version")), None)  # Ubuntu's may be a script


def get() -> str:
    """The path of a Firefox that starts, installed if need be. RuntimeError, one line, if there is none."""
    if find() is None:
        by_apt("Firefox for `make prove`: apt-get install firefox-esr, some 250 MB", "firefox-esr")
    if (path := find()) is None:
        raise RuntimeError(NONE)
    return path


if __name__ == "__main__":
    try:
        print(get())
    except RuntimeError as error:
        sys.exit(str(error))
