"""the archive."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archived_cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=50), nullable=False),
        sa.Column("region", sa.String(length=12), nullable=False),
        sa.Column("matter", sa.String(length=255), nullable=False),
        sa.Column("hall", sa.String(length=40), nullable=True),
        sa.Column("applicant_number", sa.String(length=40), nullable=False),
        sa.Column("submitted_by", sa.String(), nullable=False),
        sa.Column("departments", sa.String(), nullable=False),
        sa.Column("brief", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archived_cases")),
        sa.UniqueConstraint("number", name=op.f("uq_archived_cases_number")),
    )
    op.create_index("ix_archived_cases_applicant_number", "archived_cases", ["applicant_number"])
    op.create_index("ix_archived_cases_matter", "archived_cases", ["matter"])
    op.create_index("ix_cases_ended", "cases", ["definition_id", "ended_at"])


def downgrade() -> None:
    op.drop_index("ix_cases_ended", table_name="cases")
    op.drop_table("archived_cases")
