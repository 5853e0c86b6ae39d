"""Items as a designer draws them who has read the docs: a pension (退休), and the checks before a listing (企业上市核查)."""

from __future__ import annotations

import json
from typing import Any

from bpmn import lint
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.diagrams import (
    boundary,
    call,
    decision,
    document,
    end,
    error_boundary,
    exclusive,
    external,
    flow,
    flows,
    process,
    script,
    start,
    tag,
    timer_boundary,
    user,
)
from tests.bpmn.linting import linted
from tests.bpmn.retyped import STARTER

KNOWN = lint.Known(
    functions=functions.NAMES,
    words=WORDS,
    variables=functions.VARIABLES,
    departments=frozenset({"hrss", "market", "fire"}),
    names={"人社局": "hrss", "消防救援支队": "fire"},
)
_OF_ITEMS = {"onething.kind": "item", "onething.mode": "review", "onething.item_type": "permit", "onething.issuer": "人社部门"}
_KEPT = {"camunda:historyTimeToLive": "P1825D"}
_DUE = "${deadline('promised')}"


def _asks(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "label": key, **more}


def _form(key: str, *fields: dict[str, Any]) -> bytes:
    return json.dumps({"id": key, "type": "default", "components": list(fields)}, ensure_ascii=False).encode()


def _parameters(inputs: dict[str, str], outputs: dict[str, str]) -> str:
    kinds = {"camunda:inputParameter": inputs, "camunda:outputParameter": outputs}
    return tag("camunda:inputOutput", *(tag(kind, text, attrs={"name": n}) for kind, rows in kinds.items() for n, text in rows.items()))


def _decides(key: str, name: str, department: str) -> str:
    return user(
        key, name=name, groups=f"department-{department}", form="starter_decision", due=_DUE, properties={"onething.kind": "decision"}
    )


def _pension() -> bytes:
    read = _parameters({"person": "${answers.get('r_id')}"}, {"years": "${years}"})
    return document(
        process(
            "benefit_calc",
            start("accepted", name="已受理并派件"),
            external("read_years", topic="pension-years", name="查询缴费年限", ext=read),
            error_boundary("no_account", on="read_years", error="NO_RECORD", name="查无参保记录"),
            user("by_hand", name="人工核实参保记录", groups="department-hrss", form="by_hand", due=_DUE),
            script("sum_up", "${years + extra}", result="total", name="合计年限"),
            exclusive("enough", default="short", name="年限够不够？"),
            _decides("review", "待遇核定", "hrss"),
            _decides("short", "说明理由", "hrss"),
            timer_boundary("late", on="review", interrupting=False, date="${deadline('warning')}", name="时限预警"),
            external("remind", topic="onething.remind", name="预警催办"),
            end("reminded", name="已催办"),
            exclusive("decided", default="denied", name="结论"),
            end("granted", name="已核定"),
            end("denied", name="不予核定"),
            flows("accepted -> read_years -> sum_up -> enough", "no_account -> by_hand -> sum_up", "late -> remind -> reminded"),
            flow("enough", "review", when="${total >= 15}", name="够"),
            flow("enough", "short", name="不够"),
            flows("review -> decided", "short -> decided"),
            flow("decided", "granted", when="${outcome == 'granted'}", name="准予"),
            flow("decided", "denied", name="不予许可"),
            name="养老待遇核定",
            attrs=_KEPT,
            properties={**_OF_ITEMS, "onething.department": "hrss", "onething.result": "待遇核定表"},
        )
    )


def _listing() -> bytes:
    each = '<bpmn:multiInstanceLoopCharacteristics camunda:collection="${domains}" camunda:elementVariable="domain"/>'
    return document(
        process(
            "listing_check",
            start("accepted", name="已派件"),
            user("choose", name="确定核查领域", groups="department-market", form="domains", due=_DUE),
            user("look", each, name="核查 ${domain}", groups="department-${domain}", form="look", due="P3D"),
            call("ask", of="summary", inputs=["company"], outputs=["report -> findings"], name="汇总核查信息"),
            boundary(
                "waited", tag("bpmn:timerEventDefinition", tag("bpmn:timeDuration", "P5D")), on="ask", interrupting=False, name="久未汇总"
            ),
            external("remind", topic="onething.remind", name="催办"),
            end("reminded", name="已催办"),
            decision("rate", ref="listing_level", result="level", mapping="singleEntry", name="判定等级"),
            exclusive("clean", default="sign", name="有没有问题？"),
            user("explain", name="企业说明", groups="window", form="explain", due="P10D"),
            _decides("sign", "签发核查报告", "market"),
            end("done", name="已出报告"),
            flows("accepted -> choose -> look -> ask -> rate -> clean", "waited -> remind -> reminded"),
            flow("clean", "explain", when='=level = "bad" and count(domains) > 0', name="有"),
            flow("clean", "sign", name="没有"),
            flows("explain -> sign -> done"),
            name="企业上市合法合规信息核查",
            attrs=_KEPT,
            properties={**_OF_ITEMS, "onething.department": "market", "onething.result": "核查报告"},
        ),
        process(
            "summary",
            start("begun", name="开始"),
            external("fetch", topic="listing-summary", name="汇总", attrs={"camunda:asyncBefore": "true"}),
            end("over", name="完成"),
            flows("begun -> fetch -> over"),
            name="汇总",
            attrs=_KEPT,
            properties={"onething.kind": "process"},
        ),
    )


def _level() -> bytes:
    rows = "".join(
        f'<rule id="r{n}"><inputEntry id="i{n}"><text>{asked}</text></inputEntry><outputEntry id="o{n}"><text>"{said}"</text></outputEntry></rule>'
        for n, (asked, said) in enumerate([("&gt; 0", "bad"), ("", "good")])
    )
    asked = '<input id="in" label="处罚"><inputExpression id="ie" typeRef="number"><text>penalties</text></inputExpression></input>'
    table = f'<decisionTable id="t" hitPolicy="FIRST">{asked}<output id="out" name="level" typeRef="string"/>{rows}</decisionTable>'
    space = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    return f'<definitions xmlns="{space}" id="d" name="d" namespace="n"><decision id="listing_level" name="等级">{table}</decision></definitions>'.encode()


_CHOICES = [{"value": "fire", "label": "消防"}, {"value": "market", "label": "市场监管"}]
ITEMS: dict[str, bytes] = {
    "pension.bpmn": _pension(),
    "listing.bpmn": _listing(),
    "level.dmn": _level(),
    "limits.dmn": STARTER["starter-items.dmn"].replace(b"starter_first", b"benefit_calc").replace(b"starter_second", b"listing_check"),
    "decision.form": STARTER["decision.form"],
    "by_hand.form": _form("by_hand", _asks("years", type="number"), _asks("extra", type="number")),
    "domains.form": _form(
        "domains", _asks("domains", type="checklist", values=_CHOICES, validate={"required": True}), _asks("company", type="textfield")
    ),
    "look.form": _form(
        "look", _asks("penalties", type="number"), {"key": "since", "type": "datetime", "subtype": "date", "dateLabel": "起"}
    ),
    "explain.form": _form("explain", _asks("explained", type="textfield")),
}
#: A worker answers at once.
RIGHT = {("no-time-limit", "read_years")}


def told(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Rules, elements and messages of what is found in these items."""
    return [(f.rule, f.element, f.message) for f in linted(resources, KNOWN) if (f.rule, f.element) not in RIGHT]


def mistaken(file: str, *changes: tuple[str, str], of: dict[str, bytes] = ITEMS) -> dict[str, bytes]:
    """The items with something in a file written otherwise."""
    content = of[file].decode()
    for written, instead in changes:
        assert written in content, written
        content = content.replace(written, instead, 1)
    return of | {file: content.encode()}
