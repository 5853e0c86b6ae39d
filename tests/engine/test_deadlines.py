from __future__ import annotations

from datetime import date

import pytest

from engine import deadlines, dossiers, worklists
from engine.actors import Role, RoleGrant
from engine.case_models import Case
from engine.clock import Light
from engine.deadlines import DeadlineFilter
from engine.worklists import TaskFilter
from tests import restaurant, tiny


def accepted(stage):
    """Promised in five days as a whole; alpha in ten, beta (another department) in three."""
    items = {"alpha": {"promised": 10, "statutory": 20}, "beta": {"promised": 3}}
    stage.deploy("tiny", **tiny.folder(items, promised="5", processes={"beta": tiny.item("beta", department="fire")}))
    stage.person("clerk").take_in("tiny")


@pytest.fixture
def case(begun):
    [case] = begun(accepted)
    return case


def shown(stage, person, *, after=None, limit=100, **filters):
    """What one sees: (item name or None for the bundle, due date, light)."""
    with stage.reading() as session:
        found = deadlines.open_ones(session, person.actor, DeadlineFilter(**filters), after=after, limit=limit)
    return [(d.name if d.item else None, d.promised and d.promised.date.isoformat(), d.light) for d in found]


def test_open_ones__soonest_first(stage, clerk, case):
    assert shown(stage, clerk) == [
        ("beta", "2026-03-05", Light.GREEN),
        (None, "2026-03-09", Light.GREEN),
        ("alpha", "2026-03-16", Light.GREEN),
    ]


@pytest.mark.parametrize("few", [2000, 0])
def test_open_ones__of_a_matter(stage, clerk, case, rare, few):
    rare(few)
    clerk.take_in("open_restaurant", answers=restaurant.ANSWERS, materials=restaurant.MATERIALS)

    assert {name for name, _, _ in shown(stage, clerk, matter="tiny")} == {"alpha", "beta", None}
    assert {name for name, _, _ in shown(stage, clerk, matter="tiny", light=Light.GREEN)} == {"alpha", "beta", None}
    assert shown(stage, clerk, matter="newborn") == []
    assert len(shown(stage, clerk)) == len(shown(stage, clerk, matter="open_restaurant")) + 3


@pytest.mark.parametrize(
    ("day", "lights"),
    [
        (4, {"beta": "green", None: "green", "alpha": "green"}),
        (5, {"beta": "yellow", None: "green", "alpha": "green"}),
        (6, {"beta": "red", None: "green", "alpha": "green"}),
        (10, {"beta": "red", None: "red", "alpha": "green"}),
        (13, {"beta": "red", None: "red", "alpha": "yellow"}),
        (17, {"beta": "red", None: "red", "alpha": "red"}),
    ],
)
def test_light__of_each_day(stage, clerk, case, day, lights, rare):
    """Yellow when at most one day is left and nine tenths are used; red when it is over."""
    stage.travel(2026, 3, day)

    assert {name: light for name, _, light in shown(stage, clerk)} == lights
    for few in (2000, 0):  # found by their light, or in the order of the list
        rare(few)
        assert {name: light for colour in Light for name, _, light in shown(stage, clerk, light=colour)} == lights


def test_open_ones__bundle_is_called_what_people_call_it(stage, clerk):
    case = clerk.submit("open_restaurant", answers=restaurant.ANSWERS, materials=restaurant.MATERIALS)
    clerk.complete(case, "一窗受理", outcome="accept")

    with stage.reading() as session:
        found = deadlines.open_ones(session, clerk.actor, DeadlineFilter(), after=None, limit=10)

    assert [each.name for each in found if each.item is None] == ["开办餐饮店"]


def test_open_ones__filtered(stage, clerk, case):
    stage.travel(2026, 3, 6)

    assert [name for name, *_ in shown(stage, clerk, light=Light.RED)] == ["beta"]
    assert [name for name, *_ in shown(stage, clerk, due_before=date(2026, 3, 10))] == ["beta", None]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_open_ones__in_pages(stage, clerk, market, case, size):
    """Whatever the size of a page: all of them, once, with those without a date at the end."""
    clerk.submit("tiny")  # its clocks have not started
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)
    whole = shown(stage, clerk)

    read, after = [], None
    with stage.reading() as session:
        while page := deadlines.open_ones(session, clerk.actor, DeadlineFilter(), after=after, limit=size):
            read += [(d.name if d.item else None, d.promised and d.promised.date.isoformat(), d.light) for d in page]
            after = page[-1].place

    assert read == whole
    assert [due for _, due, _ in read] == ["2026-03-05", "2026-03-09", None, None, None]


def test_open_ones__of_a_department(stage, supervisor, case):
    assert [name for name, *_ in shown(stage, supervisor, department="fire")] == ["beta"]


def test_open_ones__those_that_are_paused(stage, clerk, market, fire, case):
    """Who looks for pauses that last longer than the applicant was told reads no others; also one begun when the limit had run out."""
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)
    assert shown(stage, clerk, paused=True) == [("alpha", None, Light.GREEN)]
    stage.travel(2026, 3, 6)
    fire.handle("pause", stage.item(case, "beta"), kind="testing", reason="检测", days=1)

    assert [name for name, _, _ in shown(stage, clerk, paused=True)] == ["beta", "alpha"]
    assert [name for name, _, _ in shown(stage, clerk, paused=True, light=Light.RED)] == ["beta"]
    assert [name for name, _, _ in shown(stage, clerk, paused=True, department="market")] == ["alpha"]
    assert [name for name, _, _ in shown(stage, clerk, paused=False)] == [None]
    assert [name for name, _, _ in shown(stage, clerk, paused=True, limit=1)] == ["beta"]
    assert [name for name, _, _ in shown(stage, clerk, paused=True, after=(date(2026, 3, 5), stage.item(case, "beta").number))] == ["alpha"]


def test_open_ones__paused_without_a_known_end_comes_last(stage, clerk, market, case):
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)

    assert shown(stage, clerk)[-1] == ("alpha", None, Light.GREEN)


@pytest.mark.parametrize("few", [2000, 0])
def test_light__paused_after_it_has_turned_yellow(stage, supervisor, market, case, few, rare):
    """It has no last day any more, and will not turn red: in lists of tasks as in lists of deadlines."""
    rare(few)
    stage.travel(2026, 3, 16)
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)

    listed = {}
    with stage.reading() as session:
        for colour in Light:
            listed[colour] = [
                task.name
                for task in worklists.find_tasks(session, supervisor.actor, TaskFilter(light=colour), after=None, limit=10)
                if task.light is colour
            ]
    assert shown(stage, supervisor, light=Light.YELLOW) == [("alpha", None, Light.YELLOW)]
    assert listed == {Light.GREEN: [], Light.YELLOW: ["alpha审批"], Light.RED: ["beta审批"]}


def test_open_ones__decided_is_not_shown(stage, clerk, market, fire, case):
    fire.complete(case, "beta审批", outcome="granted")

    assert [name for name, *_ in shown(stage, clerk)] == [None, "alpha"]
    market.complete(case, "alpha审批", outcome="granted")
    clerk.complete(case, "统一出件")
    assert shown(stage, clerk) == []


def test_open_ones__what_one_sees(stage, supervisor, market, fire, case):
    """A department sees its own clocks; another hall none."""
    assert {name for name, *_ in shown(stage, market)} >= {"alpha"}
    assert "beta" not in {name for name, *_ in shown(stage, market)}
    assert "alpha" not in {name for name, *_ in shown(stage, fire)}
    assert len(shown(stage, supervisor)) == 3
    assert shown(stage, stage.person("clerk-yuelu")) == []
    assert shown(stage, stage.person("designer")) == []


def test_open_ones__a_channel_sees_those_of_its_cases(stage, clerk, case):
    channel = stage.somebody(RoleGrant(role=Role.CHANNEL), name="app")
    mine = channel.submit("tiny")
    clerk.complete(mine, "一窗受理", outcome="accept")

    assert len(shown(stage, channel)) == 3
    assert len(shown(stage, clerk)) == 6


def test_light__accepted_by_silence(stage, clerk):
    """The clock runs from receipt and has its own light; the red one is for who kept silent."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 20}}))
    case = clerk.submit("tiny")
    stage.travel(2026, 3, 10)

    assert shown(stage, clerk) == [("alpha", "2026-03-30", Light.GREEN)]
    assert stage.alerts(case) == [("red", "deemed_acceptance")]


def days_left(stage, person, case):
    """Of each item, and of the bundle (None): as the list gives them by what is kept, and as the dossier counts them by the ledger."""
    with stage.reading() as session:
        found = deadlines.open_ones(session, person.actor, DeadlineFilter(), after=None, limit=10)
        dossier = dossiers.read(session, session.get_one(Case, case.id), person.actor)
    return {each.item: each.remaining for each in found}, {
        **{number: each.remaining for number, each in dossier.deadlines.items()},
        None: dossier.deadline.remaining,
    }


def test_open_ones__days_left_are_those_of_the_ledger(stage, clerk, market):
    """On working days and on others, before a pause, in it and after it, extended and overdue."""
    stage.deploy(
        "tiny", **tiny.folder({"alpha": {"promised": 10, "extension": 5}, "beta": {"promised": 9, "unit": "calendar"}}, promised="5")
    )
    case = clerk.take_in("tiny")
    alpha, seen = stage.item(case, "alpha"), []
    happens = {
        6: lambda: market.handle("pause", alpha, kind="hearing", reason="听证", days=5),
        11: lambda: market.handle("resume", alpha),
        12: lambda: market.handle("extend", alpha, days=5, approver="organ_head", reason="复杂"),
    }
    for day in range(2, 32):
        stage.travel(2026, 3, day)
        for moment in (lambda: None, happens.get(day, lambda: None)):
            moment()
            listed, counted = days_left(stage, clerk, case)
            assert listed == counted, day
            seen.append(listed[alpha.number])
    assert (seen[0], min(seen), len(set(seen))) == (10, -2, 14)


def test_of_case__the_published_promise(stage, case):
    """The bundle promises five days, its items ten."""
    with stage.reading() as session:
        row = session.get_one(Case, case.id)
        assert deadlines.of_case(session, row).promised.date.isoformat() == "2026-03-09"
