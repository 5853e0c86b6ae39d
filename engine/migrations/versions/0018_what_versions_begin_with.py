"""what versions begin with."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What is deployed already is read when the first message or signal comes, and so is what older nodes deploy meanwhile.
    op.add_column("definitions", sa.Column("starts_known", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_definitions_starts_known", "definitions", ["starts_known"])
    op.create_table(
        "start_events",
        sa.Column("definition_id", sa.Uuid(), nullable=False),
        sa.Column("element", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        # Older nodes delete versions, too, and know nothing of this.
        sa.ForeignKeyConstraint(["definition_id"], ["definitions.id"], name=op.f("fk_start_events_definition_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("definition_id", "element", name=op.f("pk_start_events")),
    )
    op.create_index("ix_start_events_name", "start_events", ["kind", "name"])


def downgrade() -> None:
    op.drop_table("start_events")
    op.drop_index("ix_definitions_starts_known", table_name="definitions")
    with op.batch_alter_table("definitions", schema=None) as batch_op:
        batch_op.drop_column("starts_known")
