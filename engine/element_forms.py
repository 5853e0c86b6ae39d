"""Forms of elements, of user tasks and of starts: the file as it was deployed, and the data that it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import Element
from bpmn.errors import FormError
from bpmn.forms import Form
from bpmn.lint.bundle import FORMS
from engine import calendars, definitions, moments
from engine.definitions import Loaded
from engine.errors import InvalidInput, NotFound
from engine.models import Resource


def read(session: Session, loaded: Loaded, element: Element) -> bytes:
    """Read the form of an element; raises InvalidInput when it has none, NotFound when its file is not there."""
    ref = element.form_ref
    if ref is None:
        raise InvalidInput(f"Expected {element.label} to have a form, but it has none")
    home = definitions.home_of_form(session, loaded, element)
    file = next((name for name, form in home.forms.items() if name.endswith(FORMS) and ref in {name, form.key}), None)
    content = session.scalar(select(Resource.content).where(Resource.deployment_id == home.id, Resource.name == file))
    if content is None:
        raise NotFound(f"Expected the form of {element.label} among the files of its deployment, but it is not there")
    return content


def validate(form: Form | None, data: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form makes of data (without a form: the same); raises InvalidInput (`errors` by field)."""
    if form is None:
        return dict(data)
    try:
        return form.validate(data, variables, now=moments.now().astimezone(calendars.BEIJING))
    except FormError as error:
        raise InvalidInput.of_fields([(each.field, each.message) for each in error.errors]) from error
