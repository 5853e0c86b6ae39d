"""The reform's own indicators, counted from what happened."""

import pytest
import time_machine
from sqlalchemy import select, update

from engine import archives, deployments, durations, folders, moments
from engine.case_models import Case
from engine.models import Outbox
from tests.acceptance import plans
from tests.api.bundle import MATERIALS, accepted, complete, item, submit
from tests.api.test_tables import read
from tests.stage import DESIGNER, WORKFLOWS

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
        "办件": "3",
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
        "已决定事项": "4",
        "办理工作日合计": "0",
        "平均办理工作日": "0.0",
        "最长办理工作日": "0",
        "超期办结事项": "0",
        "评价 5 分": "0",
        "评价 4 分": "1",
        "评价 3 分": "0",
        "评价 2 分": "0",
        "评价 1 分": "0",
    }


@pytest.mark.parametrize("some", [1, 1000])
def test_metrics__of_how_long_it_took(clerk, supervisor, market, fire, call, monkeypatch, some):
    """In working days, as the clock of each item counts: without the day of acceptance, and without pauses; what is not decided is left out.

    The business licence, which a table decides on the spot, counts in both cases, with no day.
    """
    monkeypatch.setattr(durations, "SOME", some)
    case = accepted(clerk)
    accepted(clerk)
    food = item(case, "food_permit")["number"]
    with time_machine.travel("2026-03-04T09:00:00+08:00"):
        assert market.post(f"/items/{food}/pause", {"kind": "hearing", "reason": "听证", "days": 5}).status_code == 200
    with time_machine.travel("2026-03-09T09:00:00+08:00"):
        assert market.post(f"/items/{food}/resume", {}).status_code == 200
    with time_machine.travel("2026-03-11T09:00:00+08:00"):
        complete(market, case, "食品经营许可审批", outcome="granted")
    assert restaurant(supervisor)["durations"] == [{"department": "market", "decided": 3, "days": 3, "longest": 3, "late": 0}]
    with time_machine.travel("2026-03-18T09:00:00+08:00"):
        complete(fire, case, "现场检查", inspectors="刘洋、何静", findings="合格")
        complete(fire, case, "消防检查决定", outcome="granted")

    found = restaurant(supervisor)

    assert found["durations"] == [
        {"department": "fire", "decided": 1, "days": 12, "longest": 12, "late": 1},
        {"department": "market", "decided": 3, "days": 3, "longest": 3, "late": 0},
    ]
    (row,) = (row for row in read(supervisor, f"{MARCH}&format=csv") if row["一件事"] == "开办餐饮店")
    told = ("已决定事项", "办理工作日合计", "平均办理工作日", "最长办理工作日", "超期办结事项")
    assert [row[name] for name in told] == ["4", "15", "3.8", "12", "1"]
    (row,) = (row for row in read(supervisor, "/metrics?since=2026-02-01&until=2026-02-02&format=csv") if row["一件事"] == "开办餐饮店")
    assert [row[name] for name in told] == ["0", "0", "", "0", "0"]


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
    assert (row["办件"], row["已归档（其余各栏不含）"]) == ("1", "1")


def test_metrics__of_what_has_ended_and_is_archived(clerk, supervisor, admin, call, app):
    """By the day on which it ended, the first and the last included, whenever it was submitted; nobody is told of another hall's."""
    put_away(app, clerk, "2026-04-01T00:00:00+08:00", received="2026-03-31")
    put_away(app, clerk, "2026-04-30T23:59:00+08:00", received="2026-04-30")
    put_away(app, call("clerk-yuelu"), "2026-04-30T12:00:00+08:00", received="2026-04-30")
    april = "/metrics?since=2026-04-01&until=2026-04-30&by=ended"

    found = restaurant(supervisor, april)

    assert (found["submitted"], found["archived"]) == (0, 2)
    assert restaurant(admin, april)["archived"] == 3
    assert [restaurant(supervisor, f"{each}&by=ended")["archived"] for each in (MARCH, "/metrics?since=2026-04-02&until=2026-04-29")] == [
        0,
        0,
    ]
    assert restaurant(supervisor, "/metrics?since=2026-04-02&until=2026-05-01&by=ended")["archived"] == 1
    (row,) = (row for row in read(supervisor, f"{april}&format=csv") if row["一件事"] == "开办餐饮店")
    assert (row["办件"], row["已归档（其余各栏不含）"]) == ("0", "2")


@pytest.mark.parametrize("who", ["supervisor", "admin"])
def test_metrics__of_the_archive_by_its_index(app, call, who):
    """A month of an archive that grows for ever is counted by what the index holds of that month."""
    with plans.recorded(app.extensions["database"]) as statements:
        call(who).get(f"{MARCH}&by=ended")
    [(statement, parameters)] = [each for each in statements.items() if "FROM archived_cases" in each[0]]

    with app.extensions["database"].bind.connect() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")  # of so few rows
            explain = "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "ix_archived_cases_ended" in plan
    assert "ended_at" in plan.partition("ix_archived_cases_ended")[2]


def put_away(app, window, day="2026-03-02T10:00:00+08:00", received="2026-03-02"):
    """Have a case that was refused on a day, and is in the archive."""
    refused = refused_on(window, day, received)
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


def refused_on(clerk, day, received):
    with time_machine.travel(f"{received}T09:00:00+08:00"):
        case = submit(clerk)
    with time_machine.travel(day):
        complete(clerk, case, "一窗受理", outcome="refuse", refusal_kind="not_required", reason="依法不需要")
    return case


def test_metrics__by_the_day_on_which_it_ended(clerk, supervisor):
    """What was finished in a month may have been submitted before, and what is under way has not ended in any."""
    refused_on(clerk, "2026-04-01T00:00:00+08:00", received="2026-03-31")
    refused_on(clerk, "2026-04-30T23:59:00+08:00", received="2026-04-30")
    submit(clerk)
    april = "/metrics?since=2026-04-01&until=2026-04-30"

    assert (restaurant(supervisor)["submitted"], restaurant(supervisor, april)["submitted"]) == (2, 1)
    found = restaurant(supervisor, f"{april}&by=ended")
    assert (found["submitted"], found["ended"], found["outcomes"], found["sent_away"]) == (2, 2, {"none_granted": 2}, 6)
    assert restaurant(supervisor, "/metrics?since=2026-04-02&until=2026-04-30&by=ended")["submitted"] == 1
    assert restaurant(supervisor, "/metrics?since=2026-04-01&until=2026-04-29&by=ended")["submitted"] == 1
    assert restaurant(supervisor, f"{MARCH}&by=ended")["submitted"] == 0
    assert supervisor.get(f"{april}&by=ended").json["by"] == "ended"
    (row,) = (row for row in read(supervisor, f"{april}&by=ended&format=csv") if row["一件事"] == "开办餐饮店")
    assert (row["办件"], row["办结"], row["未办成"]) == ("2", "2", "2")
    assert supervisor.get(f"{april}&by=accepted").status_code == 422


def test_metrics__of_what_ended_on_an_earlier_version(app, clerk, supervisor):
    """A case stays on the version on which it began."""
    refused = submit(clerk)
    complete(clerk, refused, "一窗受理", outcome="refuse", refusal_kind="not_required", reason="依法不需要")
    (folder,) = folders.read([WORKFLOWS / "open-restaurant"])
    drawn = folder.resources["open-restaurant.bpmn"].replace(b"</bpmn:definitions>", b"<!-- later --></bpmn:definitions>")
    with app.extensions["database"].transaction() as session:
        deployments.deploy(session, "later", {**folder.resources, "open-restaurant.bpmn": drawn}, actor=DESIGNER)
    submit(clerk)

    assert restaurant(supervisor, f"{MARCH}&by=ended")["submitted"] == 1
