"""Instances: lock the row, wake the token state, put it back with the rows that are projected from its waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bpmn.instance import Instance as Process
from bpmn.instructions import Instruction
from bpmn.waits import Wait, WaitKind
from engine import activities, definitions, functions, lifecycle, local_variables, models, projection
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.definitions import Loaded
from engine.errors import NotFound, Suspended
from engine.states import UNSETTLED, InstanceStatus, ItemStatus, move

#: Under this name a database may know somebody who is shown every run before it is put back (`Database.info`): a simulation.
WITNESS = "witness"


@dataclass(kw_only=True)
class Run:
    """An instance in our hands: locked, awake, and not yet put back."""

    session: Session
    actor: Actor
    row: models.Instance
    loaded: Loaded
    process: Process
    case: Case
    #: The item whose process this is; None: the process of the matter.
    item: Item | None
    #: Waits that were there when it was woken: they have their rows.
    projected: Mapping[int, WaitKind]
    #: Status of the item when it was woken.
    found_as: ItemStatus | None = None

    @property
    def is_bundle(self) -> bool:
        """Whether this is the process of the case's matter, whose lock governs what is common to the items."""
        return self.item is None and self.row.parent_id is None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """How an instance comes about."""

    #: The call activity that waits for it, with its instance.
    parent: tuple[models.Instance, Wait] | None = None
    #: What it is called (its business key); what belongs to a case is called by its number.
    key: str | None = None
    #: Id of a start event that waits for something; None: the one that does not.
    at: str | None = None
    #: Where it begins instead of at a start event.
    elsewhere: tuple[Instruction, ...] = ()


ALONE = Origin()
#: Built once: these two are the beginning of everything that happens.
_LOCK = (
    select(models.Instance)
    .where(models.Instance.id == bindparam("instance"))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
#: The case of an instance, and the item whose process it is.
_ABOUT = (
    select(Case, Item)
    .join_from(models.Instance, Case, Case.id == models.Instance.case_id)
    .outerjoin(Item, Item.id == models.Instance.item_id)
    .where(models.Instance.id == bindparam("instance"))
    .execution_options(populate_existing=True)
)


def lock(session: Session, instance_id: UUID) -> models.Instance:
    """Take the instance for this transaction; nobody else writes it until the end.

    The order is parent before child, everywhere.  `key_share` lets others refer to the row meanwhile (a child owes its parent a job).
    """
    row = session.scalar(_LOCK, {"instance": instance_id})
    if row is None:
        raise NotFound(f"Expected to find instance {instance_id}, but there is none")
    return row


def hold(session: Session, item: Item) -> None:
    """Take an item for this transaction by its own instance, once it has one, and read it anew."""
    if item.instance_id is not None:
        lock(session, item.instance_id)
    session.refresh(item)


def require_active(row: models.Instance) -> None:
    """Refuse what would go on in an instance that is suspended."""
    if row.suspended:
        raise Suspended(f"Expected process instance {row.id} to be active, but it is suspended")


def wake(session: Session, instance_id: UUID, *, actor: Actor, even_suspended: bool = False) -> Run:
    """Lock an instance and load its token state; raises Suspended unless that does not matter."""
    row = lock(session, instance_id)
    if not even_suspended:
        require_active(row)
    # Read once the lock is had: what was read before may be old by now.
    case, item = session.execute(_ABOUT, {"instance": row.id}).one()
    loaded = definitions.get(session, row.definition_id)
    context = functions.context(session, loaded, case, item, actor, key=row.business_key, called=row.parent_id is not None)
    process = Process.load(loaded.process, row.state, row.variables, context)
    return Run(
        session=session,
        actor=actor,
        row=row,
        loaded=loaded,
        process=process,
        case=case,
        item=item,
        projected=process.standing(),
        found_as=item.status if item else None,
    )


def look(session: Session, row: models.Instance) -> Process:
    """Look at the token state of an instance, without taking it."""
    loaded = definitions.get(session, row.definition_id)
    case, item = session.execute(_ABOUT, {"instance": row.id}).one()
    context = functions.context(session, loaded, case, item, key=row.business_key, called=row.parent_id is not None)
    return Process.load(loaded.process, row.state, row.variables, context)


def begin(
    session: Session,
    loaded: Loaded,
    *,
    actor: Actor,
    case: Case,
    item: Item | None,
    variables: dict[str, object],
    origin: Origin = ALONE,
) -> Run:
    """Start a process of a case."""
    key = case.number if case.hall is not None else origin.key
    parent = origin.parent
    context = functions.context(session, loaded, case, item, actor, key=key, called=parent is not None)
    process = Process.start(loaded.process, variables, context, at=origin.at, elsewhere=origin.elsewhere)
    row = models.Instance(
        case_id=case.id,
        item_id=item.id if item else None,
        definition_id=loaded.id,
        parent_id=parent[0].id if parent else None,
        parent_wait=parent[1].id if parent else None,
        business_key=key,
        state=process.snapshot(),
        variables=process.variables,
        started_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    return Run(session=session, actor=actor, row=row, loaded=loaded, process=process, case=case, item=item, projected={})


def put_back(run: Run) -> None:
    """Write the token state and its projected rows."""
    row, process = run.row, run.process
    _cancel_abandoned(run)
    row.state, row.variables, row.rev = process.snapshot(), dict(process.variables), row.rev + 1
    if process.ended and row.status == InstanceStatus.RUNNING:
        target = InstanceStatus.FAILED if process.error else InstanceStatus.COMPLETED
        row.status = move(row.status, target, f"instance {row.id}")
        row.ended_at, row.end = datetime.now(UTC), process.error or process.end
    if row.ended_at is not None:
        row.purge_at = activities.purge_date(run.loaded, row.ended_at)
    run.session.flush()
    if witness := run.session.info.get(WITNESS):
        witness(run)
    activities.record(run.session, row, run.loaded, process)
    local_variables.record(run)
    projection.project(run.session, row, run.loaded, run.case, process, before=run.projected)


def cancel(session: Session, instance_id: UUID, *, actor: Actor) -> None:
    """End an instance and everything it waits for; nothing happens when it has ended already."""
    run = wake(session, instance_id, actor=actor, even_suspended=True)
    if run.row.status != InstanceStatus.RUNNING:
        return
    run.process.cancel()
    run.row.status, run.row.ended_at = move(run.row.status, InstanceStatus.CANCELED, f"instance {run.row.id}"), datetime.now(UTC)
    put_back(run)


def _cancel_abandoned(run: Run) -> None:
    """End what was called by a call that something interrupted; an item that was being handled there ends without decision.

    An item that is decided keeps its process: what is left to do there (a check to be planned …) is owed all the same.
    """
    gone = run.process.canceled() & {wait for wait, kind in run.projected.items() if kind is WaitKind.CALL}
    if not gone:
        return
    query = select(models.Instance).where(
        models.Instance.parent_id == run.row.id, models.Instance.parent_wait.in_(gone), models.Instance.status == InstanceStatus.RUNNING
    )
    for child in run.session.scalars(query).all():
        lock(run.session, child.id)  # its department may be deciding just now
        item = run.session.get(Item, child.item_id, populate_existing=True) if child.item_id else None
        handled = item if item is not None and item.instance_id == child.id else None
        if handled is not None and handled.status not in UNSETTLED:
            continue
        cancel(run.session, child.id, actor=run.actor)
        if handled is not None:
            lifecycle.end(run.session, handled, ItemStatus.TERMINATED, actor=run.actor, reason={"reason": "流程未等其办结即已继续"})


def of_case(session: Session, case_id: UUID) -> models.Instance:
    """The instance of the matter itself, the newest if there were several; raises NotFound."""
    query = select(models.Instance).where(
        models.Instance.case_id == case_id, models.Instance.item_id.is_(None), models.Instance.parent_id.is_(None)
    )
    row = session.scalar(query.order_by(models.Instance.started_at.desc()).limit(1))
    if row is None:
        raise NotFound(f"Expected case {case_id} to have a running bundle, but it has none")
    return row


def fresh(run: Run, kinds: Collection[WaitKind], handled: Collection[int]) -> list[Wait]:
    """Waits of some kinds that came up in this run and were not handled yet.

    A wait keeps its id when it failed and was retried: then it is new by its kind.
    """
    return [w for w in run.process.waits(*kinds) if run.projected.get(w.id) is not w.kind and w.id not in handled]
