"""Every error of every route is a problem document, and says nothing of what is inside."""

import base64
import io
import json
import sys
from uuid import UUID

import pytest
from flask import Flask

from api import problems, security
from engine import accounts, logs
from engine.errors import Busy, EngineError
from engine.settings import Environment
from tests.api.bundle import submission, submit


def check(answer, status):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == status
    assert {"type", "title", "detail"} <= set(answer.json)
    return answer.json


def test_refusal__title_is_the_docstring_of_its_class(admin):
    problem = check(admin.post("/accounts", {"name": "clerk"}), 409)

    assert problem["title"] == "The thing exists, but its status does not allow the command."
    assert problem["detail"] == "Expected to create account clerk, but there is one of that name"


def test_refusal__every_kind_has_its_status():
    assert set(problems.STATUSES) == set(EngineError.__subclasses__())


def test_command__somebody_else_holds_the_thing(admin, monkeypatch):
    def wait(*_args, **_kwargs):
        raise Busy("Expected to get hold of the case, but somebody else is working on it; try again")

    monkeypatch.setattr(accounts, "create", wait)

    answer = admin.post("/accounts", {"name": "new"})

    check(answer, 503)
    assert answer.headers["Retry-After"] == "1"


def test_command__is_logged_without_its_data(admin, capsys):
    admin.post("/accounts", {"name": "new", "display_name": "李雷", "password": "something long"})

    logged = capsys.readouterr()
    line = next(line for line in (logged.out + logged.err).splitlines() if "v1.accounts.create" in line)
    assert "admin" in line
    assert "201" in line
    assert "李雷" not in line
    assert "something long" not in line


def test_command__the_log_cannot_be_written(admin, monkeypatch):
    """It is done, and its sender is told so; a fault of ours is told, too."""
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    logs.configure(Environment.PRODUCTION)
    log.close()

    assert admin.post("/accounts", {"name": "new"}).status_code == 201
    monkeypatch.setattr(accounts, "listing", lambda *_args, **_kwargs: 1 / 0)
    check(admin.get("/accounts"), 500)


def test_command__not_permitted(clerk):
    check(clerk.post("/accounts", {"name": "new"}), 403)


@pytest.mark.parametrize("path", ["/nothing", "/cases/1/nothing", "/accounts/x/keys/1/revoke"])
def test_route__unknown(nobody, path):
    assert check(nobody.get(path), 404)["detail"] == f"Expected an address that is known here, but there is nothing at /api/v1{path}"


def test_route__nul_in_address(clerk):
    check(clerk.get("/a%00b"), 400)
    check(clerk.get("/accounts?cursor=%00"), 400)


def test_method__not_allowed(clerk):
    answer = clerk.client.delete("/api/v1/me", headers={})

    assert check(answer, 405)["detail"] == "Expected a method that this address has, but DELETE is none of them"
    assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"name": NaN}', b'{"name": "\\ud800"}', b"[" * 10_000, b'{"name": "a"} x'])
def test_body__no_json(admin, body):
    check(admin.post("/accounts", data=body, content_type="application/json"), 400)


def test_body__in_another_encoding(admin):
    """The mark with which some editors begin a file is passed over."""
    body = json.dumps({"name": "new", "display_name": "李雷"}, ensure_ascii=False)

    refused = admin.post("/accounts", data=body.encode("gbk"), content_type="application/json")
    taken = admin.post("/accounts", data=body.encode("utf-8-sig"), content_type="application/json")

    assert check(refused, 400)["detail"].startswith("Expected JSON in UTF-8, but ")
    assert (taken.status_code, taken.json["display_name"]) == (201, "李雷")


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/xml"])
def test_body__of_another_type(admin, media_type):
    check(admin.post("/accounts", data=b'{"name": "new"}', content_type=media_type), 415)


def test_body__too_large(admin):
    assert check(admin.post("/accounts", {"name": "x" * 300_000}), 413)["detail"].startswith("Expected a body that is no larger")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": "Li Lei"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "n" * 200}, "name"),
        ({"name": "new", "admin": True}, "admin"),
        ({"name": "new", "password": "short"}, "password"),
        ({"name": "new", "display_name": "a\0b"}, "display_name"),
        ({"name": "new", "display_name": {"a": [1, 2**63]}}, "display_name.a.1"),
        ([], ""),
        (None, ""),
        ("text", ""),
    ],
)
def test_body__unacceptable(admin, body, field):
    problem = check(
        admin.post("/accounts", body) if body is not None else admin.post("/accounts", data=b"null", content_type="application/json"), 422
    )

    assert field in [error["field"] for error in problem["errors"]]
    assert all(error["message"].startswith("Expected ") and ", but " in error["message"] for error in problem["errors"])


def test_body__every_fault_in_the_same_words(clerk):
    applicant = {"kind": "firm", "name": "", "id_number": "9" * 50, "dishonest": "no"}

    problem = check(clerk.post("/cases", {"matter": 5, "applicant": applicant, "answers": [], "materials": {}}), 422)

    assert {error["field"]: error["message"] for error in problem["errors"]} == {
        "matter": "Expected text, but it is something else",
        "applicant.kind": "Expected 'person' or 'enterprise', but it is something else",
        "applicant.name": "Expected a length of at least 1, but it is shorter",
        "applicant.id_number": "Expected a length of at most 40, but it is longer",
        "applicant.dishonest": "Expected true or false, but it is something else",
        "answers": "Expected an object, but it is something else",
        "materials": "Expected a list, but it is something else",
    }


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "unknown=1", "cursor=x", "cursor=bnVsbA==", "cursor=WyJhIiwiYiJd"]
)
def test_query__unacceptable(admin, query):
    problem = check(admin.get(f"/accounts?{query}"), 422)

    assert all(error["message"].startswith("Expected ") for error in problem["errors"])


def test_query__of_a_name_that_is_not_known(clerk):
    """Whoever filters by another word than the list does is told the words that it knows."""
    detail = clerk.get("/cases?applicant=91430100MA4L0F1A22").json["detail"]

    assert detail.startswith("Expected acceptable data, but applicant: Expected one of ")
    assert " applicant_number," in detail


def test_failure__tells_its_id_and_nothing_else(admin, monkeypatch, capsys):
    def fail(*_args, **_kwargs):
        raise RuntimeError("a secret")

    monkeypatch.setattr(accounts, "listing", fail)

    problem = check(admin.get("/accounts"), 500)

    assert "secret" not in str(problem)
    logged = capsys.readouterr()
    assert problem["instance"] in logged.out + logged.err
    assert admin.get("/me").status_code == 200


def test_answer__has_the_headers_that_protect(clerk):
    answer = clerk.get("/me")

    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("base", "stays"), [("http://localhost", False), ("https://localhost", True)])
def test_answer__to_whom_came_by_tls(base, stays):
    """Whoever has come that way comes that way again; what an answer says itself is not said twice."""
    plain = Flask(__name__)
    plain.add_url_rule("/", view_func=lambda: ("", {"cache-control": "max-age=60"}))
    security.harden(plain)

    answer = plain.test_client().get("/", base_url=base)

    assert ("Strict-Transport-Security" in answer.headers) is stays
    assert answer.headers.getlist("Cache-Control") == ["max-age=60"]


NUL = "a\0"


def cursor(*texts):
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode()


@pytest.mark.parametrize(
    "path",
    [
        f"/accounts?cursor={cursor(NUL)}",
        f"/accounts?cursor={cursor(['a'])}",
        f"/tasks?cursor={cursor('9999-12-31T23:59:59-08:00', str(UUID(int=1)))}",
        f"/deadlines?cursor={cursor('2026-03-02', NUL)}",
        "/tasks?due_before=9999-12-31T23:59:59-08:00",
        "/tasks?due_before=0001-01-01T00:00:00%2B08:00",
        "/tasks?due_before=10000-01-01T00:00:00Z",
        "/tasks?due_before=2026-03-02T00:00:00",
        "/metrics?since=0001-01-01&until=2026-03-02",
        "/metrics?since=2026-03-02&until=9999-12-31",
        "/metrics?since=2026-03-02&until=10000-01-01",
        "/deadlines?due_before=10000-01-01",
    ],
)
def test_query__of_what_no_calendar_and_no_database_has(admin, path):
    problem = check(admin.get(path), 422)

    assert {error["field"] for error in problem["errors"]} <= {"cursor", "due_before", "since", "until"}
    assert "Value error" not in problem["detail"]


@pytest.mark.parametrize(
    "path",
    [
        f"/tasks?cursor={cursor('2026-03-02T00:00:00', str(UUID(int=1)))}",
        "/tasks?due_before=9999-12-31T23:59:59Z",
        "/metrics?since=0001-01-02&until=9999-12-30",
        "/deadlines?due_before=9999-12-31",
    ],
)
def test_query__of_what_there_is_at_the_edge(admin, path):
    assert admin.get(path).status_code == 200


@pytest.mark.parametrize("number", ["2147483648", "9" * 19, "9" * 20, "9" * 5000])
def test_route__of_a_number_that_nothing_has(clerk, number):
    case = submit(clerk)["number"]

    check(clerk.get(f"/cases/{case}/materials/{number}"), 404)
    check(clerk.get(f"/cases/{case}/materials/{number}/file"), 404)


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "://", "null"])
def test_command__from_an_origin_that_is_none(admin, origin):
    check(admin.post("/accounts", {"name": "new"}, headers={"Origin": origin}), 403)


@pytest.mark.parametrize("depth", [150, 190, 250, 5000])
def test_body__deep(clerk, depth):
    """It is kept, and shown again, or refused; the case is none the worse."""
    answers = b'{"deep": ' + b"[" * depth + b"]" * depth + b"}"
    body = json.dumps(submission()).encode().replace(b'"answers": {', b'"answers": {"deep": ' + b"[" * depth + b"]" * depth + b", ", 1)

    answer = clerk.post("/cases", data=body, content_type="application/json")

    assert answer.status_code in {201, 400, 422}, answer.json
    if answer.status_code == 201:
        assert clerk.get(f"/cases/{answer.json['number']}").status_code == 200
    assert (
        clerk.post("/matters/open_restaurant/checklist", data=b'{"answers": ' + answers + b"}", content_type="application/json").status_code
        < 500
    )


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\u0000"'])
@pytest.mark.parametrize("path", ["/deployments", "/deployments/check"])
def test_deployment__of_a_form_whose_text_is_none(call, text, path):
    form = f'{{"type": "default", "id": {text}, "components": [{{"type": "textfield", "key": "a", "label": {text}}}]}}'

    answer = call("designer").post(path, {"name": "x", "files": [{"name": "a.form", "content": form}]})

    assert answer.status_code == (422 if path == "/deployments" else 200), answer.json
