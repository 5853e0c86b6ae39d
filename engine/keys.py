"""The key (region, case) by which what grows can be spread over databases: each row has it, each key and each reference contains it.

It stands last in a key: what leads there is what rows are looked for by, so that no key needs an index beside it (docs/decisions/0018).
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    FromClause,
    Select,
    String,
    UniqueConstraint,
    and_,
    bindparam,
    inspect,
    select,
)
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.orm.util import identity_key

Row = TypeVar("Row")

#: Names of its columns.
KEY = ("case_id", "region")
#: The key of what is of no case.
NOBODY: dict[str, Any] = {"case_id": UUID(int=0), "region": ""}
#: Behind all other columns, so that they are the last ones of the primary key.
LAST = 1000


class Keyed:
    """A row of a case: it lies where its case lies."""

    #: Columns by which the mapper knows it: the primary key without the key of the case, for what has an id is known by that alone.
    known_by: ClassVar[tuple[str, ...]] = ("id",)
    case_id: Mapped[UUID] = mapped_column(primary_key=True, index=True, sort_order=LAST)
    region: Mapped[str] = mapped_column(String(12), primary_key=True, sort_order=LAST)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        return {"primary_key": cls.known_by}

    @property
    def key(self) -> dict[str, Any]:
        """What every row of its case says: `Notice(**task.key, …)`."""
        return {"region": self.region, "case_id": self.case_id}


def found_otherwise() -> Mapped[UUID]:
    """Column of the case in a table whose rows nobody looks for by it alone: it has no index of its own."""
    return mapped_column(primary_key=True, sort_order=LAST)


def unique(*names: str) -> UniqueConstraint:
    """Constraint: these columns are unique within a case."""
    return UniqueConstraint(*names, *(name for name in KEY if name not in names))


def of_case() -> ForeignKeyConstraint:
    """Foreign key to the case itself; a table that refers to another row of its case needs none."""
    return ForeignKeyConstraint(KEY, ["cases.id", "cases.region"])


def refers(name: str, table: str) -> ForeignKeyConstraint:
    """Foreign key to a row of the same case; when that goes to another case (`adoptions`), what refers to it goes along.

    Whether all of it has gone there is looked at when the transaction ends.
    """
    there = [f"{table}.{column}" for column in ("id", *KEY)]
    return ForeignKeyConstraint([name, *KEY], there, onupdate="CASCADE", deferrable=True, initially="DEFERRED")


def together(one: Any, other: Any) -> ColumnElement[bool]:
    """Condition: two rows are of one case.  Every join says so, and can be made within a shard then."""
    (case, region), (other_case, other_region) = _place(one), _place(other)
    return and_(case == other_case, region == other_region)


def asked(kind: type[Keyed]) -> tuple[ColumnElement[bool], ...]:
    """Condition: a row is of the case whose key (`Keyed.key`) is given as parameters, to a statement that is built once."""
    return kind.case_id == bindparam("case_id"), kind.region == bindparam("region")


def its(reference: Any, there: Any) -> ColumnElement[bool]:
    """Condition: a row is the one to which another row of its case refers.  This is what a join by an id is on."""
    here = reference.table if isinstance(reference, Column) else reference.parent.entity
    return and_(_columns(there).id == reference, together(here, there))


def get(session: Session, kind: type[Row], known: Any, of: Any) -> Row | None:
    """Give a row by its id, as `session.get` does (what is known is not read), but look only where another row of its case lies."""
    there: Row | None = session.identity_map.get(identity_key(kind, known))
    return there if there is not None and not instance_state(there).expired else session.scalar(_one(kind, known, of))


def get_one(session: Session, kind: type[Row], known: Any, of: Any) -> Row:
    """Give such a row, which must be there."""
    found = get(session, kind, known, of)
    if found is None:
        raise NoResultFound(f"Expected to find {known} among {kind.__name__}, but there is none in its case")
    return found


def read_anew(session: Session, kind: type[Row], known: Any, of: Any, *, lock: bool = False) -> Row | None:
    """Give such a row as it is now, whatever the session knows; `lock`: nobody else writes it until the transaction ends."""
    query = _one(kind, known, of).execution_options(populate_existing=True)
    return cast("Row | None", session.scalar(query.with_for_update(key_share=True) if lock else query))


def _one(kind: type[Row], known: Any, of: Any) -> Select[Any]:
    columns = inspect(kind).primary_key
    values = known if isinstance(known, tuple) else (known,)
    return select(kind).where(*(column == value for column, value in zip(columns, values, strict=True)), together(kind, of))


def _place(row: Any) -> tuple[Any, Any]:
    columns = _columns(row)
    return columns.case_id if hasattr(columns, "case_id") else columns.id, columns.region


def _columns(row: Any) -> Any:
    return row.c if isinstance(row, FromClause) else row
