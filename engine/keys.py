"""The key (region, case) by which a growing database can be spread over several: every row of a case has both columns.

Each primary key, foreign key and join contains them, so that a row is looked for only where its case lies.  In a primary key they stand
last: its first columns are those by which rows are looked for, so that no other index is needed (docs/decisions/0018).
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

#: Names of the columns of the key.
KEY = ("case_id", "region")
#: The key of a row that belongs to no case.
NOBODY: dict[str, Any] = {"case_id": UUID(int=0), "region": ""}
#: Under this name a session knows the region of its installation (`Database.info`).
HERE = "here"
#: Place of these columns among those of a table: behind all others, so that they come last in the primary key.
LAST = 1000


def here(session: Session) -> str:
    """Division code of the place that the installation serves: the region of whatever begins without an applicant."""
    return str(session.info[HERE])


class Keyed:
    """A table whose rows belong to a case, and lie where it lies."""

    #: Columns by which SQLAlchemy identifies a row: without the key of the case, for ids are unique by themselves.
    known_by: ClassVar[tuple[str, ...]] = ("id",)
    case_id: Mapped[UUID] = mapped_column(primary_key=True, index=True, sort_order=LAST)
    region: Mapped[str] = mapped_column(String(12), primary_key=True, sort_order=LAST)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy calls it with the class
        return {"primary_key": cls.known_by}

    @property
    def key(self) -> dict[str, Any]:
        """The columns that every row of its case has, as keyword arguments: `Notice(**task.key, …)`."""
        return {"region": self.region, "case_id": self.case_id}


def found_otherwise() -> Mapped[UUID]:
    """The column `case_id`, without an index: for a table in which nobody looks for all rows of a case."""
    return mapped_column(primary_key=True, sort_order=LAST)


def unique(*names: str) -> UniqueConstraint:
    """Constraint: the values of these columns are unique within a case."""
    return UniqueConstraint(*names, *(name for name in KEY if name not in names))


def of_case() -> ForeignKeyConstraint:
    """Foreign key to the case; a table that refers to another row of its case needs none."""
    return ForeignKeyConstraint(KEY, ["cases.id", "cases.region"])


def refers(name: str, table: str) -> ForeignKeyConstraint:
    """Foreign key from a column to the id of a row of the same case, in a table.

    When that row is moved to another case (`adoptions`), the rows that refer to it move with it (`ON UPDATE CASCADE`).  The reference is
    checked when the transaction ends, not before: on the way only some of them have moved.
    """
    there = [f"{table}.{column}" for column in ("id", *KEY)]
    return ForeignKeyConstraint([name, *KEY], there, onupdate="CASCADE", deferrable=True, initially="DEFERRED")


def same_case(one: Any, other: Any) -> ColumnElement[bool]:
    """Condition: two rows belong to the same case.  Each is a table, a model or a row.  Every join says so: then both are on one shard."""
    (case, region), (other_case, other_region) = _place(one), _place(other)
    return and_(case == other_case, region == other_region)


def asked(kind: type[Keyed]) -> tuple[ColumnElement[bool], ...]:
    """Conditions: a row belongs to the case whose key the statement is given as parameters (`{**row.key}`) when it runs."""
    return kind.case_id == bindparam("case_id"), kind.region == bindparam("region")


def its(reference: Any, there: Any) -> ColumnElement[bool]:
    """Condition: a column (`Task.instance_id`) refers to the row `there`, of the same case: a table, a model or a row with an `id`.

    This is what every join by an id says.
    """
    here = reference.table if isinstance(reference, Column) else reference.parent.entity
    return and_(_columns(there).id == reference, same_case(here, there))


def get(session: Session, kind: type[Row], known: Any, of: Any) -> Row | None:
    """Return a row by its id, or None, as `session.get` does; but look for it only in the case of `of`, another row of that case."""
    there: Row | None = session.identity_map.get(identity_key(kind, known))
    return there if there is not None and not instance_state(there).expired else session.scalar(_one(kind, known, of))


def get_one(session: Session, kind: type[Row], known: Any, of: Any) -> Row:
    """Return a row as `get` does; raises NoResultFound when there is none."""
    found = get(session, kind, known, of)
    if found is None:
        raise NoResultFound(f"Expected to find {known} among {kind.__name__}, but there is none in its case")
    return found


def read_anew(session: Session, kind: type[Row], known: Any, of: Any, *, lock: bool = False) -> Row | None:
    """Return a row as `get` does, but read it now, even if the session has read it before; `lock`: until the transaction ends."""
    query = _one(kind, known, of).execution_options(populate_existing=True)
    return cast("Row | None", session.scalar(query.with_for_update(key_share=True) if lock else query))


def _one(kind: type[Row], known: Any, of: Any) -> Select[Any]:
    columns = inspect(kind).primary_key
    values = known if isinstance(known, tuple) else (known,)
    return select(kind).where(*(column == value for column, value in zip(columns, values, strict=True)), same_case(kind, of))


def _place(row: Any) -> tuple[Any, Any]:
    columns = _columns(row)
    return columns.case_id if hasattr(columns, "case_id") else columns.id, columns.region


def _columns(row: Any) -> Any:
    return row.c if isinstance(row, FromClause) else row
