"""Departments that are deleted while something goes on that would come to them: no task ends up with a group that nobody is in."""

import pytest

from engine import definitions, offices, processes
from engine.errors import InvalidState
from engine.variables import Given
from tests import interleaving
from tests.bpmn import diagrams as d
from tests.hall import OPERATOR


def process(second):
    """Two tasks, one after the other; nobody sees yet whose the second will be."""
    tasks = d.user("a", name="登记", groups="window"), d.user("b", name="核定", groups=second)
    return d.diagram(d.start("s"), *tasks, d.end("e"), d.flows("s -> a -> b -> e"), key="p")


@pytest.fixture
def designer(stage):
    """Somebody who has deployed a process that comes to a department later."""
    with stage.database.transaction() as session:
        offices.put_department(session, "grain", actor=OPERATOR, name="粮食和物资储备局")
    stage.deploy("p", p_bpmn=process("department-grain"))
    return stage.person("designer")


def delete(stage):
    with stage.database.transaction() as session:
        offices.delete_department(session, "grain", actor=OPERATOR)


def test_delete__an_older_version_that_names_it_still_runs(stage, designer):
    case = designer.start("p")
    stage.deploy("p", p_bpmn=process("window"))

    with pytest.raises(InvalidState, match=r"but there are processes p \(version 1\)$"):
        delete(stage)

    with stage.database.transaction() as session:
        processes.end(session, case.id, actor=designer.actor, reason="不办了")
    delete(stage)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_delete__somebody_begins_by_an_older_version_in_the_same_moment(stage, designer):
    """Who deletes waits for whoever has begun, and finds what that was; SQLite lets nobody come between."""

    def begin(session):
        loaded = definitions.latest(session, "p")
        processes.open_plain(session, loaded, actor=designer.actor, region="430100", key=None, given=Given(values={}))
        stage.deploy("p", p_bpmn=process("window"))

    with (
        pytest.raises(InvalidState, match=r"but there are processes p \(version 1\)$"),
        interleaving.waited_for(stage.database, begin, lambda: delete(stage)),
    ):
        pass
