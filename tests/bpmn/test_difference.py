"""What changed between two versions: exactly what somebody drew differently, and nothing else."""

from __future__ import annotations

import json
import re

import pytest
from lxml import etree

from bpmn import difference
from bpmn.errors import DocumentError
from tests import tiny
from tests.bpmn.diagrams import (
    call,
    diagram,
    end,
    exclusive,
    external,
    flow,
    flows,
    parallel,
    start,
    subprocess,
    timer_boundary,
    user,
)
from tests.bpmn.tables import decision, document
from tests.hall import WORKFLOWS

FOLDERS = sorted({path.parent for path in WORKFLOWS.rglob("*.bpmn")})


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def told(before, after, **more):
    """Changes in a few words: kind, id, attribute, before, after."""
    return [(str(c.kind), c.id, c.attribute, c.before, c.after) for c in difference.between(before, after, **more)]


def drawing(review="", *more, arrows="s -> review -> e", **changes):
    """A review, drawn with differences."""
    facts = {"name": "审查", "groups": "market", "form": "work", **changes}
    content = (start("s"), user("review", review, **facts), end("e"), *more, flows(*arrows.split("; ")))
    return {"a.bpmn": diagram(*content, key="p", name="审查流程")}


LATE = (timer_boundary("late", on="review", duration="P3D", interrupting=False), end("told"))
ONE_EDIT = {
    "renamed": (drawing(), drawing(name="复审"), ("renamed", "review", "name", "审查", "复审")),
    "name taken away": (drawing(), drawing(name=None), ("renamed", "review", "name", "审查", None)),
    "computed name": (drawing(), drawing(name="审查 ${n}"), ("renamed", "review", "name", "审查", "审查 ${n}")),
    "newest form": (
        drawing(attrs={"camunda:formRefBinding": "deployment"}),
        drawing(attrs={"camunda:formRefBinding": "latest"}),
        ("changed", "review", "form_binding", "deployment", "latest"),
    ),
    "groups": (drawing(), drawing(groups="market,fire"), ("changed", "review", "candidate_groups", "market", "market, fire")),
    "form": (drawing(), drawing(form="work2"), ("changed", "review", "form_ref", "work", "work2")),
    "due date": (drawing(), drawing(due="${deadline('promised')}"), ("changed", "review", "due_date", None, "${deadline('promised')}")),
    "property": (
        drawing(properties={"onething.kind": "decision"}),
        drawing(properties={"onething.kind": "work"}),
        ("changed", "review", "properties.onething.kind", "decision", "work"),
    ),
    "timer": (
        drawing("", *LATE, arrows="s -> review -> e; late -> told"),
        drawing("", timer_boundary("late", on="review", duration="P5D", interrupting=False), end("told"), arrows="s -> review -> e; late -> told"),
        ("changed", "late", "event.when", "P3D", "P5D"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("edit", ONE_EDIT)
def test_between__one_edit(edit):
    before, after, change = ONE_EDIT[edit]

    assert told(before, after) == [change]
    kind, id_, attribute, was, now = change
    assert told(after, before) == [(kind, id_, attribute, now, was)]


@pytest.mark.parametrize(
    ("element", "attribute", "values"),
    [
        (lambda value: external("x", topic=value), "topic", ("a", "b")),
        (lambda value: call("x", of=value), "called", ("food_permit", "fire_check")),
        (lambda value: call("x", of="q", inputs=[f"{value} -> target"]), "inputs.target.source", ("one", "two")),
    ],
)
def test_between__what_a_step_does(element, attribute, values):
    before, after = ({"a.bpmn": diagram(start("s"), element(value), end("e"), flows("s -> x -> e"))} for value in values)

    assert [change[:3] for change in told(before, after)] == [("changed", "x", attribute)]


def test_between__conditions_in_another_order():
    """The first one that is true decides; of a parallel gateway nobody can tell."""

    def choice(gateway, *arrows):
        content = (start("s"), gateway, user("a"), user("b"), end("e"))
        return {"a.bpmn": diagram(*content, flows("s -> x", *arrows, "x -> e", "a -> e", "b -> e"))}

    one, other = "x -> a [${n > 1}]", "x -> b [${n > 2}]"

    assert told(choice(exclusive("x", default="e"), one, other), choice(exclusive("x", default="e"), other, one)) == [
        ("changed", "x", "order", "x-a, x-b, x-e", "x-b, x-a, x-e")
    ]
    assert told(choice(parallel("x"), "x -> a", "x -> b"), choice(parallel("x"), "x -> b", "x -> a")) == []


def test_between__task_inserted():
    """The first arrow keeps its id when a task is dropped on it, as Modeler does it."""
    after = {
        "a.bpmn": diagram(
            start("s"), user("review", name="审查", groups="market", form="work"), user("check", name="复核"), end("e"),
            flows("s -> review"), flow("review", "check", key="review-e"), flows("check -> e"), key="p", name="审查流程",
        )
    }  # fmt: skip

    assert told(drawing(), after) == [
        ("added", "check", "", None, "userTask"),
        ("added", "check-e", "", None, "“复核” (check) → e"),
        ("rerouted", "review-e", "", "“审查” (review) → e", "“审查” (review) → “复核” (check)"),
    ]
    assert told(after, drawing())[0] == ("removed", "check", "", "userTask", None)


def test_between__condition_of_a_flow():
    def choice(condition):
        arrows = flows("s -> x", f"x -> a [{condition}]", "x -> e", "a -> e")
        return {"a.bpmn": diagram(start("s"), exclusive("x", default="e"), user("a"), end("e"), arrows)}

    assert told(choice("${n > 1}"), choice("${n > 2}")) == [("changed", "x-a", "condition", "${n > 1}", "${n > 2}")]


def test_between__moved_into_a_subprocess():
    inner = (user("review"), flows("i -> review -> o"))
    before = diagram(
        start("s"), user("review"), subprocess("box", start("i"), end("o"), flows("i -> o")), end("e"), flows("s -> review -> box -> e")
    )
    after = diagram(start("s"), subprocess("box", start("i"), end("o"), *inner, name="办理"), end("e"), flows("s -> box -> e"), name="流程")  # fmt: skip

    assert ("moved", "review", "", "p", "“办理” (box)") in told({"a.bpmn": before}, {"a.bpmn": after})


def test_between__only_the_drawing_moved():
    """Shapes, the order of elements, line breaks and the tool that wrote the file are no changes."""
    before = files(WORKFLOWS / "open-restaurant")
    text = before["open-restaurant.bpmn"].decode()
    moved = (
        re.sub(r'(<dc:Bounds x=")(\d+)', r"\g<1>7\2", text)
        .replace("><", ">\n<")
        .replace("exporterVersion=", 'camunda:x="1" exporterVersion=')
    )

    assert moved != text
    assert told(before, {**before, "open-restaurant.bpmn": moved.encode()}) == []


def test_between__another_file_name():
    folder = files(WORKFLOWS / "newborn")

    assert told(folder, {f"v2-{name}": content for name, content in folder.items()}) == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_between__shipped_with_itself(folder):
    assert difference.between(files(folder), files(folder)) == []


def test_between__shipped_with_one_another():
    """What is added one way is removed the other, and every change has two different sides."""
    one, other = files(WORKFLOWS / "open-restaurant"), files(WORKFLOWS / "newborn")
    there, back = difference.between(one, other), difference.between(other, one)

    def ids(changes, kind):
        return {(c.subject, c.id) for c in changes if c.kind == kind}

    assert ids(there, "added") == ids(back, "removed")
    assert ids(there, "removed") == ids(back, "added")
    assert all(change.before != change.after for change in there if change.kind not in {"added", "removed"})


def test_between__one_process_of_a_folder():
    before = {
        "a.bpmn": diagram(start("s"), end("e"), flows("s -> e"), key="one"),
        "b.bpmn": diagram(start("s"), end("e"), flows("s -> e"), key="two"),
    }
    after = {"a.bpmn": diagram(start("s"), user("u"), end("e"), flows("s -> u -> e"), key="one")}

    assert {change.within or change.id for change in difference.between(before, after, process="one")} == {"one"}
    assert ("removed", "two", "", None, None) in told(before, after)


def test_between__refused_file():
    with pytest.raises(DocumentError, match="Expected"):
        difference.between(drawing(), {"a.bpmn": b"<nothing"})


# Tables and forms -----------------------------------------------------------------------------------------------------------------------


def tables(**items):
    return {"t.dmn": tiny.tables(items, ())}


def test_between__cell_of_a_rule():
    assert told(tables(alpha={"promised": 10}), tables(alpha={"promised": 12})) == [("changed", "item_limits_0", "promised", "10", "12")]


def test_between__rules():
    changes = told(tables(alpha={}), tables(alpha={}, beta={}))

    assert [change[:2] for change in changes] == [("added", "items_1"), ("added", "item_limits_1")]


def test_between__rule_pasted_under_another_id():
    """A row that was cut and pasted says what it said."""
    (before,) = tables(alpha={}, beta={}).values()
    after = before.replace(b'id="items_1"', b'id="DecisionRule_0x1"')

    assert after != before
    assert told({"t.dmn": before}, {"t.dmn": after}) == []


def test_between__rules_in_another_order():
    (before,) = tables(alpha={}, beta={}).values()
    first, second = (re.search(rf'<rule id="items_{n}">.*?</rule>', before.decode())[0] for n in (0, 1))
    after = before.decode().replace(first + second, second + first).encode()

    assert told({"t.dmn": before}, {"t.dmn": after}) == [("changed", "items", "order", "items_0, items_1", "items_1, items_0")]


def test_between__hit_policy_and_column():
    (before,) = tables(alpha={}).values()
    after = before.replace(b'hitPolicy="COLLECT"', b'hitPolicy="FIRST"', 1).replace(b'name="action"', b'name="deed"')

    assert told({"t.dmn": before}, {"t.dmn": after}) == [
        ("changed", "items", "hitPolicy", "COLLECT", "FIRST"),
        ("renamed", "items_out_action", "name", "action", "deed"),
        ("changed", "items_out_action", "expression", "action", "deed"),
    ]


MODEL = (
    '<businessKnowledgeModel id="k" name="tax"><encapsulatedLogic><formalParameter name="x" typeRef="number"/>'
    "<literalExpression><text>x * {factor}</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>"
)


def decided(*, values='"deny", "grant"', kind="string", requires=("base",), factor=2):
    table = decision("d", ["n:number"], [f"out:{kind} = {values}"], '1 => "deny"', policy="PRIORITY", requires=requires)
    others = (decision(key, [], ["x"], "=> 1") for key in ("base", "other"))
    return {"t.dmn": etree.tostring(document(table, *others, MODEL.format(factor=factor)))}


@pytest.mark.parametrize(
    ("edit", "change"),
    [
        ({"values": '"grant", "deny"'}, ("changed", "d_out", "outputValues", '"deny", "grant"', '"grant", "deny"')),
        ({"requires": ("base", "other")}, ("changed", "d", "requires", "base", "base, other")),
        ({"requires": ()}, ("changed", "d", "requires", "base", None)),
        ({"factor": 3}, ("changed", "k", "logic", "x number x * 2", "x number x * 3")),
    ],
)
def test_between__what_decides_besides_the_rules(edit, change):
    """Which output has priority, what a decision is built on, and what a knowledge model computes."""
    (told_change,) = told(decided(), decided(**edit))

    assert (told_change[0], *told_change[2:]) == (change[0], *change[2:])


def form(*components):
    return {"f.form": json.dumps({"type": "default", "id": "work", "schemaVersion": 19, "components": list(components)}).encode()}


def text_field(key, **more):
    return {"type": "textfield", "id": f"Field_{key}", "key": key, "label": key, **more}


def test_between__fields_of_a_form():
    before = form(text_field("name"), text_field("phone"))
    after = form(text_field("name", label="姓名", validate={"required": True, "maxLength": 20}), text_field("mail"))

    assert told(before, after) == [
        ("renamed", "name", "name", "name", "姓名"),
        ("changed", "name", "required", None, "true"),
        ("changed", "name", "max_length", None, "20"),
        ("added", "mail", "", None, None),
        ("removed", "phone", "", None, None),
    ]


def test_between__field_within_a_group():
    def group(label):
        return form({"type": "group", "id": "G", "path": "parent", "label": "父母", "components": [text_field("name", label=label)]})

    assert told(group("姓名"), group("名字")) == [("renamed", "parent.name", "name", "姓名", "名字")]
