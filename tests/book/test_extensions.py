"""What _ext adds to Sphinx, on a book of two pages: built while the address is unknown, and once it is set."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.support.book import ROOT
from tools import url

TOC = "format: jb-book\nroot: chapters/first\nchapters:\n  - file: chapters/second.ipynb\n"
FIRST = """# First

Some words about the first page, which the card takes because the page has no description.

{more}

$$
\\text{{MACs}} = K^2 C
$$

$$
x
$$

$$
x
$$
"""
SECOND = """# Second

[![Open in Colab](images/colab.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/colab/chapters/second.ipynb)
[![Read on the site](images/site.svg)](https://OWNER.github.io/REPO/chapters/second.html)

Back to the [first page](https://OWNER.github.io/REPO/chapters/first.html), and to [another](https://OWNER.github.io/REPO-2/chapters/first.html).
"""


def build(folder, more, *options, address=None):
    """The small book, built by Jupyter Book with this book's settings."""
    (folder / "chapters").mkdir()
    for name in ("_ext", "_static", "chapters/images"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = url.rewrite((ROOT / "_config.yml").read_text(), url.address_in_force(ROOT), ("OWNER", "REPO"))
    (folder / "_config.yml").write_text(settings)
    (folder / "_toc.yml").write_text(TOC)
    (folder / "chapters" / "first.md").write_text(FIRST.format(more=more))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(SECOND)])
    nbformat.write(notebook, folder / "chapters" / "second.ipynb")
    if address:
        url.set_address(folder, address)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", folder, *options]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def unknown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unknown")
    done = build(folder, r"An unreadable formula: $\nosuchword{2}$.")
    return done, folder / "_build" / "html"


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    done = build(folder, "$$\nK\n$$", "-W", "-n", "--keep-going", address=("ada-l", "sep.conv"))
    assert done.returncode == 0, done.stderr
    return folder / "_build" / "html"


def read(site, page):
    return BeautifulSoup((site / page).read_text(), "html.parser")


def links(page):
    return {tag.get("href") for tag in page.select("a, link[rel=canonical]")}


def test_unreadable_formula_is_a_warning_that_shows_it(unknown):
    done, _ = unknown
    assert done.returncode == 0 and r"in the formula \nosuchword{2}" in done.stderr


def test_anchor_of_a_formula_stays_when_another_one_comes(unknown, known):
    before, after = (
        [one["id"] for one in read(s, "chapters/first.html").select("div.math")] for s in (unknown[1], known)
    )
    assert len(set(before)) == 3 and before[1] + "-2" == before[2]
    assert after[1:] == before and len(set(after)) == 4


def test_page_built_without_an_address_shows_no_dead_button(unknown):
    _, site = unknown
    for name in ("chapters/first.html", "chapters/second.html", "index.html", "404.html", "search.html"):
        page = read(site, name)
        dead = {
            link for link in links(page) if link and ("OWNER/REPO" in link.replace("REPO-2", "") or "colab" in link)
        }
        assert not dead and not page.select("article img, link[rel=canonical], .btn-source-repository-button")


def test_page_built_with_an_address_has_its_buttons(known):
    page = read(known, "chapters/second.html")
    colab = "https://colab.research.google.com/github/ada-l/sep.conv/blob/colab/chapters/second.ipynb"
    assert len(page.select(f'a[href="{colab}"]')) == 2  # the badge and the theme's button
    assert "https://github.com/ada-l/sep.conv" in links(page)
    assert page.select_one("link[rel=canonical]")["href"] == "https://ada-l.github.io/sep.conv/chapters/second.html"


def test_link_of_a_notebook_to_a_text_stays_inside_the_site(unknown, known):
    for site in (unknown[1], known):
        assert "first.html" in links(read(site, "chapters/second.html").article)


def test_page_for_what_is_missing_leads_back_from_any_depth(known):
    """GitHub Pages shows it at whatever address was asked for: it needs no file, and its links are whole."""
    page = read(known, "404.html")
    base = "https://ada-l.github.io/sep.conv/"
    assert links(page) == {f"{base}chapters/first.html", f"{base}search.html"}
    assert all((known / link.removeprefix(base)).is_file() for link in links(page))
    assert not page.select("[src], link, script")


def test_front_page_leads_to_the_first_and_is_described_like_it(known):
    front, first = read(known, "index.html"), read(known, "chapters/first.html")
    assert front.select_one("meta[http-equiv=refresh]")["content"] == "0; url=chapters/first.html"
    for name in ('meta[name="description"]', 'meta[property="og:image"]', 'meta[property="og:url"]'):
        assert front.select_one(name)["content"] == first.select_one(name)["content"] != ""
