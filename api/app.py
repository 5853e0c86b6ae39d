"""The application: one Flask app with all the faces of the engine."""

from __future__ import annotations

import threading
from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

from api import auth, camunda, health, logbook, pages, problems, security, tracing, turns, v1
from api.repeats import Application
from engine import (
    accounts,
    deeds,  # noqa: F401 - runs what a request owes, right after its commit (`jobs.RUNNERS`)
)
from engine import settings as settings_
from engine.database import Database
from engine.files import FileStore
from engine.idempotency import Repeated
from engine.passwords import AT_ONCE, Passwords
from engine.schema import SERVER
from engine.settings import Environment, Settings


class OrJson(JSONProvider):
    """JSON by orjson: dates, ids and enums included."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        """Encode."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        """Decode."""
        return orjson.loads(s)


def create_app(settings: Settings | None = None, *, passwords: Passwords | None = None) -> Application:
    """Make the application; without settings, those of the environment."""
    settings = settings or settings_.load()
    app = Application("api")
    app.json = OrJson(app)
    app.config.update(
        SECRET_KEY=settings_.secret_key(settings),
        MAX_CONTENT_LENGTH=settings.max_upload,
        PERMANENT_SESSION_LIFETIME=accounts.LOGGED_IN_FOR,
        SESSION_COOKIE_NAME="onething",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.env is Environment.PRODUCTION,
    )
    app.extensions["settings"] = settings
    app.extensions["passwords"] = passwords or Passwords(at_once=settings.share(AT_ONCE))
    live, batch, region = settings.live_instances, settings.batch, settings.region
    app.extensions["database"] = Database(settings.database_url, live=live, name=SERVER, batch=batch, region=region)
    app.extensions["files"] = FileStore(settings.materials)
    app.extensions["draining"] = threading.Event()
    app.extensions["turns"] = app.wsgi_app = turns.Turns(app.wsgi_app, settings.share(settings.threads), free=health.PREFIX)  # type: ignore[method-assign]
    auth.public(app.view_functions["static"])
    logbook.keep(app)
    tracing.watch(app, app.extensions["database"])
    problems.register(app)
    security.harden(app)
    auth.protect(app)
    app.register_error_handler(Repeated, repeat)
    v1.register(app)
    camunda.register(app)
    app.register_blueprint(pages.bp)
    app.register_blueprint(health.bp)
    return app


def repeat(command: Repeated) -> Response:
    """Give the first answer again."""
    answer = Response(command.answer.body or None, status=command.answer.status, content_type="application/json")
    answer.headers["Idempotency-Replayed"] = "true"
    return answer
