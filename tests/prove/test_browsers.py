"""The built site in Firefox, in the system's own colors, and without JavaScript: what else its readers have.

`make test` has Chromium, light, dark and on a phone. `make prove` installs Firefox where it is missing.
"""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.support.explorer_page import SHOWN
from tests.support.firefox import started
from tests.support.site import CONTRAST, FORMULAS, HTML, LOOKS, OVERFLOW, OWN_PAGES, PHONE, SETTLED, VIOLATIONS, opened
from tools.firefox import find

pytestmark = pytest.mark.usefixtures("built_site")

EXPLORER = "chapters/explorer.html"
WALK = "chapters/depthwise_convolution.html"
every_page = pytest.mark.parametrize("page", OWN_PAGES)
# What is drawn with a ground of its own and has the page's color instead.
UNFILLED = """() => [...document.querySelectorAll(".share, .bar .standard, .sheet .lit rect, .kernel.present .ground")]
  .filter(one => {
    const style = getComputedStyle(one), ground = getComputedStyle(one.closest(".dslib-explorer")).backgroundColor;
    return one.matches("rect") ? style.fill === ground : (style.backgroundImage === "none" &&
      [ground, "rgba(0, 0, 0, 0)"].includes(style.backgroundColor) && style.borderLeftColor === ground);
  }).map(one => one.outerHTML)"""
FOCUSED = """one => {
  one.focus({ focusVisible: true });
  const style = getComputedStyle(one);
  return parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none";
}"""


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


@every_page
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


@pytest.mark.parametrize("key", ["constructor", "__proto__", "toString", "%E0%A4%A", "stride=" + 2**16 * "9"])
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@every_page
def test_page_in_forced_colors(browser, page, scheme):
    """Text is readable, formulas show, nothing complains, on a screen as narrow as a phone's."""
    tab, visit = opened(browser.new_context(viewport=PHONE, forced_colors="active", color_scheme=scheme), page)
    tab.evaluate(AXE_SCRIPT)
    assert tab.evaluate(VIOLATIONS, [CONTRAST, LOOKS]) == []
    assert tab.evaluate(FORMULAS) == [] and tab.evaluate(OVERFLOW) <= 0
    assert not visit.complaints and not visit.missing
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_explorer_in_forced_colors_is_filled_and_shows_the_focus(browser, scheme):
    for kind in ("standard", "separable", "ghost"):
        tab, _ = opened(browser.new_context(forced_colors="active", color_scheme=scheme), EXPLORER)
        tab.locator("[name=kind]").select_option(kind)
        assert tab.evaluate(UNFILLED) == []
        for one in tab.locator(".dslib-explorer :is(select, input, button, pre, [data-output]):visible").all():
            assert one.evaluate(FOCUSED), one.evaluate("one => one.outerHTML.slice(0, 99)")
        tab.context.close()


@every_page
def test_page_without_javascript(browser, page):
    """All that can be read is there: nothing is beside a phone's screen, nothing complains, solutions open."""
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    tab, wrong = context.new_page(), []
    tab.on("console", lambda said: wrong.append(said.text))
    tab.on("requestfailed", lambda request: wrong.append(request.url))
    tab.goto((HTML / page).as_uri())
    assert tab.evaluate(FORMULAS) == [] and tab.evaluate(OVERFLOW) <= 0 and not wrong
    solution = tab.locator("article details:not(.dslib-quiz *)").first
    if solution.count():
        solution.locator("summary").first.click()
        assert solution.locator("summary ~ *").first.is_visible()
    context.close()


@pytest.mark.parametrize("page, root", [(EXPLORER, ".dslib-explorer"), (WALK, ".dslib-walk")])
def test_without_javascript_explorer_and_walk_say_so(browser, page, root):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((HTML / page).as_uri())
    assert tab.locator(f"{root} .dslib-off").is_visible() and "Scripts are off" in tab.locator(root).inner_text()
    assert not tab.locator(f"{root} :is(button, input)").first.is_visible()
    context.close()
