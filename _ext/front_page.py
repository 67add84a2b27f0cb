"""index.html, the site's own address: it leads on to the first page at once, and has the same description and card.

Jupyter Book writes one too, but empty, so that a link to the whole site would show nothing.
"""

from bs4 import BeautifulSoup

FRONT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/><title>{title}</title>
<meta http-equiv="refresh" content="0; url={first}"/>
<link rel="canonical" href="{base}{first}"/>
{about}
</head><body><p><a href="{first}">{title}</a></p></body></html>
"""
ABOUT = 'meta[name="description"], meta[property], meta[name^="twitter"], link[rel="icon"]'


def write_front(app, error) -> None:
    if error or app.builder.format != "html":
        return
    first = f"{app.config.root_doc}.html"
    head = BeautifulSoup((app.outdir / first).read_text(), "html.parser").head
    about = "\n".join(map(str, head.select(ABOUT))).replace('href="../', 'href="')
    text = FRONT.format(title=app.config.html_title, first=first, base=app.config.html_baseurl, about=about)
    (app.outdir / "index.html").write_text(text)


def setup(app) -> dict:
    app.connect("build-finished", write_front)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
