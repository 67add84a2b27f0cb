"""The way through the book: what each chapter needs, computed from the code that it uses, and how long it takes."""

import re

import pytest

from tests.support.book import CHAPTERS, NOTEBOOKS, PAGES, ROOT, SLUGS, code_cells, in_book, place, prose, read, tell

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)
TAUGHT = r"\b(?:functional|layers|models|cost|counting|geometry)\.\w+"  # what chapters explain where they first use it


def named(slug):
    """The chapters that stand in the paragraph "Before it", in the book or dropped from it."""
    head = read(ROOT / "chapters" / f"{slug}.ipynb").cells[0].source
    return re.findall(r"\((\w+)\.ipynb\)", head.partition("**Before it**")[2].partition("**Time**")[0])


def needed(slug):
    """Those that are in the book. The others are dead links, which test_links.py lists."""
    return [other for other in named(slug) if other in SLUGS]


def all_needed(slug):
    """These, and what they need in turn."""
    return {slug for near in needed(slug) for slug in {near} | all_needed(near)}


def needs_a_dropped_one(slug):
    """Whether its way into the book has a hole, which has to be mended first."""
    return any(other not in SLUGS or needs_a_dropped_one(other) for other in named(slug))


def used(path):
    """The names of dslib in a chapter's code."""
    return set(re.findall(TAUGHT, "\n".join(cell.source for cell in code_cells(read(path)))))


@chapter
def test_chapter_needs_only_earlier_ones(path):
    later = [slug for slug in needed(path.stem) if SLUGS.index(slug) >= SLUGS.index(path.stem)]
    wrong = [f"{place(path, '**Before it**')}: {slug} comes later in _toc.yml" for slug in later]
    tell(wrong)


@chapter
def test_what_a_chapter_uses_is_explained_in_it_or_in_one_that_it_names_as_needed(path):
    if needs_a_dropped_one(path.stem):
        pytest.skip("names a chapter that is not in _toc.yml: see test_links.py")
    wrong = []
    for name in sorted(used(path)):
        first = next(other.stem for other in CHAPTERS if name in used(other))
        if first not in all_needed(path.stem) | {path.stem}:
            wrong.append(f"{place(path, '**Before it**')}: name {first}, which explains {name}")
    tell(wrong)


def titles():
    return {path.stem: re.search(r"^# (.+)$", prose(read(path)), re.MULTILINE)[1] for path in CHAPTERS}


@chapter
def test_table_of_the_intro_says_what_to_read_before_and_how_long_it_takes(path):
    """Of the needed chapters it names those that no other needed one needs."""
    if needs_a_dropped_one(path.stem):
        pytest.skip("names a chapter that is not in _toc.yml: see test_links.py")
    near = {one for one in needed(path.stem) if not any(one in all_needed(other) for other in needed(path.stem))}
    before = ", ".join(titles()[one] for one in SLUGS if one in near) or "nothing"
    minutes = re.search(r"\*\*Time\*\* to read: about (\d+) minutes", read(path).cells[0].source)[1]
    (row,) = re.findall(rf"^\| \[.+?\]\({path.stem}\.ipynb\) .*$", intro(), re.MULTILINE)
    assert row.endswith(f" | {before} | {minutes} |"), f"chapters/intro.md: {row} must end | {before} | {minutes} |"


def intro():
    return (ROOT / "chapters" / "intro.md").read_text()


@chapter
def test_chapter_leads_on(path):
    """In Colab there is no button for it: the summary has a link to a page that comes later."""
    summary = prose(read(path)).split("## Summary")[1].split("## Quiz")[0]
    before = SLUGS[: SLUGS.index(path.stem) + 1]
    onward = [slug for slug in re.findall(r"(\w+)\.(?:ipynb|html)\)", summary) if slug not in before]
    assert onward, f"{place(path, '## Summary')}: link to a page that comes after this one"


@in_book("next_steps")
def test_last_page_of_the_path_leads_on():
    text = (ROOT / "chapters" / "next_steps.md").read_text()
    after = PAGES.index(f"chapters/{CHAPTERS[-1].name}") + 1
    assert PAGES[after] == "chapters/next_steps", "_toc.yml: next_steps comes after the last chapter"
    assert {path.name for path in NOTEBOOKS} & set(re.findall(r"\((\w+\.ipynb)\)", text))
    sources = re.findall(r"arXiv:([\d.]+)\]", (ROOT / "chapters" / "references.md").read_text())
    unknown = set(re.findall(r"arxiv\.org/abs/([\d.]+)", text)) - set(sources)
    assert not unknown, f"chapters/references.md: the papers {sorted(unknown)} of next_steps.md are not in it"
