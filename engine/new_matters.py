"""New matters (新主题): a folder to begin a matter with, which can be deployed and played as it is."""

from __future__ import annotations

import re
from pathlib import Path

from engine.errors import InvalidInput, InvalidState

#: The files of a starter; they are a matter by themselves, with a key and a name that are replaced.
SHIPPED = Path(__file__).parent / "starter"
KEY, NAME = "starter", "新主题"
#: What may begin ids in a diagram and stand in a path.
LEGAL = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def create(around: Path, key: str, name: str) -> Path:
    """Make the folder of a new matter in another folder, and return it.

    It holds a diagram with all five shapes, two items, tables, forms and a scenario.  Raises InvalidInput for a key or a name that is none,
    InvalidState when the folder is there already.
    """
    if not LEGAL.fullmatch(key):
        raise InvalidInput(f"Expected a key of small letters, digits and single underscores, such as open_pharmacy, but got {key!r}")
    if not name.strip() or any(letter in name for letter in "<>&\"'\\\n"):
        raise InvalidInput(f"Expected a name that people read, without quotation marks and <>&\\, but got {name!r}")
    folder = around / key.replace("_", "-")
    if folder.exists():
        raise InvalidState(f"Expected to make {folder}, but it is there already")
    for source in sorted(SHIPPED.rglob("*.*")):
        target = folder / str(source.relative_to(SHIPPED)).replace(KEY, folder.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        content = source.read_text(encoding="utf-8")
        target.write_text(content.replace(KEY, key).replace(NAME, name), encoding="utf-8", newline="\n")
    return folder
