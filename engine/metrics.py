"""Metrics (运行指标): what the cases of a period show, by matter; each rate as the two numbers it is made of.

A case falls into a period by the day on which it was submitted, or on which it ended: what was finished in a month may be older.

The names are those of the reform's own indicators: 联办量 (how many items a case really bundles), 一次性备齐率 (nothing was missing
at first), 退件率 (sent away: 不予受理, 补正不来, 退件), 相对办件量 (bundles beside cases of one of their items alone).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, TextClause, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from engine import archive_search, calendars, case_items, durations, keys, matters, pages, reads, visibility
from engine.actors import Actor, Role
from engine.alerts import AlertKind
from engine.archive_models import ArchivedCase
from engine.case_models import Alert, Case, Item, Rating, Supplement, Tolerance
from engine.durations import Durations
from engine.models import Definition
from engine.states import ItemStatus


class Day(StrEnum):
    """By which day a case falls into a period."""

    SUBMITTED = "submitted"  #: 申报日
    ENDED = "ended"  #: 办结日: whatever it ended with; what is under way is left out


_SENT_AWAY = frozenset({ItemStatus.REFUSED, ItemStatus.RETURNED})


@dataclass(kw_only=True)
class Figures:
    """What the cases of one matter show that were submitted, or have ended, in the period."""

    matter: str
    name: str
    #: Cases that are counted.
    submitted: int = 0
    #: Cases of the period, too, that are in the archive: nothing else counts them.
    archived: int = 0
    ended: int = 0
    #: open, all_granted, partial, none_granted, withdrawn → cases.
    outcomes: Counter[str] = field(default_factory=Counter)
    #: 联办量: number of items → cases that bundle so many.
    joint: Counter[int] = field(default_factory=Counter)
    items: int = 0
    #: Items that came from a case of their own (接续).
    adopted: int = 0
    #: Items that were refused or returned: 退件率 is this by `items`.
    sent_away: int = 0
    #: Items whose promise was broken, also by the calendar as it was corrected since (`retractions`).
    overdue: int = 0
    #: Cases with a notice of corrections or a tolerance: 一次性备齐率 is the rest by `submitted`.
    incomplete: int = 0
    #: Cases of one item alone that this matter could have bundled: 相对办件量 is `submitted` by this.
    alone: int = 0
    #: Mark → cases; who gave none is not counted.
    ratings: Counter[int] = field(default_factory=Counter)
    #: Of the items that were decided: department → how long it took.
    durations: dict[str, Durations] = field(default_factory=dict)

    @property
    def whole(self) -> Durations:
        """How long all departments took."""
        found = Durations()
        for each in self.durations.values():
            found.add(each)
        return found


def collect(session: Session, actor: Actor, *, since: date, until: date, by: Day = Day.SUBMITTED) -> list[Figures]:
    """Count the cases that were submitted, or have ended, from one day to another (both included); a supervisor's in its halls."""
    actor.require(Role.SUPERVISOR, Role.ADMIN, to="see metrics")
    figures = {matter.key: Figures(matter=matter.key, name=matter.name) for matter in matters.catalogue(session)}
    period = pages.within(Case.id, Case.submitted_at, since, until) if by is Day.SUBMITTED else _ended(session, figures, since, until)
    wanted = and_(visibility.sees_case(actor), Case.hall.is_not(None), *period)
    alone: Counter[str] = Counter()
    decided: list[Any] = []
    for case, items in _cases(session, wanted):
        _count(figures[case.matter], case.ended_at is not None, items)
        if case.matter == matters.SINGLE_ITEM:
            alone.update({item.code for item in items})
            continue
        decided += filter(durations.is_decided, items)
        if len(decided) >= durations.SOME:
            _take(session, figures, decided)
            decided.clear()
    _take(session, figures, decided)
    _count_rows(session, wanted, figures)
    archived = dict(_archived(session, actor, since, until, by=by))
    for key, found in figures.items():
        found.archived = archived.get(key, 0)
    for matter in matters.catalogue(session):
        figures[matter.key].alone = sum(alone[code] for code in matter.calls)
    return [found for key, found in figures.items() if key != matters.SINGLE_ITEM]


def _ended(session: Session, keys_of_matters: Collection[str], since: date, until: date) -> Iterator[ColumnElement[bool] | TextClause]:
    """Keep what has ended in a period: of each version of a matter its index holds that day."""
    versions = session.scalars(select(Definition.id).where(Definition.key.in_(keys_of_matters))).all()
    yield reads.among(session, Case.definition_id, versions)
    yield Case.ended_at >= calendars.start_of(since)
    yield Case.ended_at < calendars.end_of(until)


def _cases(session: Session, wanted: ColumnElement[bool]) -> Iterator[tuple[Any, Sequence[Any]]]:
    """Cases with their live items, one after the other: of two items with one code only the later counts."""
    columns = (Case.id.label("case"), Case.matter, Case.ended_at, Item.code, Item.status, Item.origin)
    clocks = (Item.id, Item.department, Item.decided_at, Item.clock, Item.red_from)
    query = select(*columns, *clocks).join(Item, keys.same_case(Item, Case)).where(wanted).order_by(Case.id, Item.joined_at, Item.number)
    for _, rows in groupby(session.execute(query.execution_options(yield_per=1000)), key=lambda row: row.case):
        live = list({row.code: row for row in rows}.values())
        yield live[0], live


def _count(figures: Figures, ended: bool, items: Sequence[Any]) -> None:
    figures.submitted += 1
    figures.ended += ended
    figures.outcomes[case_items.outcome(items)] += 1
    figures.joint[len(items)] += 1
    figures.items += len(items)
    figures.adopted += sum(item.origin in {"continued", "imported"} for item in items)
    figures.sent_away += sum(item.status in _SENT_AWAY for item in items)


def _take(session: Session, figures: Mapping[str, Figures], decided: Sequence[Any]) -> None:
    """Count how long these items took."""
    for item, took in durations.count(session, decided):
        figures[item.matter].durations.setdefault(item.department, Durations()).add(took)


def _archived(session: Session, actor: Actor, since: date, until: date, *, by: Day) -> Iterator[tuple[str, int]]:
    """Count cases of a period that are in the archive, by matter; the day of its submission stands in the number of a case."""
    period = [ArchivedCase.ended_at >= calendars.start_of(since), ArchivedCase.ended_at < calendars.end_of(until)]
    if by is Day.SUBMITTED:
        day = func.substr(ArchivedCase.number, func.length(ArchivedCase.region) + 1, 8)
        period = [*pages.within(ArchivedCase.id, ArchivedCase.ended_at, since, None), day.between(f"{since:%Y%m%d}", f"{until:%Y%m%d}")]
    query = select(ArchivedCase.matter, func.count()).where(*period, archive_search.visible(actor), ArchivedCase.hall.is_not(None))
    yield from session.execute(query.group_by(ArchivedCase.matter))


def _count_rows(session: Session, wanted: ColumnElement[bool], figures: dict[str, Figures]) -> None:
    """Count what is written beside the cases."""
    lacking = or_(*(exists().where(keys.same_case(kind, Case)) for kind in (Supplement, Tolerance)))
    counted = select(Case.matter, func.count()).where(wanted, lacking).group_by(Case.matter)
    for matter, number in session.execute(counted):
        figures[matter].incomplete = number
    late = select(Case.matter, func.count(Alert.item_id.distinct())).join(Alert, keys.same_case(Alert, Case))
    for matter, number in session.execute(late.where(wanted, Alert.kind == AlertKind.OVERDUE).group_by(Case.matter)):
        figures[matter].overdue = number
    marks = select(Case.matter, Rating.score, func.count()).join(Rating, keys.same_case(Rating, Case))
    for matter, score, number in session.execute(marks.where(wanted).group_by(Case.matter, Rating.score)):
        figures[matter].ratings[score] = number
