"""What a form reads is filled in somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bpmn.lint import expressions, spelling
from bpmn.lint.bundle import FORMS, TABLES, Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import variable_never_written as variables


def check(bundle: Bundle) -> Problems:
    """The conditions of a form read its own fields, or variables that somebody writes: of any other name nothing is known."""
    written = _written(bundle) if bundle.lacks(FORMS) and bundle.lacks(TABLES) else {}
    for resource, key in bundle.forms:
        form = bundle.shown[resource]
        for field, expression, seen in expressions.in_form(form.fields):
            for name in sorted(expression.names - seen.keys() - written.get(key, frozenset())):
                if key in written or _is_slip(name, seen):
                    message = (
                        f"Expected “{field.name}” ({field.key}) of the form {key} to depend on what is filled in before, but in "
                        f"{expression.source[:80]} nobody fills in {name}{_advice(name, seen, written.get(key, ()))}"
                    )
                    yield Problem(resource=resource, line=bundle.line(resource, field.key), message=message)


def _written(bundle: Bundle) -> Mapping[str, frozenset[str]]:
    """Variables that may be there, by the key of each form for which all of them are known: only matters and items show it."""
    given = variables.given(bundle)
    if given is None:
        return {}
    found: dict[str, frozenset[str]] = {}
    unknown: set[str] = set()
    for _resource, process in bundle.processes:
        keys = {bundle.shown[element.form_ref].key for element in process.elements.values() if element.form_ref in bundle.shown}
        if variables.is_closed(process):
            names = variables.written(process)
            found |= {key: found.get(key, given) | names for key in keys}
        else:
            unknown |= keys
    return {key: names for key, names in found.items() if key not in unknown}


def _is_slip(name: str, seen: Iterable[str]) -> bool:
    return any(spelling.is_slip(name, key) for key in seen)


def _advice(name: str, seen: expressions.Seen, written: Iterable[str]) -> str:
    """Say what is meant: a value that lacks its quotation marks, or another name."""
    values = {str(option.value) for fields in seen.values() for field in fields for option in field.options}
    if name in values:
        return f': write "{name}", with quotation marks'
    return spelling.advice(name, {*seen, *written}) or ": correct the name, or add a field to a form"
