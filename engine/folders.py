"""Folders of diagrams: a folder is what is deployed together, as Camunda Modeler saves it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpmn import lint
from engine.errors import InvalidInput

#: How the names of files end that belong to a deployment.
TABLES, FORMS = lint.TABLES, lint.FORMS
ENDINGS = (*lint.DIAGRAMS, *TABLES, *FORMS)
#: Items are called by matters, so they are deployed before them.
ITEMS = "items"
#: Where Camunda Modeler looks for element templates, in the folder of a diagram and in all around it.
TEMPLATES = ".camunda/element-templates/**/*.json"
#: Keys of the processes that a diagram has, and of those that it calls: for the order of folders alone, so nothing is parsed.
_PROCESS, _CALLED = (re.compile(rb"\b" + name + rb"\s*=\s*[\"']([^\"']+)") for name in (rb"process\s[^>]*?\bid", rb"calledElement"))


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The files that are deployed together."""

    path: Path
    #: Name of the folder, which names the deployment.
    name: str
    #: Content of the files by name.
    resources: dict[str, bytes]

    @property
    def scenarios(self) -> list[str]:
        """Names of the scenarios of the matter, which are played and not deployed."""
        return sorted(file.name for file in self.path.glob("scenarios/*.yaml"))

    def named(self, pattern: re.Pattern[bytes]) -> list[bytes]:
        """What its diagrams name in an attribute, in the order of the files."""
        return [name for file, content in self.resources.items() if file.endswith(lint.DIAGRAMS) for name in pattern.findall(content)]

    @property
    def templates(self) -> dict[str, int]:
        """Newest versions of the element templates that Camunda Modeler offers for diagrams in this folder, by id."""
        found: dict[str, int] = {}
        for around in (self.path, *self.path.parents):
            for file in sorted(around.glob(TEMPLATES)):
                for template in _templates(file):
                    found[template["id"]] = max(found.get(template["id"], 0), template.get("version", 0))
        return found


def read(paths: Iterable[Path]) -> list[Folder]:
    """Read files, and folders with all that lies beneath them; items come first, and what is called before what calls it.

    Raises InvalidInput when a path is missing or holds nothing that can be deployed.
    """
    files = {file for path in paths for file in _files(path.resolve())}
    parents = sorted({file.parent for file in files}, key=lambda folder: (ITEMS not in folder.parts, folder))
    return _in_order(
        Folder(path=parent, name=parent.name, resources={file.name: file.read_bytes() for file in sorted(files) if file.parent == parent})
        for parent in parents
    )


def _in_order(folders: Iterable[Folder]) -> list[Folder]:
    """Put each folder behind those whose processes it calls, and let the order be otherwise."""
    given = list(folders)
    homes = {key: folder for folder in given for key in folder.named(_PROCESS)}
    begun: set[Path] = set()  # folders that call one another come once
    ordered: list[Folder] = []

    def add(folder: Folder) -> None:
        if folder.path not in begun:
            begun.add(folder.path)
            for home in (homes[key] for key in folder.named(_CALLED) if key in homes):
                add(home)
            ordered.append(folder)

    for folder in given:
        add(folder)
    return ordered


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise InvalidInput(f"Expected to find {path}, but there is no such file or folder")
    found = [file for file in ([path] if path.is_file() else path.rglob("*")) if file.name.endswith(ENDINGS) and file.is_file()]
    if not found:
        raise InvalidInput(f"Expected {path} to hold {', '.join(ENDINGS)} files, but there is none")
    return found


def _templates(file: Path) -> list[dict[str, Any]]:
    """Read a file of element templates: one, or a list of them; raises InvalidInput, as Modeler shows none when one is broken."""
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise InvalidInput(f"Expected {file} to hold element templates, but it is no JSON: {error}") from error
    templates = content if isinstance(content, list) else [content]
    known = [template for template in templates if isinstance(template, dict) and isinstance(template.get("id"), str)]
    return [template for template in known if isinstance(template.get("version", 0), int)]
