"""One setting of the explorer: what the reader may choose, and the table of what it costs."""

from dataclasses import dataclass, fields
from decimal import ROUND_HALF_UP, Decimal

from .. import cost, geometry

KINDS = {
    "standard": "one convolution, from standard to depthwise",
    "separable": "depthwise + pointwise",
    "ghost": "Ghost module",
}
LIMITS = {  # the least and the most of each; products of all of them stay below 2**53, exact in JavaScript
    "in_channels": (1, 1024),
    "out_channels": (1, 1024),
    "kernel_size": (1, 11),
    "stride": (1, 8),
    "padding": (0, 20),
    "dilation": (1, 8),
    "height": (1, 1024),
    "width": (1, 1024),
    "ratio": (2, 16),
    "dw_kernel_size": (1, 11),
}
BYTES = {1: "1 (int8)", 2: "2 (float16)", 4: "4 (float32)", 8: "8 (float64)"}


@dataclass(frozen=True)
class Setting:
    """The values of every input; raises ValueError for those that make no layer. See ``explore`` for their meaning."""

    kind: str
    in_channels: int
    out_channels: int
    groups: int
    kernel_size: int
    stride: int
    padding: int
    dilation: int
    height: int
    width: int
    ratio: int
    dw_kernel_size: int
    bytes_per_element: int

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        for name, (least, most) in LIMITS.items():
            if geometry.positive_int(name, getattr(self, name), least) > most:
                raise ValueError(f"{name} must be at most {most} here, got {getattr(self, name)!r}")
        geometry.check_groups(self.in_channels, self.out_channels, self.groups)
        geometry.same_padding(self.dw_kernel_size)  # the cheap maps keep their size
        if geometry.positive_int("bytes_per_element", self.bytes_per_element) not in BYTES:
            raise ValueError(f"bytes_per_element must be one of {list(BYTES)}, got {self.bytes_per_element!r}")
        self.output_size()  # refuses a kernel larger than the padded input
        for field in fields(self)[1:]:  # numpy's ints would print differently
            object.__setattr__(self, field.name, int(getattr(self, field.name)))

    def output_size(self):
        """``(height, width)`` of the output, in pixels."""
        window = self.kernel_size, self.stride, self.padding, self.dilation
        return geometry.output_size(self.height, *window), geometry.output_size(self.width, *window)

    def cost(self):
        """The ``Cost`` of the layer of this kind."""
        sizes, before = (self.in_channels, self.out_channels), (self.height, self.width)
        after, side = self.output_size(), self.kernel_size
        if self.kind == "separable":
            return cost.depthwise_separable_conv2d(*sizes, side, after, input_size=before)
        if self.kind == "ghost":
            return cost.ghost_module(*sizes, side, after, self.ratio, self.dw_kernel_size, input_size=before)
        return cost.conv2d(*sizes, side, after, self.groups, input_size=before)

    def dense_cost(self):
        """The ``Cost`` of the standard layer with the same channels, kernel and output size."""
        before = self.height, self.width
        return cost.conv2d(self.in_channels, self.out_channels, self.kernel_size, self.output_size(), input_size=before)

    def weight_shapes(self):
        """The shape of each weight, ``(C_out, C_in/groups, K, K)``, in the order in which they are used."""
        ins, outs, side, cheap = self.in_channels, self.out_channels, self.kernel_size, self.dw_kernel_size
        if self.kind == "separable":
            return [(ins, 1, side, side), (outs, ins, 1, 1)]
        if self.kind == "ghost":
            intrinsic = -(-outs // self.ratio)
            return [(intrinsic, ins, side, side), (intrinsic * (self.ratio - 1), 1, cheap, cheap)]
        return [(outs, ins // self.groups, side, side)]

    def name(self):
        """What such a layer is called."""
        if self.kind == "separable":
            return "Depthwise + pointwise"
        if self.kind == "ghost":
            return f"Ghost module with s = {self.ratio}, d = {self.dw_kernel_size}"
        if self.groups == 1:
            return "Standard convolution"
        return f"{'Depthwise' if self.groups == self.in_channels else 'Grouped'} convolution, {self.groups:,} groups"

    def words(self):
        """The whole setting in words, as the script says it after every change."""
        side = self.kernel_size
        return (
            f"{self.name()}: {self.in_channels:,} to {self.out_channels:,} channels, "
            f"{self.height:,} × {self.width:,} pixels, kernel {side} × {side}, stride {self.stride}, "
            f"padding {self.padding}, dilation {self.dilation}, {self.bytes_per_element} bytes per element"
        )

    def results(self):
        """``{row: (this layer, standard layer)}`` as words, or ``{row: (words,)}`` where there is one for both."""
        own, dense = self.cost(), self.dense_cost()
        height, width = self.output_size()
        rows = {
            "output_size": (f"{height:,} × {width:,}",),
            "weight_shape": (" and ".join(f"torch.Size({list(shape)})" for shape in self.weight_shapes()),),
        }
        for count in ("params", "macs", "elements_read", "elements_written"):
            rows[count] = f"{getattr(own, count):,}", f"{getattr(dense, count):,}"
        each = self.bytes_per_element
        rows["bytes"] = tuple(f"{each * (price.elements_read + price.elements_written):,}" for price in (own, dense))
        rows["intensity"] = tuple(decimals(price.arithmetic_intensity(each), 2) for price in (own, dense))
        rows["ratio"] = decimals(own.macs / dense.macs, 4), decimals(1, 4)
        rows["separable_share"] = (decimals(1 / self.out_channels + 1 / self.kernel_size**2, 4),)
        return rows


def decimals(value, places):
    """The number with so many decimals, a half rounded up as JavaScript's ``toFixed`` does, and thousands marked."""
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"
