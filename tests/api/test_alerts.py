"""Alerts across cases: whoever supervises sees what is late in which hall, and by whom, without opening case after case."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from engine.columns import first_id, new_id
from engine.moments import now
from tests.api.bundle import submit
from tests.engine.test_recomputing import corrected


def listed(caller, query=""):
    answer = caller.get(f"/alerts?limit=200{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def test_list__what_is_late_in_a_hall_and_with_whom(admin, late):
    found = listed(admin, "&hall=yuelu&kind=overdue")

    assert {alert["case"] for alert in found} == {late[1]["number"]}
    assert {(alert["department"], alert["name"], alert["light"]) for alert in found} == {
        ("market", "食品经营许可（新办）", "red"),
        ("fire", "公众聚集场所投入使用、营业前消防安全检查（一般程序）", "red"),
    }
    assert {alert["item"] for alert in found} < {each["number"] for each in late[1]["items"]}
    assert {alert["hall"] for alert in listed(admin)} == {"changsha", "yuelu"}


def test_list__filters(admin, late):
    def count(query):
        return len(listed(admin, f"&{query}"))

    whole = len(listed(admin))
    assert count("department=market") + count("department=fire") + count("department=urban") == whole
    assert count("matter=open_restaurant") == whole
    assert count("matter=newborn") == count("department=health") == count("kind=breach") == 0
    assert count("since=2026-03-17") == count("since=2026-03-17&until=2026-03-17") == count("until=2026-03-17") == whole
    assert count("since=2026-03-18") == count("until=2026-03-16") == 0
    assert count("since=0001-01-02&until=9999-12-30") == whole


def test_list__taken_back(admin, supervisor, late, tick):
    """By a corrected calendar none of them is late: the list, the case, the figures and the file of a meeting say so."""
    told = [alert["message"] for alert in listed(admin, "&kind=overdue")]
    assert admin.post("/calendar", corrected(*range(3, 14))).status_code == 201
    tick()

    found = listed(admin, "&kind=retracted")
    assert [alert["message"] for alert in found] == [f"{message}（工作日历更正后未超期，预警作废）" for message in told]
    assert ({alert["light"] for alert in found}, listed(admin, "&kind=overdue")) == ({"green"}, [])
    shown = admin.get(f"/cases/{late[0]['number']}").json["alerts"]
    assert [alert["light"] for alert in shown if alert["kind"] == "retracted"] == ["green", "green"]
    assert {matter["overdue"] for matter in supervisor.get("/metrics?since=2026-03-01&until=2026-03-31").json["data"]} == {0}
    file = admin.get("/alerts?kind=retracted&format=csv").data.decode("utf-8-sig")
    assert file.count(",预警作废,绿灯,") == len(told) == 4


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("supervisor", {("changsha", "market"), ("changsha", "fire")}),
        ("clerk-yuelu", {("yuelu", "market"), ("yuelu", "fire")}),
        ("officer-fire", {("changsha", "fire"), ("yuelu", "fire")}),
        ("officer-health", set()),
        ("worker", {("changsha", "market"), ("changsha", "fire"), ("yuelu", "market"), ("yuelu", "fire")}),
        ("designer", set()),
    ],
)
def test_list__for_whom(call, late, name, sees):
    """As the case itself shows them."""
    assert {(alert["hall"], alert["department"]) for alert in listed(call(name))} == sees


def test_list__what_is_about_the_bundle_as_a_whole_is_no_department_s(call, clerk, market, tick):
    """Nobody answers at the window: it counts as accepted."""
    case = submit(clerk)
    with time_machine.travel("2026-03-10T09:00:00+08:00"):
        tick()

        (told,) = listed(clerk)
        assert (told["kind"], told["item"], told["name"], told["case"]) == ("deemed_acceptance", None, None, case["number"])
        assert listed(market) == []


@pytest.mark.parametrize("size", [1, 3])
def test_list__in_pages(admin, late, size):
    """The newest first, each once."""
    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/alerts?limit={size}{cursor and '&cursor=' + cursor}").json
        seen += page["data"]
        cursor = page["next"]

    assert seen == listed(admin)
    assert [alert["raised_at"] for alert in seen] == sorted((alert["raised_at"] for alert in seen), reverse=True)


def test_list__of_a_period_that_ends_before_it_begins(admin):
    answer = admin.get("/alerts?since=2026-03-02&until=2026-03-01")

    assert answer.status_code == 422
    assert answer.json["errors"] == [
        {"field": "until", "message": "Expected a period that ends on 2026-03-02 or later, but it ends on 2026-03-01"}
    ]


@pytest.mark.parametrize("year", [1, 1970, 9999])
def test_first_id__of_any_year(year):
    day = timedelta(days=1)

    assert first_id(datetime(year, 6, 1, tzinfo=UTC), day) <= first_id(datetime(year, 6, 1, tzinfo=UTC), 2 * day)
    assert first_id(now(), -day) < new_id() < first_id(now(), day)
