"""A hall with everything in it: shipped matters, calendars, sample accounts; its people act through HTTP, and time passes when told."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from api.app import create_app
from engine import deployments, folders, holidays, samples, worker
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database
from engine.passwords import WELL_KNOWN
from engine.settings import Environment, Settings

WORKFLOWS = Path(__file__).parents[1] / "workflows"
BEIJING = ZoneInfo("Asia/Shanghai")
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


class Refused(AssertionError):  # noqa: N818 - it names what happened
    """An answer other than 2xx; the test that wants one catches it."""

    def __init__(self, answer):
        self.status, self.problem = answer.status_code, answer.get_json()
        super().__init__(f"{self.status}: {self.problem}")


class Hall:
    """An application on a furnished database, and the time in it."""

    def __init__(self, url, folder, travel):
        self.app = create_app(Settings(database_url=url, data_dir=folder, max_upload=2_000_000), passwords=WELL_KNOWN)
        self.database = self.app.extensions["database"]
        self.travel = travel

    def __getitem__(self, name):
        return Person(self, name)

    def at(self, moment):
        """Jump to a moment (local, when it has no zone) and let the scheduler do what is due."""
        moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        self.travel.move_to(moment if moment.tzinfo else moment.replace(tzinfo=BEIJING))
        self.tick()

    def tick(self):
        """Let the scheduler do what is due now."""
        return worker.drain(self.database)

    def close(self):
        self.app.extensions["database"].close()


class Person:
    """Somebody with an account; the password is the name, unless it is another one."""

    def __init__(self, hall, name, password=None):
        self.hall, self.name = hall, name
        self.client = hall.app.test_client()
        self.headers = {"Authorization": "Basic " + b64encode(f"{name}:{password or name}".encode()).decode()}

    def get(self, path, **query):
        return self._call("GET", path, query_string=query)

    def post(self, path, body=None, *, key=None):
        headers = {"Idempotency-Key": key} if key else {}
        return self._call("POST", path, json=body if body is not None else {}, headers=headers)

    def _call(self, method, path, headers=None, **what):
        answer = self.client.open(f"/api/v1{path}", method=method, headers=self.headers | (headers or {}), **what)
        if answer.status_code >= 400:
            raise Refused(answer)
        return answer.get_json()

    # What people do -------------------------------------------------------------------------------------------------------------------

    def submit(self, **submission):
        return self.post("/cases", submission)

    def case(self, case):
        return self.get(f"/cases/{number(case)}")

    def tasks(self, **query):
        return self.get("/tasks", limit=100, **query)["data"]

    def task(self, case, name, *, item=None):
        """The open task of that name in a case; of one item when several have it."""
        found = [t for t in self.tasks(case=number(case)) if t["name"] == name and (item is None or t["item"] == item)]
        assert len(found) == 1, f"{self.name} sees {[t['name'] for t in self.tasks(case=number(case))]}, not one {name}"
        return found[0]

    def complete(self, case, name, *, item=None, **data):
        return self.post(f"/tasks/{self.task(case, name, item=item)['id']}/complete", data)

    def hand_in(self, case, *codes):
        return [self.post(f"/cases/{number(case)}/materials", {"code": code}) for code in codes]

    def follow_on(self, case, *codes):
        return self.post(f"/cases/{number(case)}/follow-on", {"items": list(codes)})

    def adopt(self, case, item):
        return self.post(f"/cases/{number(case)}/adopt", {"item_no": item})


def number(case):
    return case if isinstance(case, str) else case["number"]


def items(case):
    """Status by code; of two items with one code the later."""
    return {item["code"]: item["status"] for item in case["items"]}


def item(case, code):
    """The item of that code in a case; of two the later."""
    return [found for found in case["items"] if found["code"] == code][-1]


def open_tasks(case):
    """Names of open tasks by group."""
    found = {}
    for task in case["tasks"]:
        for group in task["groups"]:
            found.setdefault(group, []).append(task["name"])
    return {group: sorted(names) for group, names in found.items()}
