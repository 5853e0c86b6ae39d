"""Rules about decisions: conditions, default flows, gateways."""

from __future__ import annotations

from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import MODEL, text_of
from bpmn.definition import AWAITED, ElementType, EventType
from bpmn.expressions import no_condition


def gateway_leads_nowhere(drawing: Drawing) -> Problems:
    """A decision without ways to choose from."""
    for gateway in drawing.of_type(ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY):
        if not gateway.outgoing:
            message = f"Expected flows out of {drawing.label(gateway.id)}, but there are none: draw an end event (结束事件) behind it"
            yield gateway.id, message


def flow_without_condition(drawing: Drawing) -> Problems:
    """Out of an exclusive gateway, every flow but the default one says when it is taken."""
    for gateway in drawing.of_type(ElementType.EXCLUSIVE_GATEWAY):
        for flow in drawing.outgoing(gateway):
            if flow.condition is None and flow.id != gateway.default and len(gateway.outgoing) > 1 and _condition(drawing, flow.id) is None:
                message = (
                    f"Expected {drawing.label(flow.id)} out of {drawing.label(gateway.id)} to have a condition, but it has none: "
                    "write one, or make it the default flow (默认流)"
                )
                yield flow.id, message


def condition_on_only_flow(drawing: Drawing) -> Problems:
    """An exclusive gateway with one way out decides nothing."""
    for gateway in drawing.of_type(ElementType.EXCLUSIVE_GATEWAY):
        flows = drawing.outgoing(gateway)
        if len(flows) == 1 and flows[0].condition is not None:
            message = (
                f"Expected the only flow out of {drawing.label(gateway.id)} to have no condition, but it has one: "
                "draw the other way, or remove the condition"
            )
            yield flows[0].id, message


def condition_on_default(drawing: Drawing) -> Problems:
    """A default flow is taken when nothing else is."""
    for element in drawing.elements:
        for flow in drawing.outgoing(element):
            if flow.id == element.default and flow.condition is not None:
                message = (
                    f"Expected the default flow {drawing.label(flow.id)} to have no condition, but it has one: "
                    "remove the condition, or make another flow the default"
                )
                yield flow.id, message


def condition_on_parallel_flow(drawing: Drawing) -> Problems:
    """A parallel gateway takes every flow, an event-based one what its events say."""
    for gateway in drawing.of_type(ElementType.PARALLEL_GATEWAY, ElementType.EVENT_BASED_GATEWAY):
        for flow in drawing.outgoing(gateway):
            if flow.condition is not None:
                message = (
                    f"Expected {drawing.label(flow.id)} out of {drawing.label(gateway.id)} to have no condition, but it has one: "
                    "draw an inclusive gateway (包容网关), or remove the condition"
                )
                yield flow.id, message


def one_event(drawing: Drawing) -> Problems:
    """Behind an event-based gateway, several events race."""
    for gateway in drawing.of_type(ElementType.EVENT_BASED_GATEWAY):
        if len(gateway.outgoing) == 1:
            message = f"Expected two or more flows out of {drawing.label(gateway.id)}, but there is one: draw the event alone"
            yield gateway.id, message


def no_event_behind(drawing: Drawing) -> Problems:
    """Behind an event-based gateway stand catch events, which nothing else leads to."""
    for gateway in drawing.of_type(ElementType.EVENT_BASED_GATEWAY):
        for flow in drawing.outgoing(gateway):
            event = drawing.definition.elements[flow.target]
            if event.type is not ElementType.CATCH_EVENT or event.event_type not in AWAITED:
                message = (
                    f"Expected a catch event (中间捕获事件) behind {drawing.label(gateway.id)}, but there is {drawing.label(event.id)}: "
                    "draw a message, timer, signal or conditional event"
                )
                yield gateway.id, message
            elif len(event.incoming) > 1:
                message = (
                    f"Expected only {drawing.label(gateway.id)} to lead to {drawing.label(event.id)}, but other flows do, too: "
                    "draw an event of its own for them"
                )
                yield event.id, message


def same_event_behind(drawing: Drawing) -> Problems:
    """Of the events that race, each waits for something of its own."""
    for gateway in drawing.of_type(ElementType.EVENT_BASED_GATEWAY):
        known: dict[tuple[EventType, str], str] = {}
        for flow in drawing.outgoing(gateway):
            event = drawing.definition.elements[flow.target].event
            name = event.written_name if event else None
            if event is None or name is None:
                continue
            first = known.setdefault((event.type, name), flow.target)
            if first != flow.target:
                message = (
                    f"Expected each event behind {drawing.label(gateway.id)} to wait for a message or signal of its own, but "
                    f"{drawing.label(first)} and {drawing.label(flow.target)} wait for {name[:60]!r}: give them different ones"
                )
                yield flow.target, message


def literal_condition(drawing: Drawing) -> Problems:
    """A condition is one expression; a text would always or never hold."""
    for flow in drawing.definition.flows.values():
        if _condition(drawing, flow.id) == "":
            yield flow.id, f"Expected the condition of {drawing.label(flow.id)} to be ${{…}} or =…, but it is empty: write it or remove it"
        elif flow.condition is not None and (instead := no_condition(flow.condition)):
            yield flow.id, f"Expected the condition of {drawing.label(flow.id)} to be ${{…}} or =…, but {instead}"


def default_elsewhere(drawing: Drawing) -> Problems:
    """The default flow of an element leads out of it, and out of an element that decides."""
    for element in drawing.elements:
        if element.default is None:
            continue
        if element.default not in element.outgoing:
            message = (
                f"Expected the default flow of {drawing.label(element.id)} to lead out of it, but {element.default} does not: "
                "choose one of its own flows"
            )
            yield element.id, message
        elif element.type is ElementType.PARALLEL_GATEWAY:
            message = (
                f"Expected {drawing.label(element.id)} to take every flow, but it has a default flow: "
                "draw an exclusive or inclusive gateway, or make the flow a plain one"
            )
            yield element.id, message


def no_default(drawing: Drawing) -> Problems:
    """Where no condition holds and there is no default flow, the case stops with an incident."""
    for element in drawing.elements:
        flows = drawing.outgoing(element)
        if element.default is None and flows and all(flow.condition is not None for flow in flows):
            message = (
                f"Expected a default flow (默认流) out of {drawing.label(element.id)}, but there is none: "
                "a case for which no condition holds stops here with an incident"
            )
            yield element.id, message


def _condition(drawing: Drawing, flow: str) -> str | None:
    """Return a condition as it is drawn; it may be empty, or not to be read."""
    condition = drawing.node(flow).find(f"{MODEL}conditionExpression")
    return None if condition is None else text_of(condition)
