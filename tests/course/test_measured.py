"""The stored measurements: read with types, complete, and each says what it was measured on."""

import datetime
import importlib.util
import itertools

import pandas as pd
import pytest

from benchmarks import counting, machine, speed
from dscourse import measured
from dslib import bench

NAMES = sorted(file.stem for file in measured.FOLDER.glob("*.csv"))


def test_numbers_are_numbers_and_all_else_is_text(tmp_path, monkeypatch):
    (tmp_path / "times.csv").write_text('layer,calls,ms,gpu,test_wrong\n"a, b",3,1.50,,7\nc,4,2,,\n')
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    rows = measured.read("times")
    assert rows.to_dict("list") == {
        "layer": ["a, b", "c"],
        "calls": [3, 4],
        "ms": [1.5, 2.0],
        "gpu": ["", ""],
        "test_wrong": ["7", ""],
    }
    assert pd.api.types.is_integer_dtype(rows["calls"]) and pd.api.types.is_float_dtype(rows["ms"])


def test_an_unknown_name_is_told_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="no measurement is called 'time'; there are: none"):
        measured.read("time")
    (tmp_path / "times.csv").write_text("ms\n1\n")
    with pytest.raises(ValueError, match="'time'; there are: times"):
        measured.read("time")


def test_there_are_measurements():
    assert {"accuracy", "accuracy_rates", "counting", "networks", "roofline", "speed"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_says_what_it_was_measured_on(name):
    rows = measured.read(name)
    assert len(rows) and not rows.isna().any().any()
    assert all(rows["torch"] != "") and all(rows["processor"] != "") and all(rows["cores"] > 0)
    assert all(datetime.date.fromisoformat(date) <= datetime.date.today() for date in rows["date"].unique())
    for command in rows["command"].unique():
        python, option, module = command.split()[:3]
        assert (python, option) == ("python", "-m") and module.startswith("benchmarks.")
        assert importlib.util.find_spec(module), f"{name}.csv: no program {module}"


# What benchmarks.speed writes

TIMES = ["q1_us", "median_us", "q3_us"]


@pytest.mark.parametrize("name", ["speed", "networks", "roofline"])
def test_stored_times_are_in_order_and_of_one_machine(name):
    rows = measured.read(name)
    q1, median, q3 = (rows[column] for column in TIMES)
    assert all(0 < q1) and all(q1 <= median) and all(median <= q3)
    assert all(rows["calls"] >= 7) and all(rows["device"] == "cpu")
    assert all(rows[column].nunique() == 1 for column in (*machine.machine(), "command"))


def test_stored_sweep_has_every_combination_once():
    rows = measured.read("speed")
    cores = int(rows["cores"][0])
    every = speed.combinations("cpu", speed.CHANNELS, speed.SIZES)
    single = [combination for combination in every if combination[2] == 1]
    fresh = [c for c in single if c[:2] in [(64, 56), (128, 56), (32, 112)]]
    settings = [(1, "kept", every), (1, "fresh", fresh), (1, "fresh, kept", fresh)]
    settings += [(cores, "kept", single)] * (cores > 1)
    expected = {
        (*combination, threads, memory, layer, "eager")
        for threads, memory, part in settings
        for combination in part
        for layer in bench.convolutions(**bench.inputs(1, 1))
    }
    found = list(rows[list(speed.SETTING)].itertuples(index=False, name=None))
    assert len(found) == len(set(found)) and set(found) == expected


def test_stored_networks_are_complete_and_name_other_programs():
    rows = measured.read("networks")
    threads = {1, rows["cores"][0]}
    found = list(rows[["threads", "network", "way"]].itertuples(index=False, name=None))
    expected = set(itertools.product(threads, speed.NETWORKS, speed.WAYS["cpu"]))
    assert len(found) == len(expected) and set(found) == expected
    assert all((rows["programs"] != "") == rows["way"].isin(["compiled", "onnxruntime"]))
    assert speed.programs("eager") == speed.programs("channels_last") == ""


def test_stored_rates_are_complete_and_work_over_time():
    rows = measured.read("roofline").set_index(["what", "elements", "threads"])
    work = {("matmul", 2048**2): 2 * 2048**3, ("convolution", 256 * 56**2): 2 * 9 * 256 * 256 * 56 * 56}
    for elements in (speed.LARGE, speed.SMALL):  # of four bytes each
        work |= {("copy", elements): 2 * 4 * elements, ("add", elements): 3 * 4 * elements}
    assert set(rows.index) == {(*kind, threads) for kind in work for threads in (1, rows["cores"].iloc[0])}
    assert rows.index.is_unique
    for (what, elements, _), row in rows.iterrows():
        assert row["per_second"] == pytest.approx(work[what, elements] / (1e-6 * row["median_us"]), rel=1e-2)


# What benchmarks.counting writes


NETWORKS = ("MobileNetV1", "MobileNetV1, timm", "GhostNet", "ResNet-50")


def test_stored_counts_are_complete_and_their_closed_forms_the_programs():
    rows = measured.read("counting")
    per_mac = {name: number for tool in counting.TOOLS for name, number in tool.per_mac.items()}
    macs = {name: number for name, _, number in counting.mac_layers()}
    macs |= dict.fromkeys((name for name, _ in counting.other_layers()), 0)
    macs |= {"depthwise by hand": 256 * 9 * 14 * 14, "bias of Conv2d": 12 * 12 * 20 * 28}
    macs |= {name: rows["closed_form_macs"][rows["case"] == name].iloc[0] for name in NETWORKS}  # exact: see below
    stored = rows[["case", "closed_form_macs", "tool", "per_mac"]].itertuples(index=False, name=None)
    assert sorted(stored) == sorted((*case, *tool) for case in macs.items() for tool in per_mac.items())


def test_stored_counts_are_exact_where_a_tool_sees_all():
    """Numbers that came into another tool's or another case's row would not be."""
    rows = measured.read("counting").set_index(["case", "tool"])
    exact = rows["number"] == rows["per_mac"] * rows["closed_form_macs"]
    for case in NETWORKS:
        assert set(exact[case][exact[case]].index) == {"FlopCounterMode", "calflops: MACs", "deepspeed: MACs"}
    assert exact["F.conv2d, groups=4", "fvcore"] and not exact["F.conv2d, groups=4", "thop"]
