"""The built site as a reader has it: Chromium opens every page from disk, in light, in dark and on a phone."""

import contextlib
import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import yaml
from axe_playwright_python.base import AXE_SCRIPT

from tests.support.book import PAGES, ROOT
from tests.support.browser import chromium

HTML = ROOT / "_build" / "html"
BUILT = [Path(page).with_suffix(".html").as_posix() for page in PAGES]
ALL = [*BUILT, "search.html", "genindex.html", "py-modindex.html", "404.html"]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}  # all that dark changes
LAYOUT = WCAG | {"rules": {"color-contrast": {"enabled": False}}}  # all that a narrow screen changes, and much faster
HEAVIEST = 1.5e6  # bytes, gzipped
every_page = pytest.mark.parametrize("page", ALL)

# Resolves when the page is quiet: pictures and fonts there, every formula typeset, also those far below.
SETTLED = """async () => {
  document.querySelectorAll('img').forEach(image => image.loading = 'eager');
  if (document.querySelector('article .math')) {
    dispatchEvent(new Event('scroll'));
    while (document.documentElement.dataset.math != 'shown') await new Promise(done => setTimeout(done, 50));
  }
  await Promise.all([...document.images].map(image => image.decode().catch(() => console.error('broken', image.src))));
  await document.fonts.ready;
  await new Promise(done => setTimeout(done, 400)); // the theme looks for what can be scrolled 300 ms after a change
}"""
FORMULAS = """() => ({
  written: document.querySelectorAll('article .math').length,
  shown: [...document.querySelectorAll('article .math')]
    .filter(math => math.closest('details:not([open])') || math.querySelector('mjx-container mjx-math')?.clientWidth)
    .length,
  wrong: [...document.querySelectorAll('mjx-merror, [data-mjx-error]')].map(node => node.textContent),
})"""
# What sticks out of the screen and cannot be scrolled by itself.
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Wide formulas whose beginning no scrolling would bring into sight.
CUT_OFF = """() => [...document.querySelectorAll('article div.math mjx-container')]
  .filter(one => one.getBoundingClientRect().left < one.parentElement.getBoundingClientRect().left - 1).length"""
# Code has thousands of coloured words; axe would measure each. One of every style stays, the others become plain text.
THINNED = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll('.highlight pre span[class]')) {
    const style = word.className + ' ' + word.closest('div.highlight').parentElement.className;
    seen.has(style) ? word.replaceWith(word.textContent) : seen.add(style);
  }
}"""
VIOLATIONS = """options => axe.run(document, {...options, selectors: false, preload: false}).then(
  found => found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.html.slice(0, 160)} ${(node.any[0] ?? node.all[0] ?? node.none[0]).message}`
  ))
)"""


@dataclass
class Visit:
    """What happened while a page was open."""

    files: set = field(default_factory=set)
    elsewhere: set = field(default_factory=set)
    missing: set = field(default_factory=set)
    complaints: list = field(default_factory=list)
    violations: dict = field(default_factory=dict)
    formulas: dict = field(default_factory=dict)
    overflow: int = 0
    cut_off: int = 0

    def note_request(self, request):
        address = urlparse(request.url)
        if address.scheme == "file":
            self.files.add(Path(unquote(address.path)))
        elif address.scheme not in ("data", "blob"):
            self.elsewhere.add(request.url)

    def weight(self):
        """Bytes of a first visit from a server that compresses text."""
        return sum(size(path) for path in self.files)


def size(path):
    data = path.read_bytes()
    return len(data if path.suffix in {".woff", ".woff2", ".png"} else gzip.compress(data, 6))


def opened(context, page):
    """A tab with the page, and what is noted from its first byte on."""
    visit, tab = Visit(), context.new_page()
    tab.on("request", visit.note_request)
    tab.on("requestfailed", lambda request: visit.missing.add(request.url))
    tab.on("console", lambda said: said.type in ("error", "warning") and visit.complaints.append(said.text))
    tab.on("pageerror", lambda error: visit.complaints.append(str(error)))
    tab.goto((HTML / page).as_uri())
    tab.evaluate(SETTLED)
    return tab, visit


def look(browser, page):
    """Open the page three ways, once each, and note everything that the tests below ask."""
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    tab, visit = opened(context, page)
    visit.formulas = tab.evaluate(FORMULAS)
    tab.evaluate(THINNED)
    tab.evaluate(AXE_SCRIPT)
    tab.add_style_tag(content="* { transition: none !important }")  # no colour is measured half way
    visit.violations["light"] = tab.evaluate(VIOLATIONS, WCAG)
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("['dark', undefined].includes(document.documentElement.dataset.theme)")  # 404 has no switch
    visit.violations["dark"] = tab.evaluate(VIOLATIONS, COLOURS)
    tab.set_viewport_size(PHONE)
    tab.evaluate(SETTLED)
    visit.overflow = tab.evaluate(OVERFLOW)
    visit.cut_off = tab.evaluate(CUT_OFF)
    visit.violations["phone"] = tab.evaluate(VIOLATIONS, LAYOUT)
    context.close()
    return visit


@pytest.fixture(scope="module")
def browser():
    with contextlib.ExitStack() as stack:
        try:
            found, why = stack.enter_context(chromium()), ""
        except RuntimeError as error:
            found, why = None, str(error)
        if not found:
            pytest.fail(why, pytrace=False)  # one line, and nothing of how it was found out
        yield found


@pytest.fixture(scope="module")
def visits(browser):
    """``visits(page)``: what happened there; each page is opened once for all tests."""
    seen = {}

    def visit(page):
        if page not in seen:
            seen[page] = look(browser, page)
        return seen[page]

    return visit


@every_page
def test_page_asks_no_other_host_and_misses_no_file(visits, page):
    visit = visits(page)
    assert not visit.elsewhere
    assert not visit.missing and all(path.is_file() for path in visit.files)


@every_page
def test_console_stays_empty(visits, page):
    assert not visits(page).complaints


@every_page
def test_every_formula_is_shown(visits, page):
    formulas = visits(page).formulas
    assert formulas["shown"] == formulas["written"] and not formulas["wrong"]


@every_page
@pytest.mark.parametrize("view", ["light", "dark", "phone"])
def test_axe_finds_nothing(visits, page, view):
    violations = visits(page).violations[view]
    assert not violations, "\n".join(violations)


@every_page
def test_page_fits_a_phone(visits, page):
    assert visits(page).overflow <= 0 and not visits(page).cut_off


def test_first_visits_are_light(visits, capsys):
    weights = {page: visits(page).weight() for page in ALL}
    with capsys.disabled():
        print(
            "\nfirst visit, gzipped:",
            json.dumps({page: f"{weight / 1e3:.0f} kB" for page, weight in weights.items()}, indent=2),
        )
    assert max(weights.values()) < HEAVIEST


def test_search_from_disk_finds_a_chapter_by_its_words(browser):
    tab = browser.new_page()
    tab.goto((HTML / BUILT[0]).as_uri())
    tab.locator("button.search-button-field").click()
    field = tab.locator("#pst-search-dialog input[type=search]")
    field.fill("resolution multiplier")
    field.press("Enter")
    tab.wait_for_selector("#search-results a[href*='mobilenet_v1.html']")
    tab.close()


def test_copy_button_copies_the_cell(browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    tab = context.new_page()
    tab.goto((HTML / "chapters/standard_convolution.html").as_uri())
    block = tab.locator("div.highlight").nth(1)
    block.hover()
    block.locator("button.copybtn").click()
    assert tab.evaluate("navigator.clipboard.readText()").strip() == block.locator("pre").inner_text().strip()
    context.close()


def test_on_paper_solutions_are_open_code_is_whole_and_nothing_else_is_there(browser):
    tab, _ = opened(browser.new_context(viewport={"width": 680, "height": 900}), "chapters/cost_analysis.html")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("article details").count() == tab.locator("article details[open]").count() > 0
    cut = "pre => pre.scrollWidth > pre.clientWidth + 1"
    assert not any(pre.evaluate(cut) for pre in tab.locator("article pre").all())
    for beside in ("#pst-primary-sidebar", "#pst-secondary-sidebar", ".prev-next-footer", ".copybtn"):
        assert not tab.locator(beside).first.is_visible(), beside
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("article details[open]").count() == 0
    tab.context.close()


def test_print_that_comes_before_the_formulas_says_so_and_one_that_comes_amid_them_finishes_them(browser):
    tab = browser.new_page()
    tab.goto((HTML / "chapters/cost_analysis.html").as_uri(), wait_until="commit")
    tab.wait_for_selector("article .math", state="attached")
    tab.wait_for_load_state("domcontentloaded")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    said = "getComputedStyle(document.querySelector('article'), '::before').content"
    assert "print again" in tab.evaluate(said)
    tab.wait_for_selector("article mjx-container", state="attached")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    bare = "[...document.querySelectorAll('article .math')].filter(math => !math.querySelector('mjx-container')).length"
    assert tab.evaluate(bare) == 0
    tab.wait_for_function("document.documentElement.dataset.math == 'shown'")
    assert "print again" not in tab.evaluate(said)
    tab.close()


def test_quiz_answers_to_the_keyboard_and_says_more_when_opened(browser):
    """Tab reaches every option, Enter opens it, and what then shows is as readable as the rest, in light and dark."""
    tab, _ = opened(browser.new_context(viewport=WIDE, color_scheme="light"), "chapters/standard_convolution.html")
    options = tab.locator(".dslib-quiz details")
    options.first.locator("summary").focus()
    for number in range(options.count()):
        option = options.nth(number)
        assert option.locator("summary").evaluate("summary => summary === document.activeElement")
        assert not option.locator("p").is_visible()
        tab.keyboard.press("Enter")
        assert option.locator("p").is_visible() and option.locator("p").inner_text()[0] in "✓✗"
        tab.keyboard.press("Tab")
    assert options.count() >= 9
    tab.evaluate(AXE_SCRIPT)
    within = "options => axe.run('.dslib-quiz', options).then(found => found.violations.map(rule => rule.id))"
    assert tab.evaluate(within, WCAG) == []
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("document.documentElement.dataset.theme == 'dark'")
    assert tab.evaluate(within, WCAG) == []
    tab.context.close()


def test_screen_reader_hears_each_question_as_a_group_and_each_option_as_something_to_open(browser):
    tab, _ = opened(browser.new_context(viewport=WIDE), "chapters/standard_convolution.html")
    heard = tab.locator(".dslib-quiz").aria_snapshot()
    questions = tab.locator(".dslib-quiz .ask").count()
    assert [f'group "Question {number}"' in heard for number in range(1, questions + 1)] == [True] * questions
    assert heard.count("- group") == questions + tab.locator(".dslib-quiz details").count()
    tab.context.close()


def test_quiz_has_its_answers_on_paper(browser):
    tab, _ = opened(browser.new_context(viewport={"width": 680, "height": 900}), "chapters/standard_convolution.html")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown = tab.locator(".dslib-quiz details p")
    assert shown.count() >= 9 and all(answer.is_visible() for answer in shown.all())
    tab.context.close()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_cheat_sheet_is_one_sheet_of_paper(browser, paper):
    tab, _ = opened(browser.new_context(viewport=WIDE), "chapters/cheat_sheet.html")
    margins = dict.fromkeys(("top", "bottom", "left", "right"), "0.4in")  # a browser's own
    assert len(re.findall(rb"/Type\s*/Page\b", tab.pdf(format=paper, margin=margins))) == 1
    tab.context.close()


def test_missing_page_leads_back_from_any_depth_of_the_published_site(browser):
    """GitHub Pages answers every address that leads nowhere with 404.html, below the repository's name."""
    address = urlparse(yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"])
    site = address._replace(netloc=address.netloc.lower()).geturl()
    asked, lost = f"{site}no/such/page.html", []

    def serve(route):
        path = HTML / unquote(route.request.url.partition("?")[0]).removeprefix(site)
        if not path.is_file():
            lost.append(route.request.url)
        route.fulfill(path=path if path.is_file() else HTML / "404.html")

    tab = browser.new_page()
    tab.route("**/*", serve)
    tab.goto(asked)
    tab.get_by_role("link", name="first page").click()
    tab.wait_for_url(f"{site}{BUILT[0]}")
    assert lost == [asked]
    tab.close()
