"""Every notebook as JupyterLab 4 shows it when it is opened for the first time, untrusted, and when it is run."""

import shutil

import pytest

from tests.support import lab
from tests.support.book import NOTEBOOKS, code_cells, read

LIVE = {"<walk of": ".dslib-walk", "Explorer(": ".dslib-explorer"}  # how the text begins in which a notebook has them
# Of every picture its width in pixels: none before it is there.
PICTURES = """() => Promise.all([...document.querySelectorAll(".jp-OutputArea-output img")].map(
  image => image.decode().then(() => image.naturalWidth, () => 0)))"""
SHOWN = "() => [...document.querySelectorAll('.jp-OutputArea-output')].map(output => output.innerText.trim())"


def outputs(path):
    """What the notebook stores for its cells: the data of each output by its kind."""
    return [output["data"] for cell in code_cells(read(path)) for output in cell.outputs if "data" in output]


def living(path):
    """The selector of each walk and explorer in the notebook."""
    return [css for data in outputs(path) for start, css in LIVE.items() if data["text/plain"].startswith(start)]


@pytest.fixture(scope="module")
def tab(browser, tmp_path_factory):
    """``tab(path)``: a page of JupyterLab with a copy of the notebook."""
    folder = tmp_path_factory.mktemp("notebooks")
    for path in NOTEBOOKS:
        shutil.copy(path, folder)
    contexts = []
    with lab.served(folder, tmp_path_factory.mktemp("home")) as address_of:

        def opened(path):
            contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}))
            page = contexts[-1].new_page()
            page.goto(address_of(path.name))
            cells = page.locator(".jp-Notebook .jp-Cell")
            cells.nth(len(read(path).cells) - 1).wait_for(state="attached", timeout=60_000)
            assert cells.count() == len(read(path).cells)
            return page

        yield opened
        for context in contexts:
            context.close()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_opened_untrusted_every_figure_is_a_picture(tab, path):
    """And a walk or an explorer shows its still, and says what to do, in the place of fields that do nothing."""
    page = tab(path)
    figures = sum("image/png" in data for data in outputs(path))
    page.wait_for_function(f"document.querySelectorAll('.jp-OutputArea-output img').length >= {figures}")
    widths = page.evaluate(PICTURES)
    assert len(widths) >= figures and all(width > 100 for width in widths)
    shown = page.evaluate(SHOWN)
    assert [text for text in shown if text.startswith(("<Figure", *LIVE))] == []
    assert page.locator(", ".join(LIVE.values())).count() == len(living(path))
    for css in living(path):
        live = page.locator(css)
        still = page.locator(".jp-OutputArea", has=live).locator("img")
        assert live.get_by_text("run this cell to turn the knobs").is_visible() and still.is_visible()
        assert [one for one in live.locator("button, input, select").all() if one.is_visible()] == []
    page.context.close()


def test_run_the_explorer_is_alive_and_its_still_is_gone(tab):
    path = next(path for path in NOTEBOOKS if ".dslib-explorer" in living(path))
    page = tab(path)
    live = page.locator(".dslib-explorer")
    still = page.locator(".jp-OutputArea", has=live).locator("img")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    field = live.locator("[name=in_channels]")
    field.wait_for(state="visible", timeout=120_000)
    field.fill("6")
    assert live.locator("caption").inner_text().startswith("Standard convolution: 6 to 64 channels")
    assert not live.get_by_text("run this cell to turn the knobs").is_visible() and not still.is_visible()
    page.context.close()
