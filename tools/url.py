"""Set the repository's address everywhere: `make url URL=https://github.com/OWNER/REPO`.

The address in force stands in _config.yml. This replaces it there and in every other file that carries it, together
with the two addresses that follow from it: the Colab links and the published site.
"""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CARRIERS = ("README.md", "CONTRIBUTING.md", "CITATION.cff", "pyproject.toml", "_config.yml", "chapters/*.md")
NAME = r"[A-Za-z0-9_.-]+"


def split(url: str) -> tuple[str, str]:
    """``(owner, repository)`` of a GitHub address; ValueError if it is none."""
    match = re.fullmatch(rf"https://github\.com/({NAME})/({NAME}?)(\.git)?/?", url)
    if not match:
        raise ValueError(f"the address must look like https://github.com/OWNER/REPO, got {url!r}")
    return match[1], match[2]


def rewrite(text: str, old: tuple[str, str], new: tuple[str, str]) -> str:
    """The text with every form of the old address replaced by the same form of the new one."""
    end = r"(?![A-Za-z0-9_-])"  # so that owner/repo does not match inside owner/repo-two
    for form in ("github.com/{}/{}", "colab.research.google.com/github/{}/{}", "{}.github.io/{}"):
        text = re.sub(re.escape(form.format(*old)) + end, form.format(*new), text)
    return text


def main(url: str) -> int:
    try:
        new = split(url)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    old = split(yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"])
    for path in sorted(path for pattern in CARRIERS for path in ROOT.glob(pattern)):
        before = path.read_text()
        after = rewrite(before, old, new)
        if after != before:
            path.write_text(after)
            print(f"{path.relative_to(ROOT)}: {'/'.join(old)} -> {'/'.join(new)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
