"""The key (region, case) by which what grows can be spread over databases: each row has it, each key and each reference contains it.

It stands last in a key: what leads there is what rows are looked for by, so that no key needs an index beside it (docs/decisions/0018).
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

#: Names of its columns.
KEY = ("case_id", "region")
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
    """Say that there is one row of these columns in a case."""
    return UniqueConstraint(*names, *(name for name in KEY if name not in names))


def of_case() -> ForeignKeyConstraint:
    """Refer to the case itself; what refers to a row of the case needs no such thing."""
    return ForeignKeyConstraint(KEY, ["cases.id", "cases.region"])


def refers(name: str, table: str) -> ForeignKeyConstraint:
    """Refer to a row of the same case; when that goes to another case (`adoptions`), what refers to it goes along.

    Whether all of it has gone there is looked at when the transaction ends.
    """
    there = [f"{table}.{column}" for column in ("id", *KEY)]
    return ForeignKeyConstraint([name, *KEY], there, onupdate="CASCADE", deferrable=True, initially="DEFERRED")
