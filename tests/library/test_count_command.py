"""``python -m dslib.counting``: the table, and one clear line and exit status 1 where a name or a size does not fit."""

import csv
import io
import subprocess
import sys

import pytest
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


def by_hand():
    class Scale(nn.Module):
        def forward(self, x):
            return x * x + x * x

    return Scale()


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
    out = printed(capsys, f"{HERE}:by_hand", "--input-size", "2,3", "--elementwise", "--format", "csv")
    assert [row["by_hand_macs"] for row in csv.DictReader(io.StringIO(out))] == ["6", "6"]


@pytest.mark.parametrize("size", ["1,3,32,32", "1, 3, 32, 32", " 1,3,32,32 "])
def test_spaces_in_a_size(size, capsys):
    assert macs(capsys, "dslib.models:vgg_16_cifar", "--input-size", size) > 0


# {arguments: what the line must say}
FAULTS = {
    ("no_such_package:thing", "1,3"): "cannot import 'no_such_package'",
    ("dslib.no_such_module:thing", "1,3"): "cannot import 'dslib.no_such_module'",
    ("dslib.models:nothing", "1,3"): "dslib.models has no 'nothing'",
    ("dslib.models", "1,3"): "must be named package.module:function, got 'dslib.models'",
    ("dslib.models:", "1,3"): "must be named package.module:function, got 'dslib.models:'",
    (":ghostnet", "1,3"): "must be named package.module:function, got ':ghostnet'",
    ("dslib.tables:GHOSTNET", "1,3"): "dslib.tables:GHOSTNET cannot be called without arguments",
    (f"{HERE}:needs_an_argument", "1,3"): "cannot be called without arguments: ",
    (f"{HERE}:no_model", "1,3"): f"{HERE}:no_model returns int, not a torch module",
    (f"{HERE}:needs_values", "1,3"): "pass real tensors instead of input_size",
    (f"{HERE}:exits", "1,3"): f"{HERE}:exits ends the program with 0",
    (f"{HERE}:breaks", "1,3"): "error: KeyError: 'layers'",
    (f"{HERE}:Asserts", "1,3"): "error: AssertionError: five features",
    ("..book:read", "1,3"): "cannot import '..book': ",
    ("dslib.models:ghostnet", f"1,3,{10**19},5"): "more numbers than torch can address",
    ("dslib.models:ghostnet", "1,3,x"): "--input-size must be whole numbers with commas, such as 1,3,224,224, got",
    ("dslib.models:ghostnet", ""): "--input-size must be whole numbers",
    ("dslib.models:ghostnet", "1x3x224x224"): "got '1x3x224x224'",
    ("dslib.models:ghostnet", "1,3,0,224"): "got (1, 3, 0, 224)",
    ("dslib.models:ghostnet", "1,4,224,224"): "channel",  # in torch's own words
}


@pytest.mark.parametrize("arguments", FAULTS, ids=" ".join)
def test_one_clear_line(arguments, capsys):
    factory, size = arguments
    assert command.main([factory, "--input-size", size]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ") and err.count("\n") == 1 and err.endswith("\n")
    assert FAULTS[arguments] in err


@pytest.mark.parametrize("arguments", [[], ["dslib.models:ghostnet"], [*GHOSTNET, "--format", "html"]], ids=repr)
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
