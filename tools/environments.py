"""Virtual environments: .venv, in which everything happens, and one for each part of `make prove` that needs its own.

    python3 -m tools.environments NAME            make one if its packages have changed: book, colab, floors, ...
    python3 -m tools.environments with newest     our packages, but for torch: the newest, or a version

Runs in any Python from 3.11 on, before anything is installed.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of our own versions, what runs notebooks and tests among old packages.
RUNNERS = r"(pillow|ipykernel|ipython|nbformat|nbclient|beautifulsoup4|pyyaml|pytest|pytest-xdist|hypothesis|ruff)=="
CUDA = """\
    On this machine pip takes the CUDA build of torch: 4 GB more, which nothing here uses. To avoid it, interrupt
    this and set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU wheels: README.md, "Install", has the address."""


@dataclass(frozen=True)
class Environment:
    """What pip installs, and what is said before it starts."""

    holds: str
    size: str  # on disk, with the CPU build of torch
    requirements: Callable[[], list[str]]
    python: str | None = None  # the version that is looked for; the Python that runs this where it is not found


def folder_of(name: str) -> Path:
    """Where an environment is: .venv is that of the book, .venv-NAME each other."""
    return ROOT / (".venv" if name == "book" else f".venv-{name}")


def python_of(name: str) -> Path:
    """The Python of an environment."""
    return folder_of(name) / "bin" / "python"


def lines_of(name: str) -> list[str]:
    """The requirements that a file lists, those of files that it names included."""
    found = []
    for line in (ROOT / name).read_text().splitlines():
        line = line.partition("#")[0].strip()
        found += lines_of(line[3:]) if line.startswith("-r ") else [line] * bool(line)
    return found


def admitted() -> list[str]:
    """What dslib and its extra for the course admit: the floors of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project["dependencies"] + project["optional-dependencies"]["course"]


def floors() -> list[str]:
    """The oldest packages that are admitted, and at our versions what runs notebooks and tests among them."""
    oldest = [line.replace(">=", "==", 1) for line in admitted()]  # only the first: a later one belongs to a marker
    return oldest + [line for line in lines_of("requirements.txt") if re.match(RUNNERS, line)]


def another(torch: str) -> Environment:
    """Our own packages with another torch: ``newest``, a version, or the ``pinned`` one, for another Python."""
    lines = lines_of("requirements.txt")
    if torch != "pinned":
        lines = [line for line in lines if not re.match("(torch|sympy)==", line)]  # each torch wants a sympy of its own
        lines.append("torch" if torch == "newest" else f"torch=={torch}")
    return Environment(f"all that the book needs, with torch: {torch}", "1.8 GB", lambda: lines)


ENVIRONMENTS = {
    "book": Environment("all that the book needs", "1.8 GB", lambda: lines_of("requirements.txt")),
    "colab": Environment(
        "what Colab has and the chapters use, in its versions",
        "1.8 GB",
        lambda: lines_of("requirements-colab.txt"),
        python="3.13",
    ),
    "floors": Environment("the oldest packages that dslib admits", "1.7 GB", floors),
    "frameworks": Environment(
        "all that the book needs, OpenCV, ONNX, PaddlePaddle, TensorFlow and JAX",
        "4.6 GB",
        lambda: lines_of("requirements-frameworks.txt"),
    ),
    "jupyterlab": Environment(
        "JupyterLab; its kernel is that of .venv",
        "0.25 GB",
        lambda: lines_of("requirements-jupyterlab.txt"),
    ),
    "zoo": Environment(
        "all that the book needs, timm, torchvision, transformers, diffusers and Triton",
        "2.7 GB",
        lambda: lines_of("requirements-zoo.txt"),
    ),
}


def run(*command: str | Path) -> str:
    """What a command prints; empty if it fails or does not exist."""
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def version_of(python: str | Path) -> str:
    """Such as 3.13.0; empty if it does not run."""
    return run(python, "-c", "import platform; print(platform.python_version())")


def find_python(wanted: str | None) -> str:
    """A Python of the wanted version, on the path or from pyenv; else the one that runs this."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    for python in [f"python{wanted}", *sorted(pyenv.glob(f"{wanted}.*/bin/python"))] if wanted else []:
        if version_of(python):
            return str(python)
    return sys.executable


def takes_cuda(python: Path, requirements: list[str]) -> bool:
    """Whether pip would install the CUDA build of torch. It is asked which versions it sees; nothing is fetched."""
    torch = next((line for line in requirements if re.fullmatch(r"torch(==[\d.]+)?", line)), None)
    if torch is None or sys.platform != "linux" or platform.machine() != "x86_64":
        return False
    listed = re.findall(r"versions: (.*)", run(python, "-m", "pip", "index", "versions", "torch"))
    versions = listed[0].split(", ") if listed else []
    wanted = torch.partition("==")[2] or (versions[0].partition("+")[0] if versions else "")
    same = [version for version in versions if re.fullmatch(rf"{re.escape(wanted)}(\.0)*(\+.*)?", version)]
    return bool(same) and not any(version.endswith("+cpu") for version in same)


def make(name: str, environment: Environment) -> None:
    """Bring an environment up to date, in silence if it is; what is fetched is said before it starts."""
    requirements, folder = environment.requirements(), folder_of(name)
    inside = Path(sys.prefix).resolve() == folder  # then it cannot be removed
    python = sys.executable if inside else find_python(environment.python)
    admits = admitted() if any(line.startswith("-e") for line in requirements) else []
    wanted = "\n".join([f"# Python {version_of(python)}", *(f"# {line}" for line in admits), *requirements, ""])
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    if not inside:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
    print(f"{folder.name}: {environment.holds}; by pip, for Python {version_of(python)}, {environment.size} on disk")
    if takes_cuda(python_of(name), requirements):
        print(CUDA)
    sys.stdout.flush()
    listed = folder / "requirements.txt"
    listed.write_text("\n".join(requirements))
    subprocess.run([python_of(name), *"-m pip install --quiet -r".split(), listed], check=True, cwd=ROOT)
    stamp.write_text(wanted)


def main(name: str, torch: str = "") -> None:
    if name != "with" and name not in ENVIRONMENTS:
        raise SystemExit(f"no such environment: {name}; there are {', '.join(ENVIRONMENTS)} and with")
    try:
        make(name, another(torch) if name == "with" else ENVIRONMENTS[name])
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"failed: {' '.join(map(str, error.cmd))}") from None
    except KeyboardInterrupt:
        raise SystemExit("interrupted") from None


if __name__ == "__main__":
    main(*sys.argv[1:])
