"""Processes without a matter: begun, worked on and looked at, as Camunda's clients do it; and people who stand in for others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from api.simulation.hall import Hall
from engine import accounts, broadcasts, pieces, simulation
from engine.broadcasts import Thrown
from engine.simulation import reading
from engine.simulation.standing import OpenTask, OpenWork
from engine.variables import Given

#: How long a worker holds what it does, milliseconds.
LOCK = 60_000


def begin(hall: Hall, key: str, variables: Mapping[str, Any], *, message: str | None = None) -> None:
    """Start a process by its key, or by the message that it begins with."""
    if message is None:
        hall["admin"].camunda(f"/process-definition/key/{key}/start", {"variables": typed(variables)})
    else:
        hall["admin"].camunda("/message", {"messageName": message, "processVariables": typed(variables)})
    hall.tick()


def complete(hall: Hall, task: OpenTask, data: Mapping[str, Any]) -> None:
    """Complete a task; where nobody has an account who may, somebody stands in."""
    _stand_in(hall, task)
    hall[task.by or "admin"].post(f"/tasks/{task.id}/complete", data)


def _stand_in(hall: Hall, task: OpenTask) -> None:
    if not task.by:
        with hall.database.transaction() as session:
            reading.let_anybody(session, task.id)


def raise_at(hall: Hall, task: OpenTask, kind: str, code: str, data: Mapping[str, Any]) -> None:
    """Raise an error or an escalation (`kind`) out of a task; where nobody has an account who may, somebody stands in."""
    _stand_in(hall, task)
    told = {f"{kind}Code": code, "variables": typed(data)}
    hall[task.by or "admin"].camunda(f"/task/{task.id}/bpmn{kind.capitalize()}", told)


def report(hall: Hall, work: OpenWork, data: Mapping[str, Any], *, error: str | None = None) -> None:
    """Do what a program is asked for, or raise an error there."""
    worker, verb = hall[simulation.WORKER], "complete" if error is None else "bpmnError"
    told = {"workerId": worker.name, "variables": typed(data)} | ({} if error is None else {"errorCode": error})
    worker.camunda(f"/external-task/{work.id}/lock", {"workerId": worker.name, "lockDuration": LOCK})
    worker.camunda(f"/external-task/{work.id}/{verb}", told)


def send(hall: Hall, message: str, data: Mapping[str, Any], *, instance: UUID | None = None, keys: Mapping[str, Any] | None = None) -> None:
    """Send a message to whoever waits for it, to one, or to whoever has variables with the values of the keys."""
    told: dict[str, Any] = {"messageName": message, "processVariables": typed(data)}
    told |= {"correlationKeys": typed(keys)} if keys else {}
    hall["admin"].camunda("/message", told | ({} if instance is None else {"processInstanceId": str(instance)}))


def throw(hall: Hall, signal: str, variables: Mapping[str, Any]) -> None:
    """Throw a signal: everybody who waits for it hears it, and what begins with it begins."""
    with hall.database.reading() as session:
        admin = accounts.load(session, "admin")
    thrown = Thrown(name=signal, given=Given(values=dict(variables)))
    pieces.do(hall.database, partial(broadcasts.throw, signal=thrown, actor=admin))
    hall.tick()


def change(hall: Hall, instance: UUID, name: str, value: Any) -> None:
    """Set a variable of a process, as somebody outside may."""
    hall["admin"].camunda(f"/process-instance/{instance}/variables", {"modifications": typed({name: value})})


def typed(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Write variables as Camunda's clients do."""
    return {
        name: {"value": json.dumps(value), "type": "Json"} if isinstance(value, (list, dict)) else {"value": value}
        for name, value in variables.items()
    }
