"""Years: what stands in the way of the archive, and what is still to be there for a case that was put away long ago."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from bpmn.errors import DocumentError, Finding
from engine import (
    archived_versions,
    archives,
    definitions,
    deployments,
    moments,
    verification,
)
from engine.archive_models import ArchivedCase, ArchivedVersion
from engine.case_models import Case
from engine.errors import InvalidState
from engine.models import Definition, Deployment
from engine.verification.faults import FaultKind
from tests import effort, tiny
from tests.acceptance import plans
from tests.bpmn import diagrams as d
from tests.engine.test_archives import ended, finish, left, told
from tests.stage import DESIGNER

__all__ = ["ended"]

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
#: Calls for a version whose cases stay for ever.
CALLS_OF_A_VERSION = 500


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


def test_due__a_version_whose_cases_stay_costs_little(stage, designer):
    """There may be hundreds of them; what is asked of cases is made for those that may go."""
    made = {}
    for number in range(12):
        stage.deploy(f"p{number}", p_bpmn=d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key=f"p{number}"))
        designer.start(f"p{number}")
        assert list(archives.due(stage.database, moments.now())) == []
        made[number] = effort.calls(lambda: list(archives.due(stage.database, moments.now())))

    assert made[11] - made[1] < 10 * CALLS_OF_A_VERSION, made


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
        forget(session)
        assert archived_versions.ran_on(session, ids, since=archived.submitted_at) == archived.number
        monkeypatch.setattr(archived_versions, "zstandard", None)

        assert archived_versions.ran_on(session, ids, since=archived.submitted_at + timedelta(days=40)) is None


def forget(session):
    """The archive as an older node has left it."""
    session.execute(delete(ArchivedVersion))
    session.execute(update(ArchivedCase).values(versions_kept=None))


def test_ran_on__is_looked_up(stage, archived, monkeypatch):
    """Who deletes what cases of the archive may have run on reads none of them; and what none ran on is told apart."""
    monkeypatch.setattr(archived_versions, "zstandard", None)
    stage.deploy("later", **tiny.folder({"alpha": {}, "beta": {}}, archive_days="40"))
    with stage.database.transaction() as session:
        ids = {
            name: session.scalars(select(Definition.id).join(Deployment).where(Deployment.name == name)).all() for name in ("tiny", "later")
        }

        found = {name: archived_versions.ran_on(session, each, since=archived.submitted_at) for name, each in ids.items()}

    assert found == {"tiny": archived.number, "later": None}


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_ran_on__by_the_indexes(stage, archived):
    """Neither what is written down, nor what is still to be read, is looked for in all of the archive."""
    with plans.recorded(stage.database) as statements, stage.database.transaction() as session:
        archived_versions.ran_on(session, [archived.id], since=archived.submitted_at)

    plans.grow(stage.database, "archived_cases", 1_000_000)
    assert len([each for each in statements if "FROM archived_" in each]) == 2
    assert plans.whole_reads(stage.database, statements, {"archived_cases", "archived_versions"}) == {}


def test_catch_up__what_was_put_away_before(stage, clerk, market, archived):
    """A sweep writes down what older nodes have not: then nobody reads it any more.  One that is damaged keeps no other."""
    damaged = finish(clerk, market)
    stage.move_to(2026, 7, 6)
    assert archives.sweep(stage.database) == 1
    with stage.database.transaction() as session:
        versions = set(session.scalars(select(ArchivedVersion.definition_id)))
        forget(session)
        session.execute(update(ArchivedCase).where(ArchivedCase.id == damaged.id).values(content=b"damaged"))

    with capture_logs() as logged:
        assert archives.sweep(stage.database) == 0

    assert [(line["event"], line["case"]) for line in logged] == [("archived case not read", damaged.number)]
    with stage.reading() as session:
        assert archived.definition_id in versions
        assert dict(session.execute(select(ArchivedVersion.definition_id, ArchivedVersion.number)).all()) == dict.fromkeys(
            versions, archived.number
        )
        kept = dict(session.execute(select(ArchivedCase.number, ArchivedCase.versions_kept)).all())
    assert kept == {archived.number: True, damaged.number: None}
    assert archived_versions.catch_up(stage.database, stopping=lambda: True) == 0


def test_sweep__where_there_is_no_place_for_versions_yet(stage, clerk, ended, monkeypatch):
    """Nodes serve before `onething migrate` has come so far, and name nothing that it adds: what they put away is read by who asks."""
    monkeypatch.setattr(archived_versions.schema, "is_there", lambda _connection, revision: revision < archived_versions.KNOWN_SINCE)
    stage.move_to(2026, 5, 4)
    with plans.recorded(stage.database) as statements:
        assert archives.sweep(stage.database) == 1

        assert told(stage, clerk, ended)
        with pytest.raises(InvalidState, match=f"but archived case {ended.number} ran on it"), stage.database.transaction() as session:
            deployments.delete(session, deployments_of(stage)["tiny"], actor=DESIGNER)

    assert [each for each in statements if "versions_kept" in each or "archived_versions" in each] == []


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
