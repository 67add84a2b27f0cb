"""The explorer in Chromium, from a file: its fields and messages, its address, and the pages that it is put into."""

import io
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from dslib import explorer
from tests.support.explorer_page import KINDS, SHOWN, legal_settings, put


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
        ("in_channels", "0", "input, Cin: a whole number from 1 to 1024."),
        ("in_channels", "", "input, Cin: a whole number from 1 to 1024."),
        ("stride", "1.5", "stride: a whole number from 1 to 8."),
        ("width", "2000", "width W: a whole number from 1 to 1024."),
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
    problem = after.pop("problem")
    assert problem.startswith(words) and field.get_attribute("aria-invalid") == "true"
    assert problem.endswith(f" Shown instead: {after['caption']}.")
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


TAKEN = "Grouped convolution, 2 groups: 6 to 4 channels, 8 × 8 pixels, kernel 3 × 3, stride 2, padding 1, dilation 1, 4"
FIRST = "Standard convolution: 8 to 8 channels, 8 × 8 pixels, kernel 3 × 3, stride 1, padding 1, dilation 1, 4"
NOT_ONE = "no setting of this page"
STRIDES = "a whole number from 1 to 8"
TOO_LARGE = "kernel size 11 with dilation 1 spans 11 pixels, the input has 1 × 8 and with padding 1 × 8."
BROKEN = "\N{REPLACEMENT CHARACTER}%A="  # what is read of %E0%A4%A
OPENED = {  # the address after "#explorer" -> how the caption begins, and how what is said
    "&in_channels=6&out_channels=4&groups=2&stride=2": (TAKEN, ""),
    "&groups=2&stride=2&out_channels=4&in_channels=6": (TAKEN, ""),
    "&kernel_size=11&height=1&padding=0": (FIRST, f"Kernel larger than the padded input: {TOO_LARGE} Shown instead: "),
    "&constructor=1": (FIRST, f"Not taken from the link: constructor=1 ({NOT_ONE})."),
    f"&stride={'9' * 2**16}": (FIRST, f"Not taken from the link: stride={'9' * 20}… ({STRIDES})."),
    "&x=1" * 2**16: (FIRST, f"Not taken from the link: x=1 ({NOT_ONE}), x=1 ({NOT_ONE}), x=1 ({NOT_ONE}), x=1 "),
}
REFUSED = {  # what is not taken, and why
    "groups=3": "not a divisor of both channel counts",
    "groups=1e400": "not a divisor of both channel counts",
    "kind=dense": "not in its list",
    "kind=": "not in its list",
    "dw_kernel_size=4": "an odd number from 1 to 11",
    "padding=21": "a whole number from 0 to 20",
    "height=": "a whole number from 1 to 1024",
    BROKEN: NOT_ONE,
}
NUMBERS = ("NaN", "Infinity", "1e400", "-1", "0x2", "２", "0", "9", "1.5", "2,0", "2;", "<b>", "null", "1 000", " 2")
REFUSED |= {f"stride={value}": STRIDES for value in NUMBERS}
OF_OBJECTS = ("constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "then", "length", "0")
REFUSED |= {f"{name}=1": NOT_ONE for name in OF_OBJECTS}
FOLLOWED = """link => {
  history.replaceState(null, "", "#explorer" + link);
  dispatchEvent(new HashChangeEvent("hashchange"));
}"""


@pytest.mark.parametrize("link", OPENED, ids=[link[:40] for link in OPENED])
def test_a_page_opened_by_any_link_shows_a_layer_and_says_what_was_not_taken(visit, link):
    layer, words = OPENED[link]
    shown = visit(explorer.explore(), linkable=True, address=f"#explorer{link}").evaluate(SHOWN)
    assert shown["caption"].startswith(layer) and shown["cells"]["own macs"] == (
        "1,728" if layer == TAKEN else "36,864"
    )
    assert shown["problem"] == words or (words and shown["problem"].startswith(words))
    assert len(shown["problem"]) < 400


def test_what_a_link_has_wrong_is_not_taken_and_told_with_the_reason(visit):
    page = visit(explorer.explore(), linkable=True)
    links = {"&%E0%A4%A": BROKEN, **{f"&{part}": part for part in REFUSED}}
    first = page.evaluate(SHOWN)
    for link, part in links.items():
        page.evaluate(FOLLOWED, link)
        shown = page.evaluate(SHOWN)
        assert shown.pop("problem") == f"Not taken from the link: {part} ({REFUSED[part]})."
        assert shown == {name: value for name, value in first.items() if name != "problem"}
    for link in ("-2&kind=ghost", "", "&", "&&&", "&stride=2&stride=1", "&kind=standard&kind=standard"):
        page.evaluate(FOLLOWED, "&")
        page.evaluate(FOLLOWED, link)
        assert page.evaluate(SHOWN) == first


def test_what_a_link_had_wrong_is_said_until_the_reader_goes_on(visit):
    page = visit(explorer.explore(), linkable=True, address="#explorer&stride=0&padding=2")
    page.evaluate("location.hash = '#explorer&kernel_size=11&height=1&padding=0'")
    page.get_by_text(
        "Shown instead: Standard convolution: 8 to 8 channels, 8 × 8 pixels, kernel 3 × 3, stride 1, padding 2,"
    ).wait_for()
    page.locator("[name=height]").fill("12")
    page.locator("[name=width]").fill("11")
    assert page.evaluate(SHOWN)["problem"] == "" and "12 × 11 pixels" in page.evaluate(SHOWN)["caption"]


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_marks_show_in_forced_colors(visit, scheme):
    page = visit(explorer.explore("separable", out_channels=2), forced_colors="active", color_scheme=scheme)
    shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("L")

    def shade(selector, across=0.5, down=0.5):
        box = page.locator(selector).first.bounding_box()
        return shot.getpixel((box["x"] + across * box["width"], box["y"] + down * box["height"]))

    ground = shot.getpixel((2, 2))
    assert ground == (255 if scheme == "light" else 0)
    assert abs(shade(".share-0") - ground) == 255  # filled
    assert abs(shade(".bar .standard", down=0.05) - ground) == 255
    unlit, lit = shade("[data-map='0'] .ground", 0.94, 0.94), shade("[data-map='0'] .lit rect")
    assert abs(lit - unlit) > 120 and abs(shade(".kernel.present .ground", 0.5, 0.5) - ground) == 255
    page.locator("[data-output]").focus()
    page.keyboard.press("ArrowDown")
    ring = "one => [getComputedStyle(one).outlineWidth, getComputedStyle(one).outlineColor]"
    ink = "rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)"
    assert page.locator("[data-output]").evaluate(ring) == ["3px", ink]


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
