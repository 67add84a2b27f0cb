"""Files are replaced in one step: an interruption leaves the old one or the new one, never half of either."""

from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write the text beside the file first, then put it in the file's place."""
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
