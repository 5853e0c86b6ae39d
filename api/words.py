"""Words that people read for what the interface names in English."""

from __future__ import annotations

from collections.abc import Mapping

from engine.alerts import AlertKind
from engine.clock import Light
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
    AlertKind.UNCAUGHT_ERROR: "流程出错",
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
WINDOW = "窗口"


def group(code: str, departments: Mapping[str, str]) -> str:
    """Name who may do a task: the window, a department, or a group as the diagram calls it."""
    return WINDOW if code == "window" else departments.get(code.removeprefix("department-"), code)
