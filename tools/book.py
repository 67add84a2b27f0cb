"""The site, and one page of it.

    python -m tools.book         build the site; stop, and say why, if the outputs of a notebook are no longer true
    python -m tools.book SLUG    bring one page up to date, executing its chapter if need be, and build that page alone

The builder's own words go to ``_build/log.txt`` and are shown if it fails. The last line is where to look.
"""

import contextlib
import subprocess
import sys
from pathlib import Path

from tools.chapters import ROOT, chapter_texts, pages
from tools.notebooks import look_at_all, update, update_all

BUILD = ROOT / "_build"
LOG = BUILD / "log.txt"


def site() -> int:
    """Build all pages. Prose is carried into notebooks first; code that changed has to be executed before."""
    chapters = look_at_all(chapter_texts())
    if chapters is None:
        return 1
    if stale := [chapter.stale for chapter in chapters if chapter.stale]:
        print(*stale, sep="\n")
        return 1
    for chapter in chapters:
        if update(chapter) != "up to date":
            print(f"{chapter.text.stem}: prose updated")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "."]
    with _log() as log:
        failed = subprocess.run(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT).returncode
    return _ended(failed, BUILD / "html" / "index.html")


def page(slug: str) -> int:
    """Build the page of that name; a path of its file will do too."""
    slug = Path(slug).stem
    there = {Path(page).stem: ROOT / page for page in pages()}
    if slug not in there:
        print(f"no page is called {slug!r}; there are: {', '.join(there)}")
        return 1
    source = there[slug] if there[slug].suffix else there[slug].with_suffix(".md")
    if source.suffix == ".ipynb":
        chapters = look_at_all([source.with_suffix(".md")])
        if chapters is None or update_all(chapters):
            return 1
    with _log() as log, contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        failed = _sphinx(source)
    return _ended(failed, BUILD / "html" / source.relative_to(ROOT).with_suffix(".html"))


def _sphinx(source: Path) -> object:
    """Jupyter Book's own call of Sphinx, for one file: other pages are read if they changed, not written."""
    from jupyter_book.sphinx import build_sphinx  # here: it takes a second to import

    return build_sphinx(
        ROOT,
        BUILD / "html",
        noconfig=True,
        path_config=ROOT / "_config.yml",
        confoverrides={"external_toc_path": "_toc.yml", "latex_individualpages": False},
        filenames=[str(source)],
    )


def _log():
    BUILD.mkdir(exist_ok=True)
    return LOG.open("w", encoding="utf-8")


def _ended(failed: object, built: Path) -> int:
    if failed or not built.is_file():
        print(LOG.read_text(encoding="utf-8"), file=sys.stderr)
        print(f"the build failed; its log: {LOG.relative_to(ROOT)}")
        return 1
    print(built.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(page(sys.argv[1]) if len(sys.argv) > 1 else site())
    except KeyboardInterrupt:
        sys.exit("interrupted; finished chapters are stored, the others are as they were")
