"""The archive over HTTP: an archived case is shown as it was, is found, and takes no command."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import select, text

from engine import archives
from engine.case_models import Case
from tests.api.bundle import APPLICANT, accepted, complete, item, submit


@pytest.fixture
def store(sqlite):
    """One kind of database is enough here: `tests/engine/test_archives.py` goes through both."""
    return sqlite


@pytest.fixture
def case(clerk, app):
    """A case that was withdrawn years ago, and what was shown of it then."""
    return archived(app, clerk, clerk, submit(clerk))


def archived(app, clerk, reader, case):
    """Withdraw a case, and archive it years later; what a reader was shown of it before."""
    assert clerk.post(f"/cases/{case['number']}/withdraw", {"reason": "不办了"}).status_code == 200
    database = app.extensions["database"]
    with database.transaction() as session:
        session.execute(text("UPDATE outbox SET sent_at = created_at"))
    before = reader.get(f"/cases/{case['number']}").json
    with time_machine.travel("2033-03-02T09:00:00+08:00"):
        assert archives.sweep(database) == 1
    return before


def test_case__is_shown_to_a_department_as_before(app, clerk, market):
    """What its items were handled by, too."""
    before = archived(app, clerk, market, submit(clerk))

    shown = market.get(f"/cases/{before['number']}").json

    assert before["answers"]
    assert shown | {"archived_at": None} == before


def test_case__of_an_item_alone(app, clerk, call):
    """Whose answers are whose stands in the tables of another matter, which no archived case has: its department is told none any more."""
    urban = call("officer-urban")
    before = archived(app, clerk, urban, submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"]))

    shown = urban.get(f"/cases/{before['number']}").json

    assert before["answers"] == {"q_signboard": "否"}
    assert shown | {"archived_at": None} == before | {"answers": {}}


def test_case__is_shown_as_before(clerk, fire, case):
    shown = clerk.get(f"/cases/{case['number']}").json

    assert shown.pop("archived_at").startswith("2033-03-02")
    assert case.pop("archived_at") is None
    assert shown == case
    assert next(entry["what"] for entry in clerk.get(f"/cases/{case['number']}/journal").json["data"]) == "case submitted"
    assert clerk.get(f"/cases/{case['number']}/diagram").status_code == 200
    assert len(clerk.get(f"/cases/{case['number']}/materials").json["data"]) == len(case["materials"])
    assert "已归档" in clerk.page(f"/?case={case['number']}").text


def test_case__takes_no_command(clerk, case):
    answer = clerk.post(f"/cases/{case['number']}/withdraw", {"reason": "不办了"})

    assert answer.status_code == 409
    assert answer.json["detail"] == f"Expected case {case['number']} to go on, but it is archived: it can only be read"


def test_item__is_shown_and_takes_no_command(market, call, case):
    """A department that comes back to it years later is told what became of it; whose item it is not, nothing."""
    number, more = item(case, "food_permit")["number"], {"days": 5, "approver": "organ_head", "reason": "案情复杂"}

    shown, told = market.get(f"/items/{number}"), market.post(f"/items/{number}/extend", more)

    assert (shown.status_code, shown.json["status"]) == (200, "withdrawn")
    assert told.status_code == 409
    assert told.json["detail"] == f"Expected case {case['number']} to go on, but it is archived: it can only be read"
    urban = call("officer-urban")
    assert (urban.get(f"/items/{number}").status_code, urban.post(f"/items/{number}/extend", more).status_code) == (404, 404)
    assert market.get(f"/items/{case['number']}-99").status_code == 404


def test_item__is_revoked_years_later(app, clerk, market, fire, call):
    """If it still is as it was seen; the case is shown as one that goes on, until it is archived again."""
    case = accepted(clerk)
    complete(market, case, "食品经营许可审批", outcome="granted")
    number, reason = item(case, "food_permit")["number"], {"reason": "以欺骗手段取得"}
    complete(fire, case, "现场检查", inspectors="刘洋、何静", findings="合格")
    complete(fire, case, "消防检查决定", outcome="granted")
    complete(clerk, case, "统一出件", mode="unified", delivery="window")
    clerk.post(f"/cases/{case['number']}/rate", {"score": 4})
    put_away(app, case)
    seen = market.get(f"/items/{number}")

    for who, status in ((clerk, 403), (fire, 404), (call("officer-urban"), 404)):
        assert who.post(f"/items/{number}/revoke", reason).status_code == status
    assert market.post(f"/items/{number}/revoke", reason, headers={"If-Match": '"x"'}).status_code == 412
    assert clerk.get(f"/cases/{case['number']}").json["archived_at"] is not None
    revoked = market.post(f"/items/{number}/revoke", reason, headers={"If-Match": seen.headers["ETag"]})

    assert (revoked.status_code, revoked.json["status"]) == (200, "revoked")
    shown = clerk.get(f"/cases/{case['number']}").json
    assert (shown["archived_at"], [each["title"] for each in shown["notices"]][-1]) == (None, "撤销行政许可决定书")
    assert "从档案调回" in clerk.page(f"/?case={case['number']}").text
    assert market.post(f"/items/{number}/revoke", reason).status_code == 409


def put_away(app, case):
    database = app.extensions["database"]
    with database.transaction() as session:
        session.execute(text("UPDATE outbox SET sent_at = created_at"))
        case_id = session.scalars(select(Case.id).where(Case.number == case["number"])).one()
    assert archives.put_away(database, case_id)


def test_cases__of_the_archive(clerk, nobody, case):
    other = submit(clerk)

    hot, old = clerk.get("/cases").json["data"], clerk.get(f"/cases?archived=true&applicant_number={APPLICANT['id_number']}").json["data"]

    assert [each["number"] for each in hot] == [other["number"]]
    assert [(each["number"], each["outcome"]) for each in old] == [(case["number"], case["outcome"])]
    assert old[0]["archived_at"].startswith("2033-03-02")
    assert clerk.get("/cases?archived=true&matter=newborn").json["data"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [("open=true", "open"), ("open=false", "open"), ("light=red", "light"), ("since=2026-03-01", "since"), ("until=2026-03-01", "until")],
)
def test_cases__of_the_archive_that_are_open_or_have_a_light(clerk, case, asked, field):
    """None has a light any more, and none is open: who asks for that is told, and not given all."""
    answer = clerk.get(f"/cases?archived=true&{asked}")

    assert (answer.status_code, [each["field"] for each in answer.json["errors"]]) == (422, [field])
    assert clerk.get("/cases?archived=false&open=true&light=red").status_code == 200
