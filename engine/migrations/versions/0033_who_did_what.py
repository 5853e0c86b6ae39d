"""what somebody did on a day is found without a look at what all others did."""

from alembic import op

from engine.migrations import online

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then, only more slowly.
needed = False

NAME = "ix_journal_actor"
TOLD = f"INDEX {NAME} ON journal (actor, at) WHERE actor <> 'engine'"


def upgrade() -> None:
    if not online.is_postgresql():
        op.execute(f"CREATE {TOLD}")
        return
    with op.get_context().autocommit_block():
        online.index(NAME, TOLD)


def downgrade() -> None:
    op.execute(f"DROP INDEX {NAME}")
