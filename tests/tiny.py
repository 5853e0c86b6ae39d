"""Small matters with the whole anatomy of a bundle, for rules that want no more than that.

    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}, materials=[{"code": "plan", "used_by": "alpha"}]))

Its tasks have no forms, so every outcome can be tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.bpmn import diagrams as d

#: Items that are all taken by `clerk.submit("tiny")`.
Items = Mapping[str, Mapping[str, str]]
LIMITS = ("promised", "statutory", "unit", "extension", "post_check", "special_days")
MATERIAL = (
    "material", "name", "necessity", "source", "exemption", "used_by", "merge_key", "tolerable", "until", "due_rule", "due_days", "grace_days", "basis",
)  # fmt: skip


def folder(
    items: Items,
    *,
    key: str = "tiny",
    materials: Sequence[Mapping[str, Any]] = (),
    processes: Mapping[str, bytes] | None = None,
    **facts: str,
) -> dict[str, bytes]:
    """Files of a matter and its items; `facts` are properties of the matter, `processes` items with a body of their own."""
    own = dict(processes or {})
    files = {f"{code}_bpmn": own.get(code) or item(code) for code in items}
    return {f"{key}_bpmn": matter(key, items, **facts), f"{key}_dmn": tables(items, materials), **files}


def item(code: str, *content: str, department: str = "market", **facts: str) -> bytes:
    """A single item: decided by its department, or with a body of its own."""
    body = content or (
        d.start("accepted"),
        decision(code, department),
        d.end("decided"),
        d.flows("accepted -> decide -> decided"),
    )
    properties = {"kind": "item", "department": department, "result": f"{code} 证", "issuer": department, **facts}
    return d.diagram(*body, key=code, name=code, properties=_prefixed(properties))


def inspected(code: str, *, days: str = "3", at_most: str = "P6D") -> bytes:
    """An item that is decided, looked at on the place when that is the decision (for so many days, and `at_most` so long), and decided."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "site_inspection", "onething.days": days}
    return item(
        code,
        d.start("accepted"),
        decision(code),
        d.timer_boundary("late", on="decide", date="${deadline('promised')}", interrupting=False),
        d.external("overdue", topic="onething.overdue"),
        d.end("reported"),
        d.exclusive("decided", default="done"),
        d.user("inspect", name="现场核查", groups="department-market", properties=properties),
        d.timer_boundary("too_long", on="inspect", **{"date" if at_most.startswith("$") else "duration": at_most}),
        d.end("done"),
        d.flows(
            "accepted -> decide -> decided -> done",
            "decided -> inspect [${outcome == 'inspect'}]",
            "inspect -> decide",
            "too_long -> decide",
            "late -> overdue -> reported",
        ),
    )


def broken_off(id_: str, element: str) -> bytes:
    """An item that begins with an element that a step beside it breaks off in the same moment, by an error; then it is decided."""
    ends = d.end("over"), d.end("lost", error="LOST")
    flows = d.flows(f"begun -> fork -> {id_} -> over", "fork -> remind -> lost")
    within = d.start("begun"), d.parallel("fork"), element, d.external("remind", topic="onething.remind"), *ends, flows
    sub = d.subprocess("sub", *within), d.error_boundary("caught", on="sub", error="LOST")
    return item("alpha", d.start("s"), *sub, decision("alpha"), d.end("e"), d.flows("s -> sub -> decide -> e", "caught -> decide"))


def decision(code: str, department: str = "market", id_: str = "decide") -> str:
    return d.user(
        id_, name=f"{code}审批", groups=f"department-{department}", due="${deadline('promised')}", properties={"onething.kind": "decision"}
    )


def matter(key: str, items: Items, **facts: str) -> bytes:
    """A bundle as `docs/decisions/0001` draws it."""
    properties = {"kind": "matter", "code": key, "lead": "market", "longest_wait": "3", "supplement_days": "10", **facts}
    return d.diagram(_window(), _joint(items), _issuance(), key=key, name=key, properties=_prefixed(properties))


def _window() -> str:
    return "".join(
        (
            d.start("submitted"),
            d.user("intake", name="一窗受理", groups="window", properties={"onething.kind": "intake"}),
            d.message_boundary("withdrawn_at_intake", on="intake", message="withdrawn"),
            d.timer_boundary("silence", on="intake", date="${acceptance_due()}"),
            d.external("deem", topic="onething.accept-deemed"),
            d.exclusive("outcome", default="refused"),
            d.end("refused"),
            d.end("withdrawn"),
            d.user("supplement", name="补正材料", groups="window", properties={"onething.kind": "supplement"}),
            d.message_boundary("withdrawn_at_supplement", on="supplement", message="withdrawn"),
            d.timer_boundary("lapse", on="supplement", date="${supplement_due()}"),
            d.exclusive("corrected", default="intake"),
            d.external("give_back", topic="onething.return-lacking"),
            d.exclusive("anything_left", default="lapsed"),
            d.end("lapsed"),
            d.start("joins_late", message="follow_on_requested"),
            d.user("follow_on", name="接续受理", groups="window", due="${acceptance_due()}", properties={"onething.kind": "follow-on"}),
            d.timer_boundary("silence_of_joined", on="follow_on", date="${acceptance_due()}"),
            d.external("deem_joined", topic="onething.accept-deemed"),
            d.exclusive("joining", default="accepted"),
            d.end("joined"),
            d.exclusive("accepted"),
            d.flows(
                "submitted -> intake -> outcome",
                "outcome -> accepted [${outcome == 'accept' or outcome == 'tolerate'}]",
                "outcome -> supplement [${outcome == 'supplement'}]",
                "outcome -> refused",
                "supplement -> corrected -> intake",
                "corrected -> anything_left [${not answered}]",
                "silence -> deem -> accepted",
                "withdrawn_at_intake -> withdrawn",
                "withdrawn_at_supplement -> withdrawn",
                "lapse -> give_back -> anything_left -> lapsed",
                "anything_left -> accepted [${not settled() or issuable()}]",
                "joins_late -> follow_on -> joining -> accepted",
                "silence_of_joined -> deem_joined -> joining",
                "joining -> joined [${joining}]",
                "accepted -> joint",
            ),
        )
    )


def _joint(items: Items) -> str:
    return d.subprocess(
        "joint",
        d.start("joint_started"),
        d.parallel("watch"),
        d.exclusive("world_moved"),
        d.message_catch("items_changed", message="items_changed"),
        d.parallel("look_again"),
        d.exclusive("next_item"),
        d.inclusive("dispatch", default="settled"),
        d.exclusive("settled", default="carry_on"),
        d.end("all_settled", terminate=True),
        d.end("carry_on"),
        *(_call(code, facts) for code, facts in items.items()),
        d.flows(
            "joint_started -> watch -> next_item -> dispatch -> settled -> carry_on",
            "watch -> world_moved -> items_changed -> look_again -> world_moved",
            "look_again -> next_item",
            "settled -> all_settled [${settled()}]",
            *(f"dispatch -> call_{code} [${{ready('{code}')}}]" for code in items),
            *(f"call_{code} -> next_item" for code in items),
        ),
        _tolerance(),
    )


def _tolerance() -> str:
    steps = {"remind": "remind", "due": "tolerance-overdue", "grace": "tolerance-return"}
    return "".join(
        (
            d.exclusive("tolerance_check"),
            d.exclusive("missing", default="meanwhile"),
            d.end("nothing_left", terminate=True),
            d.message_catch("meanwhile", message="items_changed"),
            d.receive("await_material", message="material_supplied"),
            *(d.timer_boundary(f"{when}_due", on="await_material", date=f"${{tolerance('{when}')}}") for when in steps),
            *(d.external(f"{when}_step", topic=f"onething.{topic}", properties=_outcome(when)) for when, topic in steps.items()),
            d.flows(
                "watch -> tolerance_check -> missing -> meanwhile -> tolerance_check",
                "missing -> nothing_left [${settled()}]",
                "missing -> await_material [${tolerance_open()}]",
                "await_material -> tolerance_check",
                *(f"{when}_due -> {when}_step -> tolerance_check" for when in steps),
            ),
        )
    )


def _outcome(when: str) -> dict[str, str]:
    return {"onething.outcome": "terminated"} if when == "grace" else {}


def _issuance() -> str:
    return "".join(
        (
            d.message_boundary("asked", on="joint", message="follow_on_requested", interrupting=False),
            d.timer_boundary("longest_wait", on="joint", interrupting=False, date="${issue_by()}"),
            d.external("split", topic="onething.split-issuance"),
            d.end("partly_issued"),
            d.exclusive("issuable", default="over"),
            d.user("issue", name="统一出件", groups="window", due="${issuance_due()}", properties={"onething.kind": "issuance"}),
            d.exclusive("over"),
            d.user("rate", name="好差评", groups="window", properties={"onething.kind": "rating"}),
            d.end("rated"),
            d.flows(
                "asked -> follow_on",
                "longest_wait -> split -> partly_issued",
                "joint -> issuable -> over -> rate -> rated",
                "issuable -> issue [${issuable()}]",
                "issue -> over",
            ),
        )
    )


def _call(code: str, facts: Mapping[str, str]) -> str:
    return d.call(f"call_{code}", of=code, properties=_prefixed({"item": code, **{k: v for k, v in facts.items() if k in CALLED}}))


#: Facts of an item that belong to its call; the others are figures of its limits.
CALLED = frozenset({"predecessors", "on_refusal"})


def tables(items: Items, materials: Sequence[Mapping[str, Any]]) -> bytes:
    """Decision tables: every item is called for, with ten working days promised unless told otherwise."""
    limits = ((code, *({"promised": 10, "unit": "working", **facts}.get(name) for name in LIMITS)) for code, facts in items.items())
    asked = ([_material(material).get(name) for name in MATERIAL] for material in materials)
    rows = (
        table_of("items", (), ("item", "action"), ((code, "include") for code in items)),
        table_of("materials", (), MATERIAL, asked),
        table_of("item_limits", ("item",), LIMITS, limits),
    )
    return f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d">{"".join(rows)}</definitions>'.encode()


def with_exclusions(files: Mapping[str, bytes], *rows: Sequence[Any]) -> dict[str, bytes]:
    """The same files, with two questions and a table that says where the bundle is not offered (简易注销的排除情形)."""
    asked = ("how", "注销方式", "single", "简易注销,普通注销"), ("debts", "是否有未结清的债务", "boolean", None)
    more = table_of("situations", (), ("id", "ask", "type", "options"), asked)
    more += table_of("exclusions", ("how", "debts"), ("reason", "instead", "basis"), rows).replace('"UNIQUE"', '"COLLECT"')
    return {**files, "tiny_dmn": files["tiny_dmn"].replace(b"</definitions>", f"{more}</definitions>".encode())}


def _material(facts: Mapping[str, Any]) -> dict[str, Any]:
    standing = {
        "name": facts["material"],
        "necessity": "REQUIRED",
        "source": "SELF",
        "exemption": "SUBMIT",
        "used_by": "*",
        "tolerable": False,
    }
    return {**standing, **facts}


def table_of(key: str, inputs: Sequence[str], outputs: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    heads = [
        d.tag("input", d.tag("inputExpression", d.tag("text", name), attrs={"id": f"{key}_{name}"}), attrs={"id": f"{key}_in_{name}"})
        for name in inputs
    ]
    heads += [d.tag("output", attrs={"id": f"{key}_out_{name}", "name": name}) for name in outputs]
    rules = [
        d.tag(
            "rule",
            *(_cell(kind, value, f"{key}_{n}_{m}") for m, (kind, value) in enumerate(_kinds(row, len(inputs)))),
            attrs={"id": f"{key}_{n}"},
        )
        for n, row in enumerate(rows)
    ]
    policy = "UNIQUE" if inputs else "COLLECT"
    table = d.tag("decisionTable", *heads, *rules, attrs={"id": f"{key}_table", "hitPolicy": policy})
    return d.tag("decision", table, attrs={"id": key, "name": key})


def _kinds(row: Sequence[Any], inputs: int) -> list[tuple[str, Any]]:
    return [("inputEntry" if n < inputs else "outputEntry", value) for n, value in enumerate(row)]


def _cell(kind: str, value: Any, id_: str) -> str:
    text = (
        "" if value is None else str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int) else f'"{value}"'
    )
    return d.tag(kind, d.tag("text", text) if text else "<text></text>", attrs={"id": id_})


def _prefixed(facts: Mapping[str, str]) -> dict[str, str]:
    return {f"onething.{name}": value for name, value in facts.items()}
