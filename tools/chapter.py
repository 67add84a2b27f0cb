"""A new chapter: `make chapter SLUG=my_chapter` writes every file that it needs, with TODOs, and executes it.

The text, the file of exercises and the quiz are made from ``tools/new_chapter/``; _toc.yml, README.md and
chapters/intro.md get a line each. All are written, or none.
"""

import keyword
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tools.chapters import ROOT, chapter_texts, code_cells, notebook_of, pages
from tools.whole_files import write

PATTERNS = Path(__file__).resolve().parent / "new_chapter"


def refusal(slug: str) -> str:
    """Why no chapter can have that slug; nothing if one can."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug) or keyword.iskeyword(slug):
        return f"a slug has small letters, digits and underscores, and starts with a letter; got {slug!r}"
    for path in new_files(slug):
        if path.exists():
            return f"{path.relative_to(ROOT)} is there already: choose another slug"
    return f"_toc.yml has a page called {slug} already" if slug in {Path(page).stem for page in pages()} else ""


def new_files(slug: str) -> dict[Path, Path]:
    """The files that a chapter has to itself, each with what it is made from."""
    return {
        ROOT / "chapters" / f"{slug}.md": PATTERNS / "chapter.md",
        ROOT / "dscourse" / "exercises" / f"{slug}.py": PATTERNS / "exercises.py",
        ROOT / "dscourse" / "quizzes" / f"{slug}.md": PATTERNS / "quiz.md",
    }


def last_chapter() -> Path:
    """The text of the chapter after which a new one comes: the last that is not in the part Reference."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [entry["file"] for part in toc["parts"] if part["caption"] != "Reference" for entry in part["chapters"]]
    return ROOT / Path([file for file in listed if file.endswith(".ipynb")][-1]).with_suffix(".md")


def contents(slug: str) -> dict[Path, str]:
    """Every file that changes, with its new text."""
    last, title = last_chapter(), slug.replace("_", " ").capitalize()
    first = chapter_texts()[0].read_text(encoding="utf-8")
    after = pages().index(f"chapters/{last.stem}.ipynb") + 1
    following = Path(pages()[after]).name if after < len(pages()) else "intro"
    values = {
        "slug": slug,
        "title": title,
        "question": f"TODO: what does {title} answer?",
        "badges": "\n".join(re.findall(r"^\[!\[.*$", first, re.MULTILINE)).replace(chapter_texts()[0].stem, slug),
        "set_up": "\n\n".join(code_cells(notebook_of(first))[0].source.split("\n\n")[:2]),
        "next": following if "." in following else f"{following}.md",
    }
    found = {path: _filled(pattern, values) for path, pattern in new_files(slug).items()}
    toc, tables = ROOT / "_toc.yml", (ROOT / "README.md", ROOT / "chapters" / "intro.md")
    found[toc] = _with_line_after(toc, rf"( +- file: chapters/){last.stem}(\.ipynb)", rf"\g<1>{slug}\g<2>")
    for page in tables:
        row = rf"\| \[.*?\]\((\S*?){last.stem}\.ipynb\) \|.*?\|(.*)"
        new = rf"| [{title}](\g<1>{slug}.ipynb) | {values['question']} |"
        found[page] = _with_line_after(page, row, new + (r"\g<2>" if page.name == "README.md" else " nothing | 5 |"))
    return found


def _filled(pattern: Path, values: dict[str, str]) -> str:
    """The pattern with ``{name}`` replaced for the names that there are; other braces stay."""
    text = pattern.read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text)


def _with_line_after(path: Path, line: str, new: str) -> str:
    """The file's text with a line below the one that the pattern matches, made from it."""
    text = path.read_text(encoding="utf-8")
    changed, count = re.subn(
        rf"^({line})$", lambda match: f"{match[0]}\n{re.sub(line, new, match[0])}", text, flags=re.M
    )
    if count != 1:
        raise ValueError(f"{path.relative_to(ROOT)}: {count} lines are like {line!r}, one was expected")
    return changed


def write_all(files: dict[Path, str]) -> None:
    """Write the files; if anything goes wrong, none of them."""
    before = {path: path.read_text(encoding="utf-8") if path.exists() else None for path in files}
    try:
        for path, text in files.items():
            write(path, text)
    except BaseException:
        for path, text in before.items():
            path.unlink(missing_ok=True) if text is None else write(path, text)
        raise


def main(slug: str) -> int:
    if why := refusal(slug):
        print(why)
        return 1
    files = contents(slug)
    write_all(files)
    for path in files:
        print(path.relative_to(ROOT), flush=True)
    return subprocess.run([sys.executable, "-m", "tools.notebooks", slug], cwd=ROOT).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
    except KeyboardInterrupt:
        sys.exit("interrupted; what is written is whole: make notebooks goes on from there")
