"""``{explorer}`` puts the explorer of dslib into a page of the site, its setting in the page's address."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import dslib
from dslib import explorer


class ExplorerDirective(SphinxDirective):
    """The explorer at its first setting; other builders than HTML leave it out."""

    def run(self) -> list:
        for path in Path(dslib.__file__).parent.rglob("*.*"):  # Sphinx writes the page again if one has changed
            if path.suffix in (".py", ".js", ".css", ".html"):
                self.env.note_dependency(str(path))
        return [nodes.raw("", explorer.explore().html(linkable=True), format="html")]


def setup(app) -> dict:
    app.add_directive("explorer", ExplorerDirective)
    return {"env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}  # 1: pages note what they use
