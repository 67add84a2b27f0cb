"""What a count found, as data and as tables."""

import csv
import html
import io
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Row:
    """One operation that did MACs.

    ``where``: path of the module that ran it, with file and line where the call stands in a module's own code or in a
    function. ``operation``: torch's name. ``inputs``, ``output``: shapes. ``groups``: of a convolution, else 1.
    ``params``: learnable scalars that it reads and no row before it has read. ``share``: of all MACs, in percent.
    ``module``: the path alone, empty for the model itself and in a function.
    """

    where: str
    operation: str
    inputs: tuple
    output: tuple
    groups: int
    macs: int
    params: int
    module: str = ""
    share: float = 0.0


def rows_with_shares(rows):
    """A :class:`Row` from each tuple of its values without the share, which is 0 where there are no MACs at all."""
    macs = sum(row[5] for row in rows)
    return tuple(Row(*row, share=100 * row[5] / macs if macs else 0.0) for row in rows)


@dataclass(frozen=True)
class Other:
    """All calls of one operation that does arithmetic, but by convention no MACs, or that could not be priced.

    An operation without arithmetic is here if it was the first to read learnable scalars: the look-up of an embedding.

    ``elements``: numbers that its calls wrote. ``params``: learnable scalars that they were the first to read.
    """

    operation: str
    calls: int
    elements: int
    params: int


@dataclass(frozen=True)
class Report:
    """A count: ``macs``, ``flops`` (twice the macs), ``params``, and where they are.

    ``rows``: a :class:`Row` for each operation with MACs, in running order. ``other``: elementwise operations, norms,
    pooling, reductions, never mixed in. ``uncounted``: what was met and could not be priced: if it is not empty, the
    true number may be higher. ``images``: the images that the counts are divided by, 1 unless ``per_image`` was asked
    for. ``params`` are all learnable scalars of the model, used or not; of a function, those that it read. ``held``:
    how many each learnable tensor has, ``{path: scalars}``; empty for a function.
    """

    rows: tuple
    other: tuple
    uncounted: tuple
    params: int
    images: int = 1
    held: dict = field(default_factory=dict, compare=False, repr=False)

    @property
    def macs(self):
        """Multiply-accumulates of all rows."""
        return sum(row.macs for row in self.rows)

    @property
    def flops(self):
        """Floating-point operations, ``2 * macs``."""
        return 2 * self.macs

    def by_module(self, depth=1):
        """The totals of the modules whose names have ``depth`` parts, or fewer if they do MACs themselves: a Report.

        Its rows have no shapes. Their parameters are all that the modules hold.
        """
        if not isinstance(depth, int) or depth < 1:
            raise ValueError(f"depth must be a whole number, 1 or more, got {depth!r}")

        def top(path):
            return ".".join(path.split(".")[:depth])

        totals = {}
        for path, params in self.held.items():
            if module := path.rpartition(".")[0]:
                totals.setdefault(top(module), [0, 0, []])[1] += params
        for row in self.rows:
            total = totals.setdefault(top(row.module) or row.where, [0, 0, []])
            total[0] += row.macs
            total[1] += 0 if self.held else row.params
            total[2] += [row.operation] * (row.operation not in total[2])
        rows = [(path, " ".join(done), (), None, 1, *numbers, path) for path, (*numbers, done) in totals.items()]
        return replace(self, rows=rows_with_shares(rows))

    def table(self):
        """Lines of text cells: the names of the columns, the rows, and the sum."""
        lines = [["where", "operation", "shapes", "groups", "params", "MACs", "share"]]
        for row in self.rows:
            shapes = "" if row.output is None else f"{_shapes(row.inputs)} -> {_shapes([row.output])}"
            groups = "" if row.output is None else str(row.groups)
            counts = [groups, f"{row.params:,}", f"{row.macs:,}", f"{row.share:.2f} %"]
            lines.append([row.where, row.operation, shapes, *counts])
        total = ["total", "", "", "", f"{self.params:,}", f"{self.macs:,}", f"{100 * bool(self.macs):.2f} %"]
        return [*lines, total]

    def notes(self):
        """Sentences below the table: the unit, what was left out by convention, and what could not be counted."""
        unit = f"{self.macs:,} MACs = {self.flops:,} FLOPs" + (" per image" if self.images > 1 else "")
        sentences = [unit + ". 1 MAC = 2 FLOPs; bias, norms, activations and pooling are not MACs."]
        for label, found in (("Not MACs by convention", self.other), ("NOT COUNTED, no price known", self.uncounted)):
            if found:
                calls = ", ".join(f"{entry.operation} ({entry.calls})" for entry in found)
                sentences.append(f"{label} (calls): {calls}.")
        return sentences

    def __str__(self):
        lines = self.table()
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        align = [str.ljust] * 3 + [str.rjust] * 4
        texts = ["  ".join(map(lambda a, cell, w: a(cell, w), align, line, widths)) for line in lines]
        rule = "-" * len(texts[0])
        return "\n".join([texts[0], rule, *texts[1:-1], rule, texts[-1], *self.notes()])

    __repr__ = __str__  # as a table at a prompt too

    def to_markdown(self):
        """The table in Markdown, the notes below it."""
        head, *lines = [[" ".join(cell.split()).replace("|", "\\|") for cell in line] for line in self.table()]
        rule = ["---"] * 3 + ["---:"] * 4
        return "\n".join([f"| {' | '.join(line)} |" for line in [head, rule, *lines]] + ["", *self.notes()])

    def to_csv(self):
        """The rows as comma-separated values with a header, counts as plain integers, without the sum.

        What was not counted has rows of its own at the end: ``where`` is NOT COUNTED, and ``macs`` is empty, which
        pandas reads as missing and leaves out of sums.
        """
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["where", "operation", "inputs", "output", "groups", "params", "macs", "share"])
        for row in self.rows:
            output = "" if row.output is None else _shapes([row.output])
            counts = [row.groups, row.params, row.macs, f"{row.share:.4f}"]
            writer.writerow([row.where, row.operation, _shapes(row.inputs), output, *counts])
        for entry in self.uncounted:
            writer.writerow([f"NOT COUNTED ({entry.calls})", entry.operation, "", "", "", entry.params, "", ""])
        return file.getvalue()

    def _repr_html_(self):
        def row(line, tag):
            cells = ""
            for column, cell in enumerate(line):
                side = "left" if column < 3 else "right"
                cells += f'<{tag} style="padding:0 .5em;text-align:{side}">{html.escape(cell)}</{tag}>'
            return f"<tr>{cells}</tr>"

        head, *lines = self.table()
        body = "".join(row(line, "td") for line in lines)
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes())
        table = f"<table><thead>{row(head, 'th')}</thead><tbody>{body}</tbody></table>"
        return f'<div style="overflow-x:auto">{table}</div>{notes}'


def _shapes(shapes):
    return " ".join("x".join(map(str, shape)) or "scalar" for shape in shapes)
