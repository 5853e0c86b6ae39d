"""Materials (材料): what was handed in; one upload serves every item that needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import bundles, case_items, execution, instances, jobs, journal, keys, lifecycle, moments, tolerances
from engine.actors import Actor
from engine.case_models import Case, Item, Material, MaterialLink
from engine.errors import InvalidInput, NotFound
from engine.states import FAVOURABLE, UNSETTLED, ItemStatus

#: What the bundle's tolerance waits for.
SUPPLIED = "material_supplied"


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that lies in the store already, named by its content."""

    sha256: str
    filename: str
    media_type: str
    #: Bytes.
    size: int


def hand_in(
    session: Session, case: Case, code: str, *, actor: Actor, file: StoredFile | None = None, fields: dict[str, Any] | None = None
) -> Material:
    """Take a material in, give it to the items that need it, and close the tolerance that waits for it.

    Raises InvalidInput for a material that the checklist does not know.
    """
    row = bundles.hold(session, case)
    material = record(session, case, code, actor=actor, file=file, fields=fields)
    journal.record(session, row, actor=actor, what="material handed in", material=code, no=material.no, sha256=material.sha256)
    if tolerances.meet(session, case, code):
        execution.throw(session, case, SUPPLIED, actor=actor)
    return material


def record(
    session: Session,
    case: Case,
    code: str,
    *,
    actor: Actor,
    file: StoredFile | Material | None = None,
    fields: dict[str, Any] | None = None,
) -> Material:
    """Write a material down and link it to the items that are being handled.  `file`: of a copy of another material, the file of that one.

    Raises InvalidInput for a material that the checklist does not know.
    """
    known = {m["code"]: m for m in case.checklist["materials"]}
    if code not in known:
        raise _unknown(code, known)
    taken = session.scalar(select(func.max(Material.no)).where(keys.same_case(Material, case))) or 0
    material = Material(
        **case.key,
        no=taken + 1,
        code=code,
        name=known[code]["name"],
        filename=file.filename if file else None,
        media_type=file.media_type if file else None,
        size=file.size if file else None,
        sha256=file.sha256 if file else None,
        fields=fields,
        copied_from_id=file.id if isinstance(file, Material) else None,
        handed_in_at=moments.now(),
        handed_in_by=actor.name,
    )
    session.add(material)
    session.flush()
    if any(item.status is ItemStatus.CORRECTING for item in case.items):  # until when may the rest come, or must the window answer?
        jobs.owe(session, jobs.REFRESH, instances.of_case(session, case))
    for item in case_items.live(case):
        if item.accepted_at is not None and item.status in UNSETTLED | FAVOURABLE:
            lifecycle.distribute(session, case, item)
    return material


def _unknown(code: str, known: Mapping[str, Any]) -> InvalidInput:
    among = "、".join(f"{material['name']} {name}" for name, material in known.items())
    return InvalidInput.of_field("code", f"Expected the code of a material of the checklist ({among}), but {code!r} is none")


def take_over(session: Session, rows: Sequence[Material], target: Case, *, codes: set[str], actor: Actor) -> None:
    """Copy what an earlier case has and this one needs, with every part of it; nothing is asked twice, and no tolerance waits for it."""
    wanted = codes - lifecycle.handed_in(session, target)
    for row in (row for row in rows if row.code in wanted):
        record(session, target, row.code, actor=actor, file=row, fields=row.fields)
        if tolerances.meet(session, target, row.code):
            jobs.owe(session, jobs.MESSAGE, instances.of_case(session, target), message=SUPPLIED)


def of_case(session: Session, case: Case, items: list[Item] | None = None) -> list[Material]:
    """Materials of a case; with `items`, only those that serve one of them."""
    query = select(Material).where(keys.same_case(Material, case)).order_by(Material.no)
    if items is not None:
        linked = select(MaterialLink.material_id).where(
            keys.same_case(MaterialLink, case), MaterialLink.item_id.in_([item.id for item in items])
        )
        query = query.where(Material.id.in_(linked))
    return list(session.scalars(query))


def usable(session: Session, case: Case) -> list[Material]:
    """Materials of a case that no department has rejected: what another case may have a copy of."""
    known = lifecycle.usable(session, case)
    return [material for material in of_case(session, case) if material.id in known]


def get(session: Session, case: Case, no: int, items: list[Item] | None = None) -> Material:
    """One material of a case by its running number; raises NotFound, also for what is not among `items`' materials."""
    found = next((m for m in of_case(session, case, items) if m.no == no), None)
    if found is None:
        raise NotFound(f"Expected case {case.number} to have material {no}, but there is none for you")
    return found
