"""Chapters from text to executed notebook, with the same bytes every time.

    python -m tools.notebooks            bring every notebook up to date with its text and with dslib
    python -m tools.notebooks --all      execute all of them again (after a change of versions)
    python -m tools.notebooks --check    change nothing; say which notebooks are not up to date, exit 1 if any

The chapters of ``IN_FRAMEWORKS`` are executed by the Python of .venv-frameworks, where other frameworks are installed.

``chapters/<slug>.md`` is what you edit; ``chapters/<slug>.ipynb`` is what the site shows and Colab opens. A chapter is
executed when its code or anything in dslib changed; a change of prose alone keeps the outputs that are there.
"""

import argparse
import hashlib
import os
import re
import sys
import time
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools import exercises

ROOT = Path(__file__).resolve().parent.parent
CELL_METADATA = ("tags", "mystnb")  # what a cell may carry from the text; all else is noise of editors
FOLDED = {"hide-input", "remove-input"}  # tags of cells whose code is not what the reader came for
SECONDS_PER_CELL = 60
IN_FRAMEWORKS = {"across_frameworks"}  # their code needs what .venv does not have
FRAMEWORKS_PYTHON = ROOT / ".venv-frameworks" / "bin" / "python"


class EnvironmentMissing(Exception):
    """A chapter cannot be executed before another environment is made."""


def site_links(prose: str, pages: set[str], site: str) -> str:
    """The prose with the site's address in place of links to texts that are no notebooks: Colab cannot open those."""
    links = "|".join(sorted(pages))
    return re.sub(rf"\]\(({links})\.md(#[\w-]+)?\)", rf"]({site}chapters/\1.html\2)", prose)


def chapter_texts(root: Path = ROOT) -> list[Path]:
    """The texts of all chapters in the book's order: the entries of _toc.yml that are notebooks."""
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    files = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [root / Path(name).with_suffix(".md") for name in files if name.endswith(".ipynb")]


def read_text(text: Path) -> nbformat.NotebookNode:
    """The chapter's text as a notebook without outputs: stable cell ids, only the metadata that we want."""
    source = jupytext.read(text, fmt="md:myst")
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    texts = {path.stem for path in (ROOT / "chapters").glob("*.md")} - {path.stem for path in chapter_texts()}
    for number, cell in enumerate(source.cells):
        cell["id"] = f"cell-{number:03d}"
        if cell.cell_type == "markdown":
            cell["source"] = site_links(cell["source"], texts, config["html"]["baseurl"])
        cell["metadata"] = {key: cell["metadata"][key] for key in CELL_METADATA if key in cell["metadata"]}
        if FOLDED & set(cell["metadata"].get("tags", [])):  # the site knows the tags, Colab and Jupyter do not
            cell["metadata"] |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
        "dslib": {"fingerprint": fingerprint(source)},
    }
    if "myst" in source.metadata:
        metadata["myst"] = source.metadata["myst"]
    return nbformat.from_dict({"cells": source.cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """A short digest of all that the outputs depend on: the chapter's code and dslib's."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            digest.update(cell.source.encode() + b"\0")
    kinds = ("*.py", "*.csv", "*.js", "*.css", "*.html")
    folders = (ROOT / "dslib", ROOT / "dscourse")
    for file in sorted(file for folder in folders for kind in kinds for file in folder.rglob(kind)):
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def read_notebook(path: Path) -> nbformat.NotebookNode | None:
    """The stored notebook, or None if there is none yet."""
    return nbformat.read(path, as_version=4) if path.exists() else None


def was_executed(notebook: nbformat.NotebookNode) -> bool:
    """Whether every code cell that holds code has been run."""
    return all(c.execution_count for c in notebook.cells if c.cell_type == "code" and c.source.strip())


def same_code(stored: nbformat.NotebookNode | None, wanted: nbformat.NotebookNode) -> bool:
    """Whether the stored outputs are those of the wanted code and of today's dslib."""
    if stored is None or not was_executed(stored):
        return False
    codes = [[c.source for c in nb.cells if c.cell_type == "code"] for nb in (stored, wanted)]
    return codes[0] == codes[1] and stored.metadata.get("dslib") == wanted.metadata["dslib"]


def with_outputs_of(wanted: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The wanted notebook, with the outputs that the stored one has for the same code cells."""
    outputs = iter([c for c in stored.cells if c.cell_type == "code"])
    for cell in wanted.cells:
        if cell.cell_type == "code":
            old = next(outputs)
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
    return wanted


def python_of(slug: str) -> str:
    """The Python that executes the chapter."""
    if slug not in IN_FRAMEWORKS:
        return sys.executable
    if not FRAMEWORKS_PYTHON.exists():
        raise EnvironmentMissing("needs the other frameworks: make .venv-frameworks/installed")
    return str(FRAMEWORKS_PYTHON)


def execute(notebook: nbformat.NotebookNode, python: str) -> nbformat.NotebookNode:
    """Run every cell in a fresh kernel inside chapters/, as nbval and a reader's Jupyter do."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two or three times faster on two cores
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(ROOT / "chapters")}},
    )
    client.create_kernel_manager().kernel_spec.argv[0] = python
    metadata = dict(notebook.metadata)
    client.execute()
    notebook.metadata = nbformat.from_dict(metadata)  # the kernel writes its own Python version there
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("execution", None)
    return notebook


def write(notebook: nbformat.NotebookNode, path: Path) -> None:
    """Replace the file in one step, so that an interruption leaves the old one whole."""
    nbformat.validate(notebook)
    draft = path.with_suffix(".ipynb.new")
    draft.write_text(nbformat.writes(notebook) + "\n")
    draft.replace(path)


def fill_exercises(text: Path) -> None:
    """Write the chapter's stubs and folded solutions into its text, as its file of solutions has them."""
    filled = exercises.filled_chapter(text)
    if filled != text.read_text():
        draft = text.with_suffix(".md.new")
        draft.write_text(filled)
        draft.replace(text)


def update(text: Path, again: bool) -> str:
    """Bring one notebook up to date; returns what was done, in words."""
    fill_exercises(text)
    path = text.with_suffix(".ipynb")
    wanted, stored = read_text(text), read_notebook(path)
    if again or not same_code(stored, wanted):
        write(execute(wanted, python_of(text.stem)), path)
        return "executed"
    merged = with_outputs_of(wanted, stored)
    if nbformat.writes(merged) == nbformat.writes(stored):
        return "up to date"
    write(merged, path)
    return "prose updated"


def problems(text: Path) -> list[str]:
    """What keeps a stored notebook from being its text, executed with today's dslib; empty if nothing does."""
    wanted, stored = read_text(text), read_notebook(text.with_suffix(".ipynb"))
    if stored is None:
        return ["the notebook does not exist"]
    found = []
    try:
        if exercises.filled_chapter(text) != text.read_text():
            found.append("has a text whose exercises differ from its solutions")
    except exercises.UnequalExercises as error:
        found.append(str(error))
    if not was_executed(stored):
        found.append("has cells that were never executed")
    if stored.metadata.get("dslib") != wanted.metadata["dslib"]:
        found.append("was executed with other code, or with another dslib")
    shapes = [[(c.id, c.cell_type, c.source, c.metadata) for c in nb.cells] for nb in (stored, wanted)]
    if shapes[0] != shapes[1]:
        unequal = next((i for i, (a, b) in enumerate(zip(*shapes, strict=False)) if a != b), min(map(len, shapes)))
        found.append(f"differs from its text from cell {unequal} on")
    return found


def check(texts: list[Path]) -> int:
    """Print every chapter's problems; 1 if there are any."""
    failed = False
    for text in texts:
        for problem in problems(text):
            failed = True
            print(f"{text.with_suffix('.ipynb').relative_to(ROOT)}: {problem} (make notebooks)")
    if not failed:
        print(f"{len(texts)} notebooks are their texts, executed with this dslib")
    return int(failed)


def update_all(texts: list[Path], again: bool) -> int:
    """Update one chapter after the other with a progress line for each; 1 if any failed."""
    failed = 0
    for number, text in enumerate(texts, start=1):
        print(f"[{number}/{len(texts)}] {text.stem} ... ", end="", flush=True)
        start = time.perf_counter()
        try:
            done = update(text, again)
        except (EnvironmentMissing, exercises.UnequalExercises) as error:
            failed += 1
            print(error)
        except CellExecutionError as error:
            failed += 1
            print(f"failed; the stored notebook is left as it was\n{error}")
        else:
            print(f"{done}, {time.perf_counter() - start:.1f} s")
    return int(failed > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slugs", nargs="*", help="chapters to look at (default: all)")
    parser.add_argument("--all", action="store_true", help="execute even what is up to date")
    parser.add_argument("--check", action="store_true", help="change nothing, only say what is not up to date")
    arguments = parser.parse_args()
    texts = chapter_texts()
    unknown = set(arguments.slugs) - {text.stem for text in texts}
    if unknown:
        parser.error(f"no such chapter in _toc.yml: {', '.join(sorted(unknown))}")
    texts = [text for text in texts if not arguments.slugs or text.stem in arguments.slugs]
    return check(texts) if arguments.check else update_all(texts, arguments.all)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; finished chapters are stored, the others are as they were")
