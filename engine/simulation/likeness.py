"""Likeness (相同情形): what two moments have in common when the same can come of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import definitions, keys
from engine.case_models import Case, Item, Supplement, Tolerance
from engine.models import Instance
from engine.simulation.standing import Standing


def of(session: Session, standing: Standing, running: Iterable[Instance], items: Iterable[Item]) -> Hashable:
    """Tell moments apart: what every instance waits for, its variables, and which timer is next."""
    codes = {item.instance_id: item.code for item in items}
    named = {each.id: (_instance(session, each), codes.get(each.id)) for each in running}
    waits = Counter((named[each.instance], each.element, type(each).__name__) for each in standing.waiting)
    timers = tuple((named[each.instance], each.element) for each in standing.timers)
    return frozenset(Counter(named.values()).items()), frozenset(waits.items()), timers


def _instance(session: Session, instance: Instance) -> Hashable:
    variables = tuple((name, repr(instance.variables[name])) for name in sorted(instance.variables))
    return definitions.get(session, instance.definition_id).key, variables


def of_case(session: Session, case: Case, handed_in: Collection[str]) -> Hashable:
    """Tell cases apart: what became of each item, what was handed in, what is missing, what was asked."""
    items = Counter((i.code, i.status, i.clock, i.origin, i.accepted_by, i.dispatched_at is None, i.issued_at is None) for i in case.items)
    tolerances = session.scalars(select(Tolerance).where(keys.same_case(Tolerance, case)))
    missing = Counter((each.code, each.status, each.reminded_at is None) for each in tolerances)
    asked = Counter(session.scalars(select(Supplement.status).where(keys.same_case(Supplement, case))))
    return frozenset(items.items()), frozenset(handed_in), frozenset(missing.items()), frozenset(asked.items())
