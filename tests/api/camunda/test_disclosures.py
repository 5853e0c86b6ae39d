"""Which of the answers the system of a department is shown: those that the matter gives to its items, as in the case."""

from base64 import b64encode

import pytest

from tests import tiny
from tests.api.bundle import APPLICANT, complete, item, submit
from tests.api.camunda.conftest import Client
from tests.api.camunda.test_external_tasks import fetch
from tests.bpmn import diagrams as d
from tests.bpmn.definitions import parameters

QUESTIONS = (
    ("size", "面积", "number", "alpha"),
    ("wedlock", "是否婚生", "boolean", "beta"),
    ("phone", "电话", "text", "*"),
    ("note", "备注", "text", None),
)
ANSWERS = {"size": 80, "wedlock": True, "phone": "0731", "note": "x"}


def checked(code, department, **inputs):
    """An item that a program of its department looks at."""
    return tiny.item(
        code,
        d.start("s"),
        d.external("check", topic=f"check-{code}", ext=parameters(inputs=inputs) if inputs else ""),
        d.external("again", topic="again"),
        tiny.decision(code, department),
        d.end("e"),
        d.flows("s -> check -> again -> decide -> e"),
        department=department,
    )


def files(questions=QUESTIONS, handed=(), **inputs):
    """A bundle of two departments, which asks what each needs; `handed` by name to the item alpha, `inputs` to its task."""
    own = {"alpha": checked("alpha", "market", **inputs), "beta": checked("beta", "fire")}
    made = tiny.folder({"alpha": {}, "beta": {}}, processes=own)
    table = tiny.table_of("situations", (), ("id", "ask", "type", "used_by"), questions).replace('"UNIQUE"', '"COLLECT"')
    made["tiny_dmn"] = made["tiny_dmn"].replace(b"</definitions>", f"{table}</definitions>".encode())
    for name in handed:
        call = b'calledElement="alpha"'
        before, _, after = made["tiny_bpmn"].partition(call)
        ins = f'<camunda:in source="{name}" target="{name}"/>'.encode()
        made["tiny_bpmn"] = before + call + after.replace(b"<bpmn:extensionElements>", b"<bpmn:extensionElements>" + ins, 1)
    return {f"{name.rpartition('_')[0]}.{name.rpartition('_')[2]}": content for name, content in made.items()}


@pytest.fixture
def systems(app, admin):
    """The systems of both departments."""

    def system(department):
        name, password = f"system-of-{department}", "something long"
        assert admin.post("/accounts", {"name": name, "password": password}).status_code == 201
        assert admin.post(f"/accounts/{name}/grants", {"role": "system", "department": department}).status_code == 200
        client = Client(app, name)
        client.headers = {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}
        return client

    return [system(department) for department in ("market", "fire")]


@pytest.fixture
def begin(clerk, designer):
    """Deploy the bundle, and have a case accepted."""

    def begin(**drawn):
        answer = designer.deploy(files(**drawn), name="tiny")
        assert answer.status_code == 200, answer.json
        case = submit(clerk, matter="tiny", answers=ANSWERS, materials=[], applicant=APPLICANT)
        complete(clerk, case, "一窗受理", outcome="accept")
        return clerk.get(f"/cases/{case['number']}").json

    return begin


def answered(variables):
    """Which of the answers are there."""
    return {name: variables[name]["value"] for name in ANSWERS if name in variables}


def processes(client):
    """Processes that one sees, by what they run."""
    return {row["definitionId"].partition(":")[0]: row["id"] for row in client.get("/process-instance").json}


OF_MARKET, OF_FIRE = ({name: value for name, value in ANSWERS.items() if name != other} for other in ("wedlock", "size"))


def test_fetch__answers_that_are_for_the_item(systems, begin):
    """Also of what is asked for by name; facts of the applicant, and what is said of nobody, are there as ever."""
    begin()
    market, fire = systems

    (own,) = fetch(market, topics=["check-alpha"])
    (other,) = fetch(fire, topics=["check-beta"], variables=["size", "wedlock"])

    assert answered(own["variables"]) == OF_MARKET
    assert own["variables"]["applicant_kind"]["value"] == APPLICANT["kind"]
    assert other["variables"].keys() == {"wedlock"}


def test_fetch__as_the_case_says(systems, begin):
    """A department is shown no answer there that it is not shown in the case, but those that are for nobody in particular."""
    case = begin()
    market, _fire = systems

    (task,) = fetch(market, topics=["check-alpha"])

    shown = market.get(f"/cases/{case['number']}", prefix="/api/v1").json["answers"]
    assert answered(task["variables"]) == shown | {"note": "x"}


def test_fetch__nothing_said_in_the_table(systems, begin):
    """A matter that does not say for whom its answers are tells them to all, as before."""
    begin(questions=[(*question[:3], None) for question in QUESTIONS])

    for system, code in zip(systems, ("alpha", "beta"), strict=True):
        (task,) = fetch(system, topics=[f"check-{code}"])
        assert answered(task["variables"]) == ANSWERS


@pytest.mark.parametrize("drawn", [{"wedlock": "${wedlock}"}, {"handed": ["wedlock"]}])
def test_fetch__what_the_diagram_hands_on(systems, begin, drawn):
    """By an input parameter of the task, or a mapping of the call of its item."""
    begin(**drawn)

    (task,) = fetch(systems[0], topics=["check-alpha"])

    assert answered(task["variables"]) == ANSWERS


def test_fetch__what_the_process_has_set(systems, begin):
    """What a program before has found to be otherwise is no answer any more."""
    begin()
    market, _fire = systems
    (task,) = fetch(market, topics=["check-alpha"])
    market.post(
        f"/external-task/{task['id']}/complete", {"workerId": "w", "variables": {"wedlock": {"value": False}, "found": {"value": 1}}}
    )

    (again,) = fetch(market, topics=["again"])

    assert answered(again["variables"]) == ANSWERS | {"wedlock": False}
    assert again["variables"]["found"]["value"] == 1


def test_variables__of_its_process_and_of_others(systems, begin):
    """The bundle's own, without what is for others; nothing of another department's item."""
    begin()
    market, _fire = systems
    found = processes(market)

    own, bundle, foreign = (market.get(f"/process-instance/{found[key]}/variables").json for key in ("alpha", "tiny", "beta"))

    assert (answered(own), answered(bundle), foreign) == (OF_MARKET, OF_MARKET, {})
    for name, status in (("size", 200), ("wedlock", 404)):
        assert market.get(f"/process-instance/{found['alpha']}/variables/{name}").status_code == status


def test_variables__in_the_history(systems, begin):
    case = begin()
    market, fire = systems

    def told(client):
        rows = client.get("/history/variable-instance").json
        return {(row["processDefinitionKey"], row["name"]) for row in rows if row["name"] in ANSWERS}

    mine, theirs = told(market), told(fire)

    assert case
    assert mine == {(key, name) for key in ("alpha", "tiny") for name in OF_MARKET}
    assert theirs == {(key, name) for key in ("beta", "tiny") for name in OF_FIRE}
    assert market.get("/history/variable-instance/count").json["count"] == len(market.get("/history/variable-instance").json)


def test_variables__of_a_task(client, systems, begin):
    """An officer of the department is told no more by this face than by the other."""
    case = begin()
    market, _fire = systems
    for topic in ("check-alpha", "again"):
        (task,) = fetch(market, topics=[topic])
        market.post(f"/external-task/{task['id']}/complete", {"workerId": "w"})
    officer = client("officer-market")
    (decide,) = officer.get("/task", query_string={"processInstanceBusinessKey": case["number"]}).json

    assert answered(officer.get(f"/task/{decide['id']}/variables").json) == OF_MARKET
    assert answered(officer.get(f"/task/{decide['id']}/form-variables").json) == OF_MARKET


def test_variables__who_sees_the_bundle_whole(client, worker, begin):
    """The window, an administrator; and a program that works for all departments."""
    case = begin()
    clerk = client("clerk")
    found = processes(clerk)

    assert item(case, "alpha")
    for who in (clerk, client("admin"), worker):
        assert answered(who.get(f"/process-instance/{found['alpha']}/variables").json) == ANSWERS
