"""where it waits, and how often it is tried."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("timers", "subscriptions"):
        op.add_column(table, sa.Column("holder", sa.Integer(), nullable=True))
        # What watches within another activation is known by its own number until it is written anew.
        op.execute(f"UPDATE {table} SET holder = wait")  # noqa: S608 - our own names
    for table in ("timers", "start_timers"):
        op.add_column(table, sa.Column("retries", sa.Integer(), nullable=False, server_default="3"))
        op.add_column(table, sa.Column("error", sa.Text(), nullable=True))

    op.create_table(
        "local_variables",
        sa.Column("instance_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_local_variables_case_id")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_local_variables_instance_id")),
        sa.PrimaryKeyConstraint("instance_id", "number", name=op.f("pk_local_variables")),
    )
    op.create_index(op.f("ix_local_variables_case_id"), "local_variables", ["case_id"], unique=False)

    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.alter_column("case_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("instance_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.add_column(sa.Column("definition_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_incidents_definition_id"), "definitions", ["definition_id"], ["id"])
    # A timer that had failed is tried anew; an incident stands on the timer itself when it fails again, too.
    op.execute("UPDATE incidents SET resolved_at = raised_at WHERE wait IS NULL AND job_id IS NULL AND resolved_at IS NULL")


def downgrade() -> None:
    op.drop_table("local_variables")
    op.execute("DELETE FROM incidents WHERE case_id IS NULL")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_incidents_definition_id"), type_="foreignkey")
        batch_op.drop_column("definition_id")
        batch_op.alter_column("instance_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("case_id", existing_type=sa.Uuid(), nullable=False)
    for table, columns in (
        ("start_timers", ("error", "retries")),
        ("timers", ("error", "retries", "holder")),
        ("subscriptions", ("holder",)),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.drop_column(column)
