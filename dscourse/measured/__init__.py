"""Measurements that chapters show, stored with the package, so that a notebook alone has them too.

Each is a CSV file here. The programs in ``benchmarks/`` write them: every row says on which machine, with which
versions and on which day it was measured. Chapters: theory_and_silicon, accuracy.
"""

import csv
from pathlib import Path

FOLDER = Path(__file__).parent


def read(name):
    """The rows of ``<name>.csv`` as dicts of text, in order; ValueError, with the names that there are, if none is."""
    path = FOLDER / f"{name}.csv"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in FOLDER.glob("*.csv"))) or "none"
        raise ValueError(f"no measurement is called {name!r}; there are: {there}")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
