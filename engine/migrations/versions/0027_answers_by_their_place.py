"""answers by their place: the key of distribution in theirs, which nodes of the releases before do not know (docs/decisions/0020, 0021)."""

# ruff: noqa: S608 - all names are our own

from alembic import op

from engine.migrations import online

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None
#: Who does not know this revision keeps an answer nowhere, and knows one for each key; and of what lies apart from 0026 on he knows nothing.
oldest = "0026"

TABLE, PRIMARY, BUILT = "idempotent_answers", "pk_idempotent_answers", "pk_idempotent_answers_keyed"
AFTER, BEFORE = '("key", actor, case_id, region)', '("key", actor)'
NOBODY = "0" * 32
#: How SQLite is told the columns, as they become, and as they were.
SAID = [(r"((?:case_id|region) [\w()]+) DEFAULT '0*' NOT NULL", r"\1 NOT NULL")]
UNSAID = [(r"(case_id [\w()]+) NOT NULL", rf"\1 DEFAULT '{NOBODY}' NOT NULL"), (r"(region [\w()]+) NOT NULL", r"\1 DEFAULT '' NOT NULL")]
#: Of two answers of one key the first stays, on the way back: whoever repeats the command of the other is refused.
COUNTED = f'SELECT "key", actor, case_id, region, row_number() OVER (PARTITION BY "key", actor ORDER BY answered_at) AS count FROM {TABLE}'
SECOND = f'("key", actor, case_id, region) IN (SELECT "key", actor, case_id, region FROM ({COUNTED}) AS counted WHERE count > 1)'


def upgrade() -> None:
    op.execute(f"UPDATE compatibility SET oldest = '{oldest}'")
    if not online.is_postgresql():
        online.rebuild(TABLE, constraints={PRIMARY: f"PRIMARY KEY {AFTER}"}, columns=SAID)
        return
    with op.get_context().autocommit_block():
        online.index(BUILT, f"UNIQUE INDEX {BUILT} ON {TABLE} {AFTER}")
        # Before the keys are exchanged: an older node that nobody saw is refused, and keeps no answer that others do not meet.
        online.alter(TABLE, f"ALTER TABLE {TABLE} ALTER COLUMN case_id DROP DEFAULT, ALTER COLUMN region DROP DEFAULT")
        online.exchange(TABLE, PRIMARY, PRIMARY, "PRIMARY KEY", BUILT)


def downgrade() -> None:
    op.execute("UPDATE compatibility SET oldest = '0020'")
    op.execute(f"DELETE FROM {TABLE} WHERE {SECOND}")
    if not online.is_postgresql():
        online.rebuild(TABLE, constraints={PRIMARY: f"PRIMARY KEY {BEFORE}"}, columns=UNSAID)
        return
    op.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {PRIMARY}, ADD CONSTRAINT {PRIMARY} PRIMARY KEY {BEFORE}")
    op.execute(f"ALTER TABLE {TABLE} ALTER COLUMN case_id SET DEFAULT '{NOBODY}', ALTER COLUMN region SET DEFAULT ''")
