from __future__ import annotations

import pytest

from api import particulars
from engine import item_clock, notices, terms
from engine.case_models import Alert, Commitment, Notice, Tolerance
from engine.errors import InvalidInput
from tests import restaurant, tiny
from tests.engine.test_recomputing import publish
from tests.restaurant import ANSWERS

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 5, "grace_days": 15}
LEASE = {"material": "lease", "used_by": "beta", "tolerable": False}
SIGNED = {"outcome": "tolerate", "commitment_signed": True}


def bundle(stage, *materials, items=None):
    stage.deploy("tiny", **tiny.folder(items or {"alpha": {}, "beta": {}, "gamma": {}}, materials=materials or [PLAN, LEASE]))


def tolerated(stage, clerk, *materials, items=None):
    """A bundle that was accepted although the plan is missing."""
    bundle(stage, *(materials or [PLAN]), items=items)
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", **SIGNED)
    return case


def ledger(stage, case, code):
    with stage.reading() as session:
        return item_clock.ledger(session, stage.item(case, code))


# Guard ------------------------------------------------------------------------------------------------------------------------------------


def test_require_tolerable__critical_material_missing(stage, clerk):
    bundle(stage)
    case = clerk.submit("tiny")

    with pytest.raises(InvalidInput, match="lease may not") as refusal:
        clerk.complete(case, "一窗受理", **SIGNED)

    assert [e["field"] for e in refusal.value.details["errors"]] == ["materials.lease"]
    assert set(stage.statuses(case).values()) == {"submitted"}
    assert stage.all(Tolerance, case) == []


def test_require_tolerable__dishonest_applicant(stage, clerk):
    bundle(stage)
    case = clerk.submit(
        "tiny", materials=["lease"], applicant={"kind": "person", "name": "王某", "id_number": "11010519491231002X", "dishonest": True}
    )

    with pytest.raises(InvalidInput, match="tolerance is excluded"):
        clerk.complete(case, "一窗受理", **SIGNED)


@pytest.mark.parametrize("signed", [False, None, "", "false", "no", 0])
def test_require_tolerable__not_signed(stage, clerk, signed):
    bundle(stage)
    case = clerk.submit("tiny", materials=["lease"])

    with pytest.raises(InvalidInput, match="signed commitment"):
        clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=signed)

    assert stage.all(Commitment, case) == []


def test_require_tolerable__nothing_missing(stage, clerk):
    bundle(stage)
    case = clerk.submit("tiny", materials=["lease", "plan"])

    with pytest.raises(InvalidInput, match="is complete: accept it"):
        clerk.complete(case, "一窗受理", **SIGNED)


# Promise ----------------------------------------------------------------------------------------------------------------------------------


def test_promise__written_down_and_told(stage, clerk):
    case = tolerated(stage, clerk)

    [tolerance] = stage.all(Tolerance, case)
    [commitment] = stage.all(Commitment, case)
    [notice] = stage.all(Notice, case, kind="tolerance")
    assert (tolerance.code, tolerance.status, tolerance.due_on.isoformat(), tolerance.used_by) == ("plan", "open", "2026-03-09", ["alpha"])
    assert (commitment.kind, commitment.signed_by) == ("tolerance", "好味餐饮")
    assert notice.content["materials"] == [{"code": "plan", "name": "plan", "due_on": "2026-03-09"}]
    assert notice.content["consequence"] == "逾期未补交的，暂停计算办理时限；宽限期满仍未补交的，可以退回申请或者终止办理。"
    assert particulars.of(notice.content, {}) == f"材料：plan（最迟 2026-03-09）；{notice.content['consequence']}"
    assert {item.accepted_by for item in stage.items(case).values()} == {"tolerance"}


@pytest.mark.parametrize(
    ("until", "told"),
    [
        (("AFTER_ISSUE",), "出件后补交的材料逾期未补交的，责令限期整改。"),
        (
            ("BEFORE_ISSUE", "AFTER_ISSUE"),
            "逾期未补交的，暂停计算办理时限；宽限期满仍未补交的，可以退回申请或者终止办理。出件后补交的材料逾期未补交的，责令限期整改。",
        ),
    ],
)
def test_consequence__of_what_follows_after_the_issue(until, told):
    assert terms.consequence({"until": each} for each in until) == told


@pytest.mark.parametrize("days", [1, 2])
def test_promise__due_tomorrow(stage, clerk, days):
    """Who is told today until when it may come is not reminded of it in the same minute."""
    case = tolerated(stage, clerk, PLAN | {"due_days": days})
    stage.travel(2026, 3, 2, hour=23)
    assert stage.all(Notice, case, kind="reminder") == []

    stage.travel(2026, 3, 3)

    assert len(stage.all(Notice, case, kind="reminder")) == days - 1
    stage.travel(2026, 3, 2 + days + 1)
    assert len(stage.all(Notice, case, kind="tolerance_overdue")) == 1


@pytest.mark.parametrize(
    ("policy", "promised", "due_on"),
    [(5, 10, "2026-03-09"), (15, 10, "2026-03-16"), (None, 3, "2026-03-05"), (10, 10, "2026-03-16")],
)
def test_promise__due_at_the_earlier_of_policy_and_promise(stage, clerk, policy, promised, due_on):
    case = tolerated(stage, clerk, PLAN | {"due_days": policy}, items={"alpha": {"promised": promised}})

    assert stage.all(Tolerance, case)[0].due_on.isoformat() == due_on


def test_promise__never_later_than_any_promise_of_those_who_need_it(stage, clerk):
    items = {"alpha": {"promised": 10}, "beta": {"promised": 2}}
    case = tolerated(stage, clerk, PLAN | {"used_by": "alpha,beta", "due_days": 15}, items=items)

    assert stage.all(Tolerance, case)[0].due_on.isoformat() == "2026-03-04"


def test_promise__never_later_than_a_promise_in_calendar_days(stage, clerk):
    case = tolerated(stage, clerk, PLAN | {"due_days": 10}, items={"alpha": {"promised": 10, "unit": "calendar"}})

    assert stage.item(case, "alpha").promised_on.isoformat() == "2026-03-12"
    assert stage.all(Tolerance, case)[0].due_on.isoformat() == "2026-03-12"


@pytest.mark.parametrize(
    ("until", "policy", "due_on"),
    [
        ("BEFORE_ISSUE", None, "2026-03-23"),  # ten working days of the first, then five of its own
        ("BEFORE_ISSUE", 30, "2026-03-23"),
        ("BEFORE_ISSUE", 5, "2026-03-09"),
        ("BEFORE_DECISION", None, "2026-03-09"),  # the first may be granted today
    ],
)
def test_promise__of_an_item_that_waits_for_another(stage, clerk, until, policy, due_on):
    """It was due, and its item given up, before anybody could have looked at it."""
    items = {"alpha": {"promised": 10}, "beta": {"promised": 5, "predecessors": "alpha:FS"}}
    case = tolerated(stage, clerk, PLAN | {"used_by": "beta", "until": until, "due_days": policy}, items=items)

    assert stage.all(Tolerance, case)[0].due_on.isoformat() == due_on


def test_promise__of_an_item_behind_several(stage, clerk):
    """The longest way counts."""
    items = {
        "alpha": {"promised": 2, "predecessors": "delta:FS"},
        "beta": {"promised": 5, "predecessors": "alpha:RM gamma:FS"},
        "gamma": {"promised": 3},
        "delta": {"promised": 4},
    }
    case = tolerated(stage, clerk, PLAN | {"used_by": "beta", "until": "BEFORE_ISSUE", "due_days": None}, items=items)

    assert stage.all(Tolerance, case)[0].due_on.isoformat() == "2026-03-17"  # 4 + 2 + 5 working days


def test_promise__what_follows_the_result_is_not_bound_to_its_promise(stage, clerk):
    """消防告知承诺: decided within one working day, the plan of evacuation comes at the site check."""
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.without("m_evac"))
    clerk.complete(case, "一窗受理", **SIGNED)

    [tolerance] = stage.all(Tolerance, case)
    assert (tolerance.until, tolerance.due_on.isoformat()) == ("AFTER_ISSUE", "2026-03-30")


def test_promise__the_notice_names_what_was_promised_before(stage, clerk):
    """An item joins that needs the same plan."""
    bundle(stage, PLAN | {"used_by": "alpha,beta"})
    case = clerk.submit("tiny", items=["alpha"])
    clerk.complete(case, "一窗受理", **SIGNED)
    stage.travel(2026, 3, 4)
    clerk.follow_on(case, "beta")

    clerk.complete(case, "接续受理", **SIGNED)

    told = [{"code": "plan", "name": "plan", "due_on": "2026-03-09"}]
    assert [notice.content["materials"] for notice in stage.all(Notice, case, kind="tolerance")] == [told, told]


# What it holds ----------------------------------------------------------------------------------------------------------------------------


def test_before_issue__decided_but_not_issued(stage, clerk, market):
    case = tolerated(stage, clerk)
    for code in ("alpha", "beta", "gamma"):
        market.complete(case, f"{code}审批", outcome="granted")
    assert stage.tasks(case) == []

    clerk.hand_in(case, "plan")
    assert stage.tasks(case) == ["统一出件"]
    clerk.complete(case, "统一出件")

    assert set(stage.statuses(case).values()) == {"issued"}
    assert stage.all(Tolerance, case)[0].status == "met"


def test_before_issue__the_rest_goes_out_without_it(stage, clerk, market):
    case = tolerated(stage, clerk)
    for code in ("alpha", "beta", "gamma"):
        market.complete(case, f"{code}审批", outcome="granted")

    stage.travel(2026, 3, 6)

    assert stage.statuses(case) == {"alpha": "granted", "beta": "issued", "gamma": "issued"}


def test_after_issue__holds_nothing_back(stage, clerk, market):
    case = tolerated(stage, clerk, PLAN | {"until": "AFTER_ISSUE"}, items={"alpha": {}})
    market.complete(case, "alpha审批", outcome="granted")

    stage.travel(2026, 3, 6)

    assert stage.statuses(case) == {"alpha": "issued"}
    assert stage.case(case).ended_at is None
    clerk.hand_in(case, "plan")
    assert stage.case(case).ended_at is not None


# Meeting it -------------------------------------------------------------------------------------------------------------------------------


def test_meet__in_time(stage, clerk):
    case = tolerated(stage, clerk)

    stage.travel(2026, 3, 5)
    clerk.hand_in(case, "plan")
    stage.travel(2026, 3, 31)

    assert stage.all(Tolerance, case)[0].status == "met"
    assert "reminder" not in stage.notices(case)
    assert "tolerance_overdue" not in stage.notices(case)


def test_meet__another_material_leaves_it_open(stage, clerk):
    case = tolerated(stage, clerk, PLAN, PLAN | {"material": "menu", "due_days": 2})

    clerk.hand_in(case, "menu")

    assert {t.code: t.status for t in stage.all(Tolerance, case)} == {"plan": "open", "menu": "met"}
    assert stage.timer(case, "due_due").isoformat() == "2026-03-09"


def test_remind__the_working_day_before(stage, clerk):
    case = tolerated(stage, clerk)

    stage.travel(2026, 3, 5)
    assert "reminder" not in stage.notices(case)
    stage.travel(2026, 3, 6)
    stage.travel(2026, 3, 7)

    assert stage.notices(case).count("reminder") == 1


def test_remind__each_material_once(stage, clerk):
    case = tolerated(stage, clerk, PLAN, PLAN | {"material": "menu", "due_days": 3})

    for day in (3, 4, 5, 6, 7, 8, 9):
        stage.travel(2026, 3, day)

    reminded = [n.content["material"] for n in stage.all(Notice, case, kind="reminder")]
    assert reminded == ["menu", "plan"]


def test_remind__of_all_that_is_due_on_one_day_in_one_notice(stage, clerk):
    """Who is told of them one by one reads the first, and brings that one."""
    menu, lease = PLAN | {"material": "menu", "used_by": "beta", "grace_days": 3}, PLAN | {"material": "lease", "due_days": 6}
    case = tolerated(stage, clerk, menu, PLAN, lease)

    stage.travel(2026, 3, 6)
    [told] = stage.all(Notice, case, kind="reminder")
    stage.travel(2026, 3, 9)

    assert told.content == {"material": "menu、plan", "due_on": "2026-03-09"}
    assert [notice.content["material"] for notice in stage.all(Notice, case, kind="reminder")] == ["menu、plan", "lease"]
    assert [tolerance.reminded_at is None for tolerance in stage.all(Tolerance, case)] == [False, False, False]


def test_remind__of_days_that_have_become_one(stage, clerk):
    """The ninth becomes a day off: what was due then is due with the rest on the tenth."""
    case = tolerated(stage, clerk, PLAN, PLAN | {"material": "menu", "due_days": 6})
    publish(stage, 9)

    stage.travel(2026, 3, 6)

    [told] = stage.all(Notice, case, kind="reminder")
    assert told.content == {"material": "plan、menu", "due_on": "2026-03-10", "moved_from": ["2026-03-09"]}


# Overdue ----------------------------------------------------------------------------------------------------------------------------------


def test_overdue__pauses_the_clocks_of_exactly_the_items_concerned(stage, clerk):
    case = tolerated(stage, clerk, PLAN | {"used_by": "alpha,beta"})

    stage.travel(2026, 3, 9, hour=23)
    assert {item.clock for item in stage.items(case).values()} == {"running"}
    stage.travel(2026, 3, 10)

    assert {code: item.clock for code, item in stage.items(case).items()} == {"alpha": "paused", "beta": "paused", "gamma": "running"}
    assert stage.all(Tolerance, case)[0].status == "overdue"
    assert stage.notices(case)[-1] == "tolerance_overdue"
    assert ("yellow", "tolerance_overdue") in stage.alerts(case)
    assert [p.kind for p in ledger(stage, case, "alpha").pauses] == ["tolerance_overdue"]


def test_overdue__its_last_day_becomes_a_day_off(stage, clerk):
    """Nobody is late on a day off: the next working day is the last then, and the reminder and the grace follow it."""
    case = tolerated(stage, clerk, PLAN | {"grace_days": 3})
    publish(stage, 9)
    found = []

    for day in (6, 10, 11, 13, 14):
        stage.travel(2026, 3, day)
        found.append((stage.all(Tolerance, case)[0].status, "reminder" in stage.notices(case), stage.item(case, "alpha").status))

    assert found == [
        ("open", True, "in_review"),
        ("open", True, "in_review"),
        ("overdue", True, "in_review"),
        ("overdue", True, "in_review"),
        ("expired", True, "terminated"),
    ]


def test_overdue__is_told_at_once_of_what_is_due_on_the_same_terms(stage, clerk):
    lease, photo = PLAN | {"material": "lease", "grace_days": 3}, PLAN | {"material": "photo", "due_days": 9}
    case = tolerated(stage, clerk, PLAN, PLAN | {"material": "menu", "used_by": "alpha,beta"}, lease, photo)

    stage.travel(2026, 3, 10)

    told = [(notice.content["material"], notice.content["grace_days"]) for notice in stage.all(Notice, case, kind="tolerance_overdue")]
    assert sorted(told) == [("lease", 3), ("plan、menu", 15)]
    [alert] = stage.all(Alert, case, kind="tolerance_overdue")
    assert alert.message == "容缺材料逾期未补：plan、menu、lease"
    assert sorted(pause.reason for pause in ledger(stage, case, "alpha").pauses) == [
        f"容缺材料逾期未补：{x}" for x in ("lease", "menu", "plan")
    ]
    assert [pause.reason for pause in ledger(stage, case, "beta").pauses] == ["容缺材料逾期未补：menu"]
    for code in ("plan", "menu", "lease"):
        assert stage.item(case, "alpha").clock == "paused"
        clerk.hand_in(case, code)
    assert {item.clock for item in stage.items(case).values()} == {"running"}


def test_overdue__an_item_that_was_decided_already(stage, clerk, market):
    case = tolerated(stage, clerk)
    market.complete(case, "alpha审批", outcome="granted")

    stage.travel(2026, 3, 10)

    assert stage.item(case, "alpha").clock == "stopped"
    assert stage.all(Tolerance, case)[0].status == "overdue"


def test_overdue__an_item_that_starts_only_then(stage, clerk, market):
    """Its clock does not run while the applicant is the one who keeps it waiting."""
    items = {"alpha": {"predecessors": "beta:FS"}, "beta": {}}
    case = tolerated(stage, clerk, PLAN, items=items)
    stage.travel(2026, 3, 10)
    assert stage.item(case, "alpha").clock == "not_started"

    market.complete(case, "beta审批", outcome="granted")
    assert stage.item(case, "alpha").clock == "paused"
    stage.travel(2026, 3, 12)
    clerk.hand_in(case, "plan")

    assert stage.item(case, "alpha").clock == "running"


def test_overdue__an_item_that_starts_only_then_is_told_of_all_it_lacks(stage, clerk, market):
    items = {"alpha": {"predecessors": "beta:FS"}, "beta": {}}
    case = tolerated(stage, clerk, PLAN, PLAN | {"material": "menu"}, PLAN | {"material": "lease", "used_by": "beta"}, items=items)
    stage.travel(2026, 3, 10)

    market.complete(case, "beta审批", outcome="granted")
    clerk.hand_in(case, "lease")

    told = [n.content["material"] for n in stage.all(Notice, case, kind="tolerance_overdue") if n.item_id == stage.item(case, "alpha").id]
    assert told == ["plan、menu"]
    assert stage.item(case, "alpha").clock == "paused"


def test_overdue__an_item_joins_that_needs_it_too(stage, clerk):
    """It was applied for again: its clock does not run, either, while the material is overdue."""
    case = tolerated(stage, clerk, PLAN | {"used_by": "alpha,beta"}, items={"alpha": {}, "beta": {}})
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")
    stage.travel(2026, 3, 10)
    clerk.handle("reapply", stage.item(case, "alpha"))

    clerk.complete(case, "接续受理", **SIGNED)
    assert {code: item.clock for code, item in stage.items(case).items()} == {"alpha": "paused", "beta": "paused"}
    stage.travel(2026, 3, 12)
    clerk.hand_in(case, "plan")

    assert {item.clock for item in stage.items(case).values()} == {"running"}


def test_meet__within_grace(stage, clerk, market):
    case = tolerated(stage, clerk)
    before = stage.task(case, "alpha审批").due_at
    stage.travel(2026, 3, 10)

    stage.travel(2026, 3, 12)
    clerk.hand_in(case, "plan")

    assert stage.item(case, "alpha").clock == "running"
    assert stage.all(Tolerance, case)[0].status == "met"
    # Tuesday, Wednesday and Thursday did not count.
    assert (stage.task(case, "alpha审批").due_at - before).days == 3
    stage.travel(2026, 5, 1)
    assert stage.statuses(case)["alpha"] == "in_review"


def test_meet__one_of_two_that_are_overdue(stage, clerk):
    case = tolerated(stage, clerk, PLAN, PLAN | {"material": "menu"})
    stage.travel(2026, 3, 10)

    clerk.hand_in(case, "plan")
    assert stage.item(case, "alpha").clock == "paused"
    clerk.hand_in(case, "menu")

    assert stage.item(case, "alpha").clock == "running"


def test_meet__a_special_procedure_goes_on(stage, clerk, market):
    """The pause for the material ends, the one for the hearing does not."""
    case = tolerated(stage, clerk)
    market.handle("pause", stage.item(case, "alpha"), kind="hearing", reason="听证", days=20)
    stage.travel(2026, 3, 10)

    clerk.hand_in(case, "plan")

    assert stage.item(case, "alpha").clock == "paused"
    assert [p.kind for p in ledger(stage, case, "alpha").pauses if p.until is None] == ["hearing"]


# The end ----------------------------------------------------------------------------------------------------------------------------------


def test_give_up__ends_the_items_concerned_and_undoes_nothing_else(stage, clerk, market):
    case = tolerated(stage, clerk)
    market.complete(case, "beta审批", outcome="granted")
    stage.travel(2026, 3, 10)

    stage.travel(2026, 3, 30)
    assert stage.statuses(case)["alpha"] == "in_review"
    stage.travel(2026, 3, 31, hour=0)

    assert stage.statuses(case) == {"alpha": "terminated", "beta": "issued", "gamma": "in_review"}
    assert stage.item(case, "alpha").reason == {"reason": "容缺材料未补：plan"}
    assert stage.tasks(case) == ["gamma审批"]
    assert stage.all(Tolerance, case)[0].status == "expired"
    [told] = stage.all(Notice, case, kind="termination")
    assert (told.title, told.content["outcome"]) == ("终止办理告知书", "terminated")
    assert (told.content["reason"], told.content["remedies"]) == ("容缺材料未补：plan", notices.REMEDIES)
    market.complete(case, "gamma审批", outcome="granted")
    clerk.complete(case, "统一出件")
    assert stage.case(case).ended_at is not None


def test_give_up__returned_as_the_restaurant_draws_it(stage, clerk, market, fire):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.without("m_food_rules"))
    clerk.complete(case, "一窗受理", **SIGNED)
    market.complete(case, "营业执照人工核验", outcome="granted")
    fire.complete(case, "消防承诺审查", outcome="granted")

    stage.travel(2026, 3, 17)
    stage.travel(2026, 4, 30)

    assert stage.statuses(case) == {"business_licence_check": "issued", "food_permit": "returned", "fire_check_commit": "issued"}
    [told] = stage.all(Notice, case, kind="return")
    assert (told.content["reason"], told.content["remedies"]) == ("容缺材料未补：食品安全规章制度目录清单", notices.REMEDIES)


def test_give_up__tells_each_item_all_that_has_not_come(stage, clerk):
    """Who is told of one material alone brings that one, and is sent away again."""
    menu = PLAN | {"material": "menu", "used_by": "alpha,beta"}
    case = tolerated(stage, clerk, PLAN, menu)

    stage.travel(2026, 3, 31, hour=0)

    told = {tuple(notice.content["items"]): notice.content["material"] for notice in stage.all(Notice, case, kind="termination")}
    alpha, beta = stage.item(case, "alpha"), stage.item(case, "beta")
    assert told == {(alpha.number,): "plan、menu", (beta.number,): "menu"}
    assert (alpha.reason, beta.reason) == ({"reason": "容缺材料未补：plan、menu"}, {"reason": "容缺材料未补：menu"})
    assert stage.statuses(case)["gamma"] == "in_review"


def test_give_up__granted_but_never_issued(stage, clerk, market):
    case = tolerated(stage, clerk, items={"alpha": {}})
    market.complete(case, "alpha审批", outcome="granted")

    stage.travel(2026, 3, 10)
    stage.travel(2026, 4, 30)

    assert stage.statuses(case) == {"alpha": "terminated"}
    assert stage.case(case).ended_at is not None


def test_give_up__blocks_who_waited_for_it(stage, clerk):
    items = {"alpha": {}, "beta": {"predecessors": "alpha:FS"}, "gamma": {"predecessors": "beta:RM"}}
    case = tolerated(stage, clerk, items=items)

    stage.travel(2026, 3, 10)
    stage.travel(2026, 4, 30)

    assert stage.statuses(case) == {"alpha": "terminated", "beta": "blocked", "gamma": "blocked"}
    assert stage.bundle(case).status == "running"  # the rating is asked for
    assert stage.tasks(case) == ["好差评"]


def test_give_up__an_item_that_has_not_started(stage, clerk, market):
    items = {"alpha": {"predecessors": "gamma:FS"}, "beta": {"predecessors": "alpha:FS"}, "gamma": {}}
    case = tolerated(stage, clerk, items=items)

    stage.travel(2026, 3, 10)
    stage.travel(2026, 4, 30)
    assert stage.statuses(case) == {"alpha": "terminated", "beta": "blocked", "gamma": "in_review"}
    market.complete(case, "gamma审批", outcome="granted")
    clerk.complete(case, "统一出件")

    assert stage.tasks(case) == ["好差评"]


def test_give_up__an_item_that_nobody_has_accepted(stage, clerk):
    """It was applied for again, and waits at the window: its material is still to be promised."""
    case = tolerated(stage, clerk, PLAN | {"used_by": "alpha,beta"}, items={"alpha": {}, "beta": {}})
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")
    stage.travel(2026, 3, 10)
    stage.travel(2026, 3, 30)
    clerk.handle("reapply", stage.item(case, "alpha"))

    stage.travel(2026, 3, 31, hour=0)

    assert (stage.statuses(case), stage.incidents(case)) == ({"beta": "terminated", "alpha": "submitted"}, [])


def test_waive__nobody_needs_it_any_more(stage, clerk, market):
    case = tolerated(stage, clerk, items={"alpha": {}, "beta": {}})

    market.complete(case, "alpha审批", outcome="denied", reason_code="conditions", reason="不符合条件")
    assert stage.all(Tolerance, case)[0].status == "waived"
    market.complete(case, "beta审批", outcome="granted")

    assert stage.tasks(case) == ["统一出件"]


def test_promise__again_after_it_was_given_up(stage, clerk, market):
    """The item is applied for again while the bundle is open, and the same material is missing again."""
    case = tolerated(stage, clerk)
    stage.travel(2026, 3, 10)
    stage.travel(2026, 4, 30)

    clerk.handle("reapply", stage.item(case, "alpha"))
    clerk.complete(case, "接续受理", **SIGNED)

    assert [t.status for t in stage.all(Tolerance, case)] == ["expired", "open"]
    assert stage.statuses(case)["alpha"] == "in_review"
    clerk.hand_in(case, "plan")
    assert [t.status for t in stage.all(Tolerance, case)] == ["expired", "met"]
