"""A caffemodel, read by the rules of protocol buffers: a number (field and kind), a length, and so many bytes."""

import struct

import numpy as np

from dslib import caffe


def taken_apart(data):
    """[(field, bytes)] of a message that has only fields of bytes."""
    found = []
    while data:
        key, data = varint(data)
        assert key % 8 == 2
        length, data = varint(data)
        assert length <= len(data)
        found.append((key // 8, data[:length]))
        data = data[length:]
    return found


def varint(data):
    number = 0
    for place, byte in enumerate(data):
        number += (byte % 128) * 128**place
        if byte < 128:
            return number, data[place + 1 :]
    raise AssertionError("a number that does not end")


def sizes_in(data):
    sizes = []
    while data:
        size, data = varint(data)
        sizes.append(size)
    return sizes


def test_a_caffemodel_holds_names_sizes_and_float32_numbers():
    weights = np.arange(2 * 3 * 200, dtype=np.float64).reshape(200, 3, 2, 1) / 7
    layers = taken_apart(caffe.write_caffemodel({"first": [weights, range(128)], "zweite/ß": [np.ones(1)]}))
    assert [field for field, _ in layers] == [100, 100]
    (name, *blobs), second = taken_apart(layers[0][1]), taken_apart(layers[1][1])
    assert name == (1, b"first") and second[0] == (1, "zweite/ß".encode()) and len(second) == 2
    for (field, blob), values in zip(blobs, (weights, np.arange(128)), strict=True):
        (shape_field, shape), (data_field, data) = taken_apart(blob)
        assert (field, shape_field, data_field) == (7, 7, 5)
        assert [(field, sizes_in(sizes)) for field, sizes in taken_apart(shape)] == [(1, list(values.shape))]
        numbers = struct.unpack(f"<{values.size}f", data)
        assert numbers == tuple(values.astype("float32").ravel().tolist())
