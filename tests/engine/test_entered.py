"""What is filled in where no form looks at it: it is refused, field by field, and the task is there as before."""

import pytest

from engine.errors import InvalidInput
from tests import tiny

GRANTED = {"outcome": "granted"}


def submitted(stage):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    stage.person("clerk").submit("tiny")


@pytest.fixture
def case(begun):
    [case] = begun(submitted)
    return case


def refused(stage, person, case, task, **data):
    """The field that is named when somebody completes a task so; nothing has happened."""
    before = stage.statuses(case)
    with pytest.raises(InvalidInput, match=r"^Expected ") as told:
        person.complete(case, task, **data)
    assert (stage.statuses(case), task in stage.tasks(case)) == (before, True)
    return [error["field"] for error in told.value.details.get("errors", [])]


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"outcome": ["accept"]}, ["outcome"]),
        ({"outcome": "x" * 500}, ["outcome"]),
        ({"outcome": "tolerate", "commitment_signed": True}, ["outcome"]),
        ({"outcome": "supplement"}, ["defects"]),
        ({"outcome": "refuse", "refusal_kind": ["not_required"], "reason": "x"}, ["refusal_kind"]),
        ({"outcome": "supplement", "defects": {"a": 1}}, ["defects"]),
    ],
)
def test_intake(stage, clerk, case, data, fields):
    assert refused(stage, clerk, case, "一窗受理", **data) == fields


@pytest.mark.parametrize("number", ["x" * 51, ["A-1"], {"no": "A-1"}, 1.5])
def test_decision__number_under_which_nobody_could_issue_it(stage, clerk, market, case, number):
    """It would be too late when the window hands it out."""
    clerk.complete(case, "一窗受理", outcome="accept")

    assert refused(stage, market, case, "alpha审批", **GRANTED, certificate_no=number) == ["certificate_no"]


@pytest.mark.parametrize("number", ["x" * 50, 17])
def test_decision__number_that_is_issued(stage, clerk, market, case, number):
    clerk.complete(case, "一窗受理", outcome="accept")
    market.complete(case, "alpha审批", **GRANTED, certificate_no=number)

    clerk.complete(case, "统一出件")

    assert stage.statuses(case) == {"alpha": "issued"}


@pytest.mark.parametrize(
    ("data", "fields"),
    [({"recipient": {"name": "x"}}, ["recipient"]), ({"mode": {}, "delivery": ["x"]}, ["delivery"]), ({"mode": ["x"]}, ["mode"])],
)
def test_issuance(stage, clerk, market, case, data, fields):
    clerk.complete(case, "一窗受理", outcome="accept")
    market.complete(case, "alpha审批", **GRANTED)

    assert refused(stage, clerk, case, "统一出件", **data) == fields


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"score": "²"}, ["score"]),
        ({"score": "9" * 5000}, ["score"]),
        ({"score": [5]}, ["score"]),
        ({"score": True}, ["score"]),
        ({"score": 5, "comment": {"a": 1}}, ["comment"]),
    ],
)
def test_rating(stage, clerk, market, case, data, fields):
    clerk.complete(case, "一窗受理", outcome="accept")
    market.complete(case, "alpha审批", **GRANTED)
    clerk.complete(case, "统一出件")

    assert refused(stage, clerk, case, "好差评", **data) == fields
