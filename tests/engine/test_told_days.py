"""A year's calendar comes late: what was told before it is known is kept, but nobody is told off on a day off (民法典 art. 203)."""

from __future__ import annotations

import json
from datetime import date

import pytest
from structlog.testing import capture_logs

from engine import holidays, publications, scheduler
from engine.case_models import Notice, Supplement, Tolerance
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
