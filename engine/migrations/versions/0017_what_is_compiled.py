"""what is compiled, and what deployments offer by name."""

import json
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
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


def downgrade() -> None:
    op.drop_table("offers")
    op.drop_table("compiled_files")
