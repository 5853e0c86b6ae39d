"""Whose task it is, and whose it may be."""

from __future__ import annotations

import pytest

from engine import identity_links, task_lists, tasks
from engine.actors import Role, RoleGrant
from engine.errors import InvalidInput, InvalidState, NotFound, NotPermitted
from engine.identity_links import Link, LinkType
from tests import tiny
from tests.bpmn import diagrams as d

ANYBODY = RoleGrant(role=Role.OFFICER, department="market")
CANDIDATE = LinkType.CANDIDATE


@pytest.fixture
def task(stage, designer):
    """A task of somebody in the fire brigade, of a process without a matter."""
    plain = d.diagram(d.start("s"), d.user("t", name="登记", groups="department-fire"), d.end("e"), d.flows("s -> t -> e"), key="plain")
    stage.deploy("plain", plain_bpmn=plain)
    return stage.task(stage.of(designer.start("plain")), "登记")


@pytest.fixture
def li(stage):
    """An officer of another department."""
    return stage.somebody(ANYBODY, name="li")


def link(who, task, verb="add", **particulars):
    with who.acting() as session:
        getattr(identity_links, verb)(session, task.id, Link(**particulars), actor=who.actor)


def links(stage, who, task):
    with stage.reading() as session:
        return [(str(one.type), one.user or one.group) for one in identity_links.of(session, task.id, actor=who.actor)]


def test_add__a_candidate_user(stage, designer, li, task):
    """Who is named sees the task, claims it and completes it."""
    with pytest.raises(NotFound), li.acting() as session:
        tasks.claim(session, task.id, actor=li.actor)

    link(designer, task, type=CANDIDATE, user="li")
    link(designer, task, type=CANDIDATE, user="li")

    assert links(stage, li, task) == [("candidate", "li"), ("candidate", "department-fire")]
    with li.acting() as session:
        tasks.claim(session, task.id, actor=li.actor)
        tasks.complete(session, task.id, actor=li.actor, data={})


def test_remove__a_candidate_user(stage, designer, li, task):
    link(designer, task, type=CANDIDATE, user="li")

    link(designer, task, "remove", type=CANDIDATE, user="li")
    link(designer, task, "remove", type=CANDIDATE, user="li")

    with pytest.raises(NotFound):
        links(stage, li, task)
    assert links(stage, designer, task) == [("candidate", "department-fire")]


def test_add__a_candidate_group(stage, designer, li, task):
    link(designer, task, type=CANDIDATE, group="department-market")
    link(designer, task, "remove", type=CANDIDATE, group="department-fire")

    assert links(stage, li, task) == [("candidate", "department-market")]


def test_add__owner_and_assignee(stage, designer, fire, task):
    link(designer, task, type=LinkType.OWNER, user="li")
    link(designer, task, type=LinkType.ASSIGNEE, user="wang")

    assert links(stage, designer, task) == [("assignee", "wang"), ("owner", "li"), ("candidate", "department-fire")]
    with pytest.raises(InvalidState, match="wang has it"), fire.acting() as session:
        tasks.claim(session, task.id, actor=fire.actor)

    link(designer, task, "remove", type=LinkType.ASSIGNEE, user="li")
    assert ("assignee", "wang") in links(stage, designer, task)
    link(designer, task, "remove", type=LinkType.ASSIGNEE, user="wang")
    assert links(stage, designer, task) == [("owner", "li"), ("candidate", "department-fire")]


def test_add__by_whom_it_does_not_concern(stage, fire, li, task):
    with pytest.raises(NotPermitted):
        link(fire, task, type=CANDIDATE, user="li")
    with pytest.raises(NotFound):
        link(li, task, type=CANDIDATE, user="li")

    assert links(stage, fire, task) == [("candidate", "department-fire")]


def test_add__to_the_task_of_a_case(stage, clerk, task):
    """Nobody becomes a candidate for what the law gives to a department."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    intake, admin = stage.task(clerk.submit("tiny"), "一窗受理"), stage.person("admin")

    with pytest.raises(InvalidState, match="belongs to case"):
        link(admin, intake, type=CANDIDATE, user="admin")


def test_add__to_a_task_that_is_over(stage, designer, fire, task):
    fire.complete(stage.of(task), "登记")

    with pytest.raises(InvalidState, match="completed"):
        link(designer, task, type=CANDIDATE, user="li")


@pytest.mark.parametrize(
    "particulars",
    [
        {"type": CANDIDATE},
        {"type": CANDIDATE, "user": "li", "group": "window"},
        {"type": LinkType.OWNER, "group": "window"},
        {"type": CANDIDATE, "user": ""},
        {"type": CANDIDATE, "user": "x" * 81},
    ],
)
def test_link__nobody_or_too_many(particulars):
    with pytest.raises(InvalidInput):
        Link(**particulars)


def test_claim__a_supervisor_is_no_candidate(stage, designer, supervisor, task):
    """Who sees everything of a hall still does only what is theirs."""
    link(designer, task, "remove", type=CANDIDATE, group="department-fire")
    link(designer, task, type=CANDIDATE, user="li")

    with pytest.raises(NotPermitted, match="it is for li"), supervisor.acting() as session:
        tasks.claim(session, task.id, actor=supervisor.actor)


def test_search__by_candidate_and_owner(stage, designer, task):
    link(designer, task, type=CANDIDATE, user="li")
    link(designer, task, type=LinkType.OWNER, user="wang")

    def found(user, owner):
        with stage.reading() as session:
            conditions = task_lists.for_candidate(session, user), task_lists.FILTERS["owner"].condition(owner)
            return [row.Task.id for row in task_lists.search(stage.person("admin").actor, *conditions).rows(session)]

    assert found("li", "wang") == found("officer-fire", "wang") == [task.id]
    assert found("wang", "wang") == found("li", "li") == []


def test_nobodys__whoever_tries_a_process_out_does_it(stage, designer, li):
    plain = d.diagram(d.start("s"), d.user("t", name="登记"), d.end("e"), d.flows("s -> t -> e"), key="plain")
    stage.deploy("plain", plain_bpmn=plain)
    task = stage.task(stage.of(designer.start("plain")), "登记")

    with pytest.raises(NotFound), li.acting() as session:
        tasks.complete(session, task.id, actor=li.actor, data={})
    with designer.acting() as session:
        tasks.complete(session, task.id, actor=designer.actor, data={})
