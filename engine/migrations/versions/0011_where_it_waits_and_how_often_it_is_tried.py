"""where it waits, and how often it is tried."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("timers", "subscriptions"):
        op.add_column(table, sa.Column("holder", sa.Integer(), nullable=True))
        # What watches within another activation is known by its own number until it is written anew.
        op.execute(f"UPDATE {table} SET holder = wait")  # noqa: S608 - our own names
    op.add_column("timers", sa.Column("retries", sa.Integer(), nullable=False, server_default="3"))
    op.add_column("timers", sa.Column("error", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("timers", schema=None) as batch_op:
        for column in ("error", "retries", "holder"):
            batch_op.drop_column(column)
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_column("holder")
