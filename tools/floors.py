"""Prints the oldest packages that dslib admits, as requirements: the floors of pyproject.toml, ``>=`` made ``==``."""

import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]
    for dependency in project["dependencies"]:
        print(dependency.replace(">=", "==", 1))  # only the first: a later one belongs to a marker
