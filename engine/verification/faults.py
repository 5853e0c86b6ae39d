"""Faults (差错): what a verification finds, where it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """What is not as it was written."""

    JOURNAL = "journal"  #: 流转记录: an entry is missing, was changed, or is one too many
    ADMINISTRATION = "administration"  #: 系统管理: an entry of who has changed what is missing, was changed, or is one too many
    STATE = "state"  #: 令牌状态: the token state of an instance, or a row of it, cannot be read
    PROJECTION = "projection"  #: 投影: the rows of an instance do not say what its token state says
    STUCK = "stuck"  #: 停滞: something should have gone on by itself, and has not
    LOCK = "lock"  #: 锁: something is held by nobody
    MATERIAL = "material"  #: 材料: a file is missing, or is not what was handed in
    RESOURCE = "resource"  #: 部署文件: a deployed file is not what was deployed
    ARCHIVE = "archive"  #: 归档: the document of an archived case is not what was put away
    REFERENCE = "reference"  #: 引用: a row refers to one that is not there, or the file of the database is damaged


_RESTORE = "Restore the newest backup elsewhere (onething restore) and compare"
#: What to do about each kind.
ADVICE: Mapping[FaultKind, str] = {
    FaultKind.JOURNAL: f"Somebody has written past the engine. {_RESTORE} the entries of this case; tell the supervisor, and keep both.",
    FaultKind.ADMINISTRATION: f"Somebody has written past the engine. {_RESTORE} the table administration, and the log; keep all.",
    FaultKind.STATE: f"The case cannot go on. {_RESTORE} the row of this instance; deploy nothing over its definition.",
    FaultKind.PROJECTION: f"Somebody has written past the engine, or it has a fault. {_RESTORE} the rows of this instance; report it.",
    FaultKind.STUCK: "See that a scheduler runs (onething work, or serve without --no-scheduler) and what its log says; then verify again.",
    FaultKind.LOCK: "End the session that holds it, or unlock the task; whoever worked on it will find it free.",
    FaultKind.MATERIAL: "Put the file back from a backup (materials/ab/cd/SHA256), or ask the applicant to hand it in again.",
    FaultKind.RESOURCE: f"{_RESTORE} the file; running cases of this deployment must not go on before.",
    FaultKind.ARCHIVE: f"{_RESTORE} this row of archived_cases; put it back.",
    FaultKind.REFERENCE: "Stop writing, copy the database as it is, and restore the newest backup (onething restore).",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is not as it should be."""

    kind: FaultKind
    #: Where: an instance with its case, a material, a file, a table.
    about: str
    #: "Expected X, but Y".
    message: str

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.kind]
