"""The working calendar over HTTP: read by all, published by administrators, and everything follows it."""

import pytest
import time_machine

from tests.api.bundle import accepted, item

NOTICE = {
    "number": "国办发明电〔2026〕9号",
    "title": "2027年放假安排",
    "issued_by": "国务院办公厅",
    "date": "2026-11-20",
    "url": "https://www.gov.cn/",
}
NEW_YEAR = {"date": "2027-01-01", "weekday": "周五", "kind": "day_off", "holiday": "元旦"}
YEAR = {"year": 2027, "sources": [NOTICE], "days": [NEW_YEAR]}


def test_get__published_years(clerk):
    answer = clerk.get("/calendar").json
    years = answer["data"]

    assert answer["missing"] is None
    assert [year["year"] for year in years] == [2024, 2025, 2026]
    assert {"date": "2026-02-14", "weekday": "周六", "kind": "make_up_day", "holiday": "春节"} in years[-1]["days"]


def test_get__a_year_is_missing(clerk):
    with time_machine.travel("2026-11-27T09:00:00+08:00"):
        assert clerk.get("/calendar").json["missing"] == 2027


def test_publish__dates_are_no_longer_provisional(admin, clerk, tick):
    with time_machine.travel("2026-12-28T09:00:00+08:00"):
        case = accepted(clerk)
        food = item(case, "food_permit")["number"]
        before = item(case, "food_permit")["promised_due"]

        published = admin.post("/calendar", YEAR | {"days": [NEW_YEAR, NEW_YEAR | {"date": "2027-01-04", "weekday": "周一"}]})
        [begun] = admin.get("/calendar/recomputations").json["data"]
        tick()
        [ended] = admin.get("/calendar/recomputations").json["data"]

        after = clerk.get(f"/items/{food}").json["promised_due"]
        timers = clerk.get(f"/cases/{case['number']}").json["due"]
    assert published.status_code == 201
    assert (before["provisional"], after["provisional"]) == (True, False)
    assert after["date"] > before["date"]
    assert not timers["provisional"]
    assert (begun["requested_by"], begun["ended_at"], begun["cases"], begun["ahead"]) == ("admin", None, 0, 1)
    assert (ended["ended_at"] is not None, ended["cases"], ended["ahead"], ended["late"]) == (True, 1, 0, [])
    assert ended["report"]["moved"] == sum(count for name, count in ended["report"].items() if name.startswith("by "))
    assert ended["report"]["by +1 days"] > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"year": 1999},
        {"year": 2030},
        {"sources": []},
        {"days": [NEW_YEAR | {"weekday": "周六"}]},
        {"days": [NEW_YEAR | {"date": "2026-01-01"}]},
        {"days": [NEW_YEAR | {"kind": "holiday"}]},
        {"days": [NEW_YEAR | {"date": "1 January"}]},
        {"days": [NEW_YEAR, NEW_YEAR]},
        {"extra": 1},
    ],
)
def test_publish__unacceptable(admin, changes):
    assert admin.post("/calendar", YEAR | changes).status_code == 422
    assert len(admin.get("/calendar").json["data"]) == 3


def test_publish__by_a_clerk(clerk):
    assert clerk.post("/calendar", YEAR).status_code == 403
    assert clerk.get("/calendar/recomputations").status_code == 403
