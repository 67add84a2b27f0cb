"""The walks, driven in Chromium: every step shows what torch computes and reads, to eye, keyboard and reader."""

import json
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from axe_playwright_python.sync_playwright import Axe

from dslib import figures
from tests.support.drawn import plain, whole

WALKS = {  # name -> shapes of x and weight, and the options of the layer
    "standard": ((2, 3, 3), (2, 2, 2, 2), {}),
    "grouped": ((4, 3, 2), (2, 2, 2, 1), {"groups": 2}),
    "depthwise": ((2, 3, 3), (2, 1, 2, 2), {"groups": 2}),
    "depth multiplier 2": ((2, 2, 3), (4, 1, 2, 2), {"groups": 2}),
    "pointwise": ((3, 2, 2), (2, 3, 1, 1), {}),
    "strided, padded": ((2, 4, 3), (1, 2, 3, 2), {"stride": (2, 1), "padding": 1}),
    "dilated, with bias": ((1, 3, 5), (2, 1, 2, 2), {"dilation": (1, 3), "bias": torch.tensor([-4.0, 5.0]).double()}),
}
STATE = """root => {
  const box = rect => ["x", "y", "width"].map(name => Number(rect.getAttribute(name)));
  const cells = (role, part = root) => [...part.querySelectorAll(`[data-cell=${role}]`)].map(cell => ({
    box: box(cell.querySelector("rect")), text: cell.querySelector("text").textContent,
    lit: cell.classList.contains("lit"), pad: cell.classList.contains("pad"),
    edge: parseFloat(getComputedStyle(cell.querySelector("rect")).strokeWidth),
    bold: Number(getComputedStyle(cell.querySelector("text")).fontWeight)}));
  const shown = node => getComputedStyle(node).display !== "none";
  const text = name => root.querySelector(name).textContent;
  return {
    input: [...root.querySelectorAll('[data-map^=input]')].map(map => cells("input", map)),
    output: [...root.querySelectorAll('[data-map^=output]')].map(map => cells("output", map)),
    tiles: [...root.querySelectorAll("[data-tile]")].map(tile => shown(tile) ? cells("kernel", tile) : null),
    hatched: [...root.querySelectorAll("[data-none]")].map(shown),
    sums: [...root.querySelectorAll(".sum")].map(sum => sum.textContent),
    say: text(".say"), added: text(".added"), head: text(".filter"), count: text(".count"),
    slider: root.querySelector("input").value, spoken: root.querySelector("input").getAttribute("aria-valuetext"),
    play: text("[data-do=play]"), live: root.querySelector(".say").getAttribute("aria-live")};
}"""


def layer(name):
    """x, weight, torch's output and the options of a walk."""
    shape, weight_shape, options = WALKS[name]
    x, weight = whole(*shape), whole(*weight_shape)
    return x, weight, F.conv2d(x[None], weight, **options)[0], options


def walk(name):
    x, weight, output, options = layer(name)
    return figures.draw_convolution_walk(x, weight, output, **options)


def page_of(*fragments):
    body = "".join(f"<section><h2>Walk {i}</h2>{text}</section>" for i, text in enumerate(fragments))
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Walks</title><h1>Walks</h1><main>{body}</main>'


@pytest.fixture
def opened(browser):
    """A function that opens walks in a page of their own; whatever the page complains about fails the test."""
    contexts, complaints = [], []

    def open_page(*fragments, **options):
        contexts.append(browser.new_context(viewport={"width": 390, "height": 800}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.set_content(page_of(*fragments))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def state(page, index=0):
    return page.locator(".dslib-walk").nth(index).evaluate(STATE)


def all_states(page, steps):
    """The state at every step, by pressing Forward, in one call to the browser."""
    walked = f"""root => Array.from({{length: {steps}}}, (_, step) => {{
      if (step) root.querySelector("[data-do=on]").click();
      return ({STATE})(root);
    }})"""
    return page.locator(".dslib-walk").evaluate(walked)


def grid(cells):
    """The cells of a map by (row, column), told from where they stand."""
    xs, ys = (sorted({cell["box"][axis] for cell in cells}) for axis in (0, 1))
    assert len(cells) == len(xs) * len(ys)
    return {(ys.index(cell["box"][1]), xs.index(cell["box"][0])): cell for cell in cells}


def check_marks(cells):
    """Marked cells differ from the others by edge and weight, not by colour alone."""
    for cell in cells:
        assert (cell["edge"] >= 3, cell["bold"] >= 700) == (cell["lit"], cell["lit"])


def check_step(shown, place, x, weight, output, options):
    """One step on the page against torch: the window by its gradient, the sums by convolving each channel alone."""
    bias = options.get("bias")
    options = {name: value for name, value in options.items() if name != "bias"}
    start = x.clone().requires_grad_()
    F.conv2d(start[None], weight, **options)[0, *place].backward()
    reached = start.grad.numpy() != 0
    reads, kernels = reached.any(axis=(1, 2)), iter(weight[place[0]])
    sums = []
    for channel, cells in enumerate(shown["input"]):
        check_marks(cells)
        cells = grid(cells)
        inside = sorted(spot for spot, cell in cells.items() if not cell["pad"])
        assert [plain(cells[spot]["text"]) for spot in inside] == x[channel].flatten().tolist()
        assert [cells[spot]["lit"] for spot in inside] == reached[channel].flatten().tolist()
        assert all(cell["text"] == "0" for cell in cells.values() if cell["pad"])
        assert sum(cell["lit"] for cell in cells.values()) == reads[channel] * weight[0, 0].numel()
        assert shown["hatched"][channel] == (not reads[channel]) == (shown["tiles"][channel] is None)
        if not reads[channel]:
            assert shown["sums"][channel] == "none"
            continue
        tile = grid(shown["tiles"][channel])
        assert [plain(tile[spot]["text"]) for spot in sorted(tile)] == next(kernels).flatten().tolist()
        middles = [sum(cell["box"][0] for cell in part) / len(part) for part in (cells.values(), tile.values())]
        assert middles[0] == pytest.approx(middles[1])  # the kernel stands below the channel that it reads
        alone = torch.zeros_like(x)
        alone[channel] = x[channel]
        sums.append(F.conv2d(alone[None], weight, **options)[0, *place].item())
        assert plain(shown["sums"][channel].removeprefix("sum ")) == sums[-1]
    check_words(shown, place, sums, reached, bias, output)
    step = np.ravel_multi_index(place, output.shape)
    check_output(shown["output"], step, output)
    assert shown["count"] == shown["spoken"] == f"{step + 1} of {output.numel()}"
    assert shown["slider"] == str(step + 1)
    assert shown["head"].startswith(f"× filter {place[0]}: ")


def check_words(shown, place, sums, reached, bias, output):
    """Sentence and line: every product, sum and total in it is read, multiplied and added up again."""
    say, total = shown["say"], output[*place].item()
    head, _, rest = say.partition(" = ")
    assert head == f"Output channel {place[0]}, row {place[1]}, column {place[2]}"
    assert plain(rest.rpartition(" = ")[2]) == total
    products = re.findall(r"\(?(−?[\d.]+)\)?×\(?(−?[\d.]+)\)?", rest)
    assert sum(plain(a) * plain(b) for a, b in products) == pytest.approx(sum(sums))
    assert len([pair for pair in products if plain(pair[1])]) == reached.sum()  # the others are padding
    added = shown["added"].removeprefix("added up: ")
    terms = sums + ([bias[place[0]].item()] if bias is not None else [])
    spoken = added.rpartition(" = ")[0].replace(" (bias)", "").replace("− ", "−").replace("+ ", "").split()
    assert [plain(term) for term in spoken] == (terms if len(terms) > 1 else [])
    assert rest.endswith(f"= {added}") and ("bias" in rest) == (bias is not None)


def check_output(maps, step, output):
    """Numbers up to this step, blank cells after it, and only this step's cell marked."""
    check_marks([cell for cells in maps for cell in cells])
    cells = [cell for cells in map(grid, maps) for _, cell in sorted(cells.items())]
    assert [plain(cell["text"]) for cell in cells[: step + 1]] == output.flatten()[: step + 1].tolist()
    assert not any(cell["text"] for cell in cells[step + 1 :])
    assert [i for i, cell in enumerate(cells) if cell["lit"]] == [step]


@pytest.mark.parametrize("name", WALKS)
def test_every_step_shows_what_torch_computes_and_reads(name, opened):
    x, weight, output, options = layer(name)
    page = opened(walk(name)._repr_html_(), reduced_motion="reduce")
    places = list(np.ndindex(*output.shape))
    for shown, place in zip(all_states(page, len(places)), places, strict=True):
        check_step(shown, place, x, weight, output, options)


def test_buttons_and_slider_lead_to_the_same_steps_and_stop_at_the_ends(opened):
    page = opened(walk("pointwise")._repr_html_())
    seen = all_states(page, 9)
    assert [shown["count"] for shown in seen] == [f"{i} of 8" for i in (*range(1, 9), 8)]
    for index in (5, 0, 7, 2):
        page.locator("input").fill(str(index + 1))
        assert state(page) == seen[index]
    for index in (1, 0, 0):
        page.get_by_role("button", name="Back").click()
        assert state(page) == seen[index]


def test_keyboard_alone_reaches_every_control_in_order(opened):
    page = opened(walk("depthwise")._repr_html_())
    focused = "document.activeElement.dataset.do || document.activeElement.type"
    order = []
    for _ in range(4):
        page.keyboard.press("Tab")
        order.append(page.evaluate(focused))
    assert order == ["back", "play", "on", "range"]
    for key, count in (("ArrowRight", 2), ("ArrowRight", 3), ("End", 8), ("Home", 1), ("ArrowLeft", 1)):
        page.keyboard.press(key)
        assert state(page)["count"] == f"{count} of 8"
    page.keyboard.press("Shift+Tab")
    for key, count in (("Enter", 2), ("Space", 3)):
        page.keyboard.press(key)
        assert state(page)["count"] == f"{count} of 8"
        assert page.evaluate(focused) == "on"  # the focus stays, so the key can be pressed again


def test_it_never_plays_unasked_and_pauses_ends_and_starts_again_when_asked(opened):
    page = opened()
    page.clock.install()
    page.set_content(page_of(walk("standard")._repr_html_()))
    page.clock.run_for(20_000)
    assert state(page)["count"] == "1 of 8" and state(page)["play"] == "Play"
    play = page.locator("[data-do=play]")
    play.click()
    assert state(page)["play"] == "Pause" and state(page)["live"] == "off"  # no sentence on top of the last one
    page.clock.run_for(3100)
    assert state(page)["count"] == "3 of 8"
    play.click()
    page.clock.run_for(9000)
    assert state(page)["count"] == "3 of 8" and state(page)["live"] == "polite"
    play.click()
    page.clock.run_for(1600)
    page.get_by_role("button", name="Back").click()  # whoever steps by hand stops the play
    page.clock.run_for(9000)
    assert state(page)["count"] == "3 of 8" and state(page)["play"] == "Play"
    play.click()
    page.clock.run_for(30_000)
    assert state(page)["count"] == "8 of 8" and state(page)["play"] == "Play"
    play.click()
    assert state(page)["count"] == "1 of 8"


def test_reduced_motion_has_no_play_and_no_transition(opened):
    moving = "getComputedStyle(document.querySelector('.dslib-walk .cell rect')).transitionDuration"
    text = walk("standard")._repr_html_()
    page = opened(text, reduced_motion="no-preference")
    assert page.locator("[data-do=play]").is_visible() and page.evaluate(moving) != "0s"
    page.clock.install()
    page.locator("[data-do=play]").click()
    page.emulate_media(reduced_motion="reduce")  # while it plays
    assert page.locator("[data-do=play]").is_hidden() and page.evaluate(moving) == "0s"
    page.clock.run_for(9000)
    assert state(page)["count"] == "1 of 8"
    page.get_by_role("button", name="Forward").click()
    assert state(page)["count"] == "2 of 8"


def test_without_javascript_and_on_paper_it_is_a_still_of_one_step(opened):
    text = walk("depthwise")._repr_html_()
    still, live = opened(text, java_script_enabled=False), opened(text)
    assert still.get_by_role("button").count() == 0 and still.locator("input").is_hidden()
    # the script shows the first step again, and must not find anything to change
    assert still.locator("svg").inner_html() == live.locator("svg").inner_html()
    assert still.locator(".say").inner_text() == live.locator(".say").inner_text()
    live.emulate_media(media="print")
    assert live.locator(".bar").is_hidden() and live.locator("svg").is_visible()


def test_walks_on_one_page_do_not_touch_each_other_nor_the_page(opened):
    fragments = [walk(name)._repr_html_() for name in ("standard", "pointwise", "standard")]
    page = opened(*fragments)
    rest = "[...document.querySelectorAll('h1, h2')].map(node => node.outerHTML).join()"
    first, before, names = state(page, 0), page.evaluate(rest), page.evaluate("Object.keys(window).length")
    page.get_by_role("button", name="Forward").nth(2).click()
    page.get_by_role("button", name="Forward").nth(1).click()
    page.get_by_role("button", name="Forward").nth(1).click()
    assert [state(page, i)["count"] for i in range(3)] == ["1 of 8", "3 of 8", "2 of 8"]
    assert state(page, 0) == first and page.evaluate(rest) == before
    assert page.evaluate("Object.keys(window).length") == names
    assert page.locator(".dslib-walk [id]").count() == 0


def test_in_a_notebook_an_equal_walk_is_added_later_and_an_old_one_is_removed(opened):
    page = opened()
    page.clock.install()
    add = "text => document.querySelector('main').append(document.createRange().createContextualFragment(text))"
    page.evaluate(add, walk("standard")._repr_html_())
    page.get_by_role("button", name="Forward").click()
    page.evaluate(add, walk("standard")._repr_html_())
    assert [state(page, i)["count"] for i in range(2)] == ["2 of 8", "1 of 8"]  # the first one is left where it was
    page.get_by_role("button", name="Play").first.click()
    old = page.locator(".dslib-walk").first.element_handle()
    old.evaluate("root => root.remove()")
    page.clock.run_for(9000)
    assert old.evaluate(STATE)["count"] == "2 of 8" and old.evaluate(STATE)["play"] == "Play"  # its clock has stopped


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme, opened):
    page = opened(*[walk(name)._repr_html_() for name in ("grouped", "strided, padded")], color_scheme=scheme)
    page.evaluate("document.body.style = 'background: #121212; color: #eee'" if scheme == "dark" else "0")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.dslib-walk')).backgroundColor") == "rgb(255, 255, 255)"
    )


def test_picture_keeps_its_colors_among_forced_ones(opened):
    page = opened(walk("grouped")._repr_html_(), forced_colors="active", color_scheme="dark")
    picture = page.locator(".dslib-walk svg")
    assert picture.evaluate("svg => getComputedStyle(svg).backgroundColor") == "rgb(255, 255, 255)"
    assert picture.locator("text").first.evaluate("text => getComputedStyle(text).fill") == "rgb(17, 17, 17)"


def test_no_word_leaves_its_picture_and_no_number_its_cell(opened):
    page = opened(*[walk(name)._repr_html_() for name in WALKS])
    over = """() => [...document.querySelectorAll(".dslib-walk svg text")].filter(text => {
      const cell = text.parentNode.querySelector(":scope > rect:first-child");
      const box = text.getBoundingClientRect();
      const room = (cell && cell.nextSibling === text ? cell : text.closest("svg")).getBoundingClientRect();
      return text.textContent && (box.left < room.left - 1 || box.right > room.right + 1);
    }).map(text => text.textContent)"""
    assert page.evaluate(over) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("name", WALKS)
def test_html_is_small_the_same_on_every_run_and_self_contained(name):
    text = walk(name)._repr_html_()
    assert text == walk(name)._repr_html_() and len(text.encode()) < 21_000
    assert not re.search(r"https?:|src=|url\(|@import|<img|NaN", text)
    steps = layer(name)[2].numel()
    assert repr(walk(name)) == f"<walk of {steps} steps>"
    assert len({walk(other)._repr_html_().split('data-walk="')[1][:12] for other in WALKS}) == len(WALKS)


def test_label_names_every_shape():
    label = re.search(r'<svg role="img" aria-label="([^"]+)"', walk("strided, padded")._repr_html_())[1]
    for words in ("Input: 2 channels of 4 × 3, padded to 6 × 5", "2 kernels of 3 × 2", "Output: 1 channel of 2 × 4"):
        assert words in label


X, W = np.ones((2, 4, 4)), np.ones((2, 2, 3, 3))
ERRORS = {
    "another sum": (lambda: (X, W, np.full((2, 2, 2), 17)), {}, "17.*18"),
    "groups": (lambda: (X, W, np.full((2, 2, 2), 18)), {"groups": 2}, "groups 2"),
    "bias": (lambda: (X, W, np.full((2, 2, 2), 18)), {"bias": [1]}, "2 values, got 1"),
    "rank": (lambda: (X[0], W, X), {}, r"\(4, 4\)"),
    "steps": (lambda: (np.ones((1, 21, 21)), np.ones((1, 1, 1, 1)), np.ones((1, 21, 21))), {}, "400.*441"),
    "wide": (lambda: (np.ones((1, 2, 18)), np.ones((1, 1, 1, 1)), np.ones((1, 2, 18))), {}, "18 cells.*17"),
    "long": (lambda: (np.full((1, 2, 2), -123456), np.ones((1, 1, 1, 1)), np.full((1, 2, 2), -123456)), {}, "−123456"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_bad_input_raises_with_the_value(name):
    arrays, options, message = ERRORS[name]
    with pytest.raises(ValueError, match=message):
        figures.draw_convolution_walk(*arrays(), **options)


def test_markup_in_a_word_cannot_leave_the_script():
    text = walk("standard")._repr_html_()
    data = text.split("...", 1)[1].rpartition(");</script>")[0].rpartition("...")[2]
    assert text.count("</script>") == 1 and "<" not in json.dumps(json.loads(data))
