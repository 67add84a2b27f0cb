"""The stored measurements: each says what it was measured on, and the package carries them all."""

import datetime
import tomllib

import pytest

from dscourse import measured
from tests.support.book import ROOT

NAMES = sorted(file.stem for file in measured.FOLDER.glob("*.csv"))


def test_rows_are_those_of_the_file(tmp_path, monkeypatch):
    (tmp_path / "times.csv").write_text('layer,ms\n"a, b",1.50\nc,2\n')
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    assert measured.read("times") == [{"layer": "a, b", "ms": "1.50"}, {"layer": "c", "ms": "2"}]
    with pytest.raises(ValueError, match="no measurement is called 'time'; there are: times"):
        measured.read("time")


def test_without_any_file(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="there are: none"):
        measured.read("times")


@pytest.mark.parametrize("name", NAMES)
def test_every_row_says_what_it_was_measured_on(name):
    rows = measured.read(name)
    assert rows
    for row in rows:
        assert row["torch"] and row["processor"] and int(row["cores"]) > 0
        assert row["command"].startswith("python benchmarks/") and (ROOT / row["command"].split()[1]).is_file()
        assert datetime.date.fromisoformat(row["date"]) <= datetime.date.today()
        assert None not in row and None not in row.values()  # as many values as columns


def test_there_are_measurements():
    assert {"accuracy", "networks", "roofline", "speed"} <= set(NAMES)


def test_the_package_carries_every_file():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    for file in (ROOT / "dslib").rglob("*.csv"):
        package = ".".join(file.relative_to(ROOT).parts[:-1])
        assert package in settings["packages"] and settings["package-data"][package] == ["*.csv"]
    folders = {".".join(file.relative_to(ROOT).parts[:-1]) for file in (ROOT / "dslib").rglob("*.py")}
    assert folders == set(settings["packages"])
