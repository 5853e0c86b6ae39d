"""Daybooks: what somebody did on a day, for himself and for whoever supervises."""

import pytest

from tests.acceptance import plans
from tests.api.bundle import complete, submit
from tests.api.test_tables import read

DAY = "since=2026-03-02&until=2026-03-02"


def listed(caller, query=DAY):
    answer = caller.get(f"/journal?limit=200&{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def test_list__ones_own_day(clerk, fire, running):
    """In one list, whatever the case, the newest first; each line names its case and item."""
    other = submit(clerk)
    complete(fire, running, "现场检查", inspectors="刘洋、何静", findings="合格")

    did, fires = listed(clerk), listed(fire)

    assert {line["actor"] for line in did} == {"clerk"}
    assert [line["at"] for line in did] == sorted((line["at"] for line in did), reverse=True)
    assert (did[0]["what"], did[0]["case"], did[0]["item"], did[0]["hall"]) == ("case submitted", other["number"], None, "changsha")
    assert [line["task"] for line in did if line["what"] == "task completed"] == ["一窗受理"]
    [item] = [item for item in running["items"] if item["department"] == "fire"]
    assert {(line["case"], line["item"], line["name"]) for line in fires} == {(running["number"], item["number"], item["name"])}
    assert "现场检查" in {line["task"] for line in fires}


def test_list__another_day(clerk, running):
    assert running
    assert (listed(clerk, "since=2026-03-03"), listed(clerk, "until=2026-03-01")) == ([], [])
    assert listed(clerk, "") == listed(clerk)


def test_list__page_by_page(clerk, running):
    """Also where several lines are of one moment: what follows the last one of a page comes next."""
    assert running
    whole, found, cursor = listed(clerk), [], ""
    while cursor is not None:
        page = clerk.get(f"/journal?limit=1&{DAY}{cursor and '&cursor='}{cursor}").json
        found, cursor = [*found, *page["data"]], page["next"]

    assert found == whole
    assert len(whole) > 1


def test_list__of_somebody_else(call, admin, supervisor, clerk, fire, running):
    """In the halls that one supervises."""
    complete(fire, running, "现场检查", inspectors="刘洋、何静", findings="合格")
    of_fire = f"{DAY}&actor=officer-fire"

    assert listed(supervisor, of_fire) == listed(admin, of_fire) == listed(fire)
    assert admin.post("/accounts", {"name": "elsewhere", "password": "something long"}).status_code == 201
    assert admin.post("/accounts/elsewhere/grants", {"role": "supervisor", "hall": "yuelu"}).status_code == 200
    key = admin.post("/accounts/elsewhere/keys", {"label": "x"}).json["key"]
    elsewhere = call()
    elsewhere.headers = {"Authorization": f"Bearer {key}"}
    assert listed(elsewhere, of_fire) == []
    for stranger in (clerk, call("officer-market")):
        assert stranger.get(f"/journal?{of_fire}").status_code == 403


@pytest.mark.parametrize("query", ["actor=engine", "since=2026-03-03&until=2026-03-02", "cursor=x"])
def test_list__refused(supervisor, query):
    assert supervisor.get(f"/journal?{query}").status_code == 422


def test_list__as_a_file(clerk, running):
    rows = read(clerk, f"/journal?{DAY}&format=csv")

    assert [row["任务"] for row in rows if row["行为"] == "办理"] == ["一窗受理"]
    assert {(row["经办人"], row["一件事"], row["大厅"]) for row in rows} == {("clerk", "开办餐饮店", "长沙市政务服务中心")}
    assert {row["办件编号"].strip() for row in rows} == {running["number"]}


@pytest.mark.usefixtures("running")
def test_list__by_the_index(app, clerk):
    """A look at a day is one at what that person did, not at what all did."""
    with plans.recorded(app.extensions["database"]) as statements:
        listed(clerk)
    [(statement, parameters)] = [each for each in statements.items() if "FROM journal" in each[0]]

    with app.extensions["database"].bind.connect() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")  # of so few rows
            explain = "EXPLAIN"
        plan = str(connection.exec_driver_sql(f"{explain} {statement}", parameters).all())
    assert "ix_journal_actor" in plan
