"""Self-checks for the reader's own code: one ``check_...(reader_function)`` for each exercise of the book.

A check runs the function on several cases and gives a :class:`Feedback`: whether it is right and, if not, what is
wrong, in words. The exercise and its solution stand at the end of the chapter that the check's module is named after.
"""

# ruff: noqa: F401 - the checks are imported for the reader; __all__ below holds them

from .feedback import Feedback
from .standard_convolution import (
    check_conv2d_by_hand,
    check_conv_macs,
    check_conv_params,
    check_output_side,
    check_redness,
    check_weight_shape,
)

__all__ = [name for name in globals() if name.startswith("check_")] + ["Feedback"]
