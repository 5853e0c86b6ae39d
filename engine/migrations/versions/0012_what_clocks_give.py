"""what clocks give, kept to be sorted by; indexes of lists."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OPEN_TASK = "status = 'open'"
OPEN_CASE = "ended_at IS NULL"
OPEN_ITEM = "status IN ('accepted', 'correcting', 'in_review', 'submitted', 'waiting')"
#: Table, name, columns, and of which rows; None: of all.
INDEXES = [
    ("tasks", "ix_tasks_open_hall_group", ["hall", "sole_group", "due_at", "id"], OPEN_TASK),
    ("tasks", "ix_tasks_open_group", ["sole_group", "due_at", "id"], OPEN_TASK),
    ("tasks", "ix_tasks_open_hall", ["hall", "due_at", "id"], OPEN_TASK),
    ("tasks", "ix_tasks_open", ["due_at", "id"], OPEN_TASK),
    ("tasks", "ix_tasks_open_assignee", ["assignee", "due_at", "id"], OPEN_TASK),
    ("tasks", "ix_tasks_open_matter", ["matter", "due_at", "id"], OPEN_TASK),
    ("tasks", "ix_tasks_open_rating", ["submitted_by", "due_at", "id"], f"{OPEN_TASK} AND kind = 'rating'"),
    ("tasks", "ix_tasks_open_light", ["yellow_from", "red_from"], OPEN_TASK),
    ("items", "ix_items_open_hall", ["hall", "promised_on", "number"], OPEN_ITEM),
    ("items", "ix_items_open_department", ["department", "promised_on", "number"], OPEN_ITEM),
    ("items", "ix_items_open_submitted_by", ["submitted_by", "promised_on", "number"], OPEN_ITEM),
    ("items", "ix_items_open", ["promised_on", "number"], OPEN_ITEM),
    ("items", "ix_items_open_light", ["yellow_from", "red_from"], OPEN_ITEM),
    ("cases", "ix_cases_open_hall_due", ["hall", "promised_on", "number"], OPEN_CASE),
    ("cases", "ix_cases_open_due", ["promised_on", "number"], OPEN_CASE),
    ("cases", "ix_cases_hall", ["hall", "id"], None),
    ("cases", "ix_cases_matter", ["matter", "id"], None),
    ("cases", "ix_cases_submitted_by", ["submitted_by", "id"], None),
    ("cases", "ix_cases_light", ["yellow_from", "red_from"], None),
    ("items", "ix_items_department", ["department", "case_id"], None),
    ("cases", "ix_cases_open_hall", ["hall", "id"], OPEN_CASE),
    ("cases", "ix_cases_open", ["id"], OPEN_CASE),
]
LIGHT = ("green_from", "yellow_from", "red_from")


def upgrade() -> None:
    # Every column may be null, or has a default: both databases add it without writing a row, and older nodes go on writing.
    for table in ("tasks", "items", "cases"):
        for name in LIGHT:
            op.add_column(table, sa.Column(name, sa.Date(), nullable=True))
    for table, limit in (("items", "promised"), ("items", "statutory"), ("cases", "promised")):
        op.add_column(table, sa.Column(f"{limit}_on", sa.Date(), nullable=True))
        op.add_column(table, sa.Column(f"{limit}_provisional", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("items", sa.Column("hall", sa.String(), nullable=True))
    op.add_column("items", sa.Column("submitted_by", sa.String(), nullable=True))
    op.add_column("tasks", sa.Column("submitted_by", sa.String(), nullable=True))
    op.add_column("tasks", sa.Column("sole_group", sa.String(length=80), nullable=True))

    op.execute("UPDATE items SET hall = (SELECT hall FROM cases WHERE cases.id = items.case_id)")
    op.execute("UPDATE items SET submitted_by = (SELECT submitted_by FROM cases WHERE cases.id = items.case_id)")
    op.execute("UPDATE tasks SET submitted_by = (SELECT submitted_by FROM cases WHERE cases.id = tasks.case_id) WHERE status = 'open'")
    op.execute(
        "UPDATE tasks SET sole_group = (SELECT max(name) FROM task_groups WHERE task_id = tasks.id HAVING count(*) = 1) WHERE status = 'open'"
    )

    op.drop_index("ix_tasks_open", table_name="tasks")
    op.drop_index("ix_cases_matter", table_name="cases")
    op.drop_index("ix_items_status", table_name="items")
    for table, name, columns, which in INDEXES:
        where = sa.text(which) if which else None
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for table, name, _columns, _which in INDEXES:
        op.drop_index(name, table_name=table)
    for table, names in (
        ("tasks", [*LIGHT, "sole_group", "submitted_by"]),
        ("items", [*LIGHT, "promised_on", "promised_provisional", "statutory_on", "statutory_provisional", "hall", "submitted_by"]),
        ("cases", [*LIGHT, "promised_on", "promised_provisional"]),
    ):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in names:
                batch_op.drop_column(name)
    op.create_index("ix_cases_matter", "cases", ["matter"])
    op.create_index("ix_tasks_open", "tasks", ["status", "due_at"])
    op.create_index("ix_items_status", "items", ["status"])
