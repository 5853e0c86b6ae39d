"""Process definitions: what a version says of itself, the form of its start, and how many of it run."""

import json
from contextlib import closing

import pytest
from sqlalchemy import select

from api.app import create_app
from engine.case_models import Case
from engine.passwords import WELL_KNOWN
from engine.settings import Settings
from tests.api.camunda.conftest import Client, form_task
from tests.bpmn import diagrams as d

FORM = {
    "type": "default",
    "id": "apply",
    "schemaVersion": 16,
    "components": [{"type": "number", "key": "age", "label": "年龄", "validate": {"required": True}}],
}
FIELDS = d.tag(
    "camunda:formData",
    d.tag("camunda:formField", d.tag("camunda:validation", d.tag("camunda:constraint", attrs={"name": "required"})), attrs={"id": "n", "label": "份数", "type": "long", "defaultValue": "2"}),
    d.tag("camunda:formField", d.tag("camunda:value", attrs={"id": "a", "name": "甲"}), d.tag("camunda:value", attrs={"id": "b", "name": "乙"}), attrs={"id": "kind", "label": "类别", "type": "enum", "defaultValue": "b"}),
    d.tag("camunda:formField", attrs={"id": "urgent", "label": "加急", "type": "boolean"}),
)  # fmt: skip


def asking(**more):
    """A process whose start asks for something."""
    return d.diagram(d.start("s", **more), d.user("t", ext=FIELDS, groups="window"), d.end("e"), d.flows("s -> t -> e"), key="p")


@pytest.fixture
def by_file(designer):
    designer.deploy({"p.bpmn": asking(attrs={"camunda:formRef": "apply"}), "apply.form": json.dumps(FORM)}, name="p")
    return designer.get("/process-definition/key/p").json["id"]


@pytest.fixture
def generated(designer):
    designer.deploy({"p.bpmn": asking(ext=FIELDS)}, name="p")
    return designer.get("/process-definition/key/p").json["id"]


@pytest.mark.parametrize("path", ["{}", "key/p", "key/p/tenant-id/430100"])
def test_start_form__of_a_file(designer, by_file, path):
    of = f"/process-definition/{path.format(by_file)}"

    assert designer.get(f"{of}/startForm").json == {
        "key": None,
        "camundaFormRef": {"key": "apply", "binding": "deployment", "version": None},
        "contextPath": None,
    }
    assert designer.get(f"{of}/deployed-start-form").json == FORM
    assert designer.get(f"{of}/form-variables").json == {}
    assert designer.get(f"{of}/rendered-form").status_code == 404


def test_start_form__the_newest(designer):
    designer.deploy(
        {"p.bpmn": asking(attrs={"camunda:formRef": "apply", "camunda:formRefBinding": "latest"}), "apply.form": json.dumps(FORM)}
    )
    designer.deploy({"apply.form": json.dumps({**FORM, "components": []})}, name="newer")

    assert designer.get("/process-definition/key/p/startForm").json["camundaFormRef"]["binding"] == "latest"
    assert designer.get("/process-definition/key/p/deployed-start-form").json["components"] == []


def test_start_form__generated(designer, generated):
    of = f"/process-definition/{generated}"

    assert designer.get(f"{of}/startForm").json["key"] == f"embedded:engine://engine/:engine/process-definition/{generated}/rendered-form"
    assert designer.get(f"{of}/form-variables").json == {
        "n": {"value": 2, "type": "Long", "valueInfo": {}},
        "kind": {"value": "b", "type": "String", "valueInfo": {}},
        "urgent": {"value": None, "type": "Boolean", "valueInfo": {}},
    }
    assert set(designer.get(f"{of}/form-variables?variableNames=n").json) == {"n"}
    assert designer.get(f"{of}/deployed-start-form").status_code == 400


@pytest.mark.parametrize("of", ["/process-definition/key/p", "/task/{}"])
def test_rendered_form(client, designer, generated, of):
    designer.post("/process-definition/key/p/start", {})
    (task,) = client("clerk").get("/task?processDefinitionKey=p").json

    answer = client("admin").get(f"{of.format(task['id'])}/rendered-form")

    assert answer.content_type == "application/xhtml+xml"
    assert 'cam-variable-name="n" cam-variable-type="Long" required="required" value="2" />' in answer.text
    assert '<option value="b" selected="selected">乙</option>' in answer.text
    assert '<input type="checkbox" class="form-control" id="urgent"' in answer.text


def test_task_form__generated(client, designer, generated):
    started = designer.post("/process-definition/key/p/start", {"variables": {"n": {"value": 5}}}).json
    (task,) = client("clerk").get(f"/task?processInstanceId={started['id']}").json

    assert (
        client("clerk").get(f"/task/{task['id']}/form").json["key"] == f"embedded:engine://engine/:engine/task/{task['id']}/rendered-form"
    )
    shown = client("clerk").get(f"/task/{task['id']}/form-variables").json
    assert {name: typed["value"] for name, typed in shown.items()} == {"n": 5, "kind": "b", "urgent": None}


def test_task_form__by_the_name_of_its_file(client, designer):
    form_key = d.user("t", form_key="camunda-forms:deployment:apply.form", groups="window")
    designer.deploy(
        {"p.bpmn": d.diagram(d.start("s"), form_key, d.end("e"), d.flows("s -> t -> e"), key="p"), "apply.form": json.dumps(FORM)}
    )
    designer.post("/process-definition/key/p/start", {})

    (task,) = client("clerk").get("/task?processDefinitionKey=p").json

    assert (task["formKey"], task["camundaFormRef"]) == ("camunda-forms:deployment:apply.form", None)
    assert client("clerk").get(f"/task/{task['id']}/form").json["key"] == task["formKey"]
    assert client("clerk").get(f"/task/{task['id']}/deployed-form").json == FORM


def test_submit_form__is_checked(designer, by_file):
    def submit(**variables):
        return designer.post(
            f"/process-definition/{by_file}/submit-form", {"businessKey": "B", "variables": {k: {"value": v} for k, v in variables.items()}}
        )

    refused, done = submit(), submit(age=7)

    assert (refused.status_code, "年龄" in refused.json["message"]) == (400, True)
    assert (done.status_code, done.json["businessKey"]) == (200, "B")
    assert designer.get(f"/process-instance/{done.json['id']}/variables/age").json["value"] == 7
    assert designer.post(f"/process-definition/{by_file}/start", {}).status_code == 200  # whoever starts it otherwise fills in no form


def test_start_form__nobody_starts_it(designer):
    designer.deploy({"p.bpmn": d.diagram(d.start("s", message="called"), d.user("t"), d.end("e"), d.flows("s -> t -> e"), key="p")})

    statuses = {
        path: designer.get(f"/process-definition/key/{path}").status_code for path in ("p/startForm", "x/startForm", "p/form-variables")
    }

    assert statuses == {"p/startForm": 400, "x/startForm": 404, "p/form-variables": 400}


def test_definition__says_of_itself(designer):
    said = {"camunda:versionTag": "条例 2026", "camunda:historyTimeToLive": "P180D", "camunda:isStartableInTasklist": "false"}
    designer.deploy({"p.bpmn": d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="p", attrs=said), "q.bpmn": form_task("q")})

    p, q = (designer.get(f"/process-definition/key/{key}").json for key in "pq")

    shown = ("versionTag", "historyTimeToLive", "startableInTasklist")
    assert [[of[name] for name in shown] for of in (p, q)] == [["条例 2026", 180, False], [None, None, True]]
    assert [one["key"] for one in designer.get("/process-definition?versionTag=条例 2026").json] == ["p"]
    assert "p" not in [one["key"] for one in designer.get("/process-definition?startableInTasklist=true").json]


def test_list__filtered(designer):
    for _ in range(2):
        designer.deploy({"p.bpmn": form_task()}, **{"enable-duplicate-filtering": "false"})

    def versions(query):
        return [one["version"] for one in designer.get(f"/process-definition?key=p&{query}").json]

    assert versions("sortBy=version&sortOrder=desc") == [2, 1]
    assert (versions("latestVersion=true"), versions("version=1"), versions("nameLike=登记%25"), versions("resourceName=x")) == (
        [2],
        [1],
        [1, 2],
        [],
    )
    assert designer.get("/process-definition/count?keysIn=p,x").json == {"count": 2}
    assert designer.get("/process-definition?colour=red").status_code == 400


def test_start__where_the_installation_is(furnished_url, tmp_path):
    """The case of a process lies in the region of the installation, by which it is numbered."""
    app = create_app(Settings(database_url=furnished_url, data_dir=tmp_path, region="310000"), passwords=WELL_KNOWN)

    with closing(app.extensions["database"]) as database:
        Client(app, "designer").start(form_task())

        with database.reading() as session:
            (case,) = session.scalars(select(Case)).all()
    assert (case.region, case.number[:6]) == ("310000", "310000")
