"""A new matter runs from the first moment: made, deployed, and played through HTTP."""

import yaml

from engine import deployments, folders, starters
from tests.acceptance.test_scenarios import expect, play
from tests.hall import OPERATOR


def test_new__its_scenario_passes(hall, tmp_path):
    folder = starters.create(tmp_path, "open_pharmacy", "开办药店")
    with hall.database.transaction() as session:
        for found in folders.read([folder]):
            deployments.deploy(session, found.name, found.resources, actor=OPERATOR)
    scenario = yaml.safe_load((folder / "scenarios/all-granted.yaml").read_text(encoding="utf-8"))
    hall.at(scenario["at"] if isinstance(scenario["at"], str) else scenario["at"].isoformat())

    case = hall["clerk"].submit(**scenario["submit"])
    expect(hall, case, scenario["expect"])
    for step in scenario["steps"]:
        play(hall, case, step)

    assert hall["admin"].case(case)["outcome"] == scenario["ends"]["outcome"]
