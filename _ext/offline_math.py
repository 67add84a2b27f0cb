"""MathJax from this site instead of another host, so that formulas show from disk too.

The package sphinx-mathjax-offline carries all of MathJax 3, 24 MB. Pages use 2 MB: the component that reads TeX and
writes HTML, its fonts, and the TeX extensions, which it fetches when a formula needs one. late_math.js says when a page
starts it.
"""

from importlib.util import find_spec
from pathlib import Path

from finished_pages import on_finished
from sphinx.util.fileutil import copy_asset

USED = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")


LATE = Path(__file__).with_name("late_math.js").read_text()


def start_late(app, page: str, soup) -> None:
    """On a page with formulas, MathJax's own script tag gives way to the one that decides when."""
    for script in soup.select('script[src*="_static/mathjax/"]'):
        if soup.select("article .math"):
            soup.body.append(soup.new_tag("script", string=LATE.replace("MATHJAX", script["src"])))
        script.decompose()


def copy_mathjax(app, error) -> None:
    if error or app.builder.format != "html":
        return
    source = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for name in USED:
        inside = Path(name) if (source / name).is_dir() else Path(name).parent
        copy_asset(source / name, app.outdir / "_static" / "mathjax" / inside)


def setup(app) -> dict:
    app.setup_extension("finished_pages")
    on_finished(start_late)
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
