"""What a field of a message holds, checked: ValueError says which field it is about."""

import reprlib

_FLAGS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def shown(value):
    """A value as a sentence names it: short."""
    return "a longer number" if isinstance(value, int) and abs(value) >= 2**64 else reprlib.repr(value)


def every(message, field, kind=object):
    """All values of a field, each of this kind: none, one or several."""
    values = message.get(field, [])
    values = values if isinstance(values, list) else [values]
    for value in values:
        if not isinstance(value, kind) or kind is int and isinstance(value, bool):
            called = {dict: "a message in braces", str: "a text", int: "a whole number"}[kind]
            raise ValueError(f"{field} must be {called}, got {shown(value)}")
    return values


def one(message, field, default=None, kind=object):
    """The value of a field that may stand once."""
    values = every(message, field, kind)
    if len(values) > 1:
        raise ValueError(f"{field} stands {len(values)} times, and may stand once")
    return values[0] if values else default


def names(message, field):
    """All texts of a field."""
    return every(message, field, str)


def wholes(message, field, minimum=1):
    """All whole numbers of a field."""
    values = every(message, field, int)
    for value in values:
        if not minimum <= value < 2**63:
            raise ValueError(
                f"{field} must be at least {minimum}{', and of 64 bits' * (value > 0)}, got {shown(value)}"
            )
    return values


def whole(message, field, default=None, minimum=1):
    """The whole number of a field; without a default it has to be there."""
    wholes(message, field, minimum)
    value = one(message, field, default)
    if value is None:
        raise ValueError(f"there is no {field}")
    return value


def flag(message, field, default):
    """The bool of a field, in any way in which it may be written."""
    value = one(message, field, default)
    if str(value).lower() not in _FLAGS or isinstance(value, (float, dict)):
        raise ValueError(f"{field} must be true or false, got {shown(value)}")
    return _FLAGS[str(value).lower()]
