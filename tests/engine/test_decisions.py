from __future__ import annotations

import pytest

from engine import incidents, processes
from engine.case_models import Notice
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.models import Outbox
from engine.places import Place
from engine.variables import Given
from tests import tiny
from tests.bpmn import diagrams as d
from tests.hall import OPERATOR
from tests.restaurant import ANSWERS, MATERIALS

PLAN = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_DECISION", "due_days": 5, "grace_days": 15}
DENIED = {"outcome": "denied", "reason_code": "conditions", "reason": "场所面积不足"}


def accepted(stage, clerk, items, *materials, outcome="accept", **folder):
    stage.deploy("tiny", **tiny.folder(items, materials=materials, **folder))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome=outcome, commitment_signed=True)
    return case


def test_settle__granted(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})

    market.complete(case, "alpha审批", outcome="granted", certificate_no="A-1", area=120)

    item = stage.item(case, "alpha")
    assert (item.status, item.clock, item.decided_by) == ("granted", "stopped", "officer-market")
    assert item.result == {"certificate_no": "A-1", "area": 120}
    assert item.reason is None
    assert stage.all(Notice, case, kind="grant")[0].item_id == item.id


def test_settle__denied_with_reason_and_remedies(stage, clerk, market):
    """行政许可法 art. 38: a written refusal with reasons, and how to have it reviewed."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})

    market.complete(case, "alpha审批", **DENIED)

    item = stage.item(case, "alpha")
    [notice] = stage.all(Notice, case, kind="denial")
    assert (item.status, item.reason["reason_code"], item.result) == ("denied", "conditions", {})
    assert notice.content["reason"] == "场所面积不足"
    assert "行政复议" in notice.content["remedies"]
    assert stage.statuses(case)["beta"] == "in_review"


@pytest.mark.parametrize("lacking", [{"reason": " "}, {"reason": None}, {"reason_code": ""}, {"reason_code": None}])
def test_settle__denied_without_reasons(stage, clerk, market, lacking):
    case = accepted(stage, clerk, {"alpha": {}})

    with pytest.raises(InvalidInput) as refusal:
        market.complete(case, "alpha审批", **(DENIED | lacking))

    assert [e["field"] for e in refusal.value.details["errors"]] == list(lacking)
    assert stage.statuses(case) == {"alpha": "in_review"}
    assert stage.tasks(case) == ["alpha审批"]


@pytest.mark.parametrize("outcome", [None, "", "inspect", ["granted"]])
def test_settle__undecided_is_not_granted(stage, clerk, market, outcome):
    """Any other outcome only moves the token; a process that ends without a decision is an incident of its bundle."""
    case = accepted(stage, clerk, {"alpha": {}})

    market.complete(case, "alpha审批", outcome=outcome)

    assert stage.statuses(case) == {"alpha": "in_review"}
    assert "Expected item" in stage.jobs(case)[0].error


def test_settle__by_another_department(stage, clerk, fire):
    case = accepted(stage, clerk, {"alpha": {}})

    with pytest.raises(NotFound):
        fire.complete(case, "alpha审批", outcome="granted")

    assert stage.statuses(case) == {"alpha": "in_review"}


def test_settle__by_a_supervisor(stage, clerk, supervisor):
    """A supervisor sees the department's task, and does not decide in its place."""
    case = accepted(stage, clerk, {"alpha": {}})

    with pytest.raises(Exception, match="Expected to"):
        supervisor.complete(case, "alpha审批", outcome="granted")

    assert stage.statuses(case) == {"alpha": "in_review"}


def test_settle__material_due_before_the_decision(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, PLAN, outcome="tolerate")

    with pytest.raises(InvalidState, match="waits for plan") as refusal:
        market.complete(case, "alpha审批", outcome="granted")
    assert refusal.value.details["missing"] == ["plan"]
    market.complete(case, "beta审批", outcome="granted")
    clerk.hand_in(case, "plan")
    market.complete(case, "alpha审批", outcome="granted")

    assert stage.statuses(case) == {"alpha": "granted", "beta": "granted"}


def test_settle__denied_whatever_is_missing(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}}, PLAN, outcome="tolerate")

    market.complete(case, "alpha审批", **DENIED)

    assert stage.statuses(case) == {"alpha": "denied"}


# Predecessors -----------------------------------------------------------------------------------------------------------------------------


def test_predecessor__granted(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {"predecessors": "alpha:RM"}})
    stage.travel(2026, 3, 4)

    market.complete(case, "alpha审批", outcome="granted")

    assert stage.statuses(case)["beta"] == "in_review"
    # Ten working days from Wednesday, when it could begin.
    assert stage.task(case, "beta审批").due_at.isoformat() == "2026-03-18T16:00:00+00:00"


def test_predecessor__several(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}, "gamma": {"predecessors": "alpha:FS beta:FS"}})

    market.complete(case, "alpha审批", outcome="granted")
    assert stage.statuses(case)["gamma"] == "waiting"
    market.complete(case, "beta审批", outcome="granted")

    assert stage.tasks(case) == ["gamma审批"]


def test_predecessor__not_in_this_case(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}))
    case = clerk.submit("tiny", items=["beta"])

    clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.statuses(case) == {"beta": "in_review"}


def test_predecessor__denied_blocks_the_chain(stage, clerk, market):
    chain = {
        "alpha": {},
        "beta": {"predecessors": "alpha:FS"},
        "gamma": {"predecessors": "beta:RM"},
        "delta": {"predecessors": "alpha:DATA"},
    }
    case = accepted(stage, clerk, chain)

    market.complete(case, "alpha审批", **DENIED)

    assert stage.statuses(case) == {"alpha": "denied", "beta": "blocked", "gamma": "blocked", "delta": "in_review"}
    assert stage.item(case, "gamma").reason == {"reason": "前置事项未通过：beta"}
    assert stage.item(case, "gamma").clock == "stopped"
    market.complete(case, "delta审批", outcome="granted")
    assert stage.tasks(case) == ["统一出件"]


def test_predecessor__denied_and_the_blocked_are_told_why(stage, clerk, market):
    """行政许可法 art. 38: whatever was applied for and is not granted ends with a document that gives the reason and the remedies."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {"predecessors": "alpha:FS"}, "gamma": {"predecessors": "beta:RM"}, "delta": {}})

    market.complete(case, "alpha审批", **DENIED)

    told = stage.all(Notice, case, kind="termination")
    items = stage.items(case)
    assert {notice.item_id for notice in told} == {items["beta"].id, items["gamma"].id}
    assert [notice.title for notice in told] == ["终止办理告知书"] * 2
    [beta] = [notice.content for notice in told if notice.item_id == items["beta"].id]
    assert (beta["items"], beta["reason"], beta["outcome"]) == ([items["beta"].number], "前置事项未通过：alpha", "blocked")
    assert "行政复议" in beta["remedies"]
    assert len([job for job in stage.all(Outbox, case, topic="notice") if job.payload["kind"] == "termination"]) == 2
    written = [(entry.actor, entry.details) for entry in stage.journal(case) if entry.what == "item blocked"]
    numbers = {notice.item_id: notice.number for notice in told}
    assert written == [
        ("engine", {"item": item.number, "notice": numbers[item.id], "reason": f"前置事项未通过：{needed}"})
        for item, needed in ((items["beta"], "alpha"), (items["gamma"], "beta"))
    ]


def test_predecessor__denied_and_everything_is_over(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {"predecessors": "alpha:FS"}})

    market.complete(case, "alpha审批", **DENIED)

    assert stage.tasks(case) == ["好差评"]
    assert stage.case(case).ended_at is not None


def test_predecessor__denied_but_on_refusal_continue(stage, clerk, market):
    chain = {"alpha": {}, "beta": {"predecessors": "alpha:FS", "on_refusal": "CONTINUE"}, "gamma": {"predecessors": "alpha:FS"}}
    case = accepted(stage, clerk, chain)
    assert stage.statuses(case)["beta"] == "waiting"

    market.complete(case, "alpha审批", **DENIED)

    assert stage.statuses(case) == {"alpha": "denied", "beta": "in_review", "gamma": "blocked"}
    market.complete(case, "beta审批", outcome="granted")
    assert stage.tasks(case) == ["统一出件"]


def test_predecessor__withdrawn_blocks(stage, clerk):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {"predecessors": "alpha:FS"}, "gamma": {}})

    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    assert stage.statuses(case) == {"alpha": "withdrawn", "beta": "blocked", "gamma": "in_review"}


def test_predecessor__withdrawn_before_acceptance(stage, clerk):
    """Everything that is left waits for what is gone: accepted, blocked, and the bundle is over."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}, "gamma": {"predecessors": "beta:FS"}}))
    case = clerk.submit("tiny")
    clerk.handle("withdraw", stage.item(case, "alpha"), reason="不办了")

    clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "withdrawn", "beta": "blocked", "gamma": "blocked"}
    assert stage.tasks(case) == ["好差评"]


def test_predecessor__joins_when_the_other_is_in_review_already(stage, clerk, market):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}))
    case = clerk.take_in("tiny", items=["beta"])
    clerk.follow_on(case, "alpha")
    clerk.complete(case, "接续受理", outcome="accept")

    with pytest.raises(InvalidState, match="alpha is not granted yet"):
        market.complete(case, "beta审批", outcome="granted")
    market.complete(case, "alpha审批", outcome="granted")
    market.complete(case, "beta审批", outcome="granted")

    assert stage.statuses(case) == {"alpha": "granted", "beta": "granted"}


def test_predecessor__what_it_yielded_is_known_to_who_follows(stage, clerk, market):
    follower = tiny.item("beta", d.start("accepted"), tiny.decision("beta"), d.end("decided"), d.flows("accepted -> decide -> decided"))
    case = accepted(stage, clerk, {"alpha": {}, "beta": {"predecessors": "alpha:RM"}}, processes={"beta": follower})

    market.complete(case, "alpha审批", outcome="granted", id_number="430111202601010017")

    assert stage.own_process(stage.item(case, "beta")).variables["id_number"] == "430111202601010017"


# Automatic --------------------------------------------------------------------------------------------------------------------------------


def automatic(outcome):
    return tiny.item(
        "alpha",
        d.start("accepted"),
        d.external("decide", topic="onething.decide"),
        d.end("decided"),
        d.flows("accepted -> decide -> decided"),
        d.element("textAnnotation", "note"),
    )


@pytest.mark.parametrize("answer", ["granted", "denied"])
def test_decide_automatically__by_a_table(stage, clerk, market, answer):
    """The shipped licence check: what the table grants needs nobody; doubt goes to a person."""
    known = {"kind": "enterprise", "name": "好味", "id_number": "91430100MA4L000000" if answer == "denied" else "914403001922038216"}
    known |= {"phone": "13800000001", "licence_status": "存续"}
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS, applicant=known)

    clerk.complete(case, "一窗受理", outcome="accept")

    expected = "granted" if answer == "granted" else "in_review"
    item = stage.item(case, "business_licence_check")
    assert (item.status, item.decided_by) == (expected, "engine" if answer == "granted" else None)
    assert ("营业执照人工核验" in stage.tasks(case)) == (expected == "in_review")


def test_decide_automatically__no_clear_outcome(stage, clerk):
    """Nothing is ever granted by doubt: the step fails, an incident says so, the others go on."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, processes={"alpha": automatic(None)})

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "in_review"}
    assert "but it is None: set this variable of its process, and retry" in stage.incidents(case)[0].message


def test_decide_automatically__the_outcome_is_brought_later(stage, clerk):
    """What the incident says to do helps."""
    case = accepted(stage, clerk, {"alpha": {}}, processes={"alpha": automatic(None)})
    (incident,) = stage.incidents(case)
    place = Place(instance_id=stage.item(case, "alpha").instance_id)

    with stage.database.transaction() as session:
        processes.set_variables(session, place, Given(values={"outcome": "granted"}), actor=OPERATOR)
        incidents.retry(session, incident.id, actor=OPERATOR)

    assert stage.statuses(case) == {"alpha": "granted"}
