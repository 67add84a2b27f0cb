"""Links between pages: one list of all that lead to a page that the book does not have, as to a dropped chapter."""

import csv
import re
from pathlib import Path

from tests.support.book import PAGES, ROOT, tell

LINK = re.compile(r"\]\((?!https?:)(?:\S*/)?(\w+\.(?:ipynb|md))(?:#[\w-]+)?\)|github\S*/chapters/(\w+\.ipynb)")


def dead_links(texts, rows, pages):
    """A line for each link in texts ``{name: words}``, and for each chapter in the ledger's rows, without a page."""
    there = {page if Path(page).suffix else f"{page}.md" for page in (Path(page).name for page in pages)}
    found = []
    for name, words in texts.items():
        for number, line in enumerate(words.splitlines(), 1):
            for target in sorted({one or other for one, other in LINK.findall(line)} - there - {"CONTRIBUTING.md"}):
                found.append(f"{name}, line {number}: links to {target}, which is not in _toc.yml")
    for row in rows:
        if f"{row['chapter']}.ipynb" not in there:
            found.append(f"dscourse/claims.csv, {row['id']}: names {row['chapter']}, which is not in _toc.yml")
    return found


def test_no_link_leads_to_a_page_that_is_not_in_the_toc():
    """To drop a chapter: delete its line in _toc.yml, then mend what this lists."""
    files = [(ROOT / page).with_suffix(".md") for page in PAGES] + [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    texts = {file.relative_to(ROOT).as_posix(): file.read_text() for file in files}
    with (ROOT / "dscourse" / "claims.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wrong = dead_links(texts, rows if "chapters/claims_checked.ipynb" in PAGES else [], PAGES)
    tell(wrong)


def test_every_kind_of_dead_link_is_listed():
    pages = ["chapters/intro", "chapters/one.ipynb"]
    words = "[a](one.ipynb) [b](intro.md#x)\n[c](two.ipynb#y), [](three.md)\n[d](https://x.org/four.md)\n"
    words += "https://colab.research.google.com/github/O/R/blob/main/chapters/five.ipynb [e](chapters/one.ipynb)\n"
    rows = [{"id": "x-1", "chapter": "one"}, {"id": "x-2", "chapter": "six"}]
    assert dead_links({"t.md": words}, rows, pages) == [
        "t.md, line 2: links to three.md, which is not in _toc.yml",
        "t.md, line 2: links to two.ipynb, which is not in _toc.yml",
        "t.md, line 4: links to five.ipynb, which is not in _toc.yml",
        "dscourse/claims.csv, x-2: names six, which is not in _toc.yml",
    ]
