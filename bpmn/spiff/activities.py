"""Activities: work that somebody does, and what is computed on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bpmn import errors, waits
from bpmn.definition import Definition, Element
from bpmn.expressions import plain
from bpmn.spiff import values
from bpmn.spiff.element import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token


class UserTask(ElementSpec):
    """A task that somebody completes."""

    rests = True
    kind = waits.WaitKind.USER_TASK

    def enter(self, token: Token) -> None:
        """Find out whose task it is, and what it is called."""
        element = self.element
        token.facts["groups"] = values.names("candidate group", [token.evaluate(group) for group in element.candidate_groups])
        if element.candidate_users:
            token.facts["users"] = values.names("candidate user", [token.evaluate(user) for user in element.candidate_users])
        if element.assignee:
            token.facts["assignee"] = values.text_or_none("assignee", token.evaluate(element.assignee), values.PERSON)
        if element.title:
            token.facts["title"] = values.text_or_none("name", token.evaluate(element.title))
        if element.description:
            token.facts["description"] = values.text_or_none("description", token.evaluate(element.description))
        if element.due_date:
            token.facts["due_at"] = values.due_date(token.evaluate_time(element.due_date), token.since)
        if element.follow_up_date:
            token.facts["follow_up_at"] = values.due_date(token.evaluate_time(element.follow_up_date), token.since)
        if element.priority:
            token.facts["priority"] = values.priority(token.evaluate(element.priority), bits=32)

    def wait(self, token: Token) -> waits.Wait:
        """Wait for a person."""
        facts = token.facts
        return token.waiting(
            waits.WaitKind.USER_TASK,
            groups=tuple(facts["groups"]),
            users=tuple(facts.get("users", ())),
            assignee=facts.get("assignee"),
            title=facts.get("title", self.element.name) or self.name,
            description=facts.get("description", self.element.documentation) or None,
            task_due_at=self.due_at(token),
            follow_up_at=values.moment(facts.get("follow_up_at")),
            priority=facts.get("priority", 50),
        )

    def due_at(self, token: Token) -> datetime | None:
        """Say when it is due.

        A bound date moves with the world, as bound timers do; it stays where it was when it cannot be told, or was set by hand.
        """
        if self.moves(token):
            try:
                return values.moment(values.due_date(token.evaluate_time(self.element.due_date), token.since))
            except errors.BpmnError:
                pass
        return values.moment(token.facts.get("due_at"))

    def moves(self, token: Token) -> bool:
        """Whether its due date is bound, and was not set by hand."""
        due_date = self.element.due_date
        return due_date is not None and bool(due_date.calls & token.workflow.context.live) and "by_hand" not in token.facts


class Work(ElementSpec):
    """What a worker does, or an expression without side effects: service, send, script and business rule tasks, thrown messages."""

    kind = waits.WaitKind.EXTERNAL_TASK

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        self.rests = element.topic is not None

    def enter(self, token: Token) -> None:
        """Find out the topic, or compute the result."""
        element = self.element
        if element.topic:
            token.facts["name"] = values.text("topic", token.evaluate(element.topic), values.NAME)
            if element.priority:
                token.facts["priority"] = values.priority(token.evaluate(element.priority))
            return
        result = token.evaluate(element.expression)
        if (name := element.result_variable) is not None:
            values.note(token, element.expression, token.place_of(name), name)
            token.set_variables({name: plain(result)})

    def wait(self, token: Token) -> waits.Wait:
        """Wait for a worker."""
        return token.waiting(waits.WaitKind.EXTERNAL_TASK, name=token.facts["name"], priority=token.facts.get("priority", 0))


class Decision(ElementSpec):
    """A business rule task with a decision table, evaluated on the spot."""

    def enter(self, token: Token) -> None:
        """Decide, and keep the result."""
        rows = token.decide(values.text("decision", token.evaluate(self.element.decision_ref)))
        result = plain(values.decision_result(rows, self.element.map_decision_result))
        if self.element.result_variable:
            token.set_variables({self.element.result_variable: result})


class CallActivity(ElementSpec):
    """Another process, which is an instance of its own."""

    rests = True
    kind = waits.WaitKind.CALL

    def enter(self, token: Token) -> None:
        """Find out which process, and what it is given."""
        element = self.element
        token.facts["name"] = values.text("called element", token.evaluate(element.called))
        token.facts["variables"] = values.passed(element.inputs, token.variables, token.evaluate, local=token.facts.get("local", {}))
        if element.called_version:
            token.facts["version"] = values.version(token.evaluate(element.called_version))
        if element.business_key:
            token.facts["business_key"] = values.text_or_none("business key", token.evaluate(element.business_key), values.NAME)

    def leave(self, token: Token) -> None:
        """Take over what the other process gives back."""
        self.take_over(token, token.facts.get("returned", {}))
        token.facts.pop("returned", None)

    def take_over(self, token: Token, returned: Mapping[str, Any]) -> None:
        """Map what the other process has out: when it has ended, or when something that it raises is caught here.

        What is `local` there belongs to the call, whose output parameters see it.
        """
        evaluate = token.workflow.evaluate
        for local, put in ((False, token.set_variables), (True, token.set_local)):
            if outputs := [mapping for mapping in self.element.outputs if mapping.local is local]:
                put(values.passed(outputs, returned, lambda source: evaluate(source, returned), local=returned))

    def wait(self, token: Token) -> waits.Wait:
        """Wait for the other instance."""
        facts = token.facts
        return token.waiting(
            waits.WaitKind.CALL,
            name=facts["name"],
            variables=facts["variables"],
            version=facts.get("version"),
            business_key=facts.get("business_key"),
        )
