"""Draw the pictures that no chapter computes: `make picture`.

images/overview.svg stands in README and intro, images/explorer.png in README; _static/card.png is what a link to the
book shows on social media. The explorer is photographed in Chromium.
"""

from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt

from dslib import explorer, figures
from dslib.figures import COLORS
from tools.browser import chromium

ROOT = Path(__file__).resolve().parent.parent

PICTURE = ROOT / "images" / "overview.svg"
CARD = ROOT / "_static" / "card.png"
EXPLORER = ROOT / "images" / "explorer.png"
KINDS = {"standard": 1, "grouped": 2, "depthwise": 4}  # name -> groups of four channels


def draw(path: Path = PICTURE) -> None:
    """Write the overview to ``path``, with the same bytes on every run."""
    matplotlib.use("agg")
    with matplotlib.rc_context():
        figures.use_book_style()
        figures.save_svg(figures.draw_kinds(), path)


def draw_card(path: Path = CARD) -> None:
    """Write the card to ``path``: 1200 x 630 pixels, with words that stay legible when it is shown small."""
    matplotlib.use("agg")
    figure = plt.figure(figsize=(12, 6.3), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 1200), ylim=(0, 630))
    axes.axis("off")
    axes.text(60, 515, "Depthwise separable convolution", fontsize=40, weight="bold")
    axes.text(60, 445, "by hand, with torch and as algebra: a book that runs", fontsize=25, color="#444444")
    for panel, (name, groups) in enumerate(KINDS.items()):
        draw_channels(axes, 60 + 375 * panel, groups)
        axes.text(60 + 375 * panel, 45, name, fontsize=26)
    figure.savefig(path, dpi=100, metadata={"Software": None})
    plt.close(figure)


def draw_channels(axes, left: float, groups: int, channels: int = 4) -> None:
    """Input channels above, output channels below, and a line from each input to each output that reads it."""
    size = channels // groups
    for i in range(channels):
        for j in range(channels):
            if i // size == j // size:
                axes.plot([left + 30 + 80 * i, left + 30 + 80 * j], [335, 155], color=COLORS["kernel"], linewidth=4)
        for role, bottom in (("input", 310), ("output", 130)):
            box = plt.Rectangle((left + 80 * i, bottom), 60, 50, facecolor=COLORS[role], zorder=3)
            axes.add_patch(box)


def photograph_explorer(path: Path = EXPLORER) -> None:
    """Write a picture of the explorer to ``path``: eight channels in four groups, an output cell chosen, no table."""
    shown = explorer.explore(in_channels=8, out_channels=8, groups=4, input_size=6)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 600})
        page.set_content(f'<!doctype html><html data-theme="light"><body>{shown.html()}')
        page.add_style_tag(content=".results { display: none }")
        page.locator(".dslib-explorer").screenshot(path=path)


if __name__ == "__main__":
    draw()
    draw_card()
    photograph_explorer()
