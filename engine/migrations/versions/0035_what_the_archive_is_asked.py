"""what is in the archive is counted by the day on which it ended, without a look at all of it."""

from alembic import op

from engine.migrations import online

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then, only more slowly.
needed = False

NAME = "ix_archived_cases_ended"
TOLD = f"INDEX {NAME} ON archived_cases (ended_at, matter, hall, submitted_by)"


def upgrade() -> None:
    if not online.is_postgresql():
        op.execute(f"CREATE {TOLD}")
        return
    with op.get_context().autocommit_block():
        online.index(NAME, TOLD)


def downgrade() -> None:
    op.execute(f"DROP INDEX {NAME}")
