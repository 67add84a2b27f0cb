"""Steps that follow each other, each shown as it runs; at the end a table with their seconds, and pytest's verdicts.

What `make test` and `make prove` have in common. A step that fails does not stop the next ones.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Two processes, a file to each, in the order of collection: by the number of tests the slow files would come last.
PYTEST = ["-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval_sanitize.cfg"]
BUILD = [str(Path(sys.executable).parent / "jupyter-book"), "build", ".", "-W", "-n", "--keep-going"]
VERDICT = re.compile(
    rb"^(?:=+ )?(\d+ (?:passed|failed|skipped|error|deselected|warning).* in [\d.]+s.*?)(?: =+)?$", re.M
)


def pytest(*arguments: str, python: str | Path = sys.executable, before: tuple = ()) -> list[str]:
    """The command that runs tests, by default in the Python that runs this; ``before`` sets variables."""
    return [*(["env", *before] if before else []), str(python), *PYTEST, *arguments]


def chapters(environment: str | None = None) -> list[str]:
    """The notebooks that are executed in an environment: those whose text has ``environment: NAME`` in its head."""
    found = []  # read without yaml: `make prove PART=with` starts in a Python where nothing is installed
    for notebook in re.findall(r"file: (chapters/\S+\.ipynb)", (ROOT / "_toc.yml").read_text()):
        head = (ROOT / notebook).with_suffix(".md").read_text().split("---\n")[1]
        asked = re.search(r"^environment: (\S+)$", head, re.MULTILINE)
        if (asked and asked[1]) == environment:
            found.append(notebook)
    return found


def run(name: str, command: list[str]) -> tuple[bool, float, str]:
    """Run one step with its output shown; whether it passed, its seconds, and pytest's closing line if there is one."""
    print(f"\n=== {name}: {' '.join(Path(part).name if '/' in part else part for part in command)}", flush=True)
    start = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}  # kernels and workers share the cores
    end = b""
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        while shown := os.read(process.stdout.fileno(), 65536):
            sys.stdout.buffer.write(shown)
            sys.stdout.flush()
            end = (end + shown)[-2000:]
    verdicts = VERDICT.findall(end)
    return process.returncode == 0, time.perf_counter() - start, verdicts[-1].decode() if verdicts else ""


def run_all(steps: list[tuple[str, list[str]]]) -> int:
    """Run the steps (name, command) and print the table; 0 if all passed, else 1."""
    rows = [(name, *run(name, command)) for name, command in steps]
    rows.append(("in all", all(row[1] for row in rows), sum(row[2] for row in rows), ""))
    print()
    for name, passed, seconds, _ in rows:
        print(f"{'passed' if passed else 'FAILED'}  {seconds:6.1f} s  {name}")
    print()
    for name, _, _, verdict in rows:
        if verdict:
            print(f"{name}: {verdict}")
    return 0 if rows[-1][1] else 1
