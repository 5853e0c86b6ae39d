"""Drafts when their tasks are moved to another version: what was typed stays as far as the new form asks for it, and undo gives back the rest."""

from __future__ import annotations

import json

import pytest

from engine import case_migrations, drafts
from engine.columns import new_id
from engine.models import Task
from tests.bpmn import diagrams as d
from tests.bpmn.schemas import component
from tests.engine.test_case_migrations import KEPT, migrate, rows, undo
from tests.engine.test_drafts import discard, find, save
from tests.stage import DESIGNER

TYPED = {"opinion": "拟同意", "amount": 5, "fee": "免"}
LOST = (
    "The draft of 审查 loses amount: Expected amount to be text, but it is a number",
    "The draft of 审查 loses fee: Expected fields of the form only, but fee is none of them",
)


def form(**fields):
    """A generated form; fields are types by key."""
    made = [d.tag("camunda:formField", attrs={"id": key, "type": kind}) for key, kind in fields.items()]
    return d.tag("camunda:formData", *made)


def deploy(stage, key, name, asked):
    task = d.user(key, name=name, groups="department-market", ext=asked)
    content = d.start("s"), task, d.end("e"), d.flows(f"s -> {key} -> e")
    stage.deploy("check", check_bpmn=d.diagram(*content, key="check", attrs=KEPT))


@pytest.fixture
def store(sqlite):
    """One database: the locks of drafts are shown elsewhere on both."""
    return sqlite


@pytest.fixture
def task(stage):
    """A task of the old version; the new one asks for other things."""
    deploy(stage, "review", "审查", form(opinion="string", amount="long", fee="string"))
    instance = stage.somebody(*DESIGNER.grants).start("check")
    deploy(stage, "look", "复核", form(opinion="string", amount="string", remark="string"))
    return stage.all(Task, stage.of(instance))[0].id


@pytest.fixture
def batch():
    return new_id()


def move(stage, batch=None):
    (report,) = migrate(stage, "check", review="look", batch=batch)
    assert report.done
    return report


def test_move__keeps_what_the_new_form_asks_for(stage, market, task):
    saved = save(stage, market, task, TYPED)

    report = move(stage)

    assert report.notes == LOST
    found = find(stage, market, task)
    assert (found.data, found.saved_at, found.saved_by) == ({"opinion": "拟同意"}, saved.saved_at, "officer-market")
    save(stage, market, task, {"opinion": "拟同意", "remark": "已核"})


def test_move__a_draft_that_fits(stage, market, task):
    save(stage, market, task, {"opinion": "拟同意"})

    assert move(stage).notes == ()
    assert find(stage, market, task).data == {"opinion": "拟同意"}


def test_preview__says_it_and_leaves_the_draft_alone(stage, market, task):
    save(stage, market, task, TYPED)
    before = rows(stage)
    with stage.reading() as session:
        plan = case_migrations.plan(session, "check", source=1, target=2, renamed={"review": "look"})
        (about,) = case_migrations.affected(session, plan)

        report = case_migrations.preview(session, plan, about, actor=DESIGNER)

    assert (report.notes, report.done) == (LOST, False)
    assert rows(stage) == before


def test_move__refused_leaves_the_draft_alone(stage, market, task):
    save(stage, market, task, TYPED)

    (report,) = migrate(stage, "check")

    assert (report.done, report.notes) == (False, ())
    assert find(stage, market, task).data == TYPED


def test_move__to_whatever_form_is_the_newest(stage, market):
    """The form comes from another deployment than the diagram."""
    deploy(stage, "review", "审查", form(opinion="string", fee="string"))
    task = stage.all(Task, stage.of(stage.somebody(*DESIGNER.grants).start("check")))[0].id
    fields = [component("textfield", "opinion")]
    stage.deploy(
        "forms", **{"asked.form": json.dumps({"type": "default", "id": "asked", "schemaVersion": 19, "components": fields}).encode()}
    )
    newest = {"camunda:formRefBinding": "latest"}
    content = d.start("s"), d.user("look", form="asked", attrs=newest), d.end("e"), d.flows("s -> look -> e")
    stage.deploy("check", check_bpmn=d.diagram(*content, key="check", attrs=KEPT))
    save(stage, market, task, {"opinion": "拟同意", "fee": "免"})

    report = move(stage)

    assert report.notes == (LOST[1],)
    assert find(stage, market, task).data == {"opinion": "拟同意"}


def test_undo__as_it_was(stage, market, task, batch):
    save(stage, market, task, TYPED)
    before = rows(stage)
    move(stage, batch)

    (report,) = undo(stage, batch)

    assert (report.done, report.notes) == (True, ())
    assert rows(stage) == before


def test_undo__typed_on_since(stage, market, task, batch):
    """What the new form had no field for comes back beside what was typed since; what only the new form asks for goes."""
    save(stage, market, task, TYPED)
    move(stage, batch)
    save(stage, market, task, {"opinion": "拟不同意", "remark": "已核"})

    (report,) = undo(stage, batch)

    assert find(stage, market, task).data == {"opinion": "拟不同意", "fee": "免"}
    assert report.notes == ("The draft of 复核 loses remark: Expected fields of the form only, but remark is none of them",)


def test_undo__saved_first_since(stage, market, task, batch):
    move(stage, batch)
    save(stage, market, task, {"opinion": "拟同意", "remark": "已核"})

    undo(stage, batch)

    assert find(stage, market, task).data == {"opinion": "拟同意"}


def test_undo__thrown_away_since(stage, market, task, batch):
    save(stage, market, task, TYPED)
    move(stage, batch)
    discard(stage, market, task)

    undo(stage, batch)

    assert find(stage, market, task) is None


def test_move__there_and_back_and_there_again(stage, market, task, batch):
    save(stage, market, task, TYPED)
    move(stage, batch)
    undo(stage, batch)

    assert move(stage).notes == LOST
    with stage.reading() as session:
        assert drafts.find(session, task, actor=market.actor).data == {"opinion": "拟同意"}
