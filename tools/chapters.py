"""The chapters: where they are, and what notebook a text makes.

``chapters/<slug>.md`` is what you edit; ``chapters/<slug>.ipynb`` is what the site shows and Colab opens.
"""

import re
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import yaml

from tools.whole_files import write

ROOT = Path(__file__).resolve().parent.parent
CELL_METADATA = ("tags", "mystnb")  # what a cell may carry from the text; all else is noise of editors
FOLDED = {"hide-input", "remove-input"}  # tags of cells whose code is not what the reader came for


@cache
def pages() -> list[str]:
    """Every page of the book in its order, as _toc.yml has it: notebooks with their suffix, texts without."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]


def chapter_texts() -> list[Path]:
    """The texts of all chapters in the book's order: the pages that are notebooks."""
    return [(ROOT / page).with_suffix(".md") for page in pages() if page.endswith(".ipynb")]


@cache
def site() -> str:
    """The address of the published site, with a slash at its end."""
    return yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]


@cache
def plain_pages() -> str:
    """A pattern for the names of texts that are no notebooks: Colab cannot open those."""
    texts = {path.stem for path in (ROOT / "chapters").glob("*.md")} - {path.stem for path in chapter_texts()}
    return "|".join(sorted(texts))


def links_to_the_site(prose: str) -> str:
    """The prose with the site's address in place of links to texts that are no notebooks."""
    return re.sub(rf"\]\(({plain_pages()})\.md(#[\w-]+)?\)", rf"]({site()}chapters/\1.html\2)", prose)


def links_to_texts(prose: str) -> str:
    """The prose with these links as the text has them."""
    return re.sub(rf"\]\({re.escape(site())}chapters/({plain_pages()})\.html(#[\w-]+)?\)", r"](\1.md\2)", prose)


def notebook_of(text: str) -> nbformat.NotebookNode:
    """The chapter's text as a notebook without outputs: stable cell ids, only the metadata that we want."""
    source = jupytext.reads(text, fmt="md:myst")
    for number, cell in enumerate(source.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.cell_type == "markdown":
            cell["source"] = links_to_the_site(cell["source"])
        cell["metadata"] = {key: cell["metadata"][key] for key in CELL_METADATA if key in cell["metadata"]}
        if FOLDED & set(cell["metadata"].get("tags", [])):  # the site knows the tags, Colab and Jupyter do not
            cell["metadata"] |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    if "myst" in source.metadata:
        metadata["myst"] = source.metadata["myst"]
    return nbformat.from_dict({"cells": source.cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def environment_of(text: Path) -> str | None:
    """The environment that a text asks for with ``environment: <name>`` in its head; None: the book's own."""
    head = re.match(r"---\n(.*?)^---$", text.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return yaml.safe_load(head[1]).get("environment") if head else None


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def read_notebook(text: Path) -> nbformat.NotebookNode | None:
    """The notebook that is stored beside the text, or None if there is none yet."""
    path = text.with_suffix(".ipynb")
    return nbformat.read(path, as_version=4) if path.exists() else None


def write_notebook(notebook: nbformat.NotebookNode, text: Path) -> None:
    """Store the notebook beside its text."""
    nbformat.validate(notebook)
    write(text.with_suffix(".ipynb"), nbformat.writes(notebook) + "\n")


def name_of(text: Path) -> str:
    """``chapters/<slug>.ipynb``, as messages name a chapter's notebook."""
    return f"chapters/{text.stem}.ipynb"
