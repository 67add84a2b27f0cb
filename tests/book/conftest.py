"""What tests of the book share: pages with explorers, and a small book of one chapter."""

import shutil

import pytest

from tests.support import small_book
from tests.support.explorer_page import PAGE


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


@pytest.fixture(scope="session")
def executed_book(tmp_path_factory):
    root = small_book.make(tmp_path_factory.mktemp("book"))
    assert "executed" in small_book.run(root, "notebooks").stdout
    return root


@pytest.fixture
def book(executed_book, tmp_path):
    """A copy of the small book, its chapter executed, for one test to change."""
    return shutil.copytree(executed_book, tmp_path / "book")
