"""Who asks: the session of a browser, HTTP Basic, or the key of a program.  Every route asks, save those marked `public`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from flask import Flask, Request, Response, after_this_request, current_app, g, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature
from werkzeug.datastructures import Authorization
from werkzeug.exceptions import Forbidden, Unauthorized

from api import addresses
from api.acquaintances import Acquaintances
from api.parts import database, passwords
from engine import accounts, moments
from engine.actors import Actor
from engine.key_uses import KeyUses

View = TypeVar("View", bound=Callable[..., Any])
#: The face of other programs, which knows no cookies (`api.camunda`).
PROGRAMS = "engine-rest"
#: What a cookie names; it is signed, so nobody else made it up.
LOG_IN = "log_in"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Sessions(SecureCookieSessionInterface):
    """Sessions in signed cookies; for a program, which sends no cookie, nothing is read or verified."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Open what the browser has brought, without asking when it was signed: the database knows how old the log-in is."""
        if "Cookie" not in request.headers:
            return self.session_class()
        signed, serializer = request.cookies.get(self.get_cookie_name(app)), self.get_signing_serializer(app)
        try:
            return self.session_class(serializer.loads(signed) if signed and serializer else None)
        except BadSignature:
            return self.session_class()

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:
        """Until when a browser is to keep it, by the clock of the database, which all nodes go by."""
        return moments.now() + app.permanent_session_lifetime if session.permanent else None


def public(view: View) -> View:
    """Mark a view that answers everybody."""
    view.public = True  # type: ignore[attr-defined]
    return view


def is_public(view: Callable[..., Any]) -> bool:
    """Tell whether a view answers everybody."""
    return getattr(view, "public", False)


def protect(app: Flask) -> None:
    """Ask who is there before every view that is not public."""
    app.session_interface = Sessions()
    app.extensions["acquaintances"], app.extensions["key_uses"] = Acquaintances(), KeyUses()
    app.before_request(_ask)


def look_again(answer: Response) -> Response:
    """Ask the database once more who everybody is, and what they may do: the request that is answered may have changed it."""
    _acquaintances().forget()
    return answer


def actor() -> Actor:
    """Give who asks; raises Unauthorized when nobody says who they are, or says it wrong."""
    found: Actor | None = g.get("actor")
    if found is None:
        found = g.actor = _identify()
    return found


def log_in(name: str, password: str) -> Actor:
    """Begin a browser's session; the one that it may have ends with that, and not before: what is in the way leaves it as it is."""
    found = _authenticate(name, password)
    with database().transaction() as writing:
        if LOG_IN in session:
            accounts.end(writing, UUID(session[LOG_IN]))
        begun = accounts.begin(writing, name)
    _acquaintances().forget()
    session.clear()
    session[LOG_IN], session.permanent = str(begun), True
    return found


def log_out() -> None:
    """End a browser's session, also for whoever has copied its cookie."""
    if LOG_IN in session:
        with database().transaction() as writing:
            accounts.end(writing, UUID(session[LOG_IN]))
        _acquaintances().forget()
    session.clear()


def by_credentials() -> Actor:
    """Give who asks by Basic or a key, never by a cookie; raises Unauthorized."""
    if request.authorization is None:
        raise Unauthorized("Expected HTTP Basic or a Bearer key, but nobody says who asks")
    g.actor = _by_header(request.authorization)
    return actor()


def _ask() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or PROGRAMS in request.blueprints:
        return  # no such route: that is the answer; or a face that asks for itself
    if request.method not in SAFE_METHODS:
        _refuse_forgery()
    if not is_public(view):
        actor()


def _identify() -> Actor:
    credentials = request.authorization
    if credentials is None and "Authorization" in request.headers:
        raise Unauthorized("Expected HTTP Basic or a Bearer key, but the Authorization header is another")
    if credentials is not None:
        return _by_header(credentials)
    if LOG_IN in session:
        found = _acquaintances().know(f"log-in {session[LOG_IN]}", _resume)
        if found is not None:
            return found
    raise Unauthorized("Expected to know who asks, but nobody is logged in")


def _by_header(credentials: Authorization) -> Actor:
    if credentials.type == "basic" and credentials.username is not None:
        return _authenticate(credentials.username, credentials.password or "")
    if credentials.type == "bearer" and credentials.token:
        key = credentials.token
        found = _acquaintances().know(f"key {key}", lambda: _by_key(key))
        if found is not None:
            return found
        raise Unauthorized("Expected a key that is in force, but this one is unknown or revoked")
    raise Unauthorized("Expected HTTP Basic or a Bearer key, but the Authorization header is another")


def _resume() -> Actor | None:
    with database().reading() as reading:
        return accounts.resume(reading, UUID(session[LOG_IN]))


def _by_key(key: str) -> Actor | None:
    with database().reading() as reading:
        found = accounts.authenticate_key(reading, key)
    uses: KeyUses = current_app.extensions["key_uses"]
    if found is not None and uses.is_due(key):
        after_this_request(partial(_note_use, partial(uses.note, database(), key)))
    return found


def _note_use(note: Callable[[], None], answer: Response) -> Response:
    """Note that a key was used when the answer has been sent: nobody waits for it."""
    answer.call_on_close(note)
    return answer


def _acquaintances() -> Acquaintances:
    found: Acquaintances = current_app.extensions["acquaintances"]
    return found


def _authenticate(name: str, password: str) -> Actor:
    found = None
    if "\0" not in name:  # PostgreSQL knows no such text
        found = accounts.authenticate(database(), name, password, passwords=passwords(), address=addresses.come_from())
    if found is None:
        # One answer in all cases: a stranger must not learn which names there are.
        raise Unauthorized("Expected name and password of an account, but they are wrong, or the account is locked for some minutes")
    return found


def is_ours(origin: str | None) -> bool:
    """Tell whether an Origin is this site, whatever else may be written there."""
    return origin is not None and origin.partition("://")[2] == request.host


def _refuse_forgery() -> None:
    """Refuse a command that another site made a browser send.

    A browser adds cookies and remembered Basic credentials by itself, but tells where a request comes from.  Whoever has
    a cookie must show that it comes from here; programs, which have none, need not.
    """
    headers = request.headers
    origin = headers.get("Origin")
    site = headers.get("Sec-Fetch-Site")
    ours = is_ours(origin)
    foreign = (origin is not None and not ours) or site in {"cross-site", "same-site"}
    shown = ours or site == "same-origin" or "X-Requested-With" in headers
    if foreign or not (shown or "Authorization" in headers or LOG_IN not in session):
        raise Forbidden("Expected a command that comes from this site, but nothing shows that; send the header X-Requested-With")
