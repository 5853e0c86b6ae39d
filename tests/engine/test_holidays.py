"""Published years as rows, on both databases."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine import holidays
from engine.actors import Actor, Role, RoleGrant
from engine.case_models import CalendarYear
from engine.errors import InvalidInput, InvalidState, NotPermitted
from tests.clocks import CALENDAR

FOLDER = Path(__file__).parents[2] / "workflows" / "calendars"
ADMIN = Actor(name="admin", grants=(RoleGrant(role=Role.ADMIN),))


def shipped(year):
    return json.loads((FOLDER / f"{year}.json").read_text(encoding="utf-8"))


def test_calendar__nothing_is_published(database):
    with (
        database.transaction() as session,
        pytest.raises(InvalidState, match="Expected to count working days, but no calendar is published"),
    ):
        holidays.calendar(session)


def test_publish_shipped__twice(database):
    for _ in range(2):
        with database.transaction() as session:
            holidays.publish_shipped(session, FOLDER)

    with database.transaction() as session:
        assert session.scalars(select(func.count()).select_from(CalendarYear)).one() == 3
        assert holidays.calendar(session).version == CALENDAR.version


def test_publish_shipped__keeps_what_was_amended(database):
    amended = shipped(2026)
    amended["days"].append({"date": "2026-12-31", "weekday": "周四", "kind": "day_off", "holiday": "临时放假"})
    with database.transaction() as session:
        holidays.publish(session, amended, actor=ADMIN)

    with database.transaction() as session:
        holidays.publish_shipped(session, FOLDER)

    with database.transaction() as session:
        assert not holidays.calendar(session).is_working_day(date(2026, 12, 31))


def test_publish__is_seen_at_once_and_by_the_next_transaction(database):
    with database.transaction() as session:
        holidays.publish(session, shipped(2025), actor=ADMIN)
        before = holidays.calendar(session)
        holidays.publish(session, shipped(2026), actor=ADMIN)
        after = holidays.calendar(session)

    assert before.is_provisional(date(2026, 1, 4))
    assert after.is_working_day(date(2026, 1, 4))
    with database.transaction() as session:
        assert holidays.calendar(session).version == after.version


def test_publish__a_year_again(database):
    with database.transaction() as session:
        holidays.publish(session, shipped(2026), actor=ADMIN)

    with database.transaction() as session:
        holidays.publish(session, shipped(2026) | {"days": shipped(2026)["days"][:1]}, actor=ADMIN)

    with database.transaction() as session:
        assert holidays.calendar(session).is_working_day(date(2026, 1, 2))
        assert session.get_one(CalendarYear, 2026).loaded_by == "admin"


def test_publish__what_is_refused_changes_nothing(database):
    clerk = Actor(name="clerk", grants=(RoleGrant(role=Role.CLERK),))
    with database.transaction() as session:
        holidays.publish(session, shipped(2024), actor=ADMIN)

    with (
        database.transaction() as session,
        pytest.raises(NotPermitted, match="Expected to publish a working calendar, but clerk is no admin"),
    ):
        holidays.publish(session, shipped(2025), actor=clerk)
    with (
        database.transaction() as session,
        pytest.raises(InvalidInput, match="Expected calendars of consecutive years, but 2025 is missing"),
    ):
        holidays.publish(session, shipped(2026), actor=ADMIN)
    with database.transaction() as session, pytest.raises(InvalidInput, match="calendar: Expected the field days, but it is missing"):
        holidays.publish(session, {"year": 2025, "sources": []}, actor=ADMIN)

    with database.transaction() as session:
        assert session.scalars(select(CalendarYear.year)).all() == [2024]
