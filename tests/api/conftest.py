"""An application on a database of its own, and the people who call it."""

import threading
from base64 import b64encode
from contextlib import contextmanager

import pytest
import time_machine

from api.camunda import polling
from engine import scheduler
from tests import sessions
from tests.api.bundle import ANSWERS, APPLICANT, MATERIALS
from tests.hall import application
from tests.stage import Beginning, Stage, furnish

MONDAY = "2026-03-02T09:00:00+08:00"


class Caller:
    """Somebody who calls the application over HTTP; `None` calls without saying who."""

    #: Under which of the faces the paths are.
    prefix = "/api/v1"

    def __init__(self, app, name=None):
        self.app = app
        self.client = app.test_client()
        self.headers = {} if name is None else {"Authorization": "Basic " + b64encode(f"{name}:{name}".encode()).decode()}

    def call(self, method, path, json=None, headers=(), prefix=None, **kwargs):
        kwargs |= {} if json is None else {"json": json}
        address = f"{self.prefix if prefix is None else prefix}{path}"
        return self.client.open(address, method=method, headers={**self.headers, **dict(headers)}, **kwargs)

    def get(self, path, **kwargs):
        return self.call("GET", path, **kwargs)

    def post(self, path, json=None, **kwargs):
        return self.call("POST", path, json, **kwargs)

    def put(self, path, json=None, **kwargs):
        return self.call("PUT", path, json, **kwargs)

    def delete(self, path, **kwargs):
        return self.call("DELETE", path, **kwargs)

    def page(self, path):
        return self.get(path, prefix="")


LATE = ("clerk", "clerk-yuelu")
BUNDLE = {"matter": "open_restaurant", "answers": ANSWERS, "materials": MATERIALS, "applicant": APPLICANT}


def _be_late(stage: Stage):
    for clerk in map(stage.person, LATE):
        (grant,) = clerk.actor.grants
        clerk.take_in(**BUNDLE, hall=grant.hall)
    stage.travel(2026, 3, 17)


#: What many tests begin with, by the fixture that gives it: it is played once for them all.
BEGINNINGS = {
    "submitted": Beginning(lambda stage: stage.person("clerk").submit(**BUNDLE)),
    "running": Beginning(lambda stage: stage.person("clerk").take_in(**BUNDLE)),
    "late": Beginning(_be_late),
}


@pytest.fixture
def beginning(request):
    """What the test begins with; None: with what is shipped."""
    (beginning,) = [begun for name, begun in BEGINNINGS.items() if name in request.fixturenames] or [None]
    return beginning


@pytest.fixture
def furnished_url(store, beginning):
    """URL of a database with all that is shipped, and what the test begins with, that no other test sees."""
    source = store.branch(furnish)
    with (source if beginning is None else source.branch(beginning.fill)).fresh(warm=True) as url:
        yield url


@pytest.fixture
def app(furnished_url, beginning, tmp_path, compiled_once):
    """The application with sample accounts and the shipped matters, on a Monday morning or when what the test begins with has ended."""
    with time_machine.travel(MONDAY if beginning is None else beginning.ended_at), serving(furnished_url, tmp_path) as app:
        yield app


@contextmanager
def serving(url, folder):
    """Have the application on a database, until the block ends."""
    app = application(url, folder)
    app.extensions["draining"].clear()  # it may have served another test
    yield app
    _await_watcher()
    sessions.park(app.extensions["database"])


def _await_watcher() -> None:
    """Wait for whoever looks for external tasks while somebody waits: a connection that he has out would be nobody's after the close."""
    for thread in threading.enumerate():
        if thread.name == polling.WATCHER:
            thread.join()


@pytest.fixture
def tick(app):
    """Let the scheduler do what is due now."""
    return lambda: scheduler.drain(app.extensions["database"])


@pytest.fixture
def call(app):
    """Make a caller."""
    return lambda name=None: Caller(app, name)


@pytest.fixture
def submitted(clerk):
    """A bundle that waits at the window."""
    return _only_case(clerk)


@pytest.fixture
def running(clerk):
    """A bundle whose departments work."""
    return _only_case(clerk)


@pytest.fixture
def late(call):
    """A bundle in each of two halls; on 17 March the promises of two items of each are over."""
    return [_only_case(call(name)) for name in LATE]


def _only_case(clerk):
    (listed,) = clerk.get("/cases").json["data"]
    return clerk.get(f"/cases/{listed['number']}").json


@pytest.fixture
def admin(call):
    return call("admin")


@pytest.fixture
def clerk(call):
    return call("clerk")


@pytest.fixture
def nobody(call):
    return call()


@pytest.fixture
def supervisor(call):
    return call("supervisor")


@pytest.fixture
def market(call):
    return call("officer-market")


@pytest.fixture
def fire(call):
    return call("officer-fire")
