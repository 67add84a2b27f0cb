"""Price a network from the command line: ``python -m dslib.caffe deploy.prototxt``."""

import argparse
import csv
import io
import os
import sys

from .price import PHASES, price_file

NOT_COUNTED = 3
COLUMNS = ["layer", "kind", "output", "params", "MACs", "share"]


def main(arguments=None):
    """Print the table and return the exit status; an error, or a layer without a price, is one line on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m dslib.caffe",
        description="Price the network in a prototxt per image, layer by layer.",
        epilog="exit status: 0, or 1 for an error, 2 for a wrong option, 3 with --strict if something was not counted.",
    )
    parser.add_argument("file", help="a network with an input, usually called deploy.prototxt")
    parser.add_argument("--phase", choices=PHASES, default="TEST", help="leave out the layers of the other one")
    parser.add_argument("--strict", action="store_true", help="exit with status 3 if something was not counted")
    parser.add_argument("--format", choices=["text", "markdown", "csv"], default="text")
    options = parser.parse_args(arguments)
    try:
        net = price_file(options.file, options.phase)
        table = {"text": _text, "markdown": _markdown, "csv": _csv}[options.format](net)
    except (ValueError, OSError) as error:
        said = f"{error.strerror}: {options.file}" if isinstance(error, OSError) else str(error)
        print(f"error: {' '.join(said.split())}", file=sys.stderr)
        return 1
    for layer in net.uncounted:
        print(f"warning: not counted: {layer}", file=sys.stderr)
    try:
        print(table, flush=True)
    except BrokenPipeError:  # | head has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOT_COUNTED if options.strict and net.uncounted else 0


def _lines(net):
    """A line of texts for each row, then one for each layer without a price, then the sum."""
    lines = [_line(row.name, row.kind, (row.channels, *row.size), row.cost, net.total) for row in net.rows]
    lines += [[layer.name, f"NOT COUNTED: {layer.type}", "", "", "", ""] for layer in net.uncounted]
    return [*lines, _line("total", "", (), net.total, net.total)]


def _line(name, kind, shape, cost, total):
    share = f"{100 * cost.macs / max(total.macs, 1):.2f} %"
    return [name, kind, "x".join(map(str, shape)), f"{cost.params:,}", f"{cost.macs:,}", share]


def _note(net):
    return f"{net.total.macs:,} MACs = {net.total.flops:,} FLOPs per image. 1 MAC = 2 FLOPs."


def _text(net):
    lines = [COLUMNS, *_lines(net)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    align = [str.ljust] * 3 + [str.rjust] * 3
    texts = ["  ".join(a(cell, w) for a, cell, w in zip(align, line, widths, strict=True)).rstrip() for line in lines]
    rule = "-" * max(map(len, texts))
    return "\n".join([texts[0], rule, *texts[1:-1], rule, texts[-1], _note(net)])


def _markdown(net):
    lines = [COLUMNS, ["---"] * 3 + ["---:"] * 3, *_lines(net)]
    texts = ["| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |" for line in lines]
    return "\n".join([*texts, "", _note(net)])


def _csv(net):
    """Counts as plain integers, without the sum."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["layer", "kind", "output", "params", "macs"])
    for name, kind, output, params, macs, _ in _lines(net)[:-1]:
        writer.writerow([name, kind, output, params.replace(",", ""), macs.replace(",", "")])
    return file.getvalue().rstrip()


if __name__ == "__main__":
    sys.exit(main())
