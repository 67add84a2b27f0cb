"""What holds for every picture of the gallery: readable, alike, the same bytes on every run, clear errors."""

import os
import subprocess
import sys
from itertools import combinations
from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from dslib import figures
from dslib.figures.style import EMPTY, SERIES, WEIGHTS
from tests.support.drawn import STEPS, dense, pair, step, whole

matplotlib.use("Agg")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("close_figures"),
    # torch says that an even kernel costs it a padded copy; the numbers are right
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths"),
]


NETWORK = [("input", 3, (224, 224)), ("first", 32, (112, 112)), ("pooled", 960, (1, 1)), ("head", 1280, (1, 1))]
RATIOS = [[1 / channels + 1 / side**2 for channels in (8, 64, 512, 1024)] for side in (3, 5, 7)]


def gallery():
    """Each kind of picture once: name -> function that draws it."""
    x, weight = whole(3, 5, 5), whole(4, 3, 3, 3, low=-1, high=2)
    some = "depth multiplier 2", "bias"
    steps = {f"step, {name}": lambda case=STEPS[name]: step(**case)[0] for name in some}
    return steps | {
        "maps": lambda: figures.draw_maps(x, "input", highlight=(slice(0, 3), slice(0, 3), range(3))),
        "cards": lambda: figures.draw_maps(torch.zeros(5, 32, 32), "output"),
        "padded": lambda: figures.draw_convolution_step(
            x, weight, F.conv2d(x[None], weight, padding=1)[0], (0, 1), 2, padding=1
        ),
        "pair": lambda: figures.draw_pair(*pair(3, 1, 4)),
        "pair, multiplier": lambda: figures.draw_pair(*pair(2, 2, 3)),
        "connectivity": lambda: figures.draw_connectivity(6, 12, 3),
        "walk": lambda: figures.draw_connectivity_walk(8, 8, [1, 2, 4, 8]),
        "matrix": lambda: figures.draw_kernel_matrix(dense(6, 6, 3), title="dense"),
        "matrices": lambda: figures.draw_kernel_matrices(
            {"dense": dense(4, 4, 1), "grouped": dense(4, 4, 2), "depthwise": dense(4, 4, 4), "1x1": whole(4, 4, 1, 1)}
        ),
        "contours": lambda: figures.draw_contours(
            [8, 64, 512, 1024], [3, 5, 7], RATIOS, [0.05, 0.1], "ratio", xlabel="channels", ylabel="side", title="t"
        ),
        "kinds": figures.draw_kinds,
        "shares": lambda: figures.draw_shares({"depthwise": 576, "pointwise": 256}, title="MACs"),
        "curves": lambda: figures.draw_curves([1, 2, 4], {"one": [1, 2, 3], "two": [3, 2, 3.01]}, log="x"),
        "stacked bars": lambda: figures.draw_stacked_bars(
            [f"blocks.{i}" for i in range(14)],
            {"depthwise": range(14), "pointwise": [5e7] * 14},
            xlabel="MACs",
            title="t",
        ),
        "network": lambda: figures.draw_network(NETWORK, title="network"),
        "images": lambda: figures.draw_images(x / 7),
        "images, own scale": lambda: figures.draw_images(x, own_scale=True),
    }


def visible_texts(figure):
    """All texts of a figure that are drawn, axis labels and legends included, those of axes switched off not."""
    off = [axis for axes in figure.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)]
    hidden = {id(text) for axis in off for text in axis.findobj(matplotlib.text.Text)}
    texts = figure.findobj(matplotlib.text.Text)
    return [t for t in texts if t.get_visible() and t.get_text().strip() and id(t) not in hidden]


@pytest.mark.parametrize("name", gallery())
def test_no_two_texts_overlap_and_none_is_tiny(name):
    figures.use_book_style()
    figure = gallery()[name]().figure
    figure.canvas.draw()
    # of a text with an arrow only the letters count, not the arrow
    drawn = [(t.get_text(), t.get_fontsize(), matplotlib.text.Text.get_window_extent(t)) for t in visible_texts(figure)]
    assert len(drawn) >= 3
    assert min(size for _, size, _ in drawn) >= 8
    for (a, _, box_a), (b, _, box_b) in combinations(drawn, 2):
        wide = min(box_a.x1, box_b.x1) - max(box_a.x0, box_b.x0)
        high = min(box_a.y1, box_b.y1) - max(box_a.y0, box_b.y0)
        assert wide < 1.5 or high < 1.5, f"{a!r} and {b!r} overlap by {wide:.1f} x {high:.1f} pixels"


@pytest.mark.parametrize("name", gallery())
def test_each_picture_is_one_figure_of_page_width_and_changes_no_setting(name, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_: pytest.fail("plt.show was called"))
    before = dict(matplotlib.rcParams)
    figure = gallery()[name]().figure
    assert plt.get_fignums() == [figure.number]
    assert figure.get_figwidth() <= 7
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    "name", ["maps", "cards", "connectivity", "matrix", "shares", "curves", "stacked bars", "network", "contours"]
)
def test_an_axes_that_is_given_is_drawn_into(name):
    _, (left, right) = plt.subplots(1, 2, figsize=(6.5, 3))
    drawn = {
        "maps": lambda: figures.draw_maps(whole(2, 2, 2), "input", ax=right),
        "cards": lambda: figures.draw_maps(whole(2, 2, 2), "input", ax=right, show_values=False),
        "connectivity": lambda: figures.draw_connectivity(2, 2, ax=right),
        "matrix": lambda: figures.draw_kernel_matrix(whole(2, 2, 2, 2), ax=right),
        "shares": lambda: figures.draw_shares({"a": 1}, ax=right),
        "curves": lambda: figures.draw_curves([1, 2], {"a": [1, 2]}, ax=right),
        "stacked bars": lambda: figures.draw_stacked_bars(["a"], {"b": [1]}, ax=right),
        "network": lambda: figures.draw_network(NETWORK, ax=right),
        "contours": lambda: figures.draw_contours([1, 2], [1, 2], [[1, 2], [3, 4]], [2.5], "a", ax=right),
    }[name]()
    assert drawn is right and len(plt.get_fignums()) == 1
    assert right.get_children() and not left.patches and not left.lines and not left.texts


SCRIPT = """
import sys, matplotlib
matplotlib.use("Agg")
from dslib import figures
assert "torch" not in sys.modules
figures.use_book_style()
weight = [[[[1, -2], [0, 3]], [[0, 0], [0, 0]]], [[[0, 0], [0, 0]], [[2, 1], [1, 1]]]]
figures.save_svg(figures.draw_kernel_matrix(weight), sys.argv[1] + "matrix.svg")
figures.save_svg(figures.draw_kinds(), sys.argv[1] + "kinds.svg")
figures.save_svg(figures.draw_images([[[1, 2], [3, 4]]]), sys.argv[1] + "images.svg")
figures.save_svg(figures.draw_shares({"a": 1, "b": 2}), sys.argv[1] + "shares.svg")
figures.save_svg(figures.draw_stacked_bars("ab", {"c": [1, 2], "d": [2, 0]}), sys.argv[1] + "bars.svg")
figures.save_svg(figures.draw_kernel_matrices({"a": weight, "b": [[[[1]]]]}), sys.argv[1] + "matrices.svg")
figures.save_svg(figures.draw_contours([1, 2], [1, 2], [[1, 2], [3, 4]], [2.5], "a"), sys.argv[1] + "contours.svg")
print(hash("walk"), figures.draw_convolution_walk([[[1, 2]]], [[[[3]]]], [[[3, 6]]])._repr_html_())
figures.save_svg(figures.draw_network([("a", 3, (9, 9)), ("b", 7, (5, 5))]), sys.argv[1] + "network.svg")
"""


def test_svg_is_the_same_in_every_process_and_needs_no_torch(tmp_path):
    printed = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "0"}
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / seed)]
        printed.append(subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout)
    hashes, walks = zip(*(text.split(" ", 1) for text in printed), strict=True)
    assert hashes[0] != hashes[1] and walks[0] == walks[1] and walks[0].startswith("<div")
    for name in ("matrix", "kinds", "images", "shares", "bars", "network", "matrices", "contours"):
        first, second = ((tmp_path / f"{seed}{name}.svg").read_bytes() for seed in "12")
        assert first == second and len(first) > 1000


@pytest.mark.parametrize("name", gallery())
def test_svg_is_the_same_twice_has_no_date_and_letters_as_paths(name, tmp_path):
    for run in ("a", "b"):
        figures.save_svg(gallery()[name](), tmp_path / run)
        plt.close("all")
    text = (tmp_path / "a").read_text()
    assert text == (tmp_path / "b").read_text()
    root = ElementTree.fromstring(text)
    assert not root.findall(".//{http://purl.org/dc/elements/1.1/}date")
    assert not root.findall(".//{http://www.w3.org/2000/svg}text") and "DejaVuSans" in text
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("installed", [True, False])
def test_book_style_works_outside_ipython_and_makes_the_page_white(installed, monkeypatch):
    def refuse(*_, **__):
        pytest.fail("a notebook's settings were touched where there is no notebook")

    if installed:
        monkeypatch.setattr("IPython.get_ipython", lambda: None)
        monkeypatch.setattr("matplotlib_inline.backend_inline.set_matplotlib_formats", refuse)
    else:
        monkeypatch.setitem(sys.modules, "IPython", None)  # importing it fails
    figures.use_book_style()
    assert matplotlib.rcParams["savefig.facecolor"] == matplotlib.rcParams["figure.facecolor"] == "white"
    assert matplotlib.rcParams["svg.hashsalt"] and matplotlib.rcParams["svg.fonttype"] == "path"


def test_the_four_roles_differ_in_lightness_too():
    light = {
        role: np.dot(matplotlib.colors.to_rgb(color), (0.299, 0.587, 0.114)) for role, color in figures.COLORS.items()
    }
    assert set(light) == {"input", "kernel", "output", "intermediate"}
    assert min(abs(a - b) for a, b in combinations(light.values(), 2)) > 0.05


# --------------------------------------------------------------------------------------------------------- contrast


def contrast(one, other):
    """The contrast of two colours by the formula of WCAG 2.1, from 1 to 21."""
    parts = np.array([matplotlib.colors.to_rgb(color) for color in (one, other)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    low, high = sorted(linear @ (0.2126, 0.7152, 0.0722))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("black", "white") == pytest.approx(21) and contrast("#777", "#777") == 1
    assert contrast("white", "#767676") == pytest.approx(4.54, abs=0.005)  # the lightest grey that passes for text


def ground_of(text, image):
    """The colour that prevails below a text: the median of the pixels of its box in the picture without texts."""
    box = matplotlib.text.Text.get_window_extent(text)
    rows, columns = len(image) - np.array([box.y1, box.y0]), np.array([box.x0, box.x1])
    (top, bottom), (left, right) = np.round(rows).astype(int), np.round(columns).astype(int)
    return np.median(image[max(top, 0) : bottom, max(left, 0) : right, :3].reshape(-1, 3), axis=0) / 255


@pytest.mark.parametrize("name", gallery())
def test_every_text_stands_out_from_its_ground(name):
    figures.use_book_style()
    figure = gallery()[name]().figure
    figure.canvas.draw()
    inside = figure.bbox.contains
    texts = [
        t for t in visible_texts(figure) if inside(*matplotlib.text.Text.get_window_extent(t).get_points().mean(0))
    ]
    colors = [text.get_color() for text in texts]
    for text in texts:
        text.set_alpha(0)
    figure.canvas.draw()
    image = np.asarray(figure.canvas.buffer_rgba())
    assert len(texts) >= 3
    for text, color in zip(texts, colors, strict=True):
        found = contrast(color, ground_of(text, image))
        assert found >= 4.5, f"{text.get_text()!r}: {color} has {found:.2f}"


def test_lines_of_every_role_and_series_stand_out_from_white():
    colors = [*figures.COLORS.values(), *(color for color, *_ in SERIES), EMPTY["ec"], WEIGHTS(0.0), WEIGHTS(1.0)]
    assert [color for color in colors if contrast(color, "white") < 3] == []


@pytest.mark.parametrize(
    "name", ["step, bias", "padded", "pair", "pair, multiplier", "connectivity", "walk", "kinds", "network"]
)
def test_kernels_copies_and_what_leads_where_are_lines_that_stand_out(name):
    axes = gallery()[name]().figure.axes
    named = [line for a in axes for line in a.collections if line.get_label() in ("kernel", "copy", "flow", "one")]
    colors = [(line.get_label(), color) for line in named for color in line.get_color()]
    assert colors and not [(label, color) for label, color in colors if contrast(color, "white") < 3]


# ----------------------------------------------------------------------------------------------------------- errors

X, W, Y = np.ones((2, 4, 4)), np.ones((2, 2, 3, 3)), np.full((2, 2, 2), 18.0)
ERRORS = {
    "role": (lambda: figures.draw_maps(X, "weights"), "'weights'"),
    "rank": (lambda: figures.draw_maps(X[0], "input"), r"\(4, 4\)"),
    "empty": (lambda: figures.draw_maps(X[:0], "input"), r"\(0, 4, 4\)"),
    "not finite": (lambda: figures.draw_maps(X * np.nan, "input"), "nan"),
    "no room": (lambda: figures.draw_maps(np.ones((9, 9, 9)), "input", show_values=True), r"\(9, 9, 9\)"),
    "highlight rows": (lambda: figures.draw_maps(X, "input", highlight=(slice(3, 5), slice(0, 1), [0])), "rows.*3, 5"),
    "highlight columns": (lambda: figures.draw_maps(X, "input", highlight=(slice(0, 1), slice(-1, 2), [0])), "-1, 2"),
    "highlight nothing": (lambda: figures.draw_maps(X, "input", highlight=(slice(2, 2), slice(0, 1), [0])), "2, 2"),
    "highlight channel": (
        lambda: figures.draw_maps(X, "input", highlight=(slice(0, 1), slice(0, 1), [2])),
        "below 2.*2",
    ),
    "position row": (lambda: figures.draw_convolution_step(X, W, Y, (2, 0), 0), "row must be below 2, got 2"),
    "position column": (lambda: figures.draw_convolution_step(X, W, Y, (0, -1), 0), "column.*-1"),
    "position": (lambda: figures.draw_convolution_step(X, W, Y, 1, 0), "got 1"),
    "out_channel": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 2), "below 2, got 2"),
    "groups": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 0, groups=3), "groups=3"),
    "groups and weight": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 0, groups=2), "groups 2"),
    "output channels": (lambda: figures.draw_convolution_step(X, W, Y[:1], (0, 0), 0), r"\(1, 2, 2\)"),
    "output rows": (lambda: figures.draw_convolution_step(X, W, Y[:, :1], (0, 0), 0), r"2 rows.*\(2, 1, 2\)"),
    "output columns": (lambda: figures.draw_convolution_step(X, W, Y[:, :, :1], (0, 0), 0), r"2 columns.*\(2, 2, 1\)"),
    "stride": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 0, stride=0), "stride.*0"),
    "padding": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 0, padding="full"), "'full'"),
    "kernel too large": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 0, dilation=2), "dilation 2"),
    "bias": (lambda: figures.draw_convolution_step(X, W, Y, (0, 0), 0, bias=[1, 2, 3]), "2 values, got 3"),
    "pair multiplier": (
        lambda: figures.draw_pair(X, W[:1, :1], X[:1], np.ones((3, 1, 1, 1)), np.ones((3, 4, 4))),
        r"\(2, 4, 4\)",
    ),
    "pair output size": (
        lambda: figures.draw_pair(X, W[:, :1], X, np.ones((3, 2, 1, 1)), np.ones((3, 4, 5))),
        r"\(3, 4, 5\)",
    ),
    "pair depthwise": (
        lambda: figures.draw_pair(X, W, X, np.ones((3, 2, 1, 1)), np.ones((3, 4, 4))),
        r"\(2, 2, 3, 3\)",
    ),
    "pair pointwise": (
        lambda: figures.draw_pair(X, W[:, :1], X, np.ones((3, 2, 3, 3)), np.ones((3, 4, 4))),
        r"\(3, 2, 3, 3\)",
    ),
    "connectivity": (lambda: figures.draw_connectivity(6, 4, 4), "groups=4"),
    "walk": (lambda: figures.draw_connectivity_walk(6, 4, [1, 3]), "groups=3"),
    "empty walk": (lambda: figures.draw_connectivity_walk(6, 4, []), r"\[\]"),
    "matrix rank": (lambda: figures.draw_kernel_matrix(np.ones((2, 2))), r"\(2, 2\)"),
    "matrix size": (lambda: figures.draw_kernel_matrix(np.ones((64, 64, 3, 3))), r"\(64, 64, 3, 3\)"),
    "no matrices": (lambda: figures.draw_kernel_matrices({}), r"1 to 2048.*\{\}"),
    "matrices rank": (lambda: figures.draw_kernel_matrices({"a": X}), r"a must have 4 axes.*\(2, 4, 4\)"),
    "matrices size": (
        lambda: figures.draw_kernel_matrices({"a": np.ones((32, 32, 1, 1)), "b": np.ones((32, 33, 1, 1))}),
        r"\(32, 33, 1, 1\)",
    ),
    "matrices columns": (lambda: figures.draw_kernel_matrices({"a": W}, columns=0), "columns.*0"),
    "contours shape": (
        lambda: figures.draw_contours([1, 2, 3], [1, 2], np.ones((3, 2)), [1], "a"),
        r"\(3, 2\) for 2, 3",
    ),
    "contours row": (lambda: figures.draw_contours([1, 2], [1], [[1, 2]], [1.5], "a"), r"2 x 2, got \(1, 2\)"),
    "contours level": (
        lambda: figures.draw_contours([1, 2], [1, 2], [[1, 2], [3, 4]], [2, 4], "a"),
        "1.0 to 4.0.* 4.0",
    ),
    "contours fall": (lambda: figures.draw_contours([1, 2], [1, 2], [[1, 2], [3, 4]], [3, 2], "a"), r"\[3.0, 2.0\]"),
    "contours nothing": (lambda: figures.draw_contours([1, 2], [1, 2], [[1, 2], [3, 4]], [], "a"), r"levels.*\(0,\)"),
    "kinds ratio": (lambda: figures.draw_kinds(out_channels=6, ratio=4), "ratio=4, out_channels=6"),
    "kinds groups": (lambda: figures.draw_kinds(groups=3), "groups=3"),
    "kinds kernel": (lambda: figures.draw_kinds(kernel_size=0), "kernel_size.*0"),
    "shares negative": (lambda: figures.draw_shares({"a": 3, "b": -1}), "-1"),
    "shares zero": (lambda: figures.draw_shares({"a": 0}), "'a': 0"),
    "no shares": (lambda: figures.draw_shares({}), r"\(0,\)"),
    "too many shares": (lambda: figures.draw_shares({str(i): 1 for i in range(7)}), "got 7"),
    "curve length": (lambda: figures.draw_curves([1, 2], {"a": [1, 2, 3]}), "'a' has 3 values, x has 2"),
    "curve log": (lambda: figures.draw_curves([1, 2], {"a": [0, 2]}, log="y"), "0.0 for 'a'"),
    "curve log x": (lambda: figures.draw_curves([-1, 2], {"a": [1, 2]}, log="x"), "-1.0 for 'a'"),
    "curve log word": (lambda: figures.draw_curves([1, 2], {"a": [1, 2]}, log="z"), "'z'"),
    "too many curves": (lambda: figures.draw_curves([1], {str(i): [1] for i in range(7)}), "got 7"),
    "bars length": (lambda: figures.draw_stacked_bars("ab", {"a": [1, 2, 3]}), "'a' has 3 values.* 2 labels"),
    "bars rank": (lambda: figures.draw_stacked_bars("ab", {"a": [[1, 2]]}), r"a must have 1 axes.*\(1, 2\)"),
    "bars not finite": (lambda: figures.draw_stacked_bars("ab", {"a": [1, np.inf]}), "inf"),
    "bars negative": (lambda: figures.draw_stacked_bars("ab", {"a": [1, 2], "b": [0, -3]}), "-3.0 for 'b'"),
    "bars zero": (lambda: figures.draw_stacked_bars("ab", {"a": [0, 0]}), r"all be 0.*\['a'\]"),
    "bars without labels": (lambda: figures.draw_stacked_bars([], {"a": [1]}), r"\[\] and \['a'\]"),
    "bars without parts": (lambda: figures.draw_stacked_bars("ab", {}), r"\['a', 'b'\] and \[\]"),
    "too many parts": (lambda: figures.draw_stacked_bars("a", {str(i): [1] for i in range(7)}), "got 7"),
    "network empty": (lambda: figures.draw_network([]), r"\[\]"),
    "network entry": (lambda: figures.draw_network([("a", 1, (2, 2)), ("b", 3)]), r"maps\[1\].*\('b', 3\)"),
    "network channels": (lambda: figures.draw_network([("a", 0, (2, 2))]), r"channels of maps\[0\].*got 0"),
    "network fraction": (lambda: figures.draw_network([("a", 22.5, (2, 2))]), r"channels of maps\[0\].*22.5"),
    "network size": (lambda: figures.draw_network([("a", 1, (2, 0))]), r"size of maps\[0\].*got 0"),
    "network sides": (lambda: figures.draw_network([("a", 1, (2, 2, 2))]), r"size of maps\[0\].*\(2, 2, 2\)"),
    "network label": (lambda: figures.draw_network([("a" * 25, 1, (2, 2))]), "at most 24 letters, got 'a{25}'"),
    "images rank": (lambda: figures.draw_images(X[0]), r"\(4, 4\)"),
    "images titles": (lambda: figures.draw_images(X, titles=["one"]), "1 titles for 2 maps"),
    "images columns": (lambda: figures.draw_images(X, columns=0), "columns.*0"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_bad_input_raises_with_the_value_and_leaves_no_figure(name):
    draw, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        draw()
    assert not plt.get_fignums()


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e5])
def test_the_last_bits_of_an_image_change_no_picture(scale, tmp_path):
    """Another processor adds in another order: a flat ground of 0 must not flicker between two greys."""
    ground = np.zeros((1, 16, 16))
    ground[0, 4:8, 4:8], ground[0, 8:12, 8:12] = -scale, scale
    noise = 1e-14 * scale * np.random.default_rng(0).standard_normal(ground.shape)
    for name, maps in (("exact", ground), ("noisy", ground + noise)):
        figures.save_svg(figures.draw_images(maps, own_scale=True), tmp_path / name)
    assert (tmp_path / "exact").read_bytes() == (tmp_path / "noisy").read_bytes()
