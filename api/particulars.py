"""Particulars (文书要点): what a notice tells the applicant, in plain words; the window reads it out, or prints the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api import words
from engine.clock import DayUnit, LimitKind
from engine.item_clock import Approver

_APPROVERS = {Approver.ORGAN_HEAD: "本行政机关负责人", Approver.GOVERNMENT_HEAD: "本级人民政府负责人"}
_UNITS = {DayUnit.WORKING: "个工作日", DayUnit.CALENDAR: "日"}
_LIMITS = {LimitKind.PROMISED: "承诺", LimitKind.STATUTORY: "法定"}


def of(content: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Tell what a notice says (`engine.notices`); `names`: of the items of the case, by their numbers."""
    return "；".join(_told(content, names))


def deed(what: str, details: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Tell what a line of the journal says was done, and to what; `names`: of items by their numbers, of materials by their codes."""
    about = [details[key] for key in ("task", "item", "material") if details.get(key)] or details.get("items") or ()
    said = "、".join(names.get(each, each) for each in about)
    return f"{words.DEEDS.get(what, what)}：{said}" if said else words.DEEDS.get(what, what)


def _told(said: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    items = [_item(each, names) for each in said.get("items") or ()]
    if one := said.get("item") or said.get("name"):  # of a special procedure, its name alone
        items.append(names.get(one, one))
    if items:
        yield f"事项：{'、'.join(items)}"
    if said.get("result"):
        yield f"结果：{said['result']}"
    if "procedure" in said:
        yield f"特别程序：{words.PAUSES.get(said['procedure'], said['procedure'])}，预计 {said['estimated_days']} 个工作日"
    if "approver" in said:
        yield f"延长 {said['days']} 个工作日，经{_APPROVERS.get(said['approver'], said['approver'])}批准"
    yield from _materials(said)
    for label, key in (("需要补正的内容", "defects"), ("理由", "reason"), ("应当向其申请的行政机关", "competent_organ")):
        if said.get(key):
            yield f"{label}：{said[key]}"
    if said.get("due_on"):
        yield f"期限：最迟 {said['due_on']}{_moved(said)}{_grace(said)}"
    yield from (str(said[key]) for key in ("consequence", "remedies") if said.get(key))


def _materials(said: Mapping[str, Any]) -> Iterator[str]:
    if said.get("material"):
        yield f"材料：{said['material']}"
    for label, key in (("材料", "materials"), ("缺少的材料", "missing")):
        if said.get(key):
            yield f"{label}：{'、'.join(_until(each) for each in said[key])}"


def _until(material: Mapping[str, Any]) -> str:
    if material.get("tolerable"):
        return f"{material['name']}（签署容缺受理承诺书的，可以后补）"
    return f"{material['name']}（最迟 {material['due_on']}{_moved(material)}）" if material.get("due_on") else str(material["name"])


def _moved(said: Mapping[str, Any]) -> str:
    return f"，原告知 {'、'.join(said['moved_from'])}，因工作日历调整顺延" if said.get("moved_from") else ""


def _grace(said: Mapping[str, Any]) -> str:
    """Until when what is overdue may still come; what was told by an earlier release says for how many days only."""
    if not said.get("grace_days"):
        return ""
    days = f"{said['grace_days']} 个工作日"
    return f"，逾期后宽限至 {said['grace_until']}（{days}）" if said.get("grace_until") else f"，逾期后另有 {days}"


def _item(item: Any, names: Mapping[str, str]) -> str:
    """Name an item that stands there by its number, or with its limits."""
    if isinstance(item, str):
        return names.get(item, item)
    limits = "、".join(f"{_LIMITS[each['kind']]} {each['days']} {_UNITS[each['unit']]}" for each in item["limits"])
    return f"{item['name']}（{limits}）" if limits else str(item["name"])
