"""Differences (版本差异): what changed between two versions of files, on disk or deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bpmn import difference
from bpmn.difference import Change
from bpmn.errors import DocumentError
from engine import deployments, folders, versions
from engine.errors import InvalidInput

#: `Change` is named here for those who may not know `bpmn`.
__all__ = ["Change", "Side", "between", "deployed", "on_disk"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two versions."""

    files: Mapping[str, bytes]
    #: The process that is meant; None: all that is there.
    process: str | None = None


def on_disk(path: Path) -> Side:
    """Read a file, or a folder with all that lies beneath it; raises InvalidInput."""
    found = folders.read([path])
    return Side(files={f"{folder.name}/{name}": content for folder in found for name, content in folder.resources.items()})


def deployed(session: Session, key: str, version: int) -> Side:
    """Read a version of a process, with the tables and forms that were deployed with it; raises NotFound."""
    deployment = deployments.get(session, versions.find(session, key, version).deployment_id)
    names = deployments.resources_of(session, deployment)
    return Side(files={name: deployments.content_of(session, deployment, name) for name in names}, process=key)


def between(before: Side, after: Side) -> list[Change]:
    """Say what changed; raises InvalidInput for files that could not be deployed."""
    try:
        return difference.between(before.files, after.files, process=before.process or after.process)
    except DocumentError as error:
        raise InvalidInput(f"Expected files that can be read, but {error}") from error
