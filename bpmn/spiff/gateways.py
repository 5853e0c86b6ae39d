"""Gateways: where flows part and where they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bpmn import closure
from bpmn.definition import Definition, Element, Flow
from bpmn.spiff.element import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token


class ExclusiveGateway(ElementSpec):
    """One flow out: the first whose condition is true, else the default.  Tokens that meet here go on one by one."""

    def choose(self, token: Token) -> tuple[Flow, ...]:
        """Return the first flow that may be taken."""
        for flow in self.flows:
            if flow.id != self.element.default and (flow.condition is None or token.test(flow.condition)):
                return (flow,)
        return self.otherwise()


class Join(ElementSpec):
    """A gateway where tokens wait for each other if it has several incoming flows."""

    def _update_hook(self, my_task: Token) -> bool:
        waits_for_job = self.element.async_before and my_task.facts.get("continued") != "before"
        if len(self.element.incoming) <= 1 or waits_for_job:
            return True
        my_task.begin()
        my_task.workflow.joins.add(my_task)
        self.gather(my_task)
        return False

    def gather(self, token: Token) -> None:
        """See whether a token that has arrived opens the gateway."""

    def lacks(self, arrived: Mapping[str, Sequence[int]]) -> str:
        """Say what the tokens here lack, when nothing else moves any more."""
        missing = ", ".join(flow for flow in self.element.incoming if flow not in arrived)
        if not missing:  # a migration has left it so
            return f"Expected {self.name} to be retried, since a token has come on every flow into it by now"
        return f"Expected a token on every flow into {self.name}, but none can arrive any more on {missing}"


class ParallelGateway(Join):
    """One token from each flow in, one token to each flow out."""

    def gather(self, token: Token) -> None:
        """Open as soon as each incoming flow has a token; a second one on the same flow stays for the next time."""
        joins = token.workflow.joins
        if len(joins.arrived(token)) >= len(self.element.incoming):
            joins.open(token)

    def choose(self, token: Token) -> tuple[Flow, ...]:  # noqa: ARG002 - other gateways ask the token
        """Return every flow; conditions have no say here."""
        return self.flows


class InclusiveGateway(Join):
    """Waits for every token that can still come, then takes each flow whose condition is true."""

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        #: For each incoming flow, the elements from which a token can come to it without passing through this gateway first.
        self.upstream = {flow: _upstream(definition, flow, element.id) for flow in element.incoming}


class EventBasedGateway(ElementSpec):
    """Waits for the first of the events behind it; they watch from within its token."""

    rests = True

    def enter(self, token: Token) -> None:
        """Let the events watch."""
        for flow in self.flows:
            token.workflow.spawn(self._wf_spec.task_specs[flow.target], token, flow=flow.id, watches=True)


def _upstream(definition: Definition, flow: str, gateway: str) -> frozenset[str]:
    """Walk backwards from a flow, over boundary events to what they stand on, up to the gateway itself."""

    def before(here: str) -> set[str]:
        element = definition.elements[here]
        sources = {definition.flows[incoming].source for incoming in element.incoming}
        return (sources | ({element.attached_to} if element.attached_to else set())) - {gateway}

    return frozenset(closure.of({definition.flows[flow].source} - {gateway}, before))
