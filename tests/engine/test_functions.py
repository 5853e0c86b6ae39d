"""What a diagram may ask in its expressions beside the functions of the law."""

from __future__ import annotations

from tests import tiny
from tests.bpmn import diagrams as d


def item_with(task):
    return tiny.item(
        "alpha", d.start("accepted"), task, tiny.decision("alpha"), d.end("done"), d.flows("accepted -> ask -> decide -> done")
    )


def accepted(stage, clerk, task):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": item_with(task)}))
    return clerk.take_in("tiny")


def test_now__three_days_on(stage, clerk):
    case = accepted(stage, clerk, d.user("ask", name="核对", groups="department-market", due="${dateTime().plusDays(3).toDate()}"))

    assert stage.task(case, "核对").due_at.date().isoformat() == "2026-03-05"


def test_execution__business_key_is_the_number_of_the_item(stage, clerk):
    case = accepted(stage, clerk, d.user("ask", name="核对", groups="department-market", assignee="${execution.processBusinessKey}"))

    assert stage.task(case, "核对").assignee == stage.item(case, "alpha").number


def test_today__in_feel(stage, clerk):
    case = accepted(stage, clerk, d.user("ask", name="核对", groups="department-market", assignee="= string(today())"))

    assert stage.task(case, "核对").assignee == "2026-03-02"


def test_current_user__who_brought_the_case_here(stage, clerk):
    task = d.user("ask", name="核对", groups="${currentUserGroups()}", assignee="${currentUser()}")

    case = accepted(stage, clerk, task)

    assert stage.task(case, "核对").assignee == clerk.actor.name
