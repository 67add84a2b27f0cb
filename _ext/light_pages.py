"""A page loads what it shows: no script for live kernels, and fonts with the characters in use only.

Whole, two of the theme's icon fonts weigh 274 kB and the font for formulas 559. Here all of them together weigh 35.
"""

import hashlib
import logging
import re
from importlib.util import find_spec
from pathlib import Path

from fontTools import subset

# The icons that the theme's buttons and scripts show. A test in a browser names those that are missing here.
ICONS = "f002 f00d f019 f03a f042 f062 f065 f09b f0c9 f0eb f104 f105 f107 f135 f15b f185 f186 f1c1"
ICON_FONTS = ("fa-solid-900", "fa-regular-400", "fa-brands-400")
MATH_FONT = Path(find_spec("ziamath").origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"
FORMULA = re.compile(r"<math.*?</math>", re.DOTALL)
# Browsers show the single letter of a variable as its italic twin.
ITALICS = {*range(0x1D434, 0x1D468), *range(0x1D6FC, 0x1D71C), 0x210E}


def drop_kernels(app, pagename, templatename, context, doctree) -> None:
    """Thebe's scripts ask another host, and fail in the console since Jupyter Book names its address twice."""
    context["script_files"] = [
        script for script in context["script_files"] if "thebe" not in f"{script.filename} {script.attributes}".lower()
    ]


def write_subset(source: Path, target: Path, characters: set[int]) -> None:
    options = subset.Options(flavor="woff2", notdef_outline=True)
    font = subset.load_font(source, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, target, options)


def shrink_fonts(app, error) -> None:
    if error or app.builder.format != "html":
        return
    formulas = (part for page in app.outdir.rglob("*.html") for part in FORMULA.findall(page.read_text()))
    write_subset(MATH_FONT, app.outdir / "_static" / "formulas.woff2", ITALICS.union(map(ord, "".join(formulas))))
    for name in ICON_FONTS:
        folder = app.outdir / "_static" / "vendor" / "fontawesome" / "webfonts"
        write_subset(folder / f"{name}.ttf", folder / f"{name}.woff2", {int(code, 16) for code in ICONS.split()})


def setup(app) -> dict:
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # else each character that is kept goes into the log
    # Sphinx writes all pages again if a value like this one has changed, but not if only an extension or a style has.
    files = sorted(path for folder in ("_ext", "_static") for path in Path(app.srcdir, folder).rglob("*.*"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files if path.suffix != ".pyc")).hexdigest()
    app.add_config_value("digest_of_extensions", digest, "html")
    app.connect("html-page-context", drop_kernels, priority=900)  # after the extensions that add scripts
    app.connect("build-finished", shrink_fonts, priority=900)  # after the theme has copied its fonts
    return {"parallel_read_safe": True, "parallel_write_safe": True}
