"""What notices are called: by what the item is by law (事项类型)."""

from __future__ import annotations

import pytest

from engine.case_models import Case, Item, Notice
from engine.errors import InvalidInput
from tests import tiny

DENIED = {"outcome": "denied", "reason_code": "conditions", "reason": "不符合条件"}
OF_A_PERMIT = ["准予行政许可决定书", "撤销行政许可决定书", "不予行政许可决定书"]
OF_A_FILING = ["备案通知书", "撤销备案通知书", "不予备案通知书"]


@pytest.fixture
def deployed(stage):
    def deployed(**facts):
        stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, processes={"alpha": tiny.item("alpha", **facts)}))

    return deployed


def accepted(clerk):
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="accept")
    return case


def title(stage, case, kind):
    [notice] = stage.all(Notice, case, kind=kind)
    return notice.title


@pytest.mark.parametrize(
    ("facts", "called"),
    [
        ({}, OF_A_PERMIT),
        ({"item_type": "permit", "mode": "filing"}, OF_A_PERMIT),
        ({"item_type": "confirmation"}, ["行政确认决定书", "撤销行政确认决定书", "不予行政确认决定书"]),
        ({"item_type": "benefit"}, ["行政给付决定书", "撤销行政给付决定书", "不予行政给付决定书"]),
        ({"item_type": "filing"}, OF_A_FILING),
        ({"mode": "filing"}, OF_A_FILING),
        ({"item_type": "service"}, ["办理结果通知书", "撤销办理结果通知书", "不予办理通知书"]),
    ],
)
def test_issue__is_called_by_the_type_of_its_item(stage, clerk, market, deployed, facts, called):
    deployed(**facts)
    granted, denied = accepted(clerk), accepted(clerk)

    market.complete(granted, "alpha审批", outcome="granted")
    market.handle("revoke", stage.item(granted, "alpha"), reason="误批")
    market.complete(denied, "alpha审批", **DENIED)

    assert [title(stage, granted, "grant"), title(stage, granted, "revocation"), title(stage, denied, "denial")] == called
    assert title(stage, granted, "acceptance") == "受理通知书"


def test_issue__taken_in_before_the_type_was_drawn(stage, clerk, market, deployed):
    """It is called what it was called; and so is what joins by a checklist of before."""
    deployed(item_type="service")
    case = accepted(clerk)
    with stage.database.transaction() as session:
        for item in session.query(Item).filter_by(case_id=case.id):
            item.rules = {key: value for key, value in item.rules.items() if key != "type"}
        whole = session.get_one(Case, case.id)
        entries = [{key: value for key, value in entry.items() if key != "type"} for entry in whole.checklist["items"]]
        whole.checklist = whole.checklist | {"items": entries}

    market.complete(case, "alpha审批", **DENIED)
    again = clerk.handle("reapply", stage.item(case, "alpha"))

    assert title(stage, case, "denial") == "不予行政许可决定书"
    assert again is not None


def test_deploy__type_of_an_item_that_there_is_not(deployed):
    with pytest.raises(InvalidInput) as refusal:
        deployed(item_type="许可")

    assert "Expected onething.item_type of the process alpha to be one of benefit, confirmation, filing, permit, service" in str(
        refusal.value.details
    )
