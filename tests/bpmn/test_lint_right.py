"""What is drawn rightly, though not as in what is shipped: nothing is told of it; and of what is wrong beside it, something is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bpmn import lint
from bpmn.lint.rules import variable_never_written
from engine import functions
from engine.vocabulary import WORDS
from tests.bpmn.diagrams import (
    call,
    diagram,
    end,
    exclusive,
    external,
    flow,
    flows,
    message_boundary,
    parallel,
    start,
    timer_boundary,
    user,
)
from tests.bpmn.linting import linted
from tests.bpmn.retyped import retyped

KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, variables=functions.VARIABLES)
RULES = {"flow-named-otherwise", "form-without-field", "optional-outcome", "terminates-others", "twofold-flow", "variable-never-written"}
RULES |= {"flow-never-taken", "unknown-choice", "bad-moment", "withdrawal-goes-on"}
ITEM = {"onething.kind": "item"}
DECISION = {"onething.kind": "decision"}


def form(*fields: dict[str, Any]) -> bytes:
    """The form `f`."""
    return json.dumps({"type": "default", "id": "f", "schemaVersion": 19, "components": fields}, ensure_ascii=False).encode()


def radio(key: str, label: str, options: dict[str, str], **more) -> dict[str, Any]:
    """A field to choose in: values by label."""
    values = [{"label": name, "value": value} for name, value in options.items()]
    return {"type": "radio", "id": f"{key}_{label}", "key": key, "label": label, "values": values, "validate": {"required": True}} | more


def found(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """Rules, elements and messages of what these rules find."""
    return [(f.rule, f.element, f.message) for f in linted(resources, KNOWN) if f.rule in RULES]


def decided(fields: tuple[dict[str, Any], ...], question: str, chosen: str, names: tuple[str, str]) -> list[tuple[str, str, str]]:
    """What is told of a decision with such a form, and of a gateway behind it: a question, a condition, and the names of both flows."""
    drawn = diagram(
        start("s"),
        user("decide", form="f", properties=DECISION),
        exclusive("asked", default="other", name=question),
        end("one"),
        end("other"),
        flows("s -> decide -> asked"),
        flow("asked", "one", when=chosen, name=names[0]),
        flow("asked", "other", name=names[1]),
        properties=ITEM,
    )
    return found({"p.bpmn": drawn, "f.form": form(*fields)})


OUTCOME = radio("outcome", "决定", {"准予": "granted", "不予许可": "denied"})
LACKS = radio("lacks", "是否缺少材料", {"是": "yes", "否": "no"})
OBJECTIONS = radio("objections", "Is anybody against it?", {"Yes": "yes", "No": "no"})
KIND = radio("kind", "情形", {"新办": "new", "变更": "change", "其他": "other"})
COMPUTED = {"type": "expression", "id": "c", "key": "outcome", "expression": '="granted"'}


@pytest.mark.parametrize(
    ("fields", "question", "chosen", "names"),
    [
        ((OUTCOME, LACKS), "材料齐全？", "${lacks == 'no'}", ("是", "否")),
        ((OUTCOME, LACKS), "是否受理", '=lacks != "yes"', ("是", "否")),
        ((OUTCOME, LACKS), "缺少材料吗？", "${lacks == 'yes'}", ("是", "否")),
        ((OUTCOME, OBJECTIONS), "Go on?", '=objections = "no"', ("yes", "no")),
        ((OUTCOME, KIND), "需要说明？", "${kind == 'other'}", ("需要", "其他")),
        ((OUTCOME, LACKS), "", "${lacks == 'yes'}", ("是", "否")),
    ],
)
def test_right__yes_to_another_question(fields: tuple[dict[str, Any], ...], question: str, chosen: str, names: tuple[str, str]):
    """Whoever is asked whether something lacks says no where the gateway, which asks whether all is there, says yes."""
    assert decided(fields, question, chosen, names) == []


@pytest.mark.parametrize(
    ("fields", "question", "chosen", "names"),
    [
        ((OUTCOME, LACKS), "缺少材料？", "${lacks == 'no'}", ("是", "否")),
        ((OUTCOME, LACKS), "", "${lacks eq 'no'}", ("是", "否")),
        ((OUTCOME, OBJECTIONS), "Is anybody against it", '=objections = "no"', ("yes", "no")),
        ((radio("outcome", "Decision", {"Approve": "granted", "Reject": "denied"}),), "?", "${outcome == 'denied'}", ("approve", "reject")),
        ((radio("outcome", "意见", {"同意": "granted", "不同意": "denied"}),), "意见？", "${!(outcome == 'granted')}", ("同意", "不同意")),
        ((radio("outcome", "意见", {"同意": "granted", "不同意": "denied"}),), "意见？", '=outcome in ("denied")', ("同意", "不同意")),
    ],
)
def test_mistake__other_labels(fields: tuple[dict[str, Any], ...], question: str, chosen: str, names: tuple[str, str]):
    told = decided(fields, question, chosen, names)

    assert [each[:2] for each in told] == [("flow-named-otherwise", "asked")] * 2
    assert [f"since it is called “{name}”" in message for name, (_rule, _element, message) in zip(names, told, strict=True)] == [True, True]


@pytest.mark.parametrize(
    "fields",
    [
        (COMPUTED,),
        (
            OUTCOME | {"readonly": True, "validate": {}, "conditional": {"hide": '=kind != "new"'}},
            OUTCOME | {"id": "2", "conditional": {"hide": '=kind = "new"'}},
            KIND,
        ),
    ],
    ids=["computed", "read-only in turn"],
)
def test_right__outcome_that_is_not_left_empty(fields: tuple[dict[str, Any], ...]):
    assert decided(fields, "准予？", "${outcome == 'granted'}", ("准予", "不予许可")) == []


@pytest.mark.parametrize(("inputs", "told"), [((), ["rooms"]), (("rooms",), []), (("all",), [])], ids=["nothing", "one", "all"])
def test_variable__handed_to_what_is_called(inputs: tuple[str, ...], told: list[str]):
    """What hands over all its variables hands over what its forms ask for."""
    rooms = {"type": "number", "id": "r", "key": "rooms", "label": "房间数"}
    caller = diagram(
        start("s"),
        user("ask", form="f", properties=DECISION),
        call("visit", of="q", inputs=inputs),
        end("e"),
        flows("s -> ask -> visit -> e"),
        properties=ITEM,
    )
    called = diagram(
        start("s"),
        exclusive("many", default="e"),
        external("decide", topic="onething.decide"),
        end("e"),
        flows("s -> many", "many -> decide [${rooms > 3}]", "many -> e", "decide -> e"),
        key="q",
        properties=ITEM,
    )

    found_ = found({"p.bpmn": caller, "q.bpmn": called, "f.form": form(OUTCOME, rooms)})

    assert [(rule, element, message.partition("nobody writes ")[2].partition(":")[0]) for rule, element, message in found_] == [
        ("variable-never-written", "many", name) for name in told
    ]


def test_variable__nobody_knows_what_is_handed_over():
    """A worker of the department writes what it likes, and all of it is handed over."""
    caller = diagram(
        start("s"), external("work", topic="theirs"), call("visit", of="q", inputs=["all"]), end("e"), flows("s -> work -> visit -> e")
    )
    called = diagram(
        start("s"),
        exclusive("many", default="e"),
        end("f"),
        end("e"),
        flows("s -> many", "many -> f [${rooms > 3}]", "many -> e"),
        key="q",
        properties=ITEM,
    )

    assert found({"p.bpmn": caller, "q.bpmn": called}) == []


@pytest.mark.parametrize(("inputs", "told"), [((), {"flow-never-taken"}), (("all",), set())], ids=["nothing", "all"])
def test_choice__handed_to_what_is_called(inputs: tuple[str, ...], told: set[str]):
    """Who is called chooses among two; but what is handed over may hold the third."""
    asked = user("ask", form="g")
    caller = diagram(start("s"), asked, call("visit", of="q", inputs=inputs), end("e"), flows("s -> ask -> visit -> e"))
    called = diagram(
        start("s"),
        user("decide", form="f", properties=DECISION),
        exclusive("asked", default="e"),
        end("f"),
        end("e"),
        flows("s -> decide -> asked", "asked -> f [${outcome != 'granted' and outcome != 'denied' and outcome != null}]", "asked -> e"),
        key="q",
        properties=ITEM,
    )
    third = json.loads(form(OUTCOME | {"values": [{"label": "退回", "value": "back"}]}))
    third["id"] = "g"

    rules = {
        rule for rule, _, _ in found({"p.bpmn": caller, "q.bpmn": called, "f.form": form(OUTCOME), "g.form": json.dumps(third).encode()})
    }

    assert rules == told


def test_right__two_tokens_for_who_needs_two():
    drawn = diagram(
        start("s"),
        parallel("both"),
        user("decide", properties=DECISION, attrs={"startQuantity": "2"}),
        end("e"),
        flows("s -> both", "decide -> e"),
        flow("both", "decide", key="one"),
        flow("both", "decide", key="two"),
    )

    assert found({"p.bpmn": drawn}) == []
    assert [each[:2] for each in found({"p.bpmn": drawn.replace(b' startQuantity="2"', b"")})] == [("twofold-flow", "both")]


def test_mistake__default_flow_that_is_never_taken():
    """A default flow has no condition to correct."""
    drawn = diagram(
        start("s"),
        user("decide", form="f", properties=DECISION),
        exclusive("asked", default="other"),
        end("yes"),
        end("no"),
        end("other"),
        flows("s -> decide -> asked", "asked -> yes [${outcome == 'granted'}]", "asked -> no [${outcome != 'granted'}]", "asked -> other"),
        properties=ITEM,
    )

    [(rule, element, message)] = found({"p.bpmn": drawn, "f.form": form(OUTCOME)})

    assert (rule, element) == ("flow-never-taken", "asked")
    assert message.endswith("correct the conditions of the others, or remove it and make one of them the default flow (默认流)")


def test_mistake__ends_what_was_to_be_interrupted():
    """Whoever draws a terminate end event behind a withdrawal may mean to end the task: the message says how."""
    drawn = diagram(
        start("s"),
        user("work"),
        message_boundary("back", on="work", message="called_off", interrupting=False),
        end("over", terminate=True),
        end("e"),
        flows("s -> work -> e", "back -> over"),
    )

    [(rule, element, message)] = found({"p.bpmn": drawn})

    assert (rule, element) == ("terminates-others", "over")
    assert "make it a plain end event (结束事件), or, if that is to end, let the event interrupt it (中断, not dashed)" in message


@pytest.mark.parametrize(
    ("due", "cycle"), [("=null", "R3/P1D"), ("${null}", '="R/P1D"'), ("P1D", '=date and time("2100-01-01T09:00:00Z")')]
)
def test_right__moments(due: str, cycle: str):
    """Null is no due date, and a cycle may be one moment: neither fails."""
    late = timer_boundary("late", on="work", interrupting=False, cycle=cycle)
    drawn = diagram(start("s"), user("work", due=due), late, end("e"), end("f"), flows("s -> work -> e", "late -> f"))

    assert found({"p.bpmn": drawn}) == []


@pytest.mark.parametrize(("beside", "told"), [("joint", []), ("issue", [("withdrawal-goes-on", "told")])])
def test_withdrawal__beside_the_joint_handling(beside: str, told: list[tuple[str, str]]):
    """When all is withdrawn every item has ended, and the joint handling ends by itself: an event on it may just notify somebody."""
    before = '<bpmn:subProcess id="joint"'
    event = message_boundary("told", on=beside, message="withdrawn", interrupting=False, name="撤回告知")
    drawn = event + end("notified", name="已告知") + flow("told", "notified") + before

    assert [each[:2] for each in found(retyped("starter.bpmn", before, drawn))] == told


def test_lint__looks_at_a_process_as_a_whole_as_often_however_large(monkeypatch: pytest.MonkeyPatch):
    """What is asked once for each of its tasks would cost four times as much in a drawing twice as large."""
    looked: list[str] = []
    monkeypatch.setattr(variable_never_written, "written", lambda process: looked.append(process.key) or set())

    counts = []
    for number in (2, 20):
        looked.clear()
        tasks = [f"t{n}" for n in range(number)]
        drawn = (start("s"), *(user(task, form="f") for task in tasks), end("e"), flows(" -> ".join(["s", *tasks, "e"])))
        found({"p.bpmn": diagram(*drawn, properties=ITEM), "f.form": form(OUTCOME)})
        counts.append(len(looked))

    assert counts[0] == counts[1] > 0
