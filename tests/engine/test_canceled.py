"""What is canceled hands its output parameters out; where that fails, who cancels it is told, and nothing has happened."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from engine import execution, modifications, processes, scheduler, suspension
from engine.errors import InvalidState
from engine.models import Entry, Instance
from tests import tiny
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d

HANDS_OUT = defs.parameters(outputs={"result": "${answer}"})
ALONE = d.diagram(
    d.start("s"),
    d.user("a", name="办理", ext=HANDS_OUT),
    d.message_boundary("stop", on="a", message="stop"),
    d.timer_boundary("late", on="a", duration="P1D"),
    d.user("b", name="督办"),
    d.end("e"),
    d.flows("s -> a -> e", "stop -> b -> e", "late -> b"),
    key="alone",
)


@pytest.fixture
def store(sqlite):
    """Nothing here depends on the kind of database."""
    return sqlite


def caller(*inputs):
    return d.diagram(
        d.start("s"),
        d.call("call", of="alone", inputs=inputs),
        d.message_boundary("off", on="call", message="off"),
        d.user("look", name="归档"),
        d.end("e"),
        d.flows("s -> call -> e", "off -> look -> e"),
        key="caller",
    )


def rows(stage):
    """Status and variables of all instances, oldest first."""
    with stage.reading() as session:
        return [(str(row.status), dict(row.variables)) for row in session.scalars(select(Instance).order_by(Instance.id))]


def throw(stage, designer, instance, message, **variables):
    with designer.acting() as session:
        execution.throw(session, stage.of(instance), message, actor=designer.actor, variables=variables)


@pytest.fixture
def alone(stage, designer):
    stage.deploy("alone", alone_bpmn=ALONE)
    return designer.start("alone")


def test_throw__what_it_cancels_cannot_hand_out(stage, designer, alone):
    with pytest.raises(InvalidState, match=r"Expected a to hand out 'result' when it is canceled, but: .*answer"):
        throw(stage, designer, alone, "stop", other=1)

    assert (stage.tasks(stage.of(alone)), rows(stage)) == (["办理"], [("running", {})])
    throw(stage, designer, alone, "stop", answer=1)
    assert (stage.tasks(stage.of(alone)), rows(stage)) == (["督办"], [("running", {"answer": 1, "result": 1})])


def test_fire__what_it_cancels_cannot_hand_out(stage, alone):
    """A timer is tried again, and then stands as an incident, as when anything else fails on its way."""
    stage.move_to(2026, 3, 10)
    for _ in range(3):
        scheduler.drain(stage.database)
        stage.traveller.shift(3600)

    [incident] = stage.incidents(stage.of(alone))
    assert (incident.element, "to hand out 'result'" in incident.message) == ("late", True)
    assert stage.tasks(stage.of(alone)) == ["办理"]


def test_end__unless_it_is_not_to_hand_out(stage, designer, alone):
    with pytest.raises(InvalidState, match="to hand out 'result'"), designer.acting() as session:
        processes.end(session, alone.id, actor=designer.actor, reason="test")
    assert rows(stage) == [("running", {})]

    with designer.acting() as session:
        processes.end(session, alone.id, actor=designer.actor, reason="test", mappings=False)

    assert rows(stage) == [("canceled", {})]


def test_cancel__what_was_called_hands_out_within_itself(stage, designer):
    stage.deploy("both", caller_bpmn=caller("answer"), alone_bpmn=ALONE)
    instance = designer.start("caller", answer=1)

    throw(stage, designer, instance, "off")

    assert rows(stage) == [("running", {"answer": 1}), ("canceled", {"answer": 1, "result": 1})]


def test_cancel__what_was_called_cannot_hand_out(stage, designer):
    stage.deploy("both", caller_bpmn=caller(), alone_bpmn=ALONE)
    instance = designer.start("caller")

    with pytest.raises(InvalidState, match="to hand out 'result'"):
        throw(stage, designer, instance, "off")

    assert [status for status, _ in rows(stage)] == ["running", "running"]


def test_withdraw__does_not_wait_for_what_a_drawing_computes(stage, clerk):
    """The law ends an item; no output parameter is in its way."""
    within = (d.start("ss"), tiny.decision("alpha"), d.end("se"), d.flows("ss -> decide -> se"))
    body = (d.start("s"), d.subprocess("sub", *within, ext=HANDS_OUT), d.end("e"), d.flows("s -> sub -> e"))
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": tiny.item("alpha", *body)}))
    case = clerk.take_in("tiny")

    clerk.withdraw(case)

    assert stage.statuses(case) == {"alpha": "withdrawn"}


@pytest.mark.parametrize("beside", [False, True], ids=["nothing else", "something beside it"])
def test_end__what_was_called(stage, designer, beside):
    """The call that waits for it is canceled, as in Camunda 7: what goes on beside it goes on, and else the caller ends, too."""
    there, paths = [d.call("call", of="alone")], ["s -> call -> e"]
    if beside:
        there, paths = [*there, d.parallel("fork"), d.user("look", name="归档")], ["s -> fork -> call -> e", "fork -> look -> e"]
    stage.deploy("both", caller_bpmn=d.diagram(d.start("s"), *there, d.end("e"), d.flows(*paths), key="caller"), alone_bpmn=ALONE)
    instance = designer.start("caller", answer=1)
    with stage.reading() as session:
        [called] = session.scalars(select(Instance.id).where(Instance.parent_id == instance.id))

    with designer.acting() as session:
        modifications.end(session, called, actor=designer.actor, reason="test", mappings=False)

    assert [status for status, _ in rows(stage)] == ["running" if beside else "canceled", "canceled"]
    assert (stage.case(stage.of(instance)).ended_at is None) is beside
    assert stage.tasks(stage.of(instance)) == (["归档"] if beside else [])


def test_end__one_of_several_that_were_called(stage, designer):
    """The activity goes on when the others have ended."""
    calls = d.call("call", defs.instances(count="2"), of="alone", inputs=("answer",))
    content = (d.start("s"), calls, d.user("look", name="归档"), d.end("e"), d.flows("s -> call -> look -> e"))
    stage.deploy("both", caller_bpmn=d.diagram(*content, key="caller"), alone_bpmn=ALONE)
    instance = designer.start("caller", answer=1)
    with stage.reading() as session:
        [called, _] = session.scalars(select(Instance.id).where(Instance.parent_id == instance.id).order_by(Instance.id))

    with designer.acting() as session:
        modifications.end(session, called, actor=designer.actor, reason="test", mappings=False)
    stage.person("admin").complete(stage.of(instance), "办理")

    assert stage.tasks(stage.of(instance)) == ["归档"]


def modify(designer, instance_id, element, **more):
    """Cancel whatever is there."""
    instruction = modifications.Instruction(verb=modifications.Verb.CANCEL, target=element, skips_mappings=True)
    with designer.acting() as session:
        modifications.modify(session, instance_id, [instruction], actor=designer.actor, **more)


def test_modify__cancels_the_last_token(stage, designer, alone):
    """The process has not come to its end: that is told as if it had been ended."""
    modify(designer, alone.id, "a", why="登记错了")

    with stage.reading() as session:
        row = session.get_one(Instance, alone.id)
    assert (str(row.status), row.end) == ("canceled", None)
    last = max(stage.all(Entry, stage.of(alone)), key=lambda entry: entry.seq)
    assert (last.what, last.details) == ("process ended", {"reason": "登记错了"})
    assert stage.case(stage.of(alone)).ended_at == row.ended_at


@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("beside", [False, True], ids=["nothing else", "something beside it"])
def test_modify__cancels_the_last_token_of_what_was_called(stage, designer, levels, beside):
    """Its call is canceled, as in Camunda 7, and does not go on as if it had come to its end; so is what has nothing else, above."""
    there, paths = [d.call("call", of="between" if levels > 1 else "alone")], ["s -> call -> after -> e"]
    if beside:
        there, paths = [*there, d.parallel("fork"), d.user("look", name="归档")], ["s -> fork -> call -> after -> e", "fork -> look -> e"]
    top = d.diagram(d.start("s"), *there, d.user("after", name="之后"), d.end("e"), d.flows(*paths), key="top")
    between = d.diagram(d.start("s"), d.call("call", of="alone"), d.end("e"), d.flows("s -> call -> e"), key="between")
    stage.deploy("all", top_bpmn=top, between_bpmn=between, alone_bpmn=ALONE)
    instance = designer.start("top")
    with stage.reading() as session:
        called = session.scalars(select(Instance.id).order_by(Instance.id.desc()).limit(1)).one()

    modify(designer, called, "a")

    assert [status for status, _ in rows(stage)] == ["running" if beside else "canceled"] + ["canceled"] * levels
    assert stage.tasks(stage.of(instance)) == (["归档"] if beside else [])
    assert stage.jobs(stage.of(instance)) == []


def test_end__suspended(stage, designer, alone):
    """It does not stand still any more: what is owed about it is done, and its case can be archived."""
    with designer.acting() as session:
        suspension.suspend(session, alone.id, actor=designer.actor)
        processes.end(session, alone.id, actor=designer.actor, reason="test", mappings=False)

    with stage.reading() as session:
        assert session.get_one(Instance, alone.id).suspended is False
