"""Processes without a matter: started for their own sake, with no applicant, no items and no hall (docs/decisions/0005)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from bpmn.definition import Element
from bpmn.errors import InstanceError
from engine import (
    definitions,
    element_forms,
    execution,
    holidays,
    instances,
    journal,
    keys,
    models,
    moments,
    numbers,
    variables,
    visibility,
)
from engine.actors import Actor, Role
from engine.case_models import Case, Item
from engine.definitions import Loaded
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.holdings import Held
from engine.places import Place
from engine.runs import ALONE, Origin, Run
from engine.states import InstanceStatus
from engine.variables import Given

#: `Case.entry` of a process without a matter: it has a row in `cases`, like everything, but nobody applied for anything.
ENTRY = "process"
#: Who may start processes without a matter, and move them.
STARTERS = (Role.DESIGNER, Role.ADMIN, Role.SYSTEM)
NOT_FOUND = "Process instance with id {} does not exist"


def open_plain(session: Session, loaded: Loaded, *, actor: Actor, given: Given, origin: Origin = ALONE) -> Held:
    """Start a process that is neither a matter nor an item.

    Raises NotPermitted; InvalidInput for a matter or an item, which a person applies for; InvalidState when it has no such start.
    """
    actor.require(*STARTERS, to="start a process")
    return begin(session, loaded, actor=actor, given=given, origin=origin)


def begin(
    session: Session,
    loaded: Loaded,
    *,
    actor: Actor,
    given: Given,
    origin: Origin,
    region: str | None = None,
    case_id: UUID | None = None,
) -> Held:
    """Start such a process, without asking for the right to: for a person who has it, for a timer, for a signal.

    `region` and `case_id`: the key of its case, where that was reserved before, so that a repeated job starts no second one; without them
    it is a new one, of the installation's own region.  Raises as `open_plain`.
    """
    if loaded.kind != "process":
        raise InvalidInput(f"Expected to start a process without applicant, but {loaded.key} is a {loaded.kind}")
    case = _case(session, loaded, region or keys.here(session), actor, case_id)
    try:
        run = instances.begin(session, loaded, actor=actor, case=case, item=None, variables=dict(given.values), origin=origin)
    except InstanceError as error:
        raise InvalidState(str(error)) from error
    variables.remember(run, given)
    execution.settle(run)
    journal.record(session, run.row, actor=actor, what="process started", process=loaded.key, version=loaded.version)
    return run.row


def filled_in(session: Session, loaded: Loaded, given: Given) -> Given:
    """Check what is given by the form of the start event, and return it as that reads it; raises InvalidInput (`errors` by field)."""
    start = start_event(loaded)
    form = definitions.form(session, loaded, start) if start else None
    return replace(given, values=element_forms.validate(form, given.values, {}))


def start_event(loaded: Loaded) -> Element | None:
    """The event at which somebody starts a process; None: only a message or a timer does."""
    return next(iter(loaded.definition.plain_starts()), None)


def get(session: Session, instance_id: UUID, actor: Actor) -> models.Instance:
    """Return an instance, of whatever kind; raises NotFound, also for what is not the actor's."""
    row = session.scalar(select(models.Instance).where(models.Instance.id == instance_id, visible(actor)))
    if row is None:
        raise NotFound(NOT_FOUND.format(instance_id))
    return row


def running(session: Session, instance_id: UUID, actor: Actor) -> models.Instance:
    """Return an instance that runs; raises NotFound, also when it has ended."""
    row = get(session, instance_id, actor)
    if row.status is not InstanceStatus.RUNNING:
        raise NotFound(NOT_FOUND.format(instance_id))
    return row


def root(session: Session, row: models.Instance) -> models.Instance:
    """Return the outermost caller of an instance; itself when nothing has called it."""
    while row.parent_id is not None:
        row = session.get_one(models.Instance, row.parent_id)
    return row


def end(session: Session, instance_id: UUID, *, actor: Actor, reason: str, mappings: bool = True) -> None:
    """End a process without a matter that nothing has called; a case is withdrawn instead.  Raises NotFound, NotPermitted, InvalidState.

    What is canceled sets its output parameters, unless without `mappings`.
    """
    found, case = require_plain(session, instance_id, actor, to="end")
    row = instances.lock(session, found.id)
    if row.status is not InstanceStatus.RUNNING:
        raise NotFound(NOT_FOUND.format(instance_id))
    instances.cancel(session, row.id, actor=actor, mappings=mappings)
    case.ended_at = moments.now()
    journal.record(session, row, actor=actor, what="process ended", reason=reason)


def require_plain(session: Session, instance_id: UUID, actor: Actor, *, to: str) -> tuple[models.Instance, Case]:
    """Return an instance that may be handled as a process; raises NotFound, NotPermitted, and InvalidState for a case."""
    row = get(session, instance_id, actor)
    actor.require(*STARTERS, to=f"{to} a process")
    case = session.get_one(Case, row.case_id)
    if not case.is_plain:
        raise InvalidState(f"Expected to {to} a process without applicant, but this one belongs to case {case.number}, which the law moves")
    return row, case


def require_mender(session: Session, instance_id: UUID | None, actor: Actor, *, to: str) -> None:
    """Raise NotPermitted for whoever may not retry what failed: in a case administrators may, and, for an item, its department's system."""
    row = session.get(models.Instance, instance_id) if instance_id else None
    if row is None or session.get_one(Case, row.case_id).is_plain:
        actor.require(*STARTERS, to=f"{to} a process")
    elif not actor.has(Role.ADMIN):
        item = session.get(Item, row.item_id) if row.item_id else None
        actor.require(Role.SYSTEM if item else Role.ADMIN, department=item.department if item else None, to=f"{to} a case")


def set_variables(session: Session, place: Place, given: Given, *, actor: Actor, local: bool = False) -> None:
    """Set and delete variables of a running instance, as seen from a place in it, or, if `local`, in the scope of that place alone."""
    get(session, place.instance_id, actor)
    actor.require(*STARTERS, to="set variables")
    with execution.running(session, place.instance_id, actor=actor, even_suspended=True) as run:
        _require_lasting(run, place)
        variables.change(run, given, at=place.number, local=local)
        journal.record(session, run.row, actor=actor, what="variables set", names=given.names)


def visible(actor: Actor) -> ColumnElement[bool]:
    """Condition: instances that the actor may see: those of his cases, and those of processes without a matter if he may start such."""
    seen = visibility.sees_case(actor)
    which = or_(seen, Case.entry == ENTRY) if actor.has(*STARTERS) else seen
    # Correlated with each instance, not one list of all visible cases: whoever looks at one instance then reads one case.
    return exists(select(Case.id).where(keys.same_case(models.Instance, Case), which).correlate(models.Instance))


def _require_lasting(run: Run, place: Place) -> None:
    if place.number is not None and all(token.id != place.number for token in run.process.tokens()):
        raise NotFound(f"Execution with id {place} does not exist")


def _case(session: Session, loaded: Loaded, region: str, actor: Actor, case_id: UUID | None) -> Case:
    nobody: dict[str, Any] = {}
    new, number = numbers.next_case(session, region)
    holidays.keep(session)
    case = Case(
        id=case_id or new,
        number=number,
        region=region,
        matter=loaded.key,
        definition_id=loaded.id,
        hall=None,
        applicant_number="",
        applicant=nobody,
        answers={},
        checklist={"items": [], "materials": []},
        entry=ENTRY,
        submitted_at=moments.now(),
        submitted_by=actor.name,
        clock_started_on=None,
        promised=None,
    )
    session.add(case)
    session.flush()
    return case
