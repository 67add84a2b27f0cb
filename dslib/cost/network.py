"""A whole network, priced layer by layer without building it."""

import copy
from dataclasses import dataclass
from typing import Any

from ..geometry import output_size, pair, positive_int, same_padding
from .checks import whole, whole_pair
from .operations import Cost, batch_norm2d, conv2d, linear


@dataclass(frozen=True)
class Row:
    """One layer of a network: its name, its kind, what it makes, and its cost.

    ``kind`` is ``"standard"``, ``"grouped"``, ``"depthwise"``, ``"pointwise"``, ``"linear"`` or ``"norm"``.
    ``channels`` and ``size`` (height, width, in pixels) are those of the layer's output. On a single channel a
    depthwise convolution is a standard (or pointwise) one, and is called so.
    """

    name: str
    kind: str
    channels: Any
    size: tuple
    cost: Cost


class Rows:
    """What has ``rows``, a :class:`Row` for each layer: their sums."""

    @property
    def total(self):
        """The sum of all rows, a :class:`Cost`."""
        return sum((row.cost for row in self.rows), start=Cost(0, 0, 0, 0))

    def by_kind(self):
        """``{kind: Cost}``: the rows of each kind added up, in the order in which the kinds first occur."""
        kinds = dict.fromkeys(row.kind for row in self.rows)
        return {kind: sum(row.cost for row in self.rows if row.kind == kind) for kind in kinds}


class Network(Rows):
    """The cost of a network, told layer by layer: it remembers the map so far, and a :class:`Row` per layer.

    ``channels`` and ``size`` (height, width) are those of the map that the next layer will read; ``rows`` lists the
    layers in the order in which they were told. :meth:`branch` begins a second path, :meth:`add`, :meth:`scale` and
    :meth:`concat` join it. Pools, activations and joins cost nothing here and get no row.

    Numbers are exact: sizes are rounded down as torch does. ``in_channels``, ``input_size`` and ``out_channels`` may be
    symbols; they are not rounded: a size is divided by the stride, which is right wherever the strides divide it.
    Raises ValueError as :func:`conv2d` does, for a kernel larger than its padded input, and for maps that don't fit.
    """

    def __init__(self, in_channels, input_size):
        self.channels = whole("in_channels", in_channels)
        self.size = whole_pair("input_size", input_size)
        self.rows = []

    def conv2d(self, name, out_channels, kernel_size, stride=1, padding=None, groups=1, bias=False, norm=None):
        """Tell a convolution and, if ``norm`` is a name, a batch norm; ``padding=None`` keeps the size at stride 1."""
        kernel_size, stride = pair("kernel_size", kernel_size), pair("stride", stride)
        before, after = self.size, self._window(kernel_size, stride, padding)
        price = conv2d(self.channels, out_channels, kernel_size, after, groups, bias, input_size=before)
        kind = kind_of(self.channels, kernel_size, groups)
        self._row(name, kind, whole("out_channels", out_channels), after, price)
        if norm is not None:
            self.batch_norm2d(norm)

    def depthwise_conv2d(self, name, kernel_size, stride=1, padding=None, depth_multiplier=1, bias=False, norm=None):
        """Tell a convolution with one group per channel: :meth:`conv2d` with ``groups`` the channels of the map."""
        out_channels = self.channels * positive_int("depth_multiplier", depth_multiplier)
        self.conv2d(name, out_channels, kernel_size, stride, padding, self.channels, bias, norm)

    def batch_norm2d(self, name):
        """Tell a batch norm of the map."""
        self._row(name, "norm", self.channels, self.size, batch_norm2d(self.channels, self.size))

    def linear(self, name, out_features, bias=True):
        """Tell a fully connected layer on the map's ``channels * height * width`` numbers."""
        height, width = self.size
        price = linear(self.channels * height * width, out_features, bias)
        self._row(name, "linear", whole("out_features", out_features), (1, 1), price)

    def pool(self, kernel_size, stride=None, padding=0):
        """Pool windows of ``kernel_size``, ``stride`` apart (left out: side by side): a smaller map, no cost."""
        kernel_size = pair("kernel_size", kernel_size)
        stride = kernel_size if stride is None else pair("stride", stride)
        padding = pair("padding", padding, minimum=0)
        if any(2 * zeros > side for zeros, side in zip(padding, kernel_size, strict=True)):
            raise ValueError(f"padding must be at most half of kernel_size, got {padding} for {kernel_size}")
        self.size = self._window(kernel_size, stride, padding)

    def global_pool(self):
        """Pool each map to one number."""
        self.resize(1)

    def resize(self, size):
        """Go on with maps of this size, at no cost: upsampled, cropped, or pooled in another way than :meth:`pool`."""
        self.size = whole_pair("size", size)

    def branch(self):
        """A second path that starts from the same map: its layers become rows of this network, its map is its own."""
        return copy.copy(self)  # a shallow copy: both add to one list of rows

    def add(self, *branches):
        """Add the branches' maps to this one, number by number, as a shortcut does: all have the same shape."""
        self._paths(*branches)
        self._same("channels and sizes to be added", *((path.channels, path.size) for path in (self, *branches)))

    def scale(self, gate):
        """Multiply each channel by the one number that the branch ``gate`` has for it."""
        self._paths(gate)
        self._same("channels and sizes of a gate", (self.channels, (1, 1)), (gate.channels, gate.size))

    def concat(self, *branches):
        """Stack the branches' maps behind this one: the channels add up, the sizes are the same."""
        self._paths(*branches)
        self._same("sizes of stacked maps", self.size, *(path.size for path in branches))
        self.channels += sum(path.channels for path in branches)

    def keep(self, channels):
        """Go on with the first ``channels`` of the map; the others were computed for nothing."""
        channels = whole("channels", channels)
        if isinstance(channels, int) and isinstance(self.channels, int) and channels > self.channels:
            raise ValueError(f"cannot keep {channels} channels of {self.channels}")
        self.channels = channels

    def _row(self, name, kind, channels, size, price):
        """Note a layer that has been priced, and go on with the map that it makes."""
        self.channels, self.size = channels, size
        self.rows.append(Row(name, kind, channels, size, price))

    def _window(self, kernel_size, stride, padding):
        """The map's (height, width) after a window of this size has gone over it."""
        padding = tuple(map(same_padding, kernel_size)) if padding is None else pair("padding", padding, minimum=0)
        return tuple(map(_next_size, self.size, kernel_size, stride, padding))

    @staticmethod
    def _paths(*branches):
        for path in branches:
            if not isinstance(path, Network):
                raise ValueError(f"a branch must be a Network, got {path!r}")

    @staticmethod
    def _same(what, first, *others):
        if any(other != first for other in others):
            raise ValueError(f"{what} must be the same, got {first} and {', '.join(map(str, others))}")


def _next_size(size, kernel_size, stride, padding):
    """Output side for an input side: torch's for a number; for a symbol the quotient, as nothing else is simple."""
    if isinstance(size, int):
        return output_size(size, kernel_size, stride, padding)
    # a pool of 2 at stride 2 divides as a padded convolution does
    if 2 * padding != kernel_size - 1 and (padding, kernel_size) != (0, stride):
        raise ValueError(
            f"a symbolic size needs padding that keeps it at stride 1: got size {size}, kernel_size {kernel_size}, "
            f"stride {stride}, padding {padding}"
        )
    return size / stride


def kind_of(in_channels, kernel_size, groups):
    """What a convolution is called, from the channels that it reads, its kernel and its groups."""
    if groups != 1:
        return "depthwise" if groups == in_channels else "grouped"
    return "pointwise" if set(kernel_size) == {1} else "standard"
