"""One Chromium for all tests of the book that a process runs."""

import contextlib

import pytest

from tests.support.explorer_page import PAGE
from tools.browser import chromium


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


@pytest.fixture
def visit(browser, tmp_path):
    """``visit(*explorers)``: a page with them, opened from the disk; what went wrong in it fails the test."""
    wrong, contexts = [], []

    def show(*shown, attributes="", body="", linkable=False, address="", before="", **settings):
        html = "".join(one.html(linkable) for one in shown)
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(PAGE.format(attributes=attributes, body=body, html=html), encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
        page.add_init_script(before)
        page.goto(file.as_uri() + address)
        return page

    yield show
    for context in contexts:
        context.close()
    assert not wrong
