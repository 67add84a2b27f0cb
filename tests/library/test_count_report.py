"""The report of a count: its rows and numbers, and the same numbers read back from text, Markdown, CSV and HTML."""

import csv
import dataclasses
import io
import re
from xml.etree import ElementTree

import pandas
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib import models
from dslib.counting import Other, Report, Row, count

HEAD = ["where", "operation", "shapes", "groups", "params", "MACs", "share"]
CONV, LINEAR = 2 * 8 * (5 * 4) * 9, 2 * 160 * 10


def small(backward=False):
    model = nn.Sequential(nn.Conv2d(4, 8, 3, groups=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(160, 10))
    return count(model.eval(), input_size=(2, 4, 7, 6), backward=backward)


def single(name="a", **more):
    """A report of one row, made by hand."""
    return Report((Row(name, "mm", ((1, 2), (2, 1)), (), 1, 2, 0),), (), (), 0, **more)


def test_the_numbers():
    report, sizes = small(), ((2, 4, 7, 6), (8, 1, 3, 3), (8,))
    assert report.rows == (
        Row("0", "convolution", sizes, (2, 8, 5, 4), 4, CONV, 72 + 8, "0", 100 * CONV / 6080),
        Row("4", "addmm", ((10,), (2, 160), (160, 10)), (2, 10), 1, LINEAR, 1600 + 10, "4", 100 * LINEAR / 6080),
    )
    assert report.other == (Other("native_batch_norm", 1, 320, 16), Other("relu", 1, 320, 0))
    assert (report.uncounted, report.params, report.images) == ((), 80 + 16 + 1610, 1)
    assert (report.macs, report.flops) == (CONV + LINEAR, 2 * (CONV + LINEAR))
    assert report == small() and report != small(backward=True)
    for thing, name in ((report, "params"), (report.rows[0], "macs"), (report.other[0], "calls")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, 0)


def test_params_and_shares_add_up():
    model = models.mobilenet_v1(0.25).eval()
    report = count(model, input_size=(1, 3, 64, 64))
    assert sum(entry.params for entry in [*report.rows, *report.other]) == report.params
    assert report.params == sum(parameter.numel() for parameter in model.parameters())
    assert sum(row.share for row in report.rows) == pytest.approx(100, abs=1e-9)
    assert all(isinstance(row.macs, int) and row.macs > 0 for row in report.rows)
    nothing = count(torch.dot, torch.zeros(0), torch.zeros(0))
    assert (nothing.macs, nothing.rows[0].share) == (0, 0.0)


# ---- where, and whose parameters


class Own(nn.Linear):
    def forward(self, x):
        return F.linear(x.bfloat16(), self.weight.clone().to(torch.bfloat16))


def own():
    model = nn.Sequential(nn.Identity(), Own(4, 4, bias=False))
    model.unused = nn.Parameter(torch.zeros(100))
    return model


def tied():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    model[2].weight = model[0].weight
    return model


def shared():
    layer = nn.Linear(4, 4)
    return nn.Sequential(layer, nn.ReLU(), layer)


# {name: (model, (where, MACs, parameters) of each row, parameters of the model)} for two rows of 4
WHERE = {
    "tied": (tied, [("0", 32, 20), ("2", 32, 4)], 24),
    "shared": (shared, [("0", 32, 20), ("0", 32, 0)], 20),
    "a call of its own": (own, [("1 test_count_report.py", 32, 16)], 116),
    "itself": (lambda: nn.Linear(4, 4), [("Linear", 32, 20)], 20),
    "derived": (lambda: type("Derived", (nn.Linear,), {})(4, 4), [("Derived", 32, 20)], 20),  # torch's forward, no line
    "a function": (lambda: lambda x: x @ x.mT, [("test_count_report.py", 16, 0)], 0),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("make, rows, params", WHERE.values(), ids=WHERE)
def test_where_it_happened_and_whose_the_parameters_are(make, rows, params, device):
    model, x = make(), torch.zeros(2, 4, device=device, requires_grad=True)
    report = count(model, x)
    assert [(row.where.split(":")[0], row.macs, row.params) for row in report.rows] == rows
    assert all((":" in row.where) == (".py" in row.where) for row in report.rows)
    both = count(model, x, backward=True)
    assert [row.params for row in both.rows][: len(rows)] == [row[2] for row in rows]
    assert (report.params, both.params, sum(row.params for row in both.rows[len(rows) :])) == (params, params, 0)
    if params:
        assert any(re.fullmatch(r"(\d|weight) \(backward\)", row.where) for row in both.rows)


def test_totals_by_module():
    model = nn.Sequential(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5)), nn.Linear(5, 2), nn.LayerNorm(2))
    report = count(model, input_size=(3, 4))
    top, deep = report.by_module(), report.by_module(depth=2)
    named = [("0.0", 60, 25), ("0.1", 0, 10), ("1", 30, 12), ("2", 0, 4)]
    assert [(row.where, row.macs, row.params) for row in top.rows] == [("0", 60, 35), ("1", 30, 12), ("2", 0, 4)]
    assert [(row.where, row.macs, row.params) for row in deep.rows] == named
    assert (top.macs, top.params, sum(row.share for row in top.rows)) == (90, 51, pytest.approx(100))
    assert str(top).splitlines()[2].split() == ["0", "addmm", "35", "60", "66.67", "%"]
    assert top.to_csv().splitlines()[1] == "0,addmm,,,1,35,60,66.6667"
    both = count(model, input_size=(3, 4), backward=True).by_module()
    assert both.macs == 270 and {row.where for row in both.rows} == {"0", "1", "2", "(backward)"}
    (row,) = count(lambda x: x @ x.mT, torch.zeros(2, 3)).by_module().rows
    assert (row.where.split(":")[0], row.macs) == ("test_count_report.py", 12)
    for depth in (0, -1, 1.5):
        with pytest.raises(ValueError, match=f"depth must be a whole number, 1 or more, got {depth}"):
            report.by_module(depth)


# ---- read back


def html_cells(report):
    tree = ElementTree.fromstring(f"<page>{report._repr_html_()}</page>")  # every tag is closed
    rows = [[cell.text for cell in row if cell.text] for row in tree.iter("tr")]
    return rows, [paragraph.text for paragraph in tree.iter("p")]


def text_cells(report):
    table, notes = [str(report).splitlines()[i:j] for i, j in ((0, len(report.rows) + 4), (len(report.rows) + 4, None))]
    rules, lines = [line for line in table if set(line) == {"-"}], [line for line in table if set(line) != {"-"}]
    assert len(rules) == 2 and {len(line) for line in lines} == {len(rules[0])}  # columns end below each other
    return [re.split(r"\s{2,}", line) for line in lines], notes


def markdown_cells(report):
    table, notes = report.to_markdown().split("\n\n")
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
    assert lines.pop(1) == ["---"] * 3 + ["---:"] * 4
    return [[cell for cell in line if cell] for line in lines], notes.splitlines()


@pytest.mark.parametrize("read", [text_cells, markdown_cells, html_cells])
@pytest.mark.parametrize("backward", [False, True])
def test_a_table_read_back(read, backward):
    report = small(backward)
    (head, *lines, total), notes = read(report)
    assert head == HEAD and lines[0][2] == "2x4x7x6 8x1x3x3 8 -> 2x8x5x4"
    assert [[line[0], line[1], *line[3:]] for line in lines] == [
        [row.where, row.operation, str(row.groups), f"{row.params:,}", f"{row.macs:,}", f"{row.share:.2f} %"]
        for row in report.rows
    ]
    macs = 6080 * (3 if backward else 1)
    assert total == ["total", "1,706", f"{macs:,}", "100.00 %"]
    assert notes[0].startswith(f"{macs:,} MACs = {2 * macs:,} FLOPs. 1 MAC = 2 FLOPs;") and len(notes) == 2
    assert notes[1].startswith("Not MACs by convention (calls): native_batch_norm (1), relu (1)")
    assert read(count(nn.Identity(), input_size=(2, 3)))[0] == [HEAD, ["total", "0", "0", "0.00 %"]]


@pytest.mark.parametrize("backward", [False, True])
def test_csv(backward):
    report = small(backward)
    for found, row in zip(csv.DictReader(io.StringIO(report.to_csv())), report.rows, strict=True):
        inputs = tuple(tuple(map(int, shape.split("x"))) for shape in found["inputs"].split())
        output = tuple(map(int, found["output"].split("x")))
        numbers = [int(found[name]) for name in ("groups", "macs", "params")]
        assert Row(found["where"], found["operation"], inputs, output, *numbers, row.module, row.share) == row
        assert float(found["share"]) == pytest.approx(row.share, abs=1e-4)


def test_notes_say_what_was_not_counted_and_per_what():
    weight = nn.Parameter(torch.zeros(5, 4))
    report = count(lambda x: torch.fft.fft2(torch.fft.fft2(x)).real @ weight.mT, torch.zeros(2, 3, 4))
    assert "NOT COUNTED, no price known (calls): _fft_c2c (2)." in str(report).splitlines()
    assert "NOT COUNTED" not in str(small())
    table = pandas.read_csv(io.StringIO(report.to_csv()))
    assert list(table["where"])[-1] == "NOT COUNTED (2)" and list(table["operation"]) == ["mm", "_fft_c2c"]
    assert table["macs"].sum() == report.macs == 6 * 20 and table["macs"].isna().tolist() == [False, True]
    assert "2 MACs = 4 FLOPs per image. " in str(single(images=2)) and "per image" not in str(single())


def test_names_are_escaped():
    name = "<script>alert('x & y')</script>"
    report = dataclasses.replace(single(name), other=(Other("<b>", 1, 1, 0),), uncounted=(Other("<i>", 1, 1, 0),))
    rows, paragraphs = html_cells(report)
    assert not any(tag in report._repr_html_() for tag in ("<script", "<b>", "<i>"))
    assert rows[1][:2] == [name, "mm"] and "<b> (1)" in paragraphs[1] and "<i> (1)" in paragraphs[2]
    assert "| a\\|b c | mm |" in single("a|b\nc").to_markdown()
    (found,) = csv.DictReader(io.StringIO(single('a,"b"').to_csv()))
    assert (found["where"], found["output"]) == ('a,"b"', "scalar")
