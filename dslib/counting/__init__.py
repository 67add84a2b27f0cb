"""Counting what a computation really does, without knowing any formula of this book for it.

:func:`count` watches any torch model or function run, by torch's own dispatch, and says exactly how many MACs it did,
where, and what it did not count. ``python -m dslib.counting package.module:factory --input-size 1,3,224,224`` prints
the same. :class:`CountingNumber` goes through plain Python code, such as ``conv2d_loops``, and writes down every
multiplication and every addition on a :class:`Tally`.
"""

from .count import count
from .report import Other, Report, Row
from .tally import CountingNumber, Tally, counting_numbers, plain_numbers

__all__ = [
    "CountingNumber",
    "Other",
    "Report",
    "Row",
    "Tally",
    "count",
    "counting_numbers",
    "plain_numbers",
]
