"""Years: what stands in the way of the archive, and what is still to be there for a case that was put away long ago."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from bpmn.errors import DocumentError, Finding
from engine import (
    archive_documents,
    archives,
    definitions,
    deployments,
    verification,
)
from engine.case_models import Case
from engine.errors import InvalidState
from engine.models import Definition, Deployment
from engine.verification.faults import FaultKind
from tests import tiny
from tests.engine.test_archives import ended, finish, left, told
from tests.stage import DESIGNER

__all__ = ["ended"]

pytestmark = pytest.mark.usefixtures("one_order_of_locks")


def test_sweep__a_diagram_that_is_refused_by_now(stage, clerk, market, ended, monkeypatch):
    """An older version took it: its cases stay, and keep no others from being put away."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, archive_days="20"))
    newer, get = finish(clerk, market), definitions.get

    def refuse(session, version):
        if version == ended.definition_id:
            raise DocumentError([Finding(severity="error", rule="bad-boolean", message="Expected true or false, but it is FALSE")])
        return get(session, version)

    monkeypatch.setattr(definitions, "get", refuse)
    stage.move_to(2026, 5, 4)
    with capture_logs() as logged:
        assert archives.sweep(stage.database) == 1

    assert left(stage, newer) == {}
    assert left(stage, ended) != {}
    [line] = logged
    assert (line["event"], line["definition"]) == ("cases of a refused diagram are not archived", str(ended.definition_id))
    assert "but it is FALSE" in line["reason"]


@pytest.fixture
def archived(stage, ended):
    stage.move_to(2026, 5, 4)
    assert archives.sweep(stage.database) == 1
    return ended


def deployments_of(stage):
    """What is deployed: name and id."""
    with stage.reading() as session:
        return {row.name: row.id for row in session.scalars(select(Deployment))}


@pytest.mark.parametrize("cascade", [True, False])
def test_delete__what_an_archived_case_ran_on(stage, clerk, archived, cascade):
    """Nothing that is here ran on it any more; but who reads the case years later looks at its drawing, tables and forms."""
    before = told(stage, clerk, archived)

    with pytest.raises(InvalidState, match=f"but archived case {archived.number} ran on it"), stage.database.transaction() as session:
        deployments.delete(session, deployments_of(stage)["tiny"], actor=DESIGNER, cascade=cascade)

    assert told(stage, clerk, archived) == before


def test_delete__beside_archived_cases(stage, clerk, archived):
    """What none of them ran on goes, whenever it was deployed; so does what was deployed long after they had ended, unread."""
    for name in ("never", "later"):
        stage.deploy(name, **tiny.folder({"alpha": {}, "beta": {}}, archive_days="40" if name == "never" else "50"))

    with stage.database.transaction() as session:
        for name in ("never", "later"):
            deployments.delete(session, deployments_of(stage)[name], actor=DESIGNER)

    assert told(stage, clerk, archived)
    assert not deployments_of(stage).keys() & {"never", "later"}


def test_ran_on__what_ended_before_is_not_read(stage, archived, monkeypatch):
    """Who deletes what was tried out today does not read the archive of ten years."""
    with stage.database.transaction() as session:
        ids = session.scalars(select(Definition.id)).all()
        assert archive_documents.ran_on(session, ids, since=archived.submitted_at) == archived.number
        monkeypatch.setattr(archive_documents, "zstandard", None)

        assert archive_documents.ran_on(session, ids, since=archived.submitted_at + timedelta(days=40)) is None


def test_verify__what_nobody_puts_away(stage, clerk, market, ended):
    """No scheduler runs, or one fails at it: the tables grow, and nobody is told."""
    other = finish(clerk, market)
    stage.move_to(2026, 4, 2)
    assert list(verification.verify(stage.database)) == []

    stage.move_to(2026, 4, 5)
    [fault] = verification.verify(stage.database)

    assert (fault.kind, fault.about) == (FaultKind.STUCK, "archive")
    assert fault.message.startswith("Expected 2 cases to be archived by 2026-04-0")
    assert fault.message.endswith(f"UTC, but they are not: {other.number}, {ended.number}")
    assert list(verification.verify(stage.database, patience=timedelta(days=30))) == []
    archives.sweep(stage.database)
    assert list(verification.verify(stage.database)) == []
    with stage.reading() as session:
        assert session.scalars(select(Case)).all() == []
