from __future__ import annotations

import pytest

from engine.case_models import Notice
from engine.errors import InvalidInput, InvalidState
from engine.states import ItemStatus
from tests import restaurant, tiny
from tests.restaurant import ANSWERS, MATERIALS

REFUSAL = {"outcome": "refuse", "refusal_kind": "not_accepted", "reason": "不属于本机关职权范围", "competent_organ": "县级市场监管局"}


def submitted(clerk, *missing):
    return clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.without(*missing))


def test_accept__complete(stage, clerk):
    case = submitted(clerk)

    clerk.complete(case, "一窗受理", outcome="accept")

    assert set(stage.statuses(case).values()) == {"in_review"}
    assert {item.accepted_by for item in stage.items(case).values()} == {"clerk"}
    assert stage.notices(case) == ["receipt", "acceptance"]
    assert stage.case(case).clock_started_on.isoformat() == "2026-03-02"


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (
            ["m_plan", "m_premises"],
            "场所平面布置图、场所合法使用证明（产权/租赁）: hand them in; 场所合法使用证明（产权/租赁） may not follow later",
        ),
        (["m_plan"], "场所平面布置图: hand them in, or let them follow later (outcome tolerate)"),
    ],
)
def test_accept__something_missing(stage, clerk, missing, words):
    """Whoever is refused is told which of it cannot wait, and what can be done."""
    case = submitted(clerk, *missing)

    with pytest.raises(InvalidInput) as refusal:
        clerk.complete(case, "一窗受理", outcome="accept")

    assert str(refusal.value).endswith(words)
    assert [e["field"] for e in refusal.value.details["errors"]] == [f"materials.{code}" for code in missing]
    assert set(stage.statuses(case).values()) == {"submitted"}
    assert stage.notices(case) == ["receipt"]


def test_accept__handed_in_meanwhile(stage, clerk):
    """Art. 32 (3): what can be corrected on the spot may be."""
    case = submitted(clerk, "m_plan")
    clerk.hand_in(case, "m_plan")

    clerk.complete(case, "一窗受理", outcome="accept")

    assert set(stage.statuses(case).values()) == {"in_review"}


def test_accept__waits_for_a_predecessor(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}, "gamma": {"predecessors": "alpha:DATA"}}))
    case = clerk.submit("tiny")

    clerk.complete(case, "一窗受理", outcome="accept")

    assert stage.statuses(case) == {"alpha": "in_review", "beta": "waiting", "gamma": "in_review"}
    assert stage.item(case, "beta").accepted_at is not None
    assert stage.item(case, "beta").clock == "not_started"


@pytest.mark.parametrize("outcome", ["", "granted", None, 1, ["accept"]])
def test_decide__no_disposition(stage, clerk, outcome):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.submit("tiny")

    with pytest.raises(InvalidInput, match="Expected outcome to be one of accept, tolerate, supplement, refuse"):
        clerk.complete(case, "一窗受理", outcome=outcome)

    assert stage.statuses(case) == {"alpha": "submitted"}


def test_refuse__not_our_business(stage, clerk):
    case = submitted(clerk, *MATERIALS)

    clerk.complete(case, "一窗受理", **REFUSAL)

    reasons = [item.reason for item in stage.items(case).values()]
    assert set(stage.statuses(case).values()) == {"refused"}
    assert all(r["competent_organ"] == "县级市场监管局" and "行政复议" in r["remedies"] for r in reasons)
    assert stage.notices(case) == ["receipt", "refusal"]
    assert stage.bundle(case).status == "completed"
    assert stage.case(case).ended_at is not None


def test_refuse__no_permit_needed(stage, clerk):
    case = submitted(clerk)

    clerk.complete(case, "一窗受理", outcome="refuse", refusal_kind="not_required", reason="依法不需要取得行政许可")

    assert {item.reason["kind"] for item in stage.items(case).values()} == {"not_required"}


@pytest.mark.parametrize("lacking", ["refusal_kind", "reason"])
def test_refuse__without_particulars(stage, clerk, lacking):
    """Art. 32 (1), (2): who sends an applicant away says why."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    case = clerk.submit("tiny")

    with pytest.raises(InvalidInput):
        clerk.complete(case, "一窗受理", **(REFUSAL | {lacking: " "}))

    assert stage.statuses(case) == {"alpha": "submitted"}
    assert stage.tasks(case) == ["一窗受理"]


def test_refuse__after_the_corrections_came_in(stage, clerk, supervisor):
    """Art. 32 (5): what was corrected as asked is accepted; nobody may refuse it any more, a supervisor neither."""
    case = submitted(clerk, "m_plan")
    clerk.complete(case, "一窗受理", outcome="supplement")
    clerk.hand_in(case, "m_plan")
    clerk.complete(case, "补正材料", answered=True)

    for who in (clerk, supervisor):
        with pytest.raises(InvalidState, match="after all corrections came in"):
            who.complete(case, "一窗受理", **REFUSAL)
    clerk.complete(case, "一窗受理", outcome="accept")

    assert set(stage.statuses(case).values()) == {"in_review"}


def test_refuse__somebody_else_hall(stage, clerk):
    case = submitted(clerk)
    elsewhere = stage.person("clerk-yuelu")

    with pytest.raises(Exception, match="does not exist or is not yours"):
        elsewhere.complete(case, "一窗受理", outcome="accept")

    assert stage.tasks(case) == ["一窗受理"]


def test_accept_deemed__after_five_working_days(stage, clerk):
    """Art. 32 (4): whoever is told nothing within five working days is accepted from the day of receipt."""
    case = submitted(clerk, "m_plan")
    assert stage.task(case, "一窗受理").due_at.isoformat() == "2026-03-09T16:00:00+00:00"

    stage.travel(2026, 3, 9, hour=23, minute=59)
    assert set(stage.statuses(case).values()) == {"submitted"}
    stage.travel(2026, 3, 10, hour=0)

    assert set(stage.statuses(case).values()) == {"in_review"}
    assert {item.accepted_by for item in stage.items(case).values()} == {"deemed"}
    assert ("red", "deemed_acceptance") in stage.alerts(case)
    assert "一窗受理" not in stage.tasks(case)
    assert stage.all(Notice, case, kind="acceptance")[0].content["basis"] == "deemed"


def test_accept_deemed__clock_runs_from_receipt(stage, clerk):
    case = submitted(clerk)

    stage.travel(2026, 3, 10)

    # Ten working days from Monday, 2 March, not from the 10th.
    assert stage.task(case, "食品经营许可审批").due_at.isoformat() == "2026-03-16T16:00:00+00:00"
    assert stage.case(case).clock_started_on.isoformat() == "2026-03-02"


def test_accept_deemed__scheduler_was_down_for_a_week(stage, clerk):
    case = submitted(clerk)

    stage.travel(2026, 3, 20)

    assert {item.accepted_by for item in stage.items(case).values()} == {"deemed"}
    assert stage.item(case, "food_permit").limits
    assert ("red", "overdue") in stage.alerts(case)


def test_accept_deemed__not_while_a_notice_of_corrections_is_out(stage, clerk):
    case = submitted(clerk, "m_plan")
    clerk.complete(case, "一窗受理", outcome="supplement")

    stage.travel(2026, 3, 11)

    assert set(stage.statuses(case).values()) == {"correcting"}


def test_accept_deemed__counts_anew_from_the_answer(stage, clerk):
    case = submitted(clerk, "m_plan")
    clerk.complete(case, "一窗受理", outcome="supplement")
    stage.travel(2026, 3, 11)
    clerk.hand_in(case, "m_plan")
    clerk.complete(case, "补正材料", answered=True)

    stage.travel(2026, 3, 18)
    assert set(stage.statuses(case).values()) == {"submitted"}
    stage.travel(2026, 3, 19)

    assert {item.accepted_by for item in stage.items(case).values()} == {"deemed"}
    assert stage.case(case).clock_started_on.isoformat() == "2026-03-11"


def test_accept_deemed__over_a_holiday(stage, clerk):
    """Received on 30 April: the fifth working day is Monday 11 May (Saturday the 9th counts)."""
    stage.travel(2026, 4, 30)
    case = submitted(clerk)

    stage.travel(2026, 5, 11)
    assert set(stage.statuses(case).values()) == {"submitted"}
    stage.travel(2026, 5, 12)

    assert ItemStatus.SUBMITTED not in stage.statuses(case).values()
