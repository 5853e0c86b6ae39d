"""Findings (已查明情况): what programs and people have left in the process of a task, for whoever is to do it.

What the applicant has answered is none, nor what the engine hands in: who decides sees of the answers what his items are handled by, in the
case (`dossiers`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import called_items, definitions, functions, keys, tasks, variables
from engine.account_models import Account, Grant
from engine.actors import ENGINE, Actor
from engine.case_models import Case
from engine.definitions import Loaded
from engine.models import Entry, Instance, Task
from engine.states import TaskStatus

#: Entries of the journal that name what was given.
_GIVING = ("external task completed", "external task raised an error", "variables set")


@dataclass(frozen=True, kw_only=True)
class Left:
    """Who has left something, where and when."""

    #: Name of the account, and what people call it; that is empty when there is no such account any more.
    actor: str
    display_name: str
    #: Departments that it works for now, by their codes.
    departments: list[str]
    #: Name of the task, of a person or a program; None: it was set by hand (`…/variables`).
    task: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One variable."""

    name: str
    #: What the forms of the drawing call it; None: no person fills it in, or each of them calls it otherwise.
    label: str | None
    value: Any
    #: Who has given it last; None: nobody has, but the drawing (a script, a table, a mapping), or an earlier release did not write it down.
    left: Left | None = None


def of_task(session: Session, task_id: UUID, *, actor: Actor) -> list[Finding]:
    """What systems and earlier tasks have left among the variables that a task sees (once it has ended: its process), oldest first.

    Raises NotFound, also for what is not the actor's.
    """
    task = tasks.get(session, task_id, actor)
    row = keys.get_one(session, Instance, task.instance_id, task)
    case = keys.get_one(session, Case, task.case_id, task)
    seen = variables.at(row, task.wait if task.status is TaskStatus.OPEN else None).values
    loaded = definitions.get(session, row.definition_id)
    labels, left = _labels(loaded), _left(session, row, loaded)
    known: dict[str, Any] = {} if case.is_plain else {**case.answers, **called_items.applicant_facts(case)}
    handed_in = frozenset() if case.is_plain else functions.VARIABLES
    return [
        Finding(name=name, label=labels.get(name), value=value, left=left.get(name))
        for name, value in seen.items()
        if (known[name] != value if name in known else name not in handed_in)
    ]


class _Given(NamedTuple):
    """What somebody has given to a process in one go."""

    at: datetime
    actor: str
    task: str | None
    names: Collection[str]


def _left(session: Session, row: Instance, loaded: Loaded) -> dict[str, Left]:
    """Who has given the variables of a process last, by their names."""
    last = {name: given for given in sorted(_given(session, row, loaded), key=lambda given: given.at) for name in given.names}
    people = _people(session, {given.actor for given in last.values()})
    return {name: _told(given, people) for name, given in last.items()}


def _given(session: Session, row: Instance, loaded: Loaded) -> Iterator[_Given]:
    """What programs and hands have given, as the journal says; what people have filled in, as their tasks do."""
    elements = loaded.definition.elements
    for entry in session.scalars(select(Entry).where(Entry.instance_id == row.id, keys.same_case(Entry, row), Entry.what.in_(_GIVING))):
        element = elements.get(entry.details.get("element", ""))
        named = (element.name or element.id) if element else None
        yield _Given(entry.at, entry.actor, named, entry.details.get("names", ()))
    done = Task.status == TaskStatus.COMPLETED
    for task in session.scalars(select(Task).where(Task.instance_id == row.id, keys.same_case(Task, row), done)):
        yield _Given(task.ended_at or task.created_at, task.completed_by or "", task.name, task.data or ())


def _people(session: Session, names: Collection[str]) -> dict[str, tuple[str, list[str]]]:
    """What accounts are called, and the departments that they work for."""
    query = select(Account.name, Account.display_name, Grant.department).outerjoin(Grant, Grant.account_id == Account.id)
    found: dict[str, tuple[str, list[str]]] = {ENGINE.name: (ENGINE.display_name, [])}
    for name, called, department in session.execute(query.where(Account.name.in_(names)).order_by(Grant.department)):
        known = found.setdefault(name, (called, []))[1]
        if department and department not in known:
            known.append(department)
    return found


def _told(given: _Given, people: Mapping[str, tuple[str, list[str]]]) -> Left:
    display_name, departments = people.get(given.actor, ("", []))
    return Left(actor=given.actor, display_name=display_name, departments=departments, task=given.task, at=given.at)


def _labels(loaded: Loaded) -> dict[str, str]:
    """What the forms of a drawing call a variable, where they call it the same."""
    forms = [form for element in loaded.definition.elements.values() if (form := loaded.form(element))]
    called: dict[str, set[str]] = {}
    for field in (field for form in forms for field in form.describe()["fields"] if field.get("label")):
        called.setdefault(field["key"], set()).add(field["label"])
    return {name: label for name, (label, *others) in called.items() if not others}
