"""errors that nothing caught."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("instances", "activities"):
        op.add_column(table, sa.Column("error", sa.String(), nullable=True))


def downgrade() -> None:
    for table in ("activities", "instances"):
        op.drop_column(table, "error")
