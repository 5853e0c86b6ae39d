"""Compiled files: a process that comes up reads what was compiled, never what another compiler made; the scheduler keeps what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import delete, select, update

from bpmn import compiled, compiler, decisions, forms
from bpmn.errors import DocumentError, Finding
from engine import compiled_files, definitions, deployments, offers
from engine.compiled_models import CompiledFile, Offer
from engine.kept import Kept
from engine.models import Resource
from engine.upgrades import migrating
from tests import tiny
from tests.bpmn import diagrams as d
from tests.engine.test_definitions import deploy, form, latest, process
from tests.stage import DESIGNER


@pytest.fixture(autouse=True)
def cold(monkeypatch):
    """Nothing is in memory."""
    monkeypatch.setattr(definitions, "_loaded", Kept(definitions.LIMIT, lambda _: 1))


@pytest.fixture
def compilations(monkeypatch):
    """Names of the files that are compiled."""
    seen = []

    def watched(content, resource, *, functions=None, compile=compiler.compile):  # noqa: A002
        seen.append(resource)
        return compile(content, resource, functions=functions)

    monkeypatch.setattr(compiler, "compile", watched)
    return seen


def kept(database):
    with database.reading() as session:
        return session.scalars(select(CompiledFile).order_by(CompiledFile.made_at)).all()


def another(monkeypatch):
    """Come up as another compiler."""
    monkeypatch.setattr(compiled, "fingerprint", lambda: "another")
    definitions._loaded = Kept(definitions.LIMIT, lambda _: 1)


def test_latest__nothing_is_compiled(database, compilations):
    deploy(database, work_bpmn=process("first"))

    found = latest(database)

    assert compilations == []
    assert found.definition == compiler.compile(process("first"), "work.bpmn")[0]


def test_latest__what_another_compiler_has_made_is_not_trusted(database, compilations, monkeypatch):
    deploy(database, work_bpmn=process("first"))
    with database.transaction() as session:
        session.execute(update(CompiledFile).values(content=compiled.write(compiler.compile(process("wrong"), "work.bpmn"))))
    another(monkeypatch)
    compilations.clear()

    assert latest(database).definition.name == "first"
    assert compilations == ["work.bpmn"]


def test_latest__nothing_is_kept(database, compilations):
    deploy(database, work_bpmn=process("first"))
    with database.transaction() as session:
        session.execute(delete(CompiledFile))

    assert latest(database).name == "first"
    assert compilations == ["work.bpmn"]


def test_deploy__versions_with_the_same_diagram_share_it(database):
    deploy(database, work_bpmn=process("first"))
    deploy(database, work_bpmn=process("first"), apply_form=form("a"))

    assert latest(database).version == 2
    assert len(kept(database)) == 1


def test_sweep__another_compiler_comes_up(database, compilations, monkeypatch):
    monkeypatch.setattr(compiled_files, "BATCH", 2)
    for name in ("first", "second", "third"):
        deploy(database, work_bpmn=process(name))
    another(monkeypatch)

    assert compiled_files.sweep(database) == 3
    assert len(compilations) == 3
    assert compiled_files.sweep(database) == 0
    assert latest(database).definition.name == "third"
    assert len(compilations) == 3
    assert len(kept(database)) == 6  # nodes of the release before are still there


def test_sweep__forms_of_others_go_after_a_month(database, monkeypatch):
    deploy(database, work_bpmn=process("first"))
    with database.transaction() as session:
        session.execute(update(CompiledFile).values(made_at=datetime.now(UTC) - timedelta(days=31)))
    compiled_files.sweep(database)
    assert len(kept(database)) == 1  # ours stay, however old

    another(monkeypatch)
    compiled_files.sweep(database)

    assert [row.fingerprint for row in kept(database)] == ["another"]


def test_sweep__a_deployment_that_is_gone(database):
    gone = deploy(database, work_bpmn=process("first"))
    deploy(database, other_bpmn=d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="other"))
    with database.transaction() as session:
        deployments.delete(session, gone, actor=DESIGNER)

    compiled_files.sweep(database)

    assert len(kept(database)) == 1


def test_sweep__what_a_compiler_refuses_does_not_stop_the_others(database, monkeypatch):
    """An earlier one took it."""
    deploy(database, work_bpmn=process("first"), bad_bpmn=d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="bad"))
    another(monkeypatch)
    compile_ = compiler.compile

    def refuse(content, resource):
        if resource == "bad.bpmn":
            raise DocumentError([Finding(severity="error", rule="new", message="Expected something else")])
        return compile_(content, resource)

    monkeypatch.setattr(compiler, "compile", refuse)

    compiled_files.sweep(database)

    assert [row.fingerprint for row in kept(database)].count("another") == 1


def test_sweep__offers_of_a_node_that_writes_none(database):
    deploy(database, work_bpmn=process("first"), apply_form=form("a"), tables_dmn=tiny.tables({"alpha": {}}, []))
    with database.reading() as session:
        before = [offers.names(session, kind) for kind in (offers.FORM, offers.DECISION)]
    with database.transaction() as session:
        session.execute(delete(Offer))

    compiled_files.sweep(database)

    with database.reading() as session:
        assert [offers.names(session, kind) for kind in (offers.FORM, offers.DECISION)] == before
    assert before[0] == {"apply", "apply.form"}


def test_sweep__a_table_that_is_refused_does_not_stop_the_others(database):
    deploy(database, work_bpmn=process("first"), apply_form=form("a"), tables_dmn=tiny.tables({"alpha": {}}, []))
    with database.transaction() as session:
        session.execute(delete(Offer))
        session.execute(delete(CompiledFile))
        session.execute(update(Resource).where(Resource.name == "tables.dmn").values(content=b"<taken/>"))  # by an earlier release

    compiled_files.sweep(database)

    assert len(kept(database)) == 1
    with database.reading() as session:
        assert offers.names(session, offers.FORM) == {"apply", "apply.form"}


def test_deploy__each_file_is_read_once(database, monkeypatch):
    read = []

    def watch(module, name, its_file):
        function = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, **more: read.append(its_file(*given)) or function(*given, **more))

    watch(compiler, "examine", lambda content, resource: resource)
    watch(decisions, "parse", lambda tree, resource="": resource)
    watch(forms, "parse_form", lambda content, resource: resource)

    deploy(database, work_bpmn=process("first"), apply_form=form("a"), tables_dmn=tiny.tables({"alpha": {}}, []))

    assert sorted(read) == ["apply.form", "tables.dmn", "work.bpmn"]
    assert kept(database)[0].content == compiled.write(compiler.compile(process("first"), "work.bpmn"))


def test_migrate__what_is_deployed_already_is_offered(database):
    deploy(database, apply_form=form("a"), tables_dmn=tiny.tables({"alpha": {}}, []))
    with database.reading() as session:
        before = session.execute(select(Offer.deployment_id, Offer.resource, Offer.kind, Offer.name, Offer.deployed_at)).all()
    with migrating(database.bind) as config:
        command.downgrade(config, "0013")

    database.migrate()

    with database.reading() as session:
        after = session.execute(select(Offer.deployment_id, Offer.resource, Offer.kind, Offer.name, Offer.deployed_at)).all()
    assert len(before) > 3
    assert sorted(after) == sorted(before)


def test_kept__the_one_used_longest_ago_makes_room():
    values = Kept(10, len)
    made = []

    def get(key, size):
        return values.get(key, lambda: made.append(key) or key * size)

    for key, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4), ("a", 4), ("b", 4)):
        assert get(key, size) == key * size

    assert made == ["a", "b", "c", "b"]
    assert (len(values), values.size) == (2, 8)
    assert (get("b", 4), get("b", 4), get("a", 4), made[4:]) == (4 * "b", 4 * "b", 4 * "a", [])
    get("d", 99)  # more than all: it is given, and stays until another comes
    assert (len(values), values.size) == (1, 99)
