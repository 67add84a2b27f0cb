"""A prototxt read: the text format of protocol buffers, for any message, without its definition.

Source: the Text Format Language Specification of protocol buffers.
"""

import os
import re

DEEPEST = 100  # messages within messages; real files have five
FIELD = re.compile(r"[A-Za-z_]\w*|\[(?:[\w.%~-]+/)*\w+(?:\.\w+)*\]", re.ASCII)  # a name, or an extension in brackets

_TOKEN = re.compile(
    r"""(?P<gap>[ \t\n\v\f\r]++|\#[^\n]*+)
    |(?P<text>"(?:[^"\\\n]++|\\[^\n])*+"|'(?:[^'\\\n]++|\\[^\n])*+')
    |(?P<number>(?:0[xX][0-9a-fA-F]++|(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?\d++)?+[fF]?+)(?![\w.]))
    |(?P<word>[A-Za-z_]\w*+)
    |(?P<mark>[][{}<>:;,/.%~-])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE = re.compile(
    rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})*)|U([0-9a-fA-F]{8})|(.))"
)
_PLAIN_ESCAPES = {
    **{b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"},
    **{mark: mark for mark in (b"?", b"\\", b"'", b'"')},
}
_FLOATS = {"inf": float("inf"), "infinity": float("inf"), "nan": float("nan")}
_BOOLS = {"true": True, "True": True, "false": False, "False": False}


class Word(str):
    """A name that stands without quotes in a prototxt, such as ``MAX`` or ``AVE``."""


def read_prototxt(text):
    """The message of a text: the way back from :func:`write_prototxt`, comments left out.

    All that the text format allows is read: ``< >`` for braces, ``[1, 2]`` for a field given twice, octal and
    hexadecimal numbers, adjacent and escaped texts, extensions. Bytes of a text that are not UTF-8 are kept as
    surrogates (``surrogateescape``).

    Raises ValueError, with the line, for anything else.
    """
    if isinstance(text, os.PathLike) or isinstance(text, str) and _is_path(text):
        raise ValueError(f"that is a path; pass its text, or use price_file: {str(text).strip()[:200]!r}")
    if not isinstance(text, str):
        raise ValueError(f"a prototxt is a text, a str, got {type(text).__name__}")
    reader = _Reader(_tokens(text.removeprefix("\ufeff")))
    return reader.message("", 1)


def word(name):
    """What a name without quotes means: a number such as ``inf``, a bool, or a :class:`Word`."""
    return _FLOATS.get(name.lower(), _BOOLS.get(name, Word(name)))


def _is_path(text):
    """Whether it is no message but, very likely, the name of a file that has one."""
    plain = r"""[^\n#{}<>"'\[\]\0]"""
    return re.fullmatch(rf"{plain}*\.(prototxt|pbtxt|txt|caffemodel)|[^:]*[./\\][^:]*", text.strip()) and re.fullmatch(
        rf"{plain}+", text.strip()
    )


def _tokens(text):
    """[(token, kind, line)], the last one empty, of kind ``end``."""
    tokens, place, line = [], 0, 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"line {line} of the prototxt: {_stumble(text[place : place + 20])}")
        if found.lastgroup != "gap":
            tokens.append((found[0], found.lastgroup, line))
        line += found[0].count("\n")
        place = found.end()
    return [*tokens, ("", "end", line)]


def _stumble(rest):
    """Why no token begins with these characters."""
    if rest[0] in "\"'":
        return f"a text begins with {rest[0]} and does not end in this line"
    if rest[0].isdigit():
        return f"{rest.split()[0]!r} is not a number"
    hint = ": is this a binary file, and not the text?" if rest[0] < " " or "\udc80" <= rest[0] <= "\udcff" else ""
    hint = ": is this a web page, and not the file?" if rest.lower().startswith("!doctype") else hint
    return f"did not expect {rest[0]!r}{hint}"


class _Reader:
    """Goes through the tokens once; each method reads what it is named after."""

    def __init__(self, tokens):
        self.tokens, self.place, self.line = tokens, 0, 1

    def message(self, closing, depth):
        if depth > DEEPEST:
            self.fail(f"messages are nested deeper than {DEEPEST}")
        found = {}
        while not self.take(closing):
            name = self.field(f"a field or {closing or 'the end'}")
            for value in self.values(depth):
                found.setdefault(name, []).append(value)
            self.take(",") or self.take(";")
        return {name: values if len(values) > 1 else values[0] for name, values in found.items()}

    def field(self, expected):
        name, kind = self.next()
        while name[0] == "[" and name[-1] != "]" and kind != "end":
            piece, kind = self.next()
            name += piece
        return name if FIELD.fullmatch(name) else self.fail(f"expected {expected}, got {name[:40]!r}")

    def values(self, depth):
        colon = self.take(":")
        if not self.take("["):
            return [self.value(depth, colon)]
        values = []
        while not self.take("]"):
            if values and not self.take(","):
                self.fail(f"expected , or ] in a list, got {self.next()[0][:40]!r}")
            values.append(self.value(depth, colon))
        return values

    def value(self, depth, colon):
        for opening, closing in ("{}", "<>"):
            if self.take(opening):
                return self.message(closing, depth + 1)
        minus = "-" * self.take("-")
        token, kind = self.next()
        if not colon:
            self.fail(f"expected : or a message in braces, got {minus + token[:40]!r}")
        if kind == "number":
            return -self.number(token) if minus else self.number(token)
        if kind == "text" and not minus:
            return self.text(token)
        if kind == "word" and (not minus or token.lower() in _FLOATS):
            return -word(token) if minus else word(token)
        return self.fail(f"expected a value, got {minus + token[:40]!r}")

    def number(self, token):
        if token[:2] in ("0x", "0X"):
            return int(token, 16)
        try:
            if token[0] == "0" and token[1:2].isdigit():
                return int(token, 8)
            return int(token) if token.isdigit() else float(token.rstrip("fF"))
        except ValueError:  # 09, or more digits than Python reads
            return self.fail(f"cannot read the number {token[:40]}")

    def text(self, token):
        pieces = [token[1:-1]]
        while self.tokens[self.place][1] == "text":  # texts side by side are one
            pieces.append(self.next()[0][1:-1])
        try:
            joined = b"".join(_ESCAPE.sub(_unescaped, piece.encode("utf-8", "surrogateescape")) for piece in pieces)
        except (ValueError, OverflowError):  # \400, \ud800 without its other half, \U7fffffff
            return self.fail(f"cannot read the escapes in {token[:40]}")
        return joined.decode("utf-8", "surrogateescape")

    def take(self, token):
        """Whether this token is next; if so, it is passed."""
        here = self.tokens[self.place][0] == token
        if here:
            self.next()
        return here

    def next(self):
        token, kind, self.line = self.tokens[self.place]
        if kind == "end":
            return "the end", kind
        self.place += 1
        return token, kind

    def fail(self, fault):
        raise ValueError(f"line {self.line} of the prototxt: {fault}")


def _unescaped(found):
    """The bytes that an escape stands for."""
    octal, hexadecimal, units, point, plain = found.groups()
    if octal or hexadecimal:
        return bytes([int(octal, 8) if octal else int(hexadecimal, 16)])
    if units:  # several, since two may be the halves of one character
        return bytes.fromhex(re.sub(rb"[\\u]", b"", units).decode()).decode("utf-16-be").encode()
    if point:
        return chr(int(point, 16)).encode()
    if plain not in _PLAIN_ESCAPES:
        raise ValueError(f"no such escape: {plain}")
    return _PLAIN_ESCAPES[plain]
