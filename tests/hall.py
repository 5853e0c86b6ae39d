"""A hall with everything in it: shipped matters, calendars, sample accounts."""

from __future__ import annotations

from pathlib import Path

from api.simulation import hall as halls
from api.simulation.hall import Person, Refused, item, items, number, open_tasks
from engine import deployments, folders, holidays, samples
from engine.actors import Actor, Role, RoleGrant
from engine.calendars import BEIJING
from engine.database import Database
from engine.settings import Environment, Settings

__all__ = ["BEIJING", "OPERATOR", "WORKFLOWS", "Hall", "Person", "Refused", "furnish", "item", "items", "number", "open_tasks"]

WORKFLOWS = Path(__file__).parents[1] / "workflows"
OPERATOR = Actor(name="operator", grants=(RoleGrant(role=Role.DESIGNER), RoleGrant(role=Role.ADMIN)))


def furnish(url: str) -> None:
    """Migrate a database and load what is shipped: calendars, accounts, matters."""
    database = Database(url)
    database.migrate()
    with database.transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
        holidays.publish_shipped(session, WORKFLOWS / "calendars")
        for folder in folders.read([WORKFLOWS]):
            deployments.deploy(session, folder.name, folder.resources, actor=OPERATOR, source="shipped")
    database.close()


class Hall(halls.Hall):
    """The hall on a database of the tests."""

    def __init__(self, url, folder, travel):
        super().__init__(Settings(database_url=url, data_dir=folder, max_upload=2_000_000), travel)
