"""Chromium, for the tests of the pages and for `make picture`: the one that is installed, or one that this fetches.

    python -m tools.browser

Three ways, each tried if the one before it fails: an installed Chromium or Chrome; Debian's package, as root or with a
sudo that asks for no password; playwright's own Chromium, in the user's cache.
"""

import contextlib
import os
import shutil
import subprocess
import sys

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-dejavu-core", "libatomic1")
OWN = "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"
NONE = (
    "the pages are tested in Chromium, and none could be found or fetched: install chromium, or let"
    " `.venv/bin/playwright install --with-deps chromium` do it"
)


def succeeds(*command: str) -> bool:
    """Whether the command exists and exits with 0. What it prints is dropped: it is asked, not shown."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def find() -> str | None:
    """The first Chromium or Chrome that starts: the system's, or playwright's own. None if there is none."""
    asked = subprocess.run([sys.executable, "-c", OWN], capture_output=True, text=True)
    if asked.returncode:  # playwright itself does not start: a bare Debian lacks libatomic1, which its node needs
        return None
    for path in filter(None, [*map(shutil.which, NAMES), asked.stdout.strip()]):
        if succeeds(path, "--version"):  # Ubuntu's chromium-browser may be a script that only says where to get it
            return path
    return None


def by_apt(said: str, *packages: str) -> None:
    """Debian's packages, quietly, where this user may install them."""
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get") is None or (as_root and not succeeds(*as_root, "true")):
        return
    print(said, flush=True)
    apt = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    subprocess.run([*apt, "update"])  # may fail for one source of several; the next line says what counts
    subprocess.run([*apt, "install", "-y", "--no-install-recommends", *packages])


def by_debian() -> None:
    """Debian's Chromium, with what it needs on a bare system."""
    by_apt("Chromium for the page tests: apt-get install chromium, some 150 MB", *PACKAGES)


def by_playwright() -> None:
    """The one that playwright brings, which needs no rights but many libraries of the system."""
    print("Chromium for the page tests: playwright's own, some 170 MB", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"])


def get() -> str:
    """The path of a browser that starts, fetched if need be. RuntimeError, one line, if no way leads to one."""
    path = find()
    for way in (by_debian, by_playwright):
        if path is None:
            way()
            path = find()
    if path is None:
        raise RuntimeError(NONE)
    return path


@contextlib.contextmanager
def chromium():
    """A playwright ``Browser``; without one on this machine an error that says how to get it."""
    from playwright.sync_api import sync_playwright  # here: half a second that finding one does not need

    path = find()
    if path is None:
        raise RuntimeError(NONE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield opened
        opened.close()


if __name__ == "__main__":
    try:
        print(get())
    except RuntimeError as error:
        sys.exit(str(error))
