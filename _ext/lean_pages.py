"""A page loads what it uses, and nothing that it does not wait for stands in its way.

The theme and its extensions put nine style sheets and a dozen scripts on every page, whether it needs them or not:
0.8 MB gzipped, most of it icons. Here the scripts that nothing on a page needs are dropped and the others deferred; the
style sheets become one file with the rules that some page can match; the icon fonts keep the icons that it names.
"""

import re
from pathlib import Path

from finished_pages import on_finished
from fontTools import subset

BUNDLE = "_static/styles/site.css"
# What a script is for: it stays on a page only if something there matches. None: on no page.
NEEDED_BY = {
    "thebe": None,  # live kernels from another host; declared twice, which is an error in the console
    "fontawesome.js": None,  # the icons once more, as 1.5 MB of script; the fonts show the same
    "DOCUMENTATION_OPTIONS.": None,  # a version switcher and a search while typing, which the book does not have
    "toggle": ".toggle, .admonition.dropdown",
    "design-tabs": ".sd-tab-set",
    "clipboard": "div.highlight",
    "copybutton": "div.highlight",
    "searchtools": "#search-results",  # elsewhere the search field leads to the search page
    "language_data": "#search-results",
    "searchindex": "#search-results",
}


def lighten(app, page: str, soup) -> None:
    """Drop scripts that nothing needs, defer the others, and put one style sheet in the place of all."""
    for script in soup.find_all("script"):
        text = script.get("src") or script.string or ""
        selectors = [selector for word, selector in NEEDED_BY.items() if word in text]
        if script.get("type") == "text/x-thebe-config" or "kernelName" in text:
            script.decompose()
        elif script.find_parent("article") or "MathJax" in text:
            continue  # a page's own
        elif any(selector is None or not soup.select(selector) for selector in selectors):
            script.decompose()
        elif script.get("src"):
            script.attrs.pop("async", None)
            script["defer"] = ""
    for link in soup.select('link[rel="preload"]'):
        link.decompose()
    bundle_links(app, soup)


def bundle_links(app, soup) -> None:
    links = soup.select('head link[rel="stylesheet"]')
    names = [link["href"].partition("?")[0].partition("_static/")[2] for link in links]
    for name in names:
        if name not in app.lean_styles and "thebe" not in name:
            app.lean_styles.append(name)
    links[0].attrs = {"rel": "stylesheet", "href": soup.html["data-content_root"] + BUNDLE}
    for link in links[1:]:
        link.decompose()


def matchable(css: str, words: set[str]) -> str:
    """The style sheet without rules that need a class which no page and no script ever mentions."""

    def keep(rule: re.Match) -> str:
        selectors = re.sub(r":not\([^()]*\)", "", rule[1])
        if selectors.lstrip().startswith("@") or "%" in selectors:
            return rule[0]
        needs = (re.findall(r"\.((?:[\w-]|\\.)+)", part) for part in selectors.split(","))
        return rule[0] if any(words.issuperset(re.sub(r"\\", "", name) for name in part) for part in needs) else ""

    return re.sub(r"([^{}]+)\{[^{}]*\}", keep, re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))


def subset_font(path: Path, characters: set[int]) -> None:
    """A font with these characters only, beside the whole one, as ``.woff``."""
    options = subset.Options(flavor="woff", layout_features=[], notdef_outline=True)
    font = subset.load_font(path, options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, path.with_suffix(".woff"), options)


def write_bundle(app, error) -> None:
    """Write the one style sheet, and the fonts that it names."""
    if error or app.builder.format != "html" or not app.lean_styles:
        return
    static = app.outdir / "_static"
    texts = [
        path.read_text() for path in [*app.outdir.rglob("*.html"), *static.rglob("*.js")] if "mathjax" not in path.parts
    ]
    words = set(re.findall(r"[\w-]+", " ".join(texts)))
    sheets = [(static / name).read_text() for name in ["basic.css", *app.lean_styles]]
    css = re.sub(r'@import "[^"]*";', "", "\n".join(sheets)).replace("url(file.png)", "url(../file.png)")
    css = re.sub(
        r'url\(([^()]*)\.woff2\) format\("woff2"\),url\([^()]*\.ttf\) format\("truetype"\)',
        r'url(\1.woff) format("woff")',
        css,
    )
    css = matchable(css, words)
    (app.outdir / BUNDLE).write_text(css)
    icons = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})", css)}
    for font in (static / "vendor" / "fontawesome" / "webfonts").glob("*.ttf"):
        subset_font(font, icons)


def setup(app) -> dict:
    app.lean_styles = []
    app.setup_extension("finished_pages")
    on_finished(lighten)
    app.connect("build-finished", write_bundle, priority=900)  # after the theme has written its own sheets
    return {"parallel_read_safe": True, "parallel_write_safe": True}
