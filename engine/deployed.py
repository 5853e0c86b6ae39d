"""What was deployed beside a diagram: its tables and its forms, read when they are first asked for, and kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from bpmn import decisions, forms, xml
from bpmn.decisions import Decision
from bpmn.forms import Form
from bpmn.lint.bundle import FORMS, TABLES
from engine.kept import Kept
from engine.models import Resource

#: Bytes that a process keeps, and what a file takes in memory, read and as it came, for each of its own bytes.
LIMIT, PER_BYTE = 64 << 20, 9


def ends_with(suffixes: Iterable[str]) -> ColumnElement[bool]:
    """Keep the files whose names end with one of these."""
    return or_(*(Resource.name.endswith(suffix, autoescape=True) for suffix in suffixes))


#: Tables and forms.
READ = ends_with((*FORMS, *TABLES))


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The tables and forms of one deployment."""

    id: UUID
    #: As they came, by file.
    files: Mapping[str, bytes]

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about, once it is read."""
        return PER_BYTE * sum(map(len, self.files.values()))

    @cached_property
    def decisions(self) -> Mapping[str, Decision]:
        """Decisions, by id."""
        found: dict[str, Decision] = {}
        for name, content in self.files.items():
            if name.endswith(TABLES):
                found |= decisions.parse(xml.parse(content, name))
        return found

    @cached_property
    def forms(self) -> Mapping[str, Form]:
        """Forms, by key and by file."""
        found = {name: forms.parse_form(content, name) for name, content in self.files.items() if name.endswith(FORMS)}
        return found | {form.key: form for form in found.values()}


#: By ids that no two databases share.  A deployment never changes: what was read once is right for ever.
_kept = Kept[Deployed](LIMIT, lambda deployed: deployed.size)


def get(session: Session, deployment_id: UUID) -> Deployed:
    """Give what was deployed, once for all definitions in it."""
    return _kept.get(deployment_id, lambda: _read(session, deployment_id))


def _read(session: Session, deployment_id: UUID) -> Deployed:
    rows = session.execute(select(Resource.name, Resource.content).where(Resource.deployment_id == deployment_id, READ))
    return Deployed(id=deployment_id, files={row.name: row.content for row in rows})
