"""Every way out of a decision is taken by somebody."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from bpmn.definition import Definition, Element, ElementType, Flow
from bpmn.errors import ExpressionError
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import unknown_choice
from bpmn.lint.rules import variable_never_written as variables

#: Combinations of choices that are tried at a gateway.
_MOST = 500

Choices = Mapping[str, frozenset[Any]]


def check(bundle: Bundle) -> Problems:
    """Each condition behind a gateway holds for something that can be chosen, and for which no flow before it is taken."""
    passed_in = variables.passed_in(bundle)
    for resource, process in bundle.processes:
        choices = {} if variables.is_open(process) else unknown_choice.choices(bundle, process, passed_in)
        for element in process.elements.values():
            if element.type in (ElementType.EXCLUSIVE_GATEWAY, ElementType.INCLUSIVE_GATEWAY):
                for flow, why in _never(process, element, choices):
                    message = (
                        f"Expected the flow {_label(flow)} out of {element.label} to be taken by somebody, but {why}: "
                        "correct its condition, or remove it"
                    )
                    yield Problem(resource=resource, element=element, message=message)


def _never(process: Definition, gateway: Element, choices: Choices) -> Iterator[tuple[Flow, str]]:
    """Yield the flows that no combination of choices takes."""
    flows = [flow for key in gateway.outgoing if (flow := process.flows[key]).condition]
    judged = [flow for flow in flows if flow.condition and _is_known(flow.condition, choices)]
    cases = list(_cases(judged, choices))
    holding: dict[str, list[int]] = {flow.id: [n for n, case in enumerate(cases) if _holds(flow, case)] for flow in judged}
    for flow in judged if cases else ():
        before = {n for other in judged[: judged.index(flow)] for n in holding[other.id]}
        if not holding[flow.id]:
            yield flow, f"its condition {_source(flow)} holds for nothing that the forms offer"
        elif gateway.type is ElementType.EXCLUSIVE_GATEWAY and set(holding[flow.id]) <= before:
            first = next(other for other in judged if set(holding[other.id]) & set(holding[flow.id]))
            yield flow, f"wherever its condition {_source(flow)} holds, {_label(first)} is taken before it"


def _is_known(condition: Expression, choices: Choices) -> bool:
    """Tell whether a condition depends on choices alone, and compares them with what is offered (else that is told already)."""
    if any(unknown_choice.misses(condition, choices)):
        return False
    return not condition.calls and bool(condition.names) and condition.names <= choices.keys()


def _cases(flows: list[Flow], choices: Choices) -> Iterator[dict[str, Any]]:
    """Yield the combinations of what can be chosen, and of what was left open; none where they are too many."""
    names = sorted({name for flow in flows if flow.condition for name in flow.condition.names})
    values = [[*sorted(choices[name], key=str), None] for name in names]
    if names and math.prod(map(len, values)) <= _MOST:
        yield from (dict(zip(names, case, strict=True)) for case in itertools.product(*values))


def _holds(flow: Flow, case: Mapping[str, Any]) -> bool:
    try:
        return bool(flow.condition and flow.condition.test(case))
    except ExpressionError:
        return False


def _label(flow: Flow) -> str:
    return f"“{flow.name}” ({flow.id})" if flow.name else flow.id


def _source(flow: Flow) -> str:
    return flow.condition.source.strip()[:80] if flow.condition else ""
