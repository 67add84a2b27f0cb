"""Walk and explorer where scripts, or more, are off: they say so, and a still is shown only where it is needed."""

import pytest
from bs4 import BeautifulSoup

from dslib import explorer, figures

KNOBS = "Scripts are off here: in a notebook, run this cell to turn the knobs."
FRAGMENTS = {
    "walk": figures.draw_convolution_walk([[[1, 2]], [[3, 4]]], [[[[5]], [[6]]]], [[[23, 34]]]),
    "explorer": explorer.explore("separable"),
}
OUTPUTS = {  # how a front end wraps two outputs of a cell
    "the site": '<div class="cell_output"><div class="output text_html">{}</div>{}</div>',
    "JupyterLab": '<div class="jp-OutputArea-child"><div class="jp-OutputArea-output">{}</div></div>'
    '<div class="jp-OutputArea-child">{}</div>',
    "classic": '<div class="output"><div class="output_area">{}</div><div class="output_area">{}</div></div>',
}
STILL = '<img alt="still" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="9" height="9">'
BOOTSTRAP = "<style>[hidden] { display: none !important }</style>"  # as the site's theme has it
every_fragment = pytest.mark.parametrize("name", FRAGMENTS)
every_front_end = pytest.mark.parametrize("front_end", OUTPUTS)


@pytest.fixture
def page(browser):
    """``page(html)``: it opened, with or without scripts."""
    contexts = []

    def show(html, **settings):
        contexts.append(browser.new_context(**settings))
        shown = contexts[-1].new_page()
        shown.set_content(f"<!doctype html><title>t</title>{BOOTSTRAP}<main>{html}</main><p id=after>after</p>")
        return shown

    yield show
    for context in contexts:
        context.close()


def cell(name, front_end):
    return OUTPUTS[front_end].format(FRAGMENTS[name]._repr_html_(), STILL)


def cleaned(html):
    """What JupyterLab leaves of the HTML of a notebook that is not trusted, as seen in version 4.6."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.select("style, script"):
        tag.decompose()
    for tag in soup.select("svg, svg *"):
        tag.unwrap()
    for tag in soup.find_all(True):
        tag.attrs = {
            name: value for name, value in tag.attrs.items() if value and not name.startswith(("data-", "aria"))
        }
    return str(soup)


@every_front_end
@every_fragment
def test_with_scripts_neither_words_nor_still_are_shown(name, front_end, page):
    shown = page(cell(name, front_end))
    assert shown.locator(".dslib-off").is_hidden() and shown.get_by_alt_text("still").is_hidden()
    assert shown.locator("input:visible").count() and shown.locator("#after").is_visible()
    assert KNOBS not in shown.locator("main").aria_snapshot()


@every_fragment
def test_site_without_scripts_says_so_and_needs_no_still(name, page):
    shown = page(cell(name, "the site"), java_script_enabled=False)
    assert shown.locator(".dslib-off").inner_text() == KNOBS and shown.get_by_alt_text("still").is_hidden()
    assert shown.locator("input:visible, button:visible").count() == 0
    assert shown.locator({"walk": "svg", "explorer": "table"}[name]).is_visible()
    shown.emulate_media(media="print")
    assert shown.locator(".dslib-off").is_hidden()


@every_fragment
def test_notebook_that_is_not_trusted_says_what_to_do_and_shows_the_still(name, page):
    shown = page(cleaned(cell(name, "JupyterLab")))
    assert shown.locator(".dslib-off").inner_text() == KNOBS and shown.get_by_alt_text("still").is_visible()
    assert shown.locator("input:visible, button:visible, select:visible").count() == 0
    words = shown.locator("main").inner_text()
    assert "channel 0channel 1" not in words and "Point at an output cell" not in words
    assert {"walk": "= 5 + 18 = 23", "explorer": "MACs"}[name] in words  # what can be said without a picture


def test_words_stay_where_the_script_fails(page):
    broken = cell("explorer", "the site").replace("function start(root) {", "function start(root) { throw new Error();")
    assert page(broken).locator(".dslib-off").is_visible()
