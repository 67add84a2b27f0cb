"""The explorer in Chromium, from a file: its figures against dslib.cost, its shapes and what it reads against torch."""

import random
import re

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from torch import nn

from dslib import cost, explorer, geometry
from tests.support.browser import chromium
from tests.support.built_layers import convolutions, run

PAGE = """<!doctype html><html lang="en"{attributes}><head><meta charset="utf-8"><title>Explorer</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body{body}><main><h1>Explorer</h1>{html}</main></body></html>"""
KINDS = ["standard", "separable", "ghost"]
SET = """({ groups_index, ...values }) => {
  const field = (name) => document.querySelector(`.dslib-explorer [name=${name}]`);
  const told = (name) => ["input", "change"].forEach(
    (event) => field(name).dispatchEvent(new Event(event, { bubbles: true })));
  for (const [name, value] of Object.entries(values)) field(name).value = value;
  told("kind");
  field("groups").value = groups_index;
  told("groups");
}"""
SHOWN = """() => ({
  cells: Object.fromEntries([...document.querySelectorAll("td[data-own], td[data-dense]")].map(
    (td) => [td.dataset.own ? `own ${td.dataset.own}` : `dense ${td.dataset.dense}`, td.textContent])),
  code: document.querySelector("[data-code]").textContent,
  bars: [...document.querySelectorAll("[data-bars] p")].map((p) => p.textContent),
  matrices: [...document.querySelectorAll("[data-matrix] span")].map((span) => span.textContent),
  lines: [...document.querySelectorAll("[data-wiring] path.line:not(.chosen)")].map(
    (path) => path.getAttribute("d").split("M").length - 1),
  caption: document.querySelector("caption").textContent,
  headline: document.querySelector("[data-headline]").textContent,
  problem: document.querySelector("[data-problem]").textContent,
})"""
LIT = """level => [...document.querySelectorAll(`[data-map="${level}"] svg`)].flatMap((sheet) =>
  [...sheet.querySelectorAll(".lit rect")].map((cell) =>
    [sheet.dataset.channel, cell.dataset.row, cell.dataset.column].map(Number)))"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser, tmp_path):
    """``visit(*explorers)``: a page with them, opened from the disk; what went wrong in it fails the test."""
    wrong, contexts = [], []

    def show(*shown, attributes="", body="", linkable=False, address="", before="", **settings):
        html = "".join(one.html(linkable) for one in shown)
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(PAGE.format(attributes=attributes, body=body, html=html), encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or wrong.append(request.url))
        page.add_init_script(before)
        page.goto(file.as_uri() + address)
        return page

    yield show
    for context in contexts:
        context.close()
    assert not wrong


def legal_settings(count, seed, sizes, channels):
    """So many random settings that make a layer, every kind and the ends of the slider among them."""
    draw = random.Random(seed)
    while count:
        v = {
            "kind": draw.choice([*KINDS, "standard"]),
            "stride": draw.choice([1, 1, 2, 3]),
            "dilation": draw.randint(1, 3),
        }
        v |= {"in_channels": draw.choice(channels), "out_channels": draw.choice(channels)}
        v |= {
            "kernel_size": draw.randint(1, 6),
            "padding": draw.randint(0, 4),
            "bytes_per_element": draw.choice([1, 2, 4, 8]),
        }
        v |= {"height": draw.choice(sizes), "width": draw.choice(sizes)}
        v |= {"ratio": draw.randint(2, 5), "dw_kernel_size": draw.choice([1, 3, 5])}
        legal = geometry.legal_groups(v["in_channels"], v["out_channels"])
        v["groups"] = draw.choice([*legal, legal[-1]]) if v["kind"] == "standard" else 1
        try:
            for side in (v["height"], v["width"]):
                geometry.output_size(side, v["kernel_size"], v["stride"], v["padding"], v["dilation"])
        except ValueError:
            continue
        count -= 1
        yield v


def put(page, v):
    """Set the native inputs; the slider's value is a place among the legal numbers of groups."""
    legal = geometry.legal_groups(v["in_channels"], v["out_channels"])
    page.evaluate(SET, {**{n: x for n, x in v.items() if n != "groups"}, "groups_index": legal.index(v["groups"])})


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


def test_slider_has_the_legal_numbers_of_groups_and_remembers_the_wanted_one(visit):
    page = visit(explorer.explore(in_channels=12, out_channels=18))
    slider = page.get_by_role("slider", name="groups G", exact=True)
    seen = []
    slider.focus()
    for _ in range(5):
        seen.append(slider.get_attribute("aria-valuetext"))
        page.keyboard.press("ArrowRight")
    assert seen == ["1 group", "2 groups", "3 groups", "6 groups", "6 groups"]
    groups = page.locator("b[data-groups]")
    for channels, expected in [("1", "1"), ("10", "2"), ("12", "6")]:
        page.get_by_label("input, Cin").fill(channels)
        assert groups.text_content() == expected
    page.get_by_label("input, Cin").fill("1")
    assert slider.is_disabled()


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("kernel_size", "11", "Kernel larger than the padded input: kernel size 11 with dilation 1 spans 11 pixels"),
        ("in_channels", "0", "input, Cin: a whole number from 1 to 1,024."),
        ("in_channels", "", "input, Cin: a whole number from 1 to 1,024."),
        ("stride", "1.5", "stride: a whole number from 1 to 8."),
        ("width", "2000", "width W: a whole number from 1 to 1,024."),
        ("dw_kernel_size", "4", "cheap kernel d: an odd number from 1 to 11."),
    ],
)
def test_what_makes_no_layer_gets_a_message_and_the_rest_stays(visit, name, value, words):
    page = visit(explorer.explore("ghost", input_size=(8, 7)))
    before = page.evaluate(SHOWN)
    field = page.locator(f"[name={name}]")
    good = field.input_value()
    field.fill(value)
    after = page.evaluate(SHOWN)
    assert after.pop("problem").startswith(words) and field.get_attribute("aria-invalid") == "true"
    assert not before.pop("problem") and after == before
    page.locator("[name=kind]").select_option("standard")
    assert bool(page.evaluate(SHOWN)["problem"]) is (name != "dw_kernel_size")  # which is not asked for then
    page.locator("[name=kind]").select_option("ghost")
    field.fill(good)
    assert page.evaluate(SHOWN) == {**before, "problem": ""} and field.get_attribute("aria-invalid") is None


def test_setting_is_in_the_address_and_comes_back_from_it(visit):
    page = visit(explorer.explore(), linkable=True, address="#other")
    assert page.evaluate("location.hash") == "#other"  # until something is changed
    v = next(legal_settings(1, 3, [9, 11], [8, 12]))
    v |= {"kind": "standard", "groups": 4}
    put(page, v)
    link, shown = page.evaluate("location.hash"), page.evaluate(SHOWN)
    assert link.startswith("#explorer&kind=standard&groups=4&") and "&height=" in link
    again = visit(explorer.explore("ghost"), linkable=True, address=link)
    assert again.evaluate(SHOWN) == shown
    again.evaluate("location.hash = '#explorer&kind=separable&in_channels=6&stride=<b>&nothing=1&padding=-4'")
    again.wait_for_function("document.querySelector('caption').textContent.startsWith('Depthwise + pointwise: 6 to')")
    assert f"stride {v['stride']}, padding {v['padding']}," in again.locator("caption").text_content()


def test_without_being_asked_it_leaves_the_address_alone(visit):
    page = visit(explorer.explore(), address="#explorer&kind=ghost")
    page.locator("[name=stride]").fill("2")
    assert page.evaluate("location.hash") == "#explorer&kind=ghost"
    assert page.locator("caption").text_content().startswith("Standard convolution")


def test_two_on_one_page_do_not_know_each_other(visit):
    page = visit(explorer.explore(), explorer.explore("ghost"))
    first, second = page.locator("caption").all()
    page.locator("[name=in_channels]").first.fill("16")
    assert "16 to 8" in first.text_content() and second.text_content().startswith("Ghost")
    assert "16 to 8" not in second.text_content()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids)) == 2
    assert page.evaluate("Object.keys(window).filter((name) => /^(formulas|start|stages|copy)$/.test(name))") == []


def test_code_is_copied_to_the_clipboard(visit):
    page = visit(explorer.explore(groups=2), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.locator("[data-copied]", has_text="copied").wait_for()
    wanted = "layer = nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)"
    assert page.evaluate("navigator.clipboard.readText()").strip() == wanted


def test_code_is_copied_without_a_clipboard(visit):
    page = visit(explorer.explore(), before="Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Copy").click()
    page.locator("[data-copied]", has_text=re.compile("copied|selected")).wait_for()
    assert page.evaluate("getSelection().toString()").strip() == "layer = nn.Conv2d(8, 8, 3, padding=1, bias=False)"


def test_without_javascript_and_in_print_there_is_the_table(visit):
    plain = visit(explorer.explore("separable"), java_script_enabled=False)
    assert plain.locator("table").is_visible() and not plain.locator(".live").is_visible()
    page = visit(explorer.explore("separable"))
    page.locator("[name=out_channels]").fill("24")
    page.emulate_media(media="print")
    assert not page.locator(".controls").is_visible() and not page.get_by_role("button").first.is_visible()
    assert "8 to 24 channels" in page.locator("caption").inner_text()
    assert page.locator("[data-own=params]").inner_text() == "264"


@pytest.mark.parametrize("kind", KINDS)
def test_fits_a_phone(visit, kind):
    page = visit(explorer.explore(kind, in_channels=512, out_channels=512, input_size=1000))
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


DARK = "getComputedStyle(document.querySelector('.dslib-explorer')).backgroundColor === 'rgb(21, 25, 31)'"


@pytest.mark.parametrize(
    "page, system, dark",
    [
        ({}, "light", False),
        ({}, "dark", True),
        ({"attributes": ' data-theme="dark"'}, "light", True),
        ({"attributes": ' data-theme="light"'}, "dark", False),
        ({"attributes": ' theme="dark"'}, "light", True),
        ({"body": ' data-jp-theme-light="false"'}, "light", True),
        ({"body": ' data-jp-theme-light="true"'}, "dark", False),
    ],
)
def test_follows_the_theme_of_the_page_then_the_systems(visit, page, system, dark):
    assert visit(explorer.explore(), color_scheme=system, **page).evaluate(DARK) is dark


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit, theme):
    page = visit(explorer.explore("ghost", out_channels=7), attributes=f' data-theme="{theme}"')
    tags = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
    page.locator("[name=stride]").fill("0")  # with the message on the page
    for kind in KINDS:
        page.locator("[name=kind]").select_option(kind)
        found = Axe().run(page, options=tags)
        assert not found.response["violations"], found.generate_report()
        assert len(found.response["passes"]) > 10
        page.locator("[name=stride]").fill("1")


def test_works_where_a_notebook_inserts_it_later(visit):
    """Jupyter fills a detached element and puts fresh script elements in the place of those that never ran."""
    page = visit(explorer.explore("separable"))
    page.evaluate(
        """html => {
          const output = document.createElement("div");
          output.innerHTML = html;
          for (const old of output.querySelectorAll("script")) {
            const fresh = document.createElement("script");
            fresh.textContent = old.textContent;
            old.replaceWith(fresh);
          }
          document.querySelector("main").append(output);
        }""",
        explorer.explore("ghost")._repr_html_(),
    )
    page.locator("[name=out_channels]").nth(1).fill("20")
    captions = page.locator("caption").all_text_contents()
    assert "8 to 8 channels" in captions[0] and "Ghost module with s = 2, d = 3: 8 to 20 channels" in captions[1]
    assert page.locator(".live").nth(1).is_visible()
