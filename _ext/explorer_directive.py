"""``{explorer}`` puts the explorer of dslib into a page of the site, its setting in the page's address."""

from docutils import nodes
from docutils.parsers.rst import Directive

from dslib import explorer


class ExplorerDirective(Directive):
    """The explorer at its first setting; other builders than HTML leave it out."""

    def run(self) -> list:
        return [nodes.raw("", explorer.explore().html(linkable=True), format="html")]


def setup(app) -> dict:
    app.add_directive("explorer", ExplorerDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
