"""What the window does not answer in five working days is accepted by law (视为受理)."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.definition import Element
from bpmn.lint import shapes
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import ways
from bpmn.matter.facts import DrawnMatter

#: The step of the engine that accepts by law, and the function that says when.
DEEMED, DUE = "onething.accept-deemed", "acceptance_due"


def check(bundle: Bundle) -> Problems:
    """What the window does not answer in five working days is accepted by law (视为受理, 行政许可法 art. 32): also what joins later."""
    for matter in bundle.matters:
        for element in (e for kind in ("intake", "follow-on") for e in shapes.of_kind(matter.process, kind)):
            if DEEMED not in shapes.steps_after(matter.process, element):
                message = (
                    f"Expected {element.label} to lead to acceptance by law (视为受理) when nobody answers, but it does not: "
                    f"draw a boundary timer (定时边界事件) that interrupts it, ${{{DUE}()}}, and the step {DEEMED} behind it"
                )
                yield Problem(resource=matter.resource, element=element, message=message)
            for at, message in (*_otherwise(matter, element), *_leading_nowhere(matter, element)):
                yield Problem(resource=matter.resource, element=at, message=message)


def _otherwise(matter: DrawnMatter, element: Element) -> Iterator[tuple[Element, str]]:
    """Yield the timers that lead to the step at another moment: it accepts nothing whose five working days are not over."""
    for timer in shapes.deadlines(matter.process, element):
        when = timer.event.when if timer.event else None
        if when and DUE not in when.calls and _steps(matter, element, timer):
            message = (
                f"Expected {timer.label} to go off when the five working days of the law are over, "
                f"but it goes by {when.source.strip()[:80]}: "
                f"write ${{{DUE}()}} as a date (日期), which counts from the receipt of each item; nothing else is accepted by {DEEMED}"
            )
            yield timer, message


def _leading_nowhere(matter: DrawnMatter, element: Element) -> Iterator[tuple[Element, str]]:
    """Yield the steps from which no way leads to the items: what the law has accepted would be given back."""
    calls = {call.element.id for call in matter.calls.values()}
    steps = {step.id: step for timer in shapes.deadlines(matter.process, element) for step in _steps(matter, element, timer)}
    for step in steps.values() if calls else ():
        if not ways.reach(matter.process, [step.id]) & calls:
            message = (
                f"Expected {step.label} to lead to where items are handled, since they are accepted by law, but no way leads there: "
                "lead its flow to where the accepted items go on (进入联办)"
            )
            yield step, message


def _steps(matter: DrawnMatter, element: Element, timer: Element) -> list[Element]:
    """List the steps that accept by law behind a timer of an intake."""
    behind = (matter.process.elements[key] for key in ways.reach(matter.process, [timer.id], stop=frozenset({element.id})))
    return [each for each in behind if each.topic and each.topic.source == DEEMED]
