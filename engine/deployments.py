"""Deployments: a set of files checked together and stored together, never changed again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from bpmn import lint
from bpmn.definition import Definition as Compiled
from bpmn.errors import Finding
from bpmn.lint.bundle import DIAGRAMS, Bundle
from bpmn.matter.facts import DrawnItem
from engine import (
    archived_versions,
    compiled_files,
    database,
    definitions,
    erasures,
    first_versions,
    functions,
    moments,
    offers,
    samples,
    start_events,
    start_timers,
    vocabulary,
)
from engine.actors import Actor, Role
from engine.case_models import CaseMigration
from engine.compiled_models import Offer
from engine.errors import InvalidInput, InvalidState, NotFound
from engine.filters import Filters, Kind, Listing, Order, Sortable, after, before, equal, like, ordered
from engine.models import Definition, Department, Deployment, Incident, Instance, Resource

#: Most digits of a number that its column keeps.
_DIGITS = 9


class Again(Enum):
    """What files give that come again, under the name and the source of a deployment that exists."""

    NOTHING = "nothing"  #: nothing new if every byte is the same; else a new version of each diagram
    CHANGED = "changed"  #: likewise, but only of a diagram that has changed, or a table or form that is deployed with it
    EVERYTHING = "everything"  #: a new version of each diagram, in any case


def deploy(
    session: Session,
    name: str,
    resources: Mapping[str, bytes],
    *,
    actor: Actor,
    source: str = "api",
    again: Again = Again.NOTHING,
    warn: Callable[[Finding], object] | None = None,
) -> Deployment:
    """Check and store a set of files (`resources`: {name: content}).

    Gives the deployment that exists already when nothing is new (`again`).  Raises InvalidInput with all findings (`errors=[…]`), each
    naming file, line, element and what to draw instead.  `warn` is called with each finding, before anything is refused.
    """
    actor.require(Role.DESIGNER, Role.ADMIN, to="deploy a diagram")
    database.deploy_alone(session)
    hashes = {file: hashlib.sha256(content).hexdigest() for file, content in resources.items()}
    latest, before = _latest(session, name, source)
    if latest is not None and before == hashes and again is not Again.EVERYTHING:
        if warn is not None:
            _examine(session, resources, warn)
        return latest
    bundle, findings = _examine(session, resources, warn)
    refuse([finding for finding in findings if finding.refuses])
    if warn is not None:
        for finding in _of_others(session, name, bundle):
            warn(finding)

    deployment = Deployment(name=name, source=source, deployed_at=_later_than_all(session), deployed_by=actor.name)
    unchanged = _unchanged(before, hashes) if again is Again.CHANGED else frozenset[str]()
    _store(session, deployment, resources, hashes, bundle, unchanged=unchanged)
    return deployment


def _of_others(session: Session, name: str, bundle: Bundle) -> Iterator[Finding]:
    """Warn of processes that become a new version of one that another deployment has: a copied file keeps the id of the original."""
    for resource, process in bundle.processes:
        newest = select(Deployment.name).join(Definition).where(Definition.key == process.key).order_by(Definition.version.desc()).limit(1)
        before = session.scalar(newest)
        if before not in {None, name}:
            message = (
                f"Expected the process {process.key!r} to be a new one, but it is a new version of that which was deployed as {before!r}: "
                "if this is a copy, give the process another id, and deploy the original anew"
            )
            yield Finding(severity="warning", rule="duplicate-key", message=message, line=process.line, resource=resource)


def _store(
    session: Session,
    deployment: Deployment,
    resources: Mapping[str, bytes],
    hashes: Mapping[str, str],
    bundle: Bundle,
    *,
    unchanged: Collection[str],
) -> None:
    """Store files as they came, and what they define; diagrams that are `unchanged` get no new version."""
    session.add(deployment)
    session.flush()
    for file, content in resources.items():
        session.add(Resource(deployment_id=deployment.id, name=file, content=content, sha256=hashes[file]))
        offers.record(session, deployment.id, file, bundle, deployment.deployed_at)
        if file.endswith(DIAGRAMS) and file not in unchanged:
            _define(session, deployment, file, hashes[file], [process for its_file, process in bundle.processes if its_file == file])
    session.flush()


def check(session: Session, resources: Mapping[str, bytes]) -> list[Finding]:
    """Everything that is wrong with a set of files, were it deployed now; the same checks as `onething lint`."""
    return _examine(session, resources)[1]


def _examine(
    session: Session, resources: Mapping[str, bytes], warn: Callable[[Finding], object] | None = None
) -> tuple[Bundle, list[Finding]]:
    """What a set of files holds, and everything that is wrong with it; `warn` is told each."""
    offices = samples.DEPARTMENTS | dict(session.execute(select(Department.code, Department.name)).all())
    known = lint.Known(
        functions=functions.NAMES,
        words=vocabulary.WORDS,
        variables=functions.VARIABLES,
        processes=frozenset(session.scalars(select(Definition.key).distinct())),
        decisions=offers.names(session, offers.DECISION),
        forms=offers.names(session, offers.FORM),
        departments=frozenset(offices),
        names={name: code for code, name in offices.items()},
        items=Items(session),
    )
    bundle, found = lint.examine(resources, known)
    findings = first_versions.judged(session, bundle, lint.judge(bundle, found, resources))
    if warn is not None:
        for finding in findings:
            warn(finding)
    return bundle, findings


def definitions_of(session: Session, deployment: Deployment) -> Sequence[Definition]:
    """What a deployment defined, by key."""
    return session.scalars(select(Definition).where(Definition.deployment_id == deployment.id).order_by(Definition.key)).all()


class Items(Mapping[str, DrawnItem]):
    """The newest version of every single item by code, each loaded when it is asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getitem__(self, code: str) -> DrawnItem:
        try:
            loaded = definitions.latest(self._session, code)
        except NotFound as error:
            raise KeyError(code) from error
        if loaded.kind != "item":
            raise KeyError(code)
        return DrawnItem(process=loaded.definition, limits=loaded.decisions.get("item_limits"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.scalars(select(Definition.key).where(Definition.kind == "item").distinct()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


SORTABLE: Sortable = {"id": Deployment.id, "name": Deployment.name, "deploymentTime": Deployment.deployed_at}
FILTERS: Filters = {
    "id": equal(Deployment.id, Kind.ID),
    "name": equal(Deployment.name),
    "nameLike": like(Deployment.name),
    "source": equal(Deployment.source),
    "before": before(Deployment.deployed_at),
    "after": after(Deployment.deployed_at),
}


def search(*conditions: ColumnElement[bool], order: Order = ()) -> Listing:
    """Deployments, the newest first unless another order is asked for."""
    query = select(Deployment).where(*conditions)
    return Listing(query=ordered(query, SORTABLE, order or [("deploymentTime", True)], last=Deployment.id))


def get(session: Session, deployment_id: UUID) -> Deployment:
    """Return a deployment; raises NotFound."""
    row = session.get(Deployment, deployment_id)
    if row is None:
        raise NotFound(f"Deployment with id {deployment_id} does not exist")
    return row


def resources_of(session: Session, deployment: Deployment) -> Sequence[str]:
    """Names of the files of a deployment."""
    return session.scalars(select(Resource.name).where(Resource.deployment_id == deployment.id).order_by(Resource.name)).all()


def content_of(session: Session, deployment: Deployment, file: str) -> bytes:
    """One file of a deployment, as it came; raises NotFound."""
    row = session.get(Resource, (deployment.id, file))
    if row is None:
        raise NotFound(f"Expected a file {file!r} in deployment {deployment.id}, but there is none")
    return row.content


def delete(session: Session, deployment_id: UUID, *, actor: Actor, cascade: bool = False) -> None:
    """Delete a deployment on which nothing has ever run, or (`cascade`) nothing but processes without a matter, and these with it.

    What has run is history, and history stays.  Raises InvalidState.
    """
    actor.require(Role.DESIGNER, Role.ADMIN, to="delete a deployment")
    row = get(session, deployment_id)
    mine = [definition.id for definition in definitions_of(session, row)]
    if cascade:
        erasures.erase(session, mine)
    database.deploy_alone(session)  # which version is the newest is not to change meanwhile; behind instances, as for all
    moved = select(CaseMigration.id).where(or_(CaseMigration.from_id.in_(mine), CaseMigration.to_id.in_(mine)))
    used = select(Instance.id).where(Instance.definition_id.in_(mine))
    if any(session.scalar(query.limit(1)) is not None for query in (used, moved)):
        raise InvalidState(f"Expected to delete deployment {row.name}, but something ran on it, and its history is kept")
    if number := archived_versions.ran_on(session, mine, since=row.deployed_at):  # now: what was not here any more is there
        raise InvalidState(f"Expected to delete deployment {row.name}, but archived case {number} ran on it, and its history is kept")
    # What the newest version has begun by itself is not begun anew because an older one goes.
    keys = [each.key for each in definitions_of(session, row) if definitions.latest_id(session, each.key) == each.id]
    for key in keys:
        start_timers.forget(session, key)
    session.execute(sql_delete(Incident).where(Incident.definition_id.in_(mine)))  # of what could not begin by itself
    for table in (Offer, Resource, Definition):
        session.execute(sql_delete(table).where(table.deployment_id == row.id))
    session.delete(row)
    for key in keys:
        start_timers.restore(session, key)


def refuse(errors: list[Finding]) -> None:
    """Raise InvalidInput when there are findings."""
    if errors:
        words = "; ".join(f.message for f in errors[:5])
        raise InvalidInput(f"Expected a diagram that can run, but {words}", errors=[asdict(f) for f in errors])


def _later_than_all(session: Session) -> datetime:
    """The time of a new deployment: now, but later than that of any other: the last one is the newest even if the clock was set back."""
    last = session.scalar(select(func.max(Deployment.deployed_at)))
    return max(moments.now(), last + timedelta(microseconds=1)) if last else moments.now()


def _latest(session: Session, name: str, source: str) -> tuple[Deployment | None, Mapping[str, str]]:
    """The newest deployment of a name and source, and the hashes of its files."""
    query = select(Deployment).where(Deployment.name == name, Deployment.source == source).order_by(Deployment.deployed_at.desc()).limit(1)
    latest = session.scalar(query)
    if latest is None:
        return None, {}
    rows = session.execute(select(Resource.name, Resource.sha256).where(Resource.deployment_id == latest.id))
    return latest, {row.name: row.sha256 for row in rows}


def _unchanged(before: Mapping[str, str], now: Mapping[str, str]) -> frozenset[str]:
    """Files that need no new version: a diagram runs with the tables and forms of its own deployment, so these count, too."""
    changed = {file for file, found in now.items() if before.get(file) != found}
    return frozenset(now.keys() - changed) if all(file.endswith(DIAGRAMS) for file in changed) else frozenset()


def _days(written: str | None) -> int | None:
    """Read days as Camunda 7 writes them: `180`, or `P180D`."""
    text = (written or "").strip().removeprefix("P").removesuffix("D")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _define(session: Session, deployment: Deployment, file: str, sha256: str, processes: list[Compiled]) -> None:
    """Store what a diagram defines."""
    compiled_files.keep(session, sha256, processes)
    for process in processes:
        version = session.scalar(select(func.max(Definition.version)).where(Definition.key == process.key)) or 0
        row = Definition(
            deployment_id=deployment.id,
            key=process.key,
            version=version + 1,
            name=process.name or process.key,
            kind=process.properties.get("onething.kind", "process"),
            resource=file,
            version_tag=process.version_tag,
            history_days=_days(process.history_time_to_live),
            startable=process.startable_in_tasklist,
        )
        session.add(row)
        session.flush()
        start_timers.replace(session, row, process)
        start_events.record(session, row, process)
