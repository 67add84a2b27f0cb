"""``python -m dslib.counting``: the table, and one clear line and exit status 1 where a name or a size does not fit."""

import csv
import functools
import io
import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from dslib import cost, models
from dslib.counting import __main__ as command
from dslib.counting import count

pytestmark = pytest.mark.slow  # processes of their own
HERE = __name__
GHOSTNET = ["dslib.models:ghostnet", "--input-size", "1,3,32,32"]
MACS = 3 * 4 * 3 * 3 * 6 * 6  # of a convolution of 3 maps of 8 x 8 to 4


class TwoInputs(nn.Module):
    """A linear layer of one input, and the rows of an embedding that the other one names, times each other."""

    def __init__(self, width=8):
        super().__init__()
        self.linear, self.words = nn.Linear(5, width, bias=False), nn.Embedding(20, width)

    def forward(self, x, *, words):
        return self.linear(x) @ self.words(words).mT


class Runs(nn.Conv2d):
    """A convolution, and what is made of its result."""

    def __init__(self, function):
        super().__init__(3, 4, 3)
        self.function = function

    def forward(self, x):
        return self.function(super().forward(x))


def chatty():
    print("building", flush=True)
    return unknown


def asserts():
    raise AssertionError("five\nfeatures")


def needs_an_argument(channels):
    """It takes none: what it is given is the error."""
    raise ValueError(repr(channels))


unknown, needs_values = Runs(lambda y: torch.linalg.qr(y)[0]), Runs(lambda y: y if y.sum() > 0 else -y)
ready = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.Sequential(nn.Conv2d(4, 5, 1, bias=False), nn.ReLU()))
no_model, no_inputs = dict, lambda: functools.partial(nn.Linear(5, 3, bias=False), torch.zeros(2, 5))


def printed(capsys, *arguments):
    """What goes to stdout; nothing may go to stderr."""
    assert command.main(list(arguments)) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.endswith("\n") and not out.endswith("\n\n")
    return out


def macs(capsys, *arguments):
    rows = csv.DictReader(io.StringIO(printed(capsys, *arguments, "--format", "csv")))
    return sum(int(row["macs"]) for row in rows)


def run(*arguments, **options):
    done = subprocess.run([sys.executable, "-m", "dslib.counting", *arguments], stderr=subprocess.PIPE, **options)
    return done.returncode, done.stderr


def test_as_a_command():
    assert run("torch.nn:Identities", *GHOSTNET[1:]) == (1, b"error: torch.nn has no 'Identities'\n")


def test_a_reader_that_closes_early():
    read, write = os.pipe()
    os.close(read)
    assert run("torch.nn:Identity", *GHOSTNET[1:], stdout=write) == (0, b"")
    os.close(write)


def test_formats(capsys):
    report = count(models.ghostnet().eval(), input_size=(1, 3, 32, 32))
    texts = {"text": f"{report}\n", "markdown": report.to_markdown().rstrip() + "\n", "csv": report.to_csv()}
    assert report.macs == cost.ghostnet(input_size=32).total.macs
    assert printed(capsys, *GHOSTNET) == texts["text"]
    for name, text in texts.items():
        assert printed(capsys, *GHOSTNET, "--strict", "--format", name).splitlines() == text.splitlines()


LINEAR = ["torch.nn:Linear", "--argument", "in_features=5", "--argument", "out_features=8", "--input-size", "3, 5 "]
BILINEAR = ["torch.nn:Bilinear", *(f"--argument={name}" for name in ("in1_features=3", "in2_features=4"))]
TWO = [f"{HERE}:TwoInputs", "--input-size", "3,5", "--input-size", "words=4:int64"]
# {arguments: MACs}
COUNTED = {
    tuple(LINEAR): 3 * 5 * 8,
    (*LINEAR, "--per-image"): 5 * 8,
    (*LINEAR, "--backward"): 3 * 3 * 5 * 8,
    (*LINEAR, "--backward", "--real"): 3 * 3 * 5 * 8,
    tuple(TWO): 3 * 5 * 8 + 3 * 8 * 4,
    (*TWO, "--real"): 3 * 5 * 8 + 3 * 8 * 4,
    (*TWO, "--argument", "width=2"): 3 * 5 * 2 + 3 * 2 * 4,
    (*BILINEAR, "--argument=out_features=5", "--input-size", "2,3", "--input-size", "2,4"): 2 * 5 * (3 + 1) * 4,
    (f"{HERE}:no_inputs",): 2 * 5 * 3,
    (f"{HERE}:needs_values", "--input-size", "1,3,8,8", "--real"): MACS,
}


@pytest.mark.parametrize("arguments", COUNTED, ids=" ".join)
def test_inputs_and_options(arguments, capsys):
    assert macs(capsys, *arguments) == COUNTED[arguments]


def test_a_file_and_its_neighbor(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path[:])
    (tmp_path / "neighbor_of_it.py").write_text("CHANNELS = 7\n")
    (tmp_path / "a_file.py").write_text(
        "from dataclasses import dataclass\nfrom torch import nn\nfrom neighbor_of_it import CHANNELS\n"
        "def function(out=CHANNELS): return nn.Conv2d(3, out, 1, bias=False)\n"
        "@dataclass\nclass Here:\n    side: 'int' = 2\n    ready = function(5)\n"
    )
    for name, channels in {"function": 7, "Here.ready": 5}.items():
        assert macs(capsys, f"{tmp_path}/a_file.py:{name}", "--input-size", "1,3,4,4") == 3 * channels * 16
    assert macs(capsys, f"{tmp_path}/a_file.py:function", "--argument", "out=2", "--input-size", "1,3,4,4") == 96


def test_totals_of_modules(capsys):
    out = printed(capsys, f"{HERE}:ready", "--input-size", "1,3,8,8", "--by-module", "1", "--format", "csv")
    rows = {row["where"]: int(row["macs"]) for row in csv.DictReader(io.StringIO(out))}
    assert rows == {"0": MACS, "1": 4 * 5 * 6 * 6}


@pytest.mark.parametrize("format_", ["text", "markdown", "csv"])
def test_what_was_not_counted_is_said_and_strict_has_a_status(format_, capsys):
    arguments = [f"{HERE}:chatty", "--input-size", "1,3,8,8", "--format", format_]
    assert [command.main(arguments), command.main([*arguments, "--strict"])] == [0, 3]
    out, err = capsys.readouterr()  # what a model prints is not in the table
    assert err == 2 * "building\nwarning: NOT COUNTED, no price known (calls): linalg_qr (1)\n"
    assert out.count("linalg_qr") == out.count("NOT COUNTED") == 2 and "building" not in out
    assert f"{MACS:,}" in out or str(MACS) in out


SIZED = ["--input-size", "1,3"]
NAMED = "must be named package.module:Name or file.py:Name, got "
# {arguments: what the line must say}
FAULTS = {
    ("no_such_package:thing", *SIZED): "cannot import 'no_such_package'",
    ("..book:read", *SIZED): "cannot import '..book': ",
    ("no_such_file.py:Net", *SIZED): "cannot import 'no_such_file.py': there is no such file",
    ("torch.nn", *SIZED): f"{NAMED}'torch.nn'",
    ("torch.nn:", *SIZED): f"{NAMED}'torch.nn:'",
    (":ghostnet", *SIZED): f"{NAMED}':ghostnet'",
    ("dslib.tables:GHOSTNET", *SIZED): "dslib.tables:GHOSTNET is tuple, not a class, a function or a torch module",
    (f"{HERE}:no_model", *SIZED): f"{HERE}:no_model gives dict, not a torch module",
    (f"{HERE}:needs_values", "--input-size", "1,3,8,8"): "pass --real or, in Python, real tensors",
    (f"{HERE}:needs_an_argument", *SIZED): "cannot be called with no arguments: missing a required argument: "
    "'channels'; --argument NAME=VALUE gives one",
    ("sys:exit", *SIZED): "error: SystemExit",
    (f"{HERE}:asserts", *SIZED): "error: AssertionError: five features",
    (f"{HERE}:TwoInputs", "--input-size", "1,5"): "missing 1 required keyword-only argument: 'words'",
    ("torch.nn:Identity",): "pass example inputs or input_size: ",
    ("torch.nn:Identity", "--input-size", f"1,3,{10**19},5"): "more numbers than torch can address",
    ("dslib.models:ghostnet", "--input-size", "1,4,224,224"): "conv_stem: convolution of 1x4x224x224, 16x3x3x3: "
    "the layer takes 3 channels and gets 4",
    (*GHOSTNET, "--argument", "width"): "--argument must be NAME=VALUE, such as width_multiplier=0.5, got 'width'",
    (*GHOSTNET, "--argument", "depth=2"): "with depth=2: got an unexpected keyword argument 'depth'",
    (*GHOSTNET, "--by-module", "0"): "depth must be a whole number, 1 or more, got 0",
    (f"{HERE}:ready", "--argument", "out=2"): "ready is a model already: --argument is for a class or a function",
}
for size in ("1,3,x", "", "1x3x224x224", "1,3,0,224", "1,3:int65", "1,3:", "1,3:nn", "=1,3", "1,0:float32"):
    FAULTS["torch.nn:Identity", "--input-size", size] = (
        "--input-size must be positive whole numbers with commas, such as 1,3,224,224, or with a type for integers, "
        f"such as 1,128:int64, got {size!r}"
    )
for value, read in {"0.5": 0.5, "None": None, "[1, 2]": [1, 2], "relu": "relu", "": ""}.items():
    FAULTS[f"{HERE}:needs_an_argument", "--argument", f"channels={value}"] = f"error: {read!r}\n"


@pytest.mark.parametrize("arguments", FAULTS, ids=" ".join)
def test_one_clear_line(arguments, capsys):
    assert command.main(list(arguments)) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1 and err.endswith("\n")
    assert FAULTS[arguments] in err


def test_help_shows_examples_that_work(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    examples = [line.split()[3:] for line in capsys.readouterr().out.splitlines() if line.startswith("  python -m")]
    shown = {word for line in examples for word in line}
    assert {"--argument", "--by-module", "--strict", "--format", "1,128:int64", "target=1,64:int64"} <= shown
    for arguments in examples:
        if arguments[0].startswith("dslib"):
            assert macs(capsys, *arguments) > 0


@pytest.mark.parametrize("arguments", [[], [*GHOSTNET, "--format", "html"], [*GHOSTNET, "--by-module", "x"]], ids=repr)
def test_what_is_missing_or_unknown(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        command.main(arguments)
    out, err = capsys.readouterr()
    assert exit_.value.code == 2 and out == "" and err.startswith("usage: python -m dslib.counting")
