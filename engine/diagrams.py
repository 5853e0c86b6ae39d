"""Diagrams (流程图): the drawing of a case or of one of its items, and where the tokens are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn import xml
from bpmn.waits import WaitKind
from engine import definitions, instances, keys
from engine.case_models import Case, Item
from engine.errors import NotFound
from engine.models import Definition, Instance, Resource


@dataclass(frozen=True, kw_only=True)
class Token:
    """Where something is waited for."""

    #: Id of the element in the drawing.
    element: str
    name: str
    #: user_task, external_task, message, timer, call or incident.
    kind: WaitKind


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """A drawing and its tokens."""

    key: str
    version: int
    name: str
    #: The BPMN file as it was deployed.
    xml: str
    tokens: tuple[Token, ...]


def of_case(session: Session, case: Case, item: Item | None = None) -> Diagram:
    """Show the newest instance of a case's matter, or of one of its items; raises NotFound before the item was started."""
    query = select(Instance).where(keys.same_case(Instance, case), Instance.item_id == (item.id if item else None))
    row = session.scalar(query.order_by(Instance.started_at.desc(), Instance.id.desc()).limit(1))
    if row is None:
        raise NotFound(f"Expected {item.number if item else case.number} to have a running process, but it was not started")
    return _draw(session, row)


def _draw(session: Session, row: Instance) -> Diagram:
    definition = session.get_one(Definition, row.definition_id)
    loaded = definitions.get(session, definition.id)
    resource = session.get_one(Resource, (definition.deployment_id, definition.resource))
    process = instances.look(session, row)
    elements = loaded.definition.elements
    return Diagram(
        key=loaded.key,
        version=loaded.version,
        name=loaded.name,
        xml=xml.text(resource.content, resource.name),
        tokens=tuple(Token(element=w.element, name=elements[w.element].name, kind=w.kind) for w in process.waits()),
    )
