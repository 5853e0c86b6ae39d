"""From a `.form` file of Camunda Modeler (form-js, schema version 19) to a Form."""

from __future__ import annotations

import graphlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bpmn import unreadable
from bpmn.errors import DocumentError, Finding
from bpmn.forms.component import Component, Refuse
from bpmn.forms.field import Field, FieldType
from bpmn.forms.form import Form

#: Bytes of a file, components of a form, groups within one another.
_LIMIT = 1_000_000
_COMPONENTS = 1_000
_NESTING = 10
#: What JSON can write, and neither a database nor an answer can.
_NO_CHARACTER = re.compile("[\0\ud800-\udfff]")
#: Components that show something and take nothing.
SILENT = frozenset({"text", "html", "image", "spacer", "separator", "button", "iframe", "table", "documentPreview"})


def parse_form(content: bytes, resource: str = "") -> Form:
    """Read a form; raises DocumentError with a finding for everything that is unsupported or wrong."""
    form, findings = read_schema(_load(content, resource), resource)
    if findings:
        raise DocumentError([replace(finding, line=line_of(content, finding.element)) for finding in findings])
    return form


def read_schema(schema: Mapping[str, Any], resource: str) -> tuple[Form, list[Finding]]:
    """Read the schema of a form, and all that is wrong with it."""
    reading = _Reading(resource)
    return reading.form(schema), reading.findings


def line_of(content: bytes, element: str) -> int:
    """Return the line on which a component says what it is called; what is said of the whole form stands at its top."""
    text = content.decode(json.detect_encoding(content), "replace")
    named = re.compile(rf'"(?:key|path|id)"\s*:\s*{re.escape(json.dumps(element, ensure_ascii=False))}')
    found = named.search(text) if element else None
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _load(content: bytes, resource: str) -> dict[str, Any]:
    """Parse JSON, or say where it is broken."""
    if len(content) > _LIMIT:
        raise _broken(f"it has {len(content)} bytes, and {_LIMIT} are allowed", resource)
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if what := unreadable.kind(content, b"{["):
            raise _broken(what, resource) from error
        what = f"line {error.lineno}, column {error.colno} cannot be read: {error.msg}"
        raise _broken(what, resource, error.lineno, error.colno) from error
    except UnicodeDecodeError as error:
        what = unreadable.kind(content, b"{[") or f"its byte {error.start + 1} is no UTF-8: save it as UTF-8"
        raise _broken(what, resource, content.count(b"\n", 0, error.start) + 1) from error
    except (ValueError, RecursionError) as error:
        raise _broken(str(error), resource) from error
    if not isinstance(found, dict):
        raise _broken("it is not an object", resource)
    if any(_NO_CHARACTER.search(text) for text in _texts(found)):
        raise _broken("a text in it has a NUL character, or half of a surrogate pair, which is none", resource)
    return found


def _texts(document: Any) -> Iterator[str]:
    """Yield all texts of a document."""
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, (dict, list)):
            left += [*one, *one.values()] if isinstance(one, dict) else one


def _broken(reason: str, resource: str, line: int = 1, column: int = 0) -> DocumentError:
    message = f"Expected a form in JSON, but {reason}"
    return DocumentError([Finding(severity="error", rule="not-a-form", message=message, resource=resource, line=line, column=column)])


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


class _Reading:
    """Reads one file and notes what is wrong with it."""

    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._count = 0
        self.findings: list[Finding] = []

    def form(self, schema: Mapping[str, Any]) -> Form:
        key = schema.get("id")
        if not isinstance(key, str) or not key:
            self._refuse(schema, "missing-id", "Expected the form to have an id (camunda:formRef names it), but it has none")
        if not isinstance(schema.get("components"), list):
            self._refuse(schema, "missing-components", "Expected the form to have components, but it has none")
        fields = self._fields(schema.get("components"), (), 0)
        self._refuse_doubles(fields)
        self._refuse_circles(fields)
        return Form(key=str(key), fields=tuple(fields))

    def _fields(self, components: Any, hide: tuple[Any, ...], depth: int) -> list[Field]:
        found: list[Field] = []
        for component in components if isinstance(components, list) else []:
            self._count += 1
            if self._count > _COMPONENTS or depth > _NESTING:
                self._refuse({}, "too-large", f"Expected at most {_COMPONENTS} components, {_NESTING} groups deep, but there are more")
                return found
            if not isinstance(component, Mapping):
                self._refuse({}, "bad-component", "Expected each component to be an object, but one is not")
                continue
            found += self._component(component, hide, depth)
        return found

    def _component(self, component: Mapping[str, Any], hide: tuple[Any, ...], depth: int) -> list[Field]:
        kind = str(component.get("type"))
        if kind in SILENT:
            return []
        read = Component(component, self._refuse_in(component))
        conditions = (*hide, *read.conditions())
        if kind not in ("group", "dynamiclist"):
            field = read.field(conditions)
            return [field] if field else []
        path = component.get("path") or ""
        if kind == "group" and not path:
            return self._fields(component.get("components"), conditions, depth + 1)
        inner = self._fields(component.get("components"), (), depth + 1)
        self._refuse_doubles(inner)
        self._refuse_circles(inner)
        field = read.nested(FieldType.GROUP if kind == "group" else FieldType.LIST, path, conditions, tuple(inner))
        return [field] if field else []

    def _refuse_doubles(self, fields: list[Field]) -> None:
        """Two fields may share a key when conditions tell them apart."""
        seen: dict[str, Field] = {}
        for field in fields:
            other = seen.setdefault(field.key, field)
            if other is not field and not (other.hide and field.hide):
                self._refuse(
                    {"key": field.key, "label": field.label}, "double-key", f"Expected each key once, but {field.key} stands twice"
                )

    def _refuse_circles(self, fields: list[Field]) -> None:
        """Expression fields are computed one after the other."""
        computed = {field.key: field.expression.names - {field.key} for field in fields if field.expression}
        try:
            graphlib.TopologicalSorter({key: names & computed.keys() for key, names in computed.items()}).prepare()
        except graphlib.CycleError as error:
            circle = " → ".join(error.args[1])
            self._refuse({"key": error.args[1][0]}, "self-reference", f"Expected values that do not depend on themselves, but {circle}")

    def _refuse_in(self, component: Mapping[str, Any]) -> Refuse:
        return lambda rule, message: self._refuse(component, rule, message)

    def _refuse(self, component: Mapping[str, Any], rule: str, message: str) -> None:
        element = component.get("key") or component.get("id") or ""
        self.findings.append(
            Finding(
                severity="error",
                rule=rule,
                message=message,
                element=str(element),
                element_name=str(component.get("label") or ""),
                resource=self._resource,
            )
        )
