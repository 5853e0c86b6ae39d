"""what goes on: the cases in which anything runs are found without a look at what is over."""

from alembic import op

from engine.migrations import online

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLE, NAME = "instances", "ix_instances_running"
TOLD = f"INDEX {NAME} ON {TABLE} (case_id) WHERE status = 'running'"


def upgrade() -> None:
    if not online.is_postgresql():
        op.execute(f"CREATE {TOLD}")
        return
    with op.get_context().autocommit_block():
        online.index(NAME, TOLD)


def downgrade() -> None:
    op.execute(f"DROP INDEX {NAME}")
