"""`onething diff`."""

import json
import shutil

import pytest

from engine import deployments
from engine.database import Database
from tests.bpmn.diagrams import diagram, end, flows, start, user
from tests.hall import OPERATOR, WORKFLOWS


def drawn(groups):
    return diagram(
        start("s"), user("review", name="审查", groups=groups), end("e"), flows("s -> review -> e"), key="check", name="核验", attrs={"camunda:historyTimeToLive": "P180D"}
    )  # fmt: skip


@pytest.fixture
def versions(tmp_path):
    """Two versions of a diagram, as files."""
    paths = []
    for number, groups in enumerate(("market", "market,fire"), 1):
        paths.append(tmp_path / f"check-v{number}.bpmn")
        paths[-1].write_bytes(drawn(groups))
    return [str(path) for path in paths]


def test_diff__two_files(run, versions):
    result = run("diff", *versions)

    assert (result.exit_code, result.output) == (
        0,
        "check\n  ～ 修改 节点 “审查” (review) 候选组 candidate_groups: market ⇒ market, fire\n共 1 处改动 (1 changes)\n",
    )


def test_diff__json(run, versions):
    result = run("diff", *versions, "--format", "json")

    (change,) = json.loads(result.output)
    assert (change["kind"], change["id"], change["before"], change["after"]) == ("changed", "review", "market", "market, fire")


def test_diff__folders(run, tmp_path):
    changed = tmp_path / "open-restaurant"
    shutil.copytree(WORKFLOWS / "open-restaurant", changed)
    table = changed / "open-restaurant.dmn"
    table.write_text(table.read_text().replace("场所平面布置图", "场所平面图"))

    result = run("diff", str(WORKFLOWS / "open-restaurant"), str(changed))

    assert result.exit_code == 0, result.output
    assert result.output.startswith("materials\n  ～ 修改 规则 ")
    assert '"场所平面布置图" ⇒ "场所平面图"' in result.output


def test_diff__deployed_versions(run, environ):
    """Only the process that is meant, also when others were deployed with it."""
    run("migrate")
    database = Database(environ["ONETHING_DATABASE_URL"])
    for groups in ("market", "fire"):
        other = diagram(
            start("s"), user("u", name=groups), end("e"), flows("s -> u -> e"), key="other", attrs={"camunda:historyTimeToLive": "P1D"}
        )
        with database.transaction() as session:
            deployments.deploy(session, "check", {"check.bpmn": drawn(groups), "other.bpmn": other}, actor=OPERATOR)
    database.close()

    result = run("diff", "check:1", "check:2")

    assert (result.exit_code, result.output.splitlines()[1:]) == (
        0,
        ["  ～ 修改 节点 “审查” (review) 候选组 candidate_groups: market ⇒ fire", "共 1 处改动 (1 changes)"],
    )


def test_diff__deployed_with_a_file(run, environ, versions):
    run("migrate")
    database = Database(environ["ONETHING_DATABASE_URL"])
    with database.transaction() as session:
        deployments.deploy(session, "check", {"check.bpmn": drawn("market")}, actor=OPERATOR)
    database.close()

    assert run("diff", "check:1", versions[0]).output == "共 0 处改动 (0 changes)\n"


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("check:7", "check:8"), "Expected to find version 7 of check, but it is not deployed"),
        (("nowhere.bpmn", "nowhere.bpmn"), "but there is no such file or folder"),
    ],
)
def test_diff__refused(run, words, refusal):
    run("migrate")

    result = run("diff", *words)

    assert result.exit_code == 1
    assert refusal in result.output


def test_diff__broken_file(run, versions, tmp_path):
    broken = tmp_path / "broken.bpmn"
    broken.write_bytes(b"<nothing")

    result = run("diff", versions[0], str(broken))

    assert result.exit_code == 1
    assert "Expected files that can be read" in result.output
