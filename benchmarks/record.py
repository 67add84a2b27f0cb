"""A table of measurements, written with all its rows or not at all."""

import pandas as pd

from dscourse.measured import FOLDER


def write(name, rows, folder=FOLDER):
    """The rows, dicts with the same keys, as ``<name>.csv`` in the folder, in place of an earlier one; its path.

    They are written beside their place and then moved there, so that nobody finds half a file. Raises ValueError
    without rows and for rows with other keys than the first.
    """
    if not rows or any(list(row) != list(rows[0]) for row in rows):
        raise ValueError(f"{name} needs rows that all have the same keys, got {len(rows)} with {set(map(tuple, rows))}")
    path = folder / f"{name}.csv"
    unfinished = path.with_suffix(".csv.unfinished")
    pd.DataFrame(rows).to_csv(unfinished, index=False, lineterminator="\n")
    unfinished.replace(path)
    return path
