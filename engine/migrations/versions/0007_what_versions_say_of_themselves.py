"""what versions say of themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("definitions", sa.Column("history_days", sa.Integer(), nullable=True))
    op.add_column("definitions", sa.Column("startable", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("definitions", "startable")
    op.drop_column("definitions", "history_days")
