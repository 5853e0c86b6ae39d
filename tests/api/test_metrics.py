"""The reform's own indicators, counted from what happened."""

import pytest
import time_machine
from sqlalchemy import select, update

from engine import archives, moments
from engine.case_models import Case
from engine.models import Outbox
from tests.api.bundle import MATERIALS, accepted, complete, item, submit
from tests.api.test_tables import read

MARCH = "/metrics?since=2026-03-01&until=2026-03-31"


def restaurant(caller, path=MARCH):
    return next(found for found in caller.get(path).json["data"] if found["matter"] == "open_restaurant")


def test_metrics__of_nothing(supervisor):
    found = restaurant(supervisor)

    assert (found["submitted"], found["items"], found["outcomes"], found["ratings"]) == (0, 0, {}, {})


def test_metrics__of_bundles(clerk, supervisor, market, fire):
    done = accepted(clerk)
    complete(market, done, "食品经营许可审批", outcome="granted")
    complete(fire, done, "现场检查", inspectors="刘洋、何静", findings="合格")
    complete(fire, done, "消防检查决定", outcome="granted")
    complete(clerk, done, "统一出件", mode="unified", delivery="window")
    clerk.post(f"/cases/{done['number']}/rate", {"score": 4})
    lacking = submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])
    complete(clerk, lacking, "一窗受理", outcome="tolerate", commitment_signed=True)
    refused = submit(clerk)
    complete(clerk, refused, "一窗受理", outcome="refuse", refusal_kind="not_required", reason="依法不需要")

    found = restaurant(supervisor)

    assert (found["submitted"], found["ended"], found["items"]) == (3, 2, 9)
    assert found["outcomes"] == {"all_granted": 1, "open": 1, "none_granted": 1}
    assert found["joint"] == {"3": 3}
    assert (found["incomplete"], found["sent_away"], found["adopted"], found["alone"]) == (1, 3, 0, 0)
    assert found["ratings"] == {"4": 1}
    (row,) = (row for row in read(supervisor, f"{MARCH}&format=csv") if row["一件事"] == "开办餐饮店")
    assert row == {
        "一件事": "开办餐饮店",
        "申报": "3",
        "已归档（其余各栏不含）": "0",
        "办结": "2",
        "办理中": "1",
        "全部办成": "1",
        "部分办成": "0",
        "未办成": "1",
        "已撤回": "0",
        "事项": "9",
        "接续事项": "0",
        "不予受理和退件事项": "3",
        "超期事项": "0",
        "未一次备齐": "1",
        "单独申报的同类事项": "0",
        "评价 5 分": "0",
        "评价 4 分": "1",
        "评价 3 分": "0",
        "评价 2 分": "0",
        "评价 1 分": "0",
    }


def test_metrics__of_items_alone_and_adopted(clerk, supervisor):
    alone = [submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"]) for _ in range(2)]
    complete(clerk, alone[0], "一窗受理", outcome="accept")
    case = accepted(clerk)

    clerk.post(f"/cases/{case['number']}/adopt", {"item_no": item(alone[0], "signboard")["number"]})

    found = restaurant(supervisor)
    assert (found["submitted"], found["adopted"], found["joint"], found["alone"]) == (1, 1, {"4": 1}, 1)


def test_metrics__of_a_broken_promise(clerk, supervisor, tick):
    accepted(clerk)

    with time_machine.travel("2026-03-17T09:00:00+08:00"):
        tick()

    assert restaurant(supervisor)["overdue"] == 2


def test_metrics__of_what_is_archived(clerk, supervisor, admin, call, app):
    """Who reports on the month is told how many cases his figures lack, and of which matter; none of another day or another hall."""
    submit(clerk)
    for window in (clerk, call("clerk-yuelu")):
        put_away(app, window)

    found = restaurant(supervisor)

    assert (found["submitted"], found["archived"], found["ended"]) == (1, 1, 0)
    assert restaurant(admin)["archived"] == 2
    assert restaurant(supervisor, "/metrics?since=2026-03-02&until=2026-03-02")["archived"] == 1
    for path in ("/metrics?since=2026-03-03&until=2026-03-31", "/metrics?since=2026-02-01&until=2026-03-01"):
        assert restaurant(supervisor, path)["archived"] == 0
    (row,) = (row for row in read(supervisor, f"{MARCH}&format=csv") if row["一件事"] == "开办餐饮店")
    assert (row["申报"], row["已归档（其余各栏不含）"]) == ("1", "1")


def put_away(app, window):
    """Have a case that was refused, and is in the archive."""
    refused = submit(window)
    complete(window, refused, "一窗受理", outcome="refuse", refusal_kind="not_required", reason="依法不需要")
    db = app.extensions["database"]
    with db.transaction() as session:
        session.execute(update(Outbox).values(sent_at=moments.now()))  # whoever carries messages has done so
        case_id = session.scalars(select(Case.id).where(Case.number == refused["number"])).one()
    assert archives.put_away(db, case_id)


def test_metrics__of_another_period_and_another_hall(clerk, admin, call):
    submit(clerk)

    assert restaurant(admin)["submitted"] == 1
    assert restaurant(admin, "/metrics?since=2026-03-02&until=2026-03-02")["submitted"] == 1
    assert restaurant(admin, "/metrics?since=2026-03-03&until=2026-03-31")["submitted"] == 0
    assert call("clerk-yuelu").get(MARCH).status_code == clerk.get(MARCH).status_code == 403


@pytest.mark.parametrize(
    "query", ["", "?since=2026-03-01", "?since=2026-03-02&until=2026-03-01", "?since=x&until=y", "?since=2026-13-01&until=2026-13-02"]
)
def test_metrics__no_period(supervisor, query):
    assert supervisor.get(f"/metrics{query}").status_code == 422
