"""A crowd: so many cases that PostgreSQL knows which condition finds few rows."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from engine import cases, materials
from engine.database import Database
from tests.benchmarks import bundle, population

#: What is full where there are many cases.
CROWDED = {*population.HOT, "notices", "incidents"}
#: Something that stands in each instance: an empty table says nothing about its indexes.
INCIDENTS = """
INSERT INTO incidents (id, region, case_id, instance_id, wait, element, message, raised_at, resolved_at)
SELECT id, region, case_id, id, 1, 'x', 'x', now(), NULL FROM instances
"""


def gather(database: Database, copies: int = 2000) -> None:
    """Take a case in, and copy it so often."""
    with database.transaction() as session:
        case = cases.submit(session, replace(bundle.SUBMISSION, matter="open_restaurant", items=("food_permit",)), actor=bundle.CLERK)
        for material in case.checklist["materials"]:
            materials.record(session, case, material["code"], actor=bundle.CLERK)
    _kind, take_in = next(bundle.work(database, case.id))
    take_in()
    population.multiply(database, case.id, copies, tables=CROWDED - {"incidents"})
    with database.transaction() as session:
        session.execute(text(INCIDENTS))
    population.settle(database)
