"""A page fragment that lives by its script, in a notebook: what it says and shows where scripts are off.

From a notebook that it does not trust yet JupyterLab drops scripts, styles, of an SVG all but its bare numbers, and
attributes without a value. So controls are ``hidden="hidden"`` until the script runs, and an SVG but for the style.
"""

import matplotlib.pyplot as plt

# What a cell shows right after the fragment is hidden, wherever the fragment's own style is in force: on the site, in
# JupyterLab's trusted notebooks and in classic ones. There the fragment is the better picture.
STYLE = """:is(.cell_output>.output,.output_area,.jp-OutputArea-child):has(.dslib-off)+*{display:none}
@media print{.dslib-off{display:none}}"""


def scripts_off(advice="in a notebook, run this cell to turn the knobs"):
    """The words of a fragment where scripts are off. Its script hides ``.dslib-off`` when it has started."""
    words = f"<strong>Scripts are off here: {advice}.</strong>"
    return f'<style>{STYLE}</style>\n<p class="dslib-off" style="margin:0 0 .75rem">{words}</p>\n'


def show_with_still(fragment, figure):
    """Show an object with ``_repr_html_`` in a notebook, and below it a still of it, as a second output.

    JupyterLab prefers what it leaves of the HTML to any picture in the same output. Hence the second one.
    """
    from IPython.display import display  # here: only a notebook calls this

    plt.close(figure)  # else it is shown once more at the end of the cell
    display({"text/html": fragment._repr_html_(), "text/plain": repr(fragment)}, raw=True)
    display(figure)
