"""Writes Camunda Forms for tests."""

import json

import pytest

from bpmn import forms
from bpmn.errors import DocumentError, FormError

OPTIONS = {"values": [{"label": "甲", "value": "a"}, {"label": "乙", "value": "b"}]}


def form(*components, **more):
    return forms.parse_form(
        json.dumps({"type": "default", "id": "f", "schemaVersion": 19, "components": list(components), **more}).encode(), "f.form"
    )


def component(kind, key="x", **more):
    return {"type": kind, "key": key, "id": f"Field_{key}", "label": more.pop("label", "字段"), **more}


def errors(shape, data, variables=None):
    with pytest.raises(FormError) as refusal:
        shape.validate(data, variables or {})
    return {error.field: error.message for error in refusal.value.errors}


def findings(*components, **more):
    with pytest.raises(DocumentError) as refusal:
        form(*components, **more)
    return refusal.value.findings
