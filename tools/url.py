"""Set the repository's address everywhere: `make url`, or `make url URL=https://github.com/OWNER/REPO`.

Without an argument the address is that of git's remote `origin`. The address in force is the one in _config.yml. It is
replaced there and in every other file that carries it, together with the Colab links and the site that follow from it.
Nothing is executed: the address is no part of what makes a notebook stale.
"""

import re
import subprocess
import sys
from pathlib import Path

from tools.whole_files import write

ROOT = Path(__file__).resolve().parent.parent
CARRIERS = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "_config.yml", "chapters/*.md")
CARRIERS += ("chapters/*.ipynb",)
NAME = r"[A-Za-z0-9_.-]+"
# https://github.com/ada/book.git, git@github.com:ada/book.git, ssh://git@github.com/ada/book
GITHUB = re.compile(rf"(?:https://(?:[^/@]+@)?|ssh://git@|git@)github\.com[/:]({NAME})/({NAME}?)(?:\.git)?/?")


def split(url: str) -> tuple[str, str]:
    """``(owner, repository)`` of an address on GitHub; ValueError if it is none."""
    match = GITHUB.fullmatch(url)
    if not match:
        raise ValueError(f"the address must look like https://github.com/OWNER/REPO, got {url!r}")
    return match[1], match[2]


def site(owner: str, repository: str) -> str:
    """Where GitHub Pages shows the book, without https:// and the last slash."""
    own = f"{owner}.github.io"
    return own if repository.lower() == own.lower() else f"{own}/{repository}"


def rewrite(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The text with every form of the old address replaced by the same form of the new one."""
    end = r"(?![A-Za-z0-9_-])"  # so that owner/repo does not match inside owner/repo-two
    for form in ("github.com/{}/{}", "colab.research.google.com/github/{}/{}"):
        text = re.sub(re.escape(form.format(*old)) + end, form.format(*new), text)
    return text.replace(f"https://{site(*old)}/", f"https://{site(*new)}/")


def origin(root: Path) -> str:
    """The address of git's remote `origin`, or nothing."""
    done = subprocess.run(["git", "remote", "get-url", "origin"], cwd=root, capture_output=True, text=True)
    return done.stdout.strip()


def address_in_force(root: Path) -> tuple[str, str]:
    """``(owner, repository)`` as _config.yml has it."""
    config = (root / "_config.yml").read_text(encoding="utf-8")
    return split(re.search(r"^  url: (\S+)", config, re.MULTILINE)[1])


def set_address(root: Path, new: tuple[str, str]) -> list[Path]:
    """Rewrite every file below ``root`` that carries the address; those that changed."""
    old, changed = address_in_force(root), []
    for path in sorted(path for pattern in CARRIERS for path in root.glob(pattern)):
        before = path.read_text(encoding="utf-8")
        after = rewrite(before, old, new)
        if after != before:
            write(path, after)
            changed.append(path)
    return changed


def main(url: str, root: Path = ROOT) -> int:
    if not url:
        url = origin(root)
        if not GITHUB.fullmatch(url):
            place = f"origin is {url}, which is" if url else "there is no remote called origin, so this copy is"
            print(f"{place} not on GitHub: the address stays {'/'.join(address_in_force(root))}; URL=... names another")
            return 0
    try:
        new = split(url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    changed = set_address(root, new)
    print(f"the address is {'/'.join(new)}: {len(changed)} files changed" if changed else f"already {'/'.join(new)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
