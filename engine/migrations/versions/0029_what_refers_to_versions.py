"""what refers to versions of processes, and archived cases of a hall, are found without a look at all there are; whoever deletes looks."""

from alembic import op

from engine.migrations import online

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
#: It comes after what is taken away, which waits for older nodes: this release does without it until then, only more slowly.
needed = False

INDEXES = {
    "ix_instances_definition": "instances (definition_id)",
    "ix_incidents_definition": "incidents (definition_id) WHERE definition_id IS NOT NULL",
    "ix_case_migrations_from": "case_migrations (from_id)",
    "ix_case_migrations_to": "case_migrations (to_id)",
    "ix_archived_cases_hall": "archived_cases (hall)",
}


def upgrade() -> None:
    if not online.is_postgresql():
        for name, told in INDEXES.items():
            op.execute(f"CREATE INDEX {name} ON {told}")
        return
    with op.get_context().autocommit_block():
        for name, told in INDEXES.items():
            online.index(name, f"INDEX {name} ON {told}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
