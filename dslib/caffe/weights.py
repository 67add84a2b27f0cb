"""A caffemodel written: a message in the binary encoding of protocol buffers.

Before each value there is a number that says which field follows and of which kind. Only what a file of weights needs
is written.
"""

import numpy as np


def write_caffemodel(weights):
    """The bytes of a caffemodel: a layer for each name in ``weights``, holding its arrays as float32.

    ``weights``: a dict from layer names to lists of arrays of any shape, in Caffe's order: of a convolution the weights
    ``(num_output, C_in/group, K_h, K_w)`` and, if it has one, the bias; of a ``BatchNorm`` mean, variance and the
    number that both are divided by; of a ``Scale`` the scale and, if it has one, the shift.

    Source: the numbers of the fields in ``caffe.proto``.
    """
    layers = (
        _bytes(1, name.encode()) + b"".join(_bytes(7, _blob(np.asarray(values))) for values in arrays)
        for name, arrays in weights.items()
    )
    return b"".join(_bytes(100, layer) for layer in layers)


def _blob(values):
    """An array: its sizes (field 7, in it field 1), then its numbers (field 5)."""
    shape = b"".join(map(_varint, values.shape))
    return _bytes(7, _bytes(1, shape)) + _bytes(5, values.astype("<f4").tobytes())


def _bytes(field, payload):
    """A field of bytes: its number and kind (2), the length, the bytes."""
    return _varint(field << 3 | 2) + _varint(len(payload)) + payload


def _varint(number):
    """A whole number in steps of seven bits, the last ones first; the top bit of a byte says that more follow."""
    pieces = []
    while number >= 128:
        pieces.append(number & 127 | 128)
        number >>= 7
    return bytes([*pieces, number])
