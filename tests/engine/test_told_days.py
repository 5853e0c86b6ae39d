"""A year's calendar comes late: what was told before it is known is kept, but nobody is told off on a day off (民法典 art. 203)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from structlog.testing import capture_logs

from api import particulars
from api.v1 import present
from engine import deadlines, holidays, publications, scheduler
from engine.case_models import Notice, Supplement, Tolerance
from engine.deadlines import DeadlineFilter
from engine.errors import InvalidState
from tests import tiny
from tests.engine.test_recomputing import ADMIN
from tests.stage import WORKFLOWS

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
PLAN = {"material": "plan", "used_by": "alpha"}
LATER = {**PLAN, "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 3}


def arrangement(*off):
    """2027, of which these days of January are off, too."""
    days = [date(2027, 1, 1), *(date(2027, 1, day) for day in off)]
    source = json.loads((WORKFLOWS / "calendars" / "2026.json").read_bytes())["sources"]
    listed = [{"date": str(day), "weekday": WEEKDAYS[day.weekday()], "kind": "day_off", "holiday": "元旦"} for day in days]
    return {"year": 2027, "sources": source, "days": listed}


def arrive(stage, *off):
    with stage.database.transaction() as session:
        publications.publish_year(session, arrangement(*off), actor=ADMIN)
    scheduler.drain(stage.database)


@pytest.fixture
def year_end(stage):
    """Monday, 28 December 2026; nobody knows yet which days of 2027 are off."""
    stage.travel(2026, 12, 28)
    return stage


def deploy(stage, material):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[material]))


def test_correct__a_day_off_in_a_year_that_nobody_knew(year_end, clerk):
    deploy(year_end, PLAN)
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="supplement")
    assert [str(s.due_on) for s in year_end.all(Supplement, case)] == ["2027-01-12"]
    assert str(year_end.timer(case, "lapse")) == "2027-01-12"

    arrive(year_end, 12, 13)

    assert str(year_end.timer(case, "lapse")) == "2027-01-14"
    year_end.travel(2027, 1, 14)
    assert year_end.statuses(case)["alpha"] == "correcting"
    year_end.travel(2027, 1, 15, hour=0)
    assert year_end.statuses(case)["alpha"] == "returned"


def test_correct__the_day_stands_when_it_is_a_working_day(year_end, clerk):
    """It was told; that there are fewer working days until then than was thought changes nothing."""
    deploy(year_end, PLAN)
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="supplement")

    arrive(year_end, 4, 5)

    assert str(year_end.timer(case, "lapse")) == "2027-01-12"


def test_tolerate__a_day_off_in_a_year_that_nobody_knew(year_end, clerk):
    deploy(year_end, LATER)
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    [told] = year_end.all(Tolerance, case)
    assert str(told.due_on) == "2027-01-05"

    arrive(year_end, 5)

    assert str(year_end.timer(case, "due_due")) == "2027-01-06"
    year_end.travel(2027, 1, 6)
    assert [str(t.status) for t in year_end.all(Tolerance, case)] == ["open"]
    year_end.travel(2027, 1, 7, hour=0)
    assert [str(t.status) for t in year_end.all(Tolerance, case)] == ["overdue"]
    assert str(year_end.timer(case, "grace_due")) == "2027-01-11"


def test_watch__the_next_year_is_missing(stage):
    """It is told from the middle of November on, as long as it is so."""
    expected = [((2026, 11, 14), None), ((2026, 11, 15), 2027), ((2027, 1, 2), 2027), ((2028, 1, 2), 2027)]
    with capture_logs() as logged:
        for day, year in expected:
            stage.move_to(*day)
            assert holidays.watch(stage.database) == year
    assert [line["year"] for line in logged if line["event"] == "the calendar of a year is missing"] == [2027, 2027, 2027]

    stage.move_to(2026, 11, 16)
    arrive(stage)

    assert holidays.watch(stage.database) is None


def test_remind__the_day_has_moved(year_end, clerk):
    deploy(year_end, LATER)
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    arrive(year_end, 5)

    year_end.travel(2027, 1, 4)

    [reminder] = year_end.all(Notice, case, kind="reminder")
    assert reminder.content["due_on"] == "2027-01-06"


def promised(stage, clerk, *materials):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=materials))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    return case


def shown(stage, case, who):
    with stage.reading() as session:
        return present.case(session, session.merge(case), who.actor)


def test_overdue__the_day_has_moved(year_end, clerk):
    """Who reads that he should have brought it on a day off would object."""
    case = promised(year_end, clerk, LATER)
    arrive(year_end, 5)

    year_end.travel(2027, 1, 7)

    [told] = year_end.all(Notice, case, kind="tolerance_overdue")
    assert told.content == {
        "material": "plan",
        "due_on": "2027-01-06",
        "moved_from": ["2027-01-05"],
        "grace_days": 3,
        "grace_until": "2027-01-11",
    }
    begins = "材料：plan；期限：最迟 2027-01-06，原告知 2027-01-05，因工作日历调整顺延，逾期后"
    assert particulars.of(told.content, {}) == f"{begins}宽限至 2027-01-11（3 个工作日）"
    of_before = {name: value for name, value in told.content.items() if name != "grace_until"}
    assert particulars.of(of_before, {}) == f"{begins}另有 3 个工作日"


def test_overdue__days_that_have_become_one(year_end, clerk):
    """The terms are the same now, so it is told at once."""
    case = promised(year_end, clerk, LATER, LATER | {"material": "menu", "due_days": 6})
    arrive(year_end, 5, 6)

    year_end.travel(2027, 1, 8)

    [told] = year_end.all(Notice, case, kind="tolerance_overdue")
    assert (told.content["material"], told.content["due_on"]) == ("plan、menu", "2027-01-07")
    assert told.content["moved_from"] == ["2027-01-05", "2027-01-06"]


def test_overdue__an_item_that_starts_only_then(year_end, clerk, market):
    """It is told of what was overdue before, with the same day."""
    items = {"alpha": {}, "beta": {"predecessors": "alpha:FS"}}
    year_end.deploy("tiny", **tiny.folder(items, materials=[LATER | {"used_by": "beta", "until": "BEFORE_DECISION", "grace_days": 15}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    arrive(year_end, 5)
    year_end.travel(2027, 1, 7)

    market.complete(case, "alpha审批", outcome="granted")

    told = year_end.all(Notice, case, kind="tolerance_overdue")
    assert [(each.content["due_on"], each.content["moved_from"]) for each in told] == [("2027-01-06", ["2027-01-05"])] * 2


def test_promise__again_when_the_day_has_moved(year_end, clerk):
    """An item joins that needs the same plan: the applicant is told the day that holds now."""
    year_end.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[LATER | {"used_by": "alpha,beta"}]))
    case = clerk.submit("tiny", items=["alpha"])
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    arrive(year_end, 5)
    clerk.follow_on(case, "beta")

    clerk.complete(case, "接续受理", outcome="tolerate", commitment_signed=True)

    first, second = year_end.all(Notice, case, kind="tolerance")
    told = {"code": "plan", "name": "plan"}
    assert first.content["materials"] == [told | {"due_on": "2027-01-05"}]
    assert second.content["materials"] == [told | {"due_on": "2027-01-06", "moved_from": ["2027-01-05"]}]
    assert particulars.of(second.content, {}).startswith("材料：plan（最迟 2027-01-06，原告知 2027-01-05，因工作日历调整顺延）；")


def test_reject__when_the_day_has_moved(year_end, clerk, market):
    """A second department rejects the same copy: it is owed until the same day, which has moved since the first one told it."""
    case = promised(year_end, clerk, LATER | {"used_by": "alpha,beta"})
    clerk.hand_in(case, "plan")
    market.handle("reject_material", year_end.item(case, "alpha"), no=1, reason="图纸模糊")
    assert [str(tolerance.due_on) for tolerance in year_end.all(Tolerance, case)] == ["2027-01-05", "2027-01-06"]
    arrive(year_end, 6)

    market.handle("reject_material", year_end.item(case, "beta"), no=1, reason="图纸模糊")

    told = [notice.content for notice in year_end.all(Notice, case, kind="material_rejected")]
    assert [(each["due_on"], each.get("moved_from")) for each in told] == [("2027-01-06", None), ("2027-01-07", ["2027-01-06"])]
    with pytest.raises(InvalidState, match="until 2027-01-07"):
        market.handle("reject_material", year_end.item(case, "beta"), no=1, reason="图纸模糊")


def test_read__the_day_that_holds_now(year_end, clerk):
    """The case, and the list of deadlines, tell it as the timers have it."""
    case = promised(year_end, clerk, LATER)
    [before] = shown(year_end, case, clerk)["tolerances"]
    arrive(year_end, 5)

    [after] = shown(year_end, case, clerk)["tolerances"]
    with year_end.reading() as session:
        found = deadlines.open_ones(session, clerk.actor, DeadlineFilter(), after=None, limit=10)

    assert [(each["due_on"].isoformat(), str(each["moved_from"])) for each in (before, after)] == [
        ("2027-01-05", "None"),
        ("2027-01-06", "2027-01-05"),
    ]
    owed = [each for row in found if row.name == "alpha" for each in row.waits_for if each.kind == "material"]
    assert [str(each.due_on) for each in owed] == ["2027-01-06"]


def test_read__corrections(year_end, clerk):
    deploy(year_end, PLAN)
    case = clerk.submit("tiny", materials=["plan"])
    clerk.complete(case, "一窗受理", outcome="supplement", defects="图纸不清")
    arrive(year_end, 12, 13)

    [asked] = shown(year_end, case, clerk)["supplements"]

    assert (str(asked["due_on"]), str(asked["moved_from"])) == ("2027-01-14", "2027-01-12")
    with pytest.raises(InvalidState, match="may be corrected until 2027-01-14"):
        clerk.complete(case, "补正材料", answered=False, reason="仍不清楚")
