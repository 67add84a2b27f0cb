"""The formulas of ``dslib.cost`` over symbols, printed as JavaScript: the page computes with nothing else."""

from functools import cache

import sympy
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.precedence import PRECEDENCE

from .. import cost

COUNTS = ("params", "macs", "elements_read", "elements_written")


def _symbol(name):
    return sympy.Symbol(name, positive=True, integer=True)


def costs():
    """``{name: Cost}`` of every layer and every part of one, over symbols that carry the names of the inputs."""
    in_channels, out_channels, groups = map(_symbol, ("in_channels", "out_channels", "groups"))
    kernel_size, ratio, dw_kernel_size = map(_symbol, ("kernel_size", "ratio", "dw_kernel_size"))
    before = _symbol("height"), _symbol("width")
    after = _symbol("out_height"), _symbol("out_width")
    intrinsic = expressions()["intrinsic"]
    return {
        "dense": cost.conv2d(in_channels, out_channels, kernel_size, after, input_size=before),
        "standard": cost.conv2d(in_channels, out_channels, kernel_size, after, groups, input_size=before),
        "depthwise": cost.depthwise_conv2d(in_channels, kernel_size, after, input_size=before),
        "pointwise": cost.pointwise_conv2d(in_channels, out_channels, after),
        "separable": cost.depthwise_separable_conv2d(in_channels, out_channels, kernel_size, after, input_size=before),
        "primary": cost.conv2d(in_channels, intrinsic, kernel_size, after, input_size=before),
        "cheap": cost.depthwise_conv2d(intrinsic, dw_kernel_size, after, depth_multiplier=ratio - 1),
        "ghost": cost.ghost_module(
            in_channels, out_channels, kernel_size, after, ratio, dw_kernel_size, input_size=before
        ),
    }


def expressions():
    """``{name: expression}`` of what is no cost: an output side, and how many maps a Ghost module makes densely."""
    size, kernel_size, stride, dilation = map(_symbol, ("size", "kernel_size", "stride", "dilation"))
    padding = sympy.Symbol("padding", nonnegative=True, integer=True)
    return {
        "output_size": sympy.floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1,
        "intrinsic": sympy.ceiling(_symbol("out_channels") / _symbol("ratio")),
    }


def separable_share(priced):
    """The pair's MACs over the dense layer's, ``1/C_out + 1/K^2``, worked out from the two costs."""
    return sympy.expand(sympy.simplify(priced["separable"].macs / priced["dense"].macs))


@cache
def javascript():
    """An object of functions as JavaScript: ``formulas.<name>(values)``, or ``formulas.<cost>.<count>(values)``."""
    bytes_per_element = _symbol("bytes_per_element")
    priced = costs()
    lines = [f"{name}: {_function(formula)}" for name, formula in expressions().items()]
    lines.append(f"separable_share: {_function(separable_share(priced))}")
    for name, price in priced.items():
        counts = {count: getattr(price, count) for count in COUNTS}
        counts["bytes"] = bytes_per_element * (price.elements_read + price.elements_written)
        counts["intensity"] = price.arithmetic_intensity(bytes_per_element)
        body = ",\n".join(f"    {count}: {_function(formula)}" for count, formula in counts.items())
        lines.append(f"{name}: {{\n{body}\n  }}")
    return "const formulas = {\n  " + ",\n  ".join(lines) + "\n};"


def _function(formula):
    """An arrow function of the formula's symbols, by name."""
    names = ", ".join(sorted(symbol.name for symbol in formula.free_symbols))
    return f"({{{names}}}) => {_Printer().doprint(formula)}"


class _Printer(JavascriptCodePrinter):
    """Sympy's printer, with whole powers as products: of whole numbers those are exact, ``Math.pow`` need not be."""

    def _print_Pow(self, expr):
        if not expr.exp.is_Integer or expr.exp == -1:
            return super()._print_Pow(expr)
        base = self.parenthesize(expr.base, PRECEDENCE["Mul"])
        product = "(" + "*".join([base] * abs(int(expr.exp))) + ")"
        return product if expr.exp > 0 else f"1/{product}"
