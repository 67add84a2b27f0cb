"""What those see who link to the book: each page's own description, and a front page at the site's own address."""

from bs4 import BeautifulSoup
from docutils import nodes

OF_GENERATED_PAGES = {
    "search": "Search all chapters of the book for a word or a name.",
    "genindex": "Every function, class and attribute of the library dslib, from A to Z, each with a link.",
    "py-modindex": "The modules of the library dslib, from A to Z, each with a link to what it holds.",
}
FRONT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>{title}</title>
<meta http-equiv="refresh" content="0; url={first}"/>
{about}
</head><body><p><a href="{first}">{title}</a></p></body></html>
"""
ABOUT = 'meta[name="description"], meta[property], meta[name^="twitter"], link[rel="icon"], link[rel="canonical"]'


def describe(app, pagename, templatename, context, doctree) -> None:
    """sphinxext-opengraph takes the card's words from a page's text, unless they are in ``meta``."""
    if pagename in OF_GENERATED_PAGES:
        context["metatags"] = f'<meta name="description" content="{OF_GENERATED_PAGES[pagename]}"/>'
    for meta in doctree.findall(nodes.meta) if doctree else []:
        if meta.get("name") == "description":
            context["meta"] = {**(context["meta"] or {}), "og:description": meta["content"]}


def write_front(app, error) -> None:
    """index.html leads to the first page and is described like it. Jupyter Book would write one without a word."""
    if error or app.builder.format != "html":
        return
    first = f"{app.config.root_doc}.html"
    head = BeautifulSoup((app.outdir / first).read_text(), "html.parser").head
    about = "\n".join(map(str, head.select(ABOUT))).replace('href="../', 'href="')
    text = FRONT.format(title=app.config.html_title, first=first, about=about)
    (app.outdir / "index.html").write_text(text)


def setup(app) -> dict:
    app.connect("html-page-context", describe, priority=400)  # before sphinxext-opengraph
    app.connect("build-finished", write_front)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
