"""what has ended on a day, and what archived cases ran on, is found without a look at all of the archive."""

import sqlalchemy as sa
from alembic import op

from engine.migrations import online

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then, only more slowly.
needed = False

TABLE, VERSIONS = "archived_cases", "archived_versions"
#: Null is what older nodes write, and what stands in the rows that are there: of these only the document says what they ran on.
COLUMN = "versions_kept BOOLEAN"
INDEXES = {
    "ix_archived_cases_ended": f"{TABLE} (ended_at, matter, hall, submitted_by)",
    "ix_archived_cases_unread": f"{TABLE} (ended_at) WHERE versions_kept IS NULL",
}


def upgrade() -> None:
    if online.is_postgresql():
        with op.get_context().autocommit_block():
            online.alter(TABLE, f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS {COLUMN}")
            for name, told in INDEXES.items():
                online.index(name, f"INDEX {name} ON {told}")
    else:
        op.execute(f"ALTER TABLE {TABLE} ADD COLUMN {COLUMN}")
        for name, told in INDEXES.items():
            op.execute(f"CREATE INDEX {name} ON {told}")
    op.create_table(
        VERSIONS,
        sa.Column("definition_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("definition_id", name=op.f("pk_archived_versions")),
    )


def downgrade() -> None:
    op.drop_table(VERSIONS)
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    op.drop_column(TABLE, "versions_kept")
