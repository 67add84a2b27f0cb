"""Let other extensions mend a page when its HTML is finished.

Sphinx has no event for that: what the theme's templates write can only be changed by copying the templates, which age.
So the renderer is wrapped once, each page is parsed once, and every mend gets the same tree.
"""

import hashlib
from pathlib import Path

from bs4 import BeautifulSoup

MENDS = []


def on_finished(mend) -> None:
    """Call ``mend(app, page, soup)`` for each page, in the order of registration; ``page`` is its name, no suffix."""
    if mend not in MENDS:
        MENDS.append(mend)


def wrap_renderer(app) -> None:
    if app.builder.format != "html":
        return
    render = app.builder.templates.render

    def render_and_mend(template: str, context: dict) -> str:
        text = render(template, context)
        if not text.lstrip().startswith("<!DOCTYPE html>"):
            return text  # a part of a page, which the theme renders by itself
        soup = BeautifulSoup(text, "html.parser")
        for mend in MENDS:
            mend(app, context["pagename"], soup)
        return str(soup)

    app.builder.templates.render = render_and_mend


def setup(app) -> dict:
    # Sphinx writes pages again if a value like this one has changed, but not by itself if an extension has
    files = sorted(path for path in Path(__file__).parent.iterdir() if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    app.add_config_value("digest_of_extensions", digest, "html")
    app.connect("builder-inited", wrap_renderer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
