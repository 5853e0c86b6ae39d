"""where answers are: beside what the command has written; and what a submission with a key is to be."""

import sqlalchemy as sa
from alembic import op

from engine.migrations import online

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLE, RESERVED = "idempotent_answers", "reservations"
#: The key of what is of no case: nodes of the release before say none, and find an answer by key and actor, as all do.
NOBODY = {"case_id": (sa.Uuid(), "0" * 32), "region": (sa.String(length=12), "")}


def upgrade() -> None:
    if online.is_postgresql():
        dialect = op.get_bind().dialect
        told = (f"ADD COLUMN IF NOT EXISTS {name} {kind.compile(dialect)} NOT NULL DEFAULT '{of}'" for name, (kind, of) in NOBODY.items())
        with op.get_context().autocommit_block():
            online.alter(TABLE, f"ALTER TABLE {TABLE} {', '.join(told)}")
    else:
        for name, (kind, of) in NOBODY.items():
            op.add_column(TABLE, sa.Column(name, kind, server_default=of, nullable=False))
    op.create_table(
        RESERVED,
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("region", sa.String(length=12), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=50), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "actor", "region", name=op.f("pk_reservations")),
    )
    op.create_index(op.f("ix_reservations_taken_at"), RESERVED, ["taken_at"])


def downgrade() -> None:
    op.drop_table(RESERVED)
    for name in NOBODY:
        op.drop_column(TABLE, name)
