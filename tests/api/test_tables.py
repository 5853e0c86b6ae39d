"""Lists as files: what a supervisor takes to a meeting opens in Excel as it is meant, and is what the list shows."""

import csv
import io

import pytest
import time_machine

from api import tables, words
from engine.clock import PauseKind
from engine.hindrances import HindranceKind
from tests.api.bundle import APPLICANT, MATERIALS, complete, item, submit, task

#: List → the field that is the number of the case.
FILES = {"/deadlines": "case", "/alerts": "case", "/cases": "number", "/tasks": "case"}


def read(caller, path):
    """The rows of a file, by the headings of their columns."""
    answer = caller.get(path)
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8"), answer.data
    assert answer.data.startswith("\N{BYTE ORDER MARK}".encode())
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_deadlines__what_is_late_and_with_whom(supervisor, late):
    rows = read(supervisor, "/deadlines?light=red&department=market&format=csv")

    assert [(row["办件编号"].strip(), row["名称"], row["部门"], row["红黄灯"], row["时限状态"]) for row in rows] == [
        (late[0]["number"], "食品经营许可（新办）", "市场监管局", "红灯", "计时中")
    ]
    (listed,) = supervisor.get("/deadlines?light=red&department=market").json["data"]
    assert (rows[0]["承诺办结日"], rows[0]["剩余工作日"]) == (listed["promised"]["date"], str(listed["remaining"]))
    assert int(rows[0]["剩余工作日"]) < 0


def test_deadlines__why(call, supervisor, late):
    """Each row says what it waits for now: nobody has to open the case."""
    market = call("officer-market")
    food = item(late[0], "food_permit")["number"]
    paused = market.post(f"/items/{food}/pause", {"kind": "hearing", "reason": "听证会", "days": 5})
    assert paused.status_code == 200, paused.json
    claimed = market.post(f"/tasks/{task(market, late[0], '食品经营许可审批')['id']}/claim")
    assert claimed.status_code == 200, claimed.json

    (row,) = read(supervisor, "/deadlines?department=market&format=csv")

    assert row["原因"] == (
        "暂停：听证（听证会），2026-03-17 起，预计 2026-03-24 结束；待办：食品经营许可审批（市场监管局、officer-market 已认领），2026-03-02 起"
    )
    (listed,) = supervisor.get("/deadlines?department=market").json["data"]
    nothing = dict.fromkeys(("reason", "since", "due_on", "assignee")) | {"groups": []}
    assert listed["waits_for"] == [
        nothing | {"kind": "pause", "name": "hearing", "reason": "听证会", "since": "2026-03-17", "due_on": "2026-03-24"},
        nothing
        | {
            "kind": "task",
            "name": "食品经营许可审批",
            "since": "2026-03-02",
            "groups": ["department-market"],
            "assignee": "officer-market",
        },
    ]


def test_deadlines__pauses_that_last_longer_than_was_told(call, supervisor, late, tick):
    """With a green light; and who does not look is told, once."""
    market = call("officer-market")
    paused = market.post(f"/items/{item(late[0], 'food_permit')['number']}/pause", {"kind": "hearing", "reason": "听证会", "days": 5})
    assert paused.status_code == 200, paused.json

    def reasons():
        return [(row["部门"], row["原因"].partition("；")[0]) for row in read(supervisor, "/deadlines?paused=true&format=csv")]

    told = "暂停：听证（听证会），2026-03-17 起，预计 2026-03-24 结束"
    assert reasons() == [("市场监管局", told)]
    with time_machine.travel("2026-03-24T23:59:00+08:00"):
        assert reasons() == [("市场监管局", told)]
    with time_machine.travel("2026-03-25T00:01:00+08:00"):
        assert reasons() == [("市场监管局", f"{told}，已超出告知申请人的时间")]
        tick()
    with time_machine.travel("2026-03-25T00:05:00+08:00"):
        tick()
        (alert,) = read(supervisor, "/alerts?kind=long_pause&format=csv")
        assert (alert["预警类型"], alert["部门"], alert["红黄灯"]) == ("暂停超出告知时间", "市场监管局", "黄灯")
        assert "已超出告知申请人的 5 个工作日（至 2026-03-24）：听证会" in alert["说明"]
    assert supervisor.get("/deadlines?paused=maybe").status_code == 422


def test_deadlines__what_the_applicant_owes(clerk, supervisor):
    """The department cannot bring it: it is said who can."""
    case = submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)

    rows = read(supervisor, "/deadlines?department=market&format=csv")

    assert [row["原因"].partition("；")[0] for row in rows] == ["容缺材料待补：场所平面布置图（申请人），最迟 2026-03-16"]


def test_deadlines__why_a_bundle_is_not_done(supervisor, late):
    (bundle,) = (row for row in read(supervisor, "/deadlines?format=csv") if not row["事项编号"])

    assert "事项未办结：食品经营许可（新办）（市场监管局），2026-03-02 起" in bundle["原因"].split("；")


def test_tasks__until_when(clerk):
    """By the end of a day, not with the next one: whoever read the date answered a day late, when the law had accepted already."""
    submit(clerk)

    (row,) = read(clerk, "/tasks?format=csv")

    assert clerk.get("/tasks").json["data"][0]["due_at"] == "2026-03-09T16:00:00Z"
    assert (row["到期时间"], row["产生时间"]) == ("2026-03-09 23:59:59", "2026-03-02 09:00:00")


def test_alerts__in_the_words_of_people(admin, late):
    rows = read(admin, "/alerts?kind=overdue&hall=yuelu&format=csv")

    assert sorted((row["预警类型"], row["部门"], row["大厅"]) for row in rows) == [
        ("超期", department, "岳麓区政务服务中心") for department in ("市场监管局", "消防救援支队")
    ]
    assert {row["发生时间"][:13] for row in rows} == {"2026-03-17 09"}


def test_tasks__who_must_act(supervisor, late):
    rows = read(supervisor, "/tasks?light=red&format=csv")

    assert {row["由谁办理"] for row in rows} == {"市场监管局", "消防救援支队"}


def test_files__name_halls_matters_and_items(supervisor, late):
    """Nobody at the meeting knows codes; what has lost its name is told by its code."""
    cases, tasks, alerts = (read(supervisor, f"{path}?format=csv") for path in ("/cases", "/tasks", "/alerts"))

    assert {(row["一件事"], row["大厅"]) for row in (*cases, *tasks, *alerts)} == {("开办餐饮店", "长沙市政务服务中心")}
    assert "食品经营许可（新办） 办理中" in cases[0]["事项"].split("、")


@pytest.mark.parametrize("name", ["admin", "supervisor", "clerk-yuelu", "officer-fire", "officer-health"])
def test_files__have_what_the_list_has(call, late, name):
    """All of it, whatever a page would have, and nothing else."""
    for path, number in FILES.items():
        listed = call(name).get(f"{path}?limit=200").json["data"]

        rows = read(call(name), f"{path}?limit=1&format=csv")

        assert [row["办件编号"].strip() for row in rows] == [each[number] for each in listed]


def test_lists__of_one_hall(admin, late):
    """Whoever supervises all of them asks for one."""
    for path, number in FILES.items():
        whole, (changsha, yuelu) = (
            admin.get(f"{path}?limit=200").json["data"],
            (admin.get(f"{path}?limit=200&hall={hall}").json["data"] for hall in ("changsha", "yuelu")),
        )

        assert [{each[number] for each in part} for part in (changsha, yuelu)] == [{case["number"]} for case in late]
        assert len(changsha) + len(yuelu) == len(whole)


def test_files__nothing_in_them_is_run(clerk):
    for name in ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "＝1+1", '好,"店"'):
        submit(clerk, applicant=APPLICANT | {"name": name})

    rows = read(clerk, "/cases?format=csv")

    assert [row["申请人"] for row in reversed(rows)] == ['\'=HYPERLINK("http://x")', "'+1", "'-1", "'@SUM(A1)", "'＝1+1", '好,"店"']


def test_files__no_digit_of_a_number_is_lost(clerk):
    """Excel would show 43010020260302000001 as 4.3E+19, and write zeros back."""
    case = submit(clerk)

    (row,) = read(clerk, "/cases?format=csv")

    assert row["办件编号"] == "\t" + case["number"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("/cases?hall=changsha", "ask for a part of them by since, until, matter, applicant_number, open, light"),
        ("/tasks?matter=open_restaurant&limit=1", "ask for a part of them by group, assignee, hall, case, light, due_before"),
        ("/alerts?since=2026-03-01", "ask for a part of them by until, hall, department, matter, kind"),
        (
            "/deadlines?light=green&due_before=2030-01-01&department=market&hall=changsha&matter=open_restaurant&paused=false",
            "read the pages instead (format=json)",
        ),
    ],
)
def test_files__of_too_many_are_refused(supervisor, late, monkeypatch, asked, said):
    """Nobody takes a part for the whole, and everybody is told how to ask for less."""
    path = f"{asked}&format=csv"
    found = len(read(supervisor, path))
    monkeypatch.setattr(tables, "MOST", found)
    assert len(read(supervisor, path)) == found
    monkeypatch.setattr(tables, "MOST", found - 1)

    answer = supervisor.get(path)

    message = f"Expected at most {found - 1} rows for a file, but there are more: {said}"
    assert (answer.status_code, answer.json["errors"]) == (422, [{"field": "format", "message": message}])


def test_files__of_too_many_archived_are_refused(supervisor, late, monkeypatch):
    """By what the archive can be asked."""
    monkeypatch.setattr(tables, "MOST", -1)

    answer = supervisor.get("/cases?archived=true&format=csv")

    assert answer.json["errors"][0]["message"].endswith("by matter, hall, applicant_number")


def test_files__have_a_name(clerk):
    assert clerk.get("/deadlines?format=csv").headers["Content-Disposition"] == "attachment; filename=deadlines-2026-03-02.csv"
    assert clerk.get("/deadlines?format=xlsx").status_code == 422


@pytest.mark.parametrize(("kinds", "told"), [(PauseKind, words.PAUSES), (HindranceKind, words.HINDRANCES)])
def test_words__of_every_kind(kinds, told):
    assert set(told) == set(kinds)
