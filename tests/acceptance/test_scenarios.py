"""Every scenario beside a matter, played through HTTP; a matter without scenarios is not shipped."""

from pathlib import Path

import pytest
import yaml

from tests import hall as halls
from tests.hall import WORKFLOWS, open_tasks

MATTERS = [folder for folder in sorted(WORKFLOWS.iterdir()) if list(folder.glob("*.bpmn")) and folder.name not in {"items", "post-check"}]
SCENARIOS = sorted(WORKFLOWS.glob("*/scenarios/*.yaml"))
#: So many different courses a bundle must have been shown to take.
FEWEST = 6


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_scenario(hall, file):
    scenario = yaml.safe_load(file.read_text(encoding="utf-8"))
    hall.at(scenario["at"].isoformat() if not isinstance(scenario["at"], str) else scenario["at"])
    case = hall["clerk"].submit(**scenario["submit"])
    expect(hall, case, scenario.get("expect", {}))

    for step in scenario["steps"]:
        play(hall, case, step)

    shown = hall["admin"].case(case)
    assert shown["outcome"] == scenario["ends"]["outcome"]


@pytest.mark.parametrize("matter", [folder for folder in MATTERS if folder.name != "single-item"], ids=lambda folder: folder.name)
def test_matter__has_scenarios(matter: Path):
    assert len(list((matter / "scenarios").glob("*.yaml"))) >= FEWEST


def play(hall, case, step):
    """One step: somebody acts, time passes, or something is expected."""
    unknown = set(step) - {"as", "complete", "item", "data", "hand_in", "follow_on", "adopt", "withdraw", "reason", "wait_until", "expect"}
    assert not unknown, f"a scenario step knows no {unknown}"
    if "wait_until" in step:
        hall.at(step["wait_until"] if isinstance(step["wait_until"], str) else step["wait_until"].isoformat())
    if "complete" in step:
        item = halls.item(hall["admin"].case(case), step["item"])["number"] if "item" in step else None
        hall[step["as"]].complete(case, step["complete"], item=item, **step.get("data", {}))
    if "hand_in" in step:
        hall[step["as"]].hand_in(case, *step["hand_in"])
    if "follow_on" in step:
        hall[step["as"]].follow_on(case, *step["follow_on"])
    if "adopt" in step:
        hall[step["as"]].adopt(case, step["adopt"])
    if "withdraw" in step:
        withdrawn = halls.item(hall["admin"].case(case), step["withdraw"])["number"]
        hall[step["as"]].post(f"/items/{withdrawn}/withdraw", {"reason": step["reason"]})
    expect(hall, case, step.get("expect", {}))


def expect(hall, case, expected):
    """What is named must be so; open tasks are named all or not at all."""
    shown = hall["admin"].case(case)
    statuses = halls.items(shown)
    if isinstance(expected.get("items"), list):
        assert sorted(statuses) == sorted(expected["items"])
    for code, status in dict(expected.get("items", {}) if isinstance(expected.get("items"), dict) else {}).items():
        assert (code, statuses[code]) == (code, status)
    if "open" in expected:
        assert open_tasks(shown) == {group: sorted(names) for group, names in expected["open"].items()}
    for code, due in expected.get("due", {}).items():
        assert (code, halls.item(shown, code)["promised_due"]["date"]) == (code, str(due))
    for code, light in expected.get("lights", {}).items():
        assert (code, halls.item(shown, code)["light"]) == (code, light)
