"""Pages (分页): the first rows of a list, of which somebody may see different parts for different reasons.

One condition that joins all reasons with `or` makes a database read everything and sort it.  Here each reason is a *branch* that an
index answers in the order of the list, so that it stops after a page; the branches are merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, defer

from engine.case_models import Case, Item
from engine.models import Task

Row = TypeVar("Row", Task, Case, Item)
#: So many branches at most are made of one list of values; beyond, they are common enough for one branch to find them all.
FEW = 4
#: So many rows at most are looked at one by one; beyond, one of them is soon met in the order of the list.
RARE = 2000
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
    rare: ColumnElement[bool] | None = None,
) -> Sequence[Row]:
    """Give the first rows of any branch, each once; `newest`: the last ones, the last first.  The order must be one of all rows.

    `rare` is a condition that perhaps only few rows meet.  Then these are looked at, instead of all others in the order of the list.
    """
    if not branches:
        return []
    if rare is not None:
        few = select(table.id).where(rare).limit(RARE + 1).correlate(None)
        if (session.scalar(select(func.count()).select_from(few.subquery())) or 0) > RARE:
            where = (*where, rare)
        else:
            branches, where = [or_(*branches)], (*where, table.id.in_(few))
    # Only the key at first: what a condition leaves out is then left out by the index alone, whose entries hold the lights, too.
    key = list(dict.fromkeys((table.id, *order)))
    parts = [_ordered(select(*key).where(branch, *where), order, newest).limit(limit) for branch in branches]
    found = union(*(select(part.subquery()) for part in parts)).subquery() if len(parts) > 1 else parts[0].subquery()
    page = _ordered(select(found.c.id), [found.c[column.key] for column in order], newest).limit(limit).subquery()
    rows = select(table).join(page, page.c.id == table.id).options(*(LEAN if table is Case else ()))
    return session.scalars(_ordered(rows, order, newest)).all()


def each(column: InstrumentedAttribute[Any], values: Iterable[str]) -> list[ColumnElement[bool]]:
    """Give a branch for each value while there are few, else one for all."""
    wanted = sorted(values)
    return [column == value for value in wanted] if len(wanted) <= FEW else [column.in_(wanted)]


def _ordered(query: Select[Any], columns: Sequence[Any], newest: bool) -> Select[Any]:
    return query.order_by(*(column.desc() if newest else column for column in columns))
