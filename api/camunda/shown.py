"""Definitions and instances as Camunda's clients read them, and the ids by which they ask."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from engine.errors import NotFound
from engine.holdings import Held
from engine.models import Definition, Instance
from engine.states import InstanceStatus, TaskStatus

#: What Camunda says of cases of CMMN, of which there are none.
NO_CASE = dict.fromkeys(("caseDefinitionKey", "caseDefinitionId", "caseInstanceId", "caseExecutionId"))
#: Camunda's names for the statuses of tasks.
TASK_STATES = {TaskStatus.OPEN: "Created", TaskStatus.COMPLETED: "Completed", TaskStatus.CANCELED: "Deleted"}


def definition_id(row: Definition) -> str:
    """Write the id of a definition as Camunda does: key, version, and what makes it unique."""
    return f"{row.key}:{row.version}:{row.id}"


def read_definition_id(text: str) -> UUID:
    """Read such an id."""
    try:
        return UUID(text.rpartition(":")[2])
    except ValueError:
        raise NotFound(f"No matching process definition with id {text}") from None


def activity_id(element: str, instance_id: UUID, number: int) -> str:
    """Write the id of an activation as Camunda does: the element, and what makes it unique."""
    return f"{element}:{instance_id}:{number}"


def read_activity_id(text: str) -> int:
    """Read the number of an activation in such an id."""
    number = text.rpartition(":")[2]
    if not (number.isascii() and number.isdigit() and len(number) <= 9):  # noqa: PLR2004 - no instance has more
        raise NotFound(f"Activity instance with id {text} does not exist")
    return int(number)


def definition(row: Definition) -> dict[str, Any]:
    """Show one version of one process."""
    return {
        "id": definition_id(row),
        "key": row.key,
        "category": None,
        "description": None,
        "name": row.name,
        "version": row.version,
        "resource": row.resource,
        "deploymentId": str(row.deployment_id),
        "diagram": None,
        "suspended": False,
        "tenantId": None,
        "versionTag": row.version_tag,
        "historyTimeToLive": row.history_days,
        "startableInTasklist": row.startable and row.kind == "process",
    }


def instance(row: Instance | Held, of: Definition) -> dict[str, Any]:
    """Show one process instance."""
    return {
        "links": [],
        "id": str(row.id),
        "definitionId": definition_id(of),
        "definitionKey": of.key,
        "businessKey": row.business_key,
        "caseInstanceId": None,
        "ended": row.status is not InstanceStatus.RUNNING,
        "suspended": row.suspended,
        "tenantId": None,
    }
