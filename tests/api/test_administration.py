"""Who has changed what, over HTTP: recorded with the change, in a chain, for those who look after administrators."""

import re
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakKeyDictionary

import pytest
import time_machine
from alembic import command
from sqlalchemy import delete, select, update

from engine import accounts, administration, schema, verification
from engine.account_models import Administered
from engine.actors import Actor, Role, RoleGrant
from engine.models import Counter
from engine.passwords import WELL_KNOWN
from engine.upgrades import migrating
from engine.verification.faults import FaultKind
from tests.hall import OPERATOR


def listed(caller, query=""):
    answer = caller.get(f"/administration?limit=200{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def faults(app):
    found = verification.verify(app.extensions["database"])
    return [fault.message for fault in found if fault.kind is FaultKind.ADMINISTRATION]


def test_list__who_granted_a_role_and_deleted_a_hall(app, admin):
    admin.post("/accounts", {"name": "li.lei", "password": "something long"})
    admin.post("/accounts/li.lei/grants", {"role": "officer", "department": "fire"})
    admin.post("/accounts/li.lei/grants/revoke", {"role": "officer", "department": "fire"})
    admin.put("/halls/kaifu", {"name": "开福区", "level": "county"})
    admin.delete("/halls/kaifu")

    entries = listed(admin)

    assert [(entry["seq"], entry["what"], entry["about"]) for entry in entries] == [
        (5, "hall deleted", {"hall": "kaifu", "name": "开福区"}),
        (4, "hall made", {"hall": "kaifu", "name": "开福区", "level": "county"}),
        (3, "role revoked", {"account": "li.lei", "role": "officer", "department": "fire"}),
        (2, "role granted", {"account": "li.lei", "role": "officer", "department": "fire"}),
        (1, "account made", {"account": "li.lei"}),
    ]
    assert {entry["actor"] for entry in entries} == {"admin"}
    assert {entry["at"][:10] for entry in entries} == {"2026-03-02"}
    assert "something long" not in str(entries)
    assert faults(app) == []


def test_list__what_was_refused_is_not_there(app, admin):
    admin.post("/accounts", {"name": "clerk"})
    admin.post("/accounts/admin/grants/revoke", {"role": "admin"})

    assert listed(admin) == []
    assert faults(app) == []


def test_list__pages_have_every_entry_once(admin):
    for number in range(5):
        admin.post("/accounts", {"name": f"a{number}"})

    seen, cursor = [], ""
    while cursor is not None:
        page = admin.get(f"/administration?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [entry["seq"] for entry in page["data"]]
        cursor = page["next"]

    assert seen == [5, 4, 3, 2, 1]


def test_list__filtered(admin, call):
    admin.post("/accounts/admin/grants", {"role": "supervisor"})
    call("clerk").post("/accounts/clerk/keys", {"label": "x"})
    with time_machine.travel("2026-03-04T00:30:00+08:00"):
        admin.post("/accounts", {"name": "a"})

    def seqs(query):
        return [entry["seq"] for entry in listed(admin, f"&{query}")]

    assert seqs("actor=admin") == [3, 1]
    assert seqs("actor=clerk&what=key%20issued") == [2]
    assert seqs("what=hall%20deleted") == seqs("actor=nobody") == []
    assert (seqs("since=2026-03-04"), seqs("until=2026-03-03"), seqs("since=2026-03-02&until=2026-03-02")) == ([3], [2, 1], [2, 1])
    assert [entry["seq"] for entry in admin.get("/administration?limit=1&actor=admin").json["data"]] == [3]
    assert admin.get("/administration?since=2026-03-04&until=2026-03-03").status_code == 422


def test_list__what_was_done_to_an_account(admin, call):
    """All of it, whoever did it; not what it did, and nothing of one whose name only looks like it."""
    for name in ("li.lei", "li_lei", "li.lei2"):
        admin.post("/accounts", {"name": name, "password": "something long"})
    admin.put("/halls/kaifu", {"name": '"account":"li.lei"', "level": "county"})
    key = call("clerk").post("/accounts/clerk/keys", {"label": "li.lei"}).json["id"]
    call("clerk").post(f"/accounts/clerk/keys/{key}/revoke")
    done = {
        "password set": admin.post("/accounts/li.lei/password", {"password": "something longer"}),
        "role granted": admin.post("/accounts/li.lei/grants", {"role": "officer", "department": "fire"}),
        "key issued": admin.post("/accounts/li.lei/keys", {"label": "x"}),
        "role revoked": admin.post("/accounts/li.lei/grants/revoke", {"role": "officer", "department": "fire"}),
        "account disabled": admin.post("/accounts/li.lei/disable"),
    }

    found = listed(admin, "&account=li.lei")

    assert {what: answer.status_code // 100 for what, answer in done.items()} == dict.fromkeys(done, 2)
    assert [entry["what"] for entry in reversed(found)] == ["account made", *done]
    assert {entry["about"]["account"] for entry in found} == {"li.lei"}
    assert [entry["what"] for entry in listed(admin, "&account=clerk&actor=clerk")] == ["key revoked", "key issued"]
    assert listed(admin, "&account=clerk&actor=admin") == []


def test_list__for_whom(admin, call):
    admin.post("/accounts/clerk-yuelu/grants", {"role": "supervisor"})

    assert [entry["what"] for entry in listed(call("clerk-yuelu"))] == ["role granted"]  # of all halls
    assert {call(name).get("/administration").status_code for name in ("supervisor", "clerk", "officer-fire", "worker", "designer")} == {
        403
    }


def test_tell__many_at_once(app, call):
    """The chain does not fork."""
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: call("admin").post("/accounts", {"name": f"a{number}"}), range(12)))

    assert {answer.status_code for answer in answers} == {201}
    assert [entry["seq"] for entry in listed(call("admin"))] == list(range(12, 0, -1))
    assert faults(app) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (update(Administered).where(Administered.seq == 2).values(actor="nobody"), "Expected entry 2 .* as it was written"),
        (update(Administered).where(Administered.seq == 1).values(about={"account": "b"}), "Expected entry 1 .* as it was written"),
        (delete(Administered).where(Administered.seq == 1), "Expected entry 1 of administration, but found 2"),
        (delete(Administered).where(Administered.seq == 3), "Expected 3 entries of administration, but found 2"),
        (delete(Counter).where(Counter.name == administration.COUNTER), "Expected 0 entries of administration, but found 3"),
    ],
)
def test_verify__somebody_has_written_past_the_engine(app, admin, damage, message):
    for name in "abc":
        admin.post("/accounts", {"name": name})
    with app.extensions["database"].transaction() as session:
        session.execute(damage)

    (told,) = faults(app)

    assert re.search(message, told)


def test_tell__before_there_is_a_place_for_it(database, monkeypatch):
    """The command is carried out; then as after an upgrade."""
    monkeypatch.setattr(schema, "_seen", WeakKeyDictionary())
    with migrating(database.bind) as config:
        command.downgrade(config, "0030")
    with database.transaction() as session:
        accounts.create(session, "first", actor=OPERATOR, password=None, passwords=WELL_KNOWN)
    with database.reading() as session:
        assert administration.listing(session, actor=Actor(name="root", grants=(RoleGrant(role=Role.ADMIN),))) == []
        assert administration.check(session) is None

    database.migrate()
    with database.transaction() as session:
        accounts.create(session, "second", actor=OPERATOR, password=None, passwords=WELL_KNOWN)

    with database.reading() as session:
        assert session.scalars(select(Administered.about)).all() == [{"account": "second"}]
        assert administration.check(session) is None
