"""The text format as protobuf's own parser reads it: the same messages, and the same texts refused."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from dslib import caffe
from tests.support.prototxts import MEANS, MEANS_IN_C, NOT_TEXTS, NOT_TEXTS_IN_C

# protobuf decodes escapes by a codec that warns of the odd ones
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TYPES = {"i": "INT64", "d": "DOUBLE", "s": "STRING", "b": "BOOL", "w": "ENUM", "m": "MESSAGE"}


def message_class():
    """A message whose fields hold what their names say, any number of times."""
    file = descriptor_pb2.FileDescriptorProto(name="any.proto", package="any")
    kind = file.message_type.add(name="Any")
    words = file.enum_type.add(name="Words")
    for number, word in enumerate(("MAX", "AVE")):
        words.value.add(name=word, number=number)
    for number, (name, type) in enumerate(TYPES.items(), start=1):
        field = kind.field.add(name=name, number=number, label="LABEL_REPEATED", type=f"TYPE_{type}")
        if type in ("ENUM", "MESSAGE"):
            field.type_name = ".any.Words" if type == "ENUM" else ".any.Any"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("any.Any"))


ANY = message_class()


def as_dict(message):
    """The message as we hold one."""
    found = {}
    for field, values in message.ListFields():
        words = {value.number: value.name for value in field.enum_type.values} if field.enum_type else {}
        values = [as_dict(value) if field.name == "m" else words.get(value, value) for value in values]
        found[field.name] = values if len(values) > 1 else values[0]
    return found


def parsed(text):
    """What protobuf reads, None if it refuses."""
    try:
        return as_dict(text_format.Parse(text, ANY()))
    except text_format.ParseError:
        return None


@pytest.mark.parametrize("text", MEANS)
def test_protobuf_reads_the_same(text):
    assert parsed(text) == MEANS[text] == caffe.read_prototxt(text)


@pytest.mark.parametrize("text", NOT_TEXTS)
def test_protobuf_refuses_the_same(text):
    assert parsed(text) is None


@pytest.mark.parametrize("text", MEANS)
def test_protobuf_reads_what_we_write(text):
    assert parsed(caffe.write_prototxt(MEANS[text])) == MEANS[text]


def test_where_the_parser_in_python_departs_from_the_specification():
    assert all(parsed(text) != message for text, message in MEANS_IN_C.items())
    assert None not in map(parsed, NOT_TEXTS_IN_C)
