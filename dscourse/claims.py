"""What is said of these layers, in notes and papers, as a ledger: each claim with a verdict and the correct statement.

``claims.csv`` has a row for each claim. The chapter claims_checked has a cell for each row, which computes whether the
claim holds; :func:`check` turns that into a verdict and compares it with the ledger's.
"""

import csv
from pathlib import Path
from typing import NamedTuple

LEDGER = Path(__file__).parent / "claims.csv"
VERDICTS = {  # the word: what it means
    "right": "holds in every case tried",
    "conditional": "holds in some cases and fails in others",
    "incomplete": "holds, but something that is needed is missing",
    "limit only": "holds in no case, and is approached as a size grows without end",
    "cut off": "the digits are those of the exact number, which would be rounded to others",
    "other quantity": "fails as said, and holds if another quantity or another count is meant",
    "misprint": "fails as printed, and holds with a small slip mended",
    "unexplained": "fails, and no plain reading tried gives it",
    "wrong": "fails in every case tried",
    "untested": "needs a measurement that this book does not have",
}
EVIDENCE = {  # what a verdict rests on: the same in a sentence
    "computed": "what the cell counts or works out",
    "measured": "this book's stored measurements",
    "source": "the words of a paper, which the cell only quotes",
    "none": "nothing: the claim is untested",
}
NAMES = {"mobilenet_v1": "MobileNetV1", "ghostnet": "GhostNet"}  # of chapters whose slug is not their name


class Claim(NamedTuple):
    """One row of the ledger, all text: ``verdict`` one of ``VERDICTS``, ``evidence`` one of ``EVIDENCE``, ``chapter``
    the slug of the chapter that explains it.

    A notebook shows it as its verdict and the correct statement, with a link to the chapter beside it.
    """

    id: str
    source: str
    claim: str
    verdict: str
    evidence: str
    correct: str
    chapter: str

    def _repr_markdown_(self):
        name = NAMES.get(self.chapter, self.chapter.replace("_", " "))
        rests_on = {"measured": ", as measured", "source": ", by a paper's words"}.get(self.evidence, "")
        return f"**Verdict: {self.verdict}{rests_on}.** {self.correct} (See [{name}]({self.chapter}.ipynb).)"


def rows(path=LEDGER):
    """All claims of the ledger, a list of :class:`Claim` in the order of the chapter claims_checked.

    Raises ValueError if the file's columns are not the fields of a claim, if a row has too few or too many cells, an
    empty cell, an unknown verdict or unknown evidence, if there is a verdict without evidence other than ``untested``
    or the other way round, and if two rows have one id.
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    if header != list(Claim._fields):
        raise ValueError(f"the columns must be {', '.join(Claim._fields)}, got {', '.join(header)}")
    found = {}
    for line in lines:
        if len(line) != len(header) or not all(cell.strip() for cell in line):
            raise ValueError(f"a claim needs {len(header)} cells and none of them empty, got {line}")
        row = Claim(*line)
        if row.verdict not in VERDICTS:
            raise ValueError(f"{row.id}: verdict must be one of {', '.join(VERDICTS)}, got {row.verdict!r}")
        if row.evidence not in EVIDENCE or (row.evidence == "none") != (row.verdict == "untested"):
            raise ValueError(
                f"{row.id}: evidence must be one of {', '.join(EVIDENCE)}, and none only for an untested claim, "
                f"got {row.evidence!r}"
            )
        if row.id in found:
            raise ValueError(f"two claims have the id {row.id!r}")
        found[row.id] = row
    return list(found.values())


def claim(id):
    """The :class:`Claim` of that id; ValueError if there is none."""
    for row in rows():
        if row.id == id:
            return row
    raise ValueError(f"no claim has the id {id!r}; claims.rows() has them all")


def verdict_of(*holds, **reading):
    """The verdict that the evidence leads to, one of ``VERDICTS``.

    ``holds``: for each case tried, whether the claim, taken at its word, is true there. Alone they lead to ``right``
    (all), ``wrong`` (none) or ``conditional``. ``reading``, at most one: another verdict, with an underscore for the
    space, and whether it is borne out, for example ``limit_only=True``. It is the verdict if no case holds or, for
    ``incomplete``, if all do. ``untested=True`` stands alone, without cases.

    Raises ValueError without cases or, for ``untested``, with them, for evidence that is not True or False, for an
    unknown or a second reading, and for a reading that is not borne out or that the cases contradict.
    """
    evidence = [*holds, *reading.values()]
    if bool(holds) == ("untested" in reading) or not all(isinstance(value, bool) for value in evidence):
        needed = "at least one case (for untested none), each True or False"
        raise ValueError(f"the evidence must be {needed}, got {holds} and {reading}")
    if not reading:
        return "right" if all(holds) else "conditional" if any(holds) else "wrong"
    words = [word.replace("_", " ") for word in reading]
    if len(words) > 1 or words[0] not in set(VERDICTS) - {"right", "conditional", "wrong"}:
        raise ValueError(f"one other reading can be given, a verdict that cases alone do not lead to, got {words}")
    if not all(reading.values()) or not (all(holds) if words[0] == "incomplete" else not any(holds)):
        raise ValueError(f"the evidence does not lead to {words[0]!r}: cases {holds}, reading {reading}")
    return words[0]


def check(id, *holds, **reading):
    """The :class:`Claim` of that id, if the evidence leads to the verdict that it has in the ledger.

    ``holds`` and ``reading`` as in :func:`verdict_of`. Raises AssertionError for another verdict, and ValueError as
    :func:`claim` and :func:`verdict_of` do.
    """
    row, found = claim(id), verdict_of(*holds, **reading)
    if found != row.verdict:
        raise AssertionError(f"{id}: the evidence says {found!r}, the ledger says {row.verdict!r}")
    return row
