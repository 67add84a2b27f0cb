"""The look of every figure: colours, sizes in points, and what makes two runs give the same bytes."""

import io

import matplotlib
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from PIL import Image

# Told apart by colour-blind readers (hues after Okabe and Ito) and, being unequally light, in grey print. All of them,
# and those of SERIES, are dark enough for lines on white: at least 3:1 (WCAG 2.1, 1.4.11). Words are black.
COLORS = {"input": "#0072B2", "kernel": "#BF8400", "output": "#009E73", "intermediate": "#882255"}
SERIES = (  # colour, line, marker, hatch of the n-th curve or share: none is a colour of COLORS
    ("#222222", "-", "o", ""),
    ("#D55E00", "--", "s", "///"),
    ("#4794BF", "-.", "^", "----"),
    ("#CC79A7", ":", "D", "\\\\\\"),
    ("#777777", (0, (5, 1, 1, 1, 1, 1)), "v", "xxx"),
    ("#9A8B00", (0, (1, 1)), "P", "+++"),
)
# negative grey, zero white, positive the kernel's orange; few steps, so that a last bit changes no picture
WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#777777", "#ffffff", COLORS["kernel"]], N=15)
GREYS = matplotlib.colormaps["gray"].resampled(32)  # coarse for the same reason
WIDTH = 6.5  # inches: on a phone 390 pixels wide, 11 points are then still 9 pixels
TEXT = 11  # points
SMALL = 9
LINE = 17  # points from one line of text to the next
MARGIN = 100  # points, for words at the left
EMPTY = {"fc": "white", "ec": "0.55", "hatch": "////", "lw": 0.6, "label": "no kernel", "clip_on": False}
WHITE = {"fc": "white", "ec": "none", "pad": 1}  # behind words that a line may cross
STYLE = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "savefig.bbox": "tight",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": TEXT,
    "hatch.linewidth": 0.6,
    "svg.fonttype": "path",
    "svg.hashsalt": "dslib",
}
NO_DATE = {"Date": None, "Creator": None}
SCREEN = 96  # pixels an inch, at which a PNG is as large as the SVG
FINER = 1.5  # times as many in the PNG, for screens that show them
PALETTE = 128  # colours of a PNG: a third of the bytes, and no difference to the eye


def use_book_style() -> None:
    """Make every later figure of this process look like the book's, with the same bytes on every run.

    A notebook then gets each figure as SVG and, for where that is not shown, as PNG. The one function here that changes
    matplotlib's global settings. Outside IPython it does only that.
    """
    matplotlib.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("svg", bbox_inches="tight", facecolor="white", metadata=NO_DATE)
        get_ipython().display_formatter.formatters["image/png"].for_type(Figure, small_png)


def small_png(figure):
    """The figure as a PNG of few bytes, and the size in pixels at which it is shown; None for one without anything."""
    from IPython.core.pylabtools import print_figure

    data = print_figure(figure, dpi=FINER * SCREEN, facecolor="white")
    if data is None:
        return None
    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "png", optimize=True)  # without metadata, which would name matplotlib's version
    width, height = (round(side / FINER) for side in picture.size)
    return file.getvalue(), {"width": width, "height": height}


def save_svg(figure, path) -> None:
    """Write a Figure, or the Figure of an Axes, to ``path`` as SVG, with the same bytes on every run."""
    with matplotlib.rc_context(STYLE):
        getattr(figure, "figure", figure).savefig(path, format="svg", metadata=NO_DATE)


def tint(color, strength):
    """The colour thinned with white: strength 1 is the colour itself."""
    return tuple(1 - strength * (1 - part) for part in to_rgb(color))
