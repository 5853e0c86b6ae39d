"""the key of distribution (region, case) in each row, each key and each reference of what grows (docs/decisions/0018).

Older nodes serve on meanwhile: on PostgreSQL rows are filled in small batches, indexes are built beside what goes on, and a table is locked only
for as long as a name takes to be exchanged.  Whoever was interrupted begins anew.  What older nodes do not write, a trigger does for them.
"""

# ruff: noqa: S608 - all names are our own

import re
import time
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

KEY = ("case_id", "region")
NOBODY = "0" * 32
#: So many pages of a table are filled in one go; so long is waited for what somebody else holds there, seconds.
PAGES, PAUSE = 200, 0.05


class Table(NamedTuple):
    """A table, and what contained no key until now."""

    #: Columns of its primary key; None: it stays as it is, since older nodes put rows by it, or do not know the case.
    primary: tuple[str, ...] | None = ("id",)
    #: What else is unique.
    unique: tuple[str, ...] = ()
    #: Columns that refer to rows of the same case, and their tables.
    within: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    #: Columns that refer to what may be of another case: these lose the constraint.
    beyond: tuple[str, ...] = ()
    #: Whether it refers to the case itself, since nothing else of it always does.
    of_case: bool = False


INSTANCE, ITEM, TASK = {"instance_id": "instances"}, {"item_id": "items"}, {"task_id": "tasks"}
WAIT = ("instance_id", "wait")
#: In an order in which each finds its key in those before it.
TABLES = {
    "items": Table(of_case=True, beyond=("adopted_from_id",)),
    "instances": Table(of_case=True, within={**ITEM, "parent_id": "instances"}),
    "activities": Table(primary=None, within=INSTANCE),
    "tasks": Table(unique=WAIT, within={**INSTANCE, **ITEM}),
    "external_tasks": Table(unique=WAIT, within={**INSTANCE, **ITEM}),
    "timers": Table(within=INSTANCE),
    "subscriptions": Table(unique=WAIT, within=INSTANCE),
    "continuations": Table(unique=WAIT, within=INSTANCE),
    "jobs": Table(within=INSTANCE),
    "incidents": Table(primary=None, within={**INSTANCE, "job_id": "jobs"}),
    "journal": Table(unique=("instance_id", "seq"), within=INSTANCE),
    "local_variables": Table(primary=("instance_id", "number"), within=INSTANCE),
    "case_migrations": Table(within=INSTANCE),
    "task_groups": Table(primary=("task_id", "name"), within=TASK),
    "task_users": Table(primary=("task_id", "name"), within=TASK),
    "task_drafts": Table(primary=("task_id",), within=TASK),
    "comments": Table(within=TASK),
    "clock_entries": Table(within=ITEM, beyond=("notice_id",)),
    "department_events": Table(primary=("department", "event_id"), within=ITEM),
    "material_links": Table(primary=("material_id", "item_id"), within=ITEM, beyond=("material_id",)),
    "notices": Table(of_case=True, within=ITEM),
    "supplements": Table(within={"notice_id": "notices"}),
    "commitments": Table(of_case=True, within=ITEM),
    "alerts": Table(of_case=True, within=ITEM),
    "packages": Table(of_case=True),
    "results": Table(unique=("item_id",), within={**ITEM, "package_id": "packages"}),
    "materials": Table(of_case=True, beyond=("copied_from_id",)),
    "outbox": Table(of_case=True),
    "ratings": Table(primary=("case_id",), of_case=True),
    "tolerances": Table(of_case=True),
}
#: These have both columns, the case as their id.
CASES = ("cases", "archived_cases")
#: Whose rows did not say the case.
NEW_TO_CASES = ("task_groups", "task_users")
#: Numbers, which are one case's by what they begin with, are looked for, and no longer unique over all cases.
NUMBERS = (
    ("cases", "number", "uq_cases_number", "ix_cases_number"),
    ("archived_cases", "number", "uq_archived_cases_number", "ix_archived_cases_number"),
    ("items", "number", "uq_items_number", "ix_items_number"),
    ("items", "department, external_number", "uq_items_department_external_number", "ix_items_external"),
    ("notices", "number", "uq_notices_number", "ix_notices_number"),
)
INDEXES = (
    *((name, table, columns) for table, columns, _, name in NUMBERS),
    ("ix_material_links_case_id", "material_links", "case_id"),
    ("ix_department_events_case_id", "department_events", "case_id"),
)


class Change(NamedTuple):
    """A constraint of a table, before and after; None: there is none."""

    table: str
    name: str
    before: str | None
    after: str | None


def changes(kind: str) -> Iterator[Change]:
    """What becomes of the keys (primary, unique), or of the references (foreign)."""
    for name, table in TABLES.items():
        yield from _references(name, table) if kind == "foreign" else _keys(name, table)
    if kind == "foreign":
        yield Change("cases", "fk_cases_previous_id", "FOREIGN KEY (previous_id) REFERENCES cases (id)", None)
    else:
        yield from (Change(name, f"pk_{name}", "PRIMARY KEY (id)", "PRIMARY KEY (id, region)") for name in CASES)
        yield from (Change(table, name, f"UNIQUE ({columns})", None) for table, columns, name, _ in NUMBERS)


def _keys(name: str, table: Table) -> Iterator[Change]:
    if table.primary is not None:
        yield Change(name, f"pk_{name}", f"PRIMARY KEY ({', '.join(table.primary)})", f"PRIMARY KEY ({_with_key(table.primary)})")
    rules = [table.unique, *([("case_id", "no")] if name == "materials" else [])]
    for rule in filter(None, rules):
        yield Change(name, f"uq_{name}_{'_'.join(rule)}", f"UNIQUE ({', '.join(rule)})", None)
        yield Change(name, f"uq_{name}_{_with_key(rule).replace(', ', '_')}", None, f"UNIQUE ({_with_key(rule)})")


def _references(name: str, table: Table) -> Iterator[Change]:
    if name not in NEW_TO_CASES:
        after = "FOREIGN KEY (case_id, region) REFERENCES cases (id, region)" if table.of_case else None
        yield Change(name, f"fk_{name}_case_id", "FOREIGN KEY (case_id) REFERENCES cases (id)", after)
    for column, there in table.within.items():
        after = f"FOREIGN KEY ({column}, case_id, region) REFERENCES {there} (id, case_id, region)"
        after += " ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"
        yield Change(name, f"fk_{name}_{column}", f"FOREIGN KEY ({column}) REFERENCES {there} (id)", after)
    for column in table.beyond:
        there = {"adopted_from_id": "cases", "notice_id": "notices"}.get(column, "materials")
        yield Change(name, f"fk_{name}_{column}", f"FOREIGN KEY ({column}) REFERENCES {there} (id)", None)


def _with_key(columns: tuple[str, ...]) -> str:
    return ", ".join((*columns, *(name for name in KEY if name not in columns)))


def owners(name: str) -> Iterator[tuple[str, str]]:
    """Where the key of a row is read, the surest way last: a column, and the table that it refers to."""
    table = TABLES[name]
    if table.of_case or name == "incidents":
        yield "case_id", "cases"
    column = next((column for column in ("instance_id", "task_id", "item_id", "notice_id") if column in table.within), None)
    if column is not None and name != "instances":
        yield column, table.within[column]


def upgrade() -> None:
    _on_postgresql() if op.get_bind().dialect.name == "postgresql" else _on_sqlite()


# PostgreSQL: while older nodes serve ─────────────────────────────────────────────────────────────────────────────────────────────────────

#: What a node of the release before does not write.  A statement may write a task after its groups: those wait until it has ended.
FUNCTIONS = {
    "key_of_case": "BEGIN SELECT region INTO NEW.region FROM cases WHERE id = NEW.case_id; RETURN NEW; END",
    "key_of_task": """BEGIN EXECUTE format('UPDATE %I AS own SET region = t.region, case_id = t.case_id FROM tasks t
        WHERE t.id = $1 AND own.task_id = $1 AND own.name = $2', TG_TABLE_NAME) USING NEW.task_id, NEW.name; RETURN NULL; END""",
}
MISSING, MOVED = "NEW.region IS NULL AND NEW.case_id IS NOT NULL", "NEW.case_id <> OLD.case_id AND NEW.region = OLD.region"


def _on_postgresql() -> None:
    for name, body in FUNCTIONS.items():
        op.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    for table in TABLES:
        if table in NEW_TO_CASES:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS region varchar(12) NOT NULL DEFAULT ''")
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS case_id uuid NOT NULL DEFAULT '{NOBODY}'")
            _trigger("key_missing", f"AFTER INSERT ON {table}", "NEW.region = ''", "key_of_task")
            continue
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS region varchar(12)")
        _trigger("key_missing", f"BEFORE INSERT OR UPDATE ON {table}", MISSING, "key_of_case")
        _trigger("key_moved", f"BEFORE UPDATE OF case_id ON {table}", MOVED, "key_of_case")
    with op.get_context().autocommit_block():
        for table in TABLES:
            _fill(table)
            if table != "incidents":
                _require(table)
        _exchange()
        for table in TABLES.keys() - set(NEW_TO_CASES):  # what is there is filled; what comes is looked after
            _trigger("key_missing", f"BEFORE INSERT ON {table}", MISSING, "key_of_case")


def _trigger(name: str, when: str, condition: str, function: str) -> None:
    op.execute(f"DROP TRIGGER IF EXISTS {name} ON {when.rpartition(' ')[2]}")
    op.execute(f"CREATE TRIGGER {name} {when} FOR EACH ROW WHEN ({condition}) EXECUTE PROCEDURE {function}()")


def _fill(table: str) -> None:
    """Fill a range of pages after the other; what somebody holds just now is left, and tried again."""
    bind = op.get_bind()
    pages = bind.scalar(sa.text("SELECT pg_relation_size(CAST(:name AS regclass)) / current_setting('block_size')::int"), {"name": table})
    for first in range(0, pages, PAGES):
        for column, owner in owners(table):
            case = "id" if owner == "cases" else "case_id"
            there = f"{table} row JOIN {owner} owner ON owner.id = row.{column} WHERE row.ctid >= '({first},0)' AND row.ctid < '({first + PAGES},0)'"
            there += f" AND (row.region, row.case_id) IS DISTINCT FROM (owner.region, owner.{case})"
            while bind.scalar(sa.text(f"SELECT EXISTS (SELECT FROM {there})")):
                bind.exec_driver_sql(
                    f"UPDATE {table} AS row SET region = owner.region, case_id = owner.{case} FROM {owner} AS owner"
                    f" WHERE owner.id = row.{column} AND row.ctid = ANY (ARRAY(SELECT row.ctid FROM {there}"
                    " FOR NO KEY UPDATE OF row SKIP LOCKED))"
                )
                time.sleep(PAUSE if pages > PAGES else 0)
    if table == "instances":
        _follow_parents()


def _follow_parents() -> None:
    """Let what an instance has called, in a case from which a bundle has adopted it, follow it there."""
    called = (
        "UPDATE instances SET (case_id, region) = (SELECT case_id, region FROM instances AS caller WHERE caller.id = instances.parent_id)"
    )
    strayed = "EXISTS (SELECT 1 FROM instances AS caller WHERE caller.id = instances.parent_id AND caller.case_id <> instances.case_id)"
    while op.get_bind().exec_driver_sql(f"{called} WHERE {strayed}").rowcount:
        pass


def _require(table: str) -> None:
    """Let the key be there always: what there is, is looked at without a lock that others would wait for."""
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS keyed, ADD CONSTRAINT keyed CHECK (region IS NOT NULL) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT keyed")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN region SET NOT NULL")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT keyed")


def _exchange() -> None:
    """Exchange keys and references, each beside those who write: built first, then named."""
    for name, table, columns in INDEXES:
        _index(name, f"INDEX CONCURRENTLY {name} ON {table} ({columns})")
    _index(
        "tolerances_open",
        "UNIQUE INDEX CONCURRENTLY tolerances_open ON tolerances (case_id, code, region) WHERE status IN ('open', 'overdue')",
    )
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_tolerances_open")
    op.execute("ALTER INDEX tolerances_open RENAME TO uq_tolerances_open")
    for change in changes("foreign"):
        op.execute(f"ALTER TABLE {change.table} DROP CONSTRAINT IF EXISTS {change.name}")
    for change in changes("keys"):
        _exchange_key(change)
    for change in changes("foreign"):
        if change.after is not None:
            op.execute(f"ALTER TABLE {change.table} ADD CONSTRAINT {change.name} {change.after} NOT VALID")
            op.execute(f"ALTER TABLE {change.table} VALIDATE CONSTRAINT {change.name}")


def _exchange_key(change: Change) -> None:
    steps = [f"DROP CONSTRAINT IF EXISTS {change.name}"]
    if change.after is not None:
        kind, columns = re.fullmatch(r"(PRIMARY KEY|UNIQUE) (\(.*\))", change.after).groups()
        _index(f"{change.name}_keyed", f"UNIQUE INDEX CONCURRENTLY {change.name}_keyed ON {change.table} {columns}")
        steps.append(f"ADD CONSTRAINT {change.name} {kind} USING INDEX {change.name}_keyed")
    op.execute(f"ALTER TABLE {change.table} {', '.join(steps)}")


def _index(name: str, told: str) -> None:
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")  # of somebody who was interrupted
    op.execute(f"CREATE {told}")


# SQLite: a table is written anew ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _on_sqlite() -> None:
    for table in TABLES:
        default = "" if table == "incidents" else "DEFAULT '' NOT NULL"
        op.execute(f"ALTER TABLE {table} ADD COLUMN region VARCHAR(12) {default}")
        if table in NEW_TO_CASES:
            op.execute(f"ALTER TABLE {table} ADD COLUMN case_id CHAR(32) DEFAULT '{NOBODY}' NOT NULL")
        for column, owner in owners(table):
            case = "id" if owner == "cases" else "case_id"
            op.execute(
                f"UPDATE {table} SET (region, case_id) = (SELECT region, {case} FROM {owner} WHERE {owner}.id = {table}.{column})"
                f" WHERE {column} IS NOT NULL"
            )
        if table == "instances":
            _follow_parents()
    for table in (*CASES, *TABLES):
        _rebuild(table, {change.name: change.after for kind in ("keys", "foreign") for change in changes(kind) if change.table == table})
    for name, table, columns in INDEXES:
        op.execute(f"CREATE INDEX {name} ON {table} ({columns})")
    for table in TABLES:
        _look_after(table)


def _rebuild(table: str, constraints: dict[str, str | None]) -> None:
    """Write a table anew with other constraints; all else of it is as it was."""
    bind = op.get_bind()
    query = "SELECT sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL ORDER BY type = 'table' DESC"
    written, *indexes = bind.scalars(sa.text(query), {"name": table}).all()
    lines = [line.strip().rstrip(",") for line in written[written.index("(") + 1 : written.rindex(")")].strip().split("\n")]
    kept = [line for line in lines if (named := re.match(r"CONSTRAINT (\w+)", line)) is None or named[1] not in constraints]
    kept += [f"CONSTRAINT {name} {rule}" for name, rule in constraints.items() if rule is not None]
    op.execute("CREATE TABLE written_anew (\n\t" + ", \n\t".join(kept) + "\n)")
    bind.exec_driver_sql(f"INSERT INTO written_anew SELECT * FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE written_anew RENAME TO {table}")
    for index in indexes:
        op.execute(index.replace("(case_id, code)", "(case_id, code, region)"))  # of tolerances


def _look_after(table: str) -> None:
    """Do for older nodes what they do not."""
    owner, column = ("tasks", "task_id") if table in NEW_TO_CASES else ("cases", "case_id")
    read = [
        f"{name} = (SELECT {name} FROM {owner} WHERE id = NEW.{column})" for name in ("region", *(["case_id"] if owner == "tasks" else []))
    ]
    missing = MISSING if table == "incidents" else "NEW.region = ''"
    for name, when, condition in (("missing", "INSERT", missing), ("moved", "UPDATE OF case_id", MOVED)):
        if name == "missing" or owner == "cases":
            op.execute(
                f"CREATE TRIGGER key_{name}_{table} AFTER {when} ON {table} WHEN {condition}"
                f" BEGIN UPDATE {table} SET {', '.join(read)} WHERE rowid = NEW.rowid; END"
            )


# Back ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in TABLES:
        for name in ("missing", "moved"):
            op.execute(f"DROP TRIGGER IF EXISTS key_{name} ON {table}" if postgresql else f"DROP TRIGGER IF EXISTS key_{name}_{table}")
    for name, _, _ in INDEXES:
        op.execute(f"DROP INDEX {name}")
    if postgresql:
        _back_on_postgresql()
    else:
        for table in (*CASES, *TABLES):
            _rebuild(table, {each.name: each.before for kind in ("keys", "foreign") for each in changes(kind) if each.table == table})
    op.execute("DROP INDEX uq_tolerances_open")
    op.execute("CREATE UNIQUE INDEX uq_tolerances_open ON tolerances (case_id, code) WHERE status IN ('open', 'overdue')")
    for table in TABLES:
        for name in ("region", *(["case_id"] if table in NEW_TO_CASES else [])):
            op.drop_column(table, name)


def _back_on_postgresql() -> None:
    for change in changes("foreign"):
        op.execute(f"ALTER TABLE {change.table} DROP CONSTRAINT IF EXISTS {change.name}")
    for kind in ("keys", "foreign"):
        for change in changes(kind):
            op.execute(f"ALTER TABLE {change.table} DROP CONSTRAINT IF EXISTS {change.name}")
            if change.before is not None:
                op.execute(f"ALTER TABLE {change.table} ADD CONSTRAINT {change.name} {change.before}")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}()")
