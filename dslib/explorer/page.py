"""The explorer as HTML: native inputs, a table that is there without JavaScript, one style, one script."""

from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files

from ..figures.fragment import scripts_off, show_with_still
from ..geometry import legal_groups, pair
from .formulas import javascript
from .setting import BYTES, KINDS, LIMITS, Setting
from .still import draw_still

SCRIPTS = ("model.js", "words.js", "draw.js", "explorer.js")
OF_A_PAGE = "allow them, and every value below can be changed"
FIELDSETS = {  # legend -> inputs with their labels
    "Channels": {"in_channels": "input, C<sub>in</sub>", "out_channels": "output, C<sub>out</sub>"},
    "Input map, pixels": {"height": "height H", "width": "width W"},
    "Kernel": {"kernel_size": "size K", "stride": "stride", "padding": "padding", "dilation": "dilation"},
    "Ghost": {"ratio": "ratio s", "dw_kernel_size": "cheap kernel d"},
}
ROWS = {  # results -> what the table calls them
    "output_size": "output size, pixels",
    "weight_shape": "weight shape",
    "params": "parameters",
    "macs": "MACs",
    "elements_read": "elements read",
    "elements_written": "elements written",
    "bytes": "memory traffic, bytes",
    "intensity": "arithmetic intensity, FLOPs per byte",
    "ratio": "MACs over the standard layer’s",
    "separable_share": "1/C<sub>out</sub> + 1/K<sup>2</sup>, what a separable pair takes",
}


@dataclass(frozen=True)
class Explorer:
    """The explorer at one setting; a notebook shows it as HTML, and a still of it. Made by :func:`explore`."""

    setting: Setting

    def html(self, linkable=False):
        """The HTML fragment. ``linkable``: keep the setting in the page's address, for a page of the site's own."""
        link, off = " data-linkable" if linkable else "", scripts_off(*[OF_A_PAGE] * linkable)
        return (
            f'<div class="dslib-explorer" data-lm-suppress-shortcuts="true"{link}>\n<style>\n{_file("explorer.css")}'
            f'</style>\n{off}<div class="live" hidden="hidden">\n{_controls(self.setting)}{_file("views.html")}</div>\n'
            f"{_table(self.setting)}</div>\n<script>\n{_script()}</script>\n"
        )

    def _ipython_display_(self):
        show_with_still(self, draw_still(self.setting))

    def _repr_html_(self):
        return self.html()

    def __repr__(self):
        values = ", ".join(f"{name}={value!r}" for name, value in asdict(self.setting).items())
        return f"Explorer({values})"


def explore(
    kind="standard",
    in_channels=8,
    out_channels=8,
    groups=1,
    kernel_size=3,
    stride=1,
    padding=1,
    dilation=1,
    input_size=(8, 8),
    ratio=2,
    dw_kernel_size=3,
    bytes_per_element=4,
):
    """An :class:`Explorer` that starts at this layer; in the page the reader changes every value of it.

    ``kind``: ``"standard"`` (one convolution, with ``groups`` from 1 to depthwise), ``"separable"`` (depthwise and
    pointwise) or ``"ghost"`` (``ratio`` = s, ``dw_kernel_size`` = d). Kernels are square, nothing has a bias; stride,
    padding and dilation belong to the first convolution. ``input_size``: pixels, one value or a pair (height, width).

    Raises ValueError for values that make no layer, or that are too large to be drawn.
    """
    height, width = pair("input_size", input_size)
    window = kernel_size, stride, padding, dilation
    sizes = kind, in_channels, out_channels, groups, *window, height, width
    return Explorer(Setting(*sizes, ratio, dw_kernel_size, bytes_per_element))


def _file(name):
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _script():
    """The formulas and the script's files in one function, so that the page gets no global names."""
    return "(() => {\n" + "\n".join([javascript(), *map(_file, SCRIPTS)]) + "})();\n"


def _controls(setting):
    """The inputs, at the values of the setting."""
    kinds = _options(KINDS, setting.kind)
    groups = legal_groups(setting.in_channels, setting.out_channels)
    slider = f'max="{len(groups) - 1}" value="{groups.index(setting.groups)}"'
    parts = [
        '<fieldset><legend>Layer</legend>\n<label class="wide"><span>kind</span> '
        f'<select name="kind" autocomplete="off">{kinds}</select></label>\n'
        '<label class="wide" data-for="standard"><span>groups G: <b data-groups></b></span>\n'
        f'<input type="range" name="groups" aria-label="groups G" data-value="{setting.groups}" min="0" {slider} '
        'autocomplete="off">\n'
        '<span class="note" data-legal></span></label>\n</fieldset>\n'
    ]
    for legend, inputs in FIELDSETS.items():
        only = ' data-for="ghost"' if legend == "Ghost" else ""
        labels = "".join(_number(name, label, getattr(setting, name)) for name, label in inputs.items())
        parts.append(f"<fieldset{only}><legend>{legend}</legend>\n{labels}</fieldset>\n")
    sizes = _options(BYTES, setting.bytes_per_element)
    parts.append(
        "<fieldset><legend>Memory</legend>\n<label><span>bytes per element</span> "
        f'<select name="bytes_per_element" autocomplete="off">{sizes}</select></label>\n</fieldset>\n'
    )
    return f'<div class="controls">\n{"".join(parts)}</div>\n'


def _options(choices, chosen):
    return "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{words}</option>'
        for value, words in choices.items()
    )


def _number(name, label, value):
    least, most = LIMITS[name]
    step = 2 if name == "dw_kernel_size" else 1  # an odd kernel keeps the size
    limits = f'min="{least}" max="{most}" step="{step}" value="{value}" required'
    return f'<label><span>{label}</span> <input type="number" name="{name}" {limits} autocomplete="off"></label>\n'


def _table(setting):
    """What the setting gives, worked out here; the script keeps it up to date."""
    rows = []
    for name, words in setting.results().items():
        span = ' colspan="2"' if len(words) == 1 else ""
        cells = "".join(
            f'<td{span} data-{column}="{name}">{word}</td>'
            for column, word in zip(("own", "dense"), words, strict=False)
        )
        rows.append(f'<tr><th scope="row">{ROWS[name]}</th>{cells}</tr>\n')
    return (
        f'<table class="results">\n<caption>{setting.words()}</caption>\n'
        '<thead><tr><td></td><th scope="col">this layer</th><th scope="col">standard layer</th></tr></thead>\n'
        f"<tbody>\n{''.join(rows)}</tbody>\n</table>\n"
    )
