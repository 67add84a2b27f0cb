"""Measurements that chapters show, stored here so that a notebook alone has them too.

Each is a CSV file, written by a program in ``benchmarks/``. Every row says on which machine, with which versions, on
which day and by which command it was measured.
"""

from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent
# Columns of text that may be empty. pandas would read an empty cell as a missing number.
TEXT = ("gpu", "programs", "test_wrong")


def read(name):
    """The rows of ``<name>.csv`` as a DataFrame: numbers as numbers, all else as text.

    Raises ValueError, with the names that there are, for an unknown one.
    """
    there = sorted(file.stem for file in FOLDER.glob("*.csv"))
    if name not in there:
        raise ValueError(f"no measurement is called {name!r}; there are: {', '.join(there) or 'none'}")
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=dict.fromkeys(TEXT, str)).fillna(dict.fromkeys(TEXT, ""))
