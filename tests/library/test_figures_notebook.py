"""What a notebook stores of a figure, and of a fragment that needs its script: SVG and PNG, small, the same again."""

import base64
import io
from xml.etree import ElementTree

import matplotlib
import nbclient
import nbformat
import numpy as np
import pytest
from PIL import Image

from dslib import figures
from dslib.figures.style import small_png

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("close_figures")]

CELLS = (
    "import matplotlib.pyplot as plt\nfrom dslib import figures\nfigures.use_book_style()",
    "figures.draw_kinds();",
    "figures.draw_maps([[[1, 2], [3, 4]]], 'input');",
    "figures.draw_connectivity_walk(4, 4, [1, 4]);",
    "figures.draw_convolution_walk([[[1, 2]]], [[[[3]]]], [[[3, 6]]])",
    "from dslib import explorer\nexplorer.explore('ghost')",
)
PICTURE = "display_data", ["image/png", "image/svg+xml", "text/plain"]
FRAGMENT = "display_data", ["text/html", "text/plain"]


def executed():
    """What the cells show, in a fresh kernel."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(book, kernel_name="python3").execute()
    return [cell.outputs for cell in book.cells]


@pytest.fixture(scope="module")
def shown():
    return executed()


def test_in_a_notebook_each_picture_is_shown_once_as_svg_and_png_a_fragment_with_its_still(shown):
    found = [[(output.output_type, sorted(output.data)) for output in outputs] for outputs in shown]
    assert found == [[], [PICTURE], [PICTURE], [PICTURE], [FRAGMENT, PICTURE], [FRAGMENT, PICTURE]]
    assert len({outputs[-1].data["image/svg+xml"] for outputs in shown[1:]}) == 5


def test_in_a_notebook_pictures_have_the_same_bytes_every_time(shown):
    assert shown == executed()


def test_png_is_small_fine_and_shown_as_large_as_the_svg(shown):
    for data, metadata in ((outputs[-1].data, outputs[-1].metadata["image/png"]) for outputs in shown[1:]):
        png, svg = base64.b64decode(data["image/png"]), ElementTree.fromstring(data["image/svg+xml"])
        picture = Image.open(io.BytesIO(png))
        assert len(png) < 64_000 and picture.mode == "P" and not picture.text  # no version, no date
        sides = [float(svg.get(side).removesuffix("pt")) * 96 / 72 for side in ("width", "height")]
        assert [metadata["width"], metadata["height"]] == pytest.approx(sides, rel=0.02)
        assert picture.size == pytest.approx([1.5 * side for side in sides], rel=0.02)


def test_png_looks_like_the_figure():
    figure = figures.draw_kinds()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=144, bbox_inches="tight", facecolor="white")
    png, _ = small_png(figure)
    few, all_colors = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int) for data in (png, file.getvalue()))
    assert few.shape == all_colors.shape and np.abs(few - all_colors).mean() < 0.1
    assert small_png(matplotlib.figure.Figure()) is None
