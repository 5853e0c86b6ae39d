"""keys that contain the key of distribution, beside those by which older nodes put rows (docs/decisions/0020).

It only adds: nodes of the release before serve on.
"""

from alembic import op

from engine.migrations import online

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KEYS = (
    ("pk_activities_keyed", "activities", "instance_id, number, case_id, region"),
    ("uq_timers_keyed", "timers", "instance_id, wait, case_id, region"),
)
#: Newer nodes write the nil UUID and no region for an incident that is of no case; older nodes look for such a case, and know only null.
OF_NOBODY = "BEGIN NEW.case_id := NULL; NEW.region := NULL; RETURN NEW; END"


def upgrade() -> None:
    op.execute("CREATE TABLE IF NOT EXISTS compatibility (oldest VARCHAR(32) NOT NULL, CONSTRAINT pk_compatibility PRIMARY KEY (oldest))")
    op.execute("INSERT INTO compatibility (oldest) SELECT '0019' WHERE NOT EXISTS (SELECT 1 FROM compatibility)")
    if not online.is_postgresql():
        for name, table, columns in KEYS:
            op.execute(f"CREATE UNIQUE INDEX {name} ON {table} ({columns})")
        return
    with op.get_context().autocommit_block():
        look_after_nobody()
        for name, table, columns in KEYS:
            online.index(name, f"UNIQUE INDEX {name} ON {table} ({columns})")


def look_after_nobody() -> None:
    """Let incidents of no case be as older nodes know them."""
    op.execute(f"CREATE OR REPLACE FUNCTION key_of_nobody() RETURNS trigger LANGUAGE plpgsql AS $$ {OF_NOBODY} $$")
    online.alter(
        "incidents",
        "DROP TRIGGER IF EXISTS key_of_nobody ON incidents",
        "CREATE TRIGGER key_of_nobody BEFORE INSERT ON incidents FOR EACH ROW WHEN (NEW.region = '') EXECUTE PROCEDURE key_of_nobody()",
    )


def downgrade() -> None:
    for name, _, _ in KEYS:
        op.execute(f"DROP INDEX {name}")
    if online.is_postgresql():
        op.execute("DROP TRIGGER key_of_nobody ON incidents")
        op.execute("DROP FUNCTION key_of_nobody()")
    op.drop_table("compatibility")
