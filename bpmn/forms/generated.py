"""From `camunda:formData` in a diagram to a Form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from bpmn.errors import DocumentError
from bpmn.forms.form import Form
from bpmn.forms.reading import read_schema

_TYPES = {"string": "textfield", "long": "number", "boolean": "checkbox", "date": "datetime", "enum": "select"}
#: Constraints of Camunda 7, and what Camunda Forms calls them.
_CONSTRAINTS = {"required": "required", "minlength": "minLength", "maxlength": "maxLength", "min": "min", "max": "max"}


def parse_form_data(element: etree._Element, resource: str = "") -> Form:
    """Read the fields of a `camunda:formData` element; raises DocumentError with a finding for everything that is wrong.

    The fields become those of a Camunda Form, so that there is one check for both.
    """
    components = [_component(field) for field in _children(element, "formField")]
    form, findings = read_schema({"id": "generated", "components": components}, resource)
    if findings:
        raise DocumentError(findings)
    return Form(key="", fields=form.fields)


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (child for child in element if isinstance(child.tag, str) and etree.QName(child).localname == name)


def _component(field: etree._Element) -> dict[str, Any]:
    kind = field.get("type", "")
    constraints = [
        (each.get("name", ""), each.get("config")) for block in _children(field, "validation") for each in _children(block, "constraint")
    ]
    validate: dict[str, Any] = {_CONSTRAINTS.get(name, name): config for name, config in constraints if name != "readonly"}
    if "required" in validate:
        # A box that is not ticked says no; Camunda 7 only asks that it says something.
        validate["required"] = kind != "boolean"
    component: dict[str, Any] = {
        "type": _TYPES.get(kind, kind),
        "key": field.get("id", ""),
        "label": field.get("label", ""),
        "readonly": any(name == "readonly" for name, _ in constraints),
        "validate": validate,
        "properties": {
            each.get("id"): each.get("value") for block in _children(field, "properties") for each in _children(block, "property")
        },
    }
    if kind == "long":
        component["decimalDigits"] = 0
    if kind == "enum":
        component["values"] = [{"value": each.get("id", ""), "label": each.get("name", "")} for each in _children(field, "value")]
    default = field.get("defaultValue", "")
    return component | ({"defaultValue": _default(kind, default)} if default else {})


def _default(kind: str, text: str) -> Any:
    """Read a default as its type; what is none stays text, and is refused with the field."""
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return int(text) if kind == "long" and text.lstrip("-").isdecimal() and len(text) < 20 else text  # noqa: PLR2004 - digits of a Long
