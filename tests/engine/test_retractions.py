"""A corrected calendar takes the ground from an alert that a deadline was missed, or gives it back; whoever was told hears of it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from engine import alerts, metrics, recomputing, scheduler, verification
from engine.alerts import AlertKind
from engine.case_models import Alert, Case, Item, Recomputation
from engine.clock import Light
from engine.models import Outbox
from tests import invariants, tiny
from tests.benchmarks.meter import measure
from tests.engine.test_recomputing import ADMIN, lasting, publish

ITEMS = {"alpha": {"promised": 5}}


@pytest.fixture
def matter(stage):
    deploy(stage)


def deploy(stage):
    """Its item has five working days, until Monday, 9 March, when it is accepted on 2 March; nobody minds how late its bundle is."""
    stage.deploy("tiny", **tiny.folder(ITEMS, processes={"alpha": lasting("alpha")}))


def come_late(stage):
    """A case whose item is late on Tuesday."""
    deploy(stage)
    stage.person("clerk").take_in("tiny")
    stage.travel(2026, 3, 10)


@pytest.fixture
def late(begun):
    [case] = begun(come_late)
    return case


def correct(stage, *days_off):
    """Correct the calendar, count every clock, and do what is due."""
    publish(stage, *days_off)
    scheduler.drain(stage.database)
    invariants.check(stage.database)
    assert list(verification.verify(stage.database)) == []


def told(stage, case):
    """What stands of missed deadlines."""
    return [kind for _, kind in stage.alerts(case) if kind in {"overdue", "retracted"}]


def heard(stage, case):
    """What went out of them."""
    kinds = [row.payload["kind"] for row in stage.all(Outbox, case, topic="alert")]
    return [kind for kind in kinds if kind in {"overdue", "retracted"}]


def counted(stage):
    with stage.database.transaction() as session:
        found = metrics.collect(session, ADMIN, since=date(2026, 3, 1), until=date(2026, 3, 31))
    return next(each.overdue for each in found if each.matter == "tiny")


def test_correction__not_late(stage, late):
    """Wednesday becomes a day off, so that Tuesday is the last day: nothing stands.  What is late on Wednesday after all is told then."""
    assert (told(stage, late), heard(stage, late), counted(stage)) == (["overdue"], ["overdue"], 1)

    publish(stage, 4)
    assert told(stage, late) == ["overdue"]  # as everything is until the case is counted
    correct(stage, 4)

    assert (told(stage, late), heard(stage, late), counted(stage)) == (["retracted"], ["overdue", "retracted"], 0)
    [alert] = stage.all(Alert, late, kind="retracted")
    [message] = [row for row in stage.all(Outbox, late, topic="alert") if row.payload["kind"] == "retracted"]
    number = stage.item(late, "alpha").number
    assert (alert.light, alert.message) == ("green", f"事项 {number}（alpha）已超期（工作日历更正后未超期，预警作废）")
    assert message.payload == {"case": late.number, "kind": "retracted", "light": "green", "item": number, "message": alert.message}

    stage.travel(2026, 3, 11)
    stage.travel(2026, 3, 20)
    assert (told(stage, late), heard(stage, late), counted(stage)) == (
        ["retracted", "overdue"],
        ["overdue", "retracted", "overdue"],
        1,
    )


@pytest.mark.parametrize("day", [10, 11])
def test_correction__is_corrected(stage, late, day):
    """It was late on Tuesday after all, and its process has told that day already; also when that is found before anybody was told of the
    next one."""
    before = [(alert.light, alert.kind, alert.message, alert.raised_at) for alert in stage.all(Alert, late)]
    correct(stage, 4)
    stage.move_to(2026, 3, day, hour=10)

    for _ in range(2):
        correct(stage)

        assert [(alert.light, alert.kind, alert.message, alert.raised_at) for alert in stage.all(Alert, late)] == before
        assert (heard(stage, late), counted(stage)) == (["overdue", "retracted", "overdue"], 1)
    stage.travel(2026, 3, 20)
    assert (told(stage, late), heard(stage, late)) == (["overdue"], ["overdue", "retracted", "overdue"])


def test_correction__is_corrected_again_and_again(stage, late):
    """Each time whoever was told hears of the one alert, of which there are never two."""
    for again in range(1, 4):
        correct(stage, 4)
        assert (told(stage, late), heard(stage, late)) == (["retracted"], ["overdue", "retracted"] * again)
        correct(stage)
        assert (told(stage, late), heard(stage, late)) == (["overdue"], [*["overdue", "retracted"] * again, "overdue"])


def test_correction__late_for_a_day_that_was_not_told(stage, late):
    """It goes from the 9th to the 12th and back to the 10th, which has passed: the process tells that day itself, and only once."""
    correct(stage, 4, 5, 6)
    stage.move_to(2026, 3, 12)

    correct(stage, 4)

    assert (told(stage, late), heard(stage, late)) == (["retracted", "overdue"], ["overdue", "retracted", "overdue"])


def test_correction__two_alerts_of_one_item(stage, late):
    """It was told for Monday, and then for Tuesday; of both only what was said last counts again."""
    correct(stage, 4)
    stage.travel(2026, 3, 11)
    correct(stage, 4, 5)
    assert told(stage, late) == ["retracted", "retracted"]

    correct(stage)

    assert (told(stage, late), counted(stage)) == (["retracted", "overdue"], 1)
    assert heard(stage, late) == ["overdue", "retracted", "overdue", "retracted", "overdue"]


def test_correction__is_corrected_when_the_next_day_was_told(stage, late):
    """It is late all the time since Wednesday, and told; that it was so since Tuesday is no news."""
    correct(stage, 4)
    stage.travel(2026, 3, 11)

    correct(stage)

    assert (told(stage, late), counted(stage)) == (["retracted", "overdue"], 1)
    assert heard(stage, late) == ["overdue", "retracted", "overdue"]


def test_correction__late_since_another_day(stage, clerk, matter):
    """On the 10th its last day was the 10th; it is the 9th, and then the 10th again.  It is late all the time, and stays told."""
    publish(stage, 4)
    scheduler.drain(stage.database)
    case = clerk.take_in("tiny")
    stage.travel(2026, 3, 12)
    assert (stage.item(case, "alpha").red_from, told(stage, case)) == (date(2026, 3, 11), ["overdue"])

    for days_off, red_from in ((), date(2026, 3, 10)), ((4,), date(2026, 3, 11)):
        correct(stage, *days_off)

        assert stage.item(case, "alpha").red_from == red_from
        assert (told(stage, case), heard(stage, case), counted(stage)) == (["overdue"], ["overdue"], 1)


def test_correction__of_what_was_decided(stage, late, market):
    """It was too late by the calendar by which it was judged."""
    market.complete(late, "alpha审批", outcome="granted")

    correct(stage, 4)

    assert (told(stage, late), heard(stage, late), counted(stage)) == (["overdue"], ["overdue"], 1)


def test_correction__of_what_was_withdrawn(stage, late, clerk):
    clerk.withdraw(late)

    correct(stage, 4)

    assert (told(stage, late), heard(stage, late), counted(stage)) == (["overdue"], ["overdue"], 1)


def test_correction__late_for_a_later_day_that_has_passed(stage, late):
    """Its process tells that day, too, as it always has; what it had told stands, for late it is.  All of it is taken back together."""
    stage.move_to(2026, 3, 12)
    correct(stage, 4)
    assert (told(stage, late), heard(stage, late), counted(stage)) == (["overdue", "overdue"], ["overdue", "overdue"], 1)

    correct(stage, 4, 5, 6)
    assert (told(stage, late), counted(stage)) == (["retracted", "retracted"], 0)

    correct(stage)
    assert (told(stage, late), counted(stage)) == (["retracted", "overdue"], 1)


@pytest.mark.parametrize(("days_off", "stands"), [([4], ["overdue"]), ([4, 5], ["retracted"])])
def test_correction__of_what_is_paused(stage, late, market, days_off, stands):
    """It is paused on Wednesday: that saves nothing of what was over on Tuesday, and all of what was to be over on that day."""
    stage.move_to(2026, 3, 11)
    market.handle("pause", stage.item(late, "alpha"), kind="hearing", reason="听证", days=5)

    correct(stage, *days_off)

    assert told(stage, late)[-1:] == stands


def test_correction__of_what_is_paused_in_time(stage, clerk, market, matter):
    case = clerk.take_in("tiny")
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=5)
    stage.travel(2026, 3, 12)

    correct(stage, 4)

    assert (told(stage, case), counted(stage)) == ([], 0)


def test_correction__of_a_bundle(stage, clerk):
    """Its own promise is over; its item has time."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 10}}, promised="5"))
    case = clerk.take_in("tiny")
    stage.move_to(2026, 3, 10)
    with stage.database.transaction() as session:
        alerts.raise_alert(session, session.get_one(Case, case.id), AlertKind.OVERDUE, Light.RED, f"办件 {case.number}已超期")

    correct(stage, 4)
    assert (stage.alerts(case), stage.all(Outbox, case, topic="alert")[-1].payload["item"]) == ([("green", "retracted")], None)
    correct(stage)

    assert (stage.alerts(case), heard(stage, case)) == ([("red", "overdue")], ["overdue", "retracted", "overdue"])


def test_correction__other_alerts(stage, clerk, late):
    """What else was told stays, and so does what a diagram tells of an item that its clock has not been late for: by the hour, say."""
    early = clerk.take_in("tiny")
    with stage.database.transaction() as session:
        case, item = session.get_one(Case, early.id), session.get_one(Item, stage.item(early, "alpha").id)
        alerts.raise_alert(session, case, AlertKind.OVERDUE, Light.RED, "二十四小时已过", item=item)
        alerts.raise_alert(session, session.get_one(Case, late.id), AlertKind.SECOND_SUPPLEMENT, Light.YELLOW, "二次补正")

    correct(stage, 4)

    assert told(stage, early) == ["overdue"]
    assert stage.alerts(late) == [("yellow", "reminder"), ("green", "retracted"), ("yellow", "second_supplement")]


def test_adopt__into_a_bundle_that_was_counted(stage, clerk, matter):
    """The walk was at the bundle already, and comes to the case of the item when it is there no more."""
    alone = clerk.take_in("alpha")
    stage.travel(2026, 3, 10)
    bundle = clerk.submit("tiny")
    stage.checking = False
    publish(stage, 4)
    with stage.database.transaction() as session:
        [walk] = session.scalars(select(Recomputation))
        walk.cursor, walk.busy = bundle.id, [str(alone.id)]

    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    scheduler.drain(stage.database)

    assert (told(stage, bundle), heard(stage, bundle)) == (["retracted"], ["retracted"])
    invariants.check(stage.database)


def test_go_on__statements(stage, clerk, matter):
    """However many are late: the alerts of a batch are found, changed and told by a statement each, and nobody asks when none is late."""
    cases = [clerk.take_in("tiny")]
    publish(stage, 4)
    none = measure(stage.database.bind, lambda: recomputing.go_on(stage.database)).statements
    scheduler.drain(stage.database)
    cases += [clerk.take_in("tiny") for _ in range(2)]
    stage.travel(2026, 3, 11)
    publish(stage, 4, 5)
    few = measure(stage.database.bind, lambda: recomputing.go_on(stage.database)).statements
    scheduler.drain(stage.database)
    cases += [clerk.take_in("tiny") for _ in range(9)]
    stage.travel(2026, 3, 19)
    publish(stage, 4, 5, 6, 9, 10, 11, 12, 13, 16)
    many = measure(stage.database.bind, lambda: recomputing.go_on(stage.database)).statements

    assert [told(stage, case).count("retracted") for case in cases] == [2] * 3 + [1] * 9
    assert not [statement for statement in none if "alerts" in statement]
    assert len([statement for statement in few if "FROM alerts" in statement]) == 1
    assert len(few) == len(many)
