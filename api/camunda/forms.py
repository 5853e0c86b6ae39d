"""Forms of tasks and of starts: which one it is, the form itself, and the variables that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, render_template, request

from api.camunda import answers, asked, values
from engine.errors import NotFound

#: What the fields of a generated form (`camunda:formData`) are to Camunda.
_TYPES = {"number": "Long", "checkbox": "Boolean", "datetime": "Date"}


def named(element: Any) -> dict[str, Any]:
    """Name the form of an element: by the file that it is in, or by its key."""
    ref = element.form_ref
    if ref is None:
        return {"formKey": None, "camundaFormRef": None}
    if ref.endswith(".form"):
        return {"formKey": f"camunda-forms:deployment:{ref}", "camundaFormRef": None}
    return {"formKey": None, "camundaFormRef": {"key": ref, "binding": str(element.form_binding), "version": None}}


def described(element: Any, rendered: str) -> Response:
    """Answer which form an element has; `rendered` is where a generated one is to be had."""
    names = named(element)
    key = names["formKey"]
    if element.form_ref is None and element.form_data is not None:
        key = f"embedded:engine://engine/:engine{rendered}"
    return answers.json({"key": key, "camundaFormRef": names["camundaFormRef"], "contextPath": None})


def rendered(element: Any) -> Response:
    """Answer a generated form as HTML; raises NotFound when the element has none."""
    if element.form_data is None:
        raise NotFound(f"Expected {element.label} to have fields of a generated form, but it has none")
    fields = [(field, _TYPES.get(str(field.type), "String")) for field in element.form_data.fields]
    return Response(render_template("generated_form.html", fields=fields), content_type="application/xhtml+xml")


def variables(element: Any, found: Mapping[str, Any], types: Mapping[str, Any]) -> Response:
    """Answer the variables that a form shows: those that are there, and the defaults of the fields; `variableNames` asks for some."""
    fields = element.form_data.fields if element.form_data is not None else ()
    defaults = {field.key: field.default for field in fields if field.key not in found}
    kinds = {field.key: {"type": _TYPES.get(str(field.type), "String")} for field in fields}
    names = asked.several({**request.args}, "variableNames")
    deserialize = asked.flag("deserializeValues", default=True)
    return answers.json(values.encode_all({**found, **defaults}, {**kinds, **types}, names=names, deserialize=deserialize))
