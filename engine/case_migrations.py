"""Case migrations (办件迁移): running instances go on in another version of their diagram (docs/decisions/0009).

plan = case_migrations.plan(session, "open_restaurant", source=3, target=4)
for each in case_migrations.affected(session, plan):
    case_migrations.preview(session, plan, each, actor=…)        # says what would become of it
    case_migrations.move(session, plan, each, batch=…, actor=…)  # does it, in a transaction of its own
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from bpmn import migration
from bpmn.definition import Element
from bpmn.errors import InstanceError
from bpmn.forms import Form
from bpmn.instance import Instance as Awake
from bpmn.migration import Migration, Step
from engine import (
    case_items,
    definitions,
    functions,
    instances,
    journal,
    keys,
    matters,
    models,
    moments,
    moved_drafts,
    pre_images,
    projection,
    versions,
)
from engine.actors import Actor, Role
from engine.case_models import Case, CaseMigration, Draft, Item
from engine.definitions import Loaded
from engine.errors import InvalidInput, NotFound
from engine.holdings import Held
from engine.moved_drafts import Refit
from engine.runs import Run
from engine.states import UNSETTLED, InstanceStatus
from engine.subjects import Subject

#: `Step` is named here for those who may not know `bpmn`.
__all__ = ["Affected", "Plan", "Report", "Step", "affected", "move", "of_batch", "plan", "preview", "undo"]
#: Where drafts stand among what is kept of an instance.
_DRAFTS = Draft.__tablename__


@dataclass(frozen=True, kw_only=True)
class Plan:
    """From which version to which."""

    source: Loaded
    target: Loaded
    moves: migration.Plan


@dataclass(frozen=True, kw_only=True)
class Affected:
    """An instance that a plan or an undoing is about."""

    instance_id: UUID
    case: str
    #: Number of the item whose process it is; None: the process of the matter.
    item: str | None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What becomes of one instance, or has."""

    about: Affected
    steps: Sequence[Step] = ()
    #: Why it must stay as it is; empty: it may be moved.
    reasons: Sequence[str] = ()
    #: What should be known of it besides: fields that a draft loses, flows that were found by what they join.
    notes: Sequence[str] = ()
    #: Whether it was done.
    done: bool = False


def plan(session: Session, key: str, *, source: int, target: int, renamed: Mapping[str, str] | None = None) -> Plan:
    """Say from which version of a process to which; raises NotFound, and InvalidInput for new names that lead nowhere."""
    old, new = _version(session, key, source), _version(session, key, target)
    try:
        moves = migration.Plan(source=old.definition, target=new.definition, renamed=renamed or {})
    except InstanceError as error:
        raise InvalidInput(str(error)) from error
    return Plan(source=old, target=new, moves=moves)


def affected(session: Session, plan: Plan, numbers: Collection[str] = ()) -> list[Affected]:
    """Running instances of the old version, oldest first; or those of some cases or items, by number, whatever their status.

    Raises NotFound for a number that has none.
    """
    query = _about().where(models.Instance.definition_id == plan.source.id)
    if not numbers:
        return _read(session, query.where(models.Instance.status == InstanceStatus.RUNNING))
    found = _read(session, query.where(or_(Case.number.in_(numbers), Item.number.in_(numbers))))
    unknown = sorted(set(numbers) - {number for each in found for number in (each.case, each.item)})
    if unknown:
        wanted = f"version {plan.source.version} of {plan.source.key}"
        raise NotFound(f"Expected {', '.join(unknown)} to be handled by {wanted}, but it is not")
    return found


def preview(session: Session, plan: Plan, about: Affected, *, actor: Actor) -> Report:
    """Say what would become of an instance; nothing is written."""
    _require(actor)
    row = session.get_one(models.Instance, about.instance_id, populate_existing=True)
    outcome = _judge(session, plan, row, actor)
    return _report(about, outcome, () if outcome.reasons else moved_drafts.refit(session, row, _forms(session, plan, outcome)))


def move(session: Session, plan: Plan, about: Affected, *, batch: UUID, actor: Actor) -> Report:
    """Move an instance to the new version, if nothing speaks against it; keep what it was before under the batch."""
    _require(actor)
    row = instances.lock(session, about.instance_id)
    outcome = _judge(session, plan, row, actor)
    if outcome.reasons or outcome.instance is None:
        return _report(about, outcome)
    run = _woken_anew(session, plan, row, outcome.instance, actor)
    moved_drafts.hold(session, row)
    refits = moved_drafts.refit(session, row, _forms(session, plan, outcome))
    record = CaseMigration(
        batch=batch,
        **row.key,
        instance_id=row.id,
        from_id=plan.source.id,
        to_id=plan.target.id,
        state=row.state,
        rows=pre_images.take(session, row) | {_DRAFTS: moved_drafts.write(refits)},
        moved_at=moments.now(),
        moved_by=actor.name,
    )
    _appoint(run, plan.target)
    pre_images.rename(session, row, _called(plan, outcome))
    projection.rename(session, row, run.process)
    said = {"from": plan.source.version, "to": plan.target.version, "batch": str(batch)}
    journal.record(session, row, actor=actor, what="case moved to another version", process=plan.source.key, **said)
    instances.put_back(run)
    record.rev = row.rev
    session.add(record)
    return _report(about, outcome, refits, done=True)


def of_batch(session: Session, batch: UUID) -> list[Affected]:
    """What was moved by a batch, oldest first; raises NotFound."""
    query = _about().join(CaseMigration, keys.its(CaseMigration.instance_id, models.Instance))
    found = _read(session, query.where(CaseMigration.batch == batch))
    if not found:
        raise NotFound(f"Expected to find what batch {batch} has moved, but it has moved nothing")
    return found


def undo(session: Session, batch: UUID, about: Affected, *, actor: Actor) -> Report:
    """Put an instance back as it was before a batch, if nothing has gone on since; dates that follow a clock go by today's calendar."""
    _require(actor)
    row = instances.lock(session, about.instance_id)
    query = select(CaseMigration).where(CaseMigration.batch == batch, keys.its(CaseMigration.instance_id, row))
    record = session.scalars(query).one()
    if record.undone_at is not None:
        return Report(about=about, reasons=("Expected an instance that was moved, but that was undone already",))
    if row.rev != record.rev:
        return Report(about=about, reasons=("Expected an instance that stands as the move left it, but it has gone on since",))
    loaded = definitions.get(session, record.from_id)
    notes = _give_back_drafts(session, row, record, loaded)
    pre_images.put_back(session, row, record.rows, definitions.get(session, record.to_id).definition)
    row.state, row.definition_id, row.rev = record.state, record.from_id, row.rev + 1
    projection.follow_the_world(session, row, instances.look(session, row))
    if row.item_id is None and row.parent_id is None:
        keys.get_one(session, Case, row.case_id, row).definition_id = record.from_id
    record.undone_at, record.undone_by = moments.now(), actor.name
    journal.record(session, row, actor=actor, what="case moved back", process=loaded.key, to=loaded.version, batch=str(batch))
    return Report(about=about, notes=notes, done=True)


def _judge(session: Session, plan: Plan, row: Held | models.Instance, actor: Actor) -> Migration:
    """Work out what becomes of an instance, and give it in its new version when nothing speaks against it."""
    if row.definition_id != plan.source.id:
        reason = f"Expected an instance of version {plan.source.version}, but it is of another one by now"
        return Migration(steps=(), refusals=(reason,))
    subject = Subject(session, row.key, row.item_id)
    context = functions.context(session, plan.target, subject, actor, business_key=row.business_key, called=row.parent_id is not None)
    outcome = migration.migrate(plan.moves, row.state, row.variables, context)
    if row.item_id is None and row.parent_id is None:
        outcome = replace(outcome, refusals=(*outcome.refusals, *_forgotten(plan.target, subject.case)))
    return outcome


def _woken_anew(session: Session, plan: Plan, row: Held, process: Awake, actor: Actor) -> Run:
    """Hand out an instance in its new version, with the waits that it had in the old one."""
    before = Awake.load(plan.source.definition, row.state, row.variables, process.context)
    return Run(
        session=session,
        actor=actor,
        row=row,
        loaded=plan.target,
        process=process,
        subject=Subject(session, row.key, row.item_id),
        before=before.glance(None),
    )


def _forgotten(target: Loaded, case: Case) -> Iterator[str]:
    """Say which items nobody would ever handle: they wait to be dispatched, and the new version does not call them."""
    if target.kind != "matter" or target.key == matters.SINGLE_ITEM:
        return
    calls = matters.read(target).calls
    for item in case_items.live(case):
        if item.dispatched_at is None and item.status in UNSETTLED and item.code not in calls:
            yield f"Expected the new version to call {item.code}, which waits to be dispatched, but it does not"


def _appoint(run: Run, target: Loaded) -> None:
    """Say that the new version handles the instance; of a bundle, also the case's follow-ons (docs/decisions/0009)."""
    run.row.definition_id = target.id
    if run.is_bundle:
        run.case.definition_id = target.id


def _called(plan: Plan, outcome: Migration) -> dict[int, Element]:
    """Elements that have another id or name, or are of another kind, in the new version; by the number of the token that is there."""
    old, new = plan.source.definition.elements, plan.target.definition.elements
    moved = {step.id: (old[step.element], new[step.to]) for step in outcome.steps if step.element and step.to}
    return {number: now for number, (was, now) in moved.items() if (was.id, was.name, was.type) != (now.id, now.name, now.type)}


def _forms(session: Session, plan: Plan, outcome: Migration) -> moved_drafts.Forms:
    """The form of each task in the new version."""
    then = {step.id: step.to or "" for step in outcome.steps}
    return lambda task: _form(session, plan.target, then[task.wait])


def _form(session: Session, loaded: Loaded, element: str) -> Form | None:
    return definitions.form(session, loaded, loaded.definition.elements[element])


def _give_back_drafts(session: Session, row: Held, record: CaseMigration, old: Loaded) -> tuple[str, ...]:
    """Give drafts back what they lost; to be done while tasks still are called as in the new version."""
    moved_drafts.hold(session, row)
    new, then = definitions.get(session, record.to_id), {each["wait"]: each["element"] for each in record.rows[models.Task.__tablename__]}
    return moved_drafts.put_back(
        session,
        row,
        record.rows.get(_DRAFTS, ()),  # there were none when this was written by an earlier release
        old=lambda task: _form(session, old, then[task.wait]),
        new=lambda task: _form(session, new, task.element),
    )


def _report(about: Affected, outcome: Migration, refits: Sequence[Refit] = (), *, done: bool = False) -> Report:
    notes = (*outcome.notes, *moved_drafts.told(refits))
    return Report(about=about, steps=outcome.steps, reasons=tuple(dict.fromkeys(outcome.reasons)), notes=notes, done=done)


def _require(actor: Actor) -> None:
    actor.require(Role.DESIGNER, Role.ADMIN, to="move cases to another version")


def _version(session: Session, key: str, version: int) -> Loaded:
    return definitions.get(session, versions.find(session, key, version).id)


def _about() -> Select[UUID, str, str]:
    query = select(models.Instance.id, Case.number, Item.number).join(Case, keys.same_case(models.Instance, Case))
    return query.outerjoin(Item, keys.its(models.Instance.item_id, Item)).order_by(models.Instance.id)


def _read(session: Session, query: Select[UUID, str, str]) -> list[Affected]:
    return [Affected(instance_id=instance, case=case, item=item) for instance, case, item in session.execute(query)]
