"""Calls: which version is called, what it is called by, and what it knows."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import scheduler
from engine.errors import NotFound
from engine.models import Definition, Instance
from tests.bpmn import diagrams as d

pytestmark = pytest.mark.usefixtures("one_order_of_locks")


def callee(name, tag=None):
    attrs = {} if tag is None else {"camunda:versionTag": tag}
    return d.diagram(d.start("s"), d.user("t", name=name), d.end("e"), d.flows("s -> t -> e"), key="callee", attrs=attrs)


def caller(*, ext="", **attrs):
    call = d.call("c", of="callee", ext=ext, attrs={f"camunda:{key}": value for key, value in attrs.items()})
    return d.diagram(d.start("s"), call, d.end("e"), d.flows("s -> c -> e"), key="caller")


@pytest.fixture
def versions(stage):
    """Three versions of what is called; the caller comes with the second."""

    def deploy(**attrs):
        stage.deploy("one", callee_bpmn=callee("一", "2024"))
        stage.deploy("two", callee_bpmn=callee("二", "2025"), caller_bpmn=caller(**attrs))
        stage.deploy("three", callee_bpmn=callee("三", "2025"))

    return deploy


@pytest.mark.parametrize(
    ("binding", "called"),
    [
        ({}, "三"),
        ({"calledElementBinding": "latest"}, "三"),
        ({"calledElementBinding": "deployment"}, "二"),
        ({"calledElementBinding": "version", "calledElementVersion": "1"}, "一"),
        ({"calledElementBinding": "version", "calledElementVersion": "${number}"}, "二"),
        ({"calledElementBinding": "versionTag", "calledElementVersionTag": "2024"}, "一"),
        ({"calledElementBinding": "versionTag", "calledElementVersionTag": "2025"}, "三"),
    ],
)
def test_call__a_version(stage, designer, versions, binding, called):
    versions(**binding)

    instance = designer.start("caller", number=2)

    assert stage.tasks(stage.of(instance)) == [called]


@pytest.mark.parametrize(
    "binding",
    [
        {"calledElementBinding": "version", "calledElementVersion": "9"},
        {"calledElementBinding": "versionTag", "calledElementVersionTag": "1999"},
    ],
)
def test_call__a_version_that_is_not_there(stage, designer, versions, binding):
    versions(**binding)

    with pytest.raises(NotFound, match="Expected to find a process named 'callee'"):
        designer.start("caller")
    with stage.reading() as session:
        assert session.scalars(select(Instance)).all() == []


@pytest.mark.parametrize(
    ("ext", "key"),
    [("", None), ('<camunda:in businessKey="#{execution.processBusinessKey}"/>', "A-1"), ('<camunda:in businessKey="${other}"/>', "B-2")],
)
def test_call__business_key(stage, designer, ext, key):
    """It has the one that is passed, and none otherwise, as in Camunda 7."""
    stage.deploy("both", callee_bpmn=callee("一"), caller_bpmn=caller(ext=ext))

    instance = designer.start("caller", business_key="A-1", other="B-2")

    assert child(stage, instance).business_key == key


def test_call__knows_what_is_passed_and_nothing_else(stage, designer):
    ext = '<camunda:in source="a" target="b"/>'
    stage.deploy("both", callee_bpmn=callee("一"), caller_bpmn=caller(ext=ext))

    instance = designer.start("caller", a=1, secret=2)

    assert child(stage, instance).variables == {"b": 1}


@pytest.mark.parametrize("mapping", [("all",), ("table",)])
def test_call__hands_on_more_than_an_expression_may_make(stage, designer, mapping):
    """A department system leaves tables of ten thousand rows; no expression makes them."""
    table = [dict.fromkeys("abcdef", 1)] * 10_000
    call = d.call("c", of="callee", inputs=mapping, outputs=mapping)
    stage.deploy(
        "both", callee_bpmn=callee("一"), caller_bpmn=d.diagram(d.start("s"), call, d.end("e"), d.flows("s -> c -> e"), key="caller")
    )
    instance = designer.start("caller", table=table)
    assert variables(stage, child(stage, instance)) == {"table": table}

    designer.complete(stage.of(instance), "一", table=[*table, {}])

    assert str(stage.instance(instance).status) == "completed"
    assert len(variables(stage, instance)["table"]) == len(table) + 1


def variables(stage, instance):
    with stage.reading() as session:
        return session.get_one(Instance, instance.id).variables


def child(stage, instance):
    with stage.reading() as session:
        query = select(Instance).join(Definition).where(Instance.parent_id == instance.id, Definition.key == "callee")
        return session.scalars(query).one()


def test_call__many_in_a_row(stage, designer):
    """Hundreds that end at once: the chain of their returns is long, not deep."""
    quick = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="callee")
    loop = d.diagram(
        d.start("s"),
        d.exclusive("x"),
        d.call("c", of="callee"),
        d.element("serviceTask", "count", attrs={"camunda:expression": "${n + 1}", "camunda:resultVariable": "n"}),
        d.exclusive("enough"),
        d.end("e"),
        d.flows("s -> x -> c -> count -> enough", "enough -> x [${n < 150}]", "enough -> e [${n >= 150}]"),
        key="caller",
    )
    stage.deploy("both", callee_bpmn=quick, caller_bpmn=loop)

    instance = designer.start("caller", n=0)
    scheduler.drain(stage.database)

    assert stage.instance(instance).status == "completed"
