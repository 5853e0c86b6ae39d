"""An application on a database of its own, and the people who call it."""

import threading
from base64 import b64encode

import pytest
import time_machine

from api.camunda import polling
from engine import worker
from tests.hall import application

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


@pytest.fixture
def app(furnished_url, tmp_path, compiled_once):
    """The application with sample accounts and the shipped matters, on a Monday morning."""
    with time_machine.travel(MONDAY):
        app = application(furnished_url, tmp_path)
        app.extensions["draining"].clear()  # it may have served another test
        yield app
        _await_watcher()
        app.extensions["database"].close()


def _await_watcher() -> None:
    """Wait for whoever looks for external tasks while somebody waits: a connection that he has out would be nobody's after the close."""
    for thread in threading.enumerate():
        if thread.name == polling.WATCHER:
            thread.join()


@pytest.fixture
def tick(app):
    """Let the scheduler do what is due now."""
    return lambda: worker.drain(app.extensions["database"])


@pytest.fixture
def call(app):
    """Make a caller."""
    return lambda name=None: Caller(app, name)


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
