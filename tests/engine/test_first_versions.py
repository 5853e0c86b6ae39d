"""First versions: a matter that nobody could apply for, or whose key nobody has chosen, is refused while nobody depends on it."""

from __future__ import annotations

import pytest

from engine import deployments
from engine.errors import InvalidInput
from tests import tiny
from tests.stage import DESIGNER

MODELERS = "Process_0abc123"


def files(key: str, *left_out: str) -> dict[str, bytes]:
    """A matter with one item; without some of its files."""
    found = {
        name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in tiny.folder({"alpha": {}}, key=key).items()
    }
    return {name: content for name, content in found.items() if name not in left_out}


def deploy(stage, resources, *, name="first"):
    with stage.database.transaction() as session:
        warned = []
        deployments.deploy(session, name, resources, actor=DESIGNER, warn=lambda finding: warned.append((finding.severity, finding.rule)))
        return warned


def refusals(stage, resources):
    """Rules for which a deployment is refused; nothing of it is stored."""
    before = stored(stage)
    with pytest.raises(InvalidInput) as caught:
        deploy(stage, resources)
    assert stored(stage) == before
    return [error["rule"] for error in caught.value.details["errors"]]


def stored(stage):
    with stage.reading() as session:
        return [row.Deployment.id for row in deployments.search().rows(session)]


def without_table(stage, key):
    """Store a matter as it was deployed before anybody was refused."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.first_versions.judged", lambda _session, _bundle, findings: findings)
        deploy(stage, files(key, f"{key}.dmn"))


def test_deploy__a_new_matter_without_its_table(stage):
    deploy(stage, files("others"), name="others")

    assert refusals(stage, files("first", "first.dmn", "alpha.bpmn")) == ["missing-table"]
    assert deploy(stage, files("first")) != [("error", "missing-table")]


def test_deploy__a_version_that_takes_the_table_away(stage):
    deploy(stage, files("first"))

    assert refusals(stage, files("first", "first.dmn", "alpha.bpmn")) == ["missing-table"]


def test_deploy__a_matter_that_is_deployed_without_its_table(stage):
    """Whoever depends on it deploys it again."""
    deploy(stage, files("others"), name="others")
    without_table(stage, "first")

    changed = files("first", "first.dmn", "alpha.bpmn")
    changed["first.bpmn"] = changed["first.bpmn"].replace(b"</bpmn:process>", b"<!-- anew --></bpmn:process>")

    assert ("warning", "missing-table") in deploy(stage, changed)
    assert deploy(stage, files("first"))


def test_deploy__an_item_where_a_table_of_limits_is_deployed(stage):
    """It has those of the table that was deployed last."""
    only = {"alpha.bpmn": files("first")["alpha.bpmn"]}
    shipped = len(stored(stage))
    deploy(stage, files("first"))

    assert ("warning", "missing-table") in deploy(stage, only, name="alone")
    assert len(stored(stage)) == shipped + 2


def test_deploy__under_the_id_that_modeler_gave(stage):
    assert refusals(stage, files(MODELERS)) == ["default-id"]
    assert "default-id" in refusals(stage, files("first") | {"alpha.bpmn": tiny.item(MODELERS)})


def test_deploy__again_under_the_id_that_modeler_gave(stage):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("engine.first_versions.judged", lambda _session, _bundle, findings: findings)
        deploy(stage, files(MODELERS))
    changed = files(MODELERS)
    changed[f"{MODELERS}.bpmn"] = changed[f"{MODELERS}.bpmn"].replace(b"</bpmn:process>", b"<!-- anew --></bpmn:process>")

    assert ("warning", "default-id") in deploy(stage, changed)


def test_check__says_what_a_deployment_would(stage):
    with stage.reading() as session:
        found = deployments.check(session, files(MODELERS))

    assert [finding.rule for finding in found if finding.refuses] == ["default-id"]
