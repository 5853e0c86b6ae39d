"""cases that were moved to another version of their diagram."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_migrations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved_by", sa.String(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_migrations_case_id")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_case_migrations_instance_id")),
        sa.ForeignKeyConstraint(["from_id"], ["definitions.id"], name=op.f("fk_case_migrations_from_id")),
        sa.ForeignKeyConstraint(["to_id"], ["definitions.id"], name=op.f("fk_case_migrations_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_migrations")),
    )
    op.create_index(op.f("ix_case_migrations_batch"), "case_migrations", ["batch"], unique=False)
    op.create_index(op.f("ix_case_migrations_case_id"), "case_migrations", ["case_id"], unique=False)


def downgrade() -> None:
    op.drop_table("case_migrations")
