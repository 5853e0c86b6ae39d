"""The six calls of Camunda Modeler: what its buttons send, and what it reads from the answers."""

import json

import pytest

from tests.api import bundle
from tests.api.camunda.conftest import MODELER, form_task
from tests.bpmn import diagrams as d

UNAUTHENTICATED = [
    {},
    {"Authorization": "undefined"},
    {"Authorization": "Basic eDp5"},
    {"Authorization": "Bearer x"},
    {"Cookie": "onething=x"},
]


@pytest.mark.parametrize("headers", UNAUTHENTICATED)
def test_list__unauthenticated(client, headers):
    answer = client().get("/deployment?maxResults=0", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json) == {"type", "message", "code"}


def test_list__by_basic(designer):
    answer = designer.get("/deployment?maxResults=0")

    assert (answer.status_code, answer.json, answer.headers["Content-Type"]) == (200, [], "application/json")


def test_list__by_key(app, client, admin):
    key = admin.post("/accounts/designer/keys", {"label": "Modeler"}).json["key"]

    answer = client().get("/deployment?maxResults=0", headers={"Authorization": f"Bearer {key}"})

    assert answer.status_code == 200


def test_list__by_a_session(clerk, client):
    clerk.client.post("/api/v1/sessions", json={"name": "clerk", "password": "clerk"}, headers={"X-Requested-With": "x"})

    assert clerk.client.get("/engine-rest/deployment?maxResults=0").status_code == 401


def test_list__slashes_of_an_address_with_a_slash_at_its_end(designer):
    answer = designer.get("//deployment?maxResults=0")

    assert (answer.status_code, answer.json) == (200, [])


@pytest.mark.parametrize(
    "path", ["/engine-rest/deployment", "/engine-rest//deployment/create", "/.well-known/camunda-automation-platform/webapps"]
)
def test_preflight__before_login(client, path):
    answer = client().call("OPTIONS", path, prefix="", headers={"Origin": "file://", "Access-Control-Request-Headers": "authorization"})

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert {"GET", "POST", "PUT", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))


def test_every_answer__may_be_read_by_modeler(client, designer):
    answers = [client().get("/deployment"), designer.get("/version"), designer.get("/nothing")]

    assert [answer.headers["Access-Control-Allow-Origin"] for answer in answers] == ["*"] * 3


def test_version(designer):
    assert designer.get("/version").json == {"version": "7.24.0"}


def test_deploy__chinese_names(designer):
    answer = designer.deploy({"一窗 受理.bpmn": form_task("登记"), '说明"1".txt': "附件"})

    ((key, definition),) = answer.json["deployedProcessDefinitions"].items()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.json["name"], answer.json["source"], answer.json["tenantId"]) == ("一窗 受理", "Camunda Modeler", None)
    assert (definition["id"], definition["key"], definition["version"], definition["resource"]) == (key, "登记", 1, "一窗 受理.bpmn")
    assert definition["deploymentId"] == answer.json["id"]


def test_deploy__unchanged(designer):
    first, second = (designer.deploy({"a.bpmn": form_task()}).json for _ in range(2))

    assert second == first


def test_deploy__unchanged_without_filter(designer):
    first, second = (designer.deploy({"a.bpmn": form_task()}, **{"enable-duplicate-filtering": "false"}).json for _ in range(2))

    assert [d["version"] for deployment in (first, second) for d in deployment["deployedProcessDefinitions"].values()] == [1, 2]


def test_deploy__changed(designer):
    designer.deploy({"a.bpmn": form_task()})

    changed = designer.deploy({"a.bpmn": form_task().replace("登记流程".encode(), "变更".encode())}).json

    assert [d["version"] for d in changed["deployedProcessDefinitions"].values()] == [2]


def test_deploy__cannot_run(designer):
    broken = d.diagram(d.start("s"), d.element("serviceTask", "work", name="办理"), d.end("e"), d.flows("s -> work -> e"), key="p")

    answer = designer.deploy({"流程.bpmn": broken})

    (error,) = answer.json["details"]["流程.bpmn"]["errors"]
    assert (answer.status_code, answer.json["type"]) == (400, "ParseException")
    assert answer.json["message"].startswith("ENGINE-09005 Could not parse BPMN process. Errors: \n* Expected service task “办理” (work)")
    assert f"| resource 流程.bpmn | line {error['line']} | column {error['column']}" in answer.json["message"]
    assert (error["mainElementId"], error["elementIds"]) == ("work", ["work"])
    assert error["line"] > 0
    assert designer.get("/process-definition?key=p").json == []


@pytest.mark.parametrize("content", [b"", b"<", b"no XML", "<a/>".encode("utf-16")])
def test_deploy__no_diagram(designer, content):
    answer = designer.deploy({"x.bpmn": content})

    assert answer.status_code == 400
    assert answer.json["message"].startswith("ENGINE-09005 Could not parse BPMN process.")


def test_deploy__no_files(designer):
    answer = designer.deploy({})

    assert (answer.status_code, answer.json["message"]) == (400, "Expected files to deploy, but there are none")


def test_deploy__by_a_clerk(client):
    answer = client("clerk").deploy({"a.bpmn": form_task()})

    assert (answer.status_code, answer.json["type"]) == (403, "AuthorizationException")


@pytest.mark.parametrize(("tenant", "status"), [("430100", 200), ("elsewhere", 400), ("", 200)])
def test_deploy__for_a_tenant(designer, tenant, status):
    assert designer.deploy({"a.bpmn": form_task()}, **{"tenant-id": tenant}).status_code == status


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}],
)
def test_deploy__from_a_page_of_another_site(designer, headers):
    answer = designer.post("/deployment/create", data={}, headers=headers)

    assert (answer.status_code, answer.json["type"]) == (403, "AuthorizationException")


@pytest.mark.parametrize("origin", ["file://", "null", "http://localhost"])
def test_deploy__from_our_own_page_or_modeler(designer, origin):
    answer = designer.post("/deployment/create", data={}, headers={"Origin": origin, "User-Agent": MODELER})

    assert answer.status_code == 400


def test_start__what_was_deployed(designer):
    (definition,) = designer.deploy({"登记.bpmn": form_task("登记")}).json["deployedProcessDefinitions"]

    answer = designer.post(f"/process-definition/{definition}/start", {"businessKey": "A-1", "variables": {"名": {"value": "张"}}})

    assert answer.status_code == 200
    assert answer.json | {"id": None} == {
        "links": [], "id": None, "definitionId": definition, "definitionKey": "登记", "businessKey": "A-1",
        "caseInstanceId": None, "ended": False, "suspended": False, "tenantId": None,
    }  # fmt: skip


def test_start__nothing_given(designer):
    designer.deploy({"a.bpmn": form_task()})

    answers = [
        designer.post(f"/process-definition/key/p{path}/start", {"businessKey": None, "variables": None})
        for path in ("", "/tenant-id/430100")
    ]
    answers.append(designer.post("/process-definition/key/p/start", data=b"", headers={"Content-Type": "application/json"}))

    assert [(answer.status_code, answer.json["businessKey"]) for answer in answers] == [(200, None)] * 3


def test_start__by_an_old_version(designer):
    (old,) = designer.deploy({"a.bpmn": form_task()}).json["deployedProcessDefinitions"]
    designer.deploy({"a.bpmn": form_task().replace("登记流程".encode(), "变更".encode())})

    assert designer.post(f"/process-definition/{old}/start", {}).json["definitionId"] == old


def test_start__runs_to_its_end(designer):
    straight = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="p")

    assert designer.start(straight)["ended"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/process-definition/nothing/start",
        "/process-definition/key/nothing/start",
        "/process-definition/p:1:00000000-0000-0000-0000-000000000000/start",
    ],
)
def test_start__nothing_there(designer, path):
    answer = designer.post(path, {})

    assert (answer.status_code, set(answer.json)) == (404, {"type", "message", "code"})


def test_start__matter(designer):
    answer = designer.post("/process-definition/key/open_restaurant/start", {"variables": {}})

    assert answer.status_code == 400
    assert "POST /api/v1/cases" in answer.json["message"]


def test_start__matter_with_what_a_submission_needs(client):
    variables = {
        "hall": {"value": "changsha"},
        "applicant": {"value": bundle.APPLICANT},
        "answers": {"value": json.dumps(bundle.ANSWERS), "type": "json"},
    }

    answer = client("clerk").post("/process-definition/key/open_restaurant/start", {"variables": variables})

    assert (answer.status_code, answer.json["definitionKey"]) == (200, "open_restaurant")
    assert answer.json["businessKey"].startswith("430100")


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{",
        b'"x"',
        b'{"variables": []}',
        b'{"variables": {"a": 1}}',
        b'{"variables": {"a": {"value": 1, "type": "Nothing"}}}',
        b'{"businessKey": 1}',
        b'{"startInstructions": [{}]}',
    ],
)
def test_start__unacceptable(designer, body):
    designer.deploy({"a.bpmn": form_task()})

    answer = designer.post("/process-definition/key/p/start", data=body)

    assert answer.status_code == 400
    assert {"type", "message"} <= set(answer.json)


@pytest.fixture
def cockpit(client):
    """Where the links of Modeler's notifications lead."""
    answer = client().get("/.well-known/camunda-automation-platform/webapps", prefix="")
    assert set(answer.json) == {"adminUrl", "cockpitUrl", "tasklistUrl"}
    return answer.json["cockpitUrl"].removeprefix("http://localhost")


def test_cockpit__a_deployment(designer, cockpit):
    deployed = designer.deploy({"a.bpmn": form_task()}).json["id"]

    page = designer.get(
        f"{cockpit}repository", prefix="", query_string={"deploymentsQuery": json.dumps([{"type": "id", "value": deployed}])}
    )

    assert page.status_code == 200
    assert "登记流程" in page.text
    assert "open_restaurant" not in page.text
    assert "open_restaurant" in designer.get(cockpit, prefix="").text


def test_cockpit__an_instance(designer, cockpit):
    started = designer.start(form_task(), {"note": {"value": "<script>"}}, business_key="A-7")

    page = designer.get(f"{cockpit}process-instance/{started['id']}", prefix="")

    assert page.status_code == 200
    assert all(words in page.text for words in ("登记流程", "A-7", "“登记” (t)", "&lt;script&gt;"))
    assert "<script>" not in page.text


def test_cockpit__what_is_not_yours(client, designer, cockpit):
    started = designer.start(form_task())

    statuses = [client(name).get(f"{cockpit}process-instance/{started['id']}", prefix="").status_code for name in ("clerk", None)]

    assert [*statuses, client("clerk").get(cockpit, prefix="").status_code] == [404, 401, 403]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/version"), ("GET", ""), ("GET", "/"), ("PATCH", "/deployment")]
)
def test_unknown__json(designer, method, path):
    answer = designer.call(method, path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/json")
    assert answer.json["type"] == "NotFoundException"


def test_deploy__changed_only(designer):
    """A diagram that has not changed keeps its version, unless a table or form that goes with it has changed."""
    changed_only = {"deploy-changed-only": "true", "enable-duplicate-filtering": "false"}
    form = {"f.form": json.dumps({"type": "default", "id": "f", "schemaVersion": 16, "components": []})}
    designer.deploy({"p.bpmn": form_task("p"), "q.bpmn": form_task("q"), **form})
    changed = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="q")

    def deployed(files):
        answer = designer.deploy(files, **changed_only).json
        return answer["id"], sorted((one["key"], one["version"]) for one in (answer["deployedProcessDefinitions"] or {}).values())

    first = deployed({"p.bpmn": form_task("p"), "q.bpmn": changed, **form})
    again = deployed({"p.bpmn": form_task("p"), "q.bpmn": changed, **form})
    other_form = deployed({"p.bpmn": form_task("p"), "q.bpmn": changed, "f.form": form["f.form"].replace('"f"', '"g"')})

    assert first[1] == [("q", 2)]
    assert again == first
    assert other_form[1] == [("p", 2), ("q", 3)]


def test_deploy__later(designer):
    assert designer.deploy({"p.bpmn": form_task()}, **{"deployment-activation-time": "2030-01-01T00:00:00.000+0800"}).status_code == 400
