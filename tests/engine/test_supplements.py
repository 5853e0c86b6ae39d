from __future__ import annotations

import pytest
import time_machine

from engine import notices, scheduler
from engine.actors import Role, RoleGrant
from engine.case_models import Notice, Supplement, Tolerance
from engine.errors import InvalidInput, InvalidState
from tests import restaurant, tiny
from tests.engine.test_recomputing import publish
from tests.restaurant import ANSWERS
from tests.stage import APPLICANT, MONDAY

MATERIALS = [{"material": "plan", "used_by": "alpha"}, {"material": "lease", "used_by": "beta"}]


def lacking(stage):
    stage.person("clerk").submit("open_restaurant", answers=ANSWERS, materials=restaurant.without("m_plan", "m_evac", "m_premises"))


def lacking_one(stage):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS))
    stage.person("clerk").submit("tiny", materials=["lease"])


@pytest.fixture
def case(begun):
    [case] = begun(lacking)
    return case


@pytest.fixture
def small(begun):
    [case] = begun(lacking_one)
    return case


def test_issue__names_everything_that_is_missing(stage, clerk, case):
    """The clerk names one defect; the notice lists all materials (art. 32 (4): 一次告知全部内容)."""
    clerk.complete(case, "一窗受理", outcome="supplement", defects="平面图未标注比例")

    [notice] = stage.all(Notice, case, kind="supplement")
    assert {m["code"] for m in notice.content["missing"]} == {"m_evac", "m_plan", "m_premises"}
    assert notice.content["defects"] == "平面图未标注比例"
    assert notice.content["due_on"] == "2026-03-16"
    assert set(stage.statuses(case).values()) == {"correcting"}


LATER = [{"material": "plan"}, {"material": "card", "tolerable": True, "until": "AFTER_ISSUE", "due_days": 15}]


@pytest.fixture
def promising(stage, clerk):
    """A case that was asked for a plan, and for a card that may follow later."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, materials=LATER))
    case = clerk.submit("tiny", materials=[])
    clerk.complete(case, "一窗受理", outcome="supplement")
    return case


def test_answer__what_may_follow_later_is_promised(stage, clerk, market, promising):
    """The notice names all that is missing, once; what may follow later is no condition of acceptance, also after a notice (容缺受理)."""
    [notice] = stage.all(Notice, promising, kind="supplement")
    assert notice.content["missing"] == [{"code": "plan", "name": "plan"}, {"code": "card", "name": "card", "tolerable": True}]
    clerk.hand_in(promising, "plan")

    clerk.complete(promising, "补正材料", answered=True, commitment_signed=True)
    clerk.complete(promising, "一窗受理", outcome="tolerate", commitment_signed=True)

    [tolerance] = stage.all(Tolerance, promising)
    assert (tolerance.code, tolerance.status) == ("card", "open")
    assert stage.tasks(promising) == ["alpha审批"]


def test_answer__what_may_follow_later_is_not_promised(clerk, promising):
    clerk.hand_in(promising, "plan")

    with pytest.raises(InvalidInput, match="card is still missing: it may follow later once the applicant has promised it"):
        clerk.complete(promising, "补正材料", answered=True)


def test_answer__promised_but_something_else_is_missing(clerk, promising):
    with pytest.raises(InvalidInput, match="Expected only materials that may follow later to be missing, but plan may not"):
        clerk.complete(promising, "补正材料", answered=True, commitment_signed=True)


def test_answer__promised_by_somebody_who_may_not(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, materials=LATER))
    case = clerk.submit("tiny", materials=["plan"], applicant=APPLICANT | {"dishonest": True})
    clerk.complete(case, "一窗受理", outcome="supplement")

    with pytest.raises(InvalidInput, match="Expected an applicant without unrepaired dishonesty"):
        clerk.complete(case, "补正材料", answered=True, commitment_signed=True)


def test_issue__nothing_to_correct(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.MATERIALS)

    with pytest.raises(InvalidInput, match="no material is missing and no defect is named"):
        clerk.complete(case, "一窗受理", outcome="supplement", defects="  ")

    assert set(stage.statuses(case).values()) == {"submitted"}


def test_issue__only_a_defect(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.MATERIALS)

    clerk.complete(case, "一窗受理", outcome="supplement", defects="签名不清")
    clerk.complete(case, "补正材料", answered=True)

    assert set(stage.statuses(case).values()) == {"submitted"}


def test_answer__something_still_missing(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.hand_in(case, "m_plan")

    with pytest.raises(InvalidInput) as refusal:
        clerk.complete(case, "补正材料", answered=True)

    assert {e["field"] for e in refusal.value.details["errors"]} == {"materials.m_evac", "materials.m_premises"}
    assert stage.tasks(case) == ["补正材料"]


def test_answer__what_a_withdrawn_item_needed_is_not_asked(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.handle("withdraw", stage.item(small, "alpha"), reason="不办了")

    clerk.complete(small, "补正材料", answered=True)

    assert stage.statuses(small) == {"alpha": "withdrawn", "beta": "submitted"}


def test_answer__then_everything_is_accepted(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")
    for code in ("m_plan", "m_evac", "m_premises"):
        clerk.hand_in(case, code)
    clerk.complete(case, "补正材料", answered=True)

    clerk.complete(case, "一窗受理", outcome="accept")

    assert set(stage.statuses(case).values()) == {"in_review"}
    assert [s.status for s in stage.all(Supplement, case)] == ["answered"]


def test_issue__a_second_time(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    clerk.complete(small, "补正材料", answered=True)

    with pytest.raises(InvalidState, match="after all corrections came in"):
        clerk.complete(small, "一窗受理", outcome="supplement", defects="还要别的")

    assert stage.statuses(small) == {"alpha": "submitted", "beta": "submitted"}
    assert stage.notices(small) == ["receipt", "supplement"]


def test_issue__a_second_time_with_a_supervisor(stage, clerk, supervisor, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    clerk.complete(small, "补正材料", answered=True)

    supervisor.complete(small, "一窗受理", outcome="supplement", defects="图纸与现场不符")

    first, second = stage.all(Supplement, small)
    assert (first.allowed_by, second.allowed_by) == (None, "supervisor")
    assert stage.alerts(small) == [("yellow", "second_supplement")]
    assert set(stage.statuses(small).values()) == {"correcting"}


def test_issue__supervisor_of_another_hall(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    clerk.complete(small, "补正材料", answered=True)
    both = stage.somebody(RoleGrant(role=Role.CLERK, hall="changsha"), RoleGrant(role=Role.SUPERVISOR, hall="yuelu"))

    with pytest.raises(InvalidState):
        both.complete(small, "一窗受理", outcome="supplement", defects="x")

    assert stage.alerts(small) == []


def test_lapse__nobody_answers(stage, clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 16)
    assert set(stage.statuses(case).values()) == {"correcting"}
    stage.travel(2026, 3, 17, hour=0)

    assert set(stage.statuses(case).values()) == {"returned"}
    assert stage.notices(case) == ["receipt", "supplement", "return"]


def test_lapse__nothing_is_left(stage, clerk, small):
    """Then the bundle ends, as if it had been returned as a whole."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[{"material": "plan", "used_by": "*"}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 17, hour=0)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "returned"}
    assert {item.reason["reason"] for item in stage.items(case).values()} == {"补正不来"}
    assert stage.notices(case) == ["receipt", "supplement", "return"]
    assert stage.all(Notice, case, kind="return")[0].content["remedies"] == notices.REMEDIES
    assert stage.bundle(case).status == "completed"
    assert stage.case(case).ended_at is not None
    assert stage.case(case).clock_started_on is None


def test_lapse__its_last_day_becomes_a_day_off(stage, clerk, small):
    """The applicant was told a day; on the next working day it is not too late (民法典 art. 203)."""
    clerk.complete(small, "一窗受理", outcome="supplement")
    publish(stage, 16)

    stage.travel(2026, 3, 17)
    assert stage.statuses(small)["alpha"] == "correcting"
    stage.travel(2026, 3, 18, hour=0)

    assert stage.statuses(small)["alpha"] == "returned"


def test_lapse__an_item_had_joined_meanwhile(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS))
    case = clerk.submit("tiny", items=["alpha"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.follow_on(case, "beta")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "submitted"}
    assert stage.tasks(case) == ["接续受理"]
    clerk.hand_in(case, "lease")
    clerk.complete(case, "接续受理", outcome="accept")
    assert stage.statuses(case)["beta"] == "in_review"


def test_lapse__what_lacks_nothing_is_accepted(stage, clerk, market, small):
    """行政许可法 art. 32 (5): complete is complete, whatever the neighbour lacks; its clock runs from the day after the period."""
    clerk.complete(small, "一窗受理", outcome="supplement")

    stage.move_to(2026, 3, 19)  # the scheduler was asleep
    scheduler.drain(stage.database)

    assert stage.statuses(small) == {"alpha": "returned", "beta": "in_review"}
    alpha, beta = stage.item(small, "alpha"), stage.item(small, "beta")
    assert alpha.reason == {"reason": "补正不来", "missing": [{"code": "plan", "name": "plan"}]}
    assert (beta.accepted_by, str(beta.promised_on)) == ("complete", "2026-03-31")
    [told] = stage.all(Notice, small, kind="return")
    assert (told.content["items"], told.content["reason"]) == ([alpha.number], "逾期未按要求补正")
    [accepted] = stage.all(Notice, small, kind="acceptance")
    assert [each["number"] for each in accepted.content["items"]] == [beta.number]
    market.complete(small, "beta审批", outcome="granted")
    clerk.complete(small, "统一出件")
    assert stage.statuses(small) == {"alpha": "returned", "beta": "issued"}


def test_lapse__what_needs_the_returned_is_blocked(stage, clerk, small):
    items = {"alpha": {}, "beta": {"predecessors": "alpha:RM"}}
    stage.deploy("tiny", **tiny.folder(items, materials=MATERIALS))
    case = clerk.submit("tiny", materials=["lease"])
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "blocked"}
    assert stage.bundle(case).status == "completed"


def test_lapse__joined_meanwhile_and_lacks_nothing(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS))
    case = clerk.submit("tiny", items=["alpha"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.follow_on(case, "beta")
    clerk.hand_in(case, "lease")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "in_review"}


def test_lapse__as_drawn_before(stage, clerk):
    """A case keeps the drawing it began with: there the whole bundle is returned."""
    files = tiny.folder({"alpha": {}, "beta": {}}, materials=MATERIALS)
    before = files | {"tiny_bpmn": files["tiny_bpmn"].replace(b"onething.return-lacking", b"onething.return")}
    stage.deploy("tiny", **before)
    case = clerk.submit("tiny", materials=["lease"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    stage.deploy("tiny", **files)

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "returned"}


def test_lapse__nothing_waits_for_them_any_more(stage, clerk, small):
    """What was to be corrected was withdrawn, and an adopted item goes on: nobody is told that nothing is returned."""
    alone = clerk.take_in("alpha", materials=["plan"])
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    clerk.complete(bundle, "一窗受理", outcome="supplement", defects="签名不清")
    clerk.handle("withdraw", stage.item(bundle, "beta"), reason="不办了")

    stage.travel(2026, 3, 30)

    assert "return" not in stage.notices(bundle)
    assert stage.statuses(bundle) == {"beta": "withdrawn", "alpha": "in_review"}


def test_issue__nothing_is_left_to_correct(stage, clerk, small):
    alone = clerk.take_in("alpha", materials=["plan"])
    bundle = clerk.submit("tiny", items=["beta"])
    clerk.adopt(bundle, stage.item(alone, "alpha").number)
    clerk.handle("withdraw", stage.item(bundle, "beta"), reason="不办了")

    with pytest.raises(InvalidInput, match="waits for an answer"):
        clerk.complete(bundle, "一窗受理", outcome="supplement", defects="签名不清")


def test_lapse__a_defect_of_one_item(stage, clerk, small):
    clerk.hand_in(small, "plan")
    clerk.complete(small, "一窗受理", outcome="supplement", defects="平面图未标注比例", defect_items="alpha")
    [notice] = stage.all(Notice, small, kind="supplement")
    assert notice.content["items"] == [stage.item(small, "alpha").number]

    stage.travel(2026, 3, 17)

    assert stage.statuses(small) == {"alpha": "returned", "beta": "in_review"}
    [told] = stage.all(Notice, small, kind="return")
    assert (told.content["missing"], told.content["defects"]) == ([], "平面图未标注比例")


#: A look into a register: it asks for nothing, and hands out nothing.
LOOK = {"look": tiny.item("look", result="")}


def test_lapse__what_asks_nothing_is_not_applied_for_alone(stage, clerk):
    """A look into a register has no sense without the permit that it is made for, and lacks nothing, whatever the applicant does."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "look": {}}, materials=MATERIALS[:1], processes=LOOK))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "look": "returned"}
    assert stage.item(case, "look").reason == {"reason": "补正不来", "missing": []}
    [told] = stage.all(Notice, case, kind="return")
    assert told.content["items"] == [stage.item(case, "alpha").number, stage.item(case, "look").number]
    assert [m["code"] for m in told.content["missing"]] == ["plan"]
    assert stage.bundle(case).status == "completed"
    assert stage.case(case).ended_at is not None


def test_lapse__what_asks_nothing_and_has_a_result_is_complete(stage, clerk):
    """Its applicant has handed in all that it asks for: 行政许可法 art. 32 (5)."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "card": {}}, materials=MATERIALS[:1]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "card": "in_review"}


def test_lapse__what_asks_nothing_goes_on_with_what_is_complete(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "look": {}}, materials=MATERIALS, processes=LOOK))
    case = clerk.submit("tiny", materials=["lease"])
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "in_review", "look": "in_review"}


def test_lapse__what_asks_nothing_goes_on_with_what_has_joined(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "look": {}}, materials=MATERIALS, processes=LOOK))
    case = clerk.submit("tiny", items=["alpha", "look"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.follow_on(case, "beta")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "look": "in_review", "beta": "submitted"}


def test_lapse__what_asked_something_was_withdrawn(stage, clerk):
    """It goes on for nothing any more; what is returned says why."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "look": {}}, materials=MATERIALS, processes=LOOK))
    case = clerk.submit("tiny", materials=["lease"])
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.handle("withdraw", stage.item(case, "beta"), reason="不办了")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"alpha": "returned", "beta": "withdrawn", "look": "returned"}


def test_lapse__where_nothing_asks_anything_the_notice_says_what_is_returned(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"look": {}, "other": {}}, processes=LOOK))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="supplement", defects="统一社会信用代码有误", defect_items="look")

    stage.travel(2026, 3, 17)

    assert stage.statuses(case) == {"look": "returned", "other": "in_review"}


def test_issue__a_defect_of_no_item_of_the_case(stage, clerk, small):
    with pytest.raises(InvalidInput, match="but gamma is none of them"):
        clerk.complete(small, "一窗受理", outcome="supplement", defects="x", defect_items="alpha、gamma")
    with pytest.raises(InvalidInput, match="nothing is said of it"):
        clerk.complete(small, "一窗受理", outcome="supplement", defect_items="alpha")

    assert set(stage.statuses(small).values()) == {"submitted"}


# Not mended -------------------------------------------------------------------------------------------------------------------------------

BLANK = {"answered": False, "reason": "平面图为空白页"}


def test_unmended__is_refused_and_the_others_are_accepted(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")
    stage.travel(2026, 3, 4)
    clerk.hand_in(small, "plan")

    clerk.complete(small, "补正材料", **BLANK)

    assert stage.statuses(small) == {"alpha": "refused", "beta": "in_review"}
    alpha, beta = stage.item(small, "alpha"), stage.item(small, "beta")
    assert alpha.reason["reason"] == "平面图为空白页"
    assert "行政复议" in alpha.reason["remedies"]
    assert (beta.accepted_by, str(beta.promised_on)) == ("clerk", "2026-03-18")
    assert stage.notices(small) == ["receipt", "supplement", "refusal", "acceptance"]


def test_unmended__all_of_it(stage, clerk, small):
    clerk.hand_in(small, "plan")
    clerk.complete(small, "一窗受理", outcome="supplement", defects="申请书未盖章")
    clerk.hand_in(small, "plan")

    clerk.complete(small, "补正材料", answered=False, reason="仍未盖章")

    assert stage.statuses(small) == {"alpha": "refused", "beta": "refused"}
    assert stage.bundle(small).status == "completed"
    assert stage.case(small).ended_at is not None


def test_unmended__one_of_two(stage, clerk, small):
    clerk.hand_in(small, "plan")
    clerk.complete(small, "一窗受理", outcome="supplement", defects="两处签名不清")
    clerk.hand_in(small, "plan")

    clerk.complete(small, "补正材料", **BLANK, unmended=stage.item(small, "beta").number)

    assert stage.statuses(small) == {"alpha": "in_review", "beta": "refused"}


@pytest.mark.parametrize(
    ("handed_in", "statuses"),
    [
        (["lease"], {"alpha": "refused", "beta": "in_review", "look": "in_review"}),
        ([], {"alpha": "refused", "beta": "refused", "look": "refused"}),
    ],
    ids=["something is left", "nothing is left"],
)
def test_unmended__what_asks_nothing_is_not_applied_for_alone(stage, clerk, handed_in, statuses):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "look": {}}, materials=MATERIALS, processes=LOOK))
    case = clerk.submit("tiny", materials=handed_in)
    clerk.complete(case, "一窗受理", outcome="supplement")
    for code in {"plan", "lease"} - set(handed_in):
        clerk.hand_in(case, code)

    clerk.complete(case, "补正材料", **BLANK)

    assert stage.statuses(case) == statuses
    [told] = stage.all(Notice, case, kind="refusal")
    assert told.content["items"] == [stage.item(case, code).number for code, status in statuses.items() if status == "refused"]
    assert {item.reason["reason"] for item in stage.items(case).values() if item.status == "refused"} == {"平面图为空白页"}
    assert (stage.bundle(case).status == "completed") is ("in_review" not in statuses.values())


def unchanged(stage, case):
    assert stage.statuses(case) == {"alpha": "correcting", "beta": "correcting"}
    assert stage.tasks(case) == ["补正材料"]
    assert [str(s.status) for s in stage.all(Supplement, case)] == ["open"]


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"answered": False}, InvalidInput, "Expected a reason"),
        ({"answered": False, "reason": " "}, InvalidInput, "Expected a reason"),
        ({"answered": False, "reason": 1}, InvalidInput, "Expected reason to be text"),
        (BLANK | {"unmended": "beta"}, InvalidInput, "but beta is none of them"),
        (BLANK | {"unmended": "alpha，gamma"}, InvalidInput, "but gamma is none of them"),
        (BLANK | {"unmended": ["alpha"]}, InvalidInput, "Expected unmended to be text"),
    ],
)
def test_unmended__bad_input(stage, clerk, small, said, error, words):
    """Nothing new may be asked: of beta the notice has asked nothing."""
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")

    with pytest.raises(error, match=words):
        clerk.complete(small, "补正材料", **said)

    unchanged(stage, small)


def test_unmended__something_has_not_come_in(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")

    with pytest.raises(InvalidInput, match="plan is still missing"):
        clerk.complete(small, "补正材料", **BLANK)

    unchanged(stage, small)


@pytest.mark.parametrize("said", [{}, {"answered": False}, {"answered": False, "reason": " "}])
def test_unmended__nothing_is_ticked_and_something_has_not_come_in(stage, clerk, case, said):
    """Who is asked for a reason alone writes one, and is told only then what is missing (一次性告知)."""
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.hand_in(case, "m_plan")

    with pytest.raises(InvalidInput) as refusal:
        clerk.complete(case, "补正材料", **said)

    assert {error["field"] for error in refusal.value.details["errors"]} == {"reason", "materials.m_evac", "materials.m_premises"}
    assert "场所合法使用证明（产权/租赁）、灭火和应急疏散预案 is still missing" in refusal.value.message
    assert set(stage.statuses(case).values()) == {"correcting"}


def test_unmended__nothing_is_ticked_and_all_has_come_in(clerk, case):
    clerk.complete(case, "一窗受理", outcome="supplement")
    for code in ("m_plan", "m_evac", "m_premises"):
        clerk.hand_in(case, code)

    with pytest.raises(InvalidInput) as refusal:
        clerk.complete(case, "补正材料")

    assert [error["field"] for error in refusal.value.details["errors"]] == ["reason"]


def test_unmended__of_what_is_promised_only_the_rest_is_missing(clerk, case):
    """What else is wrong with the form is told beside it."""
    clerk.complete(case, "一窗受理", outcome="supplement")

    with pytest.raises(InvalidInput) as refusal:
        clerk.complete(case, "补正材料", answered=True, commitment_signed=True, remark=1)

    assert {error["field"] for error in refusal.value.details["errors"]} == {"remark", "materials.m_premises"}


def test_unmended__no_form_asks_for_the_reason(stage, clerk, small):
    clerk.complete(small, "一窗受理", outcome="supplement")

    with pytest.raises(InvalidInput, match=r"plan is still missing.*Expected a reason") as refusal:
        clerk.complete(small, "补正材料", answered=False)

    assert [error["field"] for error in refusal.value.details["errors"]] == ["materials.plan", "reason"]
    unchanged(stage, small)


def test_unmended__nothing_has_come_in_since_the_defect_was_named(stage, clerk, small):
    clerk.hand_in(small, "plan")
    clerk.complete(small, "一窗受理", outcome="supplement", defects="签名不清")

    with pytest.raises(InvalidState, match="may be corrected until 2026-03-16"):
        clerk.complete(small, "补正材料", **BLANK)

    unchanged(stage, small)


def test_unmended__handed_in_at_the_very_instant_of_the_notice(stage, clerk, small):
    """It was there when the notice was written, which asks for something else."""
    with time_machine.travel(MONDAY, tick=False):
        clerk.hand_in(small, "plan")
        clerk.complete(small, "一窗受理", outcome="supplement", defects="签名不清")

    with pytest.raises(InvalidState, match="nothing has come in since the notice"):
        clerk.complete(small, "补正材料", **BLANK)

    unchanged(stage, small)


def test_unmended__handed_in_at_the_instant_of_the_notice_and_after_it(stage, clerk, small):
    """The clock of a drawing that is tried out stands still while people act."""
    clerk.hand_in(small, "plan")
    with time_machine.travel(MONDAY, tick=False):
        clerk.complete(small, "一窗受理", outcome="supplement", defects="签名不清")
        clerk.hand_in(small, "plan")

    clerk.complete(small, "补正材料", **BLANK)

    assert set(stage.statuses(small).values()) == {"refused"}


def test_unmended__after_the_five_days(stage, clerk, small):
    """What the window has not said in its five days counts as made, also while the scheduler sleeps."""
    clerk.complete(small, "一窗受理", outcome="supplement")
    clerk.hand_in(small, "plan")
    stage.move_to(2026, 3, 10, hour=0)

    with pytest.raises(InvalidState, match="they count as made"):
        clerk.complete(small, "补正材料", **BLANK)

    unchanged(stage, small)
