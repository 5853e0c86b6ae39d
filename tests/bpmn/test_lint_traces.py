"""What Camunda Modeler and its users leave behind: properties without their prefix, ids nobody chose, pools, times in other words."""

from __future__ import annotations

import pytest

from bpmn import compiler, lint
from bpmn.compiler import reading
from bpmn.compiler.rules.rule import Drawing
from bpmn.compiler.rules.ways import unreachable
from engine import functions
from engine.vocabulary import WORDS
from tests import effort
from tests.bpmn.diagrams import boundary, diagram, end, flows, start, tag, timer, user
from tests.bpmn.linting import linted
from tests.bpmn.naive import ITEMS, mistaken, told
from tests.bpmn.retyped import STARTER, retyped

KNOWN = lint.Known(functions=functions.NAMES, words=WORDS, departments=frozenset({"market", "urban"}), scenarios=["one.yaml"])
KIND = 'name="onething.kind" value="{}"'


def found(resources: dict[str, bytes]) -> list[tuple[str, str, str]]:
    return [(f.rule, f.element, f.message) for f in linted(resources, KNOWN)]


@pytest.mark.parametrize(
    "name", ["kind", "Kind", "onething:kind", "onething_kind", " onething.kind", "ｏｎｅｔｈｉｎｇ.kind", "onething.knid"]
)
@pytest.mark.parametrize(
    ("file", "kind", "element"),
    [("starter.bpmn", "matter", "starter"), ("starter-first.bpmn", "item", "starter_first"), ("starter.bpmn", "intake", "intake")],
)
def test_kind__under_another_name(file: str, kind: str, element: str, name: str):
    """It is told once, and not as a matter without an intake, or an item that nobody decides."""
    [(rule, where, message)] = found(retyped(file, KIND.format(kind), f'name="{name}" value="{kind}"'))

    assert (rule, where) == ("missing-kind", element)
    assert f"rename the property {name!r} to onething.kind" in message


@pytest.mark.parametrize("kind", ["Decision", "decision ", "审批"])
def test_kind__in_another_word(kind: str):
    [(rule, element, message)] = found(retyped("starter-first.bpmn", KIND.format("decision"), KIND.format(kind)))

    assert (rule, element) == ("unknown-word", "decide")
    assert ("did you mean 'decision'?" in message) is (kind != "审批")


@pytest.mark.parametrize(
    ("file", "name", "element"),
    [
        ("starter.bpmn", "promised", "starter"),
        ("starter.bpmn", "supplement_days", "starter"),
        ("starter.bpmn", "clock_start", "starter"),
        ("starter.bpmn", "item", "call_starter_first"),
        ("starter.bpmn", "predecessors", "call_starter_second"),
        ("starter-first.bpmn", "department", "starter_first"),
        ("starter-first.bpmn", "item_type", "starter_first"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "Onething.", "onething. "])
def test_property__without_its_prefix(file: str, name: str, element: str, prefix: str):
    [(rule, where, message)] = found(retyped(file, f'name="onething.{name}"', f'name="{prefix}{name}"'))

    assert (rule, where) == ("unknown-property", element)
    assert f"onething.{name}" in message


def test_property__of_somebody_else():
    """In a process of his own a designer calls his properties as he likes; beside ours, a name that is there already is his."""
    own = diagram(start("s"), user("x", properties={"item": "1", "days": "3"}), end("e"), flows("s -> x -> e"), properties={"mode": "a"})
    beside = STARTER["starter.bpmn"].replace(
        b'name="onething.promised"', b'name="promised" value="" /><camunda:property name="onething.promised"'
    )

    assert "unknown-property" not in {rule for rule, _element, _message in found({"p.bpmn": own})}
    assert found(STARTER | {"starter.bpmn": beside}) == []


def test_property__on_the_pool():
    ours = tag("camunda:property", attrs={"name": "onething.kind", "value": "item"})
    pool = tag("bpmn:extensionElements", tag("camunda:properties", ours))
    around = f'<bpmn:collaboration id="c"><bpmn:participant id="pool" name="人社" processRef="benefit_calc">{pool}</bpmn:participant></bpmn:collaboration>'

    [(rule, _element, message)] = told(mistaken("pension.bpmn", ("<bpmn:process", f"{around}<bpmn:process")))

    assert rule == "unknown-property"
    assert "it stands on participant “人社” (pool)" in message


def test_property__of_somebody_else_on_the_pool():
    ours = tag("camunda:property", attrs={"name": "colour", "value": "red"})
    pool = tag("bpmn:extensionElements", tag("camunda:properties", ours))
    around = (
        f'<bpmn:collaboration id="c"><bpmn:participant id="pool" processRef="benefit_calc">{pool}</bpmn:participant></bpmn:collaboration>'
    )

    assert told(mistaken("pension.bpmn", ("<bpmn:process", f"{around}<bpmn:process"))) == []


@pytest.mark.parametrize(
    ("key", "is_modelers"), [("Process_0abc123", True), ("Process_1", True), ("Process_food", False), ("process_2026", False)]
)
def test_id__that_modeler_gave(key: str, *, is_modelers: bool):
    named = retyped("starter.bpmn", 'process id="starter"', f'process id="{key}"')

    assert [(rule, element) for rule, element, _ in found(named)] == [("default-id", key)] * is_modelers


def test_id__that_modeler_gave_to_a_process_without_a_matter():
    assert "default-id" not in {
        rule for rule, _, _ in told(mistaken("listing.bpmn", ("summary", "Process_0abc123"), ("summary", "Process_0abc123")))
    }


def test_flow__that_is_missing_behind_the_start():
    """The rest of the way is not told as well, element by element."""
    missing = '<bpmn:sequenceFlow id="accepted-read_years" sourceRef="accepted" targetRef="read_years"/>'

    assert [each[:2] for each in told(mistaken("pension.bpmn", (missing, "")))] == [
        ("unreachable", "read_years"),
        ("loose-end", "accepted"),
    ]


def test_flow__to_a_circle_that_nothing_leads_to():
    drawn = diagram(start("s"), end("e"), user("a", name="甲"), user("b", name="乙"), end("f"), flows("s -> e", "a -> b -> a", "b -> f"))

    assert [element for rule, element, _ in found({"p.bpmn": drawn}) if rule == "unreachable"] == ["a"]


@pytest.mark.parametrize(
    ("lane", "groups", "is_told"),
    [
        ("消防救援支队", "department-hrss", True),
        ("fire", "department-hrss", True),
        ("人社局", "department-hrss", False),
        ("消防救援支队", "window", False),
        ("消防救援支队", "department-hrss,department-fire", False),
        ("承办人", "department-hrss", False),
    ],
)
def test_lane__of_one_department_with_a_task_of_another(lane: str, groups: str, *, is_told: bool):
    around = f'<bpmn:laneSet id="l"><bpmn:lane id="m" name="{lane}"><bpmn:flowNodeRef>by_hand</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    drawn = mistaken(
        "pension.bpmn",
        ('<bpmn:startEvent id="accepted"', f'{around}<bpmn:startEvent id="accepted"'),
        ('s="department-hrss"', f's="{groups}"'),
    )

    found = told(drawn)

    assert [each[:2] for each in found] == [("another-department", "by_hand")] * is_told
    assert all(f"in the lane “{lane}”, to be given to department-fire" in message for _rule, _element, message in found)


COPY = '<bpmn:userTask id="again" name="{}" camunda:candidateGroups="department-hrss" camunda:formRef="by_hand" camunda:dueDate="P3D"/>'


@pytest.mark.parametrize(("name", "is_told"), [("人工核实参保记录", True), ("再次核实", False)])
def test_copy__that_is_called_as_its_original(name: str, *, is_told: bool):
    ways = '<bpmn:sequenceFlow id="on" sourceRef="by_hand" targetRef="again"/>', 'id="by_hand-sum_up" sourceRef="again"'
    copied = (
        ('<bpmn:scriptTask id="sum_up"', COPY.format(name) + '<bpmn:scriptTask id="sum_up"'),
        ('id="by_hand-sum_up" sourceRef="by_hand"', ways[1]),
    )

    found = told(mistaken("pension.bpmn", *copied, ("</bpmn:process>", f"{ways[0]}</bpmn:process>")))

    assert [each[:2] for each in found] == [("same-name", "again")] * is_told


def test_task__that_is_called_as_one_of_another_branch():
    """Nobody does both."""
    assert told(mistaken("pension.bpmn", ('name="说明理由"', 'name="待遇核定"'))) == []


def test_process__that_is_left_out_beside_another():
    beside = (
        '<bpmn:process id="other" name="申请人" isExecutable="true" camunda:historyTimeToLive="P1D"><bpmn:startEvent id="o" name="递交"/>'
    )
    beside += '<bpmn:endEvent id="p" name="完"/><bpmn:sequenceFlow id="q" sourceRef="o" targetRef="p"/></bpmn:process><bpmn:process'
    left_out = ("<bpmn:process", beside), ('name="养老待遇核定" isExecutable="true"', 'name="养老待遇核定" isExecutable="false"')

    before = told(mistaken("pension.bpmn", left_out[0]))
    found = told(mistaken("pension.bpmn", (left_out[1]), left_out[0]))

    assert before == []
    assert [(rule, "“养老待遇核定” (benefit_calc)" in message) for rule, _element, message in found] == [("not-executable", True)]


def test_flow__to_many_that_lead_to_one_long_way():
    """That way is gone along once."""

    def work(many: int) -> int:
        """So many that nothing leads to, in front of a way that is so long."""
        tasks, behind = [user(f"a{n}") for n in range(many)], [user(f"b{n}") for n in range(many)]
        ways = *(f"a{n} -> b0" for n in range(many)), " -> ".join(f"b{n}" for n in range(many)) + " -> f"
        drawing = diagram(start("s"), end("e"), *tasks, *behind, end("f"), flows("s -> e", *ways))
        examined = compiler.examine(drawing, "p.bpmn")
        drawn = Drawing(examined.source, examined.source.processes[0], reading.read(examined.source, examined.source.processes[0]))
        assert len(list(unreachable(drawn))) == many
        return effort.calls(lambda: list(unreachable(drawn)))

    assert work(80) < 2.5 * work(40)


@pytest.mark.parametrize(
    ("kind", "written", "instead"),
    [
        ("duration", "5 days", "write P5D"),
        ("duration", "五天", "write P5D"),
        ("duration", "十五天", "write P15D"),
        ("duration", "二十个工作日", "write ${workdays(20)}, and choose the type date"),
        ("duration", "P 5D", "write P5D"),
        ("duration", "Ｐ5Ｄ", "write P5D"),
        ("duration", "P5D5H", "write P5DT5H"),
        ("duration", "-P5D", "write P5D"),
        ("duration", "P5WD", "write ${workdays(5)}, and choose the type date"),
        ("duration", "P5工作日", "write ${workdays(5)}, and choose the type date"),
        ("duration", "R/P5D", "choose the type cycle"),
        ("duration", "2100-01-01T00:00:00+08:00", "choose the type date"),
        ("date", "2100/1/5", "write 2100-01-05T00:00:00+08:00"),
        ("date", "2100-12-31", "write 2100-12-31T00:00:00+08:00"),
        ("date", "2100-12-31 09:00", "write 2100-12-31T09:00:00+08:00"),
        ("date", "2100年12月31日", "write 2100-12-31T00:00:00+08:00"),
        ("date", "2100-12-31T09:00:00", "write 2100-12-31T09:00:00+08:00"),
        ("cycle", "R3/1D", "write R3/P1D"),
        ("cycle", "P1D", "choose the type duration"),
    ],
)
def test_time__in_other_words(kind: str, written: str, instead: str):
    late = boundary("b", timer(**{kind: written}), on="a", interrupting=False)
    drawn = diagram(start("s"), user("a", name="甲"), late, end("e"), end("f"), flows("s -> a -> e", "b -> f"))

    [message] = [message for rule, _element, message in found({"p.bpmn": drawn}) if rule == "bad-timer"]

    assert message.endswith(f": {instead}")


@pytest.mark.parametrize("written", ["2100-13-01", "P5D/R", "PT5H30", "0000年0月0日", "零零零零天", "P", "R", "-", "十"])
def test_time__of_which_nobody_knows_what_is_meant(written: str):
    drawn = diagram(start("s"), user("a", name="甲"), boundary("b", timer(date=written), on="a"), end("e"), flows("s -> a -> e", "b -> e"))

    assert [rule for rule, _element, _message in found({"p.bpmn": drawn})].count("bad-timer") == 1


def test_items__as_they_should_be():
    assert told(ITEMS) == []
    assert found(STARTER) == []
