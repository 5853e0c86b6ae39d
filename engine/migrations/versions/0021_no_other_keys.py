"""no other keys than those that contain the key of distribution: what only nodes of releases before used is taken away (docs/decisions/0020)."""

# ruff: noqa: S608, SLF001 - all names are our own

from types import ModuleType

from alembic import context, op

from engine.migrations import online

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
#: It takes away: who does not know this revision cannot serve afterwards, so nobody of that kind may be there (`upgrades.migrate`).
oldest = "0020"

TIMERS = "uq_timers_instance_id_wait_case_id_region"
OF_NOBODY = "UPDATE incidents SET case_id = '{nil}', region = '' WHERE case_id IS NULL"
#: A material that stayed behind when its item was adopted: the bundle has a copy of its own.
STRAYED = """NOT EXISTS (SELECT 1 FROM materials
    WHERE materials.id = own.material_id AND materials.case_id = own.case_id AND materials.region = own.region)"""
OF_MATERIAL = (
    "FOREIGN KEY (material_id, case_id, region) REFERENCES materials (id, case_id, region) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED"
)
#: Keys and references of each table, as they become, and as they were.
AFTER = {
    "activities": {"pk_activities": "PRIMARY KEY (instance_id, number, case_id, region)"},
    "timers": {"uq_timers_instance_id_wait": None, TIMERS: "UNIQUE (instance_id, wait, case_id, region)"},
    "incidents": {"pk_incidents": "PRIMARY KEY (id, case_id, region)"},
    "material_links": {"fk_material_links_material_id": OF_MATERIAL},
}
BEFORE = {
    "activities": {"pk_activities": "PRIMARY KEY (instance_id, number)"},
    "timers": {TIMERS: None, "uq_timers_instance_id_wait": "UNIQUE (instance_id, wait)"},
    "incidents": {"pk_incidents": "PRIMARY KEY (id)"},
    "material_links": {"fk_material_links_material_id": None},
}
DEFAULT = r"((?:case_id|region) [\w()]+) DEFAULT '0*' NOT NULL"
NULLABLE = r"(case_id CHAR\(32\)|region VARCHAR\(12\))"


def before(revision: str) -> ModuleType:
    """An earlier migration: they have let triggers write for older nodes what these do not."""
    return context.script.get_revision(revision).module


def upgrade() -> None:
    op.execute(f"UPDATE compatibility SET oldest = '{oldest}'")
    _on_postgresql() if online.is_postgresql() else _on_sqlite()


def _on_postgresql() -> None:
    keyed = before("0019")
    with op.get_context().autocommit_block():
        online.exchange("activities", "pk_activities", "pk_activities", "PRIMARY KEY", "pk_activities_keyed")
        online.exchange("timers", "uq_timers_instance_id_wait", TIMERS, "UNIQUE", "uq_timers_keyed")
        online.alter("incidents", "DROP TRIGGER IF EXISTS key_of_nobody ON incidents")
        op.execute(OF_NOBODY.format(nil=keyed.NOBODY))
        for column in ("case_id", "region"):
            online.require("incidents", column)
        online.index("pk_incidents_keyed", "UNIQUE INDEX pk_incidents_keyed ON incidents (id, case_id, region)")
        online.exchange("incidents", "pk_incidents", "pk_incidents", "PRIMARY KEY", "pk_incidents_keyed")
        online.alter(
            "material_links",
            "ALTER TABLE material_links DROP CONSTRAINT IF EXISTS fk_material_links_material_id,"
            f" ADD CONSTRAINT fk_material_links_material_id {OF_MATERIAL} NOT VALID",
        )
        online.delete("material_links", STRAYED)
        online.alter("material_links", "ALTER TABLE material_links VALIDATE CONSTRAINT fk_material_links_material_id")
        for table in keyed.TABLES:
            online.alter(table, *(f"DROP TRIGGER IF EXISTS {name} ON {table}" for name in ("key_missing", "key_moved")))
        for table in keyed.NEW_TO_CASES:
            online.alter(table, f"ALTER TABLE {table} ALTER COLUMN case_id DROP DEFAULT, ALTER COLUMN region DROP DEFAULT")
        for function in (*keyed.FUNCTIONS, "key_of_nobody"):
            op.execute(f"DROP FUNCTION IF EXISTS {function}()")


def _on_sqlite() -> None:
    keyed = before("0019")
    for table in keyed.TABLES:
        op.execute(f"DROP TRIGGER key_missing_{table}")
        op.execute(f"DROP TRIGGER IF EXISTS key_moved_{table}")
    for index in ("pk_activities_keyed", "uq_timers_keyed"):
        op.execute(f"DROP INDEX {index}")
    op.execute(OF_NOBODY.format(nil=keyed.NOBODY))
    op.execute(f"DELETE FROM material_links AS own WHERE {STRAYED}")
    for table in keyed.TABLES:
        required = [(f"{NULLABLE}(?=,)", r"\1 NOT NULL")] if table == "incidents" else [(DEFAULT, r"\1 NOT NULL")]
        online.rebuild(table, constraints=AFTER.get(table), columns=required)


def downgrade() -> None:
    op.execute("UPDATE compatibility SET oldest = '0019'")
    _back_on_postgresql() if online.is_postgresql() else _back_on_sqlite()
    op.execute("UPDATE incidents SET case_id = NULL, region = NULL WHERE region = ''")
    op.execute("CREATE UNIQUE INDEX pk_activities_keyed ON activities (instance_id, number, case_id, region)")
    op.execute("CREATE UNIQUE INDEX uq_timers_keyed ON timers (instance_id, wait, case_id, region)")


def _back_on_postgresql() -> None:
    keyed = before("0019")
    for table, rules in BEFORE.items():
        for name, rule in rules.items():
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
            if rule is not None:
                op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule}")
    op.execute("ALTER TABLE incidents ALTER COLUMN case_id DROP NOT NULL, ALTER COLUMN region DROP NOT NULL")
    before("0020").look_after_nobody()
    for name, body in keyed.FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    for table in keyed.TABLES:
        if table in keyed.NEW_TO_CASES:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN case_id SET DEFAULT '{keyed.NOBODY}', ALTER COLUMN region SET DEFAULT ''")
            keyed._trigger("key_missing", f"AFTER INSERT ON {table}", "NEW.region = ''", "key_of_task")
        else:
            keyed._trigger("key_missing", f"BEFORE INSERT ON {table}", keyed.MISSING, "key_of_case")
            keyed._trigger("key_moved", f"BEFORE UPDATE OF case_id ON {table}", keyed.MOVED, "key_of_case")


def _back_on_sqlite() -> None:
    keyed = before("0019")
    for table in keyed.TABLES:
        columns = (
            [(f"{NULLABLE} NOT NULL", r"\1")] if table == "incidents" else [(r"(region VARCHAR\(12\)) NOT NULL", r"\1 DEFAULT '' NOT NULL")]
        )
        if table in keyed.NEW_TO_CASES:
            columns.append((r"(case_id CHAR\(32\)) NOT NULL", rf"\1 DEFAULT '{keyed.NOBODY}' NOT NULL"))
        online.rebuild(table, constraints=BEFORE.get(table), columns=columns)
    for table in keyed.TABLES:
        keyed._look_after(table)
