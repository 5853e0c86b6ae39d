"""No request reads a table whole that grows with the work of years: PostgreSQL is asked how it would run each statement."""

from __future__ import annotations

from contextlib import suppress

import pytest

from api.simulation import course, scenario
from tests.acceptance import crowd, plans
from tests.hall import WORKFLOWS, Refused

SCENARIOS = ("tolerance-expired", "follow-on-deemed", "partial-outcome")
LISTS = {
    "/cases": [{}, {"applicant_number": "110101199003070134"}, {"matter": "open-restaurant", "open": "true"}, {"light": "red"}],
    "/tasks": [{}, {"group": "window"}, {"matter": "open-restaurant"}, {"light": "yellow"}, {"due_before": "2030-01-01T00:00:00Z"}],
    "/deadlines": [{}, {"light": "red"}, {"light": "green"}, {"department": "market"}, {"due_before": "2030-01-01"}],
    "/alerts": [{}, {"hall": "changsha"}, {"since": "2026-03-01", "until": "2026-03-31"}, {"department": "market", "kind": "overdue"}],
    "/incidents": [{}],
    "/messages": [{}],
}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", SCENARIOS)
def test_plans__of_a_whole_course(hall, name):
    """Of tables that stay empty here."""
    assert plans.whole_reads(hall.database, _course(hall, name), plans.GROWING - crowd.CROWDED) == {}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", SCENARIOS)
def test_plans__of_a_whole_course_among_many(crowded, name):
    """Of tables that are full: PostgreSQL chooses between several indexes by what is in them."""
    assert plans.whole_reads(crowded.database, _course(crowded, name), crowd.CROWDED) == {}


def _course(hall, name):
    with plans.recorded(hall.database) as statements:
        course.play(hall, scenario.read(WORKFLOWS / "open-restaurant/scenarios" / f"{name}.yaml"))
    assert len(statements) > 50
    return statements


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("who", ["clerk", "supervisor", "officer-market"])
def test_plans__of_lists(crowded, who):
    with plans.recorded(crowded.database) as statements:
        for path, queries in LISTS.items():
            for query in queries:
                with suppress(Refused):  # not everybody may see everything
                    crowded[who].get(path, limit=20, **query)

    assert plans.whole_reads(crowded.database, statements) == {}
    assert plans.whole_reads(crowded.database, statements, once=True) == {}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("who", ["clerk", "supervisor", "officer-market"])
@pytest.mark.parametrize("light", [None, "red", "yellow", "green"])
def test_plans__are_kept(crowded, who, light, rare):
    """To plan a page takes longer than to run it.  The driver prepares what it is given for the sixth time, the server then tries five."""
    rare(0)  # each light in the order of the list, as where there are many of each
    plans.grow(crowded.database, "tasks", rows=1_000_000)
    for _ in range(14):
        crowded[who].get("/tasks", limit=20, **({"light": light} if light else {}))

    assert plans.planned_anew(crowded.database, "tasks") == set()


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("path", "tables"), [("/tasks", {"tasks"}), ("/deadlines", {"items", "cases"}), ("/cases", {"cases"})])
def test_plans__of_whether_few_show_a_light(crowded, path, tables):
    """Only an index of lights has the latest first, so nothing else is looked through: not all that is open, in the order of a list."""
    with plans.recorded(crowded.database) as statements:
        for light in ("red", "yellow"):
            crowded["supervisor"].get(path, limit=20, light=light)
    counts = {statement: given for statement, given in statements.items() if "count(" in statement and "_from <= " in statement}

    found = plans.orders(crowded.database, counts)

    assert {table for table, _index in found} == tables
    assert {index.rpartition("_")[2] for _table, index in found} <= {"light", "red"}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("path", "table", "light"), [("/tasks", "tasks", "yellow"), ("/cases", "cases", "red"), ("/deadlines", "items", "yellow")]
)
def test_plans__of_a_page_of_a_light_that_few_show(crowded, path, table, light):
    """What shows it is read where the index of lights leads, once; only what is on the page, and one to see whether more follow, is again."""
    with plans.recorded(crowded.database) as statements:
        crowded["officer-market"].get(path, limit=1, light=light)
    lights = {each: given for each, given in statements.items() if "_from <= " in each}
    counted = plans.rows_read(crowded.database, {each: given for each, given in lights.items() if "count(" in each}, table)
    read = plans.rows_read(crowded.database, {each: given for each, given in lights.items() if f"\nFROM {table} JOIN" in each}, table)

    shown = sum(counted.values())
    assert shown > 10
    assert list(read.values()) == [shown + 2]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("who", ["clerk", "supervisor", "officer-market"])
def test_plans__of_a_light_that_few_show(hall, who):
    """SQLite, which does not know how many there are, goes by the light."""
    with plans.recorded(hall.database) as statements:
        for path in ("/tasks", "/deadlines", "/cases"):
            for light in ("red", "yellow"):
                with suppress(Refused):
                    hall[who].get(path, limit=20, light=light)

    assert [statement for statement in statements if "yellow_from" in statement]
    assert plans.scans(hall.database, statements, {"tasks", "cases", "items"}) == []


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_whole_reads__are_found(hall):
    found = plans.whole_reads(
        hall.database,
        {
            "SELECT id FROM tasks WHERE name = 'x'": None,
            "SELECT tasks.id FROM tasks JOIN cases ON cases.id = tasks.case_id WHERE cases.applicant = 'null'": None,
            "SELECT id FROM tasks ORDER BY name LIMIT 1": None,
            "UPDATE tasks SET name = 'x' WHERE priority = 1": None,
            "SELECT name FROM tasks WHERE id = '00000000-0000-0000-0000-000000000000'": None,
            "SELECT name FROM halls": None,
        },
    )

    assert list(found.values()) == [["tasks"], ["cases"], ["tasks"], ["tasks"]]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_scans__are_found(hall):
    statements = {"SELECT id FROM tasks WHERE name = 'x'": (), "SELECT name FROM tasks WHERE id = 'x'": (), "SELECT name FROM halls": ()}

    assert plans.scans(hall.database, statements, {"tasks"}) == ["SCAN tasks"]
