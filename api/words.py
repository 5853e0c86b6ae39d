"""Words that people read for what the interface names in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.alerts import AlertKind
from engine.clock import Light, PauseKind
from engine.hindrances import HindranceKind
from engine.states import ClockStatus, ItemStatus, ToleranceStatus

ITEMS = {
    ItemStatus.SUBMITTED: "待受理",
    ItemStatus.CORRECTING: "补正中",
    ItemStatus.REFUSED: "不予受理",
    ItemStatus.ACCEPTED: "已受理",
    ItemStatus.WAITING: "等待前置事项",
    ItemStatus.IN_REVIEW: "办理中",
    ItemStatus.GRANTED: "准予",
    ItemStatus.DENIED: "不予许可",
    ItemStatus.ISSUED: "已出件",
    ItemStatus.IMPORTED: "已取得",
    ItemStatus.WITHDRAWN: "已撤回",
    ItemStatus.RETURNED: "已退件",
    ItemStatus.TERMINATED: "已终止",
    ItemStatus.BLOCKED: "前置事项未通过",
    ItemStatus.REVOKED: "已撤销",
}
CLOCKS = {
    ClockStatus.NOT_STARTED: "未开始",
    ClockStatus.RUNNING: "计时中",
    ClockStatus.PAUSED: "已暂停",
    ClockStatus.STOPPED: "已停止",
}
LIGHTS = {Light.GREEN: "绿灯", Light.YELLOW: "黄灯", Light.RED: "红灯"}
ALERTS = {
    AlertKind.REMINDER: "催办",
    AlertKind.OVERDUE: "超期",
    AlertKind.DEEMED_ACCEPTANCE: "逾期未告知，视为受理",
    AlertKind.SECOND_SUPPLEMENT: "二次补正",
    AlertKind.TOLERANCE_OVERDUE: "容缺逾期",
    AlertKind.DIVERGED: "部门系统状态不一致",
    AlertKind.BREACH: "承诺不实",
    AlertKind.REVOKED: "决定撤销",
    AlertKind.UNCAUGHT_ERROR: "流程出错",
    AlertKind.RETRACTED: "超期预警作废",
}
TOLERANCES = {
    ToleranceStatus.OPEN: "待补",
    ToleranceStatus.MET: "已补",
    ToleranceStatus.OVERDUE: "逾期",
    ToleranceStatus.EXPIRED: "未补",
    ToleranceStatus.WAIVED: "免补",
}
OUTCOMES = {
    "open": "办理中",
    "all_granted": "全部办成",
    "partial": "部分办成",
    "none_granted": "未办成",
    "withdrawn": "已撤回",
    "adopted": "已并入其他办件",
}
PAUSES = {
    PauseKind.HEARING: "听证",
    PauseKind.TENDER: "招标",
    PauseKind.AUCTION: "拍卖",
    PauseKind.INSPECTION: "检验",
    PauseKind.SITE_INSPECTION: "现场核查",
    PauseKind.TESTING: "检测",
    PauseKind.QUARANTINE: "检疫",
    PauseKind.APPRAISAL: "鉴定",
    PauseKind.EXPERT_REVIEW: "专家评审",
    PauseKind.SUPPLEMENT: "补正",
    PauseKind.TOLERANCE_OVERDUE: "容缺逾期",
    PauseKind.OTHER: "其他特别程序",
}
HINDRANCES = {
    HindranceKind.PAUSE: "暂停",
    HindranceKind.MATERIAL: "容缺材料待补",
    HindranceKind.INCIDENT: "异常",
    HindranceKind.TASK: "待办",
    HindranceKind.SYSTEM: "部门系统待办",
    HindranceKind.ITEM: "事项未办结",
}
WINDOW = "窗口"


def group(code: str, departments: Mapping[str, str]) -> str:
    """Name who may do a task: the window, a department, or a group as the diagram calls it."""
    return WINDOW if code == "window" else departments.get(code.removeprefix("department-"), code)


def hindrance(found: Mapping[str, Any], departments: Mapping[str, str]) -> str:
    """Tell what is waited for, of whom, and since when or until when (`v1.deadlines.HindranceShown`)."""
    name = PAUSES.get(found["name"], found["name"]) if found["kind"] is HindranceKind.PAUSE else found["name"]
    who = [found["reason"]] if found["reason"] else [group(code, departments) for code in found["groups"]]
    who += [f"{found['assignee']} 已认领"] if found["assignee"] else []
    told = f"{HINDRANCES[found['kind']]}：{name}" + (f"（{'、'.join(who)}）" if who else "")
    told += f"，{found['since']} 起" if found["since"] else ""
    if not found["due_on"]:
        return told
    return told + (f"，预计 {found['due_on']} 结束" if found["kind"] is HindranceKind.PAUSE else f"，{found['due_on']} 前")
