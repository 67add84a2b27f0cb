"""Every page of the built site in Firefox, on a phone; and the explorer, typed into. `make test` has Chromium."""

import pytest

from tests.support.explorer_page import SHOWN, UNFILLED
from tests.support.firefox import started
from tests.support.site import FORMULAS, HTML, OVERFLOW, OWN_PAGES, PHONE, SETTLED
from tools.firefox import find

pytestmark = pytest.mark.usefixtures("built_site")

EXPLORER = "chapters/explorer.html"


def firefox_with(tmp_path_factory, **settings):
    path = find()
    assert path, "firefox is missing: python -m tools.firefox installs it, or says what to do"
    return started(path, tmp_path_factory.mktemp("profile"), settings)


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    with firefox_with(tmp_path_factory) as one:
        yield one


@pytest.fixture
def quiet(firefox):
    """Firefox, in which nothing may be complained about during the test."""
    firefox.complaints.clear()
    yield firefox
    assert not firefox.complaints


@pytest.mark.parametrize("page", OWN_PAGES)
def test_page_in_firefox(quiet, page):
    """Nothing in the console, every picture and formula shown, and nothing beside the screen of a phone."""
    quiet.open((HTML / page).as_uri(), **PHONE)
    quiet.evaluate(f"({SETTLED})()")
    assert quiet.evaluate(f"({FORMULAS})()") == []
    assert quiet.evaluate(f"({OVERFLOW})()") <= 0


def choose(firefox, name, value):
    """Type a value into a field of the explorer, over what is there."""
    firefox.evaluate(f"document.querySelector('[name={name}]').select()")
    firefox.press(*value)
    return firefox.evaluate(f"({SHOWN})()")


def test_explorer_in_firefox_is_typed_into_moved_in_linked_and_left(quiet):
    address = (HTML / EXPLORER).as_uri()
    quiet.open(address)
    first = quiet.evaluate(f"({SHOWN})()")
    assert choose(quiet, "in_channels", "6")["cells"]["own macs"] == f"{6 * 8 * 9 * 64:,}"
    shown = choose(quiet, "stride", "2")
    assert shown["cells"]["own macs"] == f"{6 * 8 * 9 * 16:,}" and shown["problem"] == ""
    quiet.press("Tab")
    reads = "document.querySelector('[data-reads]').textContent"
    quiet.evaluate("document.querySelector('[data-output]').focus()")
    quiet.press("ArrowDown", "ArrowRight")
    assert quiet.evaluate(reads).startswith("Output channel 0, row 2, column 2 reads rows 3 to 5, columns 3 to 5 of")
    link = quiet.evaluate("location.href")
    assert "in_channels=6" in link and "stride=2" in link
    quiet.open("about:blank")
    quiet.open(link)
    assert quiet.evaluate(f"({SHOWN})()") == shown
    quiet.open("about:blank")
    quiet.open(address)
    assert quiet.evaluate(f"({SHOWN})()") == first


def test_what_firefox_takes_for_no_number_is_told(quiet):
    quiet.open((HTML / EXPLORER).as_uri())
    words = "input, Cin: a whole number from 1 to 1024, in digits alone: 1024, not 1,024. Shown instead: "
    assert choose(quiet, "in_channels", "1,024")["problem"].startswith(words)
    assert choose(quiet, "in_channels", "1024")["cells"]["own params"] == f"{1024 * 8 * 9:,}"


@pytest.mark.parametrize("key", ["constructor=1", "__proto__=1", "toString=1", "%E0%A4%A", "stride=" + 2**16 * "9"])
def test_no_link_breaks_the_explorer_in_firefox(quiet, key):
    quiet.open("about:blank")
    quiet.open(f"{(HTML / EXPLORER).as_uri()}#explorer&{key}")
    shown = quiet.evaluate(f"({SHOWN})()")
    assert shown["cells"]["own macs"] == "36,864" and shown["problem"].startswith("Not taken from the link: ")


def test_explorer_is_filled_in_firefox_with_forced_colors(tmp_path_factory):
    with firefox_with(tmp_path_factory, **{"browser.display.document_color_use": 2}) as firefox:
        firefox.open((HTML / EXPLORER).as_uri() + "#explorer&kind=ghost")
        assert firefox.evaluate("matchMedia('(forced-colors: active)').matches")
        assert firefox.evaluate(f"({UNFILLED})()") == [] and not firefox.complaints
