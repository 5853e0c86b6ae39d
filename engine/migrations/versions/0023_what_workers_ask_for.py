"""what workers ask for: tasks of a topic in the order in which they came; and a fetch leaves nothing dead in an index."""

from alembic import op

from engine.migrations import online

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE, NAME, BEFORE = "external_tasks", "ix_external_tasks_arrived", "ix_external_tasks_fetch"
#: So much of a page is filled with new rows: the rest is for what is written of them while they are there.
FILLED = 70


def upgrade() -> None:
    _exchange(NAME, "topic, created_at", BEFORE)
    if online.is_postgresql():
        op.execute(f"ALTER TABLE {TABLE} SET (fillfactor = {FILLED})")


def downgrade() -> None:
    if online.is_postgresql():
        op.execute(f"ALTER TABLE {TABLE} RESET (fillfactor)")
    _exchange(BEFORE, "topic, lock_expires_at", NAME)


def _exchange(after: str, columns: str, before: str) -> None:
    """Have another index.  Nodes of the release before go by the topic alone, which is first in both."""
    told = f"INDEX {after} ON {TABLE} ({columns})"
    if not online.is_postgresql():
        op.execute(f"CREATE {told}")
        op.execute(f"DROP INDEX {before}")
        return
    with op.get_context().autocommit_block():
        online.index(after, told)
        online.alter(TABLE, f"DROP INDEX IF EXISTS {before}")
