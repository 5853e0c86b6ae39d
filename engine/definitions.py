"""Definitions: stored versions of executable processes, compiled once and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn import compiler, decisions, forms, xml
from bpmn.decisions import Decision
from bpmn.definition import Definition as Process
from bpmn.definition import Element
from bpmn.forms import Form
from engine import models
from engine.errors import NotFound

#: How many compiled definitions a process keeps.
CAPACITY = 500


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A stored version, compiled, with the tables and forms that were deployed with it."""

    id: UUID
    deployment_id: UUID
    key: str
    version: int
    name: str
    kind: str
    process: Process
    decisions: Mapping[str, Decision]
    forms: Mapping[str, Form]

    def property(self, name: str, default: str = "") -> str:
        """One `onething.…` property of the process itself."""
        return self.process.properties.get(f"onething.{name}", default)

    def form(self, element: Element) -> Form | None:
        """Form of a user task, or None."""
        return element.form_data if element.form_data is not None else self.forms[element.form_ref] if element.form_ref else None


_cache: OrderedDict[UUID, Loaded] = OrderedDict()


def get(session: Session, definition_id: UUID) -> Loaded:
    """Load one version.  A version never changes, so what was compiled once is right for ever."""
    found = _cache.get(definition_id)
    if found is None:
        row = session.get_one(models.Definition, definition_id)
        _cache[definition_id] = found = _load(session, row)
        if len(_cache) > CAPACITY:
            _cache.popitem(last=False)
    return found


def latest(session: Session, key: str) -> Loaded:
    """Load the newest version of a process; raises NotFound."""
    query = select(models.Definition.id).where(models.Definition.key == key).order_by(models.Definition.version.desc()).limit(1)
    definition_id = session.scalar(query)
    if definition_id is None:
        raise NotFound(f"Expected to find a process named {key!r}, but none is deployed")
    return get(session, definition_id)


def current(session: Session, kind: str) -> list[Loaded]:
    """The newest version of every process of a kind, by key."""
    rows = session.execute(
        select(models.Definition.key, models.Definition.id).where(models.Definition.kind == kind).order_by(models.Definition.version)
    )
    newest = {row.key: row.id for row in rows}
    return [get(session, definition_id) for _key, definition_id in sorted(newest.items())]


def decision(session: Session, loaded: Loaded, ref: str) -> Decision:
    """A decision deployed with the definition, or the newest deployed anywhere; raises NotFound."""
    if ref in loaded.decisions:
        return loaded.decisions[ref]
    for row in session.scalars(
        select(models.Resource)
        .join(models.Deployment)
        .where(models.Resource.name.like("%.dmn"))
        .order_by(models.Deployment.deployed_at.desc(), models.Resource.name)
    ):
        found = decisions.parse(xml.parse(row.content, row.name)).get(ref)
        if found is not None:
            return found
    raise NotFound(f"Expected to find the decision {ref!r}, but none is deployed")


def _load(session: Session, row: models.Definition) -> Loaded:
    resources = {
        r.name: r.content for r in session.scalars(select(models.Resource).where(models.Resource.deployment_id == row.deployment_id))
    }
    compiled = {process.key: process for process in compiler.compile(resources[row.resource], row.resource)}
    tables: dict[str, Any] = {}
    for name, content in resources.items():
        if name.endswith(".dmn"):
            tables |= decisions.parse(xml.parse(content, name))
    parsed = [forms.parse_form(content, name) for name, content in resources.items() if name.endswith(".form")]
    return Loaded(
        id=row.id,
        deployment_id=row.deployment_id,
        key=row.key,
        version=row.version,
        name=row.name,
        kind=row.kind,
        process=compiled[row.key],
        decisions=tables,
        forms={form.key: form for form in parsed},
    )
