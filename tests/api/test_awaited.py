"""A worklist says why nothing can be done about a task: the applicant is waited for, or a clock stands still."""

import pytest
import time_machine

from tests.api.bundle import MATERIALS, complete, item, submit, task
from tests.api.test_tables import read

WITHOUT_PLAN = [code for code in MATERIALS if code != "m_plan"]
NOTHING = dict.fromkeys(("reason", "since", "due_on", "assignee")) | {"groups": []}


def waits_for(caller, case, name):
    return task(caller, case, name)["waits_for"]


def hand_in(clerk, case, code):
    answer = clerk.post(f"/cases/{case['number']}/materials", {"code": code})
    assert answer.status_code == 201, answer.json


def test_list__nothing_is_awaited(clerk, market):
    case = submit(clerk)
    assert waits_for(clerk, case, "一窗受理") == []
    complete(clerk, case, "一窗受理", outcome="accept")

    assert waits_for(market, case, "食品经营许可审批") == []
    assert read(market, "/tasks?format=csv")[0]["等待"] == ""


def test_list__corrections_are_out(clerk):
    """What is missing and what is wrong, until when; what has come is waited for no more, and when all has, it is the window's turn."""
    case = submit(clerk, materials=MATERIALS[1:])
    complete(clerk, case, "一窗受理", outcome="supplement", defects="租赁合同未签字")
    shown = clerk.get(f"/cases/{case['number']}").json
    (supplement,) = shown["supplements"]
    name, due_on = supplement["missing"][0]["name"], supplement["due_on"]

    (missing, defects) = waits_for(clerk, case, "补正材料")
    assert missing == NOTHING | {"kind": "supplement", "name": name, "due_on": due_on}
    assert defects == missing | {"name": "租赁合同未签字"}
    assert [each["waits_for"] for each in shown["tasks"]] == [[missing, defects]]
    place = f"/tasks/{task(clerk, case, '补正材料')['id']}"
    assert clerk.get(place).json["waits_for"] == [missing, defects]
    assert read(clerk, "/tasks?format=csv")[0]["等待"] == (
        f"待补正：{name}（申请人），最迟 {due_on}；待补正：租赁合同未签字（申请人），最迟 {due_on}"
    )

    hand_in(clerk, case, MATERIALS[0])

    assert waits_for(clerk, case, "补正材料") == []  # something came in since: whether it mends the defect is for the window to say
    done = clerk.post(f"{place}/complete", {"answered": True})
    assert (done.status_code, done.json["waits_for"]) == (200, [])


def test_list__only_a_defect_is_left(clerk):
    case = submit(clerk)
    complete(clerk, case, "一窗受理", outcome="supplement", defects="租赁合同未签字")
    assert [each["name"] for each in waits_for(clerk, case, "补正材料")] == ["租赁合同未签字"]

    hand_in(clerk, case, "m_premises")

    assert waits_for(clerk, case, "补正材料") == []


def test_list__came_too_late(clerk):
    """The notice was over at midnight, and nobody was at work yet: what comes in then does not count."""
    with time_machine.travel("2026-03-02T01:00:00Z", tick=False) as clock:
        case = submit(clerk, materials=MATERIALS[1:])
        complete(clerk, case, "一窗受理", outcome="supplement")
        (supplement,) = clerk.get(f"/cases/{case['number']}").json["supplements"]
        clock.move_to(f"{supplement['due_on']}T16:00:01Z")

        hand_in(clerk, case, MATERIALS[0])

        assert [each["name"] for each in waits_for(clerk, case, "补正材料")] == [supplement["missing"][0]["name"]]


def test_list__who_needed_it_was_withdrawn(clerk):
    """The declaration is the fire brigade's: without its item nobody waits for it."""
    case = submit(clerk, materials=MATERIALS[:-1])
    complete(clerk, case, "一窗受理", outcome="supplement")
    assert len(waits_for(clerk, case, "补正材料")) == 1

    assert clerk.post(f"/items/{item(case, 'fire_check')['number']}/withdraw", {"reason": "不办了"}).status_code == 200

    assert waits_for(clerk, case, "补正材料") == []


def test_list__promised_and_not_come(clerk, market, fire):
    """Each department is told of what its items need; the plan serves both.  Once it is there nobody waits, and who has seen it waits may act."""
    case = submit(clerk, materials=WITHOUT_PLAN)
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    (tolerance,) = clerk.get(f"/cases/{case['number']}").json["tolerances"]
    plan = NOTHING | {"kind": "material", "name": tolerance["name"], "due_on": tolerance["due_on"]}

    assert waits_for(market, case, "食品经营许可审批") == waits_for(fire, case, "现场检查") == [plan]
    assert read(market, "/tasks?format=csv")[0]["等待"] == f"容缺材料待补：{tolerance['name']}（申请人），最迟 {tolerance['due_on']}"
    place = f"/tasks/{task(fire, case, '现场检查')['id']}"
    seen = fire.get(place).headers["ETag"]

    hand_in(clerk, case, "m_plan")

    assert waits_for(market, case, "食品经营许可审批") == waits_for(fire, case, "现场检查") == []
    assert fire.post(f"{place}/claim", headers={"If-Match": seen}).status_code == 200


def test_list__material_of_another_item(clerk, market, fire):
    """What the fire brigade needs alone is nothing to the market."""
    case = submit(clerk, materials=[code for code in MATERIALS if code != "m_evac"])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)

    assert waits_for(market, case, "食品经营许可审批") == []
    assert [each["kind"] for each in waits_for(fire, case, "现场检查")] == ["material"]


def test_list__a_clock_stands_still(clerk, market, fire):
    case = submit(clerk)
    complete(clerk, case, "一窗受理", outcome="accept")
    food = item(case, "food_permit")["number"]

    assert market.post(f"/items/{food}/pause", {"kind": "hearing", "reason": "规划听证", "days": 5}).status_code == 200

    (pause,) = waits_for(market, case, "食品经营许可审批")
    assert pause == NOTHING | {"kind": "pause", "name": "hearing", "reason": "规划听证", "since": "2026-03-02", "due_on": "2026-03-09"}
    assert waits_for(fire, case, "现场检查") == []
    assert market.post(f"/items/{food}/resume", {}).status_code == 200
    assert waits_for(market, case, "食品经营许可审批") == []


@pytest.mark.parametrize("many", [2, 6])
def test_list__asked_at_once(call, clerk, many):
    """However many wait, each is told what its own case waits for."""
    cases = [submit(clerk, materials=WITHOUT_PLAN if number % 2 else MATERIALS[1:]) for number in range(many)]
    for number, case in enumerate(cases):
        how = {"outcome": "tolerate", "commitment_signed": True} if number % 2 else {"outcome": "supplement"}
        complete(clerk, case, "一窗受理", **how)

    listed = call("supervisor").get("/tasks?limit=100").json["data"]

    told = {row["case"]: {(each["kind"], each["name"]) for each in row["waits_for"]} for row in listed}
    assert told.keys() == {case["number"] for case in cases}
    assert [len(told[case["number"]]) for case in cases] == [1] * many
