"""Caffe's two files, written and read without Caffe: the layers as text (prototxt), the weights in bytes (caffemodel).

Caffe is an old framework whose files are still about, and OpenCV's ``cv2.dnn.readNetFromCaffe`` runs them. The text is
a **message**: fields with values, some of which are messages. Here a message is a dict; a field that stands more than
once has a list of values; a name without quotes, such as ``AVE``, is a :class:`Word`.

The bytes are a message too, in the encoding of protocol buffers: before each value stands a number that says which
field follows and of which kind. Only what a file of weights needs is written.
"""

import re

import numpy as np

from .cost import Network

_TOKEN = re.compile(r"""\s+|\#[^\n]*|(?P<string>"[^"]*"|'[^']*')|(?P<word>[-+.\w/]+)|(?P<mark>[{}:])|[,;]""")
_INPUTS = {"Input", "Data", "ImageData"}
_COSTS_NOTHING = {"BatchNorm", "ReLU", "ReLU6", "Sigmoid", "Softmax", "Dropout", "Flatten"}


class Word(str):
    """A name that stands without quotes in a prototxt, such as ``MAX`` or ``AVE``."""


def write_prototxt(message, indent=""):
    """The text of a message: a line for each value, and for a message in braces its own lines, two spaces further in.

    ``message``: a dict from field names to values. A value is a whole number, a float, a bool, a str, a :class:`Word`,
    a message, or a list of those for a field that stands more than once. Raises ValueError for anything else.
    :func:`read_prototxt` is the way back.
    """
    lines = []
    for field, value in _fields(message):
        if isinstance(value, dict):
            lines += [f"{indent}{field} {{", *write_prototxt(value, indent + "  ").splitlines(), f"{indent}}}"]
        elif isinstance(value, bool):
            lines.append(f"{indent}{field}: {'true' if value else 'false'}")
        elif isinstance(value, str) and not isinstance(value, Word):
            lines.append(f'{indent}{field}: "{value}"')
        elif isinstance(value, (Word, int, float)):
            lines.append(f"{indent}{field}: {value}")
        else:
            raise ValueError(f"field {field!r} must be a number, a bool, a text or a message, got {value!r}")
    return "".join(line + "\n" for line in lines)


def read_prototxt(text):
    """The message of a text: the way back from :func:`write_prototxt`, comments left out.

    Raises ValueError, with the line, for what is not in the format. Source: the text format of protocol buffers.
    """
    tokens, place, line = [], 0, 1
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise ValueError(f"line {line} of the prototxt: did not expect {text[place]!r}")
        if found.lastgroup:
            tokens.append((found[0], found.lastgroup, line))
        line += found[0].count("\n")
        place = found.end()
    tokens.append(("", "end", line))
    return _message(tokens, 0, "")[0]


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


def price(text):
    """Cost of the network in a prototxt: a :class:`dslib.cost.Network` with a row for each layer that costs anything.

    ``Convolution`` and ``InnerProduct`` have MACs. ``Scale`` has the two parameters per channel of a batch norm;
    ``BatchNorm`` before it has none, as its mean and variance are not learned. Pools round their size up, as Caffe
    does, convolutions down.

    Raises ValueError for another kind of layer, for one that does not read the layer before it (only chains are
    priced), for a ``Scale`` without ``bias_term``, for dilation, for the format from before 2014, for missing settings,
    and for sizes that do not fit.
    """
    message = read_prototxt(text)
    if "layers" in message:
        raise ValueError("the prototxt has fields 'layers', the format from before 2014: upgrade it with Caffe's tools")
    layers = _all(message, "layer")
    shape, here = _input(message, layers)
    net = Network(shape[1], (shape[2], shape[3]))
    for layer in layers:
        name, kind = _needed(layer, "name", "a layer"), _needed(layer, "type", f"layer {layer.get('name')!r}")
        if kind in _INPUTS:
            continue
        if _all(layer, "bottom") != [here]:
            raise ValueError(f"layer {name!r} reads {_all(layer, 'bottom')}, not the last map {here!r}")
        _add(net, name, kind, layer)
        here = _needed(layer, "top", f"layer {name!r}")
    return net


def _add(net, name, kind, layer):
    """Tell the network one layer."""
    where = f"layer {name!r}"
    if kind == "Convolution":
        settings = _needed(layer, "convolution_param", where)
        if _all(settings, "dilation") not in ([], [1]):
            raise ValueError(f"{where} has dilation {settings['dilation']}, which is not priced")
        out_channels, window = _needed(settings, "num_output", where), _window(settings, where)
        net.conv2d(name, out_channels, *window, settings.get("group", 1), settings.get("bias_term", True))
    elif kind == "InnerProduct":
        settings = _needed(layer, "inner_product_param", where)
        net.linear(name, _needed(settings, "num_output", where), settings.get("bias_term", True))
    elif kind == "Pooling":
        settings = _needed(layer, "pooling_param", where)
        if settings.get("global_pooling", False):
            net.global_pool()
        else:
            net.resize(tuple(map(_pooled, net.size, *_window(settings, where), [where] * 2)))
    elif kind == "Scale":
        if layer.get("scale_param", {}).get("bias_term", False) is not True:
            raise ValueError(f"{where} scales without a shift (bias_term), which is not priced")
        net.batch_norm2d(name)
    elif kind not in _COSTS_NOTHING:
        raise ValueError(f"{where} has type {kind!r}, which is not priced")


def _pooled(size, kernel_size, stride, padding, where):
    """Side after a pool: rounded up, but with padding no window may begin behind the map."""
    steps = -((kernel_size - size - 2 * padding) // stride)
    if steps < 0:
        raise ValueError(f"{where} pools windows of {kernel_size} from {size} pixels with padding {padding}")
    return steps if padding and steps * stride >= size + padding else steps + 1


def _input(message, layers):
    """Shape and name of the input, which a text may give in three ways."""
    for layer in layers:
        if layer.get("type") == "Input":
            shape = _needed(_needed(layer, "input_param", "the input"), "shape", "the input")
            return _four(_all(shape, "dim")), _needed(layer, "top", "the input")
    shape = _all(message["input_shape"], "dim") if "input_shape" in message else _all(message, "input_dim")
    return _four(shape), _needed(message, "input", "the prototxt")


def _four(sizes):
    if len(sizes) != 4:
        raise ValueError(f"the input must have four sizes, batch, channels, height and width, got {sizes}")
    return sizes


def _window(settings, where):
    """Kernel size, stride and padding, each as (height, width)."""
    kernel_size = _pair(settings, "kernel_size", "kernel", None)
    if None in kernel_size:
        raise ValueError(f"{where} has no kernel_size")
    return kernel_size, _pair(settings, "stride", "stride", 1), _pair(settings, "pad", "pad", 0)


def _pair(settings, name, short, default):
    """(height, width) of a setting that may be one number, two, or split over two fields."""
    values = _all(settings, name) or [default]
    return settings.get(f"{short}_h", values[0]), settings.get(f"{short}_w", values[-1])


def _needed(message, field, owner):
    """The field's value, if there is one."""
    if field not in message:
        raise ValueError(f"{owner} has no {field}")
    return message[field]


def _all(message, field):
    """All values of a field: none, one or several."""
    value = message.get(field, [])
    return value if isinstance(value, list) else [value]


def _fields(message):
    """Every (field, value) of a message, a field that stands twice two times."""
    return [(field, value) for field in message for value in _all(message, field)]


def _message(tokens, place, field):
    """The message whose fields begin at this token, and the place after it; ``field`` is the one that it belongs to."""
    message = {}
    while True:
        name, kind, line = tokens[place]
        if kind == "end" and field or name == "}" and not field:
            raise ValueError(f"line {line} of the prototxt: braces do not match")
        if kind == "end" or name == "}":
            return message, place + 1
        place += 2 if tokens[place + 1][0] == ":" else 1
        value, value_kind, line = tokens[place]
        if kind != "word" or value_kind in ("end", "mark") and value != "{":
            raise ValueError(f"line {line} of the prototxt: expected a field and its value, got {name!r} {value!r}")
        value, place = _message(tokens, place + 1, name) if value == "{" else (_value(value), place + 1)
        message[name] = [*_all(message, name), value] if name in message else value


def _value(token):
    """A number, a bool, a text or a word."""
    if token[0] in "\"'":
        return token[1:-1]
    if token in ("true", "false"):
        return token == "true"
    for number in (int, float):
        try:
            return number(token)
        except ValueError:
            pass
    return Word(token)


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
