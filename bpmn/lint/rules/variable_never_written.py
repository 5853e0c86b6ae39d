"""A variable that a diagram reads is written somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bpmn import timers
from bpmn.decisions import Decision
from bpmn.decisions.table import DecisionTable
from bpmn.definition import COUNTERS, Definition, Element
from bpmn.errors import ExpressionError
from bpmn.lint import expressions, spelling
from bpmn.lint.bundle import FORMS, LIMITS, TABLES, Bundle
from bpmn.lint.rule import Problem, Problems


def check(bundle: Bundle) -> Problems:
    """A variable that a matter or an item reads is a field of a form, a result, passed in, an answer, or handed in by the engine."""
    if bundle.known.variables is None or not (bundle.lacks(FORMS) and bundle.lacks(TABLES)):
        return
    yield from _unasked(bundle)
    begun = begun_with(bundle)
    for resource, process in bundle.processes:
        if is_ours(process) and process.key in begun:
            known = begun[process.key] | written(process) | asked(bundle, process)
            missing = frozenset().union(*(names for _element, names in _read(process))) - known
            told = missing if is_closed(process) else frozenset(_certain(bundle, process, missing, known))
            for element, names in _read(process):
                for name in sorted(names & told):
                    message = (
                        f"Expected {element.label} to read variables that somebody writes, but nobody writes {name}"
                        f"{_advice(bundle, name, known)}"
                    )
                    yield Problem(resource=resource, element=element, message=message)


def _certain(bundle: Bundle, process: Definition, missing: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    """Yield the names that are wrong whatever a worker writes: a slip, a duration, or a value without its quotation marks."""
    read = {name for element, names in _read(process) for name in names - written_at(element)}
    for name in missing:
        slip = any(spelling.is_inner_slip(name, each) or (each not in read and spelling.is_slip(name, each)) for each in known)
        if slip or _is_duration(name) or _is_option(bundle, name):
            yield name


def _is_duration(name: str) -> bool:
    try:
        timers.read_duration(name)
    except ExpressionError:
        return False
    return True


def _is_option(bundle: Bundle, name: str) -> bool:
    return any(name == option.value for form in bundle.shown.values() for field in form.fields for option in field.options)


def _advice(bundle: Bundle, name: str, known: Iterable[str]) -> str:
    """Say what is meant: a value that lacks its quotation marks, or a name that is almost the same."""
    if _is_option(bundle, name):
        return f": write '{name}', with quotation marks"
    if _is_duration(name):
        return f": write {name} alone, without the signs of an expression"
    meant = next((each for each in sorted(known) if spelling.is_slip(name, each)), None)
    if meant is None and name in (given(bundle) or ()):
        return ": another process asks for it, so hand it over in the mappings of the call (In mappings, Out mappings)"
    return f": did you mean {meant!r}?" if meant else ": correct the name, or add a field to a form"


def given(bundle: Bundle) -> frozenset[str] | None:
    """Variables that any process of a bundle may have, whoever writes them; None: nobody knows with what a process begins."""
    begun = begun_with(bundle)
    known = all(process.key in begun for _, process in bundle.processes)
    return frozenset().union(*begun.values(), *(asked(bundle, process) for _, process in bundle.processes)) if known else None


def begun_with(bundle: Bundle) -> Mapping[str, frozenset[str]]:
    """Variables that processes may begin with, by their keys; those of which nobody knows are not there."""
    if bundle.known.variables is None:
        return {}
    known, passed = bundle.known.variables | _answers(bundle), passed_in(bundle)
    unknown = [process for _, process in bundle.processes if _hands_all(process) and not is_closed(process)]
    return {
        process.key: known | passed[process.key] for _, process in bundle.processes if all(process.key == other.key for other in unknown)
    }


def _unasked(bundle: Bundle) -> Problems:
    """Yield what tables read and nobody asks, in those of a matter and in that of limits: such a name is null, and hits nothing."""
    for matter in bundle.matters:
        asked = {row.get("id") for _rule, row in matter.rows("situations")}
        tables = [decision for key in ("items", "materials") if (decision := matter.decisions.get(key))]
        for decision in tables if asked and None not in asked else ():
            for name in sorted(decision.reads - asked - {*_required(decision)}):
                message = (
                    f"Expected the table “{decision.name}” ({decision.id}) to read answers to the questions of situations, "
                    f'but none is {name}: correct the name, or write "{name}" if a text is meant'
                )
                yield Problem(resource=bundle.place(decision.id), line=decision.line, message=message)
    for resource, decision in bundle.decisions:
        for name in sorted(decision.reads - {"item"}) if decision.id == LIMITS else ():
            message = (
                f"Expected the table “{decision.name}” ({decision.id}) to read the item alone, but it reads {name}: "
                "write a number in digits, and a text in quotation marks"
            )
            yield Problem(resource=resource, line=decision.line, message=message)


def _required(decision: Decision) -> Iterator[str]:
    """Yield the names under which a decision finds the results of those that it requires."""
    for required in decision.requires:
        yield from required.names
        if isinstance(required.logic, DecisionTable):
            yield from (column.name for column in required.logic.outputs)


def _read(process: Definition) -> Iterator[tuple[Element, set[str]]]:
    """Yield elements with the variables that they, or the flows out of them, read."""
    for element in process.elements.values():
        names = {name for expression in expressions.asked(process, element) for name in expression.names}
        yield element, names.union(*(mapping.source.names for mapping in element.inputs if mapping.source))


def asked(bundle: Bundle, process: Definition) -> set[str]:
    """Variables that the forms ask for which a process shows."""
    forms = [bundle.shown[element.form_ref] for element in process.elements.values() if element.form_ref in bundle.shown]
    return {field.key for form in forms for field in form.fields}


def written(process: Definition) -> set[str]:
    """Variables that the elements of a process write by themselves."""
    return {name for element in process.elements.values() for name in written_at(element)}


def written_at(element: Element) -> set[str]:
    """Variables that an element writes by itself; the form that it names is not looked at."""
    fields = {field.key for field in element.form_data.fields} if element.form_data else set()
    return {name for name in _results(element) if name} | fields


def _results(element: Element) -> Iterator[str | None]:
    """Yield the variables that an element sets: its result, its parameters, what it is handed back or catches, the counters of its loop."""
    yield from (mapping.target for mapping in element.outputs)
    yield element.result_variable
    yield from (parameter.name for parameter in (*element.input_parameters, *element.output_parameters))
    if element.event:
        yield from (element.event.code_variable, element.event.message_variable)
    if element.loop:
        yield from (*COUNTERS, element.loop.element_variable)


def is_closed(process: Definition) -> bool:
    """Tell whether all is known that writes variables: in a matter, an item or a post-check, where no worker does."""
    return is_ours(process) and not is_open(process)


def is_ours(process: Definition) -> bool:
    """Tell whether a process is a matter, an item or a post-check, which begin with what the engine hands in."""
    return process.properties.get("onething.kind") in {"matter", "item", "post-check"}


def is_open(process: Definition) -> bool:
    """Tell whether others write what they like: a department's worker, or a called process that hands everything back."""
    return any(
        (element.topic is not None and not element.topic.source.startswith("onething."))
        or any(mapping.target is None for mapping in element.outputs)
        for element in process.elements.values()
    )


def _answers(bundle: Bundle) -> set[str]:
    """Questions of the situation, and what the tables themselves ask for."""
    asked = {str(row["id"]) for matter in bundle.matters for _rule, row in matter.rows("situations") if row.get("id")}
    return asked | {name for _, decision in bundle.decisions for name in decision.reads}


def passed_in(bundle: Bundle) -> Mapping[str, frozenset[str]]:
    """Variables that calls hand to what they call, by the keys of the processes that may be called."""
    calls = [element for _, _, element in bundle.elements() if element.inputs]
    whole = {process.key: written(process) | asked(bundle, process) for _, process in bundle.processes if _hands_all(process)}
    return {
        process.key: _named(calls, process.key).union(*(names for key, names in whole.items() if key != process.key))
        for _, process in bundle.processes
    }


def _named(calls: Iterable[Element], key: str) -> frozenset[str]:
    """Variables that are handed by name to what may be a process: where another one is called, they are not."""
    others = [call for call in calls if call.called is None or call.called.dialect != "literal" or call.called.source.strip() == key]
    return frozenset(mapping.target for call in others for mapping in call.inputs if mapping.target)


def _hands_all(process: Definition) -> bool:
    """Tell whether a process hands all that it has (`variables="all"`) to something that it calls."""
    return any(mapping.target is None for element in process.elements.values() for mapping in element.inputs)
