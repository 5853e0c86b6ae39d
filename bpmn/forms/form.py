"""A form: which data it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bpmn.errors import FieldError
from bpmn.forms import drafts
from bpmn.forms.field import Field
from bpmn.forms.validation import Validation


@dataclass(frozen=True, kw_only=True)
class Form:
    """The fields of a form, in order."""

    #: Id of the form, as `camunda:formRef` names it; empty for generated forms.
    key: str
    fields: tuple[Field, ...]

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"the form {self.key}" if self.key else "the generated form"

    def validate(self, data: Mapping[str, Any], variables: Mapping[str, Any], *, now: dt.datetime | None = None) -> dict[str, Any]:
        """Return clean data, or raise FormError with everything that is wrong with it.

        Every field that is shown has a value in clean data: what is given, its default, or empty (null; false; an empty list).  Expression
        fields have what they come to, whatever was sent.  Hidden and read-only fields have none.  Conditions see the data, and behind it
        the variables.  `now` is the moment at the place of the office: it says which dates have passed; without it, none has.
        """
        return Validation(variables, now).form(self.fields, data)

    def fitting(self, draft: Mapping[str, Any]) -> tuple[dict[str, Any], list[FieldError]]:
        """Return what the form may keep of a draft, and what it could never take: other fields, other kinds of values."""
        return drafts.fitting(self.fields, draft)

    def describe(self) -> dict[str, Any]:
        """JSON for whoever shows the form: the same each time, so nobody may change it."""
        return self._described

    @cached_property
    def _described(self) -> dict[str, Any]:
        return {"key": self.key, "fields": [field.describe() for field in self.fields]}
