"""Disclosures (告知范围): what of the variables of a process is shown to whoever asks as Camunda's clients do.

A process begins with all answers of its bundle, for what is drawn in it may need them.  Who does not see the bundle whole is not shown
those that its matter gives to other departments only (`used_by`; 个人信息保护法 art. 6: no more than the purpose needs), and nothing of
what is in the process of another department's item.  What the process was given besides, or has set otherwise, is shown, and so is what
the diagram hands by name to an activity, or to the item: the designer has meant it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, selectinload

from engine import cases, checklists, definitions, matters, variables
from engine.actors import Actor
from engine.case_models import Case
from engine.models import Instance
from engine.variables import Seen


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """What of one process is shown."""

    #: Variables of the process that are not; those of its activations are.
    without: frozenset[str] = frozenset()
    #: It belongs to another department's item: nothing is.
    closed: bool = False

    def at(self, row: Instance, number: int | None, *, local: bool = False) -> Seen:
        """What is shown of what an activation sees (`variables.at`)."""
        seen = variables.at(row, number, local=local, without=self.without)
        return Seen() if self.closed else seen


_ALL = Disclosure()


def at(session: Session, row: Instance, number: int | None, *, actor: Actor, local: bool = False) -> Seen:
    """What an actor is shown of what an activation sees (None: the process), or of its own; raises NotFound when it does not last."""
    return of(session, [row], actor)[row.id].at(row, number, local=local)


def of(session: Session, rows: Collection[Instance], actor: Actor) -> Mapping[UUID, Disclosure]:
    """What an actor is shown of these processes, by their ids, whatever their cases."""
    shown = {row.id: _ALL for row in rows}
    if rows and actor.halls() is not None and actor.departments() is not None:
        for case in (case for case in _cases(session, rows) if not cases.sees_whole(case, actor)):
            shown |= _in_case(session, case, [row for row in rows if row.case_id == case.id], actor)
    return shown


def _cases(session: Session, rows: Collection[Instance]) -> Sequence[Case]:
    """The cases of these processes, those without a matter left out, with their items; two statements, however many they are."""
    places = Case.id.in_({row.case_id for row in rows}), Case.region.in_({row.region for row in rows})
    query = select(Case).where(*places, Case.hall.is_not(None))
    return session.scalars(query.options(defer(Case.checklist), selectinload(Case.items))).all()


def _in_case(session: Session, case: Case, rows: Collection[Instance], actor: Actor) -> Iterator[tuple[UUID, Disclosure]]:
    mine = {item.id: item.code for item in cases.items_for(case, actor)}
    withheld = checklists.withheld(session, case, set(mine.values()))
    for row in rows:
        if row.item_id is not None and row.item_id not in mine:
            yield row.id, Disclosure(closed=True)
            continue
        same = {name for name in withheld if name in row.variables and row.variables[name] == case.answers[name]}
        if same and row.item_id is not None:
            same -= matters.handed_to(definitions.get(session, case.definition_id), mine[row.item_id])
        yield row.id, Disclosure(without=frozenset(same))
