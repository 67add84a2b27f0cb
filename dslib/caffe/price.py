"""A network in a prototxt, priced: its layers walk over named maps (blobs), from the shapes of the inputs on."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from math import prod

from ..cost import Cost, Row, Rows
from .fields import every, names, one, wholes
from .layers import FREE, SOURCES, UNSHAPED, WORKING, known, number
from .read import read_prototxt

PHASES = ("TRAIN", "TEST")  # caffe.proto numbers them so


@dataclass(frozen=True)
class Uncounted:
    """A layer that could not be priced: its name, its type, and why."""

    name: str
    type: str
    reason: str

    def __str__(self):
        return f"{self.name} ({self.type}): {self.reason}"


@dataclass(frozen=True)
class PricedText(Rows):
    """A priced prototxt: ``rows``, a :class:`dslib.cost.Row` for each layer that works or learns, and ``total``.

    ``uncounted``: an :class:`Uncounted` for each layer that could not be priced. If there are any, the true numbers may
    be higher. ``by_kind()`` adds up the rows of each kind, ``"transposed"``, ``"scale"`` and ``"activation"`` among
    them.
    """

    rows: tuple
    uncounted: tuple


def price(text, phase="TEST"):
    """Cost per image of the network in a prototxt, as :class:`PricedText`.

    ``phase``: ``"TEST"`` or ``"TRAIN"``; layers that are only for the other one are left out.

    MACs are those of convolutions, deconvolutions and fully connected layers. Parameters are what a layer learns: a
    ``Scale`` behind a ``BatchNorm`` has two per channel, the ``BatchNorm``, whose mean and variance are measured, none;
    blobs that layers share count once. Pools round up, as Caffe's do, convolutions down. A layer of an unknown type is
    listed in ``uncounted``; with one bottom, one top and no sign of weights it is taken to keep the shape.

    Raises ValueError for a text that is no network with an input, and for settings and shapes that do not fit, with
    the layer's name.
    """
    if phase not in PHASES:
        raise ValueError(f"phase must be 'TEST' or 'TRAIN', got {phase!r}")
    message = read_prototxt(text)
    inputs, layers = _inputs(message), _layers(message, phase)
    if not inputs and not any(layer.type in SOURCES for layer in layers):
        raise ValueError("this text has no input: is it a deploy file?")
    walk = _Walk()
    for name, shape in inputs:
        walk.note(name, shape)
    for layer in layers:
        with layer.blamed():
            walk.step(layer)
    return PricedText(tuple(walk.rows), tuple(walk.uncounted))


def price_file(path, phase="TEST"):
    """:func:`price` of the text in a file. Raises OSError too, if it cannot be read."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise ValueError(f"the path of a file is a str, got {type(path).__name__}")
    if isinstance(path, str) and ("{" in path or "\n" in path):
        raise ValueError("that is a text; pass the path of a file, or use price")
    # bytes that are not UTF-8 do no harm in comments
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return price(file.read(), phase)


def _inputs(message):
    """[(name, shape)] of the inputs that stand outside the layers."""
    inputs, dims = names(message, "input"), wholes(message, "input_dim")
    shapes = [tuple(wholes(shape, "dim")) for shape in every(message, "input_shape", dict)]
    shapes += [tuple(dims[start : start + 4]) for start in range(0, len(dims), 4)]
    if len(shapes) != len(inputs) or len(dims) % 4:
        raise ValueError(f"the text names the inputs {inputs}, and gives them the shapes {shapes}")
    return list(zip(inputs, shapes, strict=True))


def _layers(message, phase):
    """The layers that this phase has. ``layers`` is the format that was current until January 2015."""
    if "layer" in message and "layers" in message:
        raise ValueError("the text has fields layer and layers: a file has the new format or the old one")
    state = one(message, "state", {}, dict)
    level, stages = one(state, "level", 0, int), names(state, "stage")

    def meets(rule):
        wanted = one(rule, "phase", phase)
        low, high = one(rule, "min_level", level, int), one(rule, "max_level", level, int)
        return (
            (PHASES[wanted] if wanted in (0, 1) else wanted) == phase
            and low <= level <= high
            and set(names(rule, "stage")) <= set(stages)
            and not set(names(rule, "not_stage")) & set(stages)
        )

    found = []
    for place, fields in enumerate(every(message, "layer" if "layer" in message else "layers", dict), start=1):
        if isinstance(fields.get("layer"), dict):
            raise ValueError(
                "the text has a layer within layers, Caffe's first format: upgrade it with Caffe's own tools"
            )
        include, exclude = every(fields, "include", dict), every(fields, "exclude", dict)
        if any(map(meets, include)) if include else not any(map(meets, exclude)):
            found.append(_Layer(fields, place))
    return found


class _Layer:
    """A layer's name, its type, its function in the table, and the names of the maps that it reads and makes."""

    def __init__(self, fields, place):
        self.fields, self.name, self.type = fields, f"number {place}", "?"
        with self.blamed():
            self.tops = names(fields, "top")
            self.name = one(fields, "name", self.tops[0] if self.tops else self.name, str)
            if "type" not in fields:
                raise ValueError("there is no type")
            self.type = known(one(fields, "type", kind=str))
            self.bottoms = names(fields, "bottom")

    @contextmanager
    def blamed(self):
        """Within it an error says which layer it is about."""
        try:
            yield
        except ValueError as error:
            raise ValueError(f"layer {self.name!r} ({self.type}): {error}") from None

    def setting(self, field):
        return one(self.fields, field, {}, dict)

    def shared(self):
        """The name of each blob, under which other layers may use it too; None where it has no name."""
        params = every(self.fields, "param")  # in the old format the names alone
        return [one(param, "name", kind=str) if isinstance(param, dict) else str(param) for param in params]

    def seems_to_learn(self):
        """Whether anything says so, where the type is not known."""
        inside = [value for field in self.fields for value in every(self.fields, field) if isinstance(value, dict)]
        fields = set(self.fields).union(*inside)
        return bool(fields & {"param", "blobs", "blobs_lr", "num_output", "weight_filler", "filler"})


class _Walk:
    """From layer to layer: the maps' shapes so far, None where one is not known, the rows, and what has no price."""

    def __init__(self):
        self.shapes, self.batch, self.rows, self.uncounted, self.blobs = {}, None, [], [], {}

    def note(self, name, shape):
        """A map has this shape. The first one says how many images there are."""
        if shape is not None and min(shape, default=1) < 1:
            raise ValueError(f"makes a map of {shape}")
        self.shapes[name] = shape
        self.batch = self.batch or (shape[0] if shape else None)

    def step(self, layer):
        for bottom in layer.bottoms:
            if bottom not in self.shapes:
                raise ValueError(f"reads {bottom!r}, which nothing before it makes")
        for top in layer.tops:
            if top in self.shapes and top not in layer.bottoms:
                raise ValueError(f"makes {top!r}, which is there already, and which it does not read")
        made = self.made(layer, [self.shapes[bottom] for bottom in layer.bottoms])
        made = made if isinstance(made, list) else [made] * len(layer.tops)
        for top, shape in zip(layer.tops, made, strict=True):
            self.note(top, shape)

    def made(self, layer, shapes):
        """The shape of all tops, or a list with one for each; None where it is not known."""
        if layer.type in UNSHAPED:
            return None
        if layer.type not in WORKING and layer.type not in FREE:
            return self.unknown(layer, shapes)
        function, field = (WORKING if layer.type in WORKING else FREE)[layer.type]
        if None in shapes:
            if layer.type in WORKING:
                self.miss(layer, f"the shape of {layer.bottoms[shapes.index(None)]!r} is not known")
            return None
        if not shapes and layer.type not in SOURCES:
            raise ValueError("reads nothing: it has no bottom")
        if not layer.tops and layer.type != "Silence" and function is not number:
            raise ValueError("makes nothing: it has no top")
        found = function(shapes, layer.setting(field), len(layer.tops))
        if layer.type not in WORKING:
            return found
        shape, kind, macs, blobs = found
        if macs or blobs:
            self.row(layer, kind, macs, blobs, shapes, shape)
        return shape

    def row(self, layer, kind, macs, blobs, shapes, shape):
        """Price a layer per image."""
        read, written = sum(map(prod, shapes)), prod(shape)
        if macs % self.batch or read % self.batch or written % self.batch:
            raise ValueError(f"does not do the same for each of {self.batch} images: set the input's first dim to 1")
        params = 0
        for name, size in zip_longest(layer.shared()[: len(blobs)], blobs):
            params += size if not name or name not in self.blobs else 0  # the empty name shares nothing, as in Caffe
            if name and self.blobs.setdefault(name, size) != size:
                raise ValueError(f"shares {name!r}, which has {self.blobs[name]} numbers, and needs {size}")
        macs, read, written = (count // self.batch for count in (macs, read, written))
        cost = Cost(params, macs, elements_read=read + sum(blobs), elements_written=written)
        channels, *size = shape[1:] or shape
        self.rows.append(Row(layer.name, kind, channels, tuple(size or (1, 1)), cost))

    def unknown(self, layer, shapes):
        """A type that is not in the table: most of them with one map in and one out are activations."""
        keeps = len(shapes) == len(layer.tops) == 1 and not layer.seems_to_learn()
        taken = "taken to keep its map's shape" if keeps else "what reads it cannot be priced"
        self.miss(layer, f"no price is known for this type; {taken}")
        return shapes[0] if keeps else None

    def miss(self, layer, reason):
        self.uncounted.append(Uncounted(layer.name, layer.type, reason))
