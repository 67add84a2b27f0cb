"""Every page says what it is to those who link to it: a description, a card for social media, a small picture.

The description is the one in a chapter's head (``myst: html_meta: description``). A page without one is described by
its first words.
"""

import re

from docutils import nodes
from finished_pages import on_finished

LONGEST = 160  # characters that search engines show
CARD = "_static/card.png"  # 1200 x 630, drawn by `make picture`
OF_GENERATED_PAGES = {
    "search": "Search all chapters of the book for a word or a name.",
    "genindex": "Every function, class and attribute of the library dslib, from A to Z, each with a link.",
    "py-modindex": "The modules of the library dslib, from A to Z, each with a link to what it holds.",
}


def first_words(doctree) -> str:
    """The first sentences of a page, or as many words of the first as fit."""
    if doctree is None:
        return ""
    for paragraph in doctree.findall(nodes.paragraph):
        text = re.sub(r"\s+", " ", paragraph.astext()).strip()
        if len(text) >= 50:
            whole = re.match(rf".{{50,{LONGEST}}}[.!?](?= |$)", text)
            return whole[0] if whole else text[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;:.") + " …"
    return ""


def note_description(app, page: str, template: str, context: dict, doctree) -> None:
    app.descriptions[page] = OF_GENERATED_PAGES.get(page) or first_words(doctree)


def describe(app, page: str, soup) -> None:
    """Put description and card into the head; what stands there already, and doubles, goes."""
    for double in soup.select('meta[name="viewport"]')[1:] + soup.select('meta[name^="docsearch"]'):
        double.decompose()
    written = soup.find("meta", attrs={"name": "description"})
    if not written:
        written = soup.new_tag("meta", attrs={"name": "description", "content": app.descriptions.get(page, "")})
        soup.head.append(written)
    title, book = soup.title.get_text(strip=True).split(" — ")[0].split(" - ")[0], app.config.html_title
    address = app.config.html_baseurl.rstrip("/") + "/"
    card = {
        "og:type": "article",
        "og:site_name": book,
        "og:title": title,
        "og:description": written["content"],
        "og:url": f"{address}{page}.html",
        "og:image": address + CARD,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Four input channels joined to four output channels: all to all, in two groups, one to one.",
    }
    for name, content in card.items():
        soup.head.append(soup.new_tag("meta", attrs={"property": name, "content": content}))
    soup.head.append(soup.new_tag("meta", attrs={"name": "twitter:card", "content": "summary_large_image"}))


def setup(app) -> dict:
    app.descriptions = {}
    app.setup_extension("finished_pages")
    on_finished(describe)
    app.connect("html-page-context", note_description)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
