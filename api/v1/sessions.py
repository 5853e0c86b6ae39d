"""Logging in and out (登录), and who one is."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field

from api import auth
from api.contract import answer, contract
from api.shapes import Body, Empty, Shape
from engine.actors import Actor, Role

bp = Blueprint("sessions", __name__)


class Login(Body):
    """Name and password of an account."""

    #: Name of the account.
    name: Annotated[str, Field(min_length=1, max_length=80)]
    #: Its password.
    password: Annotated[str, Field(min_length=1, max_length=1000)]


class RoleGranted(Shape):
    """A role, and where it holds; null: everywhere."""

    role: Role
    department: str | None
    hall: str | None


class Me(Shape):
    """Who is logged in."""

    name: str
    display_name: str
    grants: list[RoleGranted]


@bp.post("/login")
@auth.public
@contract(summary="登录 · Log in", body=Login, answer=Me, problems=(401,), description="Begins the session of a browser (cookie).")
def log_in(body: Login) -> Response:
    """Log in with name and password."""
    return answer(_me(auth.log_in(body.name, body.password)))


@bp.post("/logout")
@auth.public
@contract(summary="退出 · Log out", answer=Empty)
def log_out() -> Response:
    """Log out."""
    auth.log_out()
    return answer({})


@bp.get("/me")
@contract(summary="当前账号 · Who is logged in", answer=Me)
def me() -> Response:
    """Tell who is logged in."""
    return answer(_me(auth.actor()))


def _me(actor: Actor) -> dict[str, Any]:
    grants = [{"role": g.role, "department": g.department, "hall": g.hall} for g in actor.grants]
    return {"name": actor.name, "display_name": actor.display_name, "grants": grants}
