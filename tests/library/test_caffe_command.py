"""``python -m dslib.caffe``: the table, unknown layers on stderr, one clear line for each failure."""

import csv
import io
import subprocess
import sys

import pytest

from dslib import caffe
from dslib.caffe import __main__ as command
from tests.support.caffe_networks import squeezenet

TEXT = """
input: "data" input_shape { dim: 1 dim: 4 dim: 9 dim: 9 }
layer { name: "a|b" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 20 kernel_size: 3 } }
layer { name: "twist" type: "Twist" bottom: "a" top: "b" }
layer { name: "fc" type: "InnerProduct" bottom: "b" top: "fc" inner_product_param { num_output: 10 } }
layer { name: "loss" type: "Lost" bottom: "fc" top: "loss" include { phase: TRAIN } }
"""
PARAMS, MACS = [20 * 37, 20 * 49 * 10 + 10], [20 * 36 * 49, 20 * 49 * 10]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "deploy.prototxt"
    path.write_text(TEXT)
    return str(path)


def run(capsys, *arguments):
    """Status, lines of stdout, lines of stderr."""
    status = command.main(list(arguments))
    out, err = capsys.readouterr()
    return status, out.splitlines(), err.splitlines()


def test_the_table_has_a_line_for_each_row_and_what_was_not_counted(file, capsys):
    status, out, err = run(capsys, file)
    assert status == 0
    assert out[0].split() == ["layer", "kind", "output", "params", "MACs", "share"]
    assert out[2].split() == ["a|b", "standard", "20x7x7", f"{PARAMS[0]:,}", f"{MACS[0]:,}", "78.26", "%"]
    assert out[3].split() == ["fc", "linear", "10x1x1", f"{PARAMS[1]:,}", f"{MACS[1]:,}", "21.74", "%"]
    assert out[4].split() == ["twist", "NOT", "COUNTED:", "Twist"]
    assert out[6].split() == ["total", f"{sum(PARAMS):,}", f"{sum(MACS):,}", "100.00", "%"]
    assert out[7:] == [f"{sum(MACS):,} MACs = {2 * sum(MACS):,} FLOPs per image. 1 MAC = 2 FLOPs."]
    assert err == [
        "warning: not counted: twist (Twist): no price is known for this type; taken to keep its map's shape"
    ]


def test_as_comma_separated_values(file, capsys):
    status, out, err = run(capsys, file, "--format", "csv", "--phase", "TRAIN")
    assert status == 0 and len(err) == 2
    assert list(csv.reader(io.StringIO("\n".join(out)))) == [
        ["layer", "kind", "output", "params", "macs"],
        ["a|b", "standard", "20x7x7", str(PARAMS[0]), str(MACS[0])],
        ["fc", "linear", "10x1x1", str(PARAMS[1]), str(MACS[1])],
        ["twist", "NOT COUNTED: Twist", "", "", ""],
        ["loss", "NOT COUNTED: Lost", "", "", ""],
    ]


def test_as_markdown(file, capsys):
    status, out, _ = run(capsys, file, "--format", "markdown")
    assert status == 0
    assert out[0] == "| layer | kind | output | params | MACs | share |"
    assert out[1] == "| --- | --- | --- | ---: | ---: | ---: |"
    assert out[2] == f"| a\\|b | standard | 20x7x7 | {PARAMS[0]:,} | {MACS[0]:,} | 78.26 % |"
    assert out[4] == "| twist | NOT COUNTED: Twist |  |  |  |  |" and out[6] == ""


def test_strict_has_a_status_of_its_own(file, tmp_path, capsys):
    assert run(capsys, file, "--strict")[0] == 3
    whole = tmp_path / "whole.prototxt"
    whole.write_text(squeezenet())
    status, out, err = run(capsys, str(whole), "--strict")
    assert (status, err) == (0, []) and f"{caffe.price(squeezenet()).total.macs:,}" in out[-2]


@pytest.mark.parametrize(
    "text, said",
    [
        ("net: 'train_val.prototxt'", "error: this text has no input: is it a deploy file?"),
        ("layer {", "error: line 1 of the prototxt: expected a field or }, got 'the end'"),
        ("a\0b", "error: line 1 of the prototxt: did not expect '\\x00': is this a binary file, and not the text?"),
        (
            TEXT.replace("kernel_size: 3", "kernel_size: 10"),
            "error: layer 'a|b' (Convolution): kernel larger than the padded input: kernel_size 10 with dilation 1 "
            "spans 10 pixels, the input has 9 and 9 with padding (0, 0)",
        ),
    ],
)
def test_a_failure_is_one_line(text, said, file, capsys):
    with open(file, "w") as out:
        out.write(text)
    assert run(capsys, file) == (1, [], [said])


def test_a_file_that_is_not_there_is_one_line(tmp_path, capsys):
    missing = str(tmp_path / "none.prototxt")
    assert run(capsys, missing) == (1, [], [f"error: No such file or directory: {missing}"])
    assert run(capsys, str(tmp_path)) == (1, [], [f"error: Is a directory: {tmp_path}"])


@pytest.mark.slow
def test_the_module_runs(file):
    done = subprocess.run([sys.executable, "-m", "dslib.caffe", file, "--strict"], capture_output=True, text=True)
    assert done.returncode == 3 and "a|b" in done.stdout and done.stderr.startswith("warning: not counted: twist")
    wrong = subprocess.run(
        [sys.executable, "-m", "dslib.caffe", file, "--phase", "test"], capture_output=True, text=True
    )
    assert wrong.returncode == 2 and "--phase" in wrong.stderr
