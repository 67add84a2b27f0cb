"""A book of one small chapter in a folder of its own, with this repository's tools and packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from tests.support.book import ROOT

CHAPTER = """---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A small chapter

```{code-cell} ipython3
1 + 1
```

One word. See [words](words.md#first).

+++

Another cell.

```{code-cell} ipython3
---
tags:
  - hide-input
mystnb: {image: {alt: "two words"}}
---
print("fold me")
```
"""
TOC = """format: jb-book
root: chapters/intro
parts:
  - caption: All
    chapters:
      - file: chapters/small.ipynb
"""
CONFIG = """title: Small
repository: {url: https://github.com/OWNER/REPO}
html: {baseurl: https://OWNER.github.io/REPO/}
"""


def make(root: Path, text: str = CHAPTER) -> Path:
    """Write the book below ``root``; the chapter is not executed yet."""
    for folder in ("dslib", "dscourse", "tools"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "chapters").mkdir()
    (root / "_toc.yml").write_text(TOC)
    (root / "_config.yml").write_text(CONFIG)
    (root / "chapters" / "words.md").write_text("# Words\n")
    (root / "chapters" / "intro.md").write_text("# Small\n")
    (root / "chapters" / "small.md").write_text(text)
    return root


def run(root: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess:
    """``python -m tools.<tool>`` in the book, whose packages come first for its kernels too."""
    command = [sys.executable, "-m", f"tools.{tool}", *arguments]
    environment = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def stored(root: Path) -> nbformat.NotebookNode:
    """The chapter's notebook."""
    return nbformat.read(root / "chapters" / "small.ipynb", as_version=4)


def store(root: Path, notebook: nbformat.NotebookNode) -> None:
    """Save the notebook as an editor does."""
    nbformat.write(notebook, root / "chapters" / "small.ipynb")


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that is in the file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
