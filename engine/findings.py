"""Findings (已查明情况): what programs and people have left in the process of a task, for whoever is to do it.

What the applicant has answered is none, nor what is known of him: who decides sees of the answers what his items are handled by, in the
case (`dossiers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from engine import definitions, keys, starts, tasks, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.definitions import Loaded
from engine.models import Instance
from engine.states import TaskStatus


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One variable."""

    name: str
    #: What a form of the drawing calls it; None: no person fills it in.
    label: str | None
    value: Any


def of_task(session: Session, task_id: UUID, *, actor: Actor) -> list[Finding]:
    """What an open task sees, or else its process, in the order in which it came; raises NotFound, also for what is not the actor's."""
    task = tasks.get(session, task_id, actor)
    row = keys.get_one(session, Instance, task.instance_id, task)
    case = keys.get_one(session, Case, task.case_id, task)
    seen = variables.at(row, task.wait if task.status is TaskStatus.OPEN else None).values
    known: Mapping[str, Any] = {} if case.hall is None else {**case.answers, **starts.applicant_facts(case)}
    labels = _labels(definitions.get(session, row.definition_id))
    return [
        Finding(name=name, label=labels.get(name), value=value) for name, value in seen.items() if name not in known or known[name] != value
    ]


def _labels(loaded: Loaded) -> dict[str, str]:
    forms = [form for element in loaded.definition.elements.values() if (form := loaded.form(element))]
    return {field["key"]: field["label"] for form in forms for field in form.describe()["fields"] if field.get("label")}
