"""An application on a database of its own, and the people who call it."""

from base64 import b64encode

import pytest

from api.app import create_app
from engine import samples
from engine.passwords import WELL_KNOWN
from engine.settings import Environment, Settings


class Caller:
    """Somebody who calls the application over HTTP; `None` calls without saying who."""

    def __init__(self, app, name=None):
        self.client = app.test_client()
        self.name = name

    def get(self, path, **kwargs):
        return self._call("GET", path, **kwargs)

    def post(self, path, json=None, **kwargs):
        return self._call("POST", path, json=json, **kwargs)

    def _call(self, method, path, headers=(), **kwargs):
        headers = dict(headers)
        if self.name is not None:
            headers.setdefault("Authorization", "Basic " + b64encode(f"{self.name}:{self.name}".encode()).decode())
        return self.client.open(path if path.startswith("/api") else f"/api/v1{path}", method=method, headers=headers, **kwargs)


@pytest.fixture
def app(database_url, tmp_path):
    """The application, with sample accounts."""
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path, max_upload=200_000), passwords=WELL_KNOWN)
    with app.extensions["database"].transaction() as session:
        samples.seed(session, Environment.DEVELOPMENT)
    yield app
    app.extensions["database"].close()


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
