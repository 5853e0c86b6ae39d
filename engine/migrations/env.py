"""Alembic's environment: the connection is handed in by `upgrades.migrate`."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from engine import columns, tables


def render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Write plain SQL types into migrations: a migration never changes, our column types may."""
    if kind == "type" and isinstance(item, columns.Json):
        return "sa.Text()"
    if kind == "type" and isinstance(item, columns.Moment):
        return "sa.DateTime(timezone=True)"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.METADATA,
    render_item=render_item,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
