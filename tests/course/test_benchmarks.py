"""The programs that measure: what they write and probe, with clocks and systems faked; nothing is timed."""

import datetime
import mmap
import os

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import machine, roofline
from benchmarks.counters import Tool, count_once
from benchmarks.record import write
from dslib.bench import Timing

# What is written


def test_a_table_is_written_as_it_is_and_read_back(tmp_path):
    rows = [{"layer": "a, b", "ms": 1.5, "gpu": ""}, {"layer": "c", "ms": 2.0, "gpu": ""}]
    assert write("times", rows, tmp_path).read_text() == 'layer,ms,gpu\n"a, b",1.5,\nc,2.0,\n'
    assert [file.name for file in tmp_path.iterdir()] == ["times.csv"]


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    write("times", [{"ms": 1}], tmp_path)

    def break_off(self, path, **_):
        path.write_text("ms\n")
        raise OSError("disk full")

    monkeypatch.setattr(pd.DataFrame, "to_csv", break_off)
    with pytest.raises(OSError, match="disk full"):
        write("times", [{"ms": 2}], tmp_path)
    assert (tmp_path / "times.csv").read_text() == "ms\n1\n"


@pytest.mark.parametrize("rows", [[], [{"ms": 1}, {"us": 2}]])
def test_no_rows_and_rows_of_different_kinds_are_refused(tmp_path, rows):
    with pytest.raises(ValueError, match="times needs rows"):
        write("times", rows, tmp_path)
    assert not list(tmp_path.iterdir())


def test_machine_says_what_it_is():
    found = machine.machine()
    assert list(found) == ["torch", "processor", "vectors", "cores", "gpu", "date"]
    assert found["torch"] == torch.__version__ and found["cores"] == os.cpu_count()
    assert found["date"] == datetime.date.today().isoformat()
    assert bool(found["gpu"]) == torch.cuda.is_available()
    assert found["processor"] and "\n" not in found["processor"]


# Counters


def test_a_tool_gets_a_copy_and_what_it_replaces_in_torch_is_put_back(capsys):
    before = F.relu, torch.Tensor.add, torch.matmul
    layer = nn.BatchNorm2d(2)

    def count(model, x):
        print("much to say")
        F.relu = torch.matmul = torch.Tensor.add = lambda *_: pytest.fail("left behind")
        model.weight.fill_(7)
        return x.numel(), 2 * x.numel() + model.training

    tool = Tool("torch", count, {"some": 1, "others": 2})
    assert count_once(tool, layer, (1, 2, 3, 3)) == {"some": 18, "others": 36}
    assert (F.relu, torch.Tensor.add, torch.matmul) == before
    assert layer.training and layer.weight.tolist() == [1, 1]
    assert capsys.readouterr().out == ""
    assert torch.__version__.startswith(tool.version)  # without +cpu, where the package registry's file has none


# Page faults


def fill_new_memory(megabytes):
    with mmap.mmap(-1, megabytes * 2**20) as memory:  # numpy might find room that this process has freed
        memory.write(b"1" * len(memory))


def test_page_faults_are_those_of_one_call():
    megabytes = 64
    found = machine.page_faults(lambda: fill_new_memory(megabytes))
    pages = 2 * megabytes * 2**20 // mmap.PAGESIZE  # of the memory and of what is written
    huge = megabytes // 2  # where the system gives pages of 2 MB instead
    if found is None:  # a sandbox that counts nothing says so, whatever is called
        assert machine.page_faults(lambda: None) is None
    else:
        assert huge <= found <= 1.1 * pages + 50
        assert machine.page_faults(lambda: None) == 0


class Usage:
    """Stands in for ``resource``: its count of page faults takes the given values one after the other."""

    RUSAGE_SELF = 0

    def __init__(self, *counts):
        self.counts = iter(counts)

    def getrusage(self, who):
        return type("", (), {"ru_minflt": next(self.counts)})


def test_page_faults_calls_its_function_and_takes_the_median(monkeypatch):
    calls = []
    monkeypatch.setattr(machine, "resource", Usage(*(0, 16), *(20, 27, 30, 31, 40, 45)))
    assert machine.page_faults(lambda: calls.append(1), calls=3, warm_up=4) == 5  # of 7, 1 and 5
    assert len(calls) == 7
    with pytest.raises(ValueError, match="0"):
        machine.page_faults(lambda: None, calls=0)


@pytest.mark.parametrize("system", [None, Usage(3, 3)], ids=["has no count", "count stands still"])
def test_page_faults_of_a_system_that_does_not_count_are_none(monkeypatch, system):
    monkeypatch.setattr(machine, "resource", system)
    assert machine.page_faults(lambda: pytest.fail("called")) is None


# Roofline


def test_rates_count_the_work_of_one_call_and_do_it():
    made = []
    how = {"seconds": 0, "at_least": 2, "at_most": 2, "stopwatch": lambda function: made.append(function()) or 0.5}
    assert roofline.matmul_rate(16, **how).per_second == 2 * 16**3 / 0.5
    assert torch.equal(made[-1], torch.full((16, 16), 16.0))
    dense = roofline.convolution_rate(4, 6, dtype=torch.float64, **how)
    macs = 4 * 4 * 3 * 3 * 6 * 6
    assert dense.amount == 2 * macs and made[-1].shape == (1, 4, 6, 6)
    assert roofline.copy_rate(100, **how).per_second == 2 * 4 * 100 / 0.5
    assert roofline.add_rate(100, dtype=torch.float64, **how).per_second == 3 * 8 * 100 / 0.5
    assert torch.equal(made[-1], torch.full((100,), 2.0, dtype=torch.float64))


RATES = [roofline.matmul_rate, roofline.convolution_rate, roofline.copy_rate, roofline.add_rate]


@pytest.mark.parametrize("rate", RATES)
def test_rates_refuse_an_empty_array(rate):
    with pytest.raises(ValueError, match="at least 1, got.*0"):
        rate(0)


def test_rate_is_by_the_median():
    assert roofline.Rate(12, Timing((9.0, 2.0, 3.0))).per_second == 4
