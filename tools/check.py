"""What an author of code looks at between two edits, in under a minute: `make check`.

Format, lint and the quick tests of the library; what they say is shown where they fail. Then the notebooks that are
stale, which is no failure: `make notebooks` is for the end.
"""

import os
import subprocess
import sys
import time

from tools.chapters import ROOT, chapter_texts
from tools.exercises import UnequalExercises
from tools.notebooks import look_at

RUFF = [sys.executable, "-m", "ruff"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal", "-m", "not slow"]
STEPS = [
    ("format", [*RUFF, "format", "--check", "."]),
    ("lint", [*RUFF, "check", "."]),
    ("library", [*PYTEST, "tests/library"]),
]


def passes(name: str, command: list[str]) -> bool:
    """Run one step; a line with its seconds if it passes, all that it says if not."""
    start = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    verdict = "FAILED" if done.returncode else "passed"
    print(f"{verdict}  {time.perf_counter() - start:5.1f} s  {name}", flush=True)
    if done.returncode:
        print(done.stdout)
    return done.returncode == 0


def say_what_is_stale() -> None:
    """A line for each notebook that is stale, or that there are none."""
    lines = []
    for text in chapter_texts():
        try:
            chapter = look_at(text)
            lines += [chapter.stale, chapter.changed_by_hand]
        except (UnequalExercises, SyntaxError) as error:
            lines.append(f"chapters/{text.name}: {error}")
    lines = [line for line in lines if line]
    print(*(lines or ["no notebook is stale"]), sep="\n")
    if lines:
        print("That is no failure here: make notebooks brings them up to date when you are done.")


def main() -> int:
    passed = [passes(name, command) for name, command in STEPS]
    say_what_is_stale()
    return 0 if all(passed) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
