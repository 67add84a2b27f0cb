"""``python -m dslib.counting``: the table, and one clear line and exit status 1 where a name or a size does not fit."""

import csv
import functools
import io
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
GHOSTNET = ["dslib.models:ghostnet", "--input-size", "1,3,224,224"]
EXPECTED = cost.ghostnet().total


def printed(capsys, *arguments):
    """What goes to stdout; nothing may go to stderr."""
    assert command.main(list(arguments)) == 0
    out, err = capsys.readouterr()
    assert err == "" and out.endswith("\n") and not out.endswith("\n\n")
    return out


def needs_an_argument(channels):
    return nn.Conv2d(channels, channels, 1)


def no_model():
    return 5


class TwoInputs(nn.Module):
    """A linear layer of one input, and the rows of an embedding that the other one names, times each other."""

    def __init__(self, width=8):
        super().__init__()
        self.linear, self.words = nn.Linear(5, width, bias=False), nn.Embedding(20, width)

    def forward(self, x, *, words):
        return self.linear(x) @ self.words(words).mT


class Unknown(nn.Module):
    """A convolution, and an operation that has no price."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return torch.linalg.qr(self.conv(x))[0]


def no_inputs():
    return functools.partial(nn.Linear(5, 3, bias=False), torch.zeros(2, 5))


def chatty():
    print("building", flush=True)
    return nn.Conv2d(3, 4, 3)


ready = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.Sequential(nn.Conv2d(4, 5, 1, bias=False), nn.ReLU()))
CONV_MACS = 3 * 4 * 3 * 3 * 6 * 6  # of Unknown, chatty and the first layer of ready, for 3 maps of 8 x 8


def needs_values():
    class Needs(nn.Module):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    return Needs()


def exits():
    sys.exit(0)


def breaks():
    return {}["layers"]


class Asserts(nn.Module):
    def forward(self, x):
        assert x.shape[1] == 5, "five\nfeatures"


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "dslib.counting", *arguments], capture_output=True, text=True)


def test_as_a_command():
    done = run(*GHOSTNET)
    assert (done.returncode, done.stderr) == (0, "")
    total = next(line for line in done.stdout.splitlines() if line.startswith("total"))
    assert total.split() == ["total", f"{EXPECTED.params:,}", f"{EXPECTED.macs:,}", "100.00", "%"]


def test_as_a_command_that_fails():
    done = run("dslib.models:ghostnets", *GHOSTNET[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: dslib.models has no 'ghostnets'\n"


def test_table(capsys):
    out = printed(capsys, *GHOSTNET)
    assert out == str(count(models.ghostnet().eval(), input_size=(1, 3, 224, 224))) + "\n"


def test_markdown(capsys):
    out = printed(capsys, *GHOSTNET, "--format", "markdown")
    assert out.startswith("| where | operation | shapes |")
    assert f"| total |  |  |  | {EXPECTED.params:,} | {EXPECTED.macs:,} | 100.00 % |" in out.splitlines()


def test_csv(capsys):
    rows = list(csv.DictReader(io.StringIO(printed(capsys, *GHOSTNET, "--format", "csv"))))
    assert sum(int(row["macs"]) for row in rows) == EXPECTED.macs
    assert rows[0]["where"] == "conv_stem"


def macs(capsys, *arguments):
    rows = csv.DictReader(io.StringIO(printed(capsys, *arguments, "--format", "csv")))
    return sum(int(row["macs"]) for row in rows)


def test_options(capsys):
    sized = ["dslib.models:vgg_16_cifar", "--input-size", "4,3,32,32"]
    forward = macs(capsys, *sized)
    assert macs(capsys, *sized, "--per-image") * 4 == forward
    assert macs(capsys, *sized, "--backward") == 3 * forward


def test_two_inputs_one_of_them_integers_and_named(capsys):
    inputs = ["--input-size", "3,5", "--input-size", "words=4:int64"]
    assert macs(capsys, f"{HERE}:TwoInputs", *inputs) == 3 * 5 * 8 + 3 * 8 * 4
    assert macs(capsys, f"{HERE}:TwoInputs", *inputs, "--real") == 3 * 5 * 8 + 3 * 8 * 4
    assert macs(capsys, f"{HERE}:TwoInputs", *inputs, "--argument", "width=2") == 3 * 5 * 2 + 3 * 2 * 4


def test_inputs_in_their_order(capsys):
    named = ["--argument", "in1_features=3", "--argument", "in2_features=4", "--argument", "out_features=5"]
    bilinear = ["torch.nn:Bilinear", *named, "--argument", "bias=False"]
    assert macs(capsys, *bilinear, "--input-size", "2,3", "--input-size", "2,4") == 2 * 5 * (3 + 1) * 4


def test_without_inputs(capsys):
    assert macs(capsys, f"{HERE}:no_inputs") == 2 * 5 * 3


def test_a_model_that_needs_values_runs_for_real(capsys):
    assert macs(capsys, f"{HERE}:needs_values", "--input-size", "2,3", "--real") == 0


@pytest.mark.parametrize("value, read", [("0.5", 0.5), ("None", None), ("[1, 2]", [1, 2]), ("relu", "relu"), ("", "")])
def test_an_argument_is_a_literal_or_text(value, read):
    assert command._argument(f"name={value}") == ("name", read)


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
    assert rows == {"0": CONV_MACS, "1": 4 * 5 * 6 * 6}


@pytest.mark.parametrize("format_", ["text", "markdown", "csv"])
def test_what_was_not_counted_is_said_and_strict_has_a_status(format_, capsys):
    arguments = [f"{HERE}:Unknown", "--input-size", "1,3,8,8", "--format", format_]
    assert [command.main(arguments), command.main([*arguments, "--strict"])] == [0, 3]
    out, err = capsys.readouterr()
    assert err == 2 * "warning: NOT COUNTED, no price known (calls): linalg_qr (1)\n"
    assert out.count("linalg_qr") == 2 and out.count("NOT COUNTED") == 2
    assert f"{CONV_MACS:,}" in out or str(CONV_MACS) in out


def test_strict_without_anything_uncounted(capsys):
    assert macs(capsys, *GHOSTNET, "--strict") == EXPECTED.macs


def test_what_a_model_prints_is_not_in_the_table(capsys):
    assert command.main([f"{HERE}:chatty", "--input-size", "1,3,8,8", "--format", "csv"]) == 0
    out, err = capsys.readouterr()
    assert err == "building\n" and out.startswith("where,operation")


@pytest.mark.parametrize("size", ["1,3,32,32", "1, 3, 32, 32", " 1,3,32,32 "])
def test_spaces_in_a_size(size, capsys):
    assert macs(capsys, "dslib.models:vgg_16_cifar", "--input-size", size) > 0


# {model and a size: what the line must say}
FAULTS = {
    ("no_such_package:thing", "1,3"): "cannot import 'no_such_package'",
    ("dslib.no_such_module:thing", "1,3"): "cannot import 'dslib.no_such_module'",
    ("dslib.models:nothing", "1,3"): "dslib.models has no 'nothing'",
    ("dslib.models", "1,3"): "must be named package.module:Name or file.py:Name, got 'dslib.models'",
    ("dslib.models:", "1,3"): "file.py:Name, got 'dslib.models:'",
    (":ghostnet", "1,3"): "file.py:Name, got ':ghostnet'",
    ("dslib.tables:GHOSTNET", "1,3"): "dslib.tables:GHOSTNET is tuple, not a class, a function or a torch module",
    (
        f"{HERE}:needs_an_argument",
        "1,3",
    ): "cannot be called with no arguments: missing a required argument: 'channels'; --argument NAME=VALUE gives one",
    (f"{HERE}:no_model", "1,3"): f"{HERE}:no_model gives int, not a torch module",
    (f"{HERE}:needs_values", "1,3"): "pass --real or, in Python, real tensors",
    (f"{HERE}:exits", "1,3"): "error: SystemExit: 0",
    (f"{HERE}:breaks", "1,3"): "error: KeyError: 'layers'",
    (f"{HERE}:Asserts", "1,3"): "error: AssertionError: five features",
    ("..book:read", "1,3"): "cannot import '..book': ",
    ("dslib.models:ghostnet", f"1,3,{10**19},5"): "more numbers than torch can address",
    ("dslib.models:ghostnet", "1,3,x"): "such as 1,128:int64, got '1,3,x'",
    ("dslib.models:ghostnet", ""): "--input-size must be positive whole numbers with commas, such as 1,3,224,224",
    ("dslib.models:ghostnet", "1x3x224x224"): "got '1x3x224x224'",
    ("dslib.models:ghostnet", "1,3,0,224"): "got '1,3,0,224'",
    (
        "dslib.models:ghostnet",
        "1,4,224,224",
    ): "conv_stem: convolution of 1x4x224x224, 16x3x3x3: the layer takes 3 channels and gets 4",
    ("dslib.models:ghostnet", "1,3:int65"): "got '1,3:int65'",
    ("dslib.models:ghostnet", "1,3:"): "got '1,3:'",
    ("dslib.models:ghostnet", "1,3:nn"): "got '1,3:nn'",
    ("dslib.models:ghostnet", "=1,3"): "got '=1,3'",
    ("dslib.models:ghostnet", "1,0:float32"): "got '1,0:float32'",
    (f"{HERE}:TwoInputs", "1,5"): "missing 1 required keyword-only argument: 'words'",
    ("no_such_file.py:Net", "1,3"): "cannot import 'no_such_file.py': there is no such file",
}


@pytest.mark.parametrize("arguments", FAULTS, ids=" ".join)
def test_one_clear_line(arguments, capsys):
    factory, size = arguments
    assert command.main([factory, "--input-size", size]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and err.endswith("\n")
    assert FAULTS[arguments] in err


MORE_FAULTS = {
    ("dslib.models:ghostnet",): "pass example inputs or input_size: ",
    (*GHOSTNET, "--argument", "width"): "--argument must be NAME=VALUE, such as width_multiplier=0.5, got 'width'",
    (*GHOSTNET, "--argument", "depth=2"): "with depth=2: got an unexpected keyword argument 'depth'",
    (*GHOSTNET, "--by-module", "0"): "depth must be a whole number, 1 or more, got 0",
    (f"{HERE}:ready", "--argument", "out=2"): "ready is a model already: --argument is for a class or a function",
}


@pytest.mark.parametrize("arguments", MORE_FAULTS, ids=" ".join)
def test_one_clear_line_for_options(arguments, capsys):
    assert command.main(list(arguments)) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    assert MORE_FAULTS[arguments] in err


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


def test_a_reader_that_closes_early():
    command = f"{sys.executable} -m dslib.counting {' '.join(GHOSTNET)} | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("where ") and done.stdout.count("\n") == 1
