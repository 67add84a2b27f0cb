"""A prototxt written: a line for each value, in the text format of protocol buffers."""

import re
from numbers import Integral, Real

from .read import DEEPEST, FIELD, Word, word

_ESCAPED = re.compile(rb"[\x00-\x1f\x7f\\\"]")
_SHORT = {b"\n": rb"\n", b"\t": rb"\t", b"\r": rb"\r", b"\\": rb"\\", b'"': rb"\""}


def write_prototxt(message):
    """The text of a message: a line for each value, and for a message in braces its own lines, two spaces further in.

    ``message``: a dict from field names to values. A value is a whole number, a float, a bool, a str, a :class:`Word`,
    a message, or a list of those for a field that stands more than once. Raises ValueError for anything else.
    :func:`~dslib.caffe.read_prototxt` is the way back: it gives the same message, but for lists of a single value,
    which come back as the value, and empty ones, which do not come back.
    """
    return "".join(f"{line}\n" for line in _lines(message, ""))


def _lines(message, indent):
    if not isinstance(message, dict):
        raise ValueError(f"a message must be a dict from field names to values, got {type(message).__name__}")
    if len(indent) >= 2 * DEEPEST:
        raise ValueError(f"messages are nested deeper than {DEEPEST}")
    for field, values in message.items():
        if not (isinstance(field, str) and FIELD.fullmatch(field)):
            raise ValueError(f"a field must be a name such as num_output, got {field!r}")
        for value in values if isinstance(values, (list, tuple)) else [values]:
            if isinstance(value, dict):
                yield f"{indent}{field} {{"
                yield from _lines(value, indent + "  ")
                yield f"{indent}}}"
            else:
                yield f"{indent}{field}: {_scalar(field, value)}"


def _scalar(field, value):
    """A value as it stands behind the colon."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Word):
        if not (FIELD.fullmatch(value) and isinstance(word(value), Word)) or value[0] == "[":
            raise ValueError(f"field {field!r}: a Word must be a name such as AVE, got {str(value)!r}")
        return str(value)
    if isinstance(value, str):
        return _quoted(field, value)
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    raise ValueError(f"field {field!r} must be a number, a bool, a text or a message, got {value!r}")


def _quoted(field, value):
    """A text in quotes, with escapes for what would end it, for control characters and for bytes that are not UTF-8."""
    try:
        data = value.encode("utf-8", "surrogateescape")
        same = data.decode("utf-8", "surrogateescape") == value
    except UnicodeEncodeError:
        same = False
    if not same:
        raise ValueError(f"field {field!r} holds half a character (a lone surrogate): {value!r}")
    escaped = _ESCAPED.sub(lambda found: _SHORT.get(found[0]) or b"\\%03o" % found[0][0], data)
    return '"' + "".join(_octal(c) for c in escaped.decode("utf-8", "surrogateescape")) + '"'


def _octal(character):
    """A byte that is not UTF-8, which Python keeps as a surrogate, as an escape; any other character as it is."""
    return rf"\{ord(character) - 0xDC00:03o}" if "\udc80" <= character <= "\udcff" else character
