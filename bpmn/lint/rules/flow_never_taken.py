"""Every way out of a decision is taken by somebody."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bpmn.definition import Definition, Element, ElementType, Flow
from bpmn.errors import ExpressionError, one_line
from bpmn.expressions import Expression
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import unfit_value, unknown_choice
from bpmn.lint.rules import variable_never_written as variables

#: Combinations of choices that are tried at a gateway.
_MOST = 500

Choices = Mapping[str, frozenset[Any]]


def check(bundle: Bundle) -> Problems:
    """Each flow out of a gateway is taken for some choice, and no flow before it is taken for the same choice."""
    for resource, process, choices in decisions(bundle):
        for element in process.elements.values():
            if element.type in (ElementType.EXCLUSIVE_GATEWAY, ElementType.INCLUSIVE_GATEWAY):
                for flow, why in _never(process, element, choices):
                    message = (
                        f"Expected the flow {label(flow)} out of {element.label} to be taken by somebody, but {why}: "
                        f"{_advice(element, flow)}"
                    )
                    yield Problem(resource=resource, element=element, message=message)


def decisions(bundle: Bundle) -> Iterator[tuple[str, Definition, Choices]]:
    """Yield every process with the values that can be chosen in its forms."""
    passed_in = variables.passed_in(bundle)
    for resource, process in bundle.processes:
        yield resource, process, {} if variables.is_open(process) else unknown_choice.choices(bundle, process, passed_in[process.key])


def judged(process: Definition, gateway: Element, choices: Choices) -> list[Flow]:
    """Return the flows with conditions that depend on choices alone, and compare them with what is offered (else that is told already)."""
    flows = (process.flows[key] for key in gateway.outgoing)
    return [flow for flow in flows if flow.condition and _is_known(flow.condition, choices)]


def cases(flows: Iterable[Flow], choices: Choices) -> Iterator[dict[str, Any]]:
    """Yield the combinations of what can be chosen, and of what was left open; none where they are too many."""
    names = sorted({name for flow in flows if flow.condition for name in flow.condition.names})
    values = [[*sorted(choices[name], key=str), None] for name in names]
    if names and math.prod(map(len, values)) <= _MOST:
        yield from (dict(zip(names, case, strict=True)) for case in itertools.product(*values))


def holds(flow: Flow, case: Mapping[str, Any]) -> bool:
    """Tell whether the condition of a flow holds in a case."""
    try:
        return bool(flow.condition and flow.condition.test(case))
    except ExpressionError:
        return False


def label(flow: Flow) -> str:
    """Say how messages call a flow."""
    return f"“{one_line(flow.name)}” ({flow.id})" if flow.name else flow.id


def _never(process: Definition, gateway: Element, choices: Choices) -> Iterator[tuple[Flow, str]]:
    """Yield the flows that no combination of choices takes."""
    flows = judged(process, gateway, choices)
    tried = list(cases(flows, choices))
    holding = {flow.id: {n for n, case in enumerate(tried) if holds(flow, case)} for flow in flows}
    before: set[int] = set()
    for flow in flows if tried else ():
        if not holding[flow.id]:
            yield flow, f"its condition {_source(flow)} holds for nothing that the forms offer"
        elif gateway.type is ElementType.EXCLUSIVE_GATEWAY and holding[flow.id] <= before:
            first = next(other for other in flows if holding[other.id] & holding[flow.id])
            yield flow, f"wherever its condition {_source(flow)} holds, {label(first)} is taken before it"
        before |= holding[flow.id]
    if gateway.default and tried and len(before) == len(tried):
        yield process.flows[gateway.default], "whatever is chosen, or nothing, the condition of another holds"


def _advice(gateway: Element, flow: Flow) -> str:
    """Say what to do; a default flow has no condition of its own."""
    if flow.id != gateway.default:
        return "correct its condition, or remove it"
    return "correct the conditions of the others, or remove it and make one of them the default flow (默认流)"


def _is_known(condition: Expression, choices: Choices) -> bool:
    if any(unknown_choice.misses(condition, choices)):
        return False
    if unfit_value.fault(condition, {name: list(values) for name, values in choices.items()}, unfit_value.holds) is not None:
        return False
    return not condition.calls and bool(condition.names) and condition.names <= choices.keys()


def _source(flow: Flow) -> str:
    return flow.condition.source.strip()[:80] if flow.condition else ""
