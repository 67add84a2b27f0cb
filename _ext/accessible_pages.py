"""What a reader without a mouse, or with a small screen, needs and the theme leaves out."""

import hashlib
import re

from finished_pages import on_finished


def name_buttons(app, page: str, soup) -> None:
    """A button is called what it shows: its label must not hide the words on it (WCAG 2.5.3)."""
    for button in soup.select("button[aria-label]"):
        if button.get_text(strip=True):
            del button["aria-label"]


def drop_empty_title(app, page: str, soup) -> None:
    """A page without a text behind it has no title for print, but the theme writes the heading."""
    for heading in soup.select("#jb-print-docs-body h1"):
        if not heading.get_text(strip=True):
            heading.find_parent(id="jb-print-docs-body").decompose()


def reach_scrollers(app, page: str, soup) -> None:
    """The theme's script gives what has its class a tab stop while it is wider than the screen: formulas too, then."""
    for wide in soup.select('article div.math, article div[style*="overflow-x"]'):
        wide["class"] = [*wide.get("class", []), "pst-scrollable-table-container"]


def anchor_formulas(app, page: str, soup) -> None:
    """Each displayed formula can be linked to. Its anchor comes from its text, so it stays when others come or go."""
    seen = {}
    for formula in soup.select("article div.math"):
        if formula.get("id") or formula.find(id=True):
            continue  # labelled by the author
        digest = hashlib.sha256(re.sub(r"\s", "", formula.get_text()).encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        formula["id"] = f"formula-{digest}" + (f"-{seen[digest]}" if seen[digest] > 1 else "")
        link = soup.new_tag(
            "a", attrs={"class": "headerlink", "href": f"#{formula['id']}", "title": "Link to this formula"}
        )
        link.string = "#"
        formula.append(link)


def size_pictures(app, page: str, soup) -> None:
    """Room is kept for a picture before it comes, so that the text does not jump; those far below come late."""
    sources = {name: source for source, name in app.builder.images.items()}
    for n, image in enumerate(soup.select("article img")):
        source = sources.get(image["src"].rpartition("/")[2], "")
        if n:
            image["loading"] = "lazy"
        if not source.endswith(".svg") or image.get("width"):
            continue
        head = (app.srcdir / source).read_text()[:2000]
        size = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', head)
        if size:
            unit = 96 / 72 if re.search(r'width="[\d.]+pt"', head) else 1  # matplotlib writes points
            image["width"], image["height"] = (round(float(side) * unit) for side in size.groups())


def setup(app) -> dict:
    app.setup_extension("finished_pages")
    for mend in (name_buttons, drop_empty_title, reach_scrollers, anchor_formulas, size_pictures):
        on_finished(mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
