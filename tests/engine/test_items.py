from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from api import particulars
from engine import archives, items, notices
from engine.case_models import Item, Material, Notice
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.models import Outbox
from engine.states import DeliveryStatus
from tests import tiny
from tests.engine.test_crowds import PROMISED

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
PLAN = {"material": "plan", "used_by": "alpha"}
DENIED = {"outcome": "denied", "reason_code": "conditions", "reason": "不符合条件"}


def in_review(stage):
    """Two items in review."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    stage.person("clerk").take_in("tiny", materials=["plan"])


@pytest.fixture
def case(begun):
    [case] = begun(in_review)
    return case


# Withdrawing ------------------------------------------------------------------------------------------------------------------------------


def test_withdraw__one_in_review(stage, clerk, market, case):
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    assert stage.statuses(case) == {"alpha": "withdrawn", "beta": "in_review"}
    assert stage.tasks(case) == ["beta审批"]
    assert stage.item(case, "alpha").clock == "stopped"
    market.complete(case, "beta审批", outcome="granted")
    assert stage.tasks(case) == ["统一出件"]


def test_withdraw__the_last_one_in_review(stage, clerk, market, case):
    market.complete(case, "alpha审批", outcome="granted")

    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")

    assert stage.tasks(case) == ["统一出件"]


def test_withdraw__one_at_the_window(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    case = clerk.submit("tiny")

    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")
    clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "withdrawn", "beta": "in_review"}


def test_withdraw__one_after_the_other_until_none_is_left_at_the_window(stage, clerk):
    """Nothing is left to accept: the window's task is gone, and silence accepts nothing."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    case = clerk.submit("tiny")
    for code in ("alpha", "beta"):
        clerk.handle("withdraw", stage.item(case, code), reason="不办了")

    stage.travel(2026, 3, 20)

    assert stage.tasks(case) == []
    assert stage.bundle(case).status == "completed"
    assert stage.alerts(case) == []


@pytest.mark.parametrize("outcome", [{"outcome": "granted"}, DENIED])
def test_withdraw__after_the_decision(stage, clerk, market, case, outcome):
    market.complete(case, "alpha审批", **outcome)

    with pytest.raises(InvalidState, match="before it is decided"):
        clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")


def test_withdraw__without_a_reason(stage, clerk, case):
    with pytest.raises(InvalidInput, match="a reason to withdraw the item, but"):
        clerk.handle("withdraw", stage.item(case, "alpha"), reason="  ")

    assert stage.statuses(case)["alpha"] == "in_review"


def test_withdraw__by_a_department(stage, market, case):
    with pytest.raises(NotPermitted):
        market.handle("withdraw", stage.item(case, "alpha"), reason="不办了")


# Applying again ---------------------------------------------------------------------------------------------------------------------------


def test_reapply__bundle_is_open(stage, clerk, market, case):
    market.complete(case, "alpha审批", **DENIED)
    old = stage.item(case, "alpha")

    clerk.handle("reapply", old)
    clerk.complete(case, "接续受理", outcome="accept")

    new = stage.item(case, "alpha")
    assert (new.previous_number, new.status, new.case_id) == (old.number, "in_review", case.id)
    assert new.number != old.number
    market.complete(case, "alpha审批", outcome="granted")
    market.complete(case, "beta审批", outcome="granted")
    clerk.complete(case, "统一出件")
    assert stage.statuses(case) == {"alpha": "issued", "beta": "issued"}


def test_reapply__bundle_is_over(stage, clerk, market, case):
    market.complete(case, "alpha审批", **DENIED)
    market.complete(case, "beta审批", outcome="granted")
    clerk.complete(case, "统一出件")
    old = stage.item(case, "alpha")

    again = clerk.handle("reapply", old)

    assert (again.matter, again.entry, again.previous_id) == ("single_item", "reapply", case.id)
    assert stage.item(again, "alpha").previous_number == old.number
    assert [(m.code, m.copied_from_id is not None) for m in stage.all(Material, again)] == [("plan", True)]
    clerk.complete(again, "一窗受理", outcome="accept")
    assert stage.statuses(again) == {"alpha": "in_review"}
    assert stage.statuses(case) == {"alpha": "denied", "beta": "issued"}


def test_reapply__results_wait_to_be_handed_out(stage, clerk, market, case):
    """Joint handling is over, and nobody would take it in there: it goes to its department alone, and names the old one."""
    market.complete(case, "alpha审批", **DENIED)
    market.complete(case, "beta审批", outcome="granted")
    assert stage.tasks(case) == ["统一出件"]
    old = stage.item(case, "alpha")

    again = clerk.handle("reapply", old)

    assert (again.matter, again.entry, again.previous_id) == ("single_item", "reapply", case.id)
    assert stage.item(again, "alpha").previous_number == old.number
    clerk.complete(again, "一窗受理", outcome="accept")
    clerk.complete(case, "统一出件")
    assert (stage.statuses(again), stage.statuses(case)) == ({"alpha": "in_review"}, {"alpha": "denied", "beta": "issued"})


def test_extend__and_pause_name_the_item(stage, clerk, market):
    """Who has five items in a bundle is told which of them takes longer."""
    stage.deploy("tiny", **tiny.folder({"alpha": {"extension": 5}, "beta": {}}, materials=[PLAN]))
    case = clerk.take_in("tiny", materials=["plan"])
    item = stage.item(case, "alpha")
    market.handle("pause", item, kind="hearing", reason="规划听证", days=3)
    market.handle("extend", item, days=5, approver="organ_head", reason="案情复杂")
    market.complete(case, "beta审批", outcome="granted")
    market.handle("revoke", stage.item(case, "beta"), reason="误点准予")

    texts = [
        particulars.of(notice.content, {item.number: "甲", stage.item(case, "beta").number: "乙"}) for notice in stage.all(Notice, case)
    ]

    assert "事项：alpha；特别程序：听证，预计 3 个工作日；理由：规划听证" in texts
    assert "事项：甲；延长 5 个工作日，经本行政机关负责人批准；理由：案情复杂" in texts
    assert f"事项：乙；理由：误点准予；{notices.REMEDIES}" in texts


def test_deny__tells_of_no_result(stage, market, case):
    """What is denied yields none."""
    market.complete(case, "alpha审批", **DENIED)
    market.complete(case, "beta审批", outcome="granted")

    denied, granted = (stage.all(Notice, case, kind=kind)[0].content["result"] for kind in ("denial", "grant"))

    assert (denied, granted is None) == (None, False)


def test_reapply__clock_is_new(stage, clerk, market, case):
    market.complete(case, "alpha审批", **DENIED)
    stage.travel(2026, 3, 9)

    clerk.handle("reapply", stage.item(case, "alpha"))
    clerk.complete(case, "接续受理", outcome="accept")

    assert stage.task(case, "alpha审批").due_at.isoformat() == "2026-03-23T16:00:00+00:00"


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_reapply__once_only(stage, clerk, market, case, closed):
    market.complete(case, "alpha审批", **DENIED)
    if closed:
        clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")
    old = stage.item(case, "alpha")
    clerk.handle("reapply", old)

    with pytest.raises(InvalidState) as refusal:
        clerk.handle("reapply", old)

    assert refusal.value.details["item"].startswith(case.number[:8])


def test_reapply__twice_at_the_same_moment(stage, clerk, market, case):
    market.complete(case, "alpha审批", **DENIED)
    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")
    old = stage.item(case, "alpha")

    def apply(_):
        try:
            with clerk.acting(checked=False) as session:
                return items.reapply(session, session.get_one(Item, old.id), actor=clerk.actor).number
        except InvalidState as refusal:
            return refusal.details["item"]

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(apply, range(2))

    assert one[:20] == other[:20]


def test_reapply__an_item_that_succeeded(stage, clerk, market, case):
    market.complete(case, "alpha审批", outcome="granted")

    with pytest.raises(InvalidState, match="ended without a result"):
        clerk.handle("reapply", stage.item(case, "alpha"))


def test_reapply__refused_at_the_window(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN]))
    case = clerk.submit("tiny", materials=["plan"])
    clerk.complete(case, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")

    again = clerk.handle("reapply", stage.item(case, "alpha"))

    assert stage.statuses(again) == {"alpha": "submitted"}


def test_reapply__answers_of_another_matter_that_calls_the_same_item(stage, clerk, market, case):
    """The tables are those of the matter it came from, whichever matter calls the item first."""
    stage.deploy("other", **tiny.folder({"alpha": {}}, key="a_matter_before_all_others", materials=[PLAN | {"material": "other"}]))
    market.complete(case, "alpha审批", **DENIED)
    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")

    again = clerk.handle("reapply", stage.item(case, "alpha"))

    assert [m.code for m in stage.all(Material, again)] == ["plan"]


def test_reapply__once_only_also_when_that_is_archived(stage, clerk, market, case):
    market.complete(case, "alpha审批", **DENIED)
    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")
    old = stage.item(case, "alpha")
    again = clerk.handle("reapply", old)
    clerk.withdraw(again)
    stage.travel(2026, 6, 1)
    with stage.database.transaction() as session:
        session.execute(update(Outbox).values(sent_at=old.joined_at))
    assert archives.put_away(stage.database, again.id)

    with pytest.raises(InvalidState, match=f"but that was done as {again.number}-01"):
        clerk.handle("reapply", old)


def test_reapply__another_one_has_taken_its_place(stage, clerk, market, case):
    """It was proposed, and one that ran alone was adopted instead; that was granted."""
    alone = clerk.take_in("alpha", materials=["plan"])
    bundle = clerk.submit("tiny", items=["alpha"], materials=["plan"])
    proposed, item = stage.item(bundle, "alpha"), stage.item(alone, "alpha")
    clerk.adopt(bundle, item.number)
    clerk.complete(bundle, "一窗受理", outcome="accept")
    market.complete(bundle, "alpha审批", outcome="granted")
    clerk.complete(bundle, "统一出件")

    with pytest.raises(InvalidState, match=f"has it as {item.number}"):
        clerk.handle("reapply", proposed)


def test_reapply__revoked_after_another_bundle_had_taken_its_result_over(stage, clerk, market):
    """Who has taken over what it yielded has not applied for it again."""
    stage.deploy("tiny", **tiny.folder({"zeta": {"post_check": 3}, "beta": {}}, processes={"zeta": PROMISED}))
    case = clerk.take_in("tiny", items=["zeta"])
    market.complete(case, "zeta审批", outcome="granted")
    clerk.complete(case, "统一出件")
    item, bundle = stage.item(case, "zeta"), clerk.take_in("tiny", items=["beta"])
    clerk.adopt(bundle, item.number)
    market.complete(case, "事后核查", outcome="breached", findings="不符合承诺")
    market.complete(case, "限期整改", outcome="revoke", findings="仍不符合")

    again = clerk.handle("reapply", item)

    assert stage.item(again, "zeta").previous_number == item.number


# Delivery ---------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def posted(stage, clerk, market, case):
    for name in ("alpha审批", "beta审批"):
        market.complete(case, name, outcome="granted")
    clerk.complete(case, "统一出件", delivery="post", recipient="张三")
    return case


def test_deliver__came_back_and_was_sent_again(stage, clerk, posted):
    item = stage.item(posted, "alpha")

    clerk.handle("deliver", item, outcome=DeliveryStatus.FAILED)
    assert [o.payload["item"] for o in stage.all(Outbox, posted, topic="recontact")] == [item.number]
    clerk.handle("deliver", item, outcome=DeliveryStatus.PREPARED)
    clerk.handle("deliver", item, outcome=DeliveryStatus.DELIVERED)

    assert stage.item(posted, "alpha").delivery == "delivered"
    assert stage.item(posted, "beta").delivery == "prepared"


def test_deliver__nothing_was_handed_out_yet(stage, clerk, market):
    """It could not be handed out any more then."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", outcome="granted")

    with pytest.raises(InvalidState, match="but nothing was handed out for item"):
        clerk.handle("deliver", stage.item(case, "alpha"), outcome=DeliveryStatus.DELIVERED)

    clerk.complete(case, "统一出件", delivery="window")
    assert stage.item(case, "alpha").delivery == "delivered"


def test_deliver__twice(stage, clerk, posted):
    clerk.handle("deliver", stage.item(posted, "alpha"), outcome=DeliveryStatus.DELIVERED)

    with pytest.raises(InvalidState):
        clerk.handle("deliver", stage.item(posted, "alpha"), outcome=DeliveryStatus.FAILED)


def test_deliver__nothing_was_issued(stage, clerk, case):
    with pytest.raises(InvalidState):
        clerk.handle("deliver", stage.item(case, "alpha"), outcome=DeliveryStatus.FAILED)


def test_deliver__by_a_department(stage, market, posted):
    with pytest.raises(NotPermitted):
        market.handle("deliver", stage.item(posted, "alpha"), outcome=DeliveryStatus.DELIVERED)


# Departments' own systems -----------------------------------------------------------------------------------------------------------------


def test_report__agrees(stage, market, case):
    market.handle("report", stage.item(case, "alpha"), event_id="e1", state="in_review", external_number="SP-1")

    item = stage.item(case, "alpha")
    assert (item.sync, item.external_number) == ("acked", "SP-1")
    assert stage.alerts(case) == []


def test_report__each_event_counts_once(stage, market, case):
    for _ in range(3):
        market.handle("report", stage.item(case, "alpha"), event_id="e1", state="granted", external_number=None)

    assert len(stage.all_events(case)) == 1
    assert stage.alerts(case) == [("yellow", "diverged")]


def test_report__event_ids_are_the_departments_own(stage, clerk, market, fire):
    folder = tiny.folder({"alpha": {}, "gamma": {}}, processes={"gamma": tiny.item("gamma", department="fire")})
    stage.deploy("two", **folder)
    case = clerk.take_in("tiny")

    market.handle("report", stage.item(case, "alpha"), event_id="1", state="in_review", external_number=None)
    fire.handle("report", stage.item(case, "gamma"), event_id="1", state="in_review", external_number=None)

    assert {item.sync for item in stage.items(case).values()} == {"acked"}


def test_report__diverges_and_agrees_again(stage, market, case):
    market.handle("report", stage.item(case, "alpha"), event_id="e1", state="issued", external_number=None)
    assert stage.item(case, "alpha").sync == "diverged"

    market.handle("report", stage.item(case, "alpha"), event_id="e2", state="in_review", external_number=None)

    assert stage.item(case, "alpha").sync == "acked"
    assert stage.statuses(case)["alpha"] == "in_review"


def test_report__number_of_another_item(stage, market, case):
    market.handle("report", stage.item(case, "alpha"), event_id="e1", state="in_review", external_number="SP-1")

    with pytest.raises(InvalidInput, match="number of this item alone"):
        market.handle("report", stage.item(case, "beta"), event_id="e2", state="in_review", external_number="SP-1")

    assert stage.item(case, "beta").sync == "local"


def test_report__by_another_department(stage, fire, case):
    with pytest.raises(NotPermitted):
        fire.handle("report", stage.item(case, "alpha"), event_id="e1", state="in_review", external_number=None)


def test_report__at_the_same_moment(stage, market, case):
    """A department's system sends the same event twice, at once: it counts once, and nobody sees an error."""
    number = stage.item(case, "alpha").id

    def send(_):
        with market.acting(checked=False) as session:
            items.report(session, session.get_one(Item, number), event_id="e1", state="granted", external_number=None, actor=market.actor)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(send, range(4)))

    assert len(stage.all_events(case)) == 1
    assert stage.alerts(case) == [("yellow", "diverged")]


# Who sees one -----------------------------------------------------------------------------------------------------------------------------


def test_get__whose_it_is(stage, clerk, market, supervisor, case):
    number = stage.item(case, "alpha").number
    with stage.reading() as session:
        for who in (clerk, market, supervisor):
            assert items.get(session, number, who.actor).number == number
        for name in ("clerk-yuelu", "officer-fire", "designer"):
            with pytest.raises(NotFound):
                items.get(session, number, stage.person(name).actor)
        with pytest.raises(NotFound):
            items.get(session, "nothing", clerk.actor)
