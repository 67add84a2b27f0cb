"""What every benchmark of this folder writes down: the machine, and a table with all its rows or none."""

import csv
from pathlib import Path

from dslib.bench import machine

__all__ = ["MEASURED", "RESULTS", "machine", "write"]

RESULTS = Path(__file__).parent / "results"
MEASURED = Path(__file__).parent.parent / "dslib" / "measured"  # what chapters show


def write(name, rows, folder=RESULTS):
    """``<name>.csv`` in the folder, whole or not at all: written beside its place, then moved there; its path."""
    path = folder / f"{name}.csv"
    unfinished = path.with_suffix(".csv.unfinished")
    with unfinished.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)
    return path
