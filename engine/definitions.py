"""Definitions: stored versions of executable processes, compiled once and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, bindparam, cast, exists, select
from sqlalchemy.orm import Session, aliased

from bpmn.decisions import Decision
from bpmn.definition import Binding, Definition, Element, EventType
from bpmn.forms import Form
from bpmn.waits import Wait
from engine import calendars, compiled_files, database, deployed, models, moments, offers, start_events
from engine.deployed import Deployed
from engine.errors import NotFound
from engine.kept import Kept

#: Bytes that all compiled definitions, with their tables and forms, take in memory at most; and about how many one takes for each element.
LIMIT, PER_ELEMENT = 256 << 20, 7_000


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A stored version, compiled, with the tables and forms that were deployed with it."""

    id: UUID
    deployment_id: UUID
    key: str
    version: int
    name: str
    kind: str
    definition: Definition
    #: What was deployed with it.
    beside: Deployed

    @property
    def decisions(self) -> Mapping[str, Decision]:
        """Decisions that were deployed with it, by id."""
        return self.beside.decisions

    @property
    def forms(self) -> Mapping[str, Form]:
        """Forms that were deployed with it, by key and by file."""
        return self.beside.forms

    def property(self, name: str, default: str = "") -> str:
        """One `onething.…` property of the process itself."""
        return self.definition.properties.get(f"onething.{name}", default)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What its elements are in the domain (`onething.kind`)."""
        return frozenset(element.properties.get("onething.kind", "") for element in self.definition.elements.values())

    def start_by(self, message: str) -> str | None:
        """Id of the start event of a message; None: there is none."""
        return next((start.id for start in self.definition.starts() if start.event is not None and start.event.name == message), None)

    def form(self, element: Element) -> Form | None:
        """Form of an element as it was deployed with it, or None."""
        return element.form_data if element.form_data is not None else self.forms.get(element.form_ref or "")


#: By id, which no two databases share.  A version never changes, so what was loaded once stays right.
_loaded = Kept[Loaded](LIMIT, lambda loaded: PER_ELEMENT * len(loaded.definition.elements) + loaded.beside.size)
#: The functions that a decision table may call outside a case.
MOMENTS: Mapping[str, Callable[[], Any]] = {
    "now": lambda: moments.now().astimezone(calendars.BEIJING),
    "today": lambda: moments.now().astimezone(calendars.BEIJING).date(),
}


def get(session: Session, definition_id: UUID) -> Loaded:
    """Return one version, loaded, from memory or the database; raises NoResultFound when there is none."""
    return _loaded.get(definition_id, lambda: _load(session, session.get_one(models.Definition, definition_id)))


def kept() -> int:
    """How many compiled definitions this process keeps."""
    return len(_loaded)


def latest(session: Session, key: str) -> Loaded:
    """Load the newest version of a process; raises NotFound."""
    return latest_of(session, [key])[key]


def latest_of(session: Session, keys: Iterable[str]) -> dict[str, Loaded]:
    """Load the newest version of several processes, by key, in that order; raises NotFound."""
    found = {}
    for key, definition_id in _latest_ids(session, list(keys)).items():
        if definition_id is None:
            raise NotFound(f"Expected to find a process named {key!r}, but none is deployed")
        found[key] = get(session, definition_id)
    return found


def latest_id(session: Session, key: str) -> UUID | None:
    """Id of the newest version of a process; nothing is loaded.  None: there is none."""
    return _latest_ids(session, [key])[key]


def _latest_ids(session: Session, keys: Sequence[str]) -> dict[str, UUID | None]:
    # Of the connection, not of the session: whoever deploys flushes, and what a case has changed need not be written for this question.
    given = {f"key_{place}": key for place, key in enumerate(keys)}
    found = session.connection().execute(_newest(len(keys)), given).one() if keys else ()
    return dict(zip(keys, found, strict=True))


@cache
def _newest(many: int) -> Select[*tuple[Any, ...]]:
    """Build the query for the newest versions of so many keys: each is one look at an index, however many versions there are."""
    there = models.Definition
    newest = select(there.id).order_by(there.version.desc()).limit(1)
    return select(*(newest.where(there.key == bindparam(f"key_{place}")).scalar_subquery().label(f"id_{place}") for place in range(many)))


def called(session: Session, caller: Loaded, wait: Wait) -> Loaded:
    """Load the version that a call activity calls; raises NotFound."""
    key, binding = wait.name or "", caller.definition.elements[wait.element].binding
    if binding is Binding.LATEST:
        return latest(session, key)
    definition_id = bound(session, caller, key, binding, wait.version)
    if definition_id is None:
        of = "of the same deployment" if binding is Binding.DEPLOYMENT else f"of {binding} {wait.version!r}"
        raise NotFound(f"Expected to find a process named {key!r} {of}, but none is deployed")
    return get(session, definition_id)


def bound(session: Session, caller: Loaded, key: str, binding: Binding, version: str | None) -> UUID | None:
    """Return the id of the version that a call is bound to, by deployment, number or tag (not `latest`); None: there is none."""
    which: Mapping[Binding, ColumnElement[bool]] = {
        Binding.DEPLOYMENT: models.Definition.deployment_id == caller.deployment_id,
        Binding.VERSION: cast(models.Definition.version, String) == version,
        Binding.VERSION_TAG: models.Definition.version_tag == version,
    }
    query = select(models.Definition.id).where(models.Definition.key == key, which[binding]).order_by(models.Definition.version.desc())
    return session.scalar(query.limit(1))


def starting(session: Session, event: EventType, name: str) -> list[tuple[Loaded, str]]:
    """Processes without a matter whose newest version begins with a message or a signal of this name, each with the start event."""
    _complete_starts(session)
    found = start_events.find(session, event, name, *_is_newest("process"))
    return [(get(session, row.definition_id), row.element) for row in found]


def _complete_starts(session: Session) -> None:
    """Record the start events of definitions that an earlier release has deployed, which did not record them."""
    unknown = select(models.Definition).where(~models.Definition.starts_known)
    if session.scalar(unknown.limit(1)) is None:
        return
    database.deploy_alone(session)  # another node may do the same
    for row in session.scalars(unknown.execution_options(populate_existing=True)).all():
        start_events.record(session, row, get(session, row.id).definition)
    session.flush()


def current(session: Session, kind: str) -> list[Loaded]:
    """The newest version of every process of a kind, by key."""
    return [get(session, definition_id) for definition_id in newest(session, kind)]


def newest(session: Session, kind: str) -> Sequence[UUID]:
    """Ids of the same; nothing is loaded."""
    return session.scalars(select(models.Definition.id).where(*_is_newest(kind)).order_by(models.Definition.key)).all()


def names(session: Session, kind: str) -> dict[str, str]:
    """Return the name of every process of a kind, by key."""
    return dict(session.execute(select(models.Definition.key, models.Definition.name).where(*_is_newest(kind))).all())


def _is_newest(kind: str) -> tuple[ColumnElement[bool], ...]:
    newer = aliased(models.Definition)
    none = ~exists().where(newer.key == models.Definition.key, newer.version > models.Definition.version, newer.kind == kind)
    return models.Definition.kind == kind, none


def decision(session: Session, loaded: Loaded, ref: str) -> Decision:
    """A decision deployed with the definition, or the newest deployed anywhere; raises NotFound."""
    if ref in loaded.decisions:
        return loaded.decisions[ref]
    elsewhere = offers.newest(session, offers.DECISION, ref)
    if elsewhere is None:
        raise NotFound(f"Expected to find the decision {ref!r}, but none is deployed")
    return deployed.get(session, elsewhere).decisions[ref]


def form(session: Session, loaded: Loaded, element: Element) -> Form | None:
    """Form of an element: with the binding `latest` the newest that is deployed anywhere, else the one deployed with it; or None."""
    if element.form_binding is Binding.LATEST:
        return home_of_form(session, loaded, element).forms.get(element.form_ref or "")
    return loaded.form(element)


def home_of_form(session: Session, loaded: Loaded, element: Element) -> Deployed:
    """Return the deployment in which the form of an element is."""
    newest = offers.newest(session, offers.FORM, element.form_ref or "") if element.form_binding is Binding.LATEST else None
    return loaded.beside if newest is None else deployed.get(session, newest)


def decide(session: Session, loaded: Loaded, ref: str, variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Evaluate a decision outside a running process: it may ask for the day and the time, and for nothing else."""
    return decision(session, loaded, ref).evaluate(variables, MOMENTS)


def _load(session: Session, row: models.Definition) -> Loaded:
    compiled = {process.key: process for process in compiled_files.read(session, row.deployment_id, row.resource)}
    return Loaded(
        id=row.id,
        deployment_id=row.deployment_id,
        key=row.key,
        version=row.version,
        name=row.name,
        kind=row.kind,
        definition=compiled[row.key],
        beside=deployed.get(session, row.deployment_id),
    )
