"""What is shipped, and the starter with something in it retyped: what lint is tried on."""

from __future__ import annotations

from pathlib import Path

from engine.new_matters import SHIPPED

#: The starter, and the folders of matters and items.
FOLDERS = [SHIPPED, *(Path(__file__).parents[2] / "workflows").glob("[a-z]*")]


def read(folder: Path) -> dict[str, bytes]:
    """The files of a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


STARTER = read(SHIPPED)


def retyped(file: str, written: str, mistaken: str) -> dict[str, bytes]:
    """The starter, with what is first written so in a file written otherwise."""
    content = STARTER[file].replace(written.encode(), mistaken.encode(), 1)
    assert content != STARTER[file]
    return STARTER | {file: content}
