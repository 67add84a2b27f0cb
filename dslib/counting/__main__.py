"""Count a model from the command line: ``python -m dslib.counting --help`` says how."""

import argparse
import ast
import contextlib
import functools
import importlib
import importlib.util
import inspect
import operator
import os
import sys
from pathlib import Path

import torch
from torch import nn

from .count import count

EXAMPLES = """\
examples:
  python -m dslib.counting dslib.models:ghostnet --input-size 1,3,224,224
  python -m dslib.counting dslib.models:mobilenet_v1 --argument width_multiplier=0.5 --input-size 1,3,224,224
  python -m dslib.counting nets.py:TwoInputs --input-size 1,3,224,224 --input-size 1,128
  python -m dslib.counting nets.py:Translator --input-size 1,128:int64 --input-size target=1,64:int64
  python -m dslib.counting nets.py:model --input-size 1,3,224,224 --by-module 1 --format csv --strict

exit status: 0, or 1 for an error, 2 for a wrong option, 3 with --strict if something was not counted.
"""
NOT_COUNTED = 3


def main(arguments=None):
    """Print the table and return the exit status; an error is one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a model that prints must not get into the table
            report = _counted(options)
            if options.by_module is not None:
                report = report.by_module(options.by_module)
    except (Exception, SystemExit) as error:  # a factory and a model may raise anything: it becomes one line
        said = str(error).split("\nException raised from")[0]  # where torch's own code stands helps nobody here
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        print(f"error: {kind}{' '.join(said.split())}", file=sys.stderr)
        return 1
    if report.uncounted:
        calls = ", ".join(f"{entry.operation} ({entry.calls})" for entry in report.uncounted)
        print(f"warning: not counted, no price known (calls): {calls}", file=sys.stderr)
    texts = {"text": str, "markdown": type(report).to_markdown, "csv": type(report).to_csv}
    try:
        print(texts[options.format](report).rstrip(), flush=True)
    except BrokenPipeError:  # | head has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOT_COUNTED if options.strict and report.uncounted else 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m dslib.counting",
        description="Count the MACs of a model, layer by layer, from the shapes of its inputs alone.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "model",
        help="package.module:Name or file.py:Name; a class or a function is called and gives the model, "
        "a model that is ready is taken as it is",
    )
    add(
        "--input-size",
        action="append",
        default=[],
        metavar="[NAME=]SHAPE[:DTYPE]",
        help="shape of an input, batch included, such as 1,3,224,224; once for each input, in their order or with the "
        "name of the argument; with another type than the weights have: 1,128:int64",
    )
    add(
        "--argument",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what the class or function is called with; VALUE is a number, True, None, a list, ..., else a text",
    )
    add("--real", action="store_true", help="run it for real, with random numbers and integers that are 0")
    add("--backward", action="store_true", help="count forward and backward")
    add("--per-image", action="store_true", help="divide the counts by the batch")
    add("--by-module", type=int, metavar="DEPTH", help="one line for each module that is at most so deep in the model")
    add("--strict", action="store_true", help=f"exit with status {NOT_COUNTED} if something was not counted")
    add("--format", choices=["text", "markdown", "csv"], default="text")
    return parser


def _counted(options):
    """The report on the model that the options name."""
    given = dict(_argument(text) for text in options.argument)
    sizes = [_size(text) for text in options.input_size]
    model = _built(options.model, given)
    settings = {"backward": options.backward, "per_image": options.per_image}
    if sizes and not options.real and not any(name or dtype for name, _, dtype in sizes):
        return count(model, input_size=[shape for _, shape, _ in sizes], **settings)
    tensors = [(name, _tensor(model, shape, dtype, options)) for name, shape, dtype in sizes]
    named = {name: tensor for name, tensor in tensors if name}
    inputs = [tensor for name, tensor in tensors if not name]
    return count(functools.partial(model, **named) if named else model, *inputs, **settings)


def _argument(text):
    """``("width_multiplier", 0.5)`` from ``"width_multiplier=0.5"``."""
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        raise ValueError(f"--argument must be NAME=VALUE, such as width_multiplier=0.5, got {text!r}")
    try:
        return name, ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def _size(text):
    """``("", (1, 3, 224, 224), None)`` from ``"1,3,224,224"``: name, shape and type of an input."""
    name, _, rest = text.rpartition("=")
    sides, colon, dtype = rest.partition(":")
    dtype = getattr(torch, dtype.strip(), None) if colon else None
    try:
        shape = tuple(int(side) for side in sides.split(","))
        if (colon and not isinstance(dtype, torch.dtype)) or (name and not name.isidentifier()) or min(shape) < 1:
            raise ValueError
    except ValueError:
        raise ValueError(
            "--input-size must be positive whole numbers with commas, such as 1,3,224,224 or, for integers, "
            f"1,128:int64, got {text!r}"
        ) from None
    return name, shape, dtype


def _tensor(model, shape, dtype, options):
    """An input; without a type of its own it gets that of the weights."""
    weights = model.parameters() if isinstance(model, nn.Module) else ()
    floats = (weight.dtype for weight in weights if weight.is_floating_point())
    dtype = dtype or next(floats, torch.get_default_dtype())
    learns = options.backward and (dtype.is_floating_point or dtype.is_complex)
    tensor = torch.zeros(shape, dtype=dtype, device="cpu" if options.real else "meta")
    return (tensor.normal_() if options.real and learns or dtype.is_floating_point else tensor).requires_grad_(learns)


def _built(name, given):
    """What ``package.module:Name`` or ``file.py:Name`` gives, in evaluation mode."""
    place, colon, attribute = name.rpartition(":")
    if not (place and colon and attribute):
        raise ValueError(f"the model must be named package.module:Name or file.py:Name, got {name!r}")
    try:
        module = _from_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except (Exception, SystemExit) as error:  # a file may raise anything while it is read
        raise ValueError(f"cannot import {place!r}: {type(error).__name__}: {error}") from error
    try:
        model = operator.attrgetter(attribute)(module)
    except AttributeError:
        raise ValueError(f"{place} has no {attribute!r}") from None
    if isinstance(model, nn.Module):
        if given:
            raise ValueError(f"{name} is a model already: --argument needs a class or a function")
        return model.eval()
    model = _called(model, name, given)
    if not callable(model) or isinstance(model, type):
        raise ValueError(f"{name} gives {type(model).__name__}, not a torch module")
    return model.eval() if isinstance(model, nn.Module) else model


def _called(factory, name, given):
    words = ", ".join(f"{key}={value!r}" for key, value in given.items())
    if not callable(factory):
        raise ValueError(f"{name} is {type(factory).__name__}, no class, function or model")
    with contextlib.suppress(ValueError):  # some of what is written in C does not say what it takes
        try:
            inspect.signature(factory).bind(**given)
        except TypeError as error:
            problem = f"{name} cannot be called as {factory.__name__}({words}): {error}; see --argument"
            raise TypeError(problem) from None
    return factory(**given)


def _from_file(path):
    """The module in a file, which can import its neighbors."""
    if not path.is_file():
        raise FileNotFoundError("no such file")
    sys.path.insert(0, str(path.parent.resolve()))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)  # dataclasses and pickle look there
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
