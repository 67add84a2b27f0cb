"""The explorer: a layer's channels, kernels, shapes and costs in the page, changed by the reader, without a kernel.

``explore`` returns an object that Jupyter, Colab and the site show as plain HTML with a script. The formulas in it are
those of ``dslib.cost``, printed as JavaScript by sympy.
"""

from .page import Explorer, explore

__all__ = ["Explorer", "explore"]
