"""Words that people read for what the interface names in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine import dials
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
    AlertKind.LONG_PAUSE: "暂停超出告知时间",
    AlertKind.DIVERGED: "部门系统状态不一致",
    AlertKind.BREACH: "承诺不实",
    AlertKind.BAD_RATING: "差评",
    AlertKind.REVOKED: "决定撤销",
    AlertKind.UNCAUGHT_ERROR: "流程出错",
    AlertKind.RETRACTED: "预警作废",
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
    HindranceKind.SUPPLEMENT: "待补正",
    HindranceKind.INCIDENT: "异常",
    HindranceKind.TASK: "待办",
    HindranceKind.SYSTEM: "部门系统待办",
    HindranceKind.ITEM: "事项未办结",
}
#: What should be looked at again, by where it stands.
WARNINGS = {"applicant.id_number": "统一社会信用代码的校验位不符，请核对登记信息（早期试点代码除外）。"}
#: In what it is the applicant who is waited for.
_OF_APPLICANT = frozenset({HindranceKind.MATERIAL, HindranceKind.SUPPLEMENT})
#: What a journal says was done; its details say to what (`particulars.deed`).
DEEDS = {
    "accepted with tolerance": "容缺受理",
    "agent corrected": "更正代办人",
    "case accepted": "受理",
    "case moved back": "办件移回原流程版本",
    "case moved to another version": "办件移到另一流程版本",
    "case rated": "评价",
    "case refused": "不予受理",
    "case retrieved": "从档案调回",
    "case returned": "退件",
    "case submitted": "申报",
    "case withdrawn": "撤回办件",
    "clock paused": "时限暂停",
    "clock resumed": "时限恢复",
    "contact corrected": "更正联系方式",
    "deadline missed": "超期",
    "delivery delivered": "送达",
    "delivery failed": "送达未成功",
    "delivery prepared": "重新安排送达",
    "department reported": "部门系统回传",
    "error uncaught": "流程出错，无人处理",
    "external task completed": "部门系统办理完成",
    "external task raised an error": "部门系统报错",
    "follow-on requested": "申请接续办理",
    "imported result lost": "已取得的结果失效",
    "incident retried": "异常重试",
    "item adopted": "接续在办件",
    "item adopted by a bundle": "并入其他办件",
    "item blocked": "前置事项未通过，终止办理",
    "item denied": "不予许可",
    "item granted": "准予",
    "item reminded": "催办",
    "item returned": "退件",
    "item revoked": "撤销决定",
    "item started": "转部门办理",
    "item terminated": "终止办理",
    "item withdrawn": "撤回事项",
    "items returned": "退件",
    "limit extended": "延长期限",
    "material handed in": "提交材料",
    "material rejected": "退回容缺材料",
    "message received": "收到消息",
    "name corrected": "更正申请人姓名",
    "pause outlasted": "暂停超出告知时间",
    "post-check breached": "事后核查：承诺不实",
    "post-check planned": "安排事后核查",
    "post-check revoke": "事后核查：撤销",
    "post-check verified": "事后核查：属实",
    "process activated": "流程恢复",
    "process ended": "流程终止",
    "process modified": "流程人工调整",
    "process signaled": "流程收到信号",
    "process started": "流程启动",
    "process suspended": "流程挂起",
    "rectification ordered": "责令限期整改",
    "results issued": "出件",
    "signal received": "收到信号",
    "special procedure ended": "特别程序结束",
    "supplement answered": "补正完成",
    "supplement asked for": "告知补正",
    "task changed": "修改任务",
    "task completed": "办理",
    "task delegated": "委派任务",
    "task escalated": "任务升级",
    "task linked": "指定任务人员",
    "task raised an error": "任务报错",
    "task resolved": "交回委派任务",
    "task unlinked": "取消任务人员",
    "timer rescheduled": "调整定时",
    "tolerance expired": "容缺期满未补",
    "tolerance overdue": "容缺逾期",
    "tolerance reminded": "提醒补交容缺材料",
    "variables set": "设置变量",
}
WINDOW, APPLICANT = "窗口", "申请人"


def group(code: str, departments: Mapping[str, str]) -> str:
    """Name who may do a task: the window, a department, or a group as the diagram calls it."""
    return WINDOW if code == "window" else departments.get(code.removeprefix("department-"), code)


def because(status: str, grounds: Mapping[str, Any] | None) -> str:
    """Tell a status, and why it is so; some reasons begin with the same words."""
    reason = str((grounds or {}).get("reason") or "")
    return f"{status}：{reason}" if reason and not reason.startswith(status) else reason or status


def hindrance(found: Mapping[str, Any], departments: Mapping[str, str]) -> str:
    """Tell what is waited for, of whom, and since when or until when (`v1.deadlines.HindranceShown`)."""
    name = PAUSES.get(found["name"], found["name"]) if found["kind"] is HindranceKind.PAUSE else found["name"]
    who = [found["reason"]] if found["reason"] else [group(code, departments) for code in found["groups"]]
    who += [APPLICANT] if found["kind"] in _OF_APPLICANT else []
    who += [f"{found['assignee']} 已认领"] if found["assignee"] else []
    told = f"{HINDRANCES[found['kind']]}：{name}" + (f"（{'、'.join(who)}）" if who else "")
    told += f"，{found['since']} 起" if found["since"] else ""
    if not found["due_on"]:
        return told
    if found["kind"] is not HindranceKind.PAUSE:
        return f"{told}，最迟 {found['due_on']}"
    return f"{told}，预计 {found['due_on']} 结束" + ("，已超出告知申请人的时间" if found["due_on"] < dials.today() else "")
