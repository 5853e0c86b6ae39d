"""Folders of diagrams: a folder is what is deployed together, as Camunda Modeler saves it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bpmn import lint
from engine.errors import InvalidInput

#: How the names of files end that belong to a deployment.
ENDINGS = (*lint.DIAGRAMS, *lint.TABLES, *lint.FORMS)
#: Items are called by matters, so they are deployed before them.
ITEMS = "items"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The files that are deployed together."""

    #: Name of the folder, which names the deployment.
    name: str
    #: Content of the files by name.
    resources: dict[str, bytes]


def read(paths: Iterable[Path]) -> list[Folder]:
    """Read files, and folders with all that lies beneath them; items come first.

    Raises InvalidInput when a path is missing or holds nothing that can be deployed.
    """
    files = {file for path in paths for file in _files(path.resolve())}
    parents = sorted({file.parent for file in files}, key=lambda folder: (ITEMS not in folder.parts, folder))
    return [
        Folder(name=parent.name, resources={file.name: file.read_bytes() for file in sorted(files) if file.parent == parent})
        for parent in parents
    ]


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise InvalidInput(f"Expected to find {path}, but there is no such file or folder")
    found = [file for file in ([path] if path.is_file() else path.rglob("*")) if file.name.endswith(ENDINGS) and file.is_file()]
    if not found:
        raise InvalidInput(f"Expected {path} to hold {', '.join(ENDINGS)} files, but there is none")
    return found
