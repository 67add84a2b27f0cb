"""Everything that can fail, one step after the other, with the seconds of each: what `make test` runs.

With ``--core`` only the library's tests and the chapters' execution, in the Python that runs this: `make test-with`.

A step that fails does not stop the next ones; the exit status is 1 if any failed.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.chapters import chapter_texts, environment_of

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FRAMEWORKS_PYTHON = ROOT / ".venv-frameworks" / "bin" / "python"
IN_FRAMEWORKS = [text.stem for text in chapter_texts() if environment_of(text) == "frameworks"]
# Two processes, a file to each in the order of the alphabet: by the number of tests the slow files would come last.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with=tests/nbval_sanitize.cfg"]
IN_VENV = [*(f"--ignore=chapters/{slug}.ipynb" for slug in IN_FRAMEWORKS), "chapters"]
# Not tests of the library: what needs a browser, the built site, another environment or figures to the last byte.
LIBRARY = ["--ignore=tests/library/test_fused.py", "tests/library", "tests/course"]
# Old packages use what newer ones, which they did not know, have meanwhile deprecated.
OLDEST = ["env", f"PYTHONPATH={ROOT}", str(ROOT / ".venv-oldest" / "bin" / "python")]
OLDEST += [*PYTEST[1:], "-W", "ignore::DeprecationWarning"]
ELSEWHERE = [f"chapters/{slug}.ipynb" for slug in IN_FRAMEWORKS]

# Another processor adds in another order and changes last digits. These settings make this one behave like an old one,
# so that an output that holds here only is found here.
OLD_PROCESSOR = [
    "env",
    "ATEN_CPU_CAPABILITY=default",
    "MKL_CBWR=COMPATIBLE",
    "NPY_DISABLE_CPU_FEATURES=X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "ONEDNN_MAX_CPU_ISA=SSE41",
    "OPENBLAS_CORETYPE=Nehalem",
]

# Name, command, target in seconds on two cores (None: no target of its own).
# The build comes before the tests, which read its pages.
STEPS = [
    ("format", [sys.executable, "-m", "ruff", "format", "--check", "."], None),
    ("lint", [sys.executable, "-m", "ruff", "check", "."], None),
    ("notebooks are their texts", [sys.executable, "-m", "tools.notebooks", "--check"], None),
    ("strict build of the book", [str(BIN / "jupyter-book"), "build", ".", "-W", "-n", "--keep-going"], 40),
    ("library, chapters as files, pages, tools, notebooks from nothing", [*PYTEST, "tests"], None),
    ("library with the oldest packages", [*OLDEST, *LIBRARY], None),
    ("execution of the chapters", [*PYTEST, *NBVAL, *IN_VENV], 120),
    ("the same as on an old processor", [*OLD_PROCESSOR, *PYTEST, *NBVAL, *IN_VENV], 120),
    ("execution beside other frameworks", [str(FRAMEWORKS_PYTHON), *PYTEST[1:], *NBVAL, *ELSEWHERE], 60),
]
CORE = [("library", [*PYTEST, *LIBRARY], None), ("execution of the chapters", [*PYTEST, *NBVAL, *IN_VENV], None)]
TARGET_IN_ALL = 900


def run(name: str, command: list[str]) -> tuple[bool, float]:
    """Run one step with its output shown; whether it passed, and its seconds."""
    print(f"\n=== {name}: {' '.join(Path(part).name if '/' in part else part for part in command)}", flush=True)
    start = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # kernels and workers share the cores
    passed = subprocess.run(command, cwd=ROOT, env=environment).returncode == 0
    return passed, time.perf_counter() - start


def main() -> int:
    steps, target_in_all = (CORE, None) if sys.argv[1:] == ["--core"] else (STEPS, TARGET_IN_ALL)
    if steps is STEPS:
        shutil.rmtree(ROOT / "_build", ignore_errors=True)  # a stale page must not pass for a built one
    rows = [(name, *run(name, command), target) for name, command, target in steps]
    rows.append(("in all", all(passed for _, passed, *_ in rows), sum(row[2] for row in rows), target_in_all))
    print()
    for name, passed, seconds, target in rows:
        aim = f"(target {target} s)" if target else ""
        print(f"{'passed' if passed else 'FAILED'}  {seconds:6.1f} s  {name} {aim}")
    return 0 if rows[-1][1] else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
