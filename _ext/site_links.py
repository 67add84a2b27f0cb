"""Links of a notebook to pages that are no notebooks: to the published site in Colab, to the built page beside it here.

Colab opens notebooks only, so ``tools/notebooks.py`` gives them the site's address for ``notation.md`` and its kind.
"""

import re
from pathlib import Path


def bring_home(app, docname: str, source: list[str]) -> None:
    """Turn ``](https://.../chapters/notation.html)`` in a notebook into ``](notation.md)``."""
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return

    def local(match: re.Match) -> str:
        is_text = app.env.doc2path(f"{Path(docname).parent}/{match[1]}").endswith(".md")
        return f"]({match[1]}.md{match[2] or ''})" if is_text else match[0]

    address = re.escape(f"{app.config.html_baseurl}{Path(docname).parent}/")
    source[0] = re.sub(rf"\]\({address}(\w+)\.html(#[\w-]+)?\)", local, source[0])


def setup(app) -> dict:
    app.connect("source-read", bring_home)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
