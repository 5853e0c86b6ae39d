"""Definitions: stored versions of executable processes, compiled once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, or_, select
from sqlalchemy.orm import Session

from bpmn import compiler, decisions, forms, xml
from bpmn.decisions import Decision
from bpmn.definition import Binding, Element, EventDefinition, EventType
from bpmn.definition import Definition as Process
from bpmn.errors import ExpressionError
from bpmn.forms import Form
from bpmn.lint.bundle import DIAGRAMS, FORMS, TABLES
from bpmn.waits import Wait
from engine import calendars, models, moments
from engine.errors import NotFound

#: How many compiled definitions, and how many deployments, a process keeps.
CAPACITY = 500
_IS_TABLE = or_(*(models.Resource.name.endswith(suffix, autoescape=True) for suffix in TABLES))
_IS_FORM = or_(*(models.Resource.name.endswith(suffix, autoescape=True) for suffix in FORMS))


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

    def start_by(self, message: str) -> str | None:
        """Id of the start event of a message; None: there is none."""
        return next((start.id for start in self.process.starts() if start.event is not None and start.event.name == message), None)

    def form(self, element: Element) -> Form | None:
        """Form of an element as it was deployed with it, or None."""
        return element.form_data if element.form_data is not None else self.forms.get(element.form_ref or "")


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The files of one deployment, read."""

    id: UUID
    #: Sources of the diagrams, by file.
    diagrams: Mapping[str, bytes]
    #: Decisions by id, forms by key.
    decisions: Mapping[str, Decision]
    forms: Mapping[str, Form]


#: By ids that no two databases share.  Neither a version nor a deployment ever changes: what was read once is right for ever.
_loaded: dict[UUID, Loaded] = {}
_deployed: dict[UUID, Deployed] = {}
_keeping = threading.Lock()
#: What may be asked where no case is at hand.
MOMENTS: Mapping[str, Callable[[], Any]] = {
    "now": lambda: moments.now().astimezone(calendars.BEIJING),
    "today": lambda: moments.now().astimezone(calendars.BEIJING).date(),
}
Kept = TypeVar("Kept")


def get(session: Session, definition_id: UUID) -> Loaded:
    """Load one version."""
    return _kept(_loaded, definition_id, lambda: _load(session, session.get_one(models.Definition, definition_id)))


def _kept(cache: dict[UUID, Kept], key: UUID, make: Callable[[], Kept]) -> Kept:
    found = cache.get(key)
    if found is None:
        made = make()  # without the lock: it asks the database, and another thread may hold a lock there
        with _keeping:
            found = cache.setdefault(key, made)
            if len(cache) > CAPACITY:
                del cache[next(iter(cache))]
    return found


def kept() -> int:
    """How many compiled definitions this process keeps."""
    return len(_loaded)


def latest(session: Session, key: str) -> Loaded:
    """Load the newest version of a process; raises NotFound."""
    query = select(models.Definition.id).where(models.Definition.key == key).order_by(models.Definition.version.desc()).limit(1)
    definition_id = session.scalar(query)
    if definition_id is None:
        raise NotFound(f"Expected to find a process named {key!r}, but none is deployed")
    return get(session, definition_id)


def called(session: Session, caller: Loaded, wait: Wait) -> Loaded:
    """Load the version that a call activity calls; raises NotFound."""
    key, binding = wait.name or "", caller.process.elements[wait.element].binding
    if binding is Binding.LATEST:
        return latest(session, key)
    which: Mapping[Binding, ColumnElement[bool]] = {
        Binding.DEPLOYMENT: models.Definition.deployment_id == caller.deployment_id,
        Binding.VERSION: cast(models.Definition.version, String) == wait.version,
        Binding.VERSION_TAG: models.Definition.version_tag == wait.version,
    }
    query = select(models.Definition.id).where(models.Definition.key == key, which[binding]).order_by(models.Definition.version.desc())
    definition_id = session.scalar(query.limit(1))
    if definition_id is None:
        of = "of the same deployment" if binding is Binding.DEPLOYMENT else f"of {binding} {wait.version!r}"
        raise NotFound(f"Expected to find a process named {key!r} {of}, but none is deployed")
    return get(session, definition_id)


def starting(session: Session, event: EventType, name: str) -> list[tuple[Loaded, str]]:
    """Processes without a matter whose newest version begins with a message or a signal of this name, each with the start event."""
    return [
        (loaded, start.id)
        for loaded in current(session, "process")
        for start in loaded.process.starts()
        if start.event is not None and start.event.type is event and name == _name(start.event)
    ]


def _name(event: EventDefinition) -> str | None:
    """What a start event waits for; a signal's name may be an expression, which knows no variables yet."""
    if event.signal is None:
        return event.name
    try:
        found = event.signal.evaluate({})
    except ExpressionError:
        return None
    return found if isinstance(found, str) else None


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
    for deployment in _newest(session, _IS_TABLE):
        if ref in deployment.decisions:
            return deployment.decisions[ref]
    raise NotFound(f"Expected to find the decision {ref!r}, but none is deployed")


def form(session: Session, loaded: Loaded, element: Element) -> Form | None:
    """Form of an element: with the binding `latest` the newest that is deployed anywhere, else the one deployed with it; or None."""
    if element.form_binding is Binding.LATEST:
        return home_of_form(session, loaded, element).forms.get(element.form_ref or "")
    return loaded.form(element)


def home_of_form(session: Session, loaded: Loaded, element: Element) -> Deployed:
    """The deployment that the form of an element is of."""
    if element.form_binding is Binding.LATEST:
        found = next((deployment for deployment in _newest(session, _IS_FORM) if element.form_ref in deployment.forms), None)
        if found is not None:
            return found
    return _read(session, loaded.deployment_id)


def form_names(session: Session) -> frozenset[str]:
    """Keys of all forms that are deployed anywhere."""
    return frozenset(key for deployment in _newest(session, _IS_FORM) for key in deployment.forms)


def decide(session: Session, loaded: Loaded, ref: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Evaluate a decision outside a running process: it may ask for the day and the time, and for nothing else."""
    return decision(session, loaded, ref).evaluate(variables, MOMENTS)


def decision_names(session: Session) -> frozenset[str]:
    """Ids of all decisions that are deployed anywhere."""
    return frozenset(ref for deployment in _newest(session, _IS_TABLE) for ref in deployment.decisions)


def _load(session: Session, row: models.Definition) -> Loaded:
    deployed = _read(session, row.deployment_id)
    compiled = {process.key: process for process in compiler.compile(deployed.diagrams[row.resource], row.resource)}
    return Loaded(
        id=row.id,
        deployment_id=row.deployment_id,
        key=row.key,
        version=row.version,
        name=row.name,
        kind=row.kind,
        process=compiled[row.key],
        decisions=deployed.decisions,
        forms=deployed.forms,
    )


def _read(session: Session, deployment_id: UUID) -> Deployed:
    """Read the files of a deployment, once for all definitions in it."""
    return _kept(_deployed, deployment_id, lambda: _parse(session, deployment_id))


def _parse(session: Session, deployment_id: UUID) -> Deployed:
    rows = session.scalars(select(models.Resource).where(models.Resource.deployment_id == deployment_id))
    resources = {row.name: row.content for row in rows}
    tables: dict[str, Decision] = {}
    for name, content in resources.items():
        if name.endswith(TABLES):
            tables |= decisions.parse(xml.parse(content, name))
    found = {name: forms.parse_form(content, name) for name, content in resources.items() if name.endswith(FORMS)}
    diagrams = {name: content for name, content in resources.items() if name.endswith(DIAGRAMS)}
    # A diagram names a form by its key, or by its file (`camunda-forms:deployment:intake.form`).
    by_name = found | {form.key: form for form in found.values()}
    return Deployed(id=deployment_id, diagrams=diagrams, decisions=tables, forms=by_name)


def _newest(session: Session, has: ColumnElement[bool]) -> Iterator[Deployed]:
    """Yield the deployments that have a file of a kind, the newest first."""
    query = select(models.Resource.deployment_id).join(models.Deployment).where(has).order_by(models.Deployment.deployed_at.desc())
    for deployment_id in dict.fromkeys(session.scalars(query).all()):
        yield _read(session, deployment_id)
