"""The way through the book: what each chapter needs, computed from the code that it uses, and how long it takes."""

import re

import pytest

from tests.support.book import CHAPTERS, NOTEBOOKS, PAGES, ROOT, SLUGS, code_cells, prose, read

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)
TAUGHT = r"\b(?:functional|layers|models|cost|counting|geometry)\.\w+"  # what chapters explain where they first use it


def needed(slug):
    """The chapters that stand in the paragraph "Before it"."""
    head = read(ROOT / "chapters" / f"{slug}.ipynb").cells[0].source
    return re.findall(r"\((\w+)\.ipynb\)", head.partition("**Before it**")[2].partition("**Time**")[0])


def all_needed(slug):
    """These, and what they need in turn."""
    return {slug for near in needed(slug) for slug in {near} | all_needed(near)}


def used(path):
    """The names of dslib in a chapter's code."""
    return set(re.findall(TAUGHT, "\n".join(cell.source for cell in code_cells(read(path)))))


@chapter
def test_chapter_needs_only_earlier_ones(path):
    assert all(SLUGS.index(slug) < SLUGS.index(path.stem) for slug in needed(path.stem))


@chapter
def test_what_a_chapter_uses_is_explained_in_it_or_in_one_that_it_names_as_needed(path):
    for name in used(path):
        explained = next(other.stem for other in CHAPTERS if name in used(other))
        assert explained in all_needed(path.stem) | {path.stem}, f"{name} comes from {explained}"


def titles():
    return {path.stem: re.search(r"^# (.+)$", prose(read(path)), re.MULTILINE)[1] for path in CHAPTERS}


def test_table_of_the_intro_says_what_to_read_before_and_how_long_it_takes():
    """Of the needed chapters it names those that no other needed one needs."""
    rows = re.findall(r"^\| \[.+?\]\((\w+)\.ipynb\) \| .+ \| (.*?) \| (\d+) \|$", intro(), re.MULTILINE)
    assert [slug for slug, *_ in rows] == SLUGS
    for slug, before, minutes in rows:
        near = {one for one in needed(slug) if not any(one in all_needed(other) for other in needed(slug))}
        assert before == (", ".join(titles()[one] for one in SLUGS if one in near) or "nothing"), slug
        head = read(ROOT / "chapters" / f"{slug}.ipynb").cells[0].source
        assert f"**Time** to read: about {minutes} minutes." in head


def intro():
    return (ROOT / "chapters" / "intro.md").read_text()


@pytest.mark.parametrize("path, after", [*zip(CHAPTERS, [*CHAPTERS[1:], None], strict=True)], ids=SLUGS)
def test_chapter_leads_on_to_the_next_one(path, after):
    """In Colab there is no button for it: the summary has the link."""
    summary = prose(read(path)).split("## Summary")[1].split("## Quiz")[0]
    assert f"({after.name})" in summary if after else "/next_steps.html)" in summary


def test_last_page_of_the_path_leads_on():
    text = (ROOT / "chapters" / "next_steps.md").read_text()
    assert PAGES.index("chapters/next_steps") == PAGES.index(f"chapters/{CHAPTERS[-1].name}") + 1
    assert {path.name for path in NOTEBOOKS} & set(re.findall(r"\((\w+\.ipynb)\)", text))
    assert set(re.findall(r"arxiv\.org/abs/([\d.]+)", text)) <= set(
        re.findall(r"arXiv:([\d.]+)\]", (ROOT / "chapters" / "references.md").read_text())
    )
