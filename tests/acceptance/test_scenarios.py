"""Every scenario beside a matter, played through HTTP; a matter without scenarios is not shipped."""

from pathlib import Path

import pytest

from api.simulation import course, scenario
from tests.hall import WORKFLOWS

MATTERS = [folder for folder in sorted(WORKFLOWS.iterdir()) if list(folder.glob("*.bpmn")) and folder.name not in {"items", "post-check"}]
SCENARIOS = sorted(WORKFLOWS.glob("*/scenarios/*.yaml"))
#: So many different courses a bundle must have been shown to take.
FEWEST = 6


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parent.parent.name}/{file.stem}")
def test_scenario(hall, file):
    course.play(hall, scenario.read(file))


@pytest.mark.parametrize("matter", [folder for folder in MATTERS if folder.name != "single-item"], ids=lambda folder: folder.name)
def test_matter__has_scenarios(matter: Path):
    assert len(list((matter / "scenarios").glob("*.yaml"))) >= FEWEST
