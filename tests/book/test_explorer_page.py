"""The explorer in Chromium, from a file: its figures against dslib.cost, its shapes and what it reads against torch."""

import random
import re

import pytest
import torch
from torch import nn

from dslib import cost, explorer
from tests.support.built_layers import convolutions, run
from tests.support.explorer_page import KINDS, LIT, SHOWN, legal_settings, put


def priced(v, after):
    """The layer's cost, its parts' and the dense layer's, by the functions of dslib.cost."""
    sizes, side, before = (v["in_channels"], v["out_channels"]), v["kernel_size"], (v["height"], v["width"])
    dense = cost.conv2d(*sizes, side, after, input_size=before)
    if v["kind"] == "separable":
        whole = cost.depthwise_separable_conv2d(*sizes, side, after, input_size=before)
        first = cost.depthwise_conv2d(sizes[0], side, after, input_size=before)
        return whole, [first, cost.pointwise_conv2d(*sizes, after)], dense
    if v["kind"] == "ghost":
        maps = -(-v["out_channels"] // v["ratio"])
        whole = cost.ghost_module(*sizes, side, after, v["ratio"], v["dw_kernel_size"], input_size=before)
        cheap = cost.depthwise_conv2d(maps, v["dw_kernel_size"], after, depth_multiplier=v["ratio"] - 1)
        return whole, [cost.conv2d(sizes[0], maps, side, after, input_size=before), cheap], dense
    whole = cost.conv2d(*sizes, side, after, v["groups"], input_size=before)
    return whole, [whole], dense


def number(words):
    return float(words.replace(",", ""))


def moved(price, v):
    return v["bytes_per_element"] * (price.elements_read + price.elements_written)


def check_figures(shown, v, after):
    """Every number of the table and of the bars."""
    own, parts, dense = priced(v, after)
    cells = shown["cells"]
    assert cells["own output_size"] == f"{after[0]:,} × {after[1]:,}"
    for column, price in (("own", own), ("dense", dense)):
        for count in ("params", "macs", "elements_read", "elements_written"):
            assert cells[f"{column} {count}"] == f"{getattr(price, count):,}", count
        assert cells[f"{column} bytes"] == f"{moved(price, v):,}"
        intensity = price.arithmetic_intensity(v["bytes_per_element"])
        assert number(cells[f"{column} intensity"]) == pytest.approx(intensity, abs=0.005001)
        assert number(cells[f"{column} ratio"]) == pytest.approx(price.macs / dense.macs, abs=0.00005001)
    share = 1 / v["out_channels"] + 1 / v["kernel_size"] ** 2
    assert number(cells["own separable_share"]) == pytest.approx(share, abs=0.00005001)
    if v["kind"] == "separable":
        assert cells["own ratio"] == cells["own separable_share"]
    assert f"{own.macs:,} MACs" in shown["headline"] and f"{own.params:,} parameters" in shown["headline"]
    for words, counts in zip(shown["bars"], ([p.macs for p in parts], [moved(p, v) for p in parts]), strict=True):
        figures = re.findall(r"(?:half|layer) ([\d,]+)", words)
        standard = dense.macs if words.startswith("MACs") else moved(dense, v)
        assert figures == [f"{count:,}" for count in (*counts, standard)], words


def check_shapes(shown, v):
    """The table's shapes and the code's, against the same layer built here; returns the output's size."""
    layers = convolutions(**v)
    x = torch.empty(1, v["in_channels"], v["height"], v["width"], device="meta")
    output = run(v["kind"], layers, x, v["out_channels"])[-1]
    assert shown["cells"]["own weight_shape"] == " and ".join(str(layer.weight.shape) for layer in layers)
    made = {"nn": nn, "torch": torch}
    with torch.device("meta"):
        exec(shown["code"], made)
    assert made["layer"](x).shape == output.shape
    from_code = [m for thing in made.values() if isinstance(thing, nn.Module) for m in thing.modules()]
    described = [str(m) for m in from_code if isinstance(m, nn.Conv2d)]
    assert described == [str(layer) for layer in layers]
    check_pictures(shown, v, [layer.weight.shape for layer in layers])
    return tuple(output.shape[2:])


def check_pictures(shown, v, weights):
    """The matrices tell how many kernels there are; the wiring has a line for each that is kept, dashed for copies."""
    for words, weight in zip(shown["matrices"], weights, strict=True):
        count, side = re.search(r": ([\d,]+) kernels? of (\d+) × \2", words).groups()
        assert (number(count), int(side)) == (weight[0] * weight[1], weight[2]), words
    if max(v["in_channels"], v["out_channels"]) <= 16:
        copies = weights[0][0] if v["kind"] == "ghost" else 0
        cut = max(0, copies + weights[-1][0] - v["out_channels"])
        assert shown["lines"] == [sum(weight[0] * weight[1] for weight in weights) - cut, copies], v


def test_every_figure_and_shape_over_random_settings(visit):
    page = visit(explorer.explore())
    seen = set()
    few = legal_settings(40, 6, [1, 2, 5, 8, 13], [1, 2, 3, 4, 6, 8, 12, 16])
    many = legal_settings(20, 7, [7, 14, 56, 224, 1024], [16, 24, 64, 96, 512, 1024])
    for v in [*few, *many]:
        put(page, v)
        shown = page.evaluate(SHOWN)
        assert not shown["problem"], (shown["problem"], v)
        check_figures(shown, v, check_shapes(shown, v))
        seen.add((v["kind"], v["groups"] == 1, v["groups"] == v["in_channels"]))
    assert {kind for kind, *_ in seen} == set(KINDS) and len(seen) >= 6


@pytest.mark.parametrize("kind", KINDS)
def test_script_says_what_python_said(visit, kind):
    large = {"in_channels": 64, "out_channels": 128, "kernel_size": 1, "padding": 0, "input_size": (56, 1000)}
    shown = [explorer.explore(kind, groups=4, bytes_per_element=2, **values) for values in ({}, large)]
    texts = "[...document.querySelectorAll('caption, td')].map((one) => one.textContent)"
    assert visit(*shown).evaluate(texts) == visit(*shown, java_script_enabled=False).evaluate(texts)


def read_by(v, cell):
    """``[{(channel, row, column)}]`` of every map that one output cell depends on, by torch's gradient."""
    layers = convolutions(**v, device="cpu")
    for layer in layers:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, v["in_channels"], v["height"], v["width"], requires_grad=True)
    maps = run(v["kind"], layers, x, v["out_channels"])
    maps[-1][(0, *cell)].backward(inputs=maps[:-1])
    return [set(map(tuple, place.grad[0].nonzero().tolist())) for place in maps[:-1]]


def check_lit(page, v, cell):
    """Inside every map exactly the cells are lit that torch finds, and the sentence counts them."""
    height, width = (int(side) for side in page.evaluate(SHOWN)["cells"]["own output_size"].split(" × "))
    sizes = [(v["height"], v["width"]), (height, width), (height, width)]
    expected = [*read_by(v, cell), {cell}]
    for level, places in enumerate(expected):
        lit = page.evaluate(LIT, level)
        rows, columns = sizes[level]
        assert {(c, y, x) for c, y, x in map(tuple, lit) if 0 <= y < rows and 0 <= x < columns} == places, (v, level)
    sentence = page.locator("[data-reads]").text_content()
    assert sentence.startswith("Output channel {}, row {}, column {} ".format(*cell))
    last = re.search(r"([\d,]+) values?(?:, ([\d,]+) of them padding)?\.$", sentence)
    assert number(last[1]) - number(last[2] or "0") == len(expected[0]), sentence
    if v["kind"] == "standard":
        assert number(last[1]) == v["in_channels"] // v["groups"] * v["kernel_size"] ** 2


def test_pointing_lights_up_what_the_gradient_finds(visit):
    page = visit(explorer.explore())
    draw = random.Random(8)
    for v in legal_settings(14, 9, [3, 5, 8, 10], [1, 2, 4, 6, 8]):
        put(page, v)
        size = page.evaluate(SHOWN)["cells"]["own output_size"].split(" × ")
        for _ in range(2):
            cell = tuple(draw.randrange(int(most)) for most in (v["out_channels"], *size))
            point_at(page, cell)
            check_lit(page, v, cell)


def point_at(page, cell):
    """Move the real mouse to the middle of an output cell."""
    channel, row, column = cell
    sheet = page.locator("[data-output] svg").nth(channel)
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    left, top, across, down = sheet.evaluate("s => ['x', 'y', 'width', 'height'].map((n) => s.viewBox.baseVal[n])")
    x = box["x"] + (column + 0.5 - left) / across * box["width"]
    page.mouse.move(x, box["y"] + (row + 0.5 - top) / down * box["height"])


def test_keys_walk_over_the_output(visit):
    page = visit(explorer.explore("ghost", in_channels=2, out_channels=5, ratio=3, input_size=(4, 6)))
    v = {"kind": "ghost", "in_channels": 2, "out_channels": 5, "ratio": 3, "height": 4, "width": 6}
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.hasAttribute('data-output')"):
            break
    assert page.locator("[data-reads]").get_attribute("aria-live") == "polite"
    scrolled, cell = page.evaluate("scrollY"), [0, 1, 1]
    for key, axis, step in [("ArrowDown", 1, 1), ("PageDown", 0, 1), ("ArrowRight", 2, 1), ("PageDown", 0, 1)] * 2:
        page.keyboard.press(key)
        cell[axis] = min(cell[axis] + step, [4, 3, 5][axis])
        check_lit(page, {**v, "groups": 1, "kernel_size": 3}, tuple(cell))
    for key, axis in [("ArrowUp", 1), ("ArrowLeft", 2), ("PageUp", 0)] * 5:
        page.keyboard.press(key)
        cell[axis] = max(cell[axis] - 1, 0)
    check_lit(page, {**v, "groups": 1, "kernel_size": 3}, tuple(cell))
    assert cell == [0, 0, 0] and page.evaluate("scrollY") == scrolled
    page.keyboard.press("Tab")  # the output is no trap
    assert not page.evaluate("document.activeElement.hasAttribute('data-output')")
