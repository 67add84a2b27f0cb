"""Pictures of convolutions that keep the channel axis: plain data in, matplotlib Axes (or a Figure) out, or a walk.

One visual language for the whole book. Channels run from left to right, and a kernel stands below the channel that it
reads. A hatched tile means "no kernel here". Cells with a thick edge and bold numbers are the ones that a step uses;
white ones are padding. Input, kernel, output and the maps between two convolutions keep the four ``COLORS``, and each
is named in words too. Every value in a picture is one that was passed in, or a sum that is checked against one.

Data may be nested lists, numpy arrays or CPU tensors. Nothing is shown, and nothing set globally but by
``use_book_style``. End a notebook cell that draws with ``plt.show()``.
"""

from .contours import draw_contours
from .kinds import draw_kinds
from .maps import draw_images, draw_maps
from .matrix import draw_kernel_matrices, draw_kernel_matrix
from .network import draw_network
from .plots import draw_curves, draw_shares, draw_stacked_bars
from .steps import draw_convolution_step, draw_pair
from .style import COLORS, save_svg, use_book_style
from .walk import draw_convolution_walk
from .wiring import draw_connectivity, draw_connectivity_walk

__all__ = [
    "COLORS",
    "draw_connectivity",
    "draw_connectivity_walk",
    "draw_contours",
    "draw_convolution_step",
    "draw_convolution_walk",
    "draw_curves",
    "draw_images",
    "draw_kernel_matrices",
    "draw_kernel_matrix",
    "draw_kinds",
    "draw_maps",
    "draw_network",
    "draw_pair",
    "draw_shares",
    "draw_stacked_bars",
    "save_svg",
    "use_book_style",
]
