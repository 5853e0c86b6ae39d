from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from lxml import etree
from sqlalchemy import func, select

from bpmn import compiled, compiler
from engine import comments, definitions, deployments, functions, offers, tasks
from engine.deployments import Again
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.models import Base, Definition, Department, Deployment, Resource
from tests import tiny
from tests.bpmn import diagrams as d
from tests.bpmn import tables
from tests.engine.test_case_migrations import migrate
from tests.stage import DESIGNER, WORKFLOWS

PLAIN = d.diagram(d.start("s"), d.user("do"), d.end("e"), d.flows("s -> do -> e"), key="plain")


def deploy(stage, files, *, name="plain", actor=DESIGNER, **more):
    with stage.database.transaction() as session:
        return deployments.deploy(session, name, files, actor=actor, **more)


def counted(stage):
    with stage.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in (Deployment, Definition, Resource)]


def test_deploy__files_are_kept_as_they_came(stage):
    deployment = deploy(stage, {"plain.bpmn": PLAIN, "readme.txt": b"\xff\x00"})

    with stage.reading() as session:
        assert deployments.content_of(session, deployment, "plain.bpmn") == PLAIN
        assert deployments.content_of(session, deployment, "readme.txt") == b"\xff\x00"
        assert deployments.resources_of(session, deployment) == ["plain.bpmn", "readme.txt"]
        with pytest.raises(NotFound):
            deployments.content_of(session, deployment, "other.bpmn")
    assert (deployment.name, deployment.source, deployment.deployed_by) == ("plain", "api", "designer")


def test_deploy__nothing_of_what_was_compiled_is_changed(stage, clerk):
    """By whoever checks, stores and runs it: the tests compile a drawing once (`compiled_once`)."""
    files = tiny.folder({"alpha": {}}, key="unchanged")
    known = compiler.examine(files["unchanged_bpmn"], "unchanged.bpmn", functions=functions.NAMES)
    before = compiled.write([known.definitions, known.drawn, known.findings]), etree.tostring(known.source.root)

    stage.deploy("unchanged", **files)
    clerk.take_in("unchanged")

    assert compiler.examine(files["unchanged_bpmn"], "unchanged.bpmn", functions=functions.NAMES) is known
    assert (compiled.write([known.definitions, known.drawn, known.findings]), etree.tostring(known.source.root)) == before
    assert list(known.findings) == known.source.findings


def test_deploy__the_same_again(stage):
    first = deploy(stage, {"plain.bpmn": PLAIN})
    before = counted(stage)

    second = deploy(stage, {"plain.bpmn": PLAIN})

    assert second.id == first.id
    assert counted(stage) == before


def test_deploy__the_clock_was_set_back(stage):
    """The newest table is that of the newest version, whatever the clock says."""
    stage.move_to(2026, 3, 2, hour=12)
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    stage.move_to(2026, 3, 2, hour=11)
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 8}}))

    with stage.reading() as session:
        second = definitions.latest(session, "tiny")
        assert (second.version, offers.newest(session, offers.DECISION, "item_limits")) == (2, second.deployment_id)


@pytest.mark.parametrize("anew", [False, True])
def test_deploy__two_at_once(stage, anew):
    """The second gets the next version; or, when it brings the same files, what the first has stored."""
    together = Barrier(2)

    def bring(files):
        together.wait(60)
        return deploy(stage, files, again=Again.EVERYTHING if anew else Again.NOTHING)

    with ThreadPoolExecutor(2) as threads:
        others = PLAIN.replace(b"Definitions_1", b"Definitions_2") if anew else PLAIN
        stored = {row.id for row in threads.map(bring, [{"plain.bpmn": PLAIN}, {"plain.bpmn": others}])}

    with stage.reading() as session:
        versions = session.scalars(select(Definition.version).where(Definition.key == "plain").order_by(Definition.version)).all()
    assert list(versions) == ([1, 2] if anew else [1])
    assert len(stored) == len(versions)


@pytest.mark.parametrize(
    "other",
    [
        {"source": "modeler"},
        {"name": "another"},
        {"again": Again.EVERYTHING},
        {"files": {"plain.bpmn": PLAIN + b"\n"}},
        {"files": {"renamed.bpmn": PLAIN}},
    ],
)
def test_deploy__something_else_is_a_new_version(stage, other):
    deploy(stage, {"plain.bpmn": PLAIN})
    files = {"plain.bpmn": PLAIN}

    deploy(stage, **({"files": files} | other))

    with stage.reading() as session:
        assert definitions.latest(session, "plain").version == 2


@pytest.mark.parametrize(
    "files",
    [
        {"x.bpmn": b""},
        {"x.bpmn": b"no xml"},
        {"x.bpmn": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'},
        {"x.bpmn": PLAIN, "y.dmn": b"<x"},
        {"x.bpmn": PLAIN, "y.form": b"{"},
        {"x.bpmn": d.diagram(d.start("s"), d.end("e"), d.flows("s -> e", "e -> s"), key="odd")},
        {"x.bpmn": d.diagram(d.start("s"), d.call("c", of="nowhere"), d.end("e"), d.flows("s -> c -> e"), key="odd")},
        {"x.bpmn": d.diagram(d.start("s"), d.user("u", form="nowhere"), d.end("e"), d.flows("s -> u -> e"), key="odd")},
        {"x.bpmn": d.diagram(d.start("s"), d.decision("b", ref="nowhere"), d.end("e"), d.flows("s -> b -> e"), key="odd")},
        {"x.bpmn": PLAIN, "y.bpmn": PLAIN},
    ],
    ids=["empty", "text", "hostile", "dmn", "form", "flow", "call", "unknown-form", "unknown-table", "twice"],
)
def test_deploy__what_cannot_run(stage, files):
    """Refused as a whole, each finding with its file; nothing of it is stored."""
    before = counted(stage)

    with pytest.raises(InvalidInput) as refusal:
        deploy(stage, files)

    assert all(error["resource"] in files for error in refusal.value.details["errors"])
    assert all(error["message"] for error in refusal.value.details["errors"])
    assert counted(stage) == before


@pytest.mark.parametrize("name", ["clerk", "officer-market", "supervisor"])
def test_deploy__by_whom_it_is_not_for(stage, name):
    with pytest.raises(NotPermitted):
        deploy(stage, {"plain.bpmn": PLAIN}, actor=stage.person(name).actor)


def test_deploy__the_shipped_workflows_call_what_was_deployed_before(stage):
    """A matter alone, with its items in the database already."""
    folder = {
        path.name: path.read_bytes() for path in (WORKFLOWS / "open-restaurant").iterdir() if path.suffix in {".bpmn", ".dmn", ".form"}
    }

    deploy(stage, folder, name="alone")

    with stage.reading() as session:
        assert definitions.latest(session, "open_restaurant").version == 2


def test_delete__nothing_ran_on_it(stage):
    deployment = deploy(stage, {"plain.bpmn": PLAIN})

    with stage.database.transaction() as session:
        deployments.delete(session, deployment.id, actor=DESIGNER)

    with stage.reading() as session, pytest.raises(NotFound):
        definitions.latest(session, "plain")


@pytest.mark.parametrize("suffix", ["dmn", "dmn11.xml"])
def test_deploy__tables_by_either_name(stage, suffix):
    """Tables are found beside their diagram, and from another deployment."""
    table = etree.tostring(tables.document(tables.decision("fee", ["n:number"], ["sum:number"], "1 => 5")))
    asks = d.diagram(
        d.start("s"), d.decision("t", ref="fee", result="fee"), d.user("u"), d.end("e"), d.flows("s -> t -> u -> e"), key="asks"
    )
    deploy(stage, {f"fee.{suffix}": table, "asks.bpmn": asks})
    deploy(stage, {"other.bpmn": asks}, name="other")

    with stage.reading() as session:
        assert "fee" in offers.names(session, offers.DECISION)
        assert definitions.decide(session, definitions.latest(session, "asks"), "fee", {"n": 1}) == [{"sum": 5}]


def test_delete__something_ran_on_it(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    clerk.submit("tiny")
    with stage.reading() as session:
        [(deployment,)] = deployments.search(Deployment.name == "tiny").rows(session)

    with pytest.raises(InvalidState, match="history is kept"), stage.database.transaction() as session:
        deployments.delete(session, deployment.id, actor=DESIGNER)


CALLED = d.diagram(
    d.start("s"),
    d.user("inner", groups="clerks"),
    d.timer_boundary("late", on="inner", duration="P1D"),
    d.end("e"),
    d.flows("s -> inner -> e", "late -> e"),
    key="called",
)
CALLER = d.diagram(d.start("s"), d.user("do"), d.call("c", of="called"), d.end("e"), d.flows("s -> do -> c -> e"), key="caller")


def tried_out(stage, designer, **files):
    """A process that was started and has come to its call."""
    deployment = deploy(stage, {f"{name}.bpmn": content for name, content in files.items()}, name="try")
    instance = designer.start("caller")
    with designer.acting() as session:
        comments.add(session, stage.task(stage.of(instance), "do").id, "看一下", actor=designer.actor)
        tasks.complete(session, stage.task(stage.of(instance), "do").id, actor=designer.actor, data={})
    return deployment


def rows(stage):
    """How many rows there are of what runs, by table."""
    tables = [table for table in Base.metadata.sorted_tables if {"case_id", "task_id"} & set(table.c.keys()) or table.name == "cases"]
    with stage.reading() as session:
        return {table.name: n for table in tables if (n := session.scalar(select(func.count()).select_from(table)))}


def test_delete__with_what_was_tried_out(stage, designer):
    deployment = tried_out(stage, designer, caller=CALLER, called=CALLED)
    assert rows(stage).keys() >= {"cases", "instances", "tasks", "task_groups", "timers", "activities", "journal", "comments"}
    with pytest.raises(InvalidState, match="history is kept"), stage.database.transaction() as session:
        deployments.delete(session, deployment.id, actor=DESIGNER)

    with stage.database.transaction() as session:
        deployments.delete(session, deployment.id, actor=DESIGNER, cascade=True)

    assert rows(stage) == {}


@pytest.mark.parametrize("cascade", [False, True])
def test_delete__what_ran_on_it_was_moved_elsewhere(stage, designer, cascade):
    """What a move can be undone to is kept."""
    first = deploy(stage, {"plain.bpmn": PLAIN})
    designer.start("plain")
    deploy(stage, {"plain.bpmn": PLAIN.replace(b'"do"', b'"do" name="x"')})
    assert [report.done for report in migrate(stage, "plain")] == [True]

    with pytest.raises(InvalidState, match="its history is kept"), stage.database.transaction() as session:
        deployments.delete(session, first.id, actor=DESIGNER, cascade=cascade)


def test_delete__what_others_called_or_applicants_asked_for_stays(stage, designer, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    clerk.submit("tiny")
    called = deploy(stage, {"called.bpmn": CALLED}, name="called")
    tried_out(stage, designer, caller=CALLER)
    before = rows(stage)
    with stage.reading() as session:
        [(matter,)] = deployments.search(Deployment.name == "tiny").rows(session)

    for deployment, message in ((called, "was called by a process of another deployment"), (matter, "is a case, and its history is kept")):
        with pytest.raises(InvalidState, match=message), stage.database.transaction() as session:
            deployments.delete(session, deployment.id, actor=DESIGNER, cascade=True)

    assert rows(stage) == before


def test_search__newest_first(stage):
    ids = [deploy(stage, {"plain.bpmn": PLAIN}, again=Again.EVERYTHING).id for _ in range(3)]

    with stage.reading() as session:
        found = deployments.search(Deployment.name == "plain")
        assert [row.Deployment.id for row in found.rows(session)] == ids[::-1]
        assert [row.Deployment.id for row in found.rows(session, first=1, limit=1)] == [ids[1]]
        assert (found.count(session), deployments.search(Deployment.source == "nowhere").count(session)) == (3, 0)
        assert deployments.get(session, ids[0]).name == "plain"
        with pytest.raises(NotFound):
            deployments.get(session, UUID(int=0))


def test_deploy__warns_of_departments_that_there_are_not(stage):
    parts = (d.start("s"), d.user("do", groups="department-grain"), d.end("e"), d.flows("s -> do -> e"))
    files = {"plain.bpmn": d.diagram(*parts, key="plain")}
    warnings = []

    deploy(stage, files, warn=warnings.append)
    with stage.database.transaction() as session:
        session.add(Department(code="grain", name="粮食和物资储备局"))
    deploy(stage, files, again=Again.EVERYTHING, warn=(later := []).append)

    told = [(each.severity, each.element, each.message) for each in warnings if each.rule == "unknown-group"]
    message = "of the group 'department-grain' nobody is a member: correct it, or make the department before the first case"
    assert told == [("warning", "do", f"Expected do to name groups that there are, but {message}")]
    assert [each.rule for each in later if each.rule == "unknown-group"] == []
    files = {"plain.bpmn": files["plain.bpmn"].replace(b"department-grain", "粮食和物资储备局".encode())}
    with stage.reading() as session:
        assert any(each.message.endswith("nobody is a member: write department-grain") for each in deployments.check(session, files))
