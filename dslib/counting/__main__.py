"""Count a model from the command line: ``python -m dslib.counting dslib.models:ghostnet --input-size 1,3,224,224``."""

import argparse
import importlib
import os
import sys

from .count import count


def main(arguments=None):
    """Print the table; the exit status is 1, with one line on stderr, for a name or a size that does not fit."""
    parser = argparse.ArgumentParser(prog="python -m dslib.counting", description="Count the MACs of a model.")
    parser.add_argument("factory", help="package.module:function that returns the model when called without arguments")
    parser.add_argument("--input-size", required=True, help="shape of the input, batch included, such as 1,3,224,224")
    parser.add_argument("--backward", action="store_true", help="count forward and backward")
    parser.add_argument("--elementwise", action="store_true", help="find convolutions written by hand too")
    parser.add_argument("--per-image", action="store_true", help="divide the counts by the batch")
    parser.add_argument("--format", choices=["text", "markdown", "csv"], default="text")
    options = parser.parse_args(arguments)
    try:
        size = _shape(options.input_size)
        report = count(
            _built(options.factory),
            input_size=size,
            backward=options.backward,
            elementwise=options.elementwise,
            per_image=options.per_image,
        )
    except Exception as error:  # a factory and a model may raise anything: it becomes one line
        said = str(error).split("\nException raised from")[0]  # where torch's own code stands helps nobody here
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        print(f"error: {kind}{' '.join(said.split())}", file=sys.stderr)
        return 1
    texts = {"text": str, "markdown": type(report).to_markdown, "csv": type(report).to_csv}
    try:
        print(texts[options.format](report).rstrip(), flush=True)
    except BrokenPipeError:  # | head has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _shape(text):
    """``(1, 3, 224, 224)`` from ``"1,3,224,224"``."""
    try:
        return tuple(int(side) for side in text.split(","))
    except ValueError:
        raise ValueError(f"--input-size must be whole numbers with commas, such as 1,3,224,224, got {text!r}") from None


def _built(name):
    """The model that ``package.module:function`` returns, in evaluation mode."""
    module, colon, function = name.partition(":")
    if not (module and colon and function):
        raise ValueError(f"the factory must be named package.module:function, got {name!r}")
    try:
        package = importlib.import_module(module)
    except Exception as error:  # a package may raise anything while it is imported
        raise ValueError(f"cannot import {module!r}: {error}") from error
    if not hasattr(package, function):
        raise ValueError(f"{module} has no {function!r}")
    try:
        model = getattr(package, function)()
    except SystemExit as error:
        raise ValueError(f"{name} ends the program with {error.code!r}") from error
    except TypeError as error:
        raise ValueError(f"{name} cannot be called without arguments: {error}") from error
    if not hasattr(model, "eval"):
        raise ValueError(f"{name} returns {type(model).__name__}, not a torch module")
    return model.eval()


if __name__ == "__main__":
    sys.exit(main())
