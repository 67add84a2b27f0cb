"""Count a model from the command line: ``python -m dslib.counting --help`` says how."""

import argparse
import ast
import contextlib
import functools
import importlib.util
import inspect
import operator
import os
import sys
from pathlib import Path

import torch
from torch import nn

from .count import count

HELP = """\
Count the MACs of a model, layer by layer, from the shapes of its inputs alone.

  python -m dslib.counting dslib.models:ghostnet --input-size 1,3,224,224
  python -m dslib.counting dslib.models:mobilenet_v1 --argument width_multiplier=0.5 --input-size 1,3,224,224
  python -m dslib.counting nets.py:TwoInputs --input-size 1,3,224,224 --input-size 1,128
  python -m dslib.counting nets.py:Translator --input-size 1,128:int64 --input-size target=1,64:int64
  python -m dslib.counting nets.py:model --input-size 1,3,224,224 --by-module 1 --format csv --strict

The exit status is 0, or 1 for an error, 2 for a wrong option, 3 with --strict where something was not counted.
"""
MODEL = "package.module:Name or file.py:Name: a class or function that gives the model, or the model itself"
SIZE = "the shape of an input, batch included; one for each, in order or named; its type if it is not the weights'"
ARGUMENT = "what the class or function is called with: a number, True, None, a list ..., otherwise text"


def main(arguments=None):
    """Print the table and return the exit status; an error is one line on stderr."""
    options = _options(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what a model prints is not part of the table
            report = _counted(options)
    except (Exception, SystemExit) as error:  # a factory and a model may raise anything: it becomes one line
        said = str(error).split("\nException raised from")[0]  # where torch's own code stands helps nobody here
        said = said.replace("pass real tensors", "pass --real or, in Python, real tensors")
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        print(f"error: {kind}{' '.join(said.split())}", file=sys.stderr)
        return 1
    if report.uncounted:
        calls = ", ".join(f"{entry.operation} ({entry.calls})" for entry in report.uncounted)
        print(f"warning: NOT COUNTED, no price known (calls): {calls}", file=sys.stderr)
    texts = {"text": str, "markdown": type(report).to_markdown, "csv": type(report).to_csv}
    try:
        print(texts[options.format](report).rstrip(), flush=True)
    except BrokenPipeError:  # | head has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 3 if options.strict and report.uncounted else 0


def _options(arguments):
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m dslib.counting", description=HELP, formatter_class=formatter)
    several = {"action": "append", "default": []}
    parser.add_argument("model", help=MODEL)
    parser.add_argument("--input-size", metavar="[NAME=]SHAPE[:DTYPE]", help=SIZE, **several)
    parser.add_argument("--argument", metavar="NAME=VALUE", help=ARGUMENT, **several)
    parser.add_argument("--real", action="store_true", help="run it for real, on random numbers and on integers 0")
    parser.add_argument("--backward", action="store_true", help="count forward and backward")
    parser.add_argument("--per-image", action="store_true", help="divide the counts by the batch")
    parser.add_argument("--by-module", type=int, metavar="DEPTH", help="totals of the modules at this depth")
    parser.add_argument("--strict", action="store_true", help="exit with 3 if something was not counted")
    parser.add_argument("--format", choices=["text", "markdown", "csv"], default="text")
    return parser.parse_args(arguments)


def _counted(options):
    """The report on the model that the options name."""
    sizes = [_size(text) for text in options.input_size]
    model = _model(options.model, dict(_argument(text) for text in options.argument))
    settings = {"backward": options.backward, "per_image": options.per_image}
    if sizes and not options.real and not any(name or dtype for name, _, dtype in sizes):
        report = count(model, input_size=[shape for _, shape, _ in sizes], **settings)
    else:
        tensors = [(name, _tensor(model, shape, dtype, options)) for name, shape, dtype in sizes]
        named = {name: tensor for name, tensor in tensors if name}
        called = functools.partial(model, **named) if named else model
        report = count(called, *[tensor for name, tensor in tensors if not name], **settings)
    return report if options.by_module is None else report.by_module(options.by_module)


def _argument(text):
    """``("width_multiplier", 0.5)`` from ``"width_multiplier=0.5"``."""
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        raise ValueError(f"--argument must be NAME=VALUE, such as width_multiplier=0.5, got {text!r}")
    with contextlib.suppress(ValueError, SyntaxError):
        return name, ast.literal_eval(value.strip())
    return name, value


def _size(text):
    """Name, shape and type of an input: ``("target", (1, 64), torch.int64)`` from ``"target=1,64:int64"``."""
    name, equals, rest = text.rpartition("=")
    sides, colon, dtype = rest.partition(":")
    with contextlib.suppress(ValueError):
        shape, dtype = tuple(int(side) for side in sides.split(",")), getattr(torch, dtype.strip() or "None", None)
        if min(shape) > 0 and (isinstance(dtype, torch.dtype) or not colon) and (name.isidentifier() or not equals):
            return name, shape, dtype
    raise ValueError(
        "--input-size must be positive whole numbers with commas, such as 1,3,224,224, or with a type for integers, "
        f"such as 1,128:int64, got {text!r}"
    )


def _tensor(model, shape, dtype, options):
    """An input; without a type of its own it gets that of the weights."""
    weights = [weight.dtype for weight in model.parameters() if weight.is_floating_point()] if _is_module(model) else []
    dtype = dtype or (weights or [torch.get_default_dtype()])[0]
    tensor = torch.zeros(shape, dtype=dtype, device="cpu" if options.real else "meta")
    continuous = dtype.is_floating_point or dtype.is_complex
    return tensor.normal_().requires_grad_(options.backward) if continuous else tensor


def _model(name, given):
    """What ``package.module:Name`` or ``file.py:Name`` gives, in evaluation mode."""
    place, _, attribute = name.rpartition(":")
    if not (place and attribute):
        raise ValueError(f"the model must be named package.module:Name or file.py:Name, got {name!r}")
    try:
        module = _from_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except (Exception, SystemExit) as error:  # a file may raise anything while it is read
        raise ValueError(f"cannot import {place!r}: {error or type(error).__name__}") from error
    try:
        found = operator.attrgetter(attribute)(module)
    except AttributeError:
        raise ValueError(f"{place} has no {attribute!r}") from None
    if _is_module(found) and given:
        raise ValueError(f"{name} is a model already: --argument is for a class or a function that gives one")
    model = found if _is_module(found) else _called(found, name, given)
    if not callable(model) or isinstance(model, type):
        raise ValueError(f"{name} gives {type(model).__name__}, not a torch module")
    return model.eval() if _is_module(model) else model


def _called(factory, name, given):
    if not callable(factory):
        raise ValueError(f"{name} is {type(factory).__name__}, not a class, a function or a torch module")
    try:
        inspect.signature(factory).bind(**given)
    except TypeError as error:
        how = ", ".join(f"{key}={value!r}" for key, value in given.items()) or "no arguments"
        raise ValueError(f"{name} cannot be called with {how}: {error}; --argument NAME=VALUE gives one") from None
    except ValueError:
        pass  # some that are written in C do not say what they take
    return factory(**given)


def _from_file(path):
    """The module in a file, which finds its neighbors."""
    if not path.is_file():
        raise ValueError("there is no such file")
    sys.path.insert(0, str(path.parent.resolve()))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # dataclasses and pickle look there
    spec.loader.exec_module(module)
    return module


def _is_module(model):
    return isinstance(model, nn.Module)


if __name__ == "__main__":
    sys.exit(main())
