"""Calls: what passes in and comes back, as Camunda 7.22 does it; `tests/conformance/called` has the rest."""

import pytest

from tests.bpmn import diagrams as d

#: Values whose type JSON cannot tell.
TYPED = {
    "since": {"value": "2026-03-01T08:00:00.000+0800", "type": "Date", "valueInfo": {}},
    "much": {"value": 7, "type": "Long", "valueInfo": {}},
    "raw": {"value": "aGk=", "type": "Bytes", "valueInfo": {}},
    "tree": {"value": '{"k":3}', "type": "Json", "valueInfo": {}},
}
CALLED = d.diagram(d.start("s"), d.user("t"), d.end("e"), d.flows("s -> t -> e"), key="q")


@pytest.fixture
def call(designer):
    """Call a process; the tasks of both, the calling one's when the other is done with."""

    def begin(variables=None, result=None, **passing):
        calling = d.diagram(
            d.start("s"), d.call("c", of="q", **passing), d.user("after"), d.end("e"), d.flows("s -> c -> after -> e"), key="p"
        )
        designer.deploy({"q.bpmn": CALLED}, name="q")
        started = designer.start(calling, variables)
        (child,) = designer.get(f"/process-instance?superProcessInstance={started['id']}").json
        given = variables_of(designer, child)
        (task,) = designer.get(f"/task?processInstanceId={child['id']}").json
        assert designer.post(f"/task/{task['id']}/complete", {"variables": result}).status_code == 204
        return given, variables_of(designer, started)

    return begin


def variables_of(designer, instance):
    return designer.get(f"/process-instance/{instance['id']}/variables?deserializeValues=false").json


def test_types__of_all(call):
    given, back = call(TYPED, inputs=["all"], outputs=["all"])

    assert given == back == TYPED


def test_types__by_name(call):
    given, back = call(TYPED, inputs=["since -> from", "much", "raw -> from"], outputs=["from -> much"])

    assert given == {"from": TYPED["raw"], "much": TYPED["much"]}
    assert back == TYPED | {"much": TYPED["raw"]}


def test_types__by_an_expression_that_is_the_name(call):
    """As in Camunda 7, where an expression gives the value as it is; of a file it gives the content."""
    file = {"value": "eA==", "type": "File", "valueInfo": {"filename": "a.pdf"}}

    given, back = call(
        TYPED | {"file": file}, inputs=["${since} -> a", "${ tree } -> b", "${file} -> c", "=raw -> d"], outputs=["${a} -> much"]
    )

    assert given == {"a": TYPED["since"], "b": TYPED["tree"], "c": {"value": "eA==", "type": "Bytes", "valueInfo": {}}, "d": TYPED["raw"]}
    assert back["much"] == TYPED["since"]


def test_types__that_do_not_fit_any_more(call):
    given, back = call(TYPED, {"since": {"value": 5}}, inputs=["since", "${much + 1} -> much"], outputs=["since"])

    assert given == {"since": TYPED["since"], "much": {"value": 8, "type": "Integer", "valueInfo": {}}}
    assert back == TYPED | {"since": {"value": 5, "type": "Integer", "valueInfo": {}}}


def test_types__of_what_comes_back(call):
    _given, back = call(None, TYPED, outputs=["since -> until", "tree"])

    assert back == {"until": TYPED["since"], "tree": TYPED["tree"]}


def test_types__of_local_variables(call):
    inputs = '<camunda:inputOutput><camunda:inputParameter name="since">here</camunda:inputParameter></camunda:inputOutput>'

    given, back = call(TYPED, ext=inputs, inputs=["all"], outputs=["since"])

    assert given == TYPED | {"since": {"value": "here", "type": "String", "valueInfo": {}}}
    assert back == TYPED


def test_local__out(call):
    """It is a variable of the call, which its output parameters see; the one of the process stays as it is."""
    outputs = '<camunda:out source="x" target="a" local="true"/><camunda:out variables="all" local="true"/>'
    shown = '<camunda:inputOutput><camunda:outputParameter name="shown">${a + b}</camunda:outputParameter></camunda:inputOutput>'

    _given, back = call({"a": {"value": 1}}, {"x": {"value": 5}, "b": {"value": 6}}, ext=outputs + shown)

    assert {name: one["value"] for name, one in back.items()} == {"a": 1, "shown": 11}
