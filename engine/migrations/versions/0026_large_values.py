"""large values apart from the row of their instance (docs/decisions/0023): nothing lies there before all nodes look for it."""

import json

import sqlalchemy as sa
from alembic import op

from engine.migrations import online

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = "large_values"
CONTENTS = "SELECT sha256, content FROM large_values WHERE instance_id = :id"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=12), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id", "case_id", "region"],
            ["instances.id", "instances.case_id", "instances.region"],
            name=op.f("fk_large_values_instance_id"),
            onupdate="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("instance_id", "sha256", "case_id", "region", name=op.f("pk_large_values")),
    )
    if online.is_postgresql():
        with op.get_context().autocommit_block():
            online.alter("instances", "ALTER TABLE instances ADD COLUMN IF NOT EXISTS large TEXT")
    else:
        op.add_column("instances", sa.Column("large", sa.Text(), nullable=True))


def downgrade() -> None:
    connection = op.get_bind()
    for instance in connection.execute(sa.text("SELECT id, variables, large FROM instances WHERE large IS NOT NULL")).all():
        found = {row.sha256: row.content for row in connection.execute(sa.text(CONTENTS), {"id": instance.id})}
        whole = json.loads(instance.variables) | {name: json.loads(found[sha256]) for name, sha256 in json.loads(instance.large).items()}
        said = {"whole": json.dumps(whole, ensure_ascii=False), "id": instance.id}
        connection.execute(sa.text("UPDATE instances SET variables = :whole WHERE id = :id"), said)
    op.drop_column("instances", "large")
    op.drop_table(TABLE)
