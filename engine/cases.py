"""Cases (办件): submit one, let items join, withdraw it, see where it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from engine import (
    adoptions,
    applicants,
    archive_search,
    bundle_clock,
    bundles,
    calendars,
    case_items,
    checklists,
    definitions,
    dials,
    execution,
    follow_on,
    instances,
    jobs,
    journal,
    lifecycle,
    materials,
    matters,
    moments,
    notices,
    numbers,
    offices,
    visibility,
)
from engine.actors import Actor, Role
from engine.case_models import Case, Item, Notice
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.matters import Matter
from engine.models import Hall
from engine.notices import NoticeKind
from engine.states import FAVOURABLE, REAPPLICABLE, UNANSWERED, UNSETTLED, WITHDRAWABLE, ItemStatus

WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What an applicant submits (申报)."""

    #: 6-digit division code of the place.
    region: str
    #: Key of a matter, or code of a single item.
    matter: str
    hall: str
    #: {kind: person|enterprise, name, id_number, phone, contact, agent: {name, id_number, …}, …}
    applicant: dict[str, Any]
    answers: dict[str, Any]
    #: Items by code, instead of what the tables would choose.
    items: Sequence[str] | None = None
    #: Numbers of items that run or are finished already: then it is a follow-on case (接续受理).
    adopt: Sequence[str] = ()
    #: What is on the counter already: [{code, fields?}].
    materials: Sequence[Mapping[str, Any]] = ()


def submit(session: Session, what: Submission, *, actor: Actor, previous: Item | None = None) -> Case:
    """Take a bundle in (申报提交): work the checklist out, freeze it, number everything, start the matter's process.

    `previous`: the item of an earlier case that is applied for again.
    Raises NotFound, NotPermitted, InvalidInput; Busy when a newer version of the matter is deployed in the same moment.
    """
    if session.get(Hall, what.hall) is None:
        offices.require(session, Hall, what.hall, field="hall")
    actor.require(Role.CLERK, Role.CHANNEL, Role.SUPERVISOR, to=f"submit a case in hall {what.hall}", hall=what.hall)
    if previous is None:  # else the applicant is that of the earlier case, and was checked there
        what = replace(what, applicant=applicants.clean(what.applicant))
    matter, only = _what(session, what)
    found = [adoptions.find(session, number, what.applicant) for number in what.adopt]
    adopted = list({item.id: item for item in found}.values())  # one may be named twice: by its number, and by that of its certificate
    checklist = _checklist(session, what, matter, only=only, adopted=adopted, previous=previous)
    for item in sorted(adopted, key=lambda item: (adoptions.is_archived(session, item), item.number)):
        adoptions.hold(session, item)  # before the case takes its number: whoever holds the counter must wait for nobody
    case = _open(session, what, matter, checklist, actor=actor)
    case.entry = "reapply" if previous else "follow_on" if adopted else "submit"
    case.previous_id = previous.case_id if previous else None
    joining = {item.code for item in adopted}
    lifecycle.propose(session, case, [entry for entry in checklist["items"] if entry["code"] not in joining], previous=previous)
    handed_in = [materials.record(session, case, given["code"], actor=actor, fields=given.get("fields")) for given in what.materials]
    received = [{"no": each.no, "code": each.code, "name": each.name} for each in handed_in]
    _start(session, case, adopted, received, actor=actor)
    return case


def _what(session: Session, what: Submission) -> tuple[Matter, Sequence[str] | None]:
    """Find the matter, and the codes of the items that were named (None: the tables choose).

    An item that is submitted by its own code becomes a case of the matter that carries one item.
    """
    try:
        loaded = definitions.latest(session, what.matter)
    except NotFound as error:
        message = f"Expected the key of a matter, or the code of an item, but {what.matter!r:.80} is none"
        raise NotFound(f"{message}: {matters.hint(session, what.matter)}") from error
    if loaded.kind == "item":
        return matters.get(session, matters.SINGLE_ITEM), [what.matter]
    if what.matter == matters.SINGLE_ITEM and len(what.items or ()) != 1:
        raise InvalidInput.of_field("items", "Expected the one item that is applied for alone")
    return matters.of_version(loaded), what.items


def _checklist(
    session: Session, what: Submission, matter: Matter, *, only: Sequence[str] | None, adopted: Sequence[Item], previous: Item | None
) -> checklists.Checklist:
    """Work the checklist out; raises InvalidInput where the matter is not offered, or nothing is applied for."""
    before = session.get_one(Case, previous.case_id).matter if previous else matters.SINGLE_ITEM
    tables_of = before if before != matters.SINGLE_ITEM else None  # what is applied for again was asked by the tables of that matter
    whole = only is None and not adopted
    checklist = checklists.make(session, matter, what.answers, only=only, tables_of=tables_of, whole=whole)
    checklists.require_offered(matter, checklist)
    if not checklist["items"] and not adopted:
        raise InvalidInput.of_field("answers", "Expected answers that call for an item, but these call for none")
    return checklist


def _open(session: Session, what: Submission, matter: Matter, checklist: checklists.Checklist, *, actor: Actor) -> Case:
    now = moments.now()
    case_id, number = numbers.next_case(session, what.region)
    matters.keep_newest(session, matter)
    case = Case(
        id=case_id,
        number=number,
        region=what.region,
        matter=matter.key,
        definition_id=matter.definition_id,
        hall=what.hall,
        applicant_number=what.applicant["id_number"],
        applicant=what.applicant,
        answers=what.answers,
        checklist=checklist,
        entry="submit",
        submitted_at=now,
        submitted_by=actor.name,
        clock_started_on=calendars.local_date(now) if matter.clock_start == "ON_SUBMIT" else None,
        promised=matter.promised,
    )
    dials.keep(case, bundle_clock.count(session, case).promise)
    session.add(case)
    session.flush()
    return case


def request_follow_on(session: Session, case: Case, codes: Sequence[str], *, actor: Actor, previous: Item | None = None) -> Case:
    """Ask that items join a bundle that runs (接续受理); its next follow-on intake decides on them.

    Raises NotPermitted, InvalidInput, and InvalidState when it is too late, or when the bundle has such an item.
    """
    actor.require(Role.CLERK, Role.CHANNEL, Role.SUPERVISOR, to="add items to the case", hall=case.hall)
    row = bundles.hold(session, case, joining=previous is None)
    _require_open(case, is_open=case.ended_at is None)
    live, codes = {i.code: i for i in case_items.live(case)}, list(dict.fromkeys(codes))
    for code in codes:
        if code in live and (previous is None or live[code].status in UNSETTLED | FAVOURABLE):
            instead = f": apply for it again (POST /items/{live[code].number}/reapply)" if live[code].status in REAPPLICABLE else ""
            message = f"Expected {code!r} to join case {case.number}, but it is there as {live[code].number}{instead}"
            raise InvalidState(message, item=live[code].number)
    checklists.extend(session, case, codes)
    entries = {entry["code"]: entry for entry in case.checklist["items"]}
    added = lifecycle.propose(session, case, [entries[code] for code in codes], previous=previous)
    journal.record(session, row, actor=actor, what="follow-on requested", items=[item.number for item in added])
    _ask_to_join(session, case, live.values(), actor=actor)
    return case


def adopt(session: Session, case: Case, number: str, *, actor: Actor) -> Item:
    """Attach an item that runs, or is finished, to this bundle; its clock is untouched (domain rule 15).

    What nobody has accepted yet is accepted here, with the others or at a follow-on intake.
    """
    actor.require(Role.CLERK, Role.SUPERVISOR, to="adopt an item into the case", hall=case.hall)
    row = bundles.hold(session, case, joining=True)
    before = case_items.live(case)
    _require_open(case, is_open=case.ended_at is None and follow_on.is_open(session, row, before))
    found = adoptions.find(session, number, case.applicant)
    checklists.extend(session, case, [found.code])
    item = adoptions.attach(session, case, found, actor=actor)
    journal.record(session, row, actor=actor, what="item adopted", item=item.number, origin=item.origin)
    if item.status is ItemStatus.SUBMITTED:
        _ask_to_join(session, case, before, actor=actor)
    jobs.owe(session, jobs.MESSAGE, row, message=matters.ITEMS_CHANGED)
    return item


def withdraw(session: Session, case: Case, *, reason: str, actor: Actor) -> Case:
    """Take the whole case back (撤回), and tell the applicant; what is decided already stays."""
    require_reason(reason, to="withdraw the case")
    actor.require(Role.CLERK, Role.CHANNEL, Role.SUPERVISOR, to="withdraw the case", hall=case.hall)
    row = bundles.hold(session, case)
    for item in (item for item in case_items.live(case) if item.status in WITHDRAWABLE):
        instances.hold(session, item, case)  # its department may have decided just now
    open_items = [item for item in case_items.live(case) if item.status in WITHDRAWABLE]
    if not open_items:
        raise InvalidState(f"Expected case {case.number} to have an undecided item, but it has none")
    told = _take_back(session, case, open_items, reason=reason, actor=actor)
    journal.record(session, row, actor=actor, what="case withdrawn", notice=told.number, reason=reason)
    return case


def withdraw_item(session: Session, case: Case, item: Item, *, reason: str, actor: Actor) -> Notice:
    """Take one item back, with its process; the bundle goes on without it, or ends when it was the last (domain rule 10)."""
    instances.hold(session, item, case)
    if item.status not in WITHDRAWABLE:
        raise InvalidState(
            f"Expected to withdraw item {item.number} before it is decided, but it is {item.status}", status=str(item.status)
        )
    return _take_back(session, case, [item], reason=reason, actor=actor)


def _take_back(session: Session, case: Case, items: Sequence[Item], *, reason: str, actor: Actor) -> Notice:
    row = instances.of_case(session, case)
    for item in items:
        if item.instance_id is not None:
            instances.cancel(session, item.instance_id, actor=actor, mappings=False)
        if item.instance_id is not None and item.dispatched_at is not None:
            jobs.owe(session, jobs.RESUME, row, child=str(item.instance_id))
        else:
            jobs.owe(session, jobs.MESSAGE, row, message=matters.ITEMS_CHANGED)
        lifecycle.end(session, item, ItemStatus.WITHDRAWN, actor=actor, reason={"reason": reason})
    notice = notices.withdrawal(session, case, [item.number for item in items], reason, actor=actor)
    lifecycle.follow_up(session, case, actor=actor)
    if not any(other.status in WITHDRAWABLE for other in case_items.live(case)):
        execution.throw(session, case, WITHDRAWN, actor=actor)
    return notice


def get(session: Session, number: str, actor: Actor) -> Case:
    """Return a case by its number; raises NotFound, also for what is not the actor's, InvalidState when it is in the archive."""
    case = session.scalar(select(Case).where(Case.number == number, Case.hall.is_not(None), visibility.sees_case(actor)))
    if case is None:
        archive_search.require_hot(session, number, actor)
        raise NotFound(f"Expected to find case {number}, but it does not exist or is not yours{numbers.hint(number)}")
    return case


def sees_whole(case: Case | Row[Any], actor: Actor) -> bool:
    """Whether the actor sees all of the bundle, and not only the items of a department."""
    halls = actor.halls()
    return halls is None or case.hall in halls or case.submitted_by == actor.name


def items_for(case: Case, actor: Actor) -> list[Item]:
    """Return the items of a case that the actor may see; of two with one code (applied for again) both."""
    departments = actor.departments()
    if sees_whole(case, actor) or departments is None:
        return list(case.items)
    return [item for item in case.items if item.department in departments]


def _start(session: Session, case: Case, adopted: Sequence[Item], received: Sequence[Mapping[str, Any]], *, actor: Actor) -> None:
    """Attach what is adopted, start the process, and give the applicant a receipt: what is applied for, and the materials `received`."""
    loaded = definitions.get(session, case.definition_id)
    at = None
    if adopted:
        at = matters.follow_on_start(loaded)
        if at is None:
            raise InvalidState(f"Expected {loaded.name} to have a follow-on start, but it has none")
    for code, item in [(item.code, item) for item in adopted]:  # the codes first: an adoption makes the session forget all that it has read
        checklists.extend(session, case, [code])
        adoptions.attach(session, case, item, actor=actor)
    variables = {"joining": False, **_process_variables(case)}
    run = execution.start(session, case, actor=actor, variables=variables, at=at)
    live = case_items.live(case)
    items, applied = [item.number for item in live], [item.number for item in live if item.status is not ItemStatus.IMPORTED]
    notice = notices.issue(session, case, NoticeKind.RECEIPT, {"items": applied, "materials": received}, actor=actor)
    about = {"items": items, "notice": notice.number, "checklist": case.checklist["hash"]}
    journal.record(session, run.row, actor=actor, what="case submitted", **about)


def _process_variables(case: Case) -> dict[str, Any]:
    codes = [entry["code"] for entry in case.checklist["items"]]
    return {**case.answers, "item": codes[0] if len(codes) == 1 else None}


def _ask_to_join(session: Session, case: Case, before: Iterable[Item], *, actor: Actor) -> None:
    """Send the follow-on message; while the whole case still waits at the window, the items simply wait with it."""
    taken = execution.throw(session, case, matters.FOLLOW_ON, actor=actor, variables={"joining": True})
    _require_open(case, is_open=taken > 0 or any(item.status in UNANSWERED for item in before))


def _require_open(case: Case, *, is_open: bool) -> None:
    """Refuse what joins too late; also when all is settled, and the process of an item still goes on: the case has ended, and its clock."""
    if not is_open:
        raise InvalidState(f"Expected case {case.number} to be open for more items, but its joint handling is over: submit a new one")


def require_reason(reason: str, *, to: str) -> None:
    """Raise InvalidInput unless it is said why; `to` completes “Expected a reason to …”."""
    if not reason.strip():
        raise InvalidInput.of_field("reason", f"Expected a reason to {to}, but it is empty")
