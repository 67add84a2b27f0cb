"""Every page of the built site where JavaScript is off."""

import pytest

from tests.support.site import FORMULAS, HTML, OVERFLOW, OWN_PAGES, PHONE

pytestmark = pytest.mark.usefixtures("built_site")

EXPLORER = "chapters/explorer.html"
WALK = "chapters/depthwise_convolution.html"


@pytest.mark.parametrize("page", OWN_PAGES)
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
