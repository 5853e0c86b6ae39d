"""Departments (部门), which decide items: looked up by all, made, renamed and deleted by administrators."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from api import auth, paging
from api.contract import answer, contract
from api.shapes import Body, Line, Page, Paged, Shape
from api.transactions import reading, transaction
from engine import offices
from engine.models import Department

bp = Blueprint("departments", __name__, url_prefix="/departments")


class DepartmentData(Body):
    """What is said of a department."""

    #: What people read.
    name: Line


class DepartmentShown(Shape):
    """A department."""

    #: What diagrams say in `onething.department`.
    code: str
    name: str


@bp.get("")
@contract(summary="部门列表 · List departments", query=Paged, answer=Page[DepartmentShown])
def list_departments(query: Paged) -> Response:
    """List departments by code."""
    after = paging.last(query.cursor, str) or ""
    with reading() as session:
        found = offices.listing(session, Department, after=after, limit=query.limit + 1)
        return answer(paging.page(found, query.limit, key=lambda d: (d.code,), present=_presented))


@bp.put("/<code>")
@contract(summary="设置部门 · Make or rename a department", body=DepartmentData, answer=DepartmentShown, made=201)
def put(code: str, body: DepartmentData) -> Response:
    """Make a department (201), or rename the one of this code (200); the code is what diagrams say in `onething.department`."""
    with transaction() as session:
        department, made = offices.put_department(session, code, actor=auth.actor(), name=body.name)
        return answer(_presented(department), made=made)


@bp.delete("/<code>")
@contract(summary="删除部门 · Delete a department", answer=DepartmentShown, problems=(409,))
def delete(code: str) -> Response:
    """Delete a department, unless somebody has a role there, an item or a task of it is open, or a process names it (409)."""
    with transaction() as session:
        return answer(_presented(offices.delete_department(session, code, actor=auth.actor())))


def _presented(department: Department) -> dict[str, Any]:
    return {"code": department.code, "name": department.name}
