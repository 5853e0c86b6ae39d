"""Checks (检查): what a deployment of folders would say, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bpmn import lint
from bpmn.errors import Finding
from bpmn.lint import Bundle, Known
from bpmn.matter.facts import DrawnItem
from engine import functions, vocabulary
from engine.folders import Folder


@dataclass(frozen=True, kw_only=True)
class Located:
    """A finding and the file that it is about."""

    path: Path
    finding: Finding


def located(path: Path, rule: str, message: str, *, line: int) -> Located:
    """Say what is wrong with a file that is not deployed."""
    return Located(path=path, finding=Finding(severity="error", rule=rule, message=message, line=line, resource=path.name))


def locate(folder: Folder, found: list[Located]) -> Callable[[Finding], None]:
    """Return a function that appends a finding, with its file, to a list."""
    return lambda finding: found.append(_in(folder, finding))


def check(folders: Iterable[Folder]) -> Iterator[Located]:
    """Yield everything that is wrong with folders, were they deployed one after the other where nothing is deployed yet."""
    homes: dict[str, Path] = {}
    for folder, bundle, found in read(folders):
        yield from (_in(folder, finding) for finding in lint.judge(bundle, found, folder.resources))
        for resource, process in bundle.processes:
            home, path = homes.setdefault(process.key, folder.path / resource), folder.path / resource
            if home.parent.absolute() != path.parent.absolute():
                message = (
                    f"Expected the process {process.key!r} in one folder, but {home} has it, too, "
                    "and one would be a new version of the other: if this is a copy, give the process another id"
                )
                yield located(path, "duplicate-key", message, line=process.line)


def read(folders: Iterable[Folder]) -> Iterator[tuple[Folder, Bundle, list[Finding]]]:
    """Yield what each folder holds, and what is wrong with its files; each knows of those before it."""
    processes: frozenset[str] = frozenset()
    items: dict[str, DrawnItem] = {}
    broken: list[str] = []
    for folder in folders:
        known = Known(
            functions=functions.NAMES,
            words=vocabulary.WORDS,
            variables=functions.VARIABLES,
            processes=processes,
            items=dict(items),
            broken=tuple(broken),
            scenarios=folder.scenarios,
            templates=folder.templates,
        )
        bundle, found = lint.examine(folder.resources, known)
        yield folder, bundle, found
        processes |= {process.key for _, process in bundle.processes}
        items |= bundle.items
        broken += [name for name in bundle.broken if name.endswith(lint.DIAGRAMS)]


def _in(folder: Folder, finding: Finding) -> Located:
    return Located(path=folder.path / finding.resource, finding=finding)
