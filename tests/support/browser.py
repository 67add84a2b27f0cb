"""Chromium for the tests, as tools/browser.py finds it."""

import contextlib

from playwright.sync_api import sync_playwright

from tools import browser

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
    path = browser.find()
    if path is None:
        raise RuntimeError(browser.NONE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield opened
        opened.close()
