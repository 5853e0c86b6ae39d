"""A flow does what it is called."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from bpmn.definition import Definition, Element, ElementType, Flow
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import flow_never_taken as flows

#: What parts the answers that a name lists.
_AND = re.compile(r"\s*[、，,/／;；]\s*|\s+(?:or|and)\s+|或者?")
#: A name this short says nothing.
_SHORTEST = 2
#: What answers a question, and means nothing without it.
_ANSWERS = frozenset({"是", "否", "有", "无", "其他", "其它", "yes", "no", "true", "false", "other", "others"})
#: What a question says besides what it asks about.
_ASKING = re.compile(r"是否|\bis\b|[吗？?:：\s]")

Case = Mapping[str, Any]


class Option(NamedTuple):
    """What can be chosen in a form."""

    variable: str
    value: Any
    label: str
    #: Everything that the same field offers.
    offered: frozenset[Any]
    #: How a flow may be called that is taken for it: by its label, or one of several in it, or by its value.
    names: frozenset[str]
    #: What its field asks about.
    question: str


def check(bundle: Bundle) -> Problems:
    """A flow, or the end behind it, that is named like an option of a form (准予、不予许可) is taken when that option is chosen."""
    for resource, process, choices in flows.decisions(bundle):
        options = _options(bundle, process, choices)
        for gateway in process.elements.values() if options else ():
            if gateway.type is ElementType.EXCLUSIVE_GATEWAY:
                for flow, named, label in _otherwise(process, gateway, choices, options):
                    message = (
                        f"Expected the flow {flows.label(flow)} out of {gateway.label} to be taken where “{label}” is chosen, "
                        f"since {named}, but it is taken for something else only: correct its condition, its target or the name, "
                        "or make another the default flow (默认流)"
                    )
                    yield Problem(resource=resource, element=gateway, message=message)


def _otherwise(process: Definition, gateway: Element, choices: flows.Choices, options: list[Option]) -> Iterator[tuple[Flow, str, str]]:
    """Yield the flows that are called after an option for which they are never taken, with what is called so, and the option."""
    judged = flows.judged(process, gateway, choices)
    cases = list(flows.cases(judged, choices))
    offered = [option for option in options if any(option.variable in case for case in cases[:1])]
    for flow, takes in _taken(process, gateway, judged):
        taken = [case for case in cases if takes(case)]
        wrong = (
            (flow, f"{what} is called “{name}”", option.label)
            for what, name in _names(process, flow)
            for option in _meant(name, _question(gateway.name), offered)
            if _is_other(option, {case[option.variable] for case in taken})
        )
        yield from itertools.islice(wrong, 1)


def _is_other(option: Option, taken: AbstractSet[Any]) -> bool:
    """Tell whether what is taken is not an option, but others that stand beside it."""
    return option.value not in taken and bool(taken & option.offered)


def _taken(process: Definition, gateway: Element, judged: list[Flow]) -> Iterator[tuple[Flow, Callable[[Case], bool]]]:
    """Yield flows out of a gateway, each with what tells whether it is taken."""
    for flow in judged:
        yield flow, lambda case, flow=flow: flows.holds(flow, case)  # type: ignore[misc] # mypy does not see the default
    if gateway.default and len(judged) == len(gateway.outgoing) - 1:
        yield process.flows[gateway.default], lambda case: not any(flows.holds(flow, case) for flow in judged)


def _names(process: Definition, flow: Flow) -> Iterator[tuple[str, str]]:
    """Yield how a flow is called, and how the end is called to which it leads alone."""
    target = process.elements[flow.target]
    yield "it", flow.name
    if target.type is ElementType.END_EVENT and len(target.incoming) == 1:
        yield "its end", target.name


def _options(bundle: Bundle, process: Definition, choices: flows.Choices) -> list[Option]:
    """Return the options of what can be chosen, as the forms of a process have them."""
    forms = [bundle.shown[element.form_ref] for element in process.elements.values() if element.form_ref in bundle.shown]
    return [
        Option(
            variable=field.key,
            value=option.value,
            label=option.label,
            offered=values,
            names=frozenset(map(_plain, (*_AND.split(option.label), str(option.value)))),
            question=_question(field.name),
        )
        for form in dict.fromkeys(form.key for form in forms)
        for field in bundle.shown[form].fields
        if field.key in choices
        for values in [frozenset(each.value for each in field.options)]
        for option in field.options
    ]


def _meant(name: str, asked: str, options: list[Option]) -> Iterator[Option]:
    """Yield the options after which something is called: by label, the beginning of one, or value; none where it may mean several.

    “Yes” to what a gateway asks is no option of a field that asks something else, such as the contrary.
    """
    for said in filter(None, map(_plain, _AND.split(name))):
        possible = [each for each in options if said not in _ANSWERS or asked in ("", each.question)]
        found = [each for each in possible if said in each.names]
        found = found or [each for each in possible if len(said) >= _SHORTEST and _plain(each.label).startswith(said)]
        if found and len({(each.variable, each.value) for each in found}) == 1:
            yield found[0]


def _plain(word: str) -> str:
    """Return a word without what makes it an answer, or a thing that is done: 已准予."""
    return word.strip().removeprefix("已").rstrip("。.！!").casefold()


def _question(name: str) -> str:
    """Return what a question asks about: 准予, where it is 是否准予？ or 准予吗？."""
    return _ASKING.sub("", name.casefold())
