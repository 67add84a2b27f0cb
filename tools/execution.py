"""Running a notebook's cells in a fresh kernel, with the same bytes every time."""

import os
import subprocess
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from tools.chapters import ROOT

SECONDS_PER_CELL = 60


class EnvironmentMissing(Exception):
    """A chapter cannot be executed before another environment is made."""


def python_of(environment: str | None) -> str:
    """The Python of an environment, ``.venv-<name>``; this one if there is no name."""
    if environment is None:
        return sys.executable
    python = ROOT / f".venv-{environment}" / "bin" / "python"
    if not python.exists():
        raise EnvironmentMissing(f"needs another environment: make .venv-{environment}/installed")
    return str(python)


def execute(notebook: nbformat.NotebookNode, environment: str | None) -> None:
    """Run every cell in a fresh kernel inside chapters/, as nbval and a reader's Jupyter do."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two or three times faster on two cores
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(ROOT / "chapters")}},
    )
    client.create_kernel_manager().kernel_spec.argv[0] = python_of(environment)
    metadata = dict(notebook.metadata)
    try:
        client.execute(stderr=subprocess.DEVNULL)  # the kernel's own: what cells print there comes as output
    except (DeadKernelError, AssertionError):  # the second comes from its farewell
        # nbclient answers Ctrl-C by ending the kernel, and then misses it. Both their farewells would fill the screen.
        print("the kernel was ended; finished chapters are stored, the others are as they were", flush=True)
        os._exit(1)
    notebook.metadata = nbformat.from_dict(metadata)  # the kernel writes its own Python version there
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("execution", None)
