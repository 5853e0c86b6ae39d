from __future__ import annotations

import pytest

from engine import cases, imports, scheduler, tasks
from engine.actors import ENGINE
from engine.case_models import Alert, Case, Result
from engine.errors import InvalidState
from engine.models import Job
from tests import interleaving, tiny
from tests.engine.test_adoptions import ISSUED, PLAN, SIGNED
from tests.engine.test_commitments import FOUND
from tests.engine.test_crowds import PROMISED

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
REVOKED = {"outcome": "revoke", "findings": "拒不整改"}
ITEMS = {"zeta": {"post_check": 20}, "beta": {"predecessors": "zeta:FS"}, "gamma": {}}


@pytest.fixture
def alone(stage, clerk, market):
    """An item that was granted on a promise, and handed out alone; others may build on it."""
    stage.deploy("tiny", **tiny.folder(ITEMS, processes={"zeta": PROMISED}))
    alone = clerk.take_in("zeta")
    market.complete(alone, "zeta审批", outcome="granted")
    clerk.complete(alone, "统一出件", **ISSUED)
    market.complete(alone, "事后核查", **FOUND)
    return alone


def importing(stage, clerk, alone, *codes):
    """A bundle that has the result, and works on these items."""
    bundle = clerk.submit("tiny", items=codes, adopt=[stage.item(alone, "zeta").number])
    clerk.complete(bundle, "接续受理", outcome="accept")
    assert stage.item(bundle, "zeta").status == "imported"
    return bundle


def alerts(stage, case):
    return {(alert.light, alert.item_id) for alert in stage.all(Alert, case, kind="breach")}


def told(stage, case):
    return [entry.details["status"] for entry in stage.journal(case) if entry.what == "imported result lost"]


def test_lose__who_has_imported_it_is_told(stage, clerk, market, alone):
    """What builds on it is to be looked at, and goes on; the history of the bundle says why."""
    bundle = importing(stage, clerk, alone, "beta", "gamma")
    assert stage.statuses(bundle) == {"beta": "in_review", "gamma": "in_review", "zeta": "imported"}

    market.complete(alone, "限期整改", **REVOKED)

    found = stage.items(bundle)
    assert stage.statuses(bundle) == {"beta": "in_review", "gamma": "in_review", "zeta": "revoked"}
    assert stage.item(alone, "zeta").number in found["zeta"].reason["reason"]
    assert alerts(stage, bundle) == {("red", found["zeta"].id), ("yellow", found["beta"].id)}
    assert (told(stage, bundle), stage.jobs(alone), stage.jobs(bundle)) == (["revoked"], [], [])


def test_lose__what_has_not_begun_is_blocked(stage, clerk, market, alone):
    """It would have been begun on a result that is void; the rest goes out."""
    stage.deploy("tiny", **tiny.folder(ITEMS | {"beta": {"predecessors": "zeta:FS gamma:FS"}}, processes={"zeta": PROMISED}))
    bundle = importing(stage, clerk, alone, "beta", "gamma")
    assert stage.item(bundle, "beta").status == "waiting"

    market.complete(alone, "限期整改", **REVOKED)
    market.complete(bundle, "gamma审批", outcome="granted")
    clerk.complete(bundle, "统一出件", **ISSUED)

    assert stage.statuses(bundle) == {"beta": "blocked", "gamma": "issued", "zeta": "revoked"}
    assert [result.name for result in stage.all(Result, bundle)] == ["gamma 证"]
    assert stage.case(bundle).ended_at is not None


def test_lose__who_has_it_from_who_has_it(stage, clerk, market, alone):
    """A bundle that has ended is told, too, and whoever has the result from there."""
    first = importing(stage, clerk, alone, "gamma")
    market.complete(first, "gamma审批", outcome="granted")
    clerk.complete(first, "统一出件", **ISSUED)
    clerk.complete(first, "好差评", score=5)
    second = importing(stage, clerk, first, "beta")

    market.complete(alone, "限期整改", **REVOKED)

    assert [stage.item(case, "zeta").status for case in (first, second)] == ["revoked", "revoked"]
    assert (told(stage, first), told(stage, second)) == (["revoked"], ["revoked"])


def test_lose__twice(stage, clerk, market, alone):
    """Who did it died before the job was struck out."""
    bundle = importing(stage, clerk, alone, "gamma")
    market.complete(alone, "限期整改", **REVOKED)
    item = stage.item(bundle, "zeta")

    with stage.database.transaction() as session:
        imports.lose(session, Job(payload={"item": str(item.id), "status": "revoked"}), actor=ENGINE)

    assert (told(stage, bundle), len(stage.all(Alert, bundle))) == (["revoked"], 1)


def test_reapply__what_was_lost(stage, clerk, market, alone):
    """It is applied for again in the bundle, which no longer has it, or where it was revoked."""
    bundle = importing(stage, clerk, alone, "gamma")
    market.complete(alone, "限期整改", **REVOKED)

    again = clerk.handle("reapply", stage.item(alone, "zeta"))
    clerk.handle("reapply", stage.item(bundle, "zeta"))

    assert (stage.statuses(again), stage.item(bundle, "zeta").status) == ({"zeta": "submitted"}, "submitted")


def test_give_up__granted_alone_and_imported(stage, clerk, market):
    """What was promised stays owed where the item is; when it does not come, nobody has the result any more."""
    files = tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}, materials=[PLAN])
    stage.deploy("tiny", **files)
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", **SIGNED)
    market.complete(alone, "alpha审批", outcome="granted")
    bundle = clerk.submit("tiny", items=["beta"], adopt=[stage.item(alone, "alpha").number])
    clerk.complete(bundle, "接续受理", outcome="accept")
    assert stage.statuses(bundle) == {"alpha": "imported", "beta": "in_review"}

    stage.travel(2026, 3, 10)
    stage.travel(2026, 3, 31)

    assert (stage.statuses(alone), stage.statuses(bundle)) == ({"alpha": "returned"}, {"alpha": "returned", "beta": "in_review"})
    assert told(stage, bundle) == ["returned"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("first", ["revoked", "imported"])
def test_lose__it_is_imported_in_that_moment(stage, clerk, market, alone, first):
    """Whoever comes second finds what the first has done: the result is void, or somebody is to be told of it."""
    bundle = clerk.submit("tiny", items=["gamma"])
    stage.checking = False
    number, task = stage.item(alone, "zeta").number, stage.task(alone, "限期整改")

    def revoke(session):
        tasks.complete(session, task.id, actor=market.actor, data=REVOKED)

    def adopt(session):
        cases.adopt(session, session.get_one(Case, bundle.id), number, actor=clerk.actor)

    def within(verb):
        with stage.database.transaction() as session:
            verb(session)

    if first == "revoked":
        with pytest.raises(InvalidState, match="but it is revoked"), interleaving.waited_for(stage.database, revoke, lambda: within(adopt)):
            pass
        assert "zeta" not in stage.statuses(bundle)
    else:
        with interleaving.waited_for(stage.database, adopt, lambda: within(revoke)):
            pass
        scheduler.drain(stage.database)
        assert stage.statuses(bundle)["zeta"] == "revoked"
