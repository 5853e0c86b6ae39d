"""Pages (分页): the first rows of a list, of which somebody may see different parts for different reasons.

One condition that joins all reasons with `or` makes a database read everything and sort it.  Here each reason is a *branch* that an
index answers in the order of the list, so that it stops after a page; the branches are merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from engine.case_models import Case, Item
from engine.models import Task

Row = TypeVar("Row", Task, Case, Item)
#: So many branches at most are made of one list of values; beyond, they are common enough for one branch to find them all.
FEW = 4
#: What no list shows of a case, and what is most of it.
LEAN = (defer(Case.checklist), defer(Case.answers))


def first(
    session: Session,
    table: type[Row],
    branches: Sequence[ColumnElement[bool]],
    *where: ColumnElement[bool],
    order: Sequence[InstrumentedAttribute[Any]],
    limit: int,
    newest: bool = False,
) -> Sequence[Row]:
    """Give the first rows of any branch, each once; `newest`: the last ones, the last first.  The order must be one of all rows."""
    if not branches:
        return []
    rows = select(table).options(*(LEAN if table is Case else ()))
    if len(branches) == 1:
        return session.scalars(_ordered(rows.where(branches[0], *where), order, newest).limit(limit)).all()
    key = list(dict.fromkeys((table.id, *order)))
    parts = (_ordered(select(*key).where(branch, *where), order, newest).limit(limit) for branch in branches)
    found = union(*(select(part.subquery()) for part in parts)).subquery()
    page = _ordered(select(found.c.id), [found.c[column.key] for column in order], newest).limit(limit).subquery()
    return session.scalars(_ordered(rows.join(page, page.c.id == table.id), order, newest)).all()


def each(column: InstrumentedAttribute[Any], values: Iterable[str]) -> list[ColumnElement[bool]]:
    """Give a branch for each value while there are few, else one for all."""
    wanted = sorted(values)
    return [column == value for value in wanted] if len(wanted) <= FEW else [column.in_(wanted)]


def _ordered(query: Select[Any], columns: Sequence[Any], newest: bool) -> Select[Any]:
    return query.order_by(*(column.desc() if newest else column for column in columns))
