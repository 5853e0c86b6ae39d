"""Whether the schema can be spread over many databases: the key (region, case) in each growing table, in all its keys and all its references.

`python -m tests.distribution` prints what still lacks it, as it stands in docs/scale.md; tests/engine/test_schema.py compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Constraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from engine.tables import METADATA

#: What does not grow with cases, and would be the same in every shard.
SHARED = {
    *(
        "accounts",
        "administration",
        "api_keys",
        "archived_versions",
        "calendar_years",
        "compatibility",
        "compiled_files",
        "definitions",
        "departments",
        "deployments",
    ),
    *("grants", "halls", "key_uses", "offers", "recomputations", "resources", "start_events", "start_timers"),
}
#: What is of no case, and does not stay: docs/scale.md argues for each.  (A reservation is there before its case, which may never come about.)
PASSING = {"counters", "log_ins", "reservations", "wrong_passwords"}
#: Columns that may name a row of another case, which the database does not look after: no constraint goes from one shard to another.
BEYOND = {
    *(("cases", "previous_id"), ("items", "adopted_from_id"), ("materials", "copied_from_id")),
    ("clock_entries", "notice_id"),  # an item that was adopted left it where it came from
    *(("department_events", "event_id"), ("items", "instance_id")),  # a department's own word; set before its instance is written
}
#: Functions that change rows without saying of which case they are, or look for some although they hold a case already.
ACROSS = {
    "arranging.get",  # a task that is shown after somebody has remarked something on it
    "awaited.of_tasks",  # what the tasks of a list wait for: those of one case are shown after a command, too
    "archives._still_rests",  # whether another case goes on from this one, or has taken something from it
    "broadcasts.deliver_once",  # a signal goes to another case than that of its job
    # An item is looked for in all cases, and goes to another one with its rows.
    *("adoptions.attach", "adoptions.find", "adoptions.hold", "cases.adopt"),
    "item_clock.ledger",  # the notice of an entry was left in the case that an item was adopted from
    "deployments.delete",  # whether anything ran on it, and what stands on what began by itself
    "duties._start",  # an item may have been adopted since it was owed a process
    "erasures.erase",  # a deployment is deleted with all that was tried out on it
    "earlier_items.under_way",  # what other cases of the applicant have under way
    "escalations._called",  # an item may have been adopted since it asked whoever had called it
    "disclosures._cases",  # a worker is given tasks of many cases
    "fetches._candidates",  # a worker has tasks of many cases
    *("imports.lose", "imports.tell"),  # what was imported is of another case than what it was imported from
    "idempotency.keep",  # nobody knows in which case a key was used before
    "items._require_number_free",  # of two items of whatever cases only one may have a number of the department
    "items.reapply",  # whether an item was applied for again already, in whatever case
    "numbers.next_items",  # what other bundles have adopted still counts
    "outbox.confirm",  # of whatever cases the messages are
    *("recomputing._hold", "recomputing.go_on"),  # many cases in one transaction, unless they are written one by one
    "retention.sweep",  # whatever is old enough
    "scheduled_work._held",  # jobs of three tables are one list
    "signals.hearers",  # a signal is for everybody who waits for it
    "suspension._turn",  # processes are suspended one after the other
    # Incidents of no case; one that an older node has written has no key.
    *(f"start_timers.{name}" for name in ("forget", "remember_failure", "set_retries", "start")),
    "worklists.details",  # a task that is shown after a command is read as it is by itself
}
#: Tables whose row is the case.
CASES = {"cases", "archived_cases"}


def growing() -> list[Table]:
    """Tables that grow with cases."""
    others = SHARED | PASSING
    return sorted((table for table in METADATA.tables.values() if table.name not in others), key=lambda table: table.name)


def key_of(table: Table) -> set[str]:
    """Names of the columns that hold the key."""
    return {"id" if table.name in CASES else "case_id", "region"}


def unique(table: Table) -> Iterator[tuple[str, ...]]:
    """Columns of the primary key, and of whatever else is unique."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield _columns(constraint)
    yield from (tuple(index.columns.keys()) for index in table.indexes if index.unique)


def references(table: Table) -> Iterator[tuple[str, ...]]:
    """Columns that refer to rows of growing tables, as the database knows it."""
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table.name not in SHARED:
            yield _columns(constraint)


def referring(table: Table) -> Iterator[tuple[str, ...]]:
    """Columns that refer to rows of any table, as the database knows it."""
    yield from (_columns(constraint) for constraint in table.foreign_key_constraints)


def led_by(table: Table) -> set[str]:
    """Columns with which an index of all rows begins; one of those that have a value at all will do."""
    indexes = [index for index in table.indexes if _is_of_all(index)]
    return {columns[0] for columns in (*unique(table), *(tuple(index.columns.keys()) for index in indexes))}


def loose(table: Table) -> Iterator[str]:
    """Columns that hold the id of something, while the database does not know of what."""
    bound = {name for constraint in table.foreign_key_constraints for name in constraint.columns.keys()}  # noqa: SIM118 - no mapping
    yield from (name for name in table.columns.keys() if name.endswith("_id") and name not in bound | key_of(table))  # noqa: SIM118


def page() -> str:
    """Count what has the key, and list what has not, table by table."""
    tables = growing()
    keys = [(table, key) for table in tables for key in unique(table)]
    refers = [(table, columns) for table in tables for columns in references(table)]
    lines = [
        f"- {len(tables)} tables grow. Of {_count([(table, tuple(table.c.keys())) for table in tables])} the rows have the key.",
        f"- Of {len(keys)} primary keys and unique constraints {_count(keys)} contain it; of {len(refers)} references {_count(refers)}.",
        "",
        "| table | unique without the key | refers to what may be of another case |",
        "|---|---|---|",
        *(f"| {table.name} | {told[0]} | {told[1]} |" for table in tables if (told := _lacking(table)) != ("–", "–")),
    ]
    return "\n".join(lines) + "\n"


def _count(columns: list[tuple[Table, tuple[str, ...]]]) -> int:
    return sum(key_of(table) <= set(names) for table, names in columns)


def _lacking(table: Table) -> tuple[str, str]:
    keys = sorted(", ".join(key) for key in unique(table) if not key_of(table) <= set(key))
    return "; ".join(keys) or "–", ", ".join(loose(table)) or "–"


def _is_of_all(index: Index) -> bool:
    where = index.dialect_options["postgresql"]["where"]
    return where is None or str(where) == f"{index.columns.keys()[0]} IS NOT NULL"


def _columns(constraint: Constraint) -> tuple[str, ...]:
    return tuple(constraint.columns.keys())


if __name__ == "__main__":
    sys.stdout.write(page())
