from __future__ import annotations

import pytest

from engine.case_models import Alert, Package, Rating, Result
from engine.errors import InvalidInput, InvalidState
from engine.models import Outbox
from tests import tiny
from tests.bpmn import diagrams as d
from tests.engine.test_recomputing import publish

DENIED = {"outcome": "denied", "reason_code": "conditions", "reason": "不符合条件"}


def accepted(stage, clerk, items, *, outcome="accept", **folder):
    stage.deploy("tiny", **tiny.folder(items, **folder))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome=outcome, commitment_signed=True)
    return case


def decided(stage):
    """Two granted, one denied."""
    case, market = accepted(stage, stage.person("clerk"), {"alpha": {}, "beta": {}, "gamma": {}}), stage.person("officer-market")
    market.complete(case, "alpha审批", outcome="granted", certificate_no="JY-1")
    market.complete(case, "beta审批", outcome="granted")
    market.complete(case, "gamma审批", **DENIED)


@pytest.fixture
def case(begun):
    [case] = begun(decided)
    return case


@pytest.mark.parametrize("mode", ["unified", "classified", "comprehensive"])
def test_issue__what_was_granted(stage, clerk, case, mode):
    """One denied, the others granted: what conforms goes out (部分办结)."""
    clerk.complete(case, "统一出件", mode=mode, delivery="window", recipient="张三")

    [package] = stage.all(Package, case)
    assert (package.mode, package.recipient, package.issued_by) == (mode, "张三", "clerk")
    assert stage.statuses(case) == {"alpha": "issued", "beta": "issued", "gamma": "denied"}
    assert stage.case(case).ended_at is not None
    assert len(stage.all(Outbox, case, topic="issuance")) == 1


def test_issue__certificates(stage, clerk, case):
    clerk.complete(case, "统一出件")

    found = {result.name: (result.number, result.holder, result.issuer) for result in stage.all(Result, case)}
    assert found == {
        "alpha 证": ("JY-1", "好味餐饮", "market"),
        "beta 证": (f"{stage.item(case, 'beta').number}-Z", "好味餐饮", "market"),
    }


def test_issue__the_same_number_by_two_departments(stage, clerk, market):
    """Departments number their certificates by themselves; the clerk is not the one to refuse."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})
    market.complete(case, "alpha审批", outcome="granted", certificate_no="1")
    market.complete(case, "beta审批", outcome="granted", certificate_no="1")

    clerk.complete(case, "统一出件")

    assert [result.number for result in stage.all(Result, case)] == ["1", "1"]


@pytest.mark.parametrize(
    ("delivery", "reached"), [("window", "delivered"), ("electronic", "delivered"), ("post", "prepared"), ("kiosk", "prepared")]
)
def test_issue__delivery(stage, clerk, case, delivery, reached):
    clerk.complete(case, "统一出件", delivery=delivery)

    assert {code: item.delivery for code, item in stage.items(case).items()} == {"alpha": reached, "beta": reached, "gamma": "none"}


@pytest.mark.parametrize("wrong", [{"mode": "split"}, {"mode": "x"}, {"delivery": "pigeon"}, {"mode": ["unified"]}, {"delivery": 1}])
def test_issue__unknown_mode_or_delivery(stage, clerk, case, wrong):
    with pytest.raises(InvalidInput):
        clerk.complete(case, "统一出件", **wrong)

    assert stage.all(Package, case) == []
    assert stage.tasks(case) == ["统一出件"]


def test_issue__comprehensive_permit_of_one(stage, clerk, market):
    """一业一证: it shows two single permits or more."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})
    market.complete(case, "alpha审批", outcome="granted")
    market.complete(case, "beta审批", **DENIED)

    with pytest.raises(InvalidState, match="at least 2"):
        clerk.complete(case, "统一出件", mode="comprehensive")
    clerk.complete(case, "统一出件", mode="unified")

    assert stage.statuses(case)["alpha"] == "issued"


def test_issue__nothing_was_granted(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}})

    market.complete(case, "alpha审批", **DENIED)

    assert stage.tasks(case) == ["好差评"]


def test_issue__is_due_ten_days_after_the_decision(stage, clerk, market):
    """行政许可法 art. 44; the first result counts, not the day on which the last was there."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, longest_wait="30")
    market.complete(case, "alpha审批", outcome="granted")
    stage.travel(2026, 3, 5)

    market.complete(case, "beta审批", outcome="granted")

    assert stage.task(case, "统一出件").due_at.isoformat() == "2026-03-16T16:00:00+00:00"


def test_issue__is_due_ten_days_after_the_material_that_held_it(stage, clerk, market):
    plan = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 9, "grace_days": 15}
    case = accepted(stage, clerk, {"alpha": {}}, outcome="tolerate", materials=[plan])
    market.complete(case, "alpha审批", outcome="granted")
    stage.travel(2026, 3, 10)

    clerk.hand_in(case, "plan")

    assert stage.task(case, "统一出件").due_at.isoformat() == "2026-03-24T16:00:00+00:00"


def test_issue__due_day_becomes_a_day_off(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}})
    market.complete(case, "alpha审批", outcome="granted")

    publish(stage, 16)
    stage.travel(2026, 3, 3)

    assert stage.task(case, "统一出件").due_at.isoformat() == "2026-03-17T16:00:00+00:00"


def test_split__after_the_longest_wait(stage, clerk, market):
    """统一出件 waits at most three working days after the first result; then what is there goes out by itself."""
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})
    assert stage.timer(case, "longest_wait") is None
    market.complete(case, "alpha审批", outcome="granted")
    assert stage.timer(case, "longest_wait").isoformat() == "2026-03-05"

    stage.travel(2026, 3, 5, hour=23)
    assert stage.statuses(case)["alpha"] == "granted"
    stage.travel(2026, 3, 6, hour=0)

    [package] = stage.all(Package, case)
    assert (package.mode, package.delivery, package.issued_by) == ("split", "electronic", "engine")
    assert stage.statuses(case) == {"alpha": "issued", "beta": "in_review"}
    assert stage.timer(case, "longest_wait") is None


def test_split__before_the_law_is_broken(stage, clerk, market):
    """What is granted is handed out within ten working days (行政许可法 art. 44), however long a matter would like to wait for the rest."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"promised": 60}}, longest_wait="30"))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", outcome="granted")

    stage.travel(2026, 3, 16, hour=23)
    assert stage.statuses(case)["alpha"] == "granted"
    stage.travel(2026, 3, 17, hour=0)

    assert stage.statuses(case) == {"alpha": "issued", "beta": "in_review"}


def test_split__again_for_what_is_granted_later(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}, "gamma": {}})
    market.complete(case, "alpha审批", outcome="granted")
    stage.travel(2026, 3, 6)
    market.complete(case, "beta审批", outcome="granted")
    assert stage.timer(case, "longest_wait").isoformat() == "2026-03-11"

    stage.travel(2026, 3, 12)

    assert [package.mode for package in stage.all(Package, case)] == ["split", "split"]
    assert stage.statuses(case) == {"alpha": "issued", "beta": "issued", "gamma": "in_review"}


def test_split__the_rest_is_issued_at_the_end(stage, clerk, market):
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}})
    market.complete(case, "alpha审批", outcome="granted")
    stage.travel(2026, 3, 6)

    market.complete(case, "beta审批", outcome="granted")
    clerk.complete(case, "统一出件")

    assert [package.mode for package in stage.all(Package, case)] == ["split", "unified"]
    assert stage.statuses(case) == {"alpha": "issued", "beta": "issued"}


def test_split__not_what_is_held(stage, clerk, market):
    plan = {"material": "plan", "used_by": "alpha", "tolerable": True, "until": "BEFORE_ISSUE", "due_days": 9, "grace_days": 15}
    case = accepted(stage, clerk, {"alpha": {}, "beta": {}}, outcome="tolerate", materials=[plan])
    market.complete(case, "alpha审批", outcome="granted")
    assert stage.timer(case, "longest_wait") is None

    stage.travel(2026, 3, 10)
    assert stage.statuses(case)["alpha"] == "granted"
    clerk.hand_in(case, "plan")
    stage.travel(2026, 3, 11)

    # Decided long ago, it has waited long enough.
    assert stage.statuses(case)["alpha"] == "issued"


# Rating -----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", [1, 5, "3"])
def test_rate__once(stage, clerk, case, score):
    clerk.complete(case, "统一出件")

    clerk.complete(case, "好差评", score=score, comment="快")

    with stage.reading() as session:
        rating = session.get_one(Rating, case.id)
    assert (rating.score, rating.comment) == (int(score), "快")
    assert stage.bundle(case).status == "completed"


@pytest.mark.parametrize(
    ("score", "comment", "told"),
    [(1, "跑了三趟", ["差评（1 分）：跑了三趟"]), ("2", None, ["差评（2 分）"]), (3, "一般", []), (5, None, [])],
)
def test_rate__a_bad_mark_is_told_to_who_supervises(stage, clerk, case, score, comment, told):
    clerk.complete(case, "统一出件")

    clerk.complete(case, "好差评", score=score, comment=comment)

    alerts = [alert for alert in stage.all(Alert, case) if alert.kind == "bad_rating"]
    assert [alert.message for alert in alerts] == [f"办件 {case.number} {each}" for each in told]
    assert {alert.light for alert in alerts} <= {"yellow"}


@pytest.mark.parametrize("score", [0, 6, -1, None, "", "五", "9", 4.5, True, [5]])
def test_rate__no_mark(stage, clerk, case, score):
    clerk.complete(case, "统一出件")

    with pytest.raises(InvalidInput, match="from 1 to 5"):
        clerk.complete(case, "好差评", score=score)

    assert stage.tasks(case) == ["好差评"]


def test_rate__a_second_time(stage, clerk, market):
    """Whatever the diagram draws, a case is rated once."""
    ratings = [d.user(name, name=name, groups="window", properties={"onething.kind": "rating"}) for name in ("first", "second")]
    body = d.diagram(
        d.start("s"), *ratings, d.end("e"), d.flows("s -> first -> second -> e"), key="rated", properties={"onething.kind": "matter"}
    )
    stage.deploy("rated", rated_bpmn=body, rated_dmn=tiny.tables({"alpha": {}}, []), alpha_bpmn=tiny.item("alpha"))
    case = clerk.submit("rated")
    clerk.complete(case, "first", score=5)

    with pytest.raises(InvalidState, match="rated already"):
        clerk.complete(case, "second", score=1)
