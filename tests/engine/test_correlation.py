"""Messages from outside find the one process that waits for them, or begin one."""

from __future__ import annotations

from functools import partial

import pytest

from engine import correlation
from engine.correlation import Message
from engine.errors import InvalidState
from engine.variables import Given
from tests.bpmn import diagrams as d

PARAMETER = '<camunda:inputOutput><camunda:inputParameter name="lot">${which}</camunda:inputParameter></camunda:inputOutput>'
WAITS = d.diagram(
    d.start("s"), d.receive("wait", message="paid", ext=PARAMETER), d.user("t", name="发货"), d.flows("s -> wait -> t"), key="waits"
)


def begins(key, *messages):
    starts = [d.start(f"s{number}", message=message) for number, message in enumerate(messages)]
    tasks = [d.user(f"t{number}", name=f"{key}{number}") for number in range(len(messages))]
    return d.diagram(*starts, *tasks, d.flows(*(f"s{number} -> t{number}" for number in range(len(messages)))), key=key)


def correlate(who, name="paid", *, everybody=False, **particulars):
    message = Message(name=name, **particulars)
    find = partial(correlation.correlate, message=message, actor=who.actor, everybody=everybody)
    return [one.instance.id for one in who.does(find)]


@pytest.fixture
def two(stage, designer):
    """Two that wait, each for another lot."""
    stage.deploy("waits", waits_bpmn=WAITS)
    return [designer.start("waits", business_key=f"K{lot}", which=lot, customer="li") for lot in (1, 2)]


def test_correlate__local_variables(stage, designer, two):
    """Of the activity that waits, not those of its process."""
    reached = correlate(designer, local_keys={"lot": 2})

    assert reached == [two[1].id]
    assert [stage.tasks(stage.of(one)) for one in two] == [[], ["发货"]]


@pytest.mark.parametrize("particulars", [{"local_keys": {"which": 2}}, {"local_keys": {"lot": 9}}, {"keys": {"lot": 2}}])
def test_correlate__nobody_is_known_by_it(designer, two, particulars):
    with pytest.raises(InvalidState, match="Cannot correlate message 'paid'"):
        correlate(designer, **particulars)


def test_correlate__true_is_not_one(stage, designer):
    """To Python it is."""
    stage.deploy("waits", waits_bpmn=WAITS)
    one, true = (designer.start("waits", which=which) for which in (1, True))

    assert correlate(designer, keys={"which": True}) == [true.id]
    assert correlate(designer, local_keys={"lot": 1.0}) == [one.id]


def test_correlate__business_key_and_keys(designer, two):
    assert correlate(designer, business_key="K1", keys={"customer": "li", "which": 1}) == [two[0].id]


def test_correlate__more_than_one(designer, two):
    with pytest.raises(InvalidState, match="2 do"):
        correlate(designer, keys={"customer": "li"})


def test_correlate__everybody(stage, designer, two):
    """Those that wait, and a process that begins with it."""
    stage.deploy("begins", begins_bpmn=begins("begins", "paid"))

    reached = correlate(designer, everybody=True, given=Given(values={"sum": 5}))

    assert len(reached) == 3
    assert reached[:2] == [one.id for one in two]


def test_correlate__rather_waits_than_begins(stage, designer, two):
    stage.deploy("begins", begins_bpmn=begins("begins", "paid"))

    assert correlate(designer, business_key="K1") == [two[0].id]


def test_correlate__nobody_is_known_by_keys_so_it_begins(stage, designer, two):
    """Keys choose among those that wait; a process that begins has none yet."""
    stage.deploy("begins", begins_bpmn=begins("begins", "paid"))

    [begun] = correlate(designer, keys={"customer": "wang"}, local_keys={"lot": 9})

    assert begun not in {one.id for one in two}


def test_correlate__an_instance_is_named_so_nothing_begins(stage, designer, two):
    stage.deploy("begins", begins_bpmn=begins("begins", "paid"))

    with pytest.raises(InvalidState, match="Cannot correlate message 'paid'"):
        correlate(designer, instance_id=two[0].id, keys={"customer": "wang"})


def test_correlate__one_of_several_starts(stage, designer):
    """Each start event has a message of its own."""
    stage.deploy("begins", begins_bpmn=begins("begins", "ordered", "paid"))

    [begun] = correlate(designer, business_key="K9", given=Given(values={"sum": 5}))

    with stage.reading() as session:
        row = session.get_one(correlation.Instance, begun)
    assert stage.tasks(stage.of(row)) == ["begins1"]
    assert (row.business_key, row.variables) == ("K9", {"sum": 5})


def test_correlate__two_processes_begin_with_it(stage, designer):
    stage.deploy("begins", a_bpmn=begins("one", "paid"), b_bpmn=begins("two", "paid"))

    with pytest.raises(InvalidState, match="2 begin with it"):
        correlate(designer)
    assert len(correlate(designer, everybody=True)) == 2


def test_correlate__everybody_in_one_order(stage, designer):
    """Whoever waits since when for which message: two that tell everybody of two of them must not wait for each other."""
    branches = d.flows("s -> both -> open -> paid", "both -> signed", "paid -> open")
    content = (
        d.start("s"),
        d.parallel("both"),
        d.exclusive("open"),
        d.receive("paid", message="paid"),
        d.receive("signed", message="signed"),
    )
    stage.deploy("loops", loops_bpmn=d.diagram(*content, branches, key="loops"))
    first, second = (designer.start("loops", business_key=key).id for key in "AB")
    correlate(designer, business_key="A")  # it waits anew, behind the other

    assert correlate(designer, everybody=True) == [first, second]
    assert correlate(designer, "signed", everybody=True) == [first, second]
