"""what is compiled, and what deployments offer by name; indexes of lists that hold the lights."""

import json
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0013"
branch_labels = None
depends_on = None

LIGHTS = ("green_from", "yellow_from", "red_from")
OPEN_TASK = "status = 'open'"
OPEN_ITEM = "status IN ('accepted', 'correcting', 'in_review', 'submitted', 'waiting')"
OPEN_CASE = "ended_at IS NULL"
#: An index, its table, its columns, what it is of, and the one that it comes instead of, with its columns.
INDEXES = (
    ("ix_tasks_open_in_hall_of_group", "tasks", ("hall", "sole_group", "due_at", "id", *LIGHTS), OPEN_TASK, "ix_tasks_open_hall_group", 4),
    ("ix_tasks_open_of_group", "tasks", ("sole_group", "due_at", "id", *LIGHTS), OPEN_TASK, "ix_tasks_open_group", 3),
    ("ix_tasks_open_in_hall", "tasks", ("hall", "due_at", "id", *LIGHTS), OPEN_TASK, "ix_tasks_open_hall", 3),
    ("ix_tasks_open_due", "tasks", ("due_at", "id", *LIGHTS), OPEN_TASK, "ix_tasks_open", 2),
    ("ix_tasks_open_red", "tasks", ("red_from",), f"{OPEN_TASK} AND red_from IS NOT NULL", None, 0),
    ("ix_items_open_in_hall", "items", ("hall", "promised_on", "number", "id", *LIGHTS), OPEN_ITEM, "ix_items_open_hall", 3),
    (
        "ix_items_open_of_department",
        "items",
        ("department", "promised_on", "number", "id", *LIGHTS),
        OPEN_ITEM,
        "ix_items_open_department",
        3,
    ),
    ("ix_items_open_due", "items", ("promised_on", "number", "id", *LIGHTS), OPEN_ITEM, "ix_items_open", 2),
    ("ix_items_open_red", "items", ("red_from",), f"{OPEN_ITEM} AND red_from IS NOT NULL", None, 0),
    ("ix_cases_open_in_hall_due", "cases", ("hall", "promised_on", "number", "id", *LIGHTS), OPEN_CASE, "ix_cases_open_hall_due", 3),
    ("ix_cases_open_promised", "cases", ("promised_on", "number", "id", *LIGHTS), OPEN_CASE, "ix_cases_open_due", 2),
    ("ix_cases_red", "cases", ("red_from",), "red_from IS NOT NULL", None, 0),
)


def upgrade() -> None:
    for name, table, columns, where, before, _few in INDEXES:
        _index(name, table, columns, where)
        if before is not None:
            op.drop_index(before, table_name=table)
    op.create_table(
        "compiled_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "fingerprint", name=op.f("pk_compiled_files")),
    )
    op.create_table(
        "offers",
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deployment_id"], ["deployments.id"], name=op.f("fk_offers_deployment_id_deployments")),
        sa.PrimaryKeyConstraint("deployment_id", "resource", "kind", "name", name=op.f("pk_offers")),
    )
    op.create_index("ix_offers_newest", "offers", ["kind", "name", "deployed_at"])
    _offer_what_is_deployed()


def _offer_what_is_deployed() -> None:
    connection = op.get_bind()
    files = sa.table("resources", *map(sa.column, ("deployment_id", "name", "content")))
    deployments = sa.table("deployments", sa.column("id"), sa.column("deployed_at"))
    columns = ("deployment_id", "resource", "kind", "name", "deployed_at")
    offers = sa.table("offers", *map(sa.column, columns))
    query = sa.select(files, deployments.c.deployed_at).join(deployments, deployments.c.id == files.c.deployment_id)
    for row in connection.execute(query).all():
        for kind, name in sorted(set(_names(row.name, row.content))):
            values = dict(zip(columns, (row.deployment_id, row.name, kind, name, row.deployed_at), strict=True))
            connection.execute(offers.insert().values(values))


def _names(file: str, content: bytes) -> Iterator[tuple[str, str]]:
    if file.endswith(".form"):
        yield from (("form", name) for name in (json.loads(content)["id"], file))
    if file.endswith((".dmn", ".dmn11.xml")):
        root = ET.fromstring(content)  # noqa: S314 - what is deployed has passed the hardened parser
        yield from (("decision", node.get("id", "")) for node in root if node.tag.rpartition("}")[2] == "decision")


def _index(name: str, table: str, columns: tuple[str, ...], where: str) -> None:
    op.create_index(name, table, list(columns), sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, columns, where, before, few in INDEXES:
        if before is not None:
            _index(before, table, columns[:few], where)
        op.drop_index(name, table_name=table)
    op.drop_table("offers")
    op.drop_table("compiled_files")
