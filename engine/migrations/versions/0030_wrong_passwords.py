"""wrong passwords, by account and address: until then an account is locked as a whole, as nodes of the release before do (docs/decisions/0024)."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then.
needed = False

TABLE = "wrong_passwords"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_wrong_passwords_account_id_accounts")),
        sa.PrimaryKeyConstraint("account_id", "address", name=op.f("pk_wrong_passwords")),
    )
    op.create_index(op.f("ix_wrong_passwords_last_at"), TABLE, ["last_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
