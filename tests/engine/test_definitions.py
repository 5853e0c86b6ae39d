"""Definitions: loaded once, the newest by its key, tables from wherever they were deployed; databases and threads do not disturb each other."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine import definitions, deployments, element_forms
from engine.database import Database
from engine.errors import InvalidInput, NotFound
from tests import tiny
from tests.benchmarks.meter import counted
from tests.bpmn import diagrams as d
from tests.stage import DESIGNER


def process(name):
    """A process that does one task."""
    return d.diagram(d.start("s"), d.user("do"), d.end("e"), d.flows("s -> do -> e"), key="work", name=name)


def deploy(database, **resources):
    """Deploy files; `x_bpmn` is x.bpmn."""
    files = {name.replace("_", "."): content for name, content in resources.items()}
    with database.transaction() as session:
        return deployments.deploy(session, "test", files, actor=DESIGNER).id


def latest(database, key="work"):
    with database.reading() as session:
        return definitions.latest(session, key)


def test_latest__once_loaded(database):
    deploy(database, work_bpmn=process("first"))
    latest(database)

    with counted(database.bind) as sample:
        again = latest(database)

    assert again.name == "first"
    assert len(sample.statements) == 1  # which one is the newest; nothing is read or compiled for it


def test_latest__a_newer_version(database):
    deploy(database, work_bpmn=process("first"))
    first = latest(database)

    deploy(database, work_bpmn=process("second"))

    assert (latest(database).name, latest(database).version) == ("second", 2)
    with database.reading() as session:
        assert definitions.get(session, first.id) is first


def test_latest__two_databases_in_one_process(store):
    with store.fresh() as one_url, store.fresh() as other_url:
        one, other = Database(one_url), Database(other_url)
        deploy(one, work_bpmn=process("one"))
        deploy(other, work_bpmn=process("other"))

        names = [latest(one).name, latest(other).name, latest(one).name]

        one.close()
        other.close()
    assert names == ["one", "other", "one"]


def test_latest__many_threads_at_once(database):
    deploy(database, work_bpmn=process("first"))
    begin = threading.Barrier(8)

    def load(_number):
        begin.wait(60)
        return latest(database)

    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(load, range(8)))

    assert all(each is loaded[0] for each in loaded)


def test_get__more_than_are_kept(database, monkeypatch):
    monkeypatch.setattr(definitions._loaded, "limit", 1)
    deploy(database, work_bpmn=process("first"))
    first = latest(database)
    deploy(database, work_bpmn=process("second"))
    latest(database)

    with database.reading() as session:
        again = definitions.get(session, first.id)

    assert (again.id, again.name) == (first.id, "first")


def test_latest__unknown(database):
    with pytest.raises(NotFound, match="a process named 'work', but none is deployed"):
        latest(database)


def test_latest_of__each_is_one_entry_of_an_index(database):
    """Nothing is read of what is older, however many there are: no answer to whether there is a newer one is asked of each."""
    for name in ("first", "second"):
        deploy(database, work_bpmn=process(name), other_bpmn=process(f"other {name}").replace(b'"work"', b'"other"'))

    with database.reading() as session, counted(database.bind) as sample:
        found = definitions.latest_of(session, ["other", "work"])
        assert definitions.latest_of(session, []) == {}
        with pytest.raises(NotFound, match="a process named 'nothing', but none is deployed"):
            definitions.latest_of(session, ["work", "nothing"])

    assert {key: (each.name, each.version) for key, each in found.items()} == {"other": ("other second", 2), "work": ("second", 2)}
    looks = [said for said in sample.statements if "ORDER BY definitions.version DESC" in said]
    assert [said.count("LIMIT") for said in looks] == [2, 2]


def test_decision__deployed_elsewhere(database):
    deploy(database, work_bpmn=process("first"))
    deploy(database, tables_dmn=tiny.tables({"alpha": {"promised": "5"}}, []))
    deploy(database, tables_dmn=tiny.tables({"alpha": {"promised": "7"}}, []))

    with database.reading() as session:
        rows = definitions.decision(session, latest(database), "item_limits").evaluate({"item": "alpha"})

    assert [row["promised"] for row in rows] == ["7"]


def test_decision__unknown(database):
    deploy(database, work_bpmn=process("first"))

    with database.reading() as session, pytest.raises(NotFound, match="the decision 'nothing', but none is deployed"):
        definitions.decision(session, latest(database), "nothing")


def shows(binding):
    """A process with a task that shows the form `apply`."""
    form = {"camunda:formRef": "apply", "camunda:formRefBinding": binding}
    return d.diagram(d.start("s"), d.user("do", attrs=form), d.end("e"), d.flows("s -> do -> e"), key="work")


def form(*fields):
    """The form `apply`."""
    components = [{"type": "textfield", "key": key, "id": key, "label": key} for key in fields]
    return json.dumps({"type": "default", "id": "apply", "schemaVersion": 19, "components": components}).encode()


@pytest.mark.parametrize(("binding", "fields"), [("latest", ["new"]), ("deployment", ["old"]), (None, ["old"])])
def test_form__newer_one_deployed_elsewhere(database, binding, fields):
    deploy(database, work_bpmn=shows(binding), apply_form=form("old"))
    deploy(database, apply_form=form("new"))

    with database.reading() as session:
        loaded = latest(database)
        element = loaded.definition.elements["do"]
        shown = definitions.form(session, loaded, element)
        written = json.loads(element_forms.read(session, loaded, element))

    assert [field.key for field in shown.fields] == fields
    assert [component["key"] for component in written["components"]] == fields


def test_form__deployed_before(database):
    deploy(database, apply_form=form("old"))
    deploy(database, work_bpmn=shows("latest"))

    with database.reading() as session:
        loaded = latest(database)
        shown = definitions.form(session, loaded, loaded.definition.elements["do"])

    assert [field.key for field in shown.fields] == ["old"]


@pytest.mark.parametrize("binding", ["latest", "deployment"])
def test_form__nowhere(database, binding):
    with pytest.raises(InvalidInput, match="none with the id 'apply'"):
        deploy(database, work_bpmn=shows(binding))
