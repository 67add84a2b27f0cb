"""The repository's address in pages: links that need no network stay inside the site, and none leads nowhere.

Colab opens notebooks only, so notebooks name the site's address for ``notation.md`` and its kind. Here the built page
is beside them. And while nobody has set the address (``make url``), pages have no buttons that would need it.
"""

import re
from pathlib import Path

UNKNOWN = "OWNER/REPO"
BADGE = "(?:Open in Colab|Read on the site)"


def forget_unknown(app, config) -> None:
    """Without an address: no buttons for Colab and the repository, no canonical address."""
    app.site = config.html_baseurl  # as notebooks have it
    if UNKNOWN in config.html_theme_options["repository_url"]:
        config.html_baseurl = ""
        buttons = {"launch_buttons": {}, "use_repository_button": False, "use_issues_button": False}
        config.html_theme_options = {**config.html_theme_options, **buttons}
    config.ogp_site_url = config.html_baseurl


def bring_home(app, docname: str, source: list[str]) -> None:
    """Turn ``](https://.../chapters/notation.html)`` in a notebook into ``](notation.md)``."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return

    def local(match: re.Match) -> str:
        is_text = app.env.doc2path(f"{Path(docname).parent}/{match[1]}").endswith(".md")
        return f"]({match[1]}.md{match[2] or ''})" if is_text else match[0]

    address = re.escape(f"{app.site}{Path(docname).parent}/")
    source[0] = re.sub(rf"\]\({address}(\w+)\.html(#[\w-]+)?\)", local, source[0])
    if not app.config.html_baseurl:
        source[0] = re.sub(rf"\[!\[{BADGE}\]\([^)]*\)\]\([^)]*\)", "", source[0])


def setup(app) -> dict:
    app.connect("config-inited", forget_unknown)
    app.connect("source-read", bring_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
