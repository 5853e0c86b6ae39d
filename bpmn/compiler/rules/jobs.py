"""Rules about jobs and tokens: retries, priorities, quantities."""

from __future__ import annotations

import re

from bpmn import timers
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.rules.timing import PROBE
from bpmn.definition import ElementType, EventType
from bpmn.errors import ExpressionError

QUANTITIES = ("startQuantity", "completionQuantity")


def bad_retries(drawing: Drawing) -> Problems:
    """How often a job is tried again is an ISO 8601 cycle, or the durations between the attempts."""
    for element in drawing.elements:
        for cycle in (element.retry_cycle, element.loop.retry_cycle if element.loop else None):
            if cycle is not None and cycle.dialect == "literal" and (wrong := _wrong(cycle.source)):
                yield element.id, f"Expected the retries of {drawing.label(element.id)} to be R3/PT10M or PT10M,PT1H, but: {wrong}"


def bad_priority(drawing: Drawing) -> Problems:
    """A priority is a whole number."""
    for element in drawing.elements:
        for what, priority in (("priority", element.priority), ("job priority", element.job_priority)):
            if priority is not None and priority.dialect == "literal" and not re.fullmatch(r"-?\d{1,9}", priority.source):
                written = priority.source[:60]
                yield element.id, f"Expected the {what} of {drawing.label(element.id)} to be a whole number, but it is {written!r}"


def bad_quantity(drawing: Drawing) -> Problems:
    """A number of tokens is a whole number, one at least."""
    for element in drawing.elements:
        for attribute in QUANTITIES:
            written = drawing.node(element.id).get(attribute)
            if written is not None and not re.fullmatch(r"0*[1-9][0-9]{0,4}", written):
                message = f"Expected {attribute} of {drawing.label(element.id)} to be a number of tokens, but it is {written[:60]!r}"
                yield element.id, f"{message}: write 1 or more, or remove it"


def job_at_event_subprocess(drawing: Drawing) -> Problems:
    """An event subprocess is entered by its event; a job can begin behind that."""
    for element in drawing.of_type(ElementType.EVENT_SUBPROCESS):
        if element.async_before or element.async_after:
            message = f"Expected {drawing.label(element.id)} to have no job before or after it, but it has one"
            yield element.id, f"{message}: put it on the first element inside"


def idle_job(drawing: Drawing) -> Problems:
    """A job goes on where a token passes: not from a compensation boundary event, nor behind an event-based gateway."""
    for event in drawing.of_event(EventType.COMPENSATION, ElementType.BOUNDARY_EVENT):
        if event.async_before or event.async_after:
            message = f"Expected no job before or after {drawing.label(event.id)}, since no token comes to it, but there is one"
            yield event.id, f"{message}: put it on the activity that its association leads to"
    for gateway in drawing.of_type(ElementType.EVENT_BASED_GATEWAY):
        if gateway.async_after:
            message = f"Expected no job after {drawing.label(gateway.id)}, since the event that happens takes its place, but there is one"
            yield gateway.id, f"{message}: put it on the events behind it"


def _wrong(retries: str) -> str | None:
    """Say what is wrong with retries that are written out; None: nothing."""
    try:
        if retries.startswith("R"):
            timers.cycle(retries, PROBE)
        else:
            [timers.read_duration(part.strip()).after(PROBE) for part in retries.split(",")]
    except ExpressionError as error:
        return str(error)
    return None
