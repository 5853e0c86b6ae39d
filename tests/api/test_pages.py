"""The plain pages: readable by people, without scripts, and telling strangers nothing."""

import ast
from datetime import date
from pathlib import Path

import pytest
import time_machine

from api import words
from engine import commitments, deeds
from engine.clock import Light
from engine.states import ClockStatus, DeliveryStatus, ItemStatus, ToleranceStatus
from tests.acceptance import applicants
from tests.api.bundle import APPLICANT, MATERIALS, accepted, complete, item, submit
from tests.engine.test_recomputing import corrected


def test_index__lists_matters_to_everybody(nobody):
    answer = nobody.page("/")

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "开办餐饮店" in text
    assert "新生儿出生" in text
    assert 'href="/reference"' in text
    assert "<script" not in text


def test_index__shows_a_case_as_text(clerk, running):
    text = clerk.page(f"/?case={running['number']}").get_data(as_text=True)

    for word in (
        running["number"],
        APPLICANT["name"],
        "食品经营许可",
        "办理中",
        "计时中",
        "2026-03-16",
        "绿灯",
        "现场检查",
        "受理通知书",
        "综合窗口　受理：营业执照信息核验、食品经营许可（新办）、公众聚集场所投入使用、营业前消防安全检查（一般程序）</li>",
        "综合窗口　办理：一窗受理</li>",
        "系统　准予：营业执照信息核验</li>",
    ):
        assert word in text


@pytest.mark.parametrize("typed", ["　{} ", "{}-02", "{}-W01", "{}-02-W01"])
def test_index__number_as_somebody_types_it(clerk, typed):
    """That of an item or a notice, which is what applicants have in their hands, and full-width digits."""
    number = submit(clerk)["number"]

    for digits in (number, number.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})):
        answer = clerk.get("/", prefix="", query_string={"case": typed.format(digits)})
        assert (answer.status_code, APPLICANT["name"] in answer.get_data(as_text=True)) == (200, True)


def test_index__case_asked_for_by_a_stranger(nobody):
    answer = nobody.page("/?case=43010020260302000001")

    assert answer.status_code == 401
    assert "Basic" in answer.headers["WWW-Authenticate"]


def test_index__in_the_words_and_the_time_of_the_hall(clerk, running, market):
    complete(market, running, "食品经营许可审批", outcome="denied", reason_code="conditions", reason="操作间未分区")

    text = clerk.page(f"/?case={running['number']}").get_data(as_text=True)

    assert "提交：2026-03-02 09:00　" in text
    assert "UTC" not in text
    assert "<td>消防救援支队</td>" in text
    assert "现场检查（消防救援支队，2026-03-16 24:00 前）" in text
    assert "不予许可：操作间未分区" in text


def test_index__how_long_a_pause_was_told_to_take(clerk, running, market):
    """Whoever asks at the window is told it again; a pause that is over is not spoken of."""
    number = item(running, "food_permit")["number"]
    market.post(f"/items/{number}/pause", {"kind": "hearing", "reason": "规划听证", "days": 5})
    text = clerk.page(f"/?case={running['number']}").get_data(as_text=True)
    assert market.post(f"/items/{number}/resume", {}).status_code == 200
    later = clerk.page(f"/?case={running['number']}").get_data(as_text=True)

    assert "<td>已暂停：规划听证（2026-03-02 起，预计 5 个工作日）</td>" in text
    assert "<td>已暂停" not in later


def test_index__corrections_are_asked_for(clerk):
    """What is missing, what is wrong, and until when."""
    case = submit(clerk, materials=MATERIALS[1:])
    complete(clerk, case, "一窗受理", outcome="supplement", defects="租赁合同未签字")

    text = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    (supplement,) = clerk.get(f"/cases/{case['number']}").json["supplements"]
    assert f"请最迟在 <b>{supplement['due_on']}</b> 补正：租赁合同未签字" in text
    assert text.count(f"<li>{supplement['missing'][0]['name']}") == 1


def test_index__material_may_follow(clerk):
    """It is named once, with its day."""
    case = submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)

    text = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    (tolerance,) = clerk.get(f"/cases/{case['number']}").json["tolerances"]
    assert f"{tolerance['name']}：待补，最迟 {tolerance['due_on']}" in text
    assert text.count(f"<li>{tolerance['name']}") == 1


def test_index__a_calendar_has_moved_the_day(clerk, admin, tick):
    """What was told is a day off now: the page says until when it may come, and what was told before."""
    case = submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    other = submit(clerk, materials=MATERIALS[1:])
    complete(clerk, other, "一窗受理", outcome="supplement", defects="租赁合同未签字")
    (tolerance,) = clerk.get(f"/cases/{case['number']}").json["tolerances"]
    (supplement,) = clerk.get(f"/cases/{other['number']}").json["supplements"]
    told = sorted({date.fromisoformat(owed["due_on"]) for owed in (tolerance, supplement)})
    moved = {day: date.fromordinal(day.toordinal() + 1) for day in told}

    assert admin.post("/calendar", corrected(*(day.day for day in told))).status_code == 201
    tick()

    for number, owed in ((case["number"], tolerance), (other["number"], supplement)):
        day = date.fromisoformat(owed["due_on"])
        text = clerk.page(f"/?case={number}").get_data(as_text=True)
        assert f"{moved[day]}" in text
        assert f"（原告知 {day}，因工作日历调整顺延）" in text


def test_index__material_was_rejected(clerk, market):
    """Why, by whom, and until when it is to be brought again, on one line; and no more of it once a better one has come."""
    case = submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    clerk.post(f"/cases/{case['number']}/materials", {"code": "m_plan"})
    no = clerk.get(f"/cases/{case['number']}").json["materials"][-1]["no"]
    market.post(f"/items/{item(case, 'food_permit')['number']}/materials/{no}/reject", {"reason": "图纸<b>模糊"})

    text, its = (who.page(f"/?case={case['number']}").get_data(as_text=True) for who in (clerk, market))
    clerk.post(f"/cases/{case['number']}/materials", {"code": "m_plan"})
    later, its_later = (who.page(f"/?case={case['number']}").get_data(as_text=True) for who in (clerk, market))

    _, again = clerk.get(f"/cases/{case['number']}").json["tolerances"]
    assert f"<li>{again['name']}：待补，最迟 {again['due_on']} 重新提交；食品经营许可（新办）退回：图纸&lt;b&gt;模糊</li>" in text
    assert text.count(f"<li>{again['name']}") == 1
    assert f"<li>{again['name']}：已补</li>" in later
    # Its department sees the same: it must know what it decides without.
    assert f"<li>{again['name']}：待补，最迟 {again['due_on']} 重新提交；食品经营许可（新办）退回：图纸&lt;b&gt;模糊</li>" in its
    assert f"<li>{again['name']}：已补</li>" in its_later


def test_index__what_was_issued_bears_another_name_or_is_void(clerk, market, tick):
    """A name is corrected in the case, and not on the certificate that is out: who has corrected it sees which is to be changed."""
    case = accepted(clerk)
    complete(market, case, "食品经营许可审批", outcome="granted", certificate_no="JY-1")
    with time_machine.travel("2026-03-17T09:00:00+08:00"):
        tick()  # the longest wait is over
    as_issued = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    clerk.post(f"/cases/{case['number']}/name", {"name": "长沙香味小馆餐饮有限公司", "reason": "录入有误"})
    renamed = clerk.page(f"/?case={case['number']}").get_data(as_text=True)
    market.post(f"/items/{item(case, 'food_permit')['number']}/revoke", {"reason": "误点"})
    revoked = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    assert "已出件（JY-1）" in as_issued
    assert f"已出件（JY-1，持证人：{APPLICANT['name']}）" in renamed
    assert f"已撤销：误点（JY-1，持证人：{APPLICANT['name']}，已作废）" in revoked


def test_index__what_the_notices_say(clerk, market):
    """Whoever stands at the window is told what he was written, and can have it printed."""
    case = submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])
    number = item(case, "food_permit")["number"]
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    market.post(f"/items/{number}/pause", {"kind": "hearing", "reason": "利害关系人<b>申请", "days": 5})
    market.post(f"/items/{number}/resume", {})
    market.post(f"/items/{number}/extend", {"days": 3, "approver": "organ_head", "reason": "案情复杂"})
    complete(market, case, "食品经营许可审批", outcome="denied", reason_code="conditions", reason="操作间未分区")

    text = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    name = "食品经营许可（新办）"
    assert f"<li>{case['number']}-W01 收件凭证（2026-03-02）：事项：营业执照信息核验、{name}、" in text
    assert "；材料：主要设备设施布局/操作流程图、" in text
    assert f"受理通知书（2026-03-02）：事项：营业执照信息核验（承诺 1 个工作日）、{name}（法定 10 个工作日、承诺 10 个工作日）" in text
    assert "容缺受理通知书（2026-03-02）：材料：场所平面布置图（最迟 2026-03-16）；逾期未补交的，暂停计算办理时限；" in text
    assert f"特别程序告知书（2026-03-02）：事项：{name}；特别程序：听证，预计 5 个工作日；理由：利害关系人&lt;b&gt;申请</li>" in text
    assert f"延长办理期限告知书（2026-03-02）：事项：{name}；延长 3 个工作日，经本行政机关负责人批准；理由：案情复杂</li>" in text
    assert f"不予行政许可决定书（2026-03-02）：事项：{name}；理由：操作间未分区；如不服本决定" in text


def test_index__why_an_item_was_blocked(call, clerk):
    """Once: the reason says what the status says."""
    case = submit(clerk, **applicants.newborn())
    complete(clerk, case, "一窗受理", outcome="accept")
    complete(call("officer-police"), case, "出生登记审批", outcome="denied", reason_code="conditions", reason="信息不符")

    text = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    assert text.count("<td>前置事项未通过：出生登记（国内出生）</td>") == 2
    assert "<td>不予许可：信息不符</td>" in text
    assert text.count("<td>已取得</td>") == 2
    assert "-W01 收件凭证（2026-03-02）：事项：出生登记（国内出生）、" in text  # nobody has applied for what is there already


def test_index__its_only_item_was_adopted(clerk):
    alone = submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"])
    clerk.post(f"/cases/{accepted(clerk)['number']}/adopt", {"item_no": item(alone, "signboard")["number"]})

    assert "已并入其他办件" in clerk.page(f"/?case={alone['number']}").get_data(as_text=True)


@pytest.mark.parametrize("number", ["43010020260302000099", "<script>alert(1)</script>", "%27%20or%201=1"])
def test_index__no_such_case(clerk, number):
    answer = clerk.page(f"/?case={number}")

    assert answer.status_code == 404
    assert "您无权查看" in answer.get_data(as_text=True)
    assert "<script>" not in answer.get_data(as_text=True)


def test_index__case_of_another_hall(submitted, call):
    answer = call("clerk-yuelu").page(f"/?case={submitted['number']}")

    assert answer.status_code == 404
    assert APPLICANT["name"] not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("said", "kind"), [(words.ITEMS, ItemStatus), (words.CLOCKS, ClockStatus), (words.TOLERANCES, ToleranceStatus), (words.LIGHTS, Light)]
)
def test_words__for_every_status(said, kind):
    assert set(said) == set(kind)


def test_words__for_every_line_of_the_journal():
    """What is recorded has a word, and what has none any more is not kept."""
    statuses = {"delivery": DELIVERED, "item": BROKEN_OFF, "post-check": commitments.OUTCOMES}
    of_statuses = {f"{prefix} {status}" for prefix, found in statuses.items() for status in found}

    assert set(words.DEEDS) == of_statuses | {what for path in ENGINE.glob("*.py") for what in recorded(ast.parse(path.read_text()))}


ENGINE = Path(deeds.__file__).parent
#: Statuses with which a line of the journal is put together.
DELIVERED = set(DeliveryStatus) - {DeliveryStatus.NONE}
BROKEN_OFF = {ItemStatus.BLOCKED, ItemStatus.RETURNED, ItemStatus.TERMINATED}


def recorded(module):
    """Texts that a module hands to the journal, itself or through a function of its own."""
    if "journal.record(" not in ast.unparse(module):
        return
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"journal.record", "_record", "_noted", "_note"}:
            given = [keyword.value for keyword in node.keywords if keyword.arg == "what"] or node.args
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "what":
            given = [node.value]
        else:
            given = []
        for value in given:
            chosen = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            yield from (each.value for each in chosen if isinstance(each, ast.Constant) and isinstance(each.value, str))
