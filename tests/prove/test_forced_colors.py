"""Every page of the built site where the system forces its own colors, as Windows does for high contrast."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.support.explorer_page import UNFILLED
from tests.support.site import CONTRAST, FORMULAS, LOOKS, OVERFLOW, OWN_PAGES, PHONE, VIOLATIONS, opened

pytestmark = pytest.mark.usefixtures("built_site")

EXPLORER = "chapters/explorer.html"
FOCUSED = """one => {
  one.focus({ focusVisible: true });
  const style = getComputedStyle(one);
  return parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none";
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", OWN_PAGES)
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
