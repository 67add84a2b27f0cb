"""Chromium for the tests: the system's, or the one that playwright has fetched."""

import contextlib
import shutil

from playwright.sync_api import Error, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def chromium():
    """A playwright ``Browser``; without one on this machine an error that says how to get it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        except Error as error:
            raise RuntimeError(
                "the page tests need Chromium: `apt-get install chromium`, or"
                " `.venv/bin/playwright install --with-deps chromium`"
            ) from error
        yield browser
        browser.close()


if __name__ == "__main__":  # `make test` asks before it starts
    try:
        with chromium():
            pass
    except RuntimeError as error:
        raise SystemExit(str(error)) from None
