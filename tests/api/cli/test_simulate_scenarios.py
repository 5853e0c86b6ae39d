"""`onething simulate`: cases that are written down beside a drawing are played."""

from xml.etree import ElementTree as ET

import pytest

from tests.api.cli.simulating import coverage
from tests.bpmn import definitions
from tests.bpmn.diagrams import (
    boundary,
    element,
    end,
    error_boundary,
    external,
    flows,
    message_catch,
    start,
    user,
)
from tests.hall import WORKFLOWS


def test_simulate__scenario_that_passes(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"

    result = simulate(folder, "--scenario", folder / "scenarios/all-granted.yaml", "--junit", tmp_path / "j.xml")

    assert result.exit_code == 0, result.output
    assert "告知承诺开店，全部准予" in result.output
    assert "03-04 10:00  officer-market   completes 食品经营许可审批 outcome=granted" in result.output
    assert 0 < coverage(result)["open_restaurant"] < 92
    cases = ET.parse(tmp_path / "j.xml").findall(".//testcase")
    assert [(case.get("name"), case.find("failure")) for case in cases] == [("告知承诺开店，全部准予", None)]


def test_simulate__scenario_that_fails(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"
    told = (folder / "scenarios/all-granted.yaml").read_text().replace("due: {food_permit: 2026-03-16", "due: {food_permit: 2026-03-17")
    (tmp_path / "wrong.yaml").write_text(told)

    result = simulate(folder, "--scenario", tmp_path / "wrong.yaml", "--junit", tmp_path / "j.xml")

    assert result.exit_code == 1
    assert "failed Step 2: Expected the promised due date of food_permit to be 2026-03-17, but found 2026-03-16" in result.output
    suite = ET.parse(tmp_path / "j.xml").find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite.find("testcase/failure").get("message").startswith("Step 2: Expected the promised due date")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("", "to be a scenario, but the file:"),
        ("steps: [", "to be a scenario in YAML, but line 1 cannot be read"),
        (
            "{name: n, at: 2026-03-02T09:00:00+08:00, submit: {}, steps: [{dance: yes}], ends: {outcome: open}}",
            "steps.0.dance: Extra inputs",
        ),
        ("{name: n, at: 2026-03-02T09:00:00+08:00, steps: [], ends: {}}", "it begins with `submit`, or with `start`"),
        ("{name: n, at: noon, submit: {}, steps: [], ends: {outcome: open}}", "but at:"),
    ],
)
def test_simulate__scenario_that_is_none(simulate, tmp_path, told, words):
    (tmp_path / "broken.yaml").write_text(told)

    result = simulate(WORKFLOWS / "open-restaurant", "--scenario", tmp_path / "broken.yaml")

    assert result.exit_code == 1
    assert words in result.output


def test_simulate__scenario_whose_step_is_refused(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"
    told = (
        (folder / "scenarios/all-granted.yaml")
        .read_text()
        .replace("as: officer-fire, complete: 消防承诺审查", "as: officer-urban, complete: 消防承诺审查")
    )
    (tmp_path / "wrong.yaml").write_text(told)

    result = simulate(folder, "--scenario", tmp_path / "wrong.yaml")

    assert result.exit_code == 1
    assert "failed Step 3: Expected officer-urban to have one task 消防承诺审查, but there are none" in result.output


LOAN = """
name: 借书
at: 2026-03-02T09:00:00+08:00
start: {process: p, variables: {days: 30}}
expect: {open: {readers: [选书]}, variables: {days: 30}}
steps:
  - {as: reader, complete: 选书, data: {title: 诗经}}
  - {as: register, perform: 登记, data: {shelf: A1}}
  - {expect: {open: {}, variables: {title: 诗经, shelf: A1}}}
  - {wait_until: 2026-03-05T10:00:00+08:00}
  - {send: returned, data: {late: false}}
ends: {end: back}
"""


@pytest.fixture
def loan(drawn):
    return drawn(
        start("s"),
        user("choose", name="选书", groups="readers"),
        external("note", name="登记", topic="register"),
        error_boundary("no", on="note", error="NO_CARD"),
        end("refused"),
        message_catch("wait", message="returned"),
        end("back"),
        flows("s -> choose -> note -> wait -> back", "no -> refused"),
    )


def test_simulate__scenario_of_a_process_without_a_matter(simulate, loan, tmp_path):
    (tmp_path / "loan.yaml").write_text(LOAN)

    result = simulate(loan, "--scenario", tmp_path / "loan.yaml")

    assert result.exit_code == 0, result.output
    assert "03-05 10:00                   the message returned comes in late=False  → back" in result.output
    assert "never reached: no" in result.output


def test_simulate__open_tasks_by_group(simulate, loan, tmp_path):
    (tmp_path / "loan.yaml").write_text(LOAN[: LOAN.index("steps:")] + "steps: []\nends: {}\n")

    assert "open  readers: 选书" in simulate(loan, "--scenario", tmp_path / "loan.yaml").output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("ends: {end: back}", "ends: {end: refused}", "Expected the end that was reached to be refused, but found back"),
        (
            "perform: 登记, data: {shelf: A1}",
            "perform: 登记, error: NO_CARD",
            "Step 3: Expected the variable shelf to be A1, but found None",
        ),
        ("complete: 选书", "complete: 还书", "Step 1: Expected 还书 to be open once, but there are ['选书']"),
        ("send: returned", "send: lost", "Step 5: "),
    ],
)
def test_simulate__scenario_of_a_process_that_goes_another_way(simulate, loan, tmp_path, before, after, words):
    (tmp_path / "loan.yaml").write_text(LOAN.replace(before, after))

    result = simulate(loan, "--scenario", tmp_path / "loan.yaml")

    assert result.exit_code == 1
    assert words in result.output


TOUR = """
name: 参观
at: 2026-03-02T09:00:00+08:00
start: {process: p, variables: {group: 7}}
steps:
  - {as: guide, raise_at: 带路, escalation: LATE}
  - {as: guide, raise_at: 带路, error: LOST}
  - {send: found, keys: {group: 7}, data: {place: 东门}}
  - {signal: closing, data: {hour: 17}}
  - {expect: {variables: {place: 东门}}}
ends: {end: home}
"""


@pytest.fixture
def tour(drawn):
    return drawn(
        start("s"),
        user("lead", name="带路", groups="guides"),
        boundary("late", definitions.escalation("LATE"), on="lead", interrupting=False),
        error_boundary("lost", on="lead", error="LOST"),
        message_catch("wait", message="found"),
        element("intermediateCatchEvent", "close", definitions.signal("closing")),
        end("told"),
        end("done"),
        end("home"),
        flows("s -> lead -> done", "late -> told", "lost -> wait -> close -> home"),
    )


def test_simulate__scenario_with_error_escalation_signal_and_keys(simulate, tour, tmp_path):
    (tmp_path / "tour.yaml").write_text(TOUR)

    result = simulate(tour, "--scenario", tmp_path / "tour.yaml")

    assert result.exit_code == 0, result.output
    assert "raises the escalation LATE at 带路  → late → told" in result.output
    assert "raises the error LOST at 带路  → lost → wait" in result.output
    assert "the message found comes in for group=7 place=东门  → close" in result.output
    assert "the signal closing is thrown hour=17  → home" in result.output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("keys: {group: 7}", "keys: {group: 8}", "failed Step 3: 400: "),
        ("escalation: LATE", "escalation: EARLY", "but nothing in its diagram catches escalation 'EARLY'"),
        ("raise_at: 带路, error: LOST", "raise_at: 带路", "steps.1: Value error, `raise_at` wants an `error` or an `escalation`"),
        ("raise_at: 带路, error: LOST", "error: LOST", "steps.1: Value error, an `error` wants `perform`, or `raise_at`"),
        ("raise_at: 带路, escalation: LATE", "escalation: LATE", "steps.0: Value error, an `escalation` wants `raise_at`"),
        ("send: found, keys", "keys", "steps.2: Value error, `keys` want `send`"),
        ("signal: closing, data: {hour: 17}", "withdraw: tobacco", "step 4 says `withdraw`, which does not go with `start`"),
        ("start: {process: p, variables: {group: 7}}", "submit: {}", "step 1 says `raise_at`, which does not go with `submit`"),
    ],
)
def test_simulate__scenario_whose_step_is_wrong(simulate, tour, tmp_path, before, after, words):
    (tmp_path / "tour.yaml").write_text(TOUR.replace(before, after))

    result = simulate(tour, "--scenario", tmp_path / "tour.yaml")

    assert result.exit_code == 1
    assert words in result.output
