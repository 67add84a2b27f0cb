"""The report of a count: its numbers, and the same numbers read back from text, Markdown, CSV and HTML."""

import csv
import dataclasses
import html.parser
import io
import re

import pandas
import pytest
import torch
from torch import nn

from dslib import models
from dslib.counting import Other, Report, Row, count


def small(backward=False):
    model = nn.Sequential(nn.Conv2d(4, 8, 3, groups=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(160, 10))
    return count(model.eval(), input_size=(2, 4, 7, 6), backward=backward)


CONV, LINEAR = 2 * 8 * (5 * 4) * 9, 2 * 160 * 10


def test_the_numbers():
    report = small()
    assert report.rows == (
        Row(
            "0",
            "convolution",
            ((2, 4, 7, 6), (8, 1, 3, 3), (8,)),
            (2, 8, 5, 4),
            4,
            CONV,
            72 + 8,
            "0",
            100 * CONV / 6080,
        ),
        Row("4", "addmm", ((10,), (2, 160), (160, 10)), (2, 10), 1, LINEAR, 1600 + 10, "4", 100 * LINEAR / 6080),
    )
    assert report.other == (Other("native_batch_norm", 1, 320, 16), Other("relu", 1, 320, 0))
    assert (report.uncounted, report.params, report.images) == ((), 80 + 16 + 1610, 1)
    assert (report.macs, report.flops) == (CONV + LINEAR, 2 * (CONV + LINEAR))


def test_params_and_shares_add_up():
    for model in (models.ghostnet(0.5), models.mobilenet_v1(0.25)):
        report = count(model.eval(), input_size=(1, 3, 64, 64))
        apart = sum(entry.params for entry in report.other)
        assert sum(row.params for row in report.rows) + apart == report.params
        assert report.params == sum(parameter.numel() for parameter in model.parameters())
        assert sum(row.share for row in report.rows) == pytest.approx(100, abs=1e-9)
        assert sum(row.macs for row in report.rows) == report.macs == report.flops // 2
        assert all(isinstance(row.macs, int) and row.macs > 0 for row in report.rows)


def test_a_share_is_the_row_s_part_in_percent():
    report = small()
    assert [round(row.share, 6) for row in report.rows] == [round(100 * n / 6080, 6) for n in (CONV, LINEAR)]
    nothing = count(torch.dot, torch.zeros(0), torch.zeros(0))
    assert (nothing.macs, nothing.rows[0].share) == (0, 0.0)


def test_a_report_cannot_be_changed():
    report = small()
    for thing, name in ((report, "params"), (report.rows[0], "macs"), (report.other[0], "calls")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, 0)
    assert report == small() and report != small(backward=True)


# ---- read back


def expected_cells(report):
    """Cells of the table as (where, operation, groups, params, macs)."""
    return [(row.where, row.operation, str(row.groups), f"{row.params:,}", f"{row.macs:,}") for row in report.rows]


def without_shapes(line):
    where, operation, _, groups, params, macs, *_ = line
    return where, operation, groups, params, macs


def test_text():
    report = small()
    lines = str(report).splitlines()
    assert lines[0].split() == ["where", "operation", "shapes", "groups", "params", "MACs", "share"]
    assert set(lines[1]) == set(lines[4]) == {"-"} and len(lines[1]) == len(lines[5])
    cells = [re.split(r"\s{2,}", line) for line in lines[2:4]]
    assert [without_shapes(line) for line in cells] == expected_cells(report)
    assert [line[2] for line in cells] == ["2x4x7x6 8x1x3x3 8 -> 2x8x5x4", "10 2x160 160x10 -> 2x10"]
    assert [line[-1] for line in cells] == ["47.37 %", "52.63 %"]
    assert lines[5].split() == ["total", "1,706", "6,080", "100.00", "%"]
    assert lines[6].startswith("6,080 MACs = 12,160 FLOPs. 1 MAC = 2 FLOPs;")
    assert lines[7] == "Not MACs by convention (calls): native_batch_norm (1), relu (1)."
    assert len(lines) == 8
    assert f"{report}" == str(report)


def test_text_columns_stand_below_each_other():
    lines = str(count(models.ghostnet(0.5).eval(), input_size=(1, 3, 64, 64))).splitlines()
    table = [line for line in lines[: lines.index(lines[1], 2) + 2] if set(line) != {"-"}]
    ends = {match.end() for line in table[1:] for match in re.finditer(r"%$", line)}
    assert ends == {len(lines[1])}
    assert len({len(line) for line in table[1:]}) == 1


def test_text_says_what_was_not_counted_and_per_what():
    report = count(lambda x: torch.fft.fft2(torch.fft.fft2(x)) + x, torch.zeros(2, 4, 4))
    assert "NOT COUNTED, no price known (calls): _fft_c2c (2)." in str(report).splitlines()
    assert "NOT COUNTED" not in str(small())
    model = nn.Linear(4, 5)
    for images in (2, 3):
        assert "20 MACs = 40 FLOPs per image. " in str(count(model, input_size=(images, 4), per_image=True))
    assert "per image" not in str(count(model, input_size=(3, 4)))


def test_nothing_to_count():
    report = count(nn.Identity(), input_size=(2, 3))
    assert (report.macs, report.flops, report.params, report.rows, report.other) == (0, 0, 0, (), ())
    assert str(report).splitlines()[3].split() == ["total", "0", "0", "0.00", "%"]
    assert report.to_csv().count("\n") == 1
    assert "<table>" in report._repr_html_() and report.to_markdown().startswith("| where |")


def test_markdown():
    report = small(backward=True)
    table, notes = report.to_markdown().split("\n\n")
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
    assert lines[0] == ["where", "operation", "shapes", "groups", "params", "MACs", "share"]
    assert lines[1] == ["---"] * 3 + ["---:"] * 4
    assert [without_shapes(line) for line in lines[2:-1]] == expected_cells(report)
    assert lines[-1][0] == "total" and lines[-1][5] == f"{3 * 6080:,}"
    assert notes.splitlines() == report.notes()


def test_markdown_escapes_bars():
    report = Report((Row("a|b", "mm", ((1, 2), (2, 1)), (1, 1), 1, 2, 0),), (), (), 0)
    assert "| a\\|b | mm |" in report.to_markdown()


@pytest.mark.parametrize("backward", [False, True])
def test_csv(backward):
    report = small(backward)
    rows = list(csv.DictReader(io.StringIO(report.to_csv())))
    for found, row in zip(rows, report.rows, strict=True):
        inputs = tuple(tuple(map(int, shape.split("x"))) for shape in found["inputs"].split())
        output = tuple(map(int, found["output"].split("x")))
        numbers = [int(found[name]) for name in ("groups", "macs", "params")]
        assert Row(found["where"], found["operation"], inputs, output, *numbers, row.module, row.share) == row
        assert float(found["share"]) == pytest.approx(row.share, abs=1e-4)
    assert sum(float(found["share"]) for found in rows) == pytest.approx(100, abs=1e-3)


def test_names_of_several_lines_stay_in_their_cell():
    report = Report((Row("a\nb", "mm", ((1, 2), (2, 1)), (1, 1), 1, 2, 0),), (), (), 0)
    assert report.to_markdown().splitlines()[2].startswith("| a b | mm |")


def test_csv_quotes():
    report = Report((Row('a,"b"', "dot", ((4,), (4,)), (), 1, 4, 0),), (), (), 0)
    (found,) = csv.DictReader(io.StringIO(report.to_csv()))
    assert (found["where"], found["output"]) == ('a,"b"', "scalar")


def test_csv_names_what_was_not_counted_and_pandas_does_not_sum_it():
    weight = nn.Parameter(torch.zeros(5, 4))
    report = count(lambda x: torch.fft.fft2(torch.fft.fft2(x)).real @ weight.mT, torch.zeros(2, 3, 4))
    table = pandas.read_csv(io.StringIO(report.to_csv()))
    assert list(table["where"])[-1] == "NOT COUNTED (2)" and list(table["operation"]) == ["mm", "_fft_c2c"]
    assert table["macs"].sum() == report.macs == 6 * 20 and table["macs"].isna().tolist() == [False, True]


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


class Cells(html.parser.HTMLParser):
    """The texts of a page's table cells, row by row, and of its paragraphs; every tag must be closed."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.paragraphs, self.open = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        {"tr": self.rows.append, "p": lambda _: None}.get(tag, lambda _: None)([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("th", "td"):
            self.rows[-1].append(data)
        elif self.open[-1] == "p":
            self.paragraphs.append(data)


def test_html():
    report = small(backward=True)
    page = Cells(report._repr_html_())
    head, *rows, total = page.rows
    assert head == ["where", "operation", "shapes", "groups", "params", "MACs", "share"]
    assert [without_shapes(line) for line in rows] == expected_cells(report)
    assert total == ["total", "1,706", "18,240", "100.00 %"]  # empty cells hold no text
    assert page.paragraphs == report.notes()


def test_html_escapes():
    name = "<script>alert('x & y')</script>"
    row = Row(name, "mm", ((1, 2), (2, 1)), (1, 1), 1, 2, 0)
    text = Report((row,), (Other("<b>", 1, 1, 0),), (Other("<i>", 1, 1, 0),), 0)._repr_html_()
    assert not any(tag in text for tag in ("<script", "<b>", "<i>"))
    page = Cells(text)
    assert page.rows[1][:2] == [name, "mm"]
    assert "<b> (1)" in page.paragraphs[1] and "<i> (1)" in page.paragraphs[2]
