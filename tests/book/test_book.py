"""The chapters as files: complete, executed, plain enough for every place they are read in.

Every message names the file, the line where there is one, and what to do.
"""

import importlib.util
import itertools
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest
import yaml

from tests.support.book import (
    CHAPTERS,
    CORE_CHAPTERS,
    LETTERS,
    NOTEBOOKS,
    PAGES,
    ROOT,
    SLUGS,
    WORDS_OF_ALT,
    code_cells,
    place,
    prose,
    read,
    tell,
)


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=[path.stem for path in paths])


chapter, core_chapter, every_notebook = each(CHAPTERS), each(CORE_CHAPTERS), each(NOTEBOOKS)
PARTS_OF_THE_HEAD = ("**The question.**", "**After this chapter you can**", "**Before it**", "**Time**")
LAST_SECTIONS = ["## Summary", "## Quiz", "## Exercises", "## Sources"]
REASON = "# not compared: "
LINES_OF_A_FILE = {"dslib": 300, "tools": 300, "_ext": 300, "dscourse": 400, "tests": 400, "benchmarks": 400}  # at most
SITE = yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]


def question(path):
    return re.search(r"\*\*The question\.\*\* (.+?)\n\n", prose(read(path)), re.DOTALL)[1].replace("\n", " ")


def title(path):
    return re.search(r"^# (.+)$", prose(read(path)), re.MULTILINE)[1]


def test_every_page_of_the_toc_is_a_file():
    wrong = [page for page in PAGES if not (ROOT / page).with_suffix(".md").is_file()]
    tell([f"_toc.yml names {page}, which is not there: write it or delete the line" for page in wrong])


@chapter
def test_head_asks_the_question_and_ends_with_the_parts_in_order(path):
    head = read(path).cells[0].source
    wrong = [
        f"{place(path, '# ')}: the head has {part} {head.count(part)} times, it needs it once"
        for part in PARTS_OF_THE_HEAD
        if head.count(part) != 1
    ]
    sections = re.findall(r"^## .+$", prose(read(path)), re.MULTILINE)
    if sections[-4:] != LAST_SECTIONS:
        wrong.append(f"{place(path, sections[-1])}: the last sections must be {LAST_SECTIONS}, not {sections[-4:]}")
    tell(wrong)


@chapter
def test_stated_reading_time_is_the_computed_one(path):
    notebook = read(path)
    text = re.sub(r"<details>.*?</details>", "", prose(notebook), flags=re.DOTALL)
    lines = sum(len(cell.source.splitlines()) for cell in code_cells(notebook))
    minutes = len(text.split()) / 150 + lines / 20  # technical prose, and code that is read and not typed
    wanted = f"**Time** to read: about {5 * round(minutes / 5)} minutes."
    assert wanted in notebook.cells[0].source, f"{place(path, '**Time**')}: write {wanted!r}"


@every_notebook
def test_first_code_cell_installs_dslib_only_where_it_is_missing(path):
    first, reference = (code_cells(read(p))[0].source for p in (path, NOTEBOOKS[0]))
    where = f"{place(path, first)}: the set-up cell must begin as in chapters/{NOTEBOOKS[0].stem}.md"
    assert first.split("\n\n")[:2] == reference.split("\n\n")[:2], where
    assert "--no-deps" in first, where


@pytest.mark.parametrize(
    ("there", "installs"),
    [({"dslib", "dscourse"}, 0), (set(), 1), ({"dslib"}, 1)],
    ids=["up to date", "no dslib", "a dslib from before dscourse"],
)
def test_first_code_cell_installs_unless_both_packages_are_there(monkeypatch, there, installs):
    start = "\n\n".join(code_cells(read(NOTEBOOKS[0]))[0].source.split("\n\n")[:2])
    calls = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in there else None)
    exec(re.sub("%pip install.*", "calls.append('pip')", start), {"calls": calls})
    assert len(calls) == installs


@every_notebook
def test_colab_badge_points_at_this_notebook(path):
    links = re.findall(r"\[!\[Open in Colab\]\(images/colab\.svg\)\]\((\S+)\)", read(path).cells[0].source)
    ends = [link.partition("/chapters/")[2] for link in links]
    assert ends == [f"{path.stem}.ipynb"], f"{place(path, '[![Open in Colab]')}: the badge leads to {links}"


@every_notebook
def test_badge_leads_back_to_the_page_on_the_site(path):
    links = re.findall(r"\[!\[Read on the site\]\(images/site\.svg\)\]\((\S+)\)", read(path).cells[0].source)
    wanted = f"{SITE}chapters/{path.stem}.html"
    assert links == [wanted], f"{place(path, '[![Read on')}: the badge must lead to {wanted}, not to {links}"


@every_notebook
def test_links_to_other_chapters_work_in_colab_too(path):
    """Colab shows a notebook of GitHub at an address that ends as in the repository; links are relative to that."""
    (badge,) = re.findall(r"\]\((https://colab\S+)\)", read(path).cells[0].source)
    targets = re.findall(r"\]\(([^):\s]+\.ipynb)\)", prose(read(path)))
    away = [target for target in targets if urljoin(badge, target) != urljoin(badge, Path(target).name)]
    tell([f"{place(path, f']({target}')}: write {Path(target).name} alone" for target in away])


@every_notebook
def test_cells_that_are_folded_here_are_folded_in_colab_and_jupyter(path):
    for cell in code_cells(read(path)):
        folded = bool({"hide-input", "remove-input"} & set(cell.metadata.get("tags", [])))
        assert (cell.metadata.get("cellView") == "form") == folded, f"{place(path, cell.source)}: run make notebooks"
        assert cell.metadata.get("jupyter", {}).get("source_hidden", False) == folded, place(path, cell.source)
        heavy = folded and cell.execution_count > 1 and not cell.source.startswith("quiz(")
        said = (
            f"{place(path, cell.source)}: the first line of a folded cell, and of no other, is '# @title What it does'"
        )
        assert cell.source.startswith("# @title ") == heavy, said


@every_notebook
def test_every_code_cell_was_executed_in_order_without_error(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), (
        f"{path.name}: run make notebooks"
    )
    errors = [cell.source for cell in cells if any(o.output_type == "error" for o in cell.outputs)]
    assert errors == [c.source for c in cells if "raises-exception" in c.metadata.get("tags", [])]


@every_notebook
def test_cells_exempt_from_comparison_say_why(path):
    for cell in code_cells(read(path)):
        exempt = {"nbval-ignore-output", "nbval-skip"} & set(cell.metadata.get("tags", []))
        first_line = cell.source.splitlines()[0]
        said = (
            f"{place(path, first_line)}: a cell with the tag nbval-ignore-output, and no other, begins {REASON!r}, why"
        )
        assert bool(exempt) == first_line.startswith(REASON), said
        assert not exempt or len(first_line) > len(REASON) + 10, said


@every_notebook
def test_nothing_that_only_the_site_understands(path):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", prose(read(path)), flags=re.DOTALL)
    found = re.search(r"\{[a-z:-]+\}`|^:{3,}|^\([\w-]+\)=\s*$|^\s*`{3,}\{", text, re.MULTILINE)
    found = found or re.search(r"^\s*(`{3,}|:{3,})\s*\{", prose(read(path)), re.MULTILINE)
    assert not found, f"{place(path, found[0])}: Colab shows {found[0]!r} raw; write plain Markdown or HTML"


@every_notebook
def test_code_cells_are_short(path):
    wrong = []
    for number, cell in enumerate(code_cells(read(path))):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        most = 20 if number == 0 else 15  # the set-up cell has the imports
        if len(lines) > most:
            wrong.append(f"{place(path, lines[0])}: a cell of {len(lines)} lines, the limit is {most}")
    tell(wrong)


def with_figure(path):
    return [c for c in code_cells(read(path)) if any("image/svg+xml" in o.get("data", {}) for o in c.outputs)]


@core_chapter
def test_chapter_has_a_figure(path):
    assert with_figure(path), f"{place(path, '')}: a chapter has at least one figure, drawn by one of its cells"


@every_notebook
def test_figures_have_an_alt_text_that_says_what_they_show(path):
    wrong = []
    for cell in with_figure(path):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt.split()) < WORDS_OF_ALT:
            wrong.append(
                f"{place(path, cell.source)}: the alt text of the figure has {len(alt.split())} words, it needs"
                f" {WORDS_OF_ALT}: write :mystnb: {{image: {{alt: ...}}}} at the top of the cell"
            )
    tell(wrong)


@every_notebook
def test_figures_are_svg_to_be_compared_and_png_for_where_no_svg_is_shown(path):
    """GitHub, and JupyterLab until the notebook is trusted."""
    both = {"image/svg+xml", "image/png"}
    wrong = []
    for cell in code_cells(read(path)):
        kinds = [set(output.get("data", {})) for output in cell.outputs]
        if any(found & both and not found >= {*both, "text/plain"} for found in kinds):
            advice = "call figures.use_book_style() in the set-up cell, then make notebooks"
            wrong.append(f"{place(path, cell.source)}: a figure needs SVG, PNG and plain text; {advice}")
    tell(wrong)


@every_notebook
def test_what_lives_by_its_script_has_a_still_as_the_next_output(path):
    wrong = []
    for cell in code_cells(read(path)):
        data = [output.get("data", {}) for output in cell.outputs] + [{}]
        for fragment, after in itertools.pairwise(data):
            if "<script>" in fragment.get("text/html", "") and "image/png" not in after:
                wrong.append(f"{place(path, cell.source)}: needs a still, by dslib.figures.fragment; make notebooks")
    tell(wrong)


@every_notebook
def test_images_and_files_that_links_lead_to_are_there(path):
    """Links to pages are in test_links.py."""
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(read(path))):
        file = target.partition("#")[0]
        if file.startswith(SITE):  # to a page that is no notebook, or the badge
            there = Path(ROOT, file.removeprefix(SITE)).with_suffix(".md").is_file()
        else:
            there = file.startswith("https://") or file.endswith(".ipynb") or (path.parent / file).is_file()
        if not there or file.endswith(".md"):
            wrong.append(f"{place(path, f']({target}')}: links to {target}, which is not there")
    tell(wrong)
    assert not re.search(r"!\[[^\]]*\]\(https?:", prose(read(path))), f"{path.name}: an image of another host"


@pytest.mark.parametrize("page", ["README.md", "chapters/intro.md"])
def test_tables_of_chapters_follow_the_toc_and_the_chapters(page):
    """A row whose chapter is dropped is a dead link, and listed there."""
    folder = "chapters/" if page == "README.md" else ""
    rows = re.findall(rf"^\| \[(.+?)\]\({folder}(\w+)\.ipynb\) \| (.+?) \|", (ROOT / page).read_text(), re.MULTILINE)
    rows = [row for row in rows if row[1] in SLUGS]
    wanted = [(title(path), path.stem, question(path)) for path in CHAPTERS]
    wrong = [f"{page}: the table needs the row | [{row[0]}]({folder}{row[1]}.ipynb) | {row[2]} |" for row in wanted]
    wrong = [message for message, row in zip(wrong, wanted, strict=True) if row not in rows]
    tell(wrong)
    assert rows == wanted, f"{page}: the rows of the table must have the order of _toc.yml"


def test_examples_of_the_readme_run_and_print_what_their_comments_say(capsys):
    check, library = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    exec(compile(check, "README.md", "exec"), {})
    assert capsys.readouterr().out.split() == re.sub(r"^(?!#).*|^# ", "", check, flags=re.MULTILINE).split()
    exec(compile(library, "README.md", "exec"), {})
    ratio, macs = capsys.readouterr().out.split()
    assert f"# {float(ratio):.2f}: theory" in library and f"# {macs}, and" in library


def test_every_python_file_is_short_enough_for_one_sitting():
    lengths = {
        path: (len(path.read_text(encoding="utf-8").splitlines()), most)
        for folder, most in LINES_OF_A_FILE.items()
        for path in (ROOT / folder).rglob("*.py")
    }
    wrong = [(path.relative_to(ROOT), lines, most) for path, (lines, most) in lengths.items() if lines > most]
    tell([f"{path}: {lines} lines, the limit is {most}: part it, one idea a file" for path, lines, most in wrong])


def test_overview_picture_is_what_the_library_draws_today(tmp_path):
    subprocess.run(
        [
            sys.executable,
            "-c",
            f"from tools import picture; picture.draw(picture.Path({str(tmp_path / 'again.svg')!r}))",
        ],
        cwd=ROOT,
        check=True,
    )
    assert (tmp_path / "again.svg").read_bytes() == (ROOT / "images" / "overview.svg").read_bytes(), "make picture"


@core_chapter
def test_code_fits_the_page(path):
    lines = [line for cell in code_cells(read(path)) for line in cell.source.splitlines() if len(line) > LETTERS]
    wrong = [f"{place(path, line)}: {len(line)} letters, the limit is {LETTERS}" for line in lines]
    tell(wrong)
