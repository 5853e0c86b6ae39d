"""recomputations."""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recomputations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("busy", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recomputations")),
    )
    op.create_index(op.f("ix_recomputations_ended_at"), "recomputations", ["ended_at"])

    # What clocks give (0012) is counted for all that runs already: by `onething migrate`, or by the scheduler.
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT 1 FROM cases WHERE clock_started_on IS NOT NULL OR hall IS NOT NULL)")):
        walk = sa.table(
            "recomputations",
            sa.column("id", sa.Uuid()),
            *(sa.column(name, sa.Text()) for name in ("busy", "report", "requested_by")),
            sa.column("requested_at", sa.DateTime(timezone=True)),
        )
        row = {"id": uuid4(), "busy": "[]", "report": '{"late": []}', "requested_by": "migration", "requested_at": datetime.now(UTC)}
        op.execute(walk.insert().values(row))


def downgrade() -> None:
    op.drop_table("recomputations")
