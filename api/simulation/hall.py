"""A hall to try things out in: people act through HTTP, and time passes when told."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from engine import scheduler
from engine.calendars import BEIJING
from engine.database import Database
from engine.settings import Settings

#: What went wrong, not what was asked for.
WRONG = 400


class Refused(Exception):  # noqa: N818 - it names what happened
    """An answer other than 2xx."""

    def __init__(self, answer: TestResponse) -> None:
        self.status: int = answer.status_code
        self.problem: Mapping[str, Any] = answer.get_json(silent=True) or {}
        super().__init__(f"{self.status}: {self.words}")

    @property
    def words(self) -> str:
        """What the application says about it."""
        fields = "; ".join(str(error.get("message")) for error in self.problem.get("errors") or [])
        return str(self.problem.get("detail") or self.problem.get("message") or self.status) + (f" ({fields})" if fields else "")


class Hall:
    """An application on a furnished database, and the time in it."""

    def __init__(self, app: Flask, clock: time_machine.Traveller) -> None:
        self.app = app
        self.settings: Settings = app.extensions["settings"]
        self.database: Database = app.extensions["database"]
        self.clock = clock
        self._people: dict[str, Person] = {}

    def __getitem__(self, name: str) -> Person:
        if name not in self._people:
            self._people[name] = Person(self, name)
        return self._people[name]

    def at(self, moment: datetime | str) -> None:
        """Jump to a moment (local, when it has no zone) and let the scheduler do what is due."""
        moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        self.clock.move_to(moment if moment.tzinfo else moment.replace(tzinfo=BEIJING))
        self.tick()

    def tick(self) -> int:
        """Let the scheduler do what is due now."""
        return scheduler.drain(self.database)

    def close(self) -> None:
        """Give the database back."""
        self.database.close()


class Person:
    """Somebody with an account; the password is the name, unless it is another one."""

    def __init__(self, hall: Hall, name: str, password: str | None = None) -> None:
        self.hall, self.name = hall, name
        self.client = hall.app.test_client()
        self.headers = {"Authorization": "Basic " + b64encode(f"{name}:{password or name}".encode()).decode()}

    def get(self, path: str, **query: Any) -> Any:
        """Ask `/api/v1`."""
        return self._call("GET", f"/api/v1{path}", query_string=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Command `/api/v1`."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._call("POST", f"/api/v1{path}", json=body if body is not None else {}, headers=headers)

    def camunda(self, path: str, body: Any) -> Any:
        """Command `/engine-rest`."""
        return self._call("POST", f"/engine-rest{path}", json=body)

    def _call(self, method: str, path: str, headers: Mapping[str, str] | None = None, **what: Any) -> Any:
        answer = self.client.open(path, method=method, headers=self.headers | dict(headers or {}), **what)
        if answer.status_code >= WRONG:
            raise Refused(answer)
        return answer.get_json(silent=True)

    # What people do -------------------------------------------------------------------------------------------------------------------

    def submit(self, **submission: Any) -> Any:
        """Hand a bundle in."""
        return self.post("/cases", submission)

    def case(self, case: Any) -> Any:
        """Look at a case."""
        return self.get(f"/cases/{number(case)}")

    def tasks(self, **query: Any) -> list[Any]:
        """List open tasks."""
        found: list[Any] = self.get("/tasks", limit=100, **query)["data"]
        return found

    def task(self, case: Any, name: str, *, item: str | None = None) -> Any:
        """The open task of that name in a case; of one item when several have it."""
        seen = self.tasks(case=number(case))
        found = [task for task in seen if task["name"] == name and (item is None or task["item"] == item)]
        if len(found) != 1:
            raise Unmet(f"Expected {self.name} to have one task {name}, but there are {[task['name'] for task in seen] or 'none'}")
        return found[0]

    def complete(self, case: Any, name: str, *, item: str | None = None, **data: Any) -> Any:
        """Complete a task of a case."""
        return self.post(f"/tasks/{self.task(case, name, item=item)['id']}/complete", data)

    def hand_in(self, case: Any, *codes: str) -> list[Any]:
        """Hand materials in."""
        return [self.post(f"/cases/{number(case)}/materials", {"code": code}) for code in codes]

    def follow_on(self, case: Any, *codes: str) -> Any:
        """Ask that items join."""
        return self.post(f"/cases/{number(case)}/follow-on", {"items": list(codes)})

    def adopt(self, case: Any, item: str) -> Any:
        """Attach an item that runs elsewhere, by its number."""
        return self.post(f"/cases/{number(case)}/adopt", {"item_no": item})


class Unmet(Exception):  # noqa: N818 - it names what happened
    """Something that was expected is not so."""


def number(case: Any) -> str:
    """The number of a case."""
    found: str = case if isinstance(case, str) else case["number"]
    return found


def items(case: Any) -> dict[str, str]:
    """Status by code; of two items with one code the later."""
    return {item["code"]: item["status"] for item in case["items"]}


def item(case: Any, code: str) -> Any:
    """The item of that code in a case; of two the later."""
    found = [each for each in case["items"] if each["code"] == code]
    if not found:
        raise Unmet(f"Expected case {case['number']} to have the item {code}, but it has {', '.join(items(case))}")
    return found[-1]


def open_tasks(case: Any) -> dict[str, list[str]]:
    """Names of open tasks by group."""
    found: dict[str, list[str]] = {}
    for task in case["tasks"]:
        for group in task["groups"]:
            found.setdefault(group, []).append(task["name"])
    return {group: sorted(names) for group, names in found.items()}
