"""Bad input of every kind: a clear error each, nothing changed, nothing lost, the server alive."""

import pytest
from sqlalchemy import func, select

from engine import models
from tests import invariants
from tests.acceptance.applicants import restaurant
from tests.bpmn.diagrams import diagram, end, exclusive, flow, flows, start, user
from tests.hall import Refused, items

PLAIN = diagram(start("s"), user("a", name="审查"), end("e"), flows("s -> a -> e"), key="plain").decode()
ENTITY = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'
PYTHON = diagram(
    start("s"),
    exclusive("g", default="no"),
    end("e"),
    end("f"),
    flows("s -> g"),
    flow("g", "e", when="${__import__('os').system('true')}"),
    flow("g", "f", key="no"),
    key="python",
).decode()
ATTRIBUTES = PYTHON.replace("__import__('os').system('true')", "''.__class__.__base__")


def rows(hall):
    """How much there is of everything that a refused command could have left behind."""
    with hall.database.reading() as session:
        return {table.name: session.scalar(select(func.count()).select_from(table)) for table in models.Base.metadata.sorted_tables}


@pytest.fixture
def refused(hall):
    """Expect a refusal with this status that leaves every table as it was and the server alive; return the problem."""

    def expect(status, command):
        before = rows(hall)
        with pytest.raises(Refused) as caught:
            command()
        assert caught.value.status == status, caught.value.problem
        assert rows(hall) == before
        invariants.check(hall.database)
        assert hall["clerk"].get("/matters")["data"]
        return caught.value.problem

    return expect


def deploying(hall, content, name="p.bpmn"):
    return lambda: hall["designer"].post("/deployments", {"name": "attempt", "files": [{"name": name, "content": content}]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("<a><b></a>", "line 1"),
        (ENTITY, "DOCTYPE"),
        (BOMB, "DOCTYPE"),
        ("<!DOCTYPE html><a/>", "DOCTYPE"),
        (PLAIN[: len(PLAIN) // 2], "line"),
        (PYTHON, "__import__"),
        (ATTRIBUTES, "Expected"),
    ],
    ids=["empty", "not-xml", "external-entity", "entity-bomb", "doctype", "truncated", "python", "attributes"],
)
def test_deploy__hostile_or_broken(hall, refused, content, words):
    problem = refused(422, deploying(hall, content))

    assert problem["errors"]
    assert "Expected" in problem["detail"]
    assert words.lower() in (problem["detail"] + str(problem["errors"])).lower()


def test_deploy__twenty_megabytes(hall, refused):
    assert refused(413, deploying(hall, PLAIN + "<!--" + "x" * 20_000_000 + "-->"))["title"]


def test_deploy__an_element_that_does_not_run(hall, refused):
    drawn = (
        PLAIN.replace("<bpmn:userTask", "<bpmn:scriptTask")
        .replace("</bpmn:userTask", "</bpmn:scriptTask")
        .replace("userTask", "scriptTask")
    )

    problem = refused(422, deploying(hall, drawn))

    (finding,) = [e for e in problem["errors"] if e["severity"] == "error"][:1]
    assert (finding["element"], finding["element_name"], finding["resource"]) == ("a", "审查", "p.bpmn")
    assert finding["line"] > 0


def test_deploy__by_a_clerk(hall, refused):
    refused(403, lambda: hall["clerk"].post("/deployments", {"name": "x", "files": [{"name": "p.bpmn", "content": PLAIN}]}))


def test_check__says_the_same_as_a_deployment(hall):
    told = hall["designer"].post("/deployments/check", {"name": "x", "files": [{"name": "p.bpmn", "content": ENTITY}]})

    assert [finding["severity"] for finding in told["data"]] == ["error"]


def test_deploy__the_same_files_again_are_the_same_deployment(hall):
    first, second = deploying(hall, PLAIN)(), deploying(hall, PLAIN)()

    assert first == second
    assert [(d["key"], d["version"]) for d in first["definitions"]] == [("plain", 1)]


@pytest.fixture
def case(hall):
    return hall["clerk"].submit(**restaurant())


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"outcome": 7}, "outcome"),
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": "accept", "surprise": 1}, "surprise"),
        ({}, "outcome"),
        ({"outcome": "tolerate", "commitment_signed": "yes"}, "commitment_signed"),
    ],
    ids=["type", "option", "unknown", "missing", "checkbox"],
)
def test_complete__a_form_filled_in_wrongly(hall, refused, case, data, field):
    problem = refused(422, lambda: hall["clerk"].complete(case, "一窗受理", **data))

    assert field in {error["field"] for error in problem["errors"]}
    assert set(items(hall["clerk"].case(case)).values()) == {"submitted"}


def test_complete__a_task_that_is_not_yours(hall, refused, case):
    task = hall["clerk"].task(case, "一窗受理")

    for stranger in ("officer-fire", "clerk-yuelu", "designer"):
        refused(404, lambda: hall[stranger].post(f"/tasks/{task['id']}/complete", {"outcome": "accept"}))  # noqa: B023 - called at once


def test_complete__a_task_that_is_completed_already(hall, refused, case):
    task = hall["clerk"].task(case, "一窗受理")
    hall["clerk"].post(f"/tasks/{task['id']}/complete", {"outcome": "accept"})

    problem = refused(409, lambda: hall["clerk"].post(f"/tasks/{task['id']}/complete", {"outcome": "accept"}))

    assert "but it is completed" in problem["detail"]


def test_complete__twice_with_the_same_key(hall, case):
    task = hall["clerk"].task(case, "一窗受理")

    answers = [hall["clerk"].post(f"/tasks/{task['id']}/complete", {"outcome": "accept"}, key="k-1") for _ in range(2)]

    assert answers[0] == answers[1]
    assert len([e for e in hall["clerk"].get(f"/cases/{case['number']}/journal")["data"] if e["what"] == "case accepted"]) == 1


def test_complete__the_same_key_for_something_else(hall, refused, case):
    task = hall["clerk"].task(case, "一窗受理")
    hall["clerk"].post(f"/tasks/{task['id']}/complete", {"outcome": "accept"}, key="k-1")

    refused(422, lambda: hall["clerk"].post(f"/tasks/{task['id']}/complete", {"outcome": "refuse"}, key="k-1"))


def test_submit__for_a_matter_that_is_none(hall, refused):
    refused(404, lambda: hall["clerk"].submit(**restaurant() | {"matter": "open_a_moon_base"}))


def test_submit__answers_that_are_none(hall, refused):
    problem = refused(422, lambda: hall["clerk"].submit(**restaurant(q_area="big", q_colour="red")))

    assert {error["field"] for error in problem["errors"]} == {"answers.q_area", "answers.q_colour"}


def test_submit__an_identity_that_cannot_be(hall, refused):
    wrong = {"kind": "person", "name": "某人", "id_number": "430105198809211449"}

    problem = refused(422, lambda: hall["clerk"].submit(**restaurant(applicant=wrong)))

    assert problem["errors"][0]["field"] == "applicant.id_number"
