"""A release is rolled out while people work: nodes of the one before serve on, beside the new ones, when the schema is new already."""

import base64
import itertools
import json
import re
import socket
import urllib.error
import urllib.request

import pytest
from sqlalchemy import select, text

from engine import schema, verification
from engine.case_models import Case
from engine.database import Database
from tests import releases, restaurant
from tests.api.cli.test_serve import await_answer
from tests.stage import APPLICANT

#: What is entered for each kind of task.
DATA = {
    "intake": {"outcome": "accept"},
    "follow-on": {"outcome": "accept"},
    "decision": {"outcome": "granted"},
    "issuance": {"mode": "unified", "delivery": "window"},
    "rating": {"score": 5},
    "post-check": {"outcome": "verified", "findings": "as promised"},
}
BUNDLE = {
    "matter": "open_restaurant",
    "hall": "changsha",
    "applicant": APPLICANT,
    "answers": restaurant.ANSWERS,
    "materials": [{"code": code} for code in restaurant.MATERIALS],
}


@pytest.fixture
def database_url(empty_database_url):
    """An earlier release has made the schema."""
    return empty_database_url


@pytest.fixture
def older(request, start, environ, tmp_path):
    """Start a node of a release before; gives its environment."""
    folder = releases.unpack(request.param, tmp_path / "older")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    there = environ | {"PYTHONPATH": str(folder), "ONETHING_PORT": str(port)}

    def older(*words):
        node = start("serve", *words, **there)
        node.until("Serving")
        await_answer(there)
        return node

    older.environ = there
    return older


def call(environ, who, method, path, body=None, key=None):
    credentials = who if " " in who else "Basic " + base64.b64encode(f"{who}:{who}".encode()).decode()
    headers = {"Authorization": credentials, "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": key} if key else {}
    url = f"http://127.0.0.1:{environ['ONETHING_PORT']}/api/v1{path}"
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as refused:
        raise AssertionError(f"Expected {method} {url} to be done, but {refused.read().decode()}") from None


def finish(case, nodes):
    """Do whatever is open in a case, each time at another node, until it is over."""
    for node in itertools.islice(nodes, 100):
        seen = call(node, "admin", "GET", f"/cases/{case}")
        if seen["ended_at"] is not None:
            return
        for task in seen["tasks"][:1]:
            who = task["groups"][0].replace("department-", "officer-").replace("window", "clerk")
            call(node, who, "POST", f"/tasks/{task['id']}/complete", DATA[task["kind"]])
    raise AssertionError(f"Expected case {case} to end, but open are {[task['name'] for task in seen['tasks']]}")


def alone(node):
    """Take an item in that a bundle adopts while it runs; gives its number."""
    materials = [{"code": code} for code in ("m_layout_food", "m_food_rules", "m_plan", "m_premises")]
    case = call(node, "clerk", "POST", "/cases", BUNDLE | {"matter": "food_permit", "materials": materials})
    call(node, "clerk", "POST", f"/tasks/{case['tasks'][0]['id']}/complete", DATA["intake"])
    return case["items"][0]["number"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("older", ["0021"], indirect=True)
def test_rollout__older_nodes_serve_on(older, start, begin, environ, database_url):
    running = older("--sample")
    begun = call(older.environ, "clerk", "POST", "/cases", BUNDLE)["number"]

    left = migrated(begin)
    assert re.search(r"these may be some: onething 0021 serve \(process", left)
    assert "What only they use is left where it is, and this version serves beside them." in left
    new = begin("serve")
    new.until("Serving")
    await_answer(environ)
    nodes = itertools.cycle([older.environ, environ, environ, older.environ])
    finish(begun, nodes)
    for node, other in ((older.environ, environ), (environ, older.environ)):
        first, again = (call(each, "clerk", "POST", "/cases", BUNDLE, key=f"first at {node['ONETHING_PORT']}") for each in (node, other))
        assert first == again  # whichever node carried it out, and whichever is asked once more
        finish(first["number"], nodes)
        finish(call(node, "clerk", "POST", "/cases", BUNDLE | {"adopt": [alone(node)]})["number"], nodes)
    half = call(older.environ, "clerk", "POST", "/cases", BUNDLE)["number"]
    running.press_ctrl_c()
    assert running.ended() == 0
    finish(half, itertools.repeat(environ))
    again = older()
    finish(call(older.environ, "clerk", "POST", "/cases", BUNDLE | {"adopt": [alone(environ)]})["number"], nodes)
    again.press_ctrl_c()
    assert again.ended() == 0
    first = call(environ, "clerk", "POST", "/cases", BUNDLE, key="before")
    assert migrated(begin) == "The schema is the newest.\n"  # what only older nodes use is gone
    assert call(environ, "clerk", "POST", "/cases", BUNDLE, key="before") == first
    finish(first["number"], itertools.repeat(environ))
    late = start("serve", **older.environ)
    assert late.ended() == 1
    assert f"schema {schema.NEWEST} is newer than this version." in late.output
    new.press_ctrl_c()
    assert new.ended() == 0

    database = Database(database_url)
    assert list(verification.verify(database)) == []
    with database.reading() as session:
        assert [case.ended_at is not None for case in session.scalars(select(Case))] == [True] * 11
    database.close()


def migrated(begin):
    """Migrate with this version; gives what it says."""
    migrating = begin("migrate")
    assert migrating.ended() == 0
    return migrating.output


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("older", ["0028"], indirect=True)
def test_rollout__what_this_release_can_do_without(older, begin, environ, database_url):
    """This release serves beside nodes of the one before, before there is what it can do without, and after."""
    running = older("--sample")
    new = begin("serve")
    new.until("Serving")
    await_answer(environ)
    assert note(older.environ) is None
    assert f"schema 0028, newest {schema.NEWEST}" in note(environ)
    half = call(older.environ, "clerk", "POST", "/cases", BUNDLE)["number"]

    assert migrated(begin) == "The schema is the newest.\n"  # nobody is in its way

    assert note(environ) is None
    assert f"schema {schema.NEWEST} is newer than this version, which may serve on it for the time being" in note(older.environ)
    finish(half, itertools.cycle([older.environ, environ]))
    running.press_ctrl_c()
    assert running.ended() == 0
    again = older()
    finish(call(older.environ, "clerk", "POST", "/cases", BUNDLE)["number"], itertools.cycle([older.environ, environ]))
    for node in (again, new):
        node.press_ctrl_c()
        assert node.ended() == 0

    database = Database(database_url)
    assert list(verification.verify(database)) == []
    database.close()


def note(environ):
    """What a node says of the schema, beside that it is ready."""
    with urllib.request.urlopen(f"http://127.0.0.1:{environ['ONETHING_PORT']}/health/ready", timeout=60) as response:
        return json.loads(response.read()).get("note")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_rollout__a_node_on_the_schema_of_the_next_release(begin, environ, database_url):
    """It serves when it is started anew, for as long as nothing is taken away that it uses."""
    migrated(begin)
    database = Database(database_url)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    node = begin("serve")
    node.until("Serving")
    await_answer(environ)
    assert "schema 9999 is newer than this version, which may serve on it for the time being" in node.output

    with database.transaction() as session:
        session.execute(text("UPDATE compatibility SET oldest = '9999'"))
    again = begin("work")

    assert again.ended() == 1
    assert "schema 9999 is newer than this version. Serve with the version that migrated it, or a newer one." in again.output
    node.press_ctrl_c()
    assert node.ended() == 0
    database.close()
