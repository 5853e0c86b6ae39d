"""Files of forms: the Camunda Form of an element, as it was deployed with its diagram."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import Element
from engine.definitions import Loaded
from engine.errors import InvalidInput, NotFound
from engine.models import Resource


def read(session: Session, loaded: Loaded, element: Element) -> bytes:
    """Read the form of an element; raises InvalidInput when it has none, NotFound when its file is not there."""
    ref = element.form_ref
    if ref is None:
        raise InvalidInput(f"Expected {element.label} to have a form, but it has none")
    key = loaded.forms[ref].key if ref in loaded.forms else ref
    query = select(Resource.content).where(
        Resource.deployment_id == loaded.deployment_id, Resource.name.in_([ref, f"{key}.form", f"{ref}.form"])
    )
    content = session.scalar(query.limit(1))
    if content is None:
        raise NotFound(f"Expected the form of {element.label} among the files of its deployment, but it is not there")
    return content
