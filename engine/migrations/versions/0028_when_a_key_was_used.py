"""when a key logged a program in last: this release serves without it, so that it need not wait for what 0027 takes away."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then.
needed = False

TABLE = "key_uses"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_key_uses_key_id_api_keys")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_uses")),
    )


def downgrade() -> None:
    op.drop_table(TABLE)
