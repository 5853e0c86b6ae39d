"""The description of the interface: complete, true, and readable."""

import re
from contextlib import ExitStack, contextmanager

import pytest
import schemathesis
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from pydantic.json_schema import models_json_schema
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import openapi, reference
from api.contract import contract, contract_of
from api.shapes import Shape
from engine import grants
from engine.actors import Actor, Role, RoleGrant
from tests.api.bundle import accepted, item
from tests.api.conftest import MONDAY, Caller, serving
from tests.api.test_auth import basic
from tests.stage import furnish

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
]


def test_document__knows_every_route(app, nobody):
    document = nobody.get("/openapi.json").json
    described = {(f"/api/v1{path}", method) for path, methods in document["paths"].items() for method in methods}

    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1") and rule.endpoint != "v1.description.document":
            assert contract_of(app.view_functions[rule.endpoint]), rule.rule
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            assert {(path, m.lower()) for m in rule.methods - {"HEAD", "OPTIONS"}} <= described
    assert document["openapi"] == "3.1.0"
    assert len({o["operationId"] for methods in document["paths"].values() for o in methods.values()}) == len(described)


def test_document__is_made_once(app):
    """Anybody may ask for it, as often as he likes."""
    assert openapi.document(app) is openapi.document(app)


def test_document__is_made_of_models_that_are_built(monkeypatch):
    """What gives the schemas finds out whether a model is built, and then builds it: a request that builds it in between made that fail."""

    class Fresh(Shape):
        name: str

    @contract(summary="新 · Fresh", answer=Fresh)
    def show():
        raise AssertionError

    def given(models, **kwargs):
        built.extend(model.__pydantic_complete__ for model, _ in models)
        return models_json_schema(models, **kwargs)

    app, built = Flask("fresh"), []
    app.add_url_rule("/api/v1/fresh", "v1.fresh.show", show)
    monkeypatch.setattr(openapi, "models_json_schema", given)
    assert not Fresh.__pydantic_complete__

    assert "Fresh" in openapi.document(app)["components"]["schemas"]
    assert built == [True, True]  # and that of a problem


def test_document__has_two_languages(nobody):
    summaries = [o["summary"] for methods in nobody.get("/openapi.json").json["paths"].values() for o in methods.values()]

    assert [s for s in summaries if not re.fullmatch(r"[^\x00-\x7f].* · [A-Z][\x20-\x7e]+", s)] == []


def test_document__says_what_is_meant_by_fields(nobody):
    """What stands above a field in the source (`#:`), also of those that a shape has from another."""
    document = nobody.get("/openapi.json").json
    schemas = document["components"]["schemas"]
    said = {
        (name, field): inner.get("description") for name, schema in schemas.items() for field, inner in schema.get("properties", {}).items()
    }

    assert said["NewCase", "hall"] == "May be left out by those who work in one hall only."
    assert said["ItemShown", "remaining"] == "Working days left after today; negative: overdue."
    assert said["TaskDetails", "kind"] == said["TaskShown", "kind"] is not None
    assert said["Page_TaskShown_", "next"] == "None: this is the last page."
    assert said["PauseOrder", "days"] == "工作日 · Working days."
    archived = next(p for p in document["paths"]["/cases"]["get"]["parameters"] if p["name"] == "archived")
    assert archived["description"].startswith("true: those that have been put into the archive")


def test_document__says_what_every_field_of_a_command_means(nobody):
    schemas = nobody.get("/openapi.json").json["components"]["schemas"]
    bodies = [
        found["requestBody"]["content"]
        for methods in nobody.get("/openapi.json").json["paths"].values()
        for found in methods.values()
        if "requestBody" in found
    ]
    sent = {content["schema"]["$ref"].rpartition("/")[2] for each in bodies for kind, content in each.items() if kind == "application/json"}

    assert [
        f"{name}.{field}" for name in sent for field, inner in schemas[name].get("properties", {}).items() if "description" not in inner
    ] == []


def test_reference__needs_no_internet_and_no_script(nobody):
    page = nobody.client.get("/reference")

    text = page.get_data(as_text=True)
    assert page.content_type == "text/html; charset=utf-8"
    assert re.findall(r'(?:src|href)="(?:https?:)?//', text) == []
    assert "<script" not in text
    assert "style=" not in text
    assert "登录 · Log in" in text
    with nobody.client.get("/static/page.css") as sheet:
        assert sheet.status_code == 200


def test_reference__has_a_title_for_every_noun(nobody):
    tags = {o["tags"][0] for methods in nobody.get("/openapi.json").json["paths"].values() for o in methods.values()}

    assert tags == set(reference.SECTIONS)


def test_reference__explains_every_problem_that_a_route_may_answer_with(nobody):
    text = nobody.client.get("/reference").get_data(as_text=True)

    for methods in nobody.get("/openapi.json").json["paths"].values():
        for operation in methods.values():
            for status in operation["responses"]:
                assert int(status) < 400 or f'id="problem-{status}"' in text


@pytest.fixture
def both(sqlite, postgresql, tmp_path, compiled_once):
    """Applications on a database of each kind, with somebody who may do everything, and a bundle that is accepted."""
    with ExitStack() as stack:
        stack.enter_context(time_machine.travel(MONDAY))
        yield [stack.enter_context(_prepared(store, tmp_path / kind)) for kind, store in (("sqlite", sqlite), ("postgresql", postgresql))]


@contextmanager
def _prepared(store, folder):
    with store.branch(furnish).fresh() as url, serving(url, folder) as app:
        root = Actor(name="root", grants=(RoleGrant(role=Role.ADMIN),))
        with app.extensions["database"].transaction() as session:
            for role in Role:
                grants.grant(session, "admin", role, actor=root)
        yield app, _there(Caller(app, "clerk"))


def _there(clerk):
    """What there is, by the nouns of addresses."""
    case = accepted(clerk)
    return {
        "/cases": {"number": case["number"], "no": 1},
        "/items": {"number": item(case, "food_permit")["number"]},
        "/tasks": {"task_id": case["tasks"][0]["id"]},
        "/matters": {"key": "open_restaurant"},
        "/accounts": {"name": "clerk"},
        "/departments": {"code": "fire"},
        "/halls": {"code": "changsha"},
    }


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_route__answers_as_described(both, mode):
    """On both kinds of database at once: to think of what is sent takes longer than to answer it."""
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", both[0][0])
    operations = [found.ok() for found in described.get_all_operations()]

    explored = [operation for operation in operations if explore(operation, mode, both)]

    assert len(explored) > len(operations) / 2


def explore(operation, mode, both):
    """Send what the description allows, or forbids, also about things that are there; tell whether there is something to send."""
    noun = operation.path[: operation.path.find("/", 1)]

    @settings(max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode), real=booleans())
    def check(case, real):
        drawn = dict(case.path_parameters)
        for app, there in both:
            known = there.get(noun, {}) if real else {}
            case.path_parameters = drawn | {name: value for name, value in known.items() if name in drawn}
            answer = case.call(app=app, headers=basic("admin", "admin"))
            case.validate_response(answer, checks=CHECKS)

    try:
        check()
    except Unsatisfiable:  # a route that takes nothing takes nothing wrong
        return False
    return True
