"""The explorer on a page of its own, driven by tests: settings put into its fields, and what it shows read back."""

import random

from dslib import geometry

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
# What is drawn with a ground of its own and has the page's color instead.
UNFILLED = """() => [...document.querySelectorAll(".share, .bar .standard, .sheet .lit rect, .kernel.present .ground")]
  .filter(one => {
    const style = getComputedStyle(one), ground = getComputedStyle(one.closest(".dslib-explorer")).backgroundColor;
    if (one.matches("rect")) return style.fill === ground;
    if (one.matches(".standard")) return style.borderLeftColor === ground;
    return style.backgroundImage === "none" && [ground, "rgba(0, 0, 0, 0)"].includes(style.backgroundColor);
  }).map(one => one.outerHTML)"""


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
