"""Figures that are alike, and figures in which something has changed: what the comparison across versions notices."""

import io
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.support.figures_alike import differences


def drawn(heights=(1, 2, 3), color="#0072b2", hatch="//", words="weights", image=0, marker="o", title="", salt="a"):
    """A small figure as SVG: bars, hatched, a text with a box, an image, a line with markers."""
    figure = Figure()
    bars, picture = figure.subplots(1, 2)
    bars.bar(range(len(heights)), heights, color=color, hatch=hatch)
    bars.plot([0, 1], [1, 2], marker=marker)
    bars.set_xlabel(f"{words}\nand more", bbox={"fc": "white"})
    picture.imshow(np.array([[0, image], [128, 255]], dtype=np.uint8), vmin=0, vmax=255)
    picture.set_title(title)
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue().decode()


def test_a_figure_is_like_itself_under_other_names():
    figure = drawn()
    renamed = re.sub(r"DejaVuSans-(\w+)", r"DejaVuSans-00\1", drawn(salt="b"))
    assert figure != renamed
    assert differences(figure, renamed) == []


@pytest.mark.parametrize(
    "points, found", [(1, 0), (3.5, 1), (6, 2)], ids=["little", "a mark too far", "a text as well"]
)
def test_what_moves_a_little_is_alike(points, found):
    def moved(match):
        return f"{match[1]}{float(match[2]) + points} "

    figure = drawn()
    first_bar = re.search(r'<g id="patch_3">\s+<path d="', figure).end()
    other = figure[:first_bar] + re.sub(r"^(M )([\d.]+) ", moved, figure[first_bar:], count=1)
    text = other.index("<!-- and more -->")
    other = other[:text] + re.sub(r"(translate\()([\d.]+) ", moved, other[text:], count=1)
    assert len(differences(figure, other)) == found


@pytest.mark.parametrize(
    "change",
    [
        {"heights": (1, 2, 2.9)},
        {"heights": (1, 2, 3, 3)},
        {"color": "#0072b3"},
        {"hatch": "/"},
        {"words": "Weights"},
        {"image": 30},
        {"marker": "s"},
        {"title": "new"},
    ],
    ids=str,
)
def test_a_change_is_noticed(change):
    assert differences(drawn(), drawn(**change))
