"""A new matter runs from the first moment: made, deployed, and played through HTTP."""

from api.simulation import course, scenario
from engine import deployments, folders, new_matters
from tests.hall import OPERATOR


def test_new__its_scenario_passes(hall, tmp_path):
    folder = new_matters.create(tmp_path, "open_pharmacy", "开办药店")
    with hall.database.transaction() as session:
        for found in folders.read([folder]):
            deployments.deploy(session, found.name, found.resources, actor=OPERATOR)

    course.play(hall, scenario.read(folder / "scenarios/all-granted.yaml"))
