"""404.html, for an address that leads nowhere.

GitHub Pages shows it at whatever address was asked for, however deep, where relative links and files would be looked
for in the wrong place. So the page needs no file, and its two links are whole addresses.
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="robots" content="noindex"/>
<meta name="description" content="Nothing is kept at this address. The book starts at its first page."/>
<title>No such page — {title}</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas; color: CanvasText; }}
  body {{ max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem; font: 1.1rem/1.6 system-ui, sans-serif; }}
</style>
</head><body><main>
<h1>No such page</h1>
<p>Nothing is kept at this address. It may have been mistyped, or the page may have been renamed.</p>
<p><a href="{base}{first}.html">Start at the first page</a> of <em>{title}</em>,
or <a href="{base}search.html">search the book</a>.</p>
</main></body></html>
"""


def write_missing(app, error) -> None:
    if error or app.builder.format != "html":
        return
    base = app.config.html_baseurl.rstrip("/") + "/"
    page = PAGE.format(title=app.config.html_title, base=base, first=app.config.root_doc)
    (app.outdir / "404.html").write_text(page)


def setup(app) -> dict:
    app.connect("build-finished", write_missing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
