"""A hall with everything in it: shipped matters, calendars, sample accounts."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from api.app import create_app
from api.simulation import hall as halls
from api.simulation.hall import Person, Refused, item, items, number, open_tasks
from engine.actors import Actor, Role, RoleGrant
from engine.calendars import BEIJING
from engine.files import FileStore
from engine.passwords import WELL_KNOWN
from engine.settings import Settings
from tests.stage import WORKFLOWS, furnish

__all__ = [
    "BEIJING",
    "OPERATOR",
    "WORKFLOWS",
    "Hall",
    "Person",
    "Refused",
    "application",
    "furnish",
    "item",
    "items",
    "number",
    "open_tasks",
]

OPERATOR = Actor(name="operator", grants=(RoleGrant(role=Role.DESIGNER), RoleGrant(role=Role.ADMIN)))


_applications: dict[str, Flask] = {}


def application(url: str, folder: Path) -> Flask:
    """Give the application on a database, with its files in a folder.

    Its routes take longer to compile than most tests take: what was made for one database is used for the next at its URL.
    """
    settings = Settings(database_url=url, data_dir=folder, max_upload=200_000)
    if url not in _applications:
        _applications[url] = create_app(settings, passwords=WELL_KNOWN)
    _applications[url].extensions |= {"settings": settings, "files": FileStore(folder / "materials")}
    return _applications[url]


class Hall(halls.Hall):
    """The hall on a database of the tests."""

    def __init__(self, url, folder, travel):
        super().__init__(application(url, folder), travel)
