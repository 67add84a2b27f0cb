"""The text format: what protobuf reads is read, the rest refused with its line, and what is written comes back."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dslib import caffe
from dslib.caffe import Word
from tests.support.prototxts import MEANS, MEANS_IN_C, NOT_TEXTS, NOT_TEXTS_IN_C


def same(one, other):
    """Equal, with the types; NaN is itself, and 0.0 is not -0.0."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict) and list(one) == list(other) and all(same(one[name], other[name]) for name in one)
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isnan(one) and math.isnan(other) or (one, math.copysign(1, one)) == (other, math.copysign(1, other))
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("text, message", (MEANS | MEANS_IN_C).items())
def test_a_text_means_what_protobuf_says(text, message):
    assert same(caffe.read_prototxt(text), message)
    assert same(caffe.read_prototxt("\ufeff" + text), message)  # as Windows writes it


@pytest.mark.parametrize("text", NOT_TEXTS + NOT_TEXTS_IN_C)
def test_what_is_no_message_is_refused_with_its_line(text):
    with pytest.raises(ValueError, match=r"^line \d of the prototxt: "):
        caffe.read_prototxt(text)


def test_numbers_that_are_none_and_names_of_extensions():
    found = caffe.read_prototxt("d: nan d: -NaN [foo . bar]: 1 [type.googleapis.com/foo.Bar] { i: 2 } _a1: 3")
    assert list(map(math.isnan, found.pop("d"))) == [True, True]
    assert found == {"[foo.bar]": 1, "[type.googleapis.com/foo.Bar]": {"i": 2}, "_a1": 3}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a {\n i: 1\n", "line 3 of the prototxt: expected a field or }, got 'the end'"),
        ("a <\n i: 1 }", "line 2 of the prototxt: expected a field or >, got '}'"),
        ("i: 1\n}", "line 2 of the prototxt: expected a field or the end, got '}'"),
        ("i: 1\nj: = 3", "line 2 of the prototxt: did not expect '='"),
        ("a {\n i\n}", "line 3 of the prototxt: expected : or a message in braces, got '}'"),
        ("i:\n", "line 2 of the prototxt: expected a value, got 'the end'"),
        ("i: -\nMAX", "line 2 of the prototxt: expected a value, got '-MAX'"),
        ("i: [1\n 2]", "line 2 of the prototxt: expected , or ] in a list, got '2'"),
        ("i: 1\n\nj: 08", "line 3 of the prototxt: cannot read the number 08"),
        ("s: 'a\n'", "line 1 of the prototxt: a text begins with ' and does not end in this line"),
        ("i: 5px", "line 1 of the prototxt: '5px' is not a number"),
        (r"s: 'C:\models'", r"line 1 of the prototxt: cannot read the escapes in 'C:\models'"),
        ("a: 1\0", "line 1 of the prototxt: did not expect '\\x00': is this a binary file, and not the text?"),
        (
            "\udcff\udcfei: 1",
            "line 1 of the prototxt: did not expect '\\udcff': is this a binary file, and not the text?",
        ),
        ("\n<!DOCTYPE html>", "line 2 of the prototxt: did not expect '!': is this a web page, and not the file?"),
        ("a { " * 2000, "line 1 of the prototxt: messages are nested deeper than 100"),
        (b"i: 1", "a prototxt is a text, a str, got bytes"),
        (None, "a prototxt is a text, a str, got NoneType"),
        (["i: 1"], "a prototxt is a text, a str, got list"),
    ],
)
def test_a_refusal_says_where_and_what(text, said):
    with pytest.raises(ValueError) as caught:
        caffe.read_prototxt(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "path", ["deploy.prototxt", "models/deploy", Path("x") / "a.prototxt", r"C:\nets\a.prototxt", " a b.caffemodel\n"]
)
def test_a_path_in_place_of_a_text_is_named_as_one(path):
    with pytest.raises(
        ValueError, match="that is a path; pass its text, or use price_file: '.*(deploy|a\\.prototxt|b\\.caffe)"
    ):
        caffe.read_prototxt(path)


def test_a_hundred_messages_within_each_other_are_read():
    text = "a { " * 99 + "}" * 99
    assert caffe.write_prototxt(caffe.read_prototxt(text)).split() == text.replace("}", " }").split()


# ---- written


def test_a_written_text_has_a_line_for_each_value():
    message = {"name": "x", "layer": [{"eps": 1e-05, "ok": True, "dim": [1, 2]}, {"pool": Word("AVE")}]}
    lines = [
        'name: "x"',
        "layer {",
        "  eps: 1e-05",
        "  ok: true",
        "  dim: 1",
        "  dim: 2",
        "}",
        "layer {",
        "  pool: AVE",
    ]
    assert caffe.write_prototxt(message).splitlines() == [*lines, "}"]


def test_what_would_end_a_text_is_escaped():
    text = caffe.write_prototxt({"name": 'a "quoted" \\ name\nof\x00two\x7flines and ü'})
    assert text == 'name: "a \\"quoted\\" \\\\ name\\nof\\000two\\177lines and ü"\n'


def test_numbers_of_numpy_lists_of_one_value_and_empty_lists():
    text = caffe.write_prototxt({"dim": (np.int64(3), np.float32(0.5)), "one": [1], "none": [], "empty": {}})
    assert text == "dim: 3\ndim: 0.5\none: 1\nempty {\n}\n"


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}|\[[a-z]+(\.[a-z]+)?\]", fullmatch=True)
words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True).filter(
    lambda name: name.lower() not in ("true", "false", "inf", "infinity", "nan")
)
texts = st.text() | st.text(st.sampled_from("\"'\\\n\r\0\x1f\x7f\x85\u2028\ufeff#{}ü😀\udc80\udcff"))
scalars = st.one_of(texts, words.map(Word), st.integers(), st.integers(-(10**50), 10**50), st.floats(), st.booleans())
repeated = lambda values: values | st.lists(values, min_size=2, max_size=3)  # noqa: E731
messages = st.recursive(
    st.dictionaries(names, repeated(scalars), max_size=4),
    lambda inner: st.dictionaries(names, repeated(scalars | inner), max_size=4),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(messages)
def test_what_is_written_comes_back(message):
    try:
        text = caffe.write_prototxt(message)
    except ValueError as error:  # bytes that together are a character could not be told from it
        assert "half a character" in str(error)
        return
    assert same(caffe.read_prototxt(text), message)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"size": None}, "field 'size' must be a number, a bool, a text or a message, got None"),
        ({"dim": [[1]]}, r"field 'dim' must be a number, a bool, a text or a message, got \[1\]"),
        ({"a b": 1}, "a field must be a name such as num_output, got 'a b'"),
        ({1: 1}, "a field must be a name such as num_output, got 1"),
        ("name: 'x'", "a message must be a dict from field names to values, got str"),
        ({"pool": Word("MAX POOL")}, "field 'pool': a Word must be a name such as AVE, got 'MAX POOL'"),
        ({"pool": Word("true")}, "field 'pool': a Word must be a name such as AVE, got 'true'"),
        ({"pool": Word("nan")}, "field 'pool': a Word must be a name such as AVE, got 'nan'"),
        ({"pool": Word("[a]")}, r"field 'pool': a Word must be a name such as AVE, got '\[a\]'"),
        ({"name": "\ud800"}, "field 'name' holds half a character"),
    ],
)
def test_what_has_no_place_in_a_text_is_refused(message, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        caffe.write_prototxt(message)


def test_a_message_that_holds_itself_is_refused():
    message = {}
    message["again"] = message
    with pytest.raises(ValueError, match="nested deeper than 100"):
        caffe.write_prototxt(message)
