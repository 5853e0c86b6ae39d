"""Dossiers: whoever governs the bundle sees all of it, a department its items and what was written about them."""

import pytest

from engine import cases, dossiers
from tests.restaurant import ANSWERS, ITEMS, MATERIALS


@pytest.fixture
def case(stage, clerk):
    return clerk.take_in("open_restaurant", answers=ANSWERS, materials=MATERIALS)


def test_read__items_and_tasks(stage, case, clerk, fire):
    with stage.reading() as session:
        bundle, own = (dossiers.read(session, cases.get(session, case.number, who.actor), who.actor) for who in (clerk, fire))

        assert (bundle.whole, own.whole) == (True, False)
        assert {item.code for item in bundle.items} == set(ITEMS)
        assert [item.code for item in own.items] == ["fire_check_commit"]
        assert [task.name for task in own.tasks] == ["消防承诺审查"]


def test_journal__of_the_items_of_a_department(stage, case, clerk, fire):
    fire.complete(case, "消防承诺审查", outcome="granted")

    with stage.reading() as session:
        everything, own = (dossiers.journal(session, cases.get(session, case.number, who.actor), who.actor) for who in (clerk, fire))

    its_process = stage.item(case, "fire_check_commit").instance_id
    assert [entry.hash for entry in own] == [entry.hash for entry in everything if entry.instance_id == its_process]
    assert 0 < len(own) < len(everything)
