"""what is green or yellow is found without a look at all that is overdue, also of one matter."""

from alembic import op

from engine.migrations import online

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then, only more slowly.
needed = False

#: The day in Beijing on which a task is due.
ON_SQLITE = "date(due_at, '+8 hours')"
ON_POSTGRESQL = "CAST(timezone(INTERVAL '8 hours', due_at) AS DATE)"
_APART = "status = 'open' AND green_from IS NOT NULL AND (red_from IS NULL OR {day} < red_from)"
INDEXES = {
    "ix_tasks_open_apart": f"tasks (due_at, id, sole_group, hall, matter, yellow_from, red_from) WHERE {_APART}",
    "ix_tasks_open_of_matter": "tasks (matter, due_at, id, green_from, yellow_from, red_from) WHERE status = 'open'",
}
#: The second of them is as good for whatever an older node asks of this one, which has no lights.
BEFORE = "ix_tasks_open_matter"
WITHOUT_LIGHTS = f"INDEX {BEFORE} ON tasks (matter, due_at, id) WHERE status = 'open'"


def upgrade() -> None:
    if not online.is_postgresql():
        for name, told in INDEXES.items():
            op.execute(f"CREATE INDEX {name} ON {told.format(day=ON_SQLITE)}")
        op.execute(f"DROP INDEX {BEFORE}")
        return
    with op.get_context().autocommit_block():
        for name, told in INDEXES.items():
            online.index(name, f"INDEX {name} ON {told.format(day=ON_POSTGRESQL)}")
        online.drop(BEFORE)


def downgrade() -> None:
    op.execute(f"CREATE {WITHOUT_LIGHTS}")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
