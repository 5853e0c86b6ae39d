"""Findings (已查明情况): what programs and people have left in the process of a task, for whoever is to do it.

What the applicant has answered is none, nor what the engine hands in: who decides sees of the answers what his items are handled by, in the
case (`dossiers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from engine import called_items, definitions, functions, keys, tasks, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.definitions import Loaded
from engine.models import Instance
from engine.states import TaskStatus


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One variable."""

    name: str
    #: What the forms of the drawing call it; None: no person fills it in, or each of them calls it otherwise.
    label: str | None
    value: Any


def of_task(session: Session, task_id: UUID, *, actor: Actor) -> list[Finding]:
    """What an open task sees, or else its process, in the order in which it came; raises NotFound, also for what is not the actor's."""
    task = tasks.get(session, task_id, actor)
    row = keys.get_one(session, Instance, task.instance_id, task)
    case = keys.get_one(session, Case, task.case_id, task)
    seen = variables.at(row, task.wait if task.status is TaskStatus.OPEN else None).values
    labels = _labels(definitions.get(session, row.definition_id))
    known: dict[str, Any] = {} if case.hall is None else {**case.answers, **called_items.applicant_facts(case)}
    handed_in = frozenset() if case.hall is None else functions.VARIABLES
    return [
        Finding(name=name, label=labels.get(name), value=value)
        for name, value in seen.items()
        if (known[name] != value if name in known else name not in handed_in)
    ]


def _labels(loaded: Loaded) -> dict[str, str]:
    """What the forms of a drawing call a variable, where they call it the same."""
    forms = [form for element in loaded.definition.elements.values() if (form := loaded.form(element))]
    called: dict[str, set[str]] = {}
    for field in (field for form in forms for field in form.describe()["fields"] if field.get("label")):
        called.setdefault(field["key"], set()).add(field["label"])
    return {name: label for name, (label, *others) in called.items() if not others}
