"""Instances: lock the row, load the token state, and put both back with the rows of its waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bpmn.errors import InstanceError
from bpmn.instance import Instance as Awake
from bpmn.waits import Wait, WaitKind
from engine import activities, definitions, functions, holdings, keys, lifecycle, local_variables, models, moments, procedures, projection
from engine.actors import Actor
from engine.case_models import Case, Item
from engine.columns import new_id
from engine.definitions import Loaded
from engine.errors import InvalidState, NotFound, Suspended
from engine.holdings import COLUMNS, INSTANCES, LIVE, Held
from engine.live import LiveInstances
from engine.reads import Read
from engine.runs import Origin, Run
from engine.states import UNSETTLED, InstanceStatus, ItemStatus, move
from engine.subjects import Subject
from engine.variables import drop_ended, hand_on

_INCIDENTS = (WaitKind.INCIDENT,)
#: Under this name a database may know somebody who is shown every run before it is put back (`Database.info`): a simulation.
WITNESS = "witness"
#: Selects an instance with its case, and locks the row of the instance.  Built once: everything that happens begins with it.
LOCKING = (
    select(INSTANCES)
    .join(Case, keys.same_case(INSTANCES, Case))
    .where(INSTANCES.c.id == bindparam("instance"))
    .with_for_update(key_share=True, of=INSTANCES)
)
_LOCK = Read(COLUMNS, LOCKING)
_LOCK_THERE = Read(COLUMNS, LOCKING.where(*keys.asked(models.Instance)))


def lock(session: Session, instance_id: UUID, of: Held | Case | keys.Keyed | None = None) -> Held:
    """Lock an instance: nobody else writes it until this transaction ends.  Raises NotFound.

    `of` is a row of the same case, if one is at hand: then the instance is looked for where that case lies, instead of everywhere.
    Everybody locks the parent before the child.  The lock (`key_share`) lets others write rows that refer to this one: a child that ends
    owes its parent a job, and does not wait for the parent.
    """
    held = holdings.of(session)
    if instance_id in held.rows:
        return held.rows[instance_id]
    session.flush()  # it may be of a case that is new
    here, key = (_LOCK, {}) if of is None else (_LOCK_THERE, of.key)
    found = here.first(session.connection(), {"instance": instance_id, **key})
    if found is None:
        raise NotFound(f"Expected to find instance {instance_id}, but there is none")
    return held.take(found)


def hold(session: Session, item: Item, of: Held | Case | None = None) -> None:
    """Lock the instance of an item, if it has one, and read the item anew: whoever holds that may change it.  `of` as in `lock`."""
    if item.instance_id is not None:
        of = lock(session, item.instance_id, of)
    session.refresh(item) if of is None else keys.read_anew(session, Item, item.id, of)


def require_active(row: Held | models.Instance) -> None:
    """Refuse what would go on in an instance that is suspended."""
    if row.suspended:
        raise Suspended(f"Expected process instance {row.id} to be active, but it is suspended")


def wake(session: Session, instance_id: UUID, *, actor: Actor, even_suspended: bool = False) -> Run:
    """Lock an instance and load its token state.  Raises NotFound, and Suspended unless `even_suspended`."""
    return take_up(session, lock(session, instance_id), actor=actor, even_suspended=even_suspended)


def take_up(session: Session, row: Held, *, actor: Actor, even_suspended: bool = False) -> Run:
    """Load the token state of an instance that is locked, from memory or its snapshot.  Raises Suspended unless `even_suspended`."""
    if not even_suspended:
        require_active(row)
    loaded = definitions.get(session, row.definition_id)
    subject = Subject(session, row.key, row.item_id)
    if not row.is_plain:
        subject.read_anew(row.id)  # under the lock: what the session read before may be out of date
    context = functions.context(session, loaded, subject, actor, business_key=row.business_key, called=row.parent_id is not None)
    live: LiveInstances | None = session.info.get(LIVE)
    kept = live.take(row, loaded.definition, context) if live is not None else None
    process = kept or Awake.load(loaded.definition, row.state, row.variables, context)
    return Run(
        session=session,
        actor=actor,
        row=row,
        loaded=loaded,
        process=process,
        subject=subject,
        before=process.before,
        found_as=subject.item.status if subject.item else None,
    )


def look(session: Session, row: Held | models.Instance, subject: Subject | None = None) -> Awake:
    """Load the token state of an instance only to look at it, without a lock; `subject`: its case and item, if they were read before."""
    loaded = definitions.get(session, row.definition_id)
    subject = subject or Subject(session, row.key, row.item_id)
    context = functions.context(session, loaded, subject, None, business_key=row.business_key, called=row.parent_id is not None)
    return Awake.load(loaded.definition, row.state, row.variables, context)


def begin(
    session: Session, loaded: Loaded, *, actor: Actor, case: Case, item: Item | None, variables: dict[str, object], origin: Origin
) -> Run:
    """Start a process of a case (`item`: None for the process of the case itself), and let it run until all its tokens rest.

    The caller settles it (`execution.settle`).  In the case of a matter the business key is the number of the case.
    """
    business_key = origin.business_key if case.is_plain else case.number
    parent, subject = origin.parent, Subject.of(session, case, item)
    context = functions.context(session, loaded, subject, actor, business_key=business_key, called=parent is not None)
    process = Awake.start(loaded.definition, variables, context, at=origin.at, elsewhere=origin.elsewhere)
    row = _new_row(loaded, case, item, process, business_key, parent)
    holdings.of(session).add(row)
    return Run(session=session, actor=actor, row=row, loaded=loaded, process=process, subject=subject, before=process.before)


def _new_row(
    loaded: Loaded, case: Case, item: Item | None, process: Awake, business_key: str | None, parent: tuple[Held, Wait] | None
) -> Held:
    return Held(
        id=new_id(),
        **case.key,
        item_id=item.id if item else None,
        definition_id=loaded.id,
        parent_id=parent[0].id if parent else None,
        parent_wait=parent[1].id if parent else None,
        business_key=business_key,
        status=InstanceStatus.RUNNING,
        suspended=False,
        rev=0,
        state=process.snapshot(),
        variables=dict(process.variables),
        large=None,
        types={},
        started_at=moments.now(),
        ended_at=None,
        end=None,
        error=None,
        purge_at=None,
        journal_seq=0,
        journal_hash="",
        number=case.number,
        matter=case.matter,
        hall=case.hall,
        submitted_by=case.submitted_by,
    )


def put_back(run: Run) -> None:
    """Copy the token state into the row of its instance, and write it, together with the rows of its waits."""
    row, process = run.row, run.process
    _cancel_abandoned(run)
    hand_on(run)
    row.state, row.variables, row.rev = process.snapshot(), dict(process.variables), row.rev + 1
    row.error = process.error
    if process.ended and row.status == InstanceStatus.RUNNING:
        row.status = move(row.status, _how_it_ended(process), f"instance {row.id}")
        row.ended_at, row.end = moments.now(), None if process.emptied else process.end
    if row.ended_at is not None:
        row.purge_at = activities.purge_date(run.loaded, row.ended_at)
        row.suspended = False  # what is still owed to its callers is to be done
    if witness := run.session.info.get(WITNESS):
        witness(run)
    held, history = holdings.of(run.session), process.history()
    activities.record(run, history, held.writes)
    local_variables.record(run, history)
    drop_ended(run)
    run.now = process.glance(run.before.kinds)
    projection.project(run, run.now, held.writes)
    held.put_back(row, process)


def _how_it_ended(process: Awake) -> InstanceStatus:
    if process.emptied:
        return InstanceStatus.CANCELED
    return InstanceStatus.FAILED if process.failed else InstanceStatus.COMPLETED


def cancel(session: Session, instance_id: UUID, *, actor: Actor, mappings: bool = True) -> None:
    """End an instance, with everything that it waits for and has called; nothing happens when it has ended already.

    What is canceled sets its output parameters, as in Camunda 7, unless without `mappings`.  Raises InvalidState when that fails.
    """
    run = wake(session, instance_id, actor=actor, even_suspended=True)
    if run.row.status != InstanceStatus.RUNNING:
        return
    try:
        run.process.cancel(mappings=mappings)
    except InstanceError as error:
        raise InvalidState(str(error)) from error
    run.mappings = mappings
    run.row.status, run.row.ended_at = move(run.row.status, InstanceStatus.CANCELED, f"instance {run.row.id}"), moments.now()
    _end_procedures(run)
    put_back(run)


def _end_procedures(run: Run) -> None:
    """End special procedures that stood in this instance, if the process of their item, which has called it, runs on: the clock goes on."""
    own = holdings.of(run.session).rows.get(run.item.instance_id) if run.item and run.item.instance_id else None
    if own is not None and own.id != run.row.id and own.status is InstanceStatus.RUNNING:
        procedures.end_interrupted(run)


def _cancel_abandoned(run: Run) -> None:
    """End the instances whose call was canceled; an item that was being handled there ends without decision.

    An item that is decided keeps its process: what is left to do there (a check to be planned …) is owed all the same.
    """
    may_have_called = run.handled or WaitKind.CALL in run.before.kinds.values()
    gone = run.canceled(WaitKind.CALL) if may_have_called else ()
    if not gone:
        return
    if gone & run.handled.keys():
        holdings.of(run.session).write()  # the query is to find what was called in this very run, too
    query = select(models.Instance).where(
        keys.same_case(models.Instance, run.row),
        models.Instance.parent_id == run.row.id,
        models.Instance.parent_wait.in_(gone),
        models.Instance.status == InstanceStatus.RUNNING,
    )
    for child in run.session.scalars(query).all():
        lock(run.session, child.id, run.row)  # its department may be deciding just now: then we wait until it has
        item = keys.read_anew(run.session, Item, child.item_id, run.row) if child.item_id else None
        handled = item if item is not None and item.instance_id == child.id else None
        if handled is not None and handled.status not in UNSETTLED:
            continue
        cancel(run.session, child.id, actor=run.actor, mappings=run.mappings)
        if handled is not None:
            status, why, error = ItemStatus.TERMINATED, run.why, run.error
            lifecycle.break_off(run.session, run.case, handled, status, actor=run.actor, reason=why, error=error)


def of_case(session: Session, case: Case) -> models.Instance:
    """Return the instance of the matter itself: of several the one that runs, else the newest.  Raises NotFound."""
    query = select(models.Instance).where(
        keys.same_case(models.Instance, case), models.Instance.item_id.is_(None), models.Instance.parent_id.is_(None)
    )
    # The time of the start does not tell which one runs: it may have begun in the same moment, or "earlier", if the clock was set back.
    row = session.scalar(query.order_by(models.Instance.ended_at.is_not(None), models.Instance.started_at.desc()).limit(1))
    if row is None:
        raise NotFound(f"Expected case {case.number} to have a running bundle, but it has none")
    return row


def fresh(run: Run, now: Mapping[int, WaitKind], kinds: Collection[WaitKind]) -> list[Wait]:
    """Return the waits of some `kinds` that came up in this run and were not handled yet; `now`: a glance at all that may be new."""
    before, handled = run.before.kinds, run.handled
    new = {n for n, kind in now.items() if kind in kinds and before.get(n) is not kind and handled.get(n) is not kind}
    return list(run.process.waits(*kinds, among=new)) if new else []


def failed(run: Run) -> list[Wait]:
    """Return the incidents that came up in this run; the instance was put back."""
    assert run.now is not None, "Expected an instance that was put back"
    return fresh(run, run.now.kinds, _INCIDENTS) if WaitKind.INCIDENT in run.now.kinds.values() else []
