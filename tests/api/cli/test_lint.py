"""`onething lint`."""

import json
import shutil
from pathlib import Path

import pytest

from engine import checks, deployments, folders
from engine.database import Database
from tests.bpmn import diagrams
from tests.hall import OPERATOR, WORKFLOWS

SOUND = {"name": "核验", "groups": "department-market", "form": "work"}
KEPT = {"camunda:historyTimeToLive": "P180D"}


def calling(path, key, *called):
    """Draw a process that calls others, in a folder of its own."""
    path.mkdir()
    calls = [diagrams.call(f"call_{each}", name=f"办理 {each}", of=each) for each in called]
    way = " -> ".join(["s", *(f"call_{each}" for each in called), "e"])
    (path / "p.bpmn").write_bytes(
        diagrams.diagram(diagrams.start("s"), *calls, diagrams.end("e"), diagrams.flows(way), key=key, attrs=KEPT)
    )


@pytest.fixture
def folder(tmp_path):
    """Nothing is wrong here: a process and its form."""
    good = tmp_path / "workflows" / "check"
    good.mkdir(parents=True)
    parts = (diagrams.start("s"), diagrams.user("work", **SOUND), diagrams.end("e"), diagrams.flows("s -> work -> e"))
    (good / "check.bpmn").write_bytes(diagrams.diagram(*parts, key="check", attrs=KEPT))
    (good / "work.form").write_text(json.dumps({"type": "default", "id": "work", "schemaVersion": 19, "components": []}))
    return good


def draw(folder, kind, name):
    """Draw something else in the same folder."""
    parts = (diagrams.start("s"), diagrams.element(kind, "paint", name=name), diagrams.end("e"), diagrams.flows("s -> paint -> e"))
    (folder / "painting.bpmn").write_bytes(diagrams.diagram(*parts, key="painting", attrs=KEPT))


def test_lint__sound_folder(run, folder):
    result = run("lint", str(folder))

    assert (result.exit_code, result.output) == (0, "2 files, 0 errors, 0 warnings\n")


def test_lint__refused(run, folder):
    draw(folder, "complexGateway", "上色")

    result = run("lint", str(folder))

    assert result.exit_code == 1
    assert f"{folder}/painting.bpmn:2: error: " in result.output
    assert "(paint 上色) [unsupported-element]" in result.output
    assert "docs/rules/<rule>.md" in result.output


def test_lint__copy_that_keeps_the_id(run, folder):
    """Deployed, it would be a new version of the original, and cases of that would begin with it."""
    copy = shutil.copytree(folder, folder.parent / "copy")

    together, alone, twice = run("lint", str(folder), str(copy)), run("lint", str(copy)), run("lint", str(folder), str(folder))

    assert (together.exit_code, alone.exit_code, twice.exit_code) == (1, 0, 0)
    told = f"{copy}/check.bpmn:2: error: Expected the process 'check' in one folder, but {folder}/check.bpmn has it, too"
    assert told in together.output
    assert "give the process another id [duplicate-key]" in together.output


SCENARIO = b"name: x\nat: 2026-03-02T09:00:00\nends: {}\nsubmit: {}\nsteps:\n"


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "broken.yaml to be a scenario, but the file: "),
        (b"name: x\nat: [", 2, "broken.yaml to be a scenario in YAML, but line 2 cannot be read: "),
        (b"name: x\nat: 2026-03-02T09:00:00\nends: {}\nsubmit: {}\n", 1, "broken.yaml to be a scenario, but steps: Field required"),
        (b"name: x\nat: soon\nsteps: []\nends: {}\nsubmit: {}\n", 2, "broken.yaml to be a scenario, but at: "),
        (SCENARIO + b"- as: clerk\n- as: clerk\n  do: it\n", 8, "broken.yaml to be a scenario, but steps.1.do: "),
        (SCENARIO + b"- hand_in:\n  - a\n  - b: c\n", 8, "broken.yaml to be a scenario, but steps.0.hand_in.1: "),
        (bytes(range(128, 256)), 1, "Expected to read the scenario broken.yaml, but "),
    ],
)
def test_lint__scenario_that_cannot_be_read(run, folder, content, line, message):
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "broken.yaml").write_bytes(content)

    result = run("lint", str(folder))

    assert result.exit_code == 1
    assert message in result.output
    assert "[not-a-scenario]" in result.output
    assert f"broken.yaml:{line}: error: " in result.output


def test_lint__called_from_a_folder_before(run, tmp_path):
    """In which order the folders are named, and how, is no matter."""
    calling(tmp_path / "gas", "gas", "permit")
    calling(tmp_path / "permits", "permit")

    result = run("lint", str(tmp_path / "gas"), str(tmp_path / "permits"))

    assert "2 files, 0 errors" in result.output


def test_lint__called_from_a_folder_that_cannot_be_read(run, tmp_path):
    """What is wrong there is told there, and not once more wherever it is called."""
    calling(tmp_path / "gas", "gas", "permit")
    calling(tmp_path / "permits", "permit")
    drawn = (tmp_path / "permits" / "p.bpmn").read_bytes()
    (tmp_path / "permits" / "p.bpmn").write_bytes(drawn.replace(b"startEvent", b"adHocSubProcess"))

    result = run("lint", str(tmp_path), "--format", "json")

    told = json.loads(result.output)["findings"]
    assert {Path(each["path"]).parent.name for each in told if each["severity"] == "error"} == {"permits"}


def test_lint__what_to_do_about_what_is_not_there(run, tmp_path):
    calling(tmp_path / "gas", "gas", "permit", "gass")

    result = run("lint", str(tmp_path))

    assert "none with the key 'permit': deploy it before this one, or together with it" in result.output
    assert "none with the key 'gass': did you mean 'gas'?" in result.output


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--strict",), 1)])
def test_lint__warnings(run, folder, options, status):
    draw(folder, "userTask", "上色")

    result = run("lint", str(folder), *options)

    assert result.exit_code == status
    assert result.output.endswith("3 files, 0 errors, 2 warnings\n")


def test_lint__hostile_file(run, folder):
    (folder / "bomb.bpmn").write_text('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')

    result = run("lint", str(folder))

    assert result.exit_code == 1
    assert "check/bomb.bpmn" in result.output


def test_lint__from_where_the_files_are(run, folder, monkeypatch):
    draw(folder, "complexGateway", "上色")
    monkeypatch.chdir(folder.parent)

    assert run("lint", "check").output.startswith("check/painting.bpmn:2: error: ")


def test_lint__json(run, folder):
    draw(folder, "complexGateway", "上色")

    result = run("lint", str(folder), "--format", "json")

    told = json.loads(result.output)
    assert (result.exit_code, told["files"]) == (1, 3)
    assert [(f["severity"], f["rule"], f["element"], f["element_name"], f["line"]) for f in told["findings"]] == [
        ("error", "unsupported-element", "paint", "上色", 2)
    ]
    assert told["findings"][0]["path"] == str(folder / "painting.bpmn")
    assert told["findings"][0]["page"] == "docs/rules/unsupported-element.md"


def test_lint__sarif(run, folder):
    draw(folder, "userTask", "上色")

    told = json.loads(run("lint", str(folder), "--format", "sarif").output)

    (log,) = told["runs"]
    assert (told["version"], log["tool"]["driver"]["name"]) == ("2.1.0", "onething")
    assert [(r["level"], r["ruleId"]) for r in log["results"]] == [("warning", "nobody-assigned"), ("warning", "no-form")]
    assert [(rule["id"], rule["help"]) for rule in log["tool"]["driver"]["rules"]] == [
        ("no-form", {"text": "See docs/rules/no-form.md"}),
        ("nobody-assigned", {"text": "See docs/rules/nobody-assigned.md"}),
    ]
    place = log["results"][0]["locations"][0]
    assert place["physicalLocation"]["region"] == {"startLine": 2}
    assert place["logicalLocations"] == [{"name": "上色", "fullyQualifiedName": "paint"}]


def test_lint__broken_template(run, folder):
    """Camunda Modeler offers no template at all when one file is broken."""
    templates = folder / ".camunda" / "element-templates"
    templates.mkdir(parents=True)
    (templates / "intake.json").write_text("{")

    result = run("lint", str(folder))

    assert result.exit_code == 1
    assert "intake.json to hold element templates" in result.output


def test_check__shipped_matters():
    found = list(checks.check(folders.read([WORKFLOWS])))

    assert [located.finding for located in found if located.finding.severity == "error"] == []
    assert {located.path.parent.name for located in found if located.finding.rule == "promise-not-kept"} == {"newborn", "open-restaurant"}


def test_check__says_what_a_deployment_says():
    """Save for what does not go with a deployment: scenarios and element templates."""
    found = folders.read([WORKFLOWS])
    database = Database("sqlite://")
    database.migrate()

    with database.transaction() as session:
        deployed = []
        for folder in found:
            deployed += deployments.check(session, folder.resources)
            deployments.deploy(session, folder.name, folder.resources, actor=OPERATOR)
    database.close()

    offline = [located.finding for located in checks.check(found) if located.finding.rule not in {"no-scenarios", "stale-template"}]
    assert deployed == offline
    assert Path(offline[0].resource).name == offline[0].resource
