"""The chapters as files: complete, executed, plain enough for every place they are read in."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml

from tests.support.book import CHAPTERS, NOTEBOOKS, PAGES, ROOT, SLUGS, code_cells, prose, read

chapter = pytest.mark.parametrize("path", CHAPTERS, ids=SLUGS)
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
PARTS_OF_THE_HEAD = ("**The question.**", "**After this chapter you can**", "**Before it**", "**Time**")
LAST_SECTIONS = ["## Summary", "## Quiz", "## Exercises", "## Sources"]
REASON = "# not compared: "
SITE = yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]


def question(path):
    return re.search(r"\*\*The question\.\*\* (.+?)\n\n", prose(read(path)), re.DOTALL)[1].replace("\n", " ")


def title(path):
    return re.search(r"^# (.+)$", prose(read(path)), re.MULTILINE)[1]


def test_every_page_of_the_toc_is_a_file():
    for page in PAGES:
        assert (ROOT / page).with_suffix(".md").is_file(), page


def test_every_text_and_notebook_is_in_the_toc():
    listed = {(ROOT / page).stem for page in PAGES}
    assert {path.stem for pattern in ("*.md", "*.ipynb") for path in (ROOT / "chapters").glob(pattern)} == listed


@chapter
def test_head_asks_the_question_and_ends_with_the_parts_in_order(path):
    head = read(path).cells[0].source
    assert [head.count(part) for part in PARTS_OF_THE_HEAD] == [1] * len(PARTS_OF_THE_HEAD)
    sections = re.findall(r"^## .+$", prose(read(path)), re.MULTILINE)
    assert sections[-4:] == LAST_SECTIONS


@chapter
def test_stated_reading_time_is_the_computed_one(path):
    notebook = read(path)
    text = re.sub(r"<details>.*?</details>", "", prose(notebook), flags=re.DOTALL)
    lines = sum(len(cell.source.splitlines()) for cell in code_cells(notebook))
    minutes = len(text.split()) / 150 + lines / 20  # technical prose, and code that is read and not typed
    stated = 5 * round(minutes / 5)
    assert f"**Time** to read: about {stated} minutes." in notebook.cells[0].source, f"it should say {stated}"


@every_notebook
def test_first_code_cell_installs_dslib_only_where_it_is_missing(path):
    first, reference = (code_cells(read(p))[0].source for p in (path, NOTEBOOKS[0]))
    assert first.split("\n\n")[:2] == reference.split("\n\n")[:2]
    assert 'find_spec("dslib") is None' in first and "--no-deps" in first


@every_notebook
def test_colab_badge_points_at_this_notebook(path):
    links = re.findall(r"\[!\[Open in Colab\]\(images/colab\.svg\)\]\((\S+)\)", read(path).cells[0].source)
    assert [link.partition("/blob/main/")[2] for link in links] == [f"chapters/{path.stem}.ipynb"]


@every_notebook
def test_badge_leads_back_to_the_page_on_the_site(path):
    links = re.findall(r"\[!\[Read on the site\]\(images/site\.svg\)\]\((\S+)\)", read(path).cells[0].source)
    assert links == [f"{SITE}chapters/{path.stem}.html"]


@every_notebook
def test_links_to_other_chapters_work_in_colab_too(path):
    """Colab shows a notebook of GitHub at an address that ends as in the repository; links are relative to that."""
    (badge,) = re.findall(r"\]\((https://colab\S+)\)", read(path).cells[0].source)
    for target in re.findall(r"\]\(([^):\s]+\.ipynb)\)", prose(read(path))):
        folder, _, file = urljoin(badge, target).rpartition("/chapters/")
        assert (folder, ROOT / "chapters" / file in NOTEBOOKS) == (badge.rpartition("/chapters/")[0], True), target


@every_notebook
def test_cells_that_are_folded_here_are_folded_in_colab_and_jupyter(path):
    for cell in code_cells(read(path)):
        folded = bool({"hide-input", "remove-input"} & set(cell.metadata.get("tags", [])))
        assert (cell.metadata.get("cellView") == "form") == folded
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == folded
        heavy = folded and cell.execution_count > 1 and not cell.source.startswith("quiz(")
        assert cell.source.startswith("# @title ") == heavy, "its first line says what a folded cell does"


@every_notebook
def test_every_code_cell_was_executed_in_order_without_error(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    errors = [cell.source for cell in cells if any(o.output_type == "error" for o in cell.outputs)]
    assert errors == [c.source for c in cells if "raises-exception" in c.metadata.get("tags", [])]


@every_notebook
def test_cells_exempt_from_comparison_say_why(path):
    for cell in code_cells(read(path)):
        exempt = {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", []))
        first_line = cell.source.splitlines()[0]
        assert bool(exempt) == first_line.startswith(REASON), first_line
        assert not exempt or len(first_line) > len(REASON) + 10


@every_notebook
def test_nothing_that_only_the_site_understands(path):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", prose(read(path)), flags=re.DOTALL)
    assert not re.search(r"\{[a-z:-]+\}`|^:{3,}|^\([\w-]+\)=\s*$|^\s*`{3,}\{", text, re.MULTILINE)
    assert not re.search(r"^\s*(`{3,}|:{3,})\s*\{", prose(read(path)), re.MULTILINE)


@every_notebook
def test_code_cells_are_short(path):
    for number, cell in enumerate(code_cells(read(path))):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        most = 20 if number == 0 else 15  # the set-up cell has the imports
        assert len(lines) <= most, f"{len(lines)} lines: {lines[0]}"


@chapter
def test_figures_have_an_alt_text_that_says_what_they_show(path):
    with_figure = [c for c in code_cells(read(path)) if any("image/svg+xml" in o.get("data", {}) for o in c.outputs)]
    assert with_figure, "a chapter has at least one figure"
    for cell in with_figure:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert len(alt.split()) >= 12, f"{alt!r} for {cell.source[:60]!r}"


@every_notebook
def test_figures_are_compared_so_none_is_a_png(path):
    for cell in code_cells(read(path)):
        assert not any("image/png" in output.get("data", {}) for output in cell.outputs), cell.source[:60]


@every_notebook
def test_links_and_images_are_files_here(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(path))):
        target = target.partition("#")[0]
        if target.startswith(SITE):  # to a page that is no notebook, or the badge
            assert Path(ROOT, target.removeprefix(SITE)).with_suffix(".md").is_file(), target
        elif not target.startswith("https://"):
            assert (path.parent / target).is_file() and not target.endswith(".md"), target
    assert not re.search(r"!\[[^\]]*\]\(https?:", prose(read(path))), "an image of another host"


@pytest.mark.parametrize("page", ["README.md", "chapters/intro.md"])
def test_tables_of_chapters_follow_the_toc_and_the_chapters(page):
    folder = "chapters/" if page == "README.md" else ""
    rows = re.findall(rf"^\| \[(.+?)\]\({folder}(\w+)\.ipynb\) \| (.+?) \|", (ROOT / page).read_text(), re.MULTILINE)
    assert rows == [(title(path), path.stem, question(path)) for path in CHAPTERS]


def test_examples_of_the_readme_run_and_print_what_their_comments_say(capsys):
    check, library = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    exec(compile(check, "README.md", "exec"), {})
    assert capsys.readouterr().out.split() == re.sub(r"^(?!#).*|^# ", "", check, flags=re.MULTILINE).split()
    exec(compile(library, "README.md", "exec"), {})
    ratio, macs = capsys.readouterr().out.split()
    assert f"# {float(ratio):.2f}: theory" in library and f"# {macs}, and" in library


def test_every_python_file_is_short_enough_for_one_sitting():
    for path in (p for folder in ("dslib", "tests", "tools", "benchmarks") for p in (ROOT / folder).rglob("*.py")):
        assert len(path.read_text().splitlines()) <= 600, path


def test_overview_picture_is_what_the_library_draws_today(tmp_path):
    subprocess.run(
        [sys.executable, "-c", f"import picture; picture.draw(picture.Path({str(tmp_path / 'again.svg')!r}))"],
        cwd=ROOT / "tools",
        check=True,
    )
    assert (tmp_path / "again.svg").read_bytes() == (ROOT / "images" / "overview.svg").read_bytes(), "make picture"


@every_notebook
def test_code_fits_the_page(path):
    for cell in code_cells(read(path)):
        for line in cell.source.splitlines():
            assert len(line) <= 79, line
