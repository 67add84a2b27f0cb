"""Push the notebooks, as they are here, to the branch `colab`: what the site's Colab buttons open.

    python -m tools.colab [REMOTE]      (default: origin)

The workflow runs it after `make url`, so that the notebooks carry the address of the repository they are in. The branch
has one commit without history, and no file but the notebooks and their images; main is never touched.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "colab"
WHO = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in
       (("NAME", "book workflow"), ("EMAIL", "workflow@localhost"))}  # fmt: skip


def git(*arguments: str, root: Path, **environment: str) -> str:
    """What git prints; CalledProcessError, after git's own words, if it fails."""
    command = ["git", *arguments]
    env = WHO | os.environ | environment
    return subprocess.run(command, cwd=root, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def tree_of_notebooks(root: Path) -> str:
    """A git tree of chapters/*.ipynb and chapters/images as they are on disk, without touching git's index."""
    with tempfile.TemporaryDirectory() as folder:
        index = str(Path(folder, "index"))
        git("add", "--force", "chapters/*.ipynb", "chapters/images", root=root, GIT_INDEX_FILE=index)
        return git("write-tree", root=root, GIT_INDEX_FILE=index)


def push(remote: str, root: Path = ROOT) -> bool:
    """Push the notebooks if they differ from what the branch has; whether they did."""
    tree = tree_of_notebooks(root)
    if git("ls-remote", remote, f"refs/heads/{BRANCH}", root=root):
        git("fetch", "--quiet", "--depth=1", remote, f"refs/heads/{BRANCH}", root=root)
        if git("rev-parse", "FETCH_HEAD^{tree}", root=root) == tree:
            return False
    source = git("rev-parse", "--short", "HEAD", root=root)
    commit = git("commit-tree", tree, "-m", f"Notebooks of {source}, with this repository's address", root=root)
    git("push", "--quiet", "--force", remote, f"{commit}:refs/heads/{BRANCH}", root=root)
    return True


def main(remote: str) -> int:
    try:
        changed = push(remote)
    except subprocess.CalledProcessError as error:
        print(f"the branch {BRANCH} is as it was: git {error.cmd[1]} failed", file=sys.stderr)
        return 1
    print(
        f"the notebooks are on the branch {BRANCH}" if changed else f"the branch {BRANCH} has these notebooks already"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "origin"))
