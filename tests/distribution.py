"""What the schema lacks to be spread over many databases: the key (region, case) in each growing table, its keys and its constraints.

`python -m tests.distribution` prints it as it stands in docs/scale.md; tests/engine/test_schema.py compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Constraint, ForeignKeyConstraint, PrimaryKeyConstraint, Table, UniqueConstraint

from engine import archive_models, case_models, compiled_models, indexes, models, schedule_models

assert all((archive_models, case_models, compiled_models, indexes, schedule_models))  # importing them registers their tables
#: What does not grow with cases, and would be the same in every shard.  Every other table grows.
SHARED = {
    *("accounts", "api_keys", "calendar_years", "compiled_files", "definitions", "departments", "deployments", "grants", "halls"),
    *("offers", "recomputations", "resources", "start_events", "start_timers"),
}
#: Tables whose row is the case.
CASES = {"cases", "archived_cases"}


def growing() -> list[Table]:
    """Tables that grow with cases."""
    return sorted((table for table in models.Base.metadata.tables.values() if table.name not in SHARED), key=lambda table: table.name)


def case_of(table: Table) -> str:
    """Name of the column that holds the case."""
    return "id" if table.name in CASES else "case_id"


def unique(table: Table) -> Iterator[tuple[str, ...]]:
    """Columns of the primary key, and of whatever else is unique."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield _columns(constraint)
    yield from (tuple(index.columns.keys()) for index in table.indexes if index.unique)


def references(table: Table) -> Iterator[tuple[str, ...]]:
    """Columns that refer to rows of growing tables."""
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table.name not in SHARED:
            yield _columns(constraint)


def page() -> str:
    """Count what has the key, and list what has not, table by table."""
    tables = growing()
    keys = [(case_of(table), key) for table in tables for key in unique(table)]
    by_case = sum(case in key for case, key in keys)
    by_region = sum("region" in key for _case, key in keys)
    regions, cases = (", ".join(f"`{table.name}`" for table in tables if which(table)) for which in (_has_region, _has_no_case))
    lines = [
        f"- {len(tables)} tables grow. The region is a column of {regions}; a column for the case is missing in {cases}.",
        f"- Of {len(keys)} primary keys and unique constraints {by_case} contain the case, {by_region} the region.",
        "",
        "| table | unique without the case | refers without the case |",
        "|---|---|---|",
        *(f"| {table.name} | {_lacking(table, unique(table))} | {_lacking(table, references(table))} |" for table in tables),
    ]
    return "\n".join(lines) + "\n"


def _has_region(table: Table) -> bool:
    return "region" in table.c


def _has_no_case(table: Table) -> bool:
    return case_of(table) not in table.c


def _lacking(table: Table, keys: Iterator[tuple[str, ...]]) -> str:
    return "; ".join(sorted(", ".join(key) for key in keys if case_of(table) not in key)) or "–"


def _columns(constraint: Constraint) -> tuple[str, ...]:
    return tuple(constraint.columns.keys())


if __name__ == "__main__":
    sys.stdout.write(page())
