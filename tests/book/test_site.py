"""The built site as a reader has it: Chromium opens every page from disk, in light, in dark and on a phone."""

import io
import json
import re
import unicodedata

import numpy as np
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from fontTools.ttLib import TTFont
from PIL import Image

from tests.support.site import (
    ALSO_WIDE,
    BUILT,
    FORMULAS,
    HTML,
    OWN_PAGES,
    WCAG,
    WIDE,
    look,
    opened,
    soup,
)

pytestmark = pytest.mark.usefixtures("built_site")

ALL = [*OWN_PAGES, "404.html"]
EVERYTHING = {"runOnly": WCAG["runOnly"]}  # contrast too
STANDARD = "chapters/standard_convolution.html"
HEAVIEST = 400e3  # bytes of a first visit, gzipped, every formula typeset
ICON_FONTS = {"brands": "fa-brands-400", "900": "fa-solid-900", "400": "fa-regular-400"}
every_page = pytest.mark.parametrize("page", ALL)


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
    assert not visits(page).not_shown


@every_page
def test_axe_finds_nothing(visits, page):
    """Contrast in light and in dark; all other rules on a phone, and wide where that differs."""
    violations = visits(page).violations
    assert len(violations) == (4 if page in ALSO_WIDE else 3)
    assert not any(violations.values()), "\n".join(f"{view}: {found}" for view, found in violations.items())


@every_page
def test_page_fits_a_phone(visits, page):
    assert visits(page).overflow <= 0


def test_first_visits_are_light(visits, capsys):
    """Formulas are typeset when the book is built: their weight is that of the page and of one font."""
    weights = {page: visits(page).weight() for page in ALL}
    with capsys.disabled():
        print(f"\nfirst visit, gzipped: {json.dumps({page: f'{w / 1e3:.0f} kB' for page, w in weights.items()})}")
    assert HTML / "_static" / "formulas.woff2" in visits("chapters/cost_analysis.html").files
    assert weights["chapters/cost_analysis.html"] < 350e3 and max(weights.values()) < HEAVIEST


@every_page
def test_every_icon_is_in_its_font(visits, page):
    for font, icon in visits(page).icons:
        path = HTML / "_static" / "vendor" / "fontawesome" / "webfonts" / f"{ICON_FONTS[font]}.woff2"
        assert ord(icon) in TTFont(path).getBestCmap(), f"add {ord(icon):04x} to ICONS in _ext/light_pages.py"


def test_every_character_of_a_formula_is_in_the_font():
    """Single letters too, which browsers show as their italic twins."""
    known = set(map(chr, TTFont(HTML / "_static" / "formulas.woff2").getBestCmap()))
    twins = {
        unicodedata.normalize("NFKC", twin): twin for twin in known if "MATHEMATICAL ITALIC" in unicodedata.name(twin)
    }
    twins["h"] = "ℎ"
    for page in BUILT:
        for part in soup(page).select("math :is(mi, mn, mo, mtext)"):
            text = part.get_text()
            single = part.name == "mi" and len(text) == 1 and text.isalpha() and "mathvariant" not in part.attrs
            shown = [letter for letter in text if unicodedata.category(letter) != "Cf"]  # those show nothing
            assert known.issuperset(twins[text] if single else shown), f"{page}: {text}"


def test_brace_below_a_sum_is_whole_on_a_fine_screen(browser):
    """Chromium leaves out a part of it where a pixel of the page has several on the screen, unless book.css helps."""
    pictures = []
    for pixels in (1, 3):
        tab, _ = opened(browser.new_context(viewport=WIDE, device_scale_factor=pixels), STANDARD)
        formula = tab.locator("div.math", has=tab.locator("munder")).first
        pictures.append(Image.open(io.BytesIO(formula.screenshot())).convert("L"))
        tab.context.close()
    coarse, fine = (np.asarray(picture.resize(pictures[0].size, Image.Resampling.BOX), float) for picture in pictures)
    ink = [(255 - picture).reshape(-1, coarse.shape[1]).sum(0) for picture in (coarse, fine)]
    columns = [np.convolve(one, np.ones(9) / 9, "same") for one in ink]
    assert np.abs(columns[0] - columns[1]).max() < 0.25 * columns[0].max()


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
    tab.goto((HTML / STANDARD).as_uri())
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
    assert tab.evaluate(FORMULAS) == []
    cut = "pre => pre.scrollWidth > pre.clientWidth + 1"
    assert not any(pre.evaluate(cut) for pre in tab.locator("article pre").all())
    for beside in ("#pst-primary-sidebar", "#pst-secondary-sidebar", ".prev-next-footer", ".copybtn"):
        assert not tab.locator(beside).first.is_visible(), beside
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator("article details[open]").count() == 0
    tab.context.close()


def test_quiz_answers_to_the_keyboard_and_says_more_when_opened(browser):
    """Tab reaches every option, Enter opens it, and what then shows is as readable as the rest, in light and dark."""
    tab, _ = opened(browser.new_context(viewport=WIDE, color_scheme="light"), STANDARD)
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
    assert tab.evaluate(within, EVERYTHING) == []
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("document.documentElement.dataset.theme == 'dark'")
    assert tab.evaluate(within, EVERYTHING) == []
    tab.context.close()


def test_screen_reader_hears_each_question_as_a_group_and_each_option_as_something_to_open(browser):
    tab, _ = opened(browser.new_context(viewport=WIDE), STANDARD)
    heard = tab.locator(".dslib-quiz").aria_snapshot()
    questions = tab.locator(".dslib-quiz .ask").count()
    assert [f'group "Question {number}"' in heard for number in range(1, questions + 1)] == [True] * questions
    assert heard.count("- group") == questions + tab.locator(".dslib-quiz details").count()
    tab.context.close()


def test_quiz_has_its_answers_on_paper(browser):
    tab, _ = opened(browser.new_context(viewport={"width": 680, "height": 900}), STANDARD)
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    shown = tab.locator(".dslib-quiz details p")
    assert shown.count() >= 9 and all(answer.is_visible() for answer in shown.all())
    tab.context.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize(
    "page, words",
    [
        (STANDARD, "run this cell to turn the knobs"),
        ("chapters/cost_analysis.html", "run this cell to turn the knobs"),
        ("chapters/explorer.html", "allow them"),
        ("chapters/intro.html", "allow them"),
    ],
)
def test_what_lives_by_its_script_says_where_scripts_are_off_and_shows_no_still(browser, page, words, scripts):
    context = browser.new_context(viewport=WIDE, java_script_enabled=scripts)
    tab = context.new_page()
    tab.goto((HTML / page).as_uri())
    (note,) = tab.locator(".dslib-off").all()
    assert words in note.text_content() and note.is_visible() is not scripts
    stills = tab.locator(".cell_output:has(.dslib-off) img")
    assert stills.count() == (words != "allow them") and all(still.is_hidden() for still in stills.all())
    context.close()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_cheat_sheet_is_one_sheet_of_paper(browser, paper):
    tab, _ = opened(browser.new_context(viewport=WIDE), "chapters/cheat_sheet.html")
    margins = dict.fromkeys(("top", "bottom", "left", "right"), "0.4in")  # a browser's own
    assert len(re.findall(rb"/Type\s*/Page\b", tab.pdf(format=paper, margin=margins))) == 1
    tab.context.close()
