"""The built site: every page there, every link and picture in it found, every figure described."""

import importlib
import pickle
import pkgutil
import re
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
import yaml
from bs4 import BeautifulSoup
from PIL import Image

import dslib
from tests.support.book import CHAPTERS, NOTEBOOKS, ROOT, SLUGS, code_cells, exercises_of, prose, read
from tests.support.site import BUILT, HTML, OWN_PAGES, soup

pytestmark = pytest.mark.usefixtures("built_site")

ALL_PAGES = [*OWN_PAGES, "index.html", "404.html"]
every_page = pytest.mark.parametrize("page", BUILT)
chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text())
KNOWN = "OWNER/REPO" not in CONFIG["repository"]["url"]  # else pages have no buttons, and no address of their own


@cache
def anchors(page):
    return {tag["id"] for tag in soup(page).find_all(id=True)}


def article(page):
    return soup(page).find("article")


def test_index_leads_to_the_first_page_and_is_described_like_it():
    assert f'url={BUILT[0]}"' in (HTML / "index.html").read_text()
    for about in ({"name": "description"}, {"property": "og:image"}):
        first = soup(BUILT[0]).find("meta", attrs=about)["content"]
        assert first and soup("index.html").find("meta", attrs=about)["content"] == first


@every_page
def test_page_has_one_title_headings_in_order_and_a_language(page):
    levels = [int(heading.name[1]) for heading in article(page).find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False)), levels
    assert soup(page).html["lang"] == "en"


@pytest.mark.parametrize("page", OWN_PAGES)
def test_local_links_and_files_exist(page):
    for tag in soup(page).find_all(["a", "img", "script", "link", "source", "object"]):
        target = tag.get("href") or tag.get("src") or tag.get("data")
        if not target or urlparse(target).scheme or target.startswith("//"):
            continue
        name, _, anchor = unquote(target).partition("#")
        file = (HTML / page).parent / name.partition("?")[0] if name else HTML / page
        assert file.exists(), f"{page} points at {target}"
        if anchor and tag.name == "a" and file.suffix == ".html":
            assert anchor in anchors(file.resolve().relative_to(HTML).as_posix()), f"{page} points at {target}"


@every_page
def test_pictures_are_described(page):
    for image in article(page).find_all("img"):
        alt = image.get("alt", "")
        assert alt and not re.search(r"_images|\.(svg|png)$", alt), f"{image.get('src')}: {alt!r}"


def test_figures_on_the_site_are_svg_alone():
    assert {path.suffix for path in (HTML / "_images").iterdir()} == {".svg"}
    images = [image["src"] for page in BUILT for image in article(page).select(".cell_output img")]
    assert images and all(image.endswith(".svg") for image in images)
    assert not any("data:image" in (HTML / page).read_text().partition("<article")[2] for page in BUILT)


@chapter
def test_chapter_shows_every_stored_figure(path):
    stored = sum("image/svg+xml" in o.get("data", {}) for cell in code_cells(read(path)) for o in cell.outputs)
    shown = article(f"chapters/{path.stem}.html").select(".cell_output img")
    assert len(shown) == stored


@pytest.mark.parametrize("page", ALL_PAGES)
def test_colab_buttons_lead_to_files_in_git_and_only_notebooks_have_one(page):
    """To this page's own notebook on the branch for Colab, as git holds it here."""
    repository, branch = CONFIG["repository"]["url"].removeprefix("https://github.com/"), CONFIG["repository"]["branch"]
    buttons = {a["href"] for a in soup(page).select("a[href*='colab.research']")}
    notebook = Path(page).with_suffix(".ipynb")
    if not KNOWN or ROOT / notebook not in NOTEBOOKS:
        assert not buttons
        return
    assert buttons == {f"https://colab.research.google.com/github/{repository}/blob/{branch}/{notebook}"}
    found = subprocess.run(["git", "cat-file", "-t", f":{notebook}"], cwd=ROOT, capture_output=True, text=True)
    assert found.stdout == "blob\n", found.stderr


@chapter
def test_links_of_notebooks_to_other_pages_stay_inside_the_built_site(path):
    """In the notebook they hold the site's address, for Colab; here they must work without a network."""
    page = soup(f"chapters/{path.stem}.html")
    links = re.findall(rf"\]\({CONFIG['html']['baseurl']}chapters/(\w+\.html)", prose(read(path)))
    here = [a["href"].partition("#")[0] for a in page.select("article a.internal")]
    outside = [a for a in page.select(f"article a[href^='{CONFIG['html']['baseurl']}']") if not a.find("img")]
    assert set(links) - {f"{path.stem}.html"} <= set(here) and not outside


@pytest.mark.parametrize("page", [*OWN_PAGES, "index.html"])
def test_page_has_a_description_an_icon_and_its_own_address(page):
    head = soup(page).head
    (description,) = head.find_all("meta", attrs={"name": "description"})
    assert 50 <= len(description["content"]) <= 160
    assert (HTML / page).parent.joinpath(head.find("link", rel="icon")["href"]).is_file()
    assert len(head.select("title")) == 1
    address = CONFIG["html"]["baseurl"] + page.replace("index.html", BUILT[0])
    assert [link["href"] for link in head.select("link[rel=canonical]")] == ([address] if KNOWN else [])


@pytest.mark.parametrize("page", [*BUILT, "index.html"])
def test_page_has_a_card_for_those_who_link_to_it(page):
    head = soup(page).head
    card = {meta["property"]: meta["content"] for meta in head.select('meta[property^="og:"]')}
    description = head.find("meta", attrs={"name": "description"})["content"]
    assert card["og:description"] == description and card["og:title"] and card["og:image:alt"]
    base = CONFIG["html"]["baseurl"] if KNOWN else ""
    assert card["og:url"] == base + page.replace("index.html", BUILT[0])
    with Image.open(HTML / card["og:image"].removeprefix(base)) as picture:
        assert picture.size == (int(card["og:image:width"]), int(card["og:image:height"])) == (1200, 630)


def test_no_two_pages_have_one_description():
    texts = [soup(page).find("meta", attrs={"name": "description"})["content"] for page in OWN_PAGES]
    assert len(set(texts)) == len(texts)


def test_pages_lead_from_the_first_to_the_last_and_back():
    for page, after in zip(BUILT, BUILT[1:], strict=False):
        assert soup(page).select_one("a.right-next")["href"] == Path(after).name
        assert soup(after).select_one("a.left-prev")["href"] == Path(page).name


@every_page
def test_displayed_formula_can_be_linked_to(page):
    for formula in article(page).select("div.math"):
        assert formula.select_one("a.headerlink")["href"] == f"#{formula['id']}"


def tex_of(page):
    """What each formula was made from, by the annotation that MathML keeps it in."""
    return [note.get_text() for note in article(page).select("math annotation")]


@chapter
def test_every_computed_formula_is_typeset(path):
    """sympy writes ``$\\displaystyle ...$``."""
    outputs = [output.get("data", {}) for cell in code_cells(read(path)) for output in cell.outputs]
    computed = [data["text/latex"].strip("$") for data in outputs if "text/latex" in data]
    shown = [tex for tex in tex_of(f"chapters/{path.stem}.html") if tex.startswith(r"\displaystyle")]
    assert shown == computed


@every_page
def test_every_formula_is_typeset(page):
    """Each has its TeX in the annotation and none outside; what is shown is no TeX."""
    formulas = article(page).select(".math")
    assert len(formulas) == len(article(page).select("math")) == len(tex_of(page))
    for formula in formulas:
        shown = "".join(part.get_text() for part in formula.select("mi, mn, mo, mtext"))
        assert shown and not re.search(r"[\\{}$]", shown), shown


@pytest.mark.parametrize("page", OWN_PAGES)
def test_no_id_stands_twice(page):
    ids = [tag["id"] for tag in soup(page).find_all(id=True)]
    assert len(set(ids)) == len(ids), sorted(name for name in ids if ids.count(name) > 1)


@every_page
def test_nothing_shows_raw(page):
    prose = BeautifulSoup(str(article(page)), "html.parser")
    for tag in prose.find_all(["pre", "code"]) + prose.select(".math, .sig"):
        tag.decompose()
    text = prose.get_text(" ")
    raw = re.search(r"\{[a-z-]+\}`|:::|```|</?details>|\*\*|\$|\| ?:?--|Traceback \(most recent", text)
    assert not raw, text[max(0, raw.start() - 60) : raw.end() + 60]


@chapter
def test_solutions_stay_folded_and_highlighted(path):
    folded = article(f"chapters/{path.stem}.html").find_all("details")
    solutions = [d for d in folded if d.summary.get_text(strip=True) == "Solution"]
    assert len(solutions) == len(exercises_of(path))
    assert all(d.select_one(".highlight-python") for d in solutions)
    assert not any(d.has_attr("open") for d in folded)


def public_names(module):
    """Functions and classes that a module defines, or that a package gives away."""
    everything = vars(importlib.import_module(module)).items()
    own = [name for name, thing in everything if getattr(thing, "__module__", "").startswith(module)]
    return [name for name in own if not name.startswith("_")]


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(dslib.__path__)])
def test_api_page_lists_every_public_name(module):
    names = public_names(f"dslib.{module}")
    assert names and {f"dslib.{module}.{name}" for name in names} <= anchors("chapters/api.html")


def test_explorers_page_is_written_again_when_its_code_changes():
    """Else `make book` would show an old explorer, since Sphinx compares the page's text alone."""
    known = pickle.loads((ROOT / "_build" / ".doctrees" / "environment.pickle").read_bytes())
    files = {Path(path).name for path in known.dependencies["chapters/explorer"]}
    assert {"explorer.js", "explorer.css", "views.html", "page.py", "operations.py"} <= files, files
