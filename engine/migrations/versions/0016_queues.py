"""queues."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0017"
branch_labels = None
depends_on = None

#: Tables whose rows come and go, or are written again and again.
QUEUES = ("timers", "jobs", "continuations", "external_tasks", "subscriptions", "outbox", "idempotent_answers", "instances")
#: The usual fifth of a table is millions of rows, and nobody clears up for days; to clear up often is cheap, since little is left.
OFTEN = {"autovacuum_vacuum_scale_factor": "0.01", "autovacuum_vacuum_threshold": "5000", "autovacuum_vacuum_cost_delay": "0"}


def upgrade() -> None:
    tried = sa.text("error IS NOT NULL")
    op.create_index("ix_timers_tried", "timers", ["due_at"], sqlite_where=tried, postgresql_where=tried)
    if op.get_bind().dialect.name == "postgresql":
        for table in QUEUES:
            op.execute(f"ALTER TABLE {table} SET ({', '.join(f'{name} = {value}' for name, value in OFTEN.items())})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in QUEUES:
            op.execute(f"ALTER TABLE {table} RESET ({', '.join(OFTEN)})")
    op.drop_index("ix_timers_tried", table_name="timers")
