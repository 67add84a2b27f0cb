"""The folded solutions run after their chapter's set-up cell alone, and the checks that they carry hold."""

import matplotlib
import pytest
from book import NOTEBOOKS, SLUGS, SOLUTION, code_cells, prose, read
from IPython.core.inputtransformer2 import TransformerManager


@pytest.mark.parametrize("path", NOTEBOOKS, ids=SLUGS)
def test_solutions(path):
    matplotlib.use("agg")
    notebook = read(path)
    setup = TransformerManager().transform_cell(code_cells(notebook)[0].source)  # %pip is no plain Python
    for number, solution in enumerate(SOLUTION.findall(prose(notebook)), start=1):
        assert "assert" in solution, f"solution {number} checks nothing"
        names = {}
        exec(compile(setup, f"{path.name}, set-up", "exec"), names)
        exec(compile(solution, f"{path.name}, solution {number}", "exec"), names)
