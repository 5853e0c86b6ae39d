"""Processes that begin with a message or a signal are found, and nothing is loaded for all the others."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, update

from bpmn.definition import EventType
from engine import definitions, deployments
from engine.compiled_models import StartEvent
from engine.kept import Kept
from engine.models import Definition
from tests.benchmarks.meter import measure
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d
from tests.stage import DESIGNER


def process(key, **starts):
    """Each start event is named, with the event that it waits for."""
    content = [d.start(name, event) for name, event in starts.items()]
    return d.diagram(*content, d.user("note"), d.flows(*(f"{name} -> note" for name in starts)), key=key)


def starting(stage, event, name):
    with stage.database.transaction() as session:
        return [(loaded.key, loaded.version, at) for loaded, at in definitions.starting(session, event, name)]


@pytest.fixture
def deployed(stage):
    stage.deploy("paid", paid_bpmn=process("paid", told=defs.message("paid"), heard=defs.signal("alarm")))


def test_starting__by_kind_and_name(stage, deployed):
    assert starting(stage, EventType.MESSAGE, "paid") == [("paid", 1, "told")]
    assert starting(stage, EventType.SIGNAL, "alarm") == [("paid", 1, "heard")]
    assert starting(stage, EventType.SIGNAL, "paid") == starting(stage, EventType.MESSAGE, "other") == []


def test_starting__only_the_newest_version(stage, deployed):
    """The one before counts again when the newest is deleted."""
    stage.deploy("paid", paid_bpmn=process("paid", told=defs.message("paid in full")))
    assert starting(stage, EventType.MESSAGE, "paid") == []

    with stage.database.transaction() as session:
        newest = session.scalars(select(Definition.deployment_id).where(Definition.version == 2)).one()
        deployments.delete(session, newest, actor=DESIGNER)

    assert starting(stage, EventType.MESSAGE, "paid in full") == []
    assert starting(stage, EventType.MESSAGE, "paid") == [("paid", 1, "told")]


def test_starting__deployed_by_an_earlier_release(stage, deployed):
    """It wrote nothing down; that is done when the first message comes, once."""
    with stage.database.transaction() as session:
        session.execute(delete(StartEvent))
        session.execute(update(Definition).values(starts_known=False))

    assert starting(stage, EventType.MESSAGE, "paid") == starting(stage, EventType.MESSAGE, "paid") == [("paid", 1, "told")]
    with stage.reading() as session:
        assert session.scalars(select(Definition.key).where(~Definition.starts_known)).all() == []


def test_starting__nothing_is_loaded_for_the_others(stage, deployed, monkeypatch):
    for number in range(5):
        stage.deploy(f"other{number}", other_bpmn=process(f"other{number}", told=defs.message(f"other {number}")))
    monkeypatch.setattr(definitions, "_loaded", Kept(definitions.LIMIT, lambda _loaded: 1))

    sample = measure(stage.database.bind, lambda: starting(stage, EventType.MESSAGE, "paid"))

    assert definitions.kept() == 1
    assert len([statement for statement in sample.statements if "compiled_files" in statement]) == 1
