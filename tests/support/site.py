"""The built site: its pages, and a look at each of them in Chromium, from disk, in light, in dark and on a phone."""

import gzip
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlparse

from axe_playwright_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup

from tests.support.book import PAGES, ROOT

HTML = ROOT / "_build" / "html"
BUILT = [Path(page).with_suffix(".html").as_posix() for page in PAGES]
OWN_PAGES = [*BUILT, "search.html", "genindex.html", "py-modindex.html"]
ALSO_WIDE = ["chapters/cost_analysis.html", "search.html"]  # what a phone hides, the sidebars, is alike on every page
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "rules": {"color-contrast": {"enabled": False}}}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}

# Resolves when the page is quiet: pictures and fonts there.
SETTLED = """async () => {
  await Promise.all([...document.images].map(image => image.decode().catch(() => console.error('broken', image.src))));
  await document.fonts.ready;
  await new Promise(done => setTimeout(done, 400)); // the theme looks for what can be scrolled 300 ms after a change
}"""
# Formulas outside of what is folded that take no room.
FORMULAS = """() => [...document.querySelectorAll('article .math')]
  .filter(one => !one.closest('details:not([open])') && !one.querySelector('math')?.getBoundingClientRect().width)
  .map(one => one.outerHTML)"""
# What sticks out of the screen and cannot be scrolled by itself.
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
# The characters that icon fonts show: each with its family and weight.
ICONS = """() => [...document.querySelectorAll('*')].flatMap(one => ['::before', '::after']
  .map(place => getComputedStyle(one, place))
  .filter(style => style.fontFamily.includes('Font Awesome') && /^"."$/u.test(style.content))
  .map(style => [style.fontFamily.includes('Brands') ? 'brands' : style.fontWeight, style.content[1]]))"""
# Contrast takes axe minutes on pages of a thousand words. So it gets one element of every look: letters and ground.
LOOKS = """() => {
  const seen = new Map(), ground = one => {
    const color = getComputedStyle(one).backgroundColor;
    return color !== 'rgba(0, 0, 0, 0)' || !one.parentElement ? color : ground(one.parentElement);
  };
  for (const one of document.querySelectorAll('body *')) {
    if (!one.checkVisibility() || ![...one.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(one), around = getComputedStyle(one.parentElement);
    const link = one.matches('a') ? [around.color, style.textDecorationLine] : [];
    const look = [style.color, style.fontSize, style.fontWeight, style.opacity, ground(one), ...link].join();
    if (!seen.has(look)) seen.set(look, one);
  }
  return [...seen.values()];
}"""
VIOLATIONS = """([options, looks]) => axe.run(looks ? {include: eval(looks)()} : document, {
  ...options, selectors: false, preload: false
}).then(
  found => found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.id}: ${node.html.slice(0, 160)} ${(node.any[0] ?? node.all[0] ?? node.none[0]).message}`
  ))
)"""


@cache
def soup(page: str) -> BeautifulSoup:
    """A built page as a tree, read once for all tests: they do not change it."""
    path = HTML / page
    assert path.is_file(), f"{path} is missing: run `make book` first"
    return BeautifulSoup(path.read_text(), "html.parser")


@dataclass
class Visit:
    """What happened while a page was open."""

    files: set = field(default_factory=set)
    elsewhere: set = field(default_factory=set)
    missing: set = field(default_factory=set)
    complaints: list = field(default_factory=list)
    violations: dict = field(default_factory=dict)
    icons: set = field(default_factory=set)
    not_shown: list = field(default_factory=list)
    overflow: int = 0

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
    """Open the page once, wide and narrow, and note everything that the tests ask."""
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    tab, visit = opened(context, page)
    visit.not_shown = tab.evaluate(FORMULAS)
    visit.icons = {tuple(icon) for icon in tab.evaluate(ICONS)}
    tab.evaluate(AXE_SCRIPT)
    tab.add_style_tag(content="* { transition: none !important }")  # no color is measured half way
    if page in ALSO_WIDE:
        visit.violations["wide"] = tab.evaluate(VIOLATIONS, [WCAG, None])
    visit.violations["light"] = tab.evaluate(VIOLATIONS, [CONTRAST, LOOKS])
    tab.emulate_media(color_scheme="dark")
    tab.wait_for_function("['dark', undefined].includes(document.documentElement.dataset.theme)")  # 404 has no switch
    visit.violations["dark"] = tab.evaluate(VIOLATIONS, [CONTRAST, LOOKS])
    tab.set_viewport_size(PHONE)
    tab.evaluate(SETTLED)
    visit.overflow = tab.evaluate(OVERFLOW)
    visit.violations["phone"] = tab.evaluate(VIOLATIONS, [WCAG, None])
    context.close()
    return visit
