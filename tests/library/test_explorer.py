"""The explorer without a browser: what it accepts, its formulas against torch and the cost functions, its markup."""

import os
import re
import subprocess
import sys
from itertools import product

import numpy
import pytest
import torch
from bs4 import BeautifulSoup
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import cost, explorer
from dslib.explorer import formulas
from dslib.explorer.setting import LIMITS, decimals
from dslib.explorer.still import draw_still
from tests.support.built_layers import convolutions

LARGEST = 64_000  # bytes of one explorer, in a notebook or on a page


@pytest.mark.parametrize(
    "values, named",
    [
        ({"kind": "dense"}, "'dense'"),
        ({"in_channels": 0}, "in_channels must be at least 1, got 0"),
        ({"in_channels": 2048}, "in_channels must be at most 1024 here, got 2048"),
        ({"out_channels": 2.5}, "2.5"),
        ({"groups": 3}, "groups=3, in_channels=8, out_channels=8"),
        ({"groups": True}, "True"),
        ({"padding": -1}, "-1"),
        ({"kernel_size": 7, "padding": 0, "input_size": (8, 6)}, "spans 7 pixels, the input has 6"),
        ({"kernel_size": 3, "dilation": 5}, "spans 11 pixels"),
        ({"input_size": (8, 8, 8)}, "(8, 8, 8)"),
        ({"input_size": "8"}, "'8'"),
        ({"ratio": 1}, "ratio must be at least 2, got 1"),
        ({"dw_kernel_size": 4}, "kernel_size 4"),
        ({"bytes_per_element": 3}, "[1, 2, 4, 8], got 3"),
        ({"stride": None}, "None"),
    ],
)
def test_what_makes_no_layer_is_refused_with_its_values(values, named):
    with pytest.raises(ValueError, match=re.escape(named)):
        explorer.explore(**values)


def test_numpy_sizes_and_a_single_input_size_are_those_of_plain_ints():
    plain = explorer.explore(in_channels=4, input_size=(6, 6))
    assert explorer.explore(in_channels=numpy.int64(4), input_size=numpy.int32(6)) == plain
    assert repr(explorer.explore(in_channels=numpy.int64(4), input_size=6)) == repr(plain)


def test_plain_text_names_every_value():
    words = repr(explorer.explore("ghost", input_size=(8, 9), ratio=3))
    assert words.startswith("Explorer(kind='ghost', in_channels=8,")
    assert "height=8, width=9, ratio=3, dw_kernel_size=3, bytes_per_element=4)" in words


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "standard", "in_channels": 6, "out_channels": 9, "groups": 3, "stride": 2, "input_size": (7, 5)},
        {"kind": "standard", "in_channels": 4, "out_channels": 8, "groups": 4, "dilation": 2, "input_size": (9, 6)},
        {"kind": "separable", "in_channels": 5, "out_channels": 7, "kernel_size": 4, "input_size": (8, 11)},
        {"kind": "ghost", "in_channels": 3, "out_channels": 8, "ratio": 3, "dw_kernel_size": 5, "input_size": (6, 7)},
        {"kind": "ghost", "in_channels": 3, "out_channels": 2, "ratio": 4, "stride": 3, "input_size": (10, 7)},
    ],
)
def test_table_is_what_torch_counts(values):
    rows = explorer.explore(bytes_per_element=2, **values).setting.results()
    layers, maps = convolutions(**values), [torch.empty(1, values["in_channels"], *values["input_size"], device="meta")]
    with FlopCounterMode(display=False) as counter:
        for layer in layers:
            maps.append(layer(maps[-1]))
    params = sum(layer.weight.numel() for layer in layers)
    read, written = sum(x.numel() for x in maps[:-1]) + params, sum(x.numel() for x in maps[1:])
    assert rows["output_size"] == ("{} × {}".format(*maps[-1].shape[2:]),)
    assert rows["weight_shape"] == (" and ".join(str(layer.weight.shape) for layer in layers),)
    counts = {"params": params, "macs": counter.get_total_flops() // 2, "elements_read": read}
    counts |= {"elements_written": written, "bytes": 2 * (read + written)}
    assert {name: rows[name][0] for name in counts} == {name: f"{count:,}" for name, count in counts.items()}
    assert float(rows["intensity"][0]) == pytest.approx(counter.get_total_flops() / counts["bytes"], abs=0.006)


@pytest.mark.parametrize("value, words", [(0.125, "0.13"), (2.675, "2.67"), (1234.5, "1,234.50"), (0, "0.00")])
def test_halves_are_rounded_up_as_in_javascript(value, words):
    assert decimals(value, 2) == words


def at(formula, values):
    """The formula with numbers in the place of its symbols, by name."""
    return formula.subs({symbol: values[symbol.name] for symbol in formula.free_symbols})


def test_formulas_give_what_the_cost_functions_give():
    priced = formulas.costs()
    for ins, outs, groups, side, ratio in product([4, 8], [4, 12], [1, 2, 4], [1, 3], [2, 5]):
        values = {"in_channels": ins, "out_channels": outs, "groups": groups, "kernel_size": side, "ratio": ratio}
        values |= {"dw_kernel_size": 5, "height": 9, "width": 7, "out_height": 4, "out_width": 3}
        before, after = (9, 7), (4, 3)
        expected = {
            "dense": cost.conv2d(ins, outs, side, after, input_size=before),
            "standard": cost.conv2d(ins, outs, side, after, groups, input_size=before),
            "separable": cost.depthwise_separable_conv2d(ins, outs, side, after, input_size=before),
            "ghost": cost.ghost_module(ins, outs, side, after, ratio, 5, input_size=before),
        }
        for name, price in expected.items():
            for count in formulas.COUNTS:
                assert at(getattr(priced[name], count), values) == getattr(price, count), (name, count)
        for kind, first, second in (("separable", "depthwise", "pointwise"), ("ghost", "primary", "cheap")):
            for count in formulas.COUNTS:
                halves = at(getattr(priced[first] + priced[second], count), values)
                assert halves == getattr(expected[kind], count), (kind, count)


def test_output_size_formula_is_torchs():
    formula = formulas.expressions()["output_size"]
    for size, side, stride, padding, dilation in product([7, 8], [1, 2, 3], [1, 2, 3], [0, 2], [1, 3]):
        conv = nn.Conv2d(1, 1, side, stride, padding, dilation, device="meta")
        values = {"size": size, "kernel_size": side, "stride": stride, "padding": padding, "dilation": dilation}
        assert at(formula, values) == conv(torch.empty(1, 1, size, 20, device="meta")).shape[2]


def test_javascript_has_products_for_powers_so_that_whole_numbers_stay_exact():
    script = formulas.javascript()
    assert "Math.pow" not in script and "(kernel_size*kernel_size)" in script
    assert set(re.findall(r"Math\.\w+", script)) == {"Math.floor", "Math.ceil"}
    assert "separable_share: ({kernel_size, out_channels}) => 1/out_channels + 1/(kernel_size*kernel_size)" in script


def drawn(figure):
    """The lines of a still as (label, from, to) with channels for x, by stage from the top; each channel has a line."""
    pictured = figure.axes[0].collections
    found = [(lines.get_label(), *ends.tolist()) for lines in pictured for ends in lines.get_segments()]
    stages = []
    for top in sorted({start[1] for _, start, _ in found}):
        lines = [(label, start[0], end[0]) for label, start, end in found if start[1] == top]
        starts, ends = (sorted({line[place] for line in lines}) for place in (1, 2))
        stages.append(sorted((label, starts.index(start), ends.index(end)) for label, start, end in lines))
    return stages


def kernels_of(conv):
    """A (label, from, to) for each kernel of a convolution, in torch's order of groups."""
    outs, ins = conv.out_channels // conv.groups, conv.in_channels // conv.groups
    pairs = product(range(conv.in_channels), range(conv.out_channels))
    return [("kernel", i, o) for i, o in pairs if i // ins == o // outs]


@pytest.mark.usefixtures("close_figures")
@pytest.mark.parametrize(
    "kind, ins, outs, more",
    [
        ("standard", 6, 8, {}),
        ("standard", 6, 8, {"groups": 2}),
        ("standard", 8, 8, {"groups": 8}),
        ("separable", 5, 7, {}),
        ("ghost", 4, 9, {"ratio": 3}),
        ("ghost", 3, 7, {"ratio": 2}),
    ],
)
def test_still_has_a_line_for_each_kernel_and_says_what_the_layer_is(kind, ins, outs, more):
    setting = explorer.explore(kind, ins, outs, **more).setting
    figure, wanted = draw_still(setting), [kernels_of(conv) for conv in convolutions(kind, ins, outs, **more)]
    if kind == "ghost":
        maps = len(wanted[0]) // ins
        made = [(label, i, maps + o) for label, i, o in wanted[1] if maps + o < outs]
        wanted[1] = [*[("copy", i, i) for i in range(maps)], *made]
    assert drawn(figure) == wanted
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words[0] == f"{setting.name()}: which channel reads which"
    assert words.count("0") == 1 + len(wanted)  # a row for the input, and one after each convolution


@pytest.mark.usefixtures("close_figures")
def test_still_of_a_large_layer_draws_its_first_channels_and_says_so():
    figure = draw_still(explorer.explore("separable", 1024, 20).setting)
    assert [len(lines) for lines in drawn(figure)] == [16, 16 * 16]
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words[1:4] == [
        "input channel,\nfirst 16 of 1,024",
        "intermediate,\nfirst 16 of 1,024",
        "output channel,\nfirst 16 of 20",
    ]


def test_largest_counts_are_exact_in_javascript():
    most = {name: limits[1] for name, limits in LIMITS.items()}
    values = {**most, "groups": 1, "out_height": most["height"], "out_width": most["width"]}
    for price in formulas.costs().values():
        assert 2 * at(price.macs, values) < 2**53
        assert 1024 * 8 * at(price.elements_read + price.elements_written, values) < 2**53


def test_same_bytes_in_another_process():
    code = "from dslib import explorer; print(explorer.explore('ghost').html(), end='')"
    other = {**os.environ, "PYTHONHASHSEED": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=other, capture_output=True, check=True)
    assert done.stdout.decode() == explorer.explore("ghost").html()


@pytest.mark.parametrize("kind", ["standard", "separable", "ghost"])
def test_markup_is_small_alone_and_labelled(kind):
    html = explorer.explore(kind)._repr_html_()
    assert len(html.encode()) < LARGEST
    assert set(re.findall(r"https?://[^\s\"']+", html)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all(id=True), "two explorers on one page would share an id"
    fields = soup.select("input, select")
    assert len(fields) > 10
    for field in fields:
        assert field.find_parent("label").get_text(strip=True) and field.find_parent("fieldset").legend.get_text()
    assert soup.select_one(".live").has_attr("hidden") and not soup.find("table").find_parent(class_="live")
    assert soup.find("option", selected=True)["value"] == kind


def test_only_a_linkable_one_may_change_the_address():
    shown = explorer.explore()
    assert '<div class="dslib-explorer" data-lm-suppress-shortcuts="true" data-linkable>' in shown.html(linkable=True)
    assert "data-linkable>" not in shown.html()


def test_page_of_its_own_says_what_to_do_without_scripts_and_a_notebook_says_to_run_the_cell():
    off = [BeautifulSoup(explorer.explore().html(linkable), "html.parser").select(".dslib-off") for linkable in (0, 1)]
    assert [[note.get_text() for note in notes] for notes in off] == [
        ["Scripts are off here: in a notebook, run this cell to turn the knobs."],
        ["Scripts are off here: allow them, and every value below can be changed."],
    ]
