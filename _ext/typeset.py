"""Formulas are typeset when the book is built, as MathML: a page shows and prints them without a script.

The package math-core turns TeX into MathML. What it cannot read is a warning, which fails a strict build.
"""

import hashlib
import html

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.util import logging

CONVERTER = LatexToMathML(annotation=True, fancy_error=False)  # the annotation keeps the TeX; browsers don't show it
WARNINGS = logging.getLogger(__name__)


def mathml(node: nodes.Element, display: bool) -> str:
    tex = node.astext().strip()
    try:
        return CONVERTER.convert_with_local_state(tex, displaystyle=display)
    except LatexError as error:
        WARNINGS.warning("%s in the formula %s", error, tex, location=node)
        return f"<code>{html.escape(tex)}</code>"


def anchor(block: nodes.math_block, document: nodes.document) -> str:
    """Made from the formula's text, so that links to it last while others come and go."""
    tex = block.astext()
    twins = [other for other in document.findall(nodes.math_block) if other.astext() == tex]
    digest = hashlib.sha256("".join(tex.split()).encode()).hexdigest()[:8]
    return f"formula-{digest}" + (f"-{twins.index(block) + 1}" if block is not twins[0] else "")


def visit_inline(self, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate") + mathml(node, False) + "</span>")
    raise nodes.SkipNode


def visit_block(self, node: nodes.math_block) -> None:
    """The theme's script makes what has its class for wide tables reachable by keyboard where it has to scroll."""
    node["ids"] = node["ids"] or [anchor(node, self.document)]
    self.body.append(self.starttag(node, "div", "", CLASS="math notranslate pst-scrollable-table-container"))
    self.body.append(mathml(node, True))
    self.add_permalink_ref(node, "Link to this formula")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app) -> dict:
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
