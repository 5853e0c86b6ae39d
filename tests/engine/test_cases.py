from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import case_items, cases, worklists
from engine.actors import Role, RoleGrant
from engine.case_models import Item, Material, Notice
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.states import ItemStatus
from engine.worklists import CaseFilter, TaskFilter
from tests import tiny
from tests.restaurant import ANSWERS, ITEMS, MATERIALS


def submitted(stage):
    stage.person("clerk").submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)


@pytest.fixture
def case(begun):
    [case] = begun(submitted)
    return case


@pytest.fixture
def channel(stage):
    """An applicants' channel."""
    return stage.somebody(RoleGrant(role=Role.CHANNEL), name="app")


# Submitting -------------------------------------------------------------------------------------------------------------------------------


def test_submit__what_the_tables_choose(stage, case):
    assert set(stage.items(case)) == set(ITEMS)
    assert stage.tasks(case) == ["一窗受理"]
    assert stage.case(case).entry == "submit"
    assert stage.case(case).promised == 4
    assert stage.case(case).checklist["hash"] == case.checklist["hash"]
    assert stage.notices(case) == ["receipt"]
    [receipt] = stage.all(Notice, case)
    assert [(m["no"], m["code"]) for m in receipt.content["materials"]] == [(m.no, m.code) for m in stage.all(Material, case)]


def test_submit__numbers(stage, clerk, case):
    """Region, day, running number; items count within their case."""
    second = clerk.submit("open_restaurant", answers=ANSWERS)

    assert case.number == "43010020260302000001"
    assert second.number == "43010020260302000002"
    assert sorted(item.number for item in stage.items(case).values()) == [f"{case.number}-0{n}" for n in (1, 2, 3)]


def test_submit__at_the_same_moment(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))

    def submit(_):
        what = cases.Submission(
            region="430100",
            matter="tiny",
            hall="changsha",
            applicant={"kind": "enterprise", "name": "x", "id_number": "91430100MA4L000000"},
            answers={},
        )
        with clerk.acting(checked=False) as session:
            return cases.submit(session, what, actor=clerk.actor).number

    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(submit, range(8)))

    assert sorted(numbers) == [f"4301002026030200000{n}" for n in range(1, 9)]


def test_submit__one_item_alone(stage, clerk):
    case = clerk.submit("food_permit", answers=ANSWERS)

    assert stage.case(case).matter == "single_item"
    assert list(stage.items(case)) == ["food_permit"]


def test_submit__chosen_by_hand(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, items=["signboard"])

    assert list(stage.items(case)) == ["signboard"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"matter": "nothing"},
        {"matter": "post_check"},
        {"matter": "single_item"},
        {"matter": "single_item", "items": ["food_permit", "signboard"]},
        {"items": ["hukou"]},
        {"items": ["nothing"]},
        {"items": []},
        {"answers": {"q_unknown": "x"}},
        {"answers": {"q_scale": "街边摊"}},
        {"materials": ["m_unknown"]},
        {"hall": "nowhere"},
        {"applicant": {"kind": "enterprise", "name": "", "id_number": "91430100MA4L000000"}},
        {"applicant": {"kind": "enterprise", "name": "x"}},
        {"applicant": {"kind": "enterprise", "name": 5, "id_number": "91430100MA4L000000"}},
        {"applicant": {"kind": ["enterprise"], "name": "x", "id_number": "91430100MA4L000000"}},
        {"applicant": {"kind": "enterprise", "name": "x", "id_number": 914301}},
        {"applicant": {"kind": "enterprise", "name": "x", "id_number": "91430100MA4L000000", "phone": 138}},
        {"adopt": ["43010020260302000001-09"]},
    ],
)
def test_submit__refused(stage, clerk, wrong):
    what = {"matter": "open_restaurant", "answers": ANSWERS} | wrong

    with pytest.raises((InvalidInput, NotFound, NotPermitted)) as refusal:
        clerk.submit(what.pop("matter"), **what)

    with stage.reading() as session:
        assert session.query(Item).count() == 0
    # Nor does it name the case that has not come about: somebody would look for it.
    assert re.findall(r"[0-9]{20}", str(refusal.value)) == [number[:20] for number in wrong.get("adopt", ())]


def test_submit__answers_that_call_for_nothing(stage, clerk):
    folder = tiny.folder({"alpha": {}})
    stage.deploy("tiny", **folder | {"tiny_dmn": folder["tiny_dmn"].replace(b"include", b"exclude")})

    with pytest.raises(InvalidInput, match="call for none"):
        clerk.submit("tiny")


@pytest.mark.parametrize("name", ["officer-market", "designer", "clerk-yuelu"])
def test_submit__by_whom_it_is_not_for(stage, name):
    with pytest.raises(NotPermitted):
        stage.person(name).submit("open_restaurant", answers=ANSWERS)


def test_submit__clock_starts_by_the_matters_policy(stage, clerk):
    for policy, started in (("ON_SUBMIT", True), ("ON_FIRST_ACCEPT", False)):
        key = policy.lower()
        stage.deploy(key, **tiny.folder({f"{key}_a": {}}, key=key, promised="5", clock_start=policy))
        case = clerk.submit(key)
        assert (stage.case(case).clock_started_on is not None) is started
        clerk.complete(case, "一窗受理", outcome="accept")
        assert stage.case(case).clock_started_on is not None


# Withdrawing ------------------------------------------------------------------------------------------------------------------------------


def test_withdraw__at_the_window(stage, clerk, case):
    clerk.withdraw(case, "不办了")

    assert set(stage.statuses(case).values()) == {"withdrawn"}
    assert stage.tasks(case) == []
    [told] = stage.all(Notice, case, kind="withdrawal")
    assert (told.title, told.content["reason"]) == ("撤回申请通知书", "不办了")
    assert told.content["items"] == [item.number for item in stage.items(case).values()]
    assert stage.journal(case)[-1].details["notice"] == told.number
    assert stage.bundle(case).status == "completed"
    assert stage.case(case).ended_at is not None


def test_withdraw__while_corrections_are_out(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS)
    clerk.complete(case, "一窗受理", outcome="supplement")

    clerk.withdraw(case)

    assert set(stage.statuses(case).values()) == {"withdrawn"}
    assert stage.bundle(case).status == "completed"


def test_withdraw__in_review(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="accept")

    clerk.withdraw(case)

    assert set(stage.statuses(case).values()) == {"withdrawn"}
    assert stage.tasks(case) == ["好差评"]
    assert {item.clock for item in stage.items(case).values()} == {"stopped"}


def test_withdraw__what_waits_for_another_item(stage, clerk):
    """It is taken back as the other is; nothing has kept it from being granted."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}))
    case = clerk.take_in("tiny")

    clerk.withdraw(case)

    assert stage.statuses(case) == {"alpha": "withdrawn", "beta": "withdrawn"}


def test_follow_on__everything_was_taken_back_meanwhile(stage, clerk):
    """The case has ended, and what was promised for it as a whole does not begin any more."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, promised="30"))
    alone = clerk.submit("beta")
    clerk.complete(alone, "一窗受理", outcome="accept")
    case = clerk.submit("tiny", items=["alpha"])
    clerk.adopt(case, stage.item(alone, "beta").number)
    clerk.complete(case, "一窗受理", outcome="refuse", refusal_kind="not_accepted", reason="不属于本机关")
    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")
    ended_at = stage.case(case).ended_at
    stage.move_to(2026, 3, 4)

    clerk.complete(case, "接续受理", outcome="accept")

    assert (stage.case(case).ended_at, stage.case(case).clock_started_on) == (ended_at, None)
    assert ended_at is not None


def test_withdraw__what_is_decided_stays(stage, clerk, market, case):
    clerk.complete(case, "一窗受理", outcome="accept")
    market.complete(case, "食品经营许可审批", outcome="granted")

    clerk.withdraw(case)

    assert stage.item(case, "food_permit").status == "granted"
    assert stage.tasks(case) == ["统一出件"]
    [told] = stage.all(Notice, case, kind="withdrawal")
    assert stage.item(case, "food_permit").number not in told.content["items"]


def test_withdraw__everything_is_decided(stage, clerk, market):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", outcome="granted")

    with pytest.raises(InvalidState, match="to have an undecided item"):
        clerk.withdraw(case)


@pytest.mark.parametrize("reason", ["", "  "])
def test_withdraw__without_a_reason(stage, clerk, case, reason):
    with pytest.raises(InvalidInput, match="a reason to withdraw the case, but"):
        clerk.withdraw(case, reason)


def test_withdraw__by_the_channel_that_submitted_it(stage, channel):
    case = channel.submit("open_restaurant", answers=ANSWERS)

    channel.withdraw(case)

    assert set(stage.statuses(case).values()) == {"withdrawn"}


# Outcome ----------------------------------------------------------------------------------------------------------------------------------

S = ItemStatus


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ([S.GRANTED, S.IN_REVIEW], "open"),
        ([S.ISSUED, S.SUBMITTED], "open"),
        ([S.GRANTED, S.ISSUED, S.IMPORTED], "all_granted"),
        ([S.IMPORTED], "all_granted"),
        ([S.ISSUED, S.DENIED], "partial"),
        ([S.ISSUED, S.WITHDRAWN], "partial"),
        ([S.ISSUED, S.REVOKED], "partial"),
        ([S.DENIED, S.BLOCKED], "none_granted"),
        ([S.IMPORTED, S.DENIED], "none_granted"),
        ([S.RETURNED, S.WITHDRAWN], "none_granted"),
        ([S.WITHDRAWN, S.WITHDRAWN], "withdrawn"),
        ([S.IMPORTED, S.WITHDRAWN], "withdrawn"),
    ],
)
def test_outcome__is_derived(statuses, outcome):
    assert case_items.outcome([Item(status=status) for status in statuses]) == outcome


# Who sees what ----------------------------------------------------------------------------------------------------------------------------


def seen(stage, case, person):
    """Whether one sees the case; which of its items; which of its tasks."""
    with stage.reading() as session:
        try:
            found = cases.get(session, case.number, person.actor)
        except NotFound:
            return None
        codes = {item.code for item in cases.items_for(found, person.actor)}
        open_tasks = {task.name for task in worklists.find_tasks(session, person.actor, TaskFilter(case=case.number), after=None, limit=10)}
    return codes, open_tasks


def test_visible__at_the_window(stage, clerk, supervisor, market, fire, channel, case):
    everything = set(ITEMS)

    assert seen(stage, case, clerk) == (everything, {"一窗受理"})
    assert seen(stage, case, supervisor) == (everything, {"一窗受理"})
    assert seen(stage, case, stage.person("admin")) == (everything, {"一窗受理"})
    for name in ("clerk-yuelu", "officer-tobacco", "designer"):
        assert seen(stage, case, stage.person(name)) is None
    assert seen(stage, case, channel) is None


def test_visible__in_review(stage, clerk, supervisor, market, fire, case):
    """A department sees its items, and not the rest of the bundle."""
    clerk.complete(case, "一窗受理", outcome="accept")

    assert seen(stage, case, market) == ({"business_licence_check", "food_permit"}, {"营业执照人工核验", "食品经营许可审批"})
    assert seen(stage, case, fire) == ({"fire_check_commit"}, {"消防承诺审查"})
    assert seen(stage, case, clerk) == (set(ITEMS), set())
    assert seen(stage, case, supervisor)[1] == {"营业执照人工核验", "食品经营许可审批", "消防承诺审查"}


def test_visible__what_a_channel_submitted(stage, channel):
    """A channel sees its own cases whole, and no task."""
    mine = channel.submit("open_restaurant", answers=ANSWERS)
    another = stage.somebody(RoleGrant(role=Role.CHANNEL), name="kiosk")

    assert seen(stage, mine, channel) == (set(ITEMS), set())
    assert seen(stage, mine, another) is None


def test_visible__department_of_an_item_that_was_moved_into_the_hall(stage, clerk, fire):
    """An officer of all halls sees it wherever it is handled."""
    case = stage.person("clerk-yuelu").submit("open_restaurant", answers=ANSWERS, hall="yuelu")

    assert seen(stage, case, fire)[0] == {"fire_check_commit"}
    assert seen(stage, case, clerk) is None


def test_search__newest_first_and_filtered(stage, clerk, case):
    second = clerk.submit("food_permit", answers=ANSWERS)

    def numbers(**filters):
        with stage.reading() as session:
            return [c.number for c in worklists.find_cases(session, clerk.actor, CaseFilter(**filters), after=None, limit=10)]

    assert numbers() == [second.number, case.number]
    assert numbers(matter="open_restaurant") == [case.number]
    assert numbers(applicant_number="nobody") == []
