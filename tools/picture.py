"""Draw images/overview.svg, the picture of README and intro: `make picture`."""

from pathlib import Path

import matplotlib

from dslib import figures

PICTURE = Path(__file__).resolve().parent.parent / "images" / "overview.svg"


def draw(path: Path = PICTURE) -> None:
    """Write the picture to ``path``, with the same bytes on every run."""
    matplotlib.use("agg")
    with matplotlib.rc_context():
        figures.use_book_style()
        figures.save_svg(figures.draw_kinds(), path)


if __name__ == "__main__":
    draw()
