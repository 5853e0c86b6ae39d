"""A crowd: so many cases that PostgreSQL knows which condition finds few rows."""

from __future__ import annotations

from dataclasses import replace

import time_machine
from sqlalchemy import text

from engine import cases, materials
from engine.database import Database
from tests.benchmarks import bundle, population
from tests.stage import MONDAY

#: What is full where there are many cases.
CROWDED = {*population.HOT, "notices", "incidents", "alerts", "administration"}
#: Something that stands in each instance, an alert of each item, as much that was administered: an empty table says nothing about its indexes.
MADE = {
    "incidents": """
INSERT INTO incidents (id, region, case_id, instance_id, wait, element, message, raised_at, resolved_at)
SELECT id, region, case_id, id, 1, 'x', 'x', now(), NULL FROM instances
""",
    "alerts": """
INSERT INTO alerts (id, region, case_id, item_id, light, kind, department, message, raised_at)
SELECT id, region, case_id, id, 'red', 'overdue', department, 'x', joined_at FROM items
""",
    "administration": """
INSERT INTO administration (seq, at, actor, what, about, hash)
SELECT 1000000 + row_number() OVER (ORDER BY id), joined_at, 'admin', 'role granted', '{}', '' FROM items
""",
}
#: Most sleep while a test lets weeks pass: timers go off for one case in twenty at once, and for one in ten on days of their own.  The
#: statements are those that all would be sent, which took most of the time of these tests.
ASLEEP = """
UPDATE timers SET due_at = due_at + interval '10 years' WHERE case_id NOT IN (SELECT id FROM cases WHERE number LIKE '%1_' OR number LIKE '%7')
"""


def fill(url: str) -> None:
    """Let a furnished database be crowded."""
    database = Database(url)
    with time_machine.travel(MONDAY, tick=False):
        _gather(database)
    database.close()


def _gather(database: Database, copies: int = 2000) -> None:
    """Take a case in, and copy it so often."""
    with database.transaction() as session:
        case = cases.submit(session, replace(bundle.SUBMISSION, matter="open_restaurant", items=("food_permit",)), actor=bundle.CLERK)
        for material in case.checklist["materials"]:
            materials.record(session, case, material["code"], actor=bundle.CLERK)
    _kind, take_in = next(bundle.work(database, case.id))
    take_in()
    population.multiply(database, case.id, copies, tables=CROWDED - MADE.keys())
    with database.transaction() as session:
        for made in (*MADE.values(), ASLEEP):
            session.execute(text(made))
    population.settle(database)
