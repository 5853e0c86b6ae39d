"""A process that waits in every way at once: for a person, a worker, time, a message, a signal, a call, the engine, and for what has failed."""

from __future__ import annotations

from engine import deployments, processes
from engine.database import Database
from engine.definitions import latest
from engine.models import Instance
from engine.variables import Given
from tests.bpmn import definitions as defs
from tests.bpmn import diagrams as d
from tests.hall import OPERATOR

_LATER = {"camunda:asyncBefore": "true", "camunda:expression": "${1}", "camunda:resultVariable": "x"}
_FAILING = {"camunda:expression": "${missing}", "camunda:resultVariable": "y"}
WAITS = "review system carried failed called message signal"
DIAGRAM = d.diagram(
    d.start("s"),
    d.parallel("fork"),
    d.user("review", name="审查", groups="market"),
    d.timer_boundary("late", on="review", duration="P3D", interrupting=False),
    d.external("system", topic="register"),
    d.element("serviceTask", "carried", attrs=_LATER),
    d.element("serviceTask", "failed", attrs=_FAILING),
    d.call("called", of="callee"),
    d.message_catch("message", message="answered"),
    d.catch("signal", defs.signal("alarm")),
    d.parallel("join"),
    d.end("e"),
    d.end("e2"),
    d.flows("s -> fork", *(f"fork -> {name} -> join" for name in WAITS.split()), "join -> e", "late -> e2"),
    key="everywhere",
)
CALLEE = d.diagram(d.start("s"), d.user("work", name="办理"), d.end("e"), d.flows("s -> work -> e"), key="callee")


def deploy(database: Database) -> None:
    """Deploy it."""
    with database.transaction() as session:
        deployments.deploy(session, "everywhere", {"everywhere.bpmn": DIAGRAM, "callee.bpmn": CALLEE}, actor=OPERATOR)


def begin(database: Database) -> Instance:
    """Deploy it, and start one."""
    deploy(database)
    with database.transaction() as session:
        return processes.open_plain(session, latest(session, "everywhere"), actor=OPERATOR, given=Given(values={}))
