"""What runs while a reader's function does: torch's operations, and functions of ``dslib.functional``."""

import sys
from collections.abc import Callable

from torch.utils._python_dispatch import TorchDispatchMode

from dslib import functional

BY_HAND = "The numbers are right, but {} makes them. Here they are to come from your own loops or matrices, without it."
IN_GROUPS = "The numbers are right, but {} makes the groups. Slice the groups yourself: each is a standard convolution."


class Operations(TorchDispatchMode):
    """Hands the name and the arguments of each of torch's operations to a function, also of ``x.relu()``."""

    def __init__(self, note: Callable):
        super().__init__()
        self.note = note

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.note(function.overloadpacket.__name__, args)
        return function(*args, **(kwargs or {}))


def convolutions(function: Callable, case: tuple) -> list[tuple[str, int]]:
    """The convolutions that run when the function is called, torch's and those of ``functional``: name and groups."""
    found, before = [], sys.getprofile()

    def operation(name, args):
        if "conv" in name:
            found.append(("torch's convolution", args[-1] if name == "convolution" else 1))

    def called(frame, event, _):
        if event == "call" and frame.f_code.co_filename == functional.__file__:
            found.append((f"functional.{frame.f_code.co_name}", frame.f_locals.get("groups", 1)))

    sys.setprofile(called)
    try:
        with Operations(operation):
            function(*case)
    finally:
        sys.setprofile(before)
    return found


def by_hand(function: Callable, *case) -> str:
    """What to say of a function that leaves its work to a convolution, or ""."""
    return next((BY_HAND.format(name) for name, _ in convolutions(function, case)), "")


def without_groups(function: Callable, *case) -> str:
    """What to say of a function that leaves the groups to a convolution, or ""."""
    found = convolutions(function, case)
    return next((IN_GROUPS.format(name) for name, groups in found if groups != 1 and "conv" in name), "")
