"""What a case takes up in PostgreSQL, by table: `python -m tests.benchmarks.storage`.

The reference bundle is copied so often that pages that are half empty do not count, and the tables are looked at after a VACUUM: dead
rows, the log of the database and backups come on top.  Uploaded files are no rows.  Then one case is archived.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine import archive_documents, archives, keys
from engine.database import Database
from engine.models import Base
from tests import databases
from tests.benchmarks import bundle, population

SIZES = """
SELECT relname, pg_relation_size(oid), pg_indexes_size(oid), pg_total_relation_size(oid) - pg_relation_size(oid) - pg_indexes_size(oid)
FROM pg_class WHERE relkind = 'r' AND relname = ANY(:tables)
"""


@dataclass(frozen=True)
class Size:
    """Bytes of one case in one table."""

    rows: float
    #: What is too long for a row is kept beside it.
    beside: float
    indexes: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.rows + self.beside + self.indexes


def main() -> None:
    """Print what an open, a finished and an archived case take up."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.storage", description=__doc__)
    words.add_argument("--cases", type=int, default=1000, help="copies of each case")
    asked = words.parse_args()
    console = Console(width=100)
    with databases.postgresql_server() as server:
        store = databases.PostgreSQL(server)
        for label, bring in STATES.items():
            with opened(store) as db:
                bundle.deploy(db)
                case = bring(db)
                console.print(_table(label, measured(db, case, asked.cases)))
                if label.endswith("finished"):
                    console.print(f"archived: {archived(db, case):,} bytes, without indexes")


def finished(db: Database, items: tuple[str, ...] = bundle.ITEMS) -> UUID:
    """Take a bundle to its end; gives the id of the case."""
    case = bundle.submit(db, items)
    for _kind, work in bundle.work(db, case):
        work()
    return case


#: What is measured.
STATES: Mapping[str, Callable[[Database], UUID]] = {
    "five items, departments at work": bundle.at_work,
    "five items, finished": finished,
    "one item, finished": partial(finished, items=bundle.ITEMS[:1]),
}


def measured(db: Database, case: UUID, copies: int) -> dict[str, Size]:
    """Bytes of one case, by table, the largest first."""
    tables = [table.name for table in Base.metadata.sorted_tables if archive_documents.belonging(table, keys.NOBODY) is not None]
    population.multiply(db, case, copies, tables=tables)
    population.settle(db)
    with db.bind.connect() as connection:
        found = {
            name: Size(rows=rows / (copies + 1), beside=beside / (copies + 1), indexes=indexes / (copies + 1))
            for name, rows, indexes, beside in connection.execute(text(SIZES), {"tables": tables})
        }
    return dict(sorted(found.items(), key=lambda pair: pair[1].total, reverse=True))


def archived(db: Database, case: UUID) -> int:
    """Put a finished case away; gives the bytes of its row."""
    with db.bind.begin() as connection:
        connection.execute(text("UPDATE outbox SET sent_at = created_at WHERE case_id = :case"), {"case": case})
    assert archives.put_away(db, case)
    with db.bind.connect() as connection:
        return int(connection.execute(text("SELECT pg_column_size(a.*) FROM archived_cases AS a")).scalar_one())


def _table(label: str, sizes: dict[str, Size]) -> Table:
    heads = ("rows", "beside", "indexes", "all")
    table = Table("table", *(Column(head, justify="right") for head in heads), title=f"A case, {label}: bytes in PostgreSQL")
    total = Size(*(sum(getattr(size, part) for size in sizes.values()) for part in ("rows", "beside", "indexes")))
    for name, size in {**sizes, "all": total}.items():
        if size.rows >= 1:
            table.add_row(name, *(f"{part:,.0f}" for part in (size.rows, size.beside, size.indexes, size.total)))
    return table


@contextmanager
def opened(store: databases.PostgreSQL) -> Iterator[Database]:
    """Open a fresh database."""
    with store.fresh() as url:
        db = Database(url)
        yield db
        db.close()


if __name__ == "__main__":
    main()
